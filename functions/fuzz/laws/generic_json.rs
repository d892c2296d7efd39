//! `GenericJson`: what another reader takes for an object is the same object here, and every number has the text that it came with.

use super::kit;
use etl::config::PipelineConfig;
use payload::{Arena, Kind};
use serde_json::Value;
use std::sync::LazyLock;

static PLAIN: LazyLock<PipelineConfig> = LazyLock::new(|| kit::reading("{type: GenericJson}"));
static NESTED: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading(
        "{type: GenericJson, root_node_override_path: $.r, nested_field_configs: [{field: m, prefix_field: p}]}",
    )
});

pub(crate) fn hold(bytes: &[u8]) {
    kit::read(&NESTED, bytes);
    let read = kit::read(&PLAIN, bytes);
    let mut arena = Arena::new();
    for event in &read.events {
        let event = arena.parse_slice(event.as_bytes()).expect("what is delivered is JSON");
        kit::each(event.root(), &mut |value| {
            if matches!(value.kind(), Kind::Integer | Kind::Float) {
                let number = value.to_text();
                let came = bytes.windows(number.len()).any(|window| window == number.as_bytes());
                assert!(came, "{number} came from nowhere");
            }
        });
    }
    if let Ok(theirs @ Value::Object(_)) = serde_json::from_slice(bytes) {
        let record = kit::outcome(&PLAIN, |run| run.record(bytes));
        let ours: Vec<Value> =
            record.events.iter().map(|event| serde_json::from_str(event).expect("what is delivered is JSON")).collect();
        assert_eq!(ours, [without_nulls(theirs)]);
    }
}

/// Members that are null are not written.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, v)| !v.is_null()).map(|(name, v)| (name, without_nulls(v))).collect()
        }
        Value::Array(elements) => elements.into_iter().map(without_nulls).collect(),
        leaf => leaf,
    }
}
