//! `DevNull`: nowhere.
//!
//! Imports: `bounded`, `build`, `component`, `ports`.

use super::{Limits, Load, Next, Transport, Verdict, done};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    ports::Answer,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Throws events away once they are written as text: to measure a pipeline without a far side.
///
/// # Delivery
///
/// Every event counts as delivered, and none is kept anywhere.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct DevNull {
    /// Taken for the sake of old configs; has no effect, as in Bender.
    pub threads: Option<Bounded<1, 256>>,
}

impl Component for DevNull {
    const NAME: &'static str = "DevNull";
    const EXAMPLE: &'static str = "type: DevNull\n";
}

impl Transport for DevNull {
    type State = ();

    fn limits(&self) -> Limits {
        Limits { event_bytes: usize::MAX, bytes: usize::MAX, by_partition: false, ..Limits::default() }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn call(&self, (): &mut (), _: &Load<'_>) -> Next {
        Next::Done
    }

    fn judge(&self, (): &mut (), _: &Load<'_>, answer: &Answer) -> Verdict {
        done(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn nothing_is_called() {
        assert_eq!(call(&DevNull::default(), b"a", &[1]), Next::Done);
    }
}
