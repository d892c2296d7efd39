//! `FieldSubstitution`: another field of the event.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::{Key, Keys, Made, NO_SOURCE, Place, Substitution, yes};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    field,
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Copies a field of the event to a key, or moves it there.
///
/// A field is moved only where nothing is lost by it: it stays when there is no place for the key, or the key is the field itself or lies
/// in it.
///
/// # Unlike Bender
///
/// - A field is never lost on its way. (In Bender the value is gone when the parent of the key is missing, or the key is the field itself
///   in other words.)
/// - What is missing is not in a list of what a path finds. (Bender puts nulls there.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct FieldSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// Paths of the fields to copy, of which the first counts that is neither missing nor null. A path that may lead to several fields
    /// (`$..id`, `$.list[*]`) gives a list of all that it finds, and always counts. (Bender puts nulls into it for what is missing: mended.)
    #[schemars(extend("items" = { "type": "string", "format": "json-path" }))]
    pub src_fields: Vec<String>,
    /// Whether the field that was copied is taken out.
    #[serde(default)]
    #[builder(default)]
    pub remove_src_field: bool,
    /// Whether an event fails that has none of the fields.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_src_not_found: bool,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

impl Component for FieldSubstitution {
    const NAME: &'static str = "FieldSubstitution";
    const EXAMPLE: &'static str =
        "type: FieldSubstitution\nkey: $.user\nsrc_fields: [$.userIdentity.arn, $.userIdentity.accountId]\n";
}

impl Substitution for FieldSubstitution {
    type State = (Key, Vec<Path>);

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<Self::State, BuildError> {
        Ok((keys.read(&self.key)?, field::sources(&self.src_fields)?))
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn substitute(
        &self,
        (key, sources): &mut Self::State,
        event: &mut Event<'_>,
        place: &mut Place<'_>,
    ) -> Result<(), Fault> {
        let Some(source) = field::first(&event.payload, sources) else {
            return if self.fail_src_not_found { Err(NO_SOURCE) } else { Ok(()) };
        };
        if !self.remove_src_field {
            return place.copy(event, key, source);
        }
        let value = Made::Json(field::json(&event.payload, source));
        place.put_all(event, vec![(key, value)], &[source])
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::Facts,
        substitutions::testing::{assert_substituted, substituted},
    };

    #[test]
    fn the_first_field_that_is_there_is_copied() {
        let config = "[{type: FieldSubstitution, key: new, src_fields: [$.a, b.c]}]";
        assert_substituted(config, r#"{"a":"x","b":{"c":1}}"#, r#"{"a":"x","b":{"c":1},"new":"x"}"#);
        assert_substituted(config, r#"{"a":null,"b":{"c":[1.50]}}"#, r#"{"a":null,"b":{"c":[1.50]},"new":[1.50]}"#);
        let missing = substituted(config, &mut Facts::default(), r#"{"b":{"c":null}}"#);
        assert_eq!(missing, Err("there is nothing at the `src_fields`"));
        let config = "[{type: FieldSubstitution, key: new, src_fields: [$.a], fail_src_not_found: false}]";
        assert_substituted(config, r#"{"b":1}"#, r#"{"b":1}"#);
    }

    #[test]
    fn a_field_is_moved_only_where_nothing_is_lost_by_it() {
        for (key, from, event, expected) in [
            ("b", "$.a", r#"{"a":{"x":1.50},"k":1}"#, r#"{"k":1,"b":{"x":1.50}}"#),
            ("a", "$.a", r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            ("n.m", "$.a", r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            ("a", "$.a.b", r#"{"a":{"b":{"b":1}}}"#, r#"{"a":{"b":1}}"#),
            ("$.a.b", "a", r#"{"a":{"c":1}}"#, r#"{"a":{"c":1,"b":{"c":1}}}"#),
            ("$.l[0]", "$.l[-1]", r#"{"l":["x"]}"#, r#"{"l":["x"]}"#),
        ] {
            let config =
                format!("[{{type: FieldSubstitution, key: '{key}', src_fields: ['{from}'], remove_src_field: true}}]");
            assert_substituted(&config, event, expected);
        }
    }
}
