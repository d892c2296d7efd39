//! `LowerCaseKeyOperation`: names in lower case.
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

/// Writes every name in lower case, in the event, in objects in it, and in objects that are elements of an array (not of an array in an
/// array).
///
/// Members that are null are left out, as in Bender. When two names of one object differ in case only, the event fails rather than lose
/// one of the values.
///
/// # Unlike Bender
///
/// - Members whose names collide fail the event, which is counted. (Bender keeps one of them, by chance, and the other is lost.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct LowerCaseKeyOperation {}

impl Component for LowerCaseKeyOperation {
    const NAME: &'static str = "LowerCaseKeyOperation";
    const EXAMPLE: &'static str = "type: LowerCaseKeyOperation\n";
}

impl Operation for LowerCaseKeyOperation {
    type State = Rewriter;

    fn state(&self, _: &BuildCx<'_>) -> Result<Rewriter, BuildError> {
        // Asked once for each name and kind that turns up, not for each event.
        Ok(Rewriter::new(Reach::Elements, |name, kind| match kind {
            Kind::Null => Change::Drop,
            _ => Change::Rename(name.to_lowercase()),
        }))
    }

    fn perform(&self, rule: &mut Rewriter, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        event.payload.rewrite(rule)?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_becomes, assert_fails};

    #[test]
    fn lowers_at_every_depth() {
        assert_becomes(
            &LowerCaseKeyOperation {},
            r#"{"A":[{"B":1},[{"C":1}]],"c":null,"ÄÖ":{"D":1}}"#,
            r#"{"a":[{"b":1},[{"C":1}]],"äö":{"d":1}}"#,
        );
    }

    #[test]
    fn fails_rather_than_lose_a_value() {
        assert_fails(&LowerCaseKeyOperation {}, r#"{"ID":1,"id":2}"#, "two members would have the same name");
    }
}
