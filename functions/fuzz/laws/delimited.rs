//! `Delimited`: columns that another writer put into quotes are read as they were.

use super::kit;
use etl::config::PipelineConfig;
use serde_json::Value;
use std::sync::LazyLock;

static CSV: LazyLock<PipelineConfig> =
    LazyLock::new(|| kit::reading("{type: Delimited, fields: [{name: c0}, {name: c1}, {name: c2}]}"));
static TYPED: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading(
        r#"{type: Delimited, delimiter: "\t", quote: "", null_text: "-", fields: [{name: a, type: NUMBER}, {name: b, type: BOOLEAN}]}"#,
    )
});
static HEADER: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading(
        r#"{type: Delimited, delimiter: " ", header: FIRST_LINE, null_text: "-", fields: [{name: n, type: NUMBER}]}"#,
    )
});
static W3C: LazyLock<PipelineConfig> =
    LazyLock::new(|| kit::reading(r#"{type: Delimited, delimiter: "\t", quote: "'", header: W3C, null_text: "-"}"#));

pub(crate) fn hold(bytes: &[u8]) {
    for config in [&CSV, &TYPED, &HEADER, &W3C] {
        kit::read(config, bytes);
    }
    let text = String::from_utf8_lossy(bytes).replace(['\n', '\r'], " ");
    let columns: Vec<&str> = text.splitn(3, '|').collect();
    let quoted: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.replace('"', "\"\""))).collect();
    let line = quoted.join(",");
    let read = kit::outcome(&CSV, |run| run.record(line.as_bytes()));
    let event: Value = serde_json::from_str(&read.events[0]).expect("what is delivered is JSON");
    for (number, column) in columns.iter().enumerate() {
        assert_eq!(event[format!("c{number}")], **column);
    }
}
