//! `Logfmt`: a value in quotes is read as it was before it was written.

use super::kit;
use etl::config::PipelineConfig;
use serde_json::{Value, json};
use std::sync::LazyLock;

static LOGFMT: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading("{type: Logfmt, fields: [{name: n, type: NUMBER}, {name: b, type: BOOLEAN}, {name: key}]}")
});

pub(crate) fn hold(bytes: &[u8]) {
    kit::read(&LOGFMT, bytes);
    let text = String::from_utf8_lossy(bytes);
    // JSON's way to write a text is one of logfmt's.
    let line = format!("key={} last=x", Value::from(&*text));
    let read = kit::outcome(&LOGFMT, |run| run.record(line.as_bytes()));
    let event: Value = serde_json::from_str(&read.events[0]).expect("what is delivered is JSON");
    assert_eq!(event, json!({ "key": &*text, "last": "x" }));
}
