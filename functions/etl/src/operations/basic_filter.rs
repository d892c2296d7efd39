//! `BasicFilterOperation`: all events, or none.
//!
//! Imports: `build`, `component`, `event`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lets all events pass, or drops them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct BasicFilterOperation {
    /// Whether events pass.
    #[serde(default)]
    #[builder(default)]
    pub pass: bool,
}

impl Component for BasicFilterOperation {
    const NAME: &'static str = "BasicFilterOperation";
    const EXAMPLE: &'static str = "type: BasicFilterOperation\npass: true\n";
}

impl Operation for BasicFilterOperation {
    type State = ();

    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn perform(&self, (): &mut (), _: &mut Event<'_>) -> Result<Outcome, Fault> {
        Ok(if self.pass { Outcome::Pass } else { Outcome::Drop("filtered") })
    }

    fn is_filter(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::perform};

    #[test]
    fn all_pass_or_none() {
        let event = |pass| perform(&BasicFilterOperation { pass }, &mut Facts::default(), "{}").unwrap();
        assert_eq!((event(true), event(false)), (Ok("{}".to_owned()), Err("filtered")));
    }
}
