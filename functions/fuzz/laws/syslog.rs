//! `Syslog`: what has a priority says facility and severity as the priority does, and a message of RFC 5424 is read as it was written.

use super::kit;
use etl::config::PipelineConfig;
use serde_json::Value;
use std::sync::LazyLock;

static SYSLOG: LazyLock<PipelineConfig> = LazyLock::new(|| kit::reading("{type: Syslog}"));

pub(crate) fn hold(bytes: &[u8]) {
    let read = kit::read(&SYSLOG, bytes);
    for event in &read.events {
        let event: Value = serde_json::from_str(event).expect("what is delivered is JSON");
        if let (Some(facility), Some(severity)) = (event["facility"].as_u64(), event["severity"].as_u64()) {
            assert!(facility < 24 && severity < 8, "{facility} {severity}");
        }
    }
    let text = String::from_utf8_lossy(bytes);
    let value = text.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
    let line = format!("<165>1 2003-10-11T22:14:15.003Z host app 7 ID47 [a@1 k=\"{value}\"] m");
    let read = kit::outcome(&SYSLOG, |run| run.record(line.as_bytes()));
    let event: Value = serde_json::from_str(&read.events[0]).expect("what is delivered is JSON");
    assert_eq!(event["structured_data"]["a@1"]["k"], *text);
    assert_eq!((&event["severity"], &event["hostname"], &event["message"]), (&5.into(), &"host".into(), &"m".into()));
}
