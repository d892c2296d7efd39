//! `JsonRootNodeOperation`: a part of the event as the event.
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
use payload::{Kind, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes an object that is nested in the event the event itself. An event without an object there fails.
///
/// To make an event of each element of an array, use `JsonArraySplitOperation`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct JsonRootNodeOperation {
    /// Path of the object: `$.detail`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub root_path: String,
}

impl Component for JsonRootNodeOperation {
    const NAME: &'static str = "JsonRootNodeOperation";
    const EXAMPLE: &'static str = "type: JsonRootNodeOperation\nroot_path: $.detail\n";
}

impl Operation for JsonRootNodeOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        field::path(&self.root_path)
    }

    fn perform(&self, path: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        if event.payload.get(path).is_none_or(|value| value.kind() != Kind::Object) {
            return Err(Fault::new("there is no object at root_path"));
        }
        event.payload.promote(path)?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_becomes, assert_fails};

    #[test]
    fn an_object_inside_becomes_the_event() {
        let operation = JsonRootNodeOperation::builder().root_path("$.a.b").build();
        assert_becomes(&operation, r#"{"a":{"b":{"c":null}},"x":1}"#, r#"{"c":null}"#);
        for text in [r#"{"a":{"b":[1]}}"#, r#"{"a":{"b":"s"}}"#, r#"{"a":{}}"#, "{}"] {
            assert_fails(&operation, text, "there is no object at root_path");
        }
    }
}
