//! `JsonDropArraysOperation`: events without arrays.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
};
use bon::Builder;
use payload::{Change, Kind, Reach, Rewriter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes out every member whose value is an array, in the event and in objects in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct JsonDropArraysOperation {}

impl Component for JsonDropArraysOperation {
    const NAME: &'static str = "JsonDropArraysOperation";
    const EXAMPLE: &'static str = "type: JsonDropArraysOperation\n";
}

impl Operation for JsonDropArraysOperation {
    type State = Rewriter;

    fn state(&self, _: &BuildCx<'_>) -> Result<Rewriter, BuildError> {
        Ok(Rewriter::new(Reach::Objects, |_, kind| if kind == Kind::Array { Change::Drop } else { Change::Keep }))
    }

    fn perform(&self, rule: &mut Rewriter, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        event.payload.rewrite(rule)?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_becomes;

    #[test]
    fn arrays_are_taken_out_at_every_depth() {
        assert_becomes(
            &JsonDropArraysOperation {},
            r#"{"a":[1],"b":{"c":[],"d":1},"e":null}"#,
            r#"{"b":{"d":1},"e":null}"#,
        );
    }
}
