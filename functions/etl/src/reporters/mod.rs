//! Reporters: where the figures of an invocation are told.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Reporter`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `component`, `late`, `need`, `ports`, `region`.

pub mod cloudwatch;
pub mod data_dog;
pub mod embedded_metrics;
pub mod filter;

pub use cloudwatch::Cloudwatch;
pub use data_dog::DataDog;
pub use embedded_metrics::CloudWatchEmbeddedMetrics;

use crate::{
    component::{Component, Room, Settings},
    ports::Call,
};
use std::borrow::Cow;

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildReporter>) {
    room.add::<CloudWatchEmbeddedMetrics>();
    room.add::<Cloudwatch>();
    room.add::<DataDog>();
}

/// What an author of a reporter writes.
pub trait Reporter: Component {
    /// The calls that tell a report. A call that fails is logged and nothing more.
    fn report(&self, report: &Report) -> Vec<Call>;
}

/// A reporter as a config holds it. Every [`Reporter`] is one.
pub trait BuildReporter: Settings {
    /// See [`Reporter::report`].
    fn report(&self, report: &Report) -> Vec<Call>;
}

impl<T: Reporter> BuildReporter for T {
    fn report(&self, report: &Report) -> Vec<Call> {
        Reporter::report(self, report)
    }
}

/// The figures of one invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// When the invocation began: milliseconds since 1970.
    pub time_ms: i64,
    /// Tags of all figures: `functionName`, `functionVersion`, those of the config and of the function.
    pub tags: Vec<(String, String)>,
    /// The figures.
    pub stats: Vec<Stat>,
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// `timing.ns`, `event.count`, …
    pub name: &'static str,
    /// Tags of this figure: `class`, `source`, `reason`.
    pub tags: Vec<(&'static str, Cow<'static, str>)>,
    /// Whether values are added up or replaced over time.
    pub kind: StatKind,
    /// The value.
    pub value: i64,
}

/// Whether values are added up or replaced over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatKind {
    /// How many.
    Count,
    /// How much, now.
    Gauge,
}
