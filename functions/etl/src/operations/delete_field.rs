//! `DeleteFieldOperation`: an event without a field.
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
use payload::{ChangeError, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes a field out of the event.
///
/// An event without the field stays as it is. One in which the path leads through a text, a number or null fails, alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct DeleteFieldOperation {
    /// Path of the field: `$.httpRequest.headers`; of all that are to go: `$.records[*].raw`, `$..password`.
    #[builder(into)]
    #[schemars(extend("format" = "paths"))]
    pub key_field: String,
}

impl Component for DeleteFieldOperation {
    const NAME: &'static str = "DeleteFieldOperation";
    const EXAMPLE: &'static str = "type: DeleteFieldOperation\nkey_field: $.httpRequest.headers\n";
}

impl Operation for DeleteFieldOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        field::places(&self.key_field)
    }

    fn perform(&self, field: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        match event.payload.remove(field) {
            Ok(_) | Err(ChangeError::Missing | ChangeError::MissingParent) => Ok(Outcome::Pass),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_becomes, assert_fails};

    #[test]
    fn the_field_is_taken_out_where_there_is_one() {
        let operation = DeleteFieldOperation::builder().key_field("$.b.c").build();
        assert_becomes(&operation, r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"a":1,"b":{"d":3}}"#);
        assert_becomes(&operation, r#"{"b":{}}"#, r#"{"b":{}}"#);
        assert_becomes(&operation, r#"{"x":1}"#, r#"{"x":1}"#);
        let all = DeleteFieldOperation::builder().key_field("$..c").build();
        assert_becomes(&all, r#"{"a":[{"c":1,"d":{"c":{}}}],"c":[]}"#, r#"{"a":[{"d":{}}]}"#);
        assert_becomes(&all, r#"{"x":1}"#, r#"{"x":1}"#);
        for text in [r#"{"b":null}"#, r#"{"b":5}"#] {
            assert_fails(&operation, text, "the path leads through a value that cannot hold it");
        }
    }
}
