//! `FlattenOperation`: one level in place of many.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
};
use bon::Builder;
use payload::{Collision, Flattener};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Brings all that is nested to the top of the event: `{"a":{"b":1},"c":[2,3]}` becomes `{"a.b":1,"c.1":2,"c.2":3}`.
///
/// Elements of arrays are counted from 1. Empty objects and arrays vanish. Of two members that get the same name the last one stays, as in
/// Bender.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct FlattenOperation {
    /// What stands between the names.
    #[serde(default = "dot")]
    #[builder(default = dot(), into)]
    pub separator: String,
}

fn dot() -> String {
    ".".to_owned()
}

impl Component for FlattenOperation {
    const NAME: &'static str = "FlattenOperation";
    const EXAMPLE: &'static str = "type: FlattenOperation\nseparator: _\n";
}

impl Operation for FlattenOperation {
    type State = Flattener;

    fn state(&self, _: &BuildCx<'_>) -> Result<Flattener, BuildError> {
        Ok(Flattener::new(&self.separator).on_collision(Collision::LastWins))
    }

    fn perform(&self, flattener: &mut Flattener, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        event.payload.flatten(flattener)?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_becomes;

    #[test]
    fn nested_members_get_the_names_of_all_that_they_were_in() {
        let operation = FlattenOperation::builder().build();
        assert_becomes(
            &operation,
            r#"{"a":{"b":{"c":1}},"l":[1,{"x":2},[3]],"e":{},"s":"x"}"#,
            r#"{"a.b.c":1,"l.1":1,"l.2.x":2,"l.3.1":3,"s":"x"}"#,
        );
        assert_becomes(&FlattenOperation::builder().separator("_").build(), r#"{"a":{"b":true}}"#, r#"{"a_b":true}"#);
    }
}
