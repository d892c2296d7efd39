//! `KeepFieldsOperation`: an event with only some of its fields.
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

/// Takes out of an event all but some fields.
///
/// A field stays with all that is in it, and so do the objects and arrays that it is in, without what else they hold. Of an array, elements that
/// do not stay leave no gap. An event that has none of the fields becomes an empty object, and passes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct KeepFieldsOperation {
    /// Paths of the fields that stay: `eventName`, `$.userIdentity.arn`; also of several at once: `$.resources[*].ARN`, `$..id`.
    #[schemars(length(min = 1), extend("items" = { "type": "string", "format": "paths" }))]
    pub fields: Vec<String>,
}

impl Component for KeepFieldsOperation {
    const NAME: &'static str = "KeepFieldsOperation";
    const EXAMPLE: &'static str =
        "type: KeepFieldsOperation\nfields: [eventTime, eventName, $.userIdentity.arn, '$.resources[*].ARN']\n";
}

impl Operation for KeepFieldsOperation {
    type State = Vec<Path>;

    fn state(&self, _: &BuildCx<'_>) -> Result<Vec<Path>, BuildError> {
        self.fields.iter().map(|path| field::places(path)).collect()
    }

    fn perform(&self, fields: &mut Vec<Path>, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        event.payload.keep(fields);
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_becomes;

    fn keep(fields: &[&str]) -> KeepFieldsOperation {
        KeepFieldsOperation { fields: fields.iter().map(|&field| field.to_owned()).collect() }
    }

    #[test]
    fn fields_stay_with_all_that_is_in_them_and_with_what_they_are_in() {
        let text = r#"{"a":{"b":1.50,"c":[{"id":1,"x":2},{"x":3},{"id":null}]},"d":"e","f":{}}"#;
        for (fields, left) in [
            (&["d", "$.a.b"][..], r#"{"a":{"b":1.50},"d":"e"}"#),
            (&["$.a.c[*].id"], r#"{"a":{"c":[{"id":1},{"id":null}]}}"#),
            (&["$.a.c[-1]", "f"], r#"{"a":{"c":[{"id":null}]},"f":{}}"#),
            (&["$..x"], r#"{"a":{"c":[{"x":2},{"x":3}]}}"#),
            (&["$"], text),
            (&["$.none", "$.d.x"], "{}"),
        ] {
            assert_becomes(&keep(fields), text, left);
        }
    }
}
