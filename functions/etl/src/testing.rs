//! For tests of pipelines and components, ours and yours: a world that does what it is told.
//!
//! Imports: everything.

#[cfg(test)]
mod components;
#[cfg(test)]
mod documents;
mod operations;
mod world;

#[cfg(test)]
pub(crate) use components::*;
#[cfg(test)]
pub(crate) use documents::{document, sorted};
pub use operations::{assert_becomes, assert_fails, perform, perform_with, step};
#[cfg(test)]
pub(crate) use operations::{cx, no_assets};
pub use world::{FakeClock, FakeObjects, RecordedCalls, RecordedLog, Reply, World};
