//! `FormattedSubstitution`: a text made of several.
//!
//! Imports: `build`, `component`, `config`, `event`, `field`, `payload`.

use super::{Key, Keys, Made, NO_SOURCE, Place, Substitution, message_format::MessageFormat, yes};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    config::variables,
    event::{Event, Fault},
    field,
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Puts a text under a key that is made of fields and fixed texts.
///
/// # Unlike Bender
///
/// - A format that no text can have, `{0,number}`, is a mistake of the config. (In Bender it loses every event.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct FormattedSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// The text, in the notation of Java's `MessageFormat`: `{0}` is the first variable, `{1}` the second. Between two `'` everything is itself,
    /// and `''` is a `'`: `it''s {0} and '{0}'`. A number without a variable stays as it is. Formats such as `{0,number}` are refused: all
    /// variables are texts. (In Bender they end the invocation.)
    #[builder(into)]
    pub format: String,
    /// The variables, in order.
    pub variables: Vec<Variable>,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

/// What stands for a number of a format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum Variable {
    /// A field of the event.
    FieldVariable {
        /// Paths of the field, of which the first counts that is neither missing nor null. What is no text is written as JSON.
        #[schemars(extend("items" = { "type": "string", "format": "json-path" }))]
        src_fields: Vec<String>,
        /// Whether an event fails that has none of the fields. If not, the word `null` stands for it.
        #[serde(default = "yes")]
        fail_src_not_found: bool,
        /// Whether the field is taken out. It stays where there is no place for the key.
        #[serde(default)]
        remove_src_field: bool,
    },
    /// A fixed text.
    StaticVariable {
        /// The text.
        value: String,
    },
}

impl FormattedSubstitution {
    /// None while the format is not known.
    fn read(&self) -> Option<Result<MessageFormat, Mistake>> {
        let format = MessageFormat::new(Some(&self.format).filter(|format| !variables::holds(format))?);
        Some(format.map_err(|error| Mistake::new("format", error.message).help(error.help)))
    }
}

impl Component for FormattedSubstitution {
    const NAME: &'static str = "FormattedSubstitution";
    const EXAMPLE: &'static str = "type: FormattedSubstitution\nkey: $.request\nformat: '{0} {1}'\nvariables:\n- type: FieldVariable\n  src_fields: [$.method]\n- type: FieldVariable\n  \
                                   src_fields: [$.path, $.uri]\n  fail_src_not_found: false\n";

    fn check(&self) -> Vec<Mistake> {
        self.read().and_then(Result::err).into_iter().collect()
    }
}

/// What the substitution works with.
#[derive(Debug)]
pub struct State {
    key: Key,
    format: MessageFormat,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Field { sources: Vec<Path>, required: bool, remove: bool },
    Static(String),
}

impl Value {
    fn new(variable: &Variable) -> Result<Self, BuildError> {
        Ok(match variable {
            Variable::FieldVariable { src_fields, fail_src_not_found, remove_src_field } => Self::Field {
                sources: field::sources(src_fields)?,
                required: *fail_src_not_found,
                remove: *remove_src_field,
            },
            Variable::StaticVariable { value } => Self::Static(value.clone()),
        })
    }
}

impl Substitution for FormattedSubstitution {
    type State = State;

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<State, BuildError> {
        let format =
            self.read().unwrap_or_else(|| MessageFormat::new("").map_err(|error| Mistake::new("", error.message)));
        Ok(State {
            key: keys.read(&self.key)?,
            format: format.map_err(|mistake| BuildError::new(mistake.message))?,
            values: self.variables.iter().map(Value::new).collect::<Result<_, _>>()?,
        })
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn substitute(&self, state: &mut State, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault> {
        let (mut texts, mut gone): (Vec<Option<Cow<'_, str>>>, Vec<&Path>) = (vec![], vec![]);
        for value in &state.values {
            match value {
                Value::Static(text) => texts.push(Some(text.into())),
                Value::Field { sources, required, remove } => {
                    let source = field::first(&event.payload, sources);
                    if source.is_none() && *required {
                        return Err(NO_SOURCE);
                    }
                    texts.push(source.and_then(|source| field::text(&event.payload, source)));
                    gone.extend(source.filter(|_| *remove));
                }
            }
        }
        let texts: Vec<_> = texts.iter().map(Option::as_deref).collect();
        let made = Made::Text(state.format.format(&texts).into());
        place.put_all(event, vec![(&state.key, made)], &gone)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::Facts,
        substitutions::testing::{assert_substituted, mistakes, substituted},
    };

    fn config(key: &str, first: &str) -> String {
        format!(
            "[{{type: FormattedSubstitution, key: {key}, format: '{{0}}/{{1}}', variables: [
            {{type: FieldVariable, src_fields: [$.a, $.b]{first}}}, {{type: StaticVariable, value: s}}]}}]"
        )
    }

    #[test]
    fn variables_are_texts() {
        assert_substituted(&config("o", ""), r#"{"a":"{0}'"}"#, r#"{"a":"{0}'","o":"{0}'/s"}"#);
        assert_substituted(&config("o", ""), r#"{"a":null,"b":1.50}"#, r#"{"a":null,"b":1.50,"o":"1.50/s"}"#);
        assert_eq!(
            substituted(&config("o", ""), &mut Facts::default(), "{}"),
            Err("there is nothing at the `src_fields`")
        );
        assert_substituted(&config("o", ", fail_src_not_found: false"), "{}", r#"{"o":"null/s"}"#);
    }

    #[test]
    fn fields_go_only_when_nothing_is_lost_by_it() {
        let remove = ", remove_src_field: true";
        assert_substituted(&config("o", remove), r#"{"a":"x","b":1}"#, r#"{"b":1,"o":"x/s"}"#);
        assert_substituted(&config("a", remove), r#"{"a":"x"}"#, r#"{"a":"x/s"}"#);
        assert_substituted(&config("no.o", remove), r#"{"a":"x"}"#, r#"{"a":"x"}"#);
    }

    #[test]
    fn a_format_that_would_fail_is_a_mistake_of_the_config() {
        let config = "[{type: FormattedSubstitution, key: o, format: '{0,number}', variables: []}]";
        assert_eq!(mistakes(config), ["ETL019 [0].format: a value has a format of its own, and all values are texts"]);
    }
}
