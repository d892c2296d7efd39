//! For tests of pipelines and components, ours and yours: a world that does what it is told.
//!
//! Imports: everything.

#[cfg(test)]
mod components;
mod world;

#[cfg(test)]
pub(crate) use components::*;
pub use world::{FakeClock, FakeObjects, RecordedCalls, RecordedLog, Reply, World};
