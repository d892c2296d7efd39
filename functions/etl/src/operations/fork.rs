//! `ForkOperation`: an event goes several ways.
//!
//! Imports: `build`, `component`, `config`, `need`.

use super::{BuildOperation, Step, branch};
use crate::{
    build::{BuildCx, BuildError},
    component::{Any, Component},
    config::OperationConfig,
    need::Need,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sends each event several ways: every fork gets a copy of its own and makes of it what it will. What comes out of them goes on through
/// the operations behind this one.
///
/// The events come out in the order of the forks, and an event of a split, a fork or a condition in a fork is an event like any other. A
/// fork without operations lets its copy pass as it is; without any forks, events pass.
///
/// With `use_hashid`, the events that come of one event have the same id, as their hash is that of the text they were read from: the last
/// one stays.
///
/// # Unlike Bender
///
/// - Events come out in a fixed order. (Bender runs forks at the same time, and the order is lost.)
/// - They know their Kinesis record or S3 object. (Bender's forget it, and behind `KinesisWrapper` or `S3Wrapper` nothing is delivered.)
/// - A fork without operations lets its copy pass. (Bender fails on the first event.)
/// - What fails in a fork fails alone. (Bender loses all that follows, or hangs until Lambda ends the function.)
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct ForkOperation {
    /// The ways.
    #[serde(default)]
    #[builder(default)]
    pub forks: Vec<Fork>,
}

/// One of the ways of a fork.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Fork {
    /// The steps, in order.
    #[serde(default)]
    #[builder(default)]
    pub operations: Vec<OperationConfig>,
}

impl Component for ForkOperation {
    const NAME: &'static str = "ForkOperation";
    const EXAMPLE: &'static str = "type: ForkOperation\nforks:\n- operations:\n  - type: FlattenOperation\n- operations:\n  - type: DeleteFieldOperation\n    \
                                   key_field: $.message\n  - type: JsonKeyNameOperation\n";

    fn needs(&self) -> Vec<Need> {
        self.forks.iter().flat_map(|fork| &fork.operations).flat_map(Any::needs).collect()
    }
}

impl BuildOperation for ForkOperation {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Step, BuildError> {
        Ok(Step::Fork(self.forks.iter().map(|fork| branch(&fork.operations, cx)).collect::<Result<_, _>>()?))
    }
}
