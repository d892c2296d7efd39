//! `PassthroughWrapper`: no envelope.
//!
//! Imports: `build`, `component`, `event`.

use super::{Spelling, Wrapper};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Delivers the event as it is, without an envelope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct PassthroughWrapper {}

impl Component for PassthroughWrapper {
    const NAME: &'static str = "PassthroughWrapper";
    const EXAMPLE: &'static str = "type: PassthroughWrapper\n";
}

impl Wrapper for PassthroughWrapper {
    type State = ();

    fn state(&self, _: &BuildCx<'_>, _: Spelling<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn wrap(&self, (): &mut (), _: &mut Event<'_>) -> Result<(), Fault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::wrap};

    #[test]
    fn the_event_stays_as_it_is() {
        assert_eq!(
            wrap(&PassthroughWrapper {}, &mut Facts::default(), r#"{"b":1,"a":null}"#).unwrap(),
            r#"{"b":1,"a":null}"#
        );
    }
}
