//! `Text`: every line is an event with just that text.

use super::kit;
use etl::config::PipelineConfig;
use serde_json::Value;
use std::sync::LazyLock;

static TEXT: LazyLock<PipelineConfig> = LazyLock::new(|| kit::reading("{type: Text, field: t}"));

pub(crate) fn hold(bytes: &[u8]) {
    // What looks compressed is inflated; that is another law.
    let bytes = [b"x", bytes].concat();
    kit::read(&TEXT, &bytes);
    let object = kit::outcome(&TEXT, |run| run.object("a.log", bytes.as_slice()));
    let ours: Vec<String> = object.events.iter().map(|event| text_of(event)).collect();
    let whole = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let theirs: Vec<String> = whole.map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    assert_eq!(ours, theirs);
}

pub(crate) fn text_of(event: &str) -> String {
    let event: Value = serde_json::from_str(event).expect("what is delivered is JSON");
    event["t"].as_str().expect("the field is a text").to_owned()
}
