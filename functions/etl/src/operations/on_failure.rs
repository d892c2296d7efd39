//! What becomes of an event that an operation cannot do its work on, as a setting.
//!
//! Imports: `event`.

use crate::event::{Fault, Outcome};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What becomes of an event that an operation cannot do its work on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OnFailure {
    /// It fails, as any event that cannot be worked on.
    Fail,
    /// It passes as it came.
    Keep,
    /// It is dropped, and counted by the reason.
    Drop,
}

impl OnFailure {
    pub(super) fn fail() -> Self {
        Self::Fail
    }

    /// What becomes of it.
    pub(super) fn outcome(self, fault: impl Into<Fault>) -> Result<Outcome, Fault> {
        match self {
            Self::Fail => Err(fault.into()),
            Self::Keep => Ok(Outcome::Pass),
            Self::Drop => Ok(Outcome::Drop(fault.into().reason)),
        }
    }
}
