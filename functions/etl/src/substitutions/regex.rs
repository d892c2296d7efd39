//! `RegexSubstitution`: the named groups of a regular expression.
//!
//! Imports: `build`, `component`, `event`, `field`, `number`, `pattern`, `payload`.

use super::{Key, Keys, Made, NO_SOURCE, Place, Substitution, yes};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault},
    field, number,
    pattern::{Exhausted, Groups, Pattern},
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Looks for a regular expression in a field, and puts what its named groups hold under keys.
///
/// A group that took no part in the match sets nothing, and neither does a NUMBER whose text is no number.
///
/// # Unlike Bender
///
/// - A NUMBER that is none is left out, and nothing else is. (In Bender it undoes the whole substitution, though it says otherwise.)
/// - A group that the expression does not have is a mistake of the config. (In Bender it loses every event.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct RegexSubstitution {
    /// The expression, as Java reads it. It is looked for anywhere in the field.
    pub pattern: Pattern,
    /// Paths of the fields to look in, of which the first counts that the expression is found in. A value that is no text is looked through as
    /// it is written.
    #[schemars(extend("items" = { "type": "string", "format": "json-path" }))]
    pub src_fields: Vec<String>,
    /// What to set, by groups.
    pub fields: Vec<RegexSubField>,
    /// Whether the field that the expression was found in is taken out. It stays where there is no place for one of the keys.
    #[serde(default)]
    #[builder(default)]
    pub remove_src_field: bool,
    /// Whether an event fails in whose fields the expression is not found.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_src_not_found: bool,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

/// A group, and what is set to its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct RegexSubField {
    /// Name of the group.
    #[builder(into)]
    pub regex_group_name: String,
    /// What its text is read as.
    pub r#type: GroupType,
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member.
    #[builder(into)]
    pub key: String,
}

/// What the text of a group is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum GroupType {
    /// The text as it is.
    String,
    /// A number, as Java's commons-lang reads it: `010` is octal, `0x1F` hexadecimal, `7L` and `1.5f` are numbers too.
    Number,
    /// True if the text is `true` in capital or small letters; false for anything else.
    Boolean,
}

impl Component for RegexSubstitution {
    const NAME: &'static str = "RegexSubstitution";
    const EXAMPLE: &'static str = "type: RegexSubstitution\npattern: 'user=(?<user>\\w+) id=(?<id>\\d+)'\nsrc_fields: [$.message]\nfields:\n- regex_group_name: user\n  type: STRING\n  \
                                   key: $.user\n- regex_group_name: id\n  type: NUMBER\n  key: $.user_id\n";

    fn check(&self) -> Vec<Mistake> {
        let Some(names) = self.pattern.group_names() else { return vec![] };
        let known: Vec<_> = names.iter().flatten().map(|name| format!("`{name}`")).collect();
        let mut mistakes = vec![];
        for (number, field) in self.fields.iter().enumerate() {
            if !names.contains(&Some(&*field.regex_group_name)) {
                let message = format!("the pattern has no group called `{}`", field.regex_group_name);
                let help = if known.is_empty() {
                    format!("write the group as `(?<{}>…)`", field.regex_group_name)
                } else {
                    format!("its groups are {}", known.join(", "))
                };
                mistakes.push(Mistake::new(format!("fields[{number}].regex_group_name"), message).help(help));
            }
        }
        mistakes
    }
}

/// What the substitution works with.
#[derive(Debug)]
pub struct State {
    sources: Vec<Path>,
    /// The number of each group, what it is read as, and where it goes.
    fields: Vec<(usize, GroupType, Key)>,
    groups: Groups,
}

impl Substitution for RegexSubstitution {
    type State = State;

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<State, BuildError> {
        let names = self.pattern.group_names().unwrap_or_default();
        let field = |field: &RegexSubField| {
            let group = names.iter().position(|name| *name == Some(&field.regex_group_name));
            let group = group.ok_or_else(|| {
                BuildError::new(format!("the pattern has no group called `{}`", field.regex_group_name))
            })?;
            Ok((group, field.r#type, keys.read(&field.key)?))
        };
        let fields = self.fields.iter().map(field).collect::<Result<_, _>>()?;
        Ok(State { sources: field::sources(&self.src_fields)?, fields, groups: Groups::default() })
    }

    fn keys(&self) -> Vec<(String, &str)> {
        let fields = self.fields.iter().enumerate();
        fields.map(|(number, field)| (format!("fields[{number}].key"), field.key.as_str())).collect()
    }

    fn substitute(&self, state: &mut State, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault> {
        let State { sources, fields, groups } = state;
        for source in sources.iter() {
            let Some(text) = field::text(&event.payload, source) else { continue };
            let found = self.pattern.find_groups(&text, 0, groups);
            if !found.map_err(|Exhausted| Fault::new("the regular expression takes too many steps on the field"))? {
                continue;
            }
            let made =
                fields.iter().filter_map(|(group, kind, key)| Some((key, kind.value(groups.text(*group, &text)?)?)));
            let values: Vec<_> = made.collect();
            let gone: &[&Path] = if self.remove_src_field { &[source] } else { &[] };
            return place.put_all(event, values, gone);
        }
        if self.fail_src_not_found { Err(NO_SOURCE) } else { Ok(()) }
    }
}

impl GroupType {
    fn value(self, text: &str) -> Option<Made<'static>> {
        match self {
            Self::String => Some(Made::Text(text.to_owned().into())),
            Self::Boolean => Some(Made::Bool(text.eq_ignore_ascii_case("true"))),
            Self::Number => {
                let mut number = String::new();
                number::read(text, &mut number).then_some(Made::Number(number))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::Facts,
        substitutions::testing::{assert_substituted, mistakes, substituted},
    };

    fn config(fields: &str, more: &str) -> String {
        let pattern = r"user=(?<user>\w+)(?: id=(?<id>\w*))?(?: ok=(?<ok>\w+))?";
        format!("[{{type: RegexSubstitution, pattern: '{pattern}', src_fields: [$.m, m2], fields: [{fields}]{more}}}]")
    }
    const FIELDS: &str =
        "{regex_group_name: user, type: STRING, key: u}, {regex_group_name: id, type: NUMBER, key: $.n},
        {regex_group_name: ok, type: BOOLEAN, key: ok}";

    #[test]
    fn groups_are_read_by_their_types() {
        let config = config(FIELDS, "");
        assert_substituted(
            &config,
            r#"{"m":"user=bob id=0x1F ok=TRUE"}"#,
            r#"{"m":"user=bob id=0x1F ok=TRUE","u":"bob","n":31,"ok":true}"#,
        );
        assert_substituted(&config, r#"{"m":5,"m2":"x user=eve"}"#, r#"{"m":5,"m2":"x user=eve","u":"eve"}"#);
        assert_substituted(&config, r#"{"m":{"a":"user=bob"}}"#, r#"{"m":{"a":"user=bob"},"u":"bob"}"#);
        let nothing = substituted(&config, &mut Facts::default(), r#"{"m":"x"}"#);
        assert_eq!(nothing, Err("there is nothing at the `src_fields`"));
    }

    #[test]
    fn an_expression_may_look_around() {
        let pattern = r"^(?:(?<scheme>[a-z]+)://)?(?=[^/]*\.)(?<host>[^/:?#]+)(?::(?<port>\d+))?(?<path>/[^?]*)?";
        let field = |name: &str, kind: &str| format!("{{regex_group_name: {name}, type: {kind}, key: {name}}}");
        let fields =
            [field("scheme", "STRING"), field("host", "STRING"), field("port", "NUMBER"), field("path", "STRING")];
        let config = format!(
            "[{{type: RegexSubstitution, pattern: '{pattern}', src_fields: [u], remove_src_field: true, fields: [{}]}}]",
            fields.join(",")
        );
        let expected = r#"{"scheme":"https","host":"a.example","port":8443,"path":"/x/y"}"#;
        assert_substituted(&config, r#"{"u":"https://a.example:8443/x/y?q=1"}"#, expected);
        assert_substituted(&config, r#"{"u":"a.example"}"#, r#"{"host":"a.example"}"#);
    }

    #[test]
    fn a_number_that_is_none_is_left_out_and_nothing_else_is() {
        for none in ["abc", ""] {
            let event = format!(r#"{{"m":"user=bob id={none}"}}"#);
            let expected = format!(r#"{{"m":"user=bob id={none}","u":"bob"}}"#);
            assert_substituted(&config(FIELDS, ""), &event, &expected);
        }
    }

    #[test]
    fn the_field_goes_only_when_nothing_is_lost_by_it() {
        let config = |key: &str| {
            config(&format!("{{regex_group_name: user, type: STRING, key: {key}}}"), ", remove_src_field: true")
        };
        assert_substituted(&config("u"), r#"{"m":"user=bob"}"#, r#"{"u":"bob"}"#);
        assert_substituted(&config("m"), r#"{"m":"user=bob"}"#, r#"{"m":"bob"}"#);
        assert_substituted(&config("no.u"), r#"{"m":"user=bob"}"#, r#"{"m":"user=bob"}"#);
    }

    #[test]
    fn a_group_that_the_pattern_does_not_have_is_a_mistake_of_the_config() {
        assert_eq!(
            mistakes(&config("{regex_group_name: nope, type: STRING, key: n}", "")),
            ["ETL019 [0].fields[0].regex_group_name: the pattern has no group called `nope`"]
        );
    }
}
