//! For tests of pipelines and components, ours and yours: a world that does what it is told.
//!
//! Imports: everything.

#[cfg(test)]
mod components;
#[cfg(test)]
mod documents;
mod operations;
mod relay;
mod world;

#[cfg(test)]
pub(crate) use components::*;
#[cfg(test)]
pub(crate) use documents::{document, sorted};
pub use operations::{assert_becomes, assert_fails, perform, perform_with, step};
#[cfg(test)]
pub(crate) use operations::{cx, no_assets};
pub use relay::{relay, relayed};
pub use world::{FakeClock, FakeObjects, RecordedCalls, RecordedLog, Reply, World};

/// A config's document as it is written, YAML or JSON, for those who hold it against the published schema. None if it is none.
pub fn config_document(text: &str) -> Option<serde_json::Value> {
    crate::config::document(text)
}
