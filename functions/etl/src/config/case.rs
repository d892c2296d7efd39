//! `tests`: cases of the pipeline itself.
//!
//! Imports: nothing of the crate.

use bon::Builder;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// When a case happens that does not say so: 2026-01-01T00:00:00Z.
const NOW_MS: i64 = 1_767_225_600_000;

/// A case of the pipeline: an event, and what is to become of it. `synth test FILE` runs them. A function never does: they are not
/// in what is deployed.
///
/// Texts in a case are as they are: `<NAME>` in them is no variable.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct TestCase {
    /// What holds, as a sentence: `a debug line is dropped`.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// The event: a text as it would be received, or a value that is written as JSON. With a handler that reads objects, and no `source`,
    /// it is an object: each line is an event.
    #[builder(into)]
    pub input: Value,
    /// The name of the source that it is from; the first one, if there is none.
    #[builder(into)]
    pub source: Option<String>,
    /// When it happens, RFC 3339: what the clock says, and when the event arrived. 2026-01-01T00:00:00Z, if there is none.
    #[builder(into)]
    pub now: Option<String>,
    /// What is delivered, in order, the wrapper's envelope included: texts as they are serialized, or values, which are compared as
    /// JSON.
    #[serde(default)]
    #[builder(default)]
    pub output: Vec<Value>,
    /// The reasons of all that is dropped.
    #[serde(default)]
    #[builder(default)]
    pub dropped: Vec<String>,
    /// The reasons of all that fails.
    #[serde(default)]
    #[builder(default)]
    pub failed: Vec<String>,
}

impl TestCase {
    /// The event as it would be received.
    pub fn text(&self) -> String {
        self.input.as_str().map_or_else(|| self.input.to_string(), str::to_owned)
    }

    /// When it happens: milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        let now = self.now.as_deref().and_then(|now| now.parse::<jiff::Timestamp>().ok());
        now.map_or(NOW_MS, jiff::Timestamp::as_millisecond)
    }
}
