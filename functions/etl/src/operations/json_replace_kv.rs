//! `JsonReplaceKVOperation`: another value for a field that exists.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Replaces the value of a key that exists.
///
/// An event without the key stays as it is. A key whose value is null exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct JsonReplaceKVOperation {
    /// The key, at the top of the event, or a path: `$.user.name`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub key: String,
    /// The text that becomes its value.
    #[builder(into)]
    pub value: String,
}

impl Component for JsonReplaceKVOperation {
    const NAME: &'static str = "JsonReplaceKVOperation";
    const EXAMPLE: &'static str = "type: JsonReplaceKVOperation\nkey: foo\nvalue: bar\n";
}

impl Operation for JsonReplaceKVOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        field::path(&self.key)
    }

    fn perform(&self, key: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        if event.payload.get(key).is_some() {
            event.payload.set(key, &self.value)?;
        }
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_becomes;

    #[test]
    fn replaces_the_value_of_a_key_that_exists() {
        let operation = JsonReplaceKVOperation::builder().key("foo").value("b\"ar").build();
        assert_becomes(&operation, r#"{"foo":{"x":1},"z":1}"#, r#"{"foo":"b\"ar","z":1}"#);
        assert_becomes(&operation, r#"{"foo":null}"#, r#"{"foo":"b\"ar"}"#);
        assert_becomes(&operation, r#"{"bar":{"foo":1}}"#, r#"{"bar":{"foo":1}}"#);
    }

    #[test]
    fn a_path_leads_into_objects() {
        let operation = JsonReplaceKVOperation::builder().key("$.a.b").value("x").build();
        assert_becomes(&operation, r#"{"a":{"b":1}}"#, r#"{"a":{"b":"x"}}"#);
        assert_becomes(&operation, r#"{"a":5}"#, r#"{"a":5}"#);
    }
}
