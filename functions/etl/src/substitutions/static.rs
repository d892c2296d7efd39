//! `StaticSubstitution`: a text of the config's own.
//!
//! Imports: `build`, `component`, `event`.

use super::{Key, Keys, Made, Place, Substitution, yes};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts a text under a key, whether the event has the key or not.
///
/// # Unlike Bender
///
/// - A key below a text or a number fails its event, alone. (In Bender it loses the event and all behind it.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct StaticSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// The text.
    #[builder(into)]
    pub value: String,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

impl Component for StaticSubstitution {
    const NAME: &'static str = "StaticSubstitution";
    const EXAMPLE: &'static str = "type: StaticSubstitution\nkey: $.environment\nvalue: production\n";
}

impl Substitution for StaticSubstitution {
    type State = Key;

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<Key, BuildError> {
        keys.read(&self.key)
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn substitute(&self, key: &mut Key, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault> {
        place.put(event, key, Made::Text(self.value.as_str().into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::Facts,
        substitutions::testing::{assert_substituted, substituted},
    };

    #[test]
    fn a_text_is_put_where_there_is_a_place_for_it() {
        let config = |key: &str| format!(r#"[{{type: StaticSubstitution, key: "{key}", value: '<"é'}}]"#);
        for (key, event, expected) in [
            ("env", r#"{"a":1.50}"#, r#"{"a":1.50,"env":"<\"é"}"#),
            ("$.a.b", r#"{"a":{}}"#, r#"{"a":{"b":"<\"é"}}"#),
            ("$['x.y']", "{}", r#"{"x.y":"<\"é"}"#),
            ("$.a.b", "{}", "{}"),
            ("$.a[5]", r#"{"a":[1]}"#, r#"{"a":[1]}"#),
            ("$.a[0]", r#"{"a":[{"x":1},2]}"#, r#"{"a":["<\"é",2]}"#),
        ] {
            assert_substituted(&config(key), event, expected);
        }
    }

    #[test]
    fn an_event_fails_whose_text_or_number_would_have_to_hold_it() {
        let config = "[{type: StaticSubstitution, key: a.b, value: x}]";
        for event in [r#"{"a":5}"#, r#"{"a":null}"#, r#"{"a":"x"}"#] {
            let result = substituted(config, &mut Facts::default(), event);
            assert_eq!(result, Err("the path leads through a value that cannot hold it"), "{event}");
        }
    }
}
