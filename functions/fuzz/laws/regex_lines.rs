//! The deserializer `Regex`: what it reads stands in the text.

use super::kit;
use etl::config::PipelineConfig;
use payload::{Arena, Kind};
use std::sync::LazyLock;

static LINEAR: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading(
        r#"{type: Regex, regex: '(\S+) (\S+)? ?"([^"]*)" (\d{3}|-)(?: (.*))?', fields: [{name: a}, {name: b}, {name: c}, {name: d, type: BOOLEAN}, {name: a}]}"#,
    )
});
static BACKTRACKING: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading(
        r"{type: Regex, regex: '(?<q>.)(?!\1)(?=.*=)([^=]*+)=(.*)\k<q>?$', fields: [{name: a}, {name: b}, {name: c}]}",
    )
});
static NUMBERS: LazyLock<PipelineConfig> = LazyLock::new(|| {
    kit::reading("{type: Regex, regex: '([^ ]*) ?(.*)', fields: [{name: a, type: NUMBER}, {name: b, type: BOOLEAN}]}")
});

pub(crate) fn hold(bytes: &[u8]) {
    kit::read(&NUMBERS, bytes);
    let text = String::from_utf8_lossy(bytes);
    for config in [&LINEAR, &BACKTRACKING] {
        let mut arena = Arena::new();
        for event in kit::read(config, bytes).events {
            let event = arena.parse_slice(event.as_bytes()).expect("what is delivered is JSON");
            kit::each(event.root(), &mut |value| {
                if value.kind() == Kind::String {
                    assert!(text.contains(&*value.to_text()), "a text came from nowhere");
                }
            });
        }
    }
}
