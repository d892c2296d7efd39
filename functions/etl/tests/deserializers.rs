//! What holds of every deserializer, whatever the text; and syslog as an independent reader reads it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail them, and say what is skipped")]

use base64_simd::STANDARD;
use etl::{
    component::Rows as _,
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Ledger, Pipeline},
    ports::Call,
    registry::Registry,
    testing::World,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{fs, path::Path, sync::OnceLock};

/// A pipeline with a deserializer, given as YAML or JSON.
fn config(deserializer: &str) -> PipelineConfig {
    let deserializer = deserializer.trim_end().replace('\n', "\n    ");
    let text = format!(
        "version: 1
handler: {{type: S3Handler}}
sources:
- name: a
  deserializer:
    {deserializer}
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {{type: Stdout}}
"
    );
    PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]))
        .unwrap_or_else(|report| panic!("{report}"))
}

/// What comes of the lines of an object, and of a record.
fn read(config: &PipelineConfig, object: &[u8], record: &[u8]) -> (Vec<u8>, Ledger) {
    let world = World::new();
    let mut pipeline = Pipeline::new(config, Environment::default(), world.ports()).unwrap();
    let mut run = pipeline.begin(&Context::default());
    run.object("a.log", object);
    run.record(record);
    let ledger = run.finish().ledger;
    let bodies = world.calls.made().into_iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(body.to_vec()),
        _ => None,
    });
    (bodies.collect::<Vec<_>>().concat(), ledger)
}

/// Each deserializer as its example has it.
fn examples() -> &'static [(&'static str, PipelineConfig)] {
    static EXAMPLES: OnceLock<Vec<(&str, PipelineConfig)>> = OnceLock::new();
    EXAMPLES.get_or_init(|| {
        let registry = Registry::default();
        let mut all = vec![];
        for declared in registry.deserializers.rows() {
            all.push((declared.name, config(declared.example)));
        }
        all
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "<34>",
        "<165>1 ",
        "2003-10-11T22:14:15.003Z ",
        "Oct 11 22:14:15 ",
        "- ",
        "[id a=\"",
        "\"]",
        "]",
        "tag[1]: ",
        "key=",
        "key=\"",
        "\\\"",
        "\\u00e9",
        "\\ud83d",
        "\\x",
        "\"",
        "{\"MESSAGE\": \"a {b: 1}\"}",
        "#Fields: a b",
        "a b c",
        " ",
        "\n",
        "\r",
        "\t",
        ",",
        "1.50",
        "0x1F",
        "é",
        "\u{feff}",
        "GET \"x\" 200 -",
    ];
    let word = prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => "\\PC{0,6}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every line is an event, dropped or failed; what is an event is an object; and the same text gives the same again.
    #[test]
    fn whatever_the_text_is_it_is_read_or_refused(object in text(), record in text()) {
        for (name, config) in examples() {
            let (events, ledger) = read(config, &object, &record);
            prop_assert!(ledger.balances(), "{name}: {ledger:?}");
            for line in events.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let event: Value = serde_json::from_slice(line).unwrap();
                prop_assert!(event.is_object(), "{name}");
            }
            prop_assert_eq!(&read(config, &object, &record), &(events, ledger), "{}", name);
        }
    }
}

#[test]
fn a_byte_that_is_no_text_is_replaced() {
    for (deserializer, line, expected) in [
        (json!({"type": "Text"}), &b"a\xffb"[..], json!({"message": "a\u{fffd}b"})),
        (json!({"type": "Logfmt"}), b"k=\xff", json!({"k": "\u{fffd}"})),
        (json!({"type": "Delimited", "fields": [{"name": "a"}]}), b"\xff,", json!({"a": "\u{fffd}"})),
        (json!({"type": "Regex", "regex": "(.*)", "fields": [{"name": "a"}]}), b"\xff", json!({"a": "\u{fffd}"})),
    ] {
        let (events, ledger) = read(&config(&deserializer.to_string()), line, b"{");
        let first = events.split(|byte| *byte == b'\n').next().unwrap();
        assert_eq!(serde_json::from_slice::<Value>(first).unwrap(), expected, "{ledger:?}");
    }
}

/// What the other reader refuses and ours does not: longer names than the RFC has; an element that is repeated; backslashes that escape
/// nothing, which the RFC says are backslashes.
const TAKEN: [&str; 3] = ["to max", "duplicate structured data element id", "to be escaped within param"];

#[test]
fn syslog_is_read_as_others_read_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/syslog/go-syslog.jsonl");
    let Ok(text) = fs::read_to_string(path) else { return println!("skipped: the corpus is not there") };
    let config = config("type: Syslog");
    let (mut valid, mut refused) = (0, 0);
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let message = STANDARD.decode_to_vec(case["input_b64"].as_str().unwrap()).unwrap();
        let (events, ledger) = read(&config, b"", &message);
        let what = &case["input_lossy"];
        if case["valid"] == false {
            let error = case["reference_error"].as_str().unwrap();
            if !TAKEN.iter().any(|taken| error.contains(taken)) {
                assert_eq!(ledger.all_failed(), 1, "{what}: {}", String::from_utf8_lossy(&events));
                refused += 1;
            }
            continue;
        }
        assert_eq!(ledger.delivered, 1, "{what}: {ledger:?}");
        let ours: Value = serde_json::from_slice(&events).unwrap();
        let theirs = &case["value"];
        for (our_name, name) in [
            ("facility", "facility"),
            ("severity", "severity"),
            ("hostname", "hostname"),
            ("app_name", "appname"),
            ("proc_id", "procid"),
            ("msg_id", "msgid"),
            ("version", "version"),
            ("structured_data", "structured_data"),
        ] {
            assert_eq!(
                ours.get(our_name).unwrap_or(&Value::Null),
                theirs.get(name).unwrap_or(&Value::Null),
                "{our_name} of {what}"
            );
        }
        let message = theirs["message"].as_str().unwrap_or_default();
        assert_eq!(
            ours["message"].as_str().unwrap_or_default(),
            message.strip_prefix('\u{feff}').unwrap_or(message),
            "{what}"
        );
        assert_eq!(ours["timestamp"].is_null(), theirs["timestamp"].is_null(), "{what}");
        valid += 1;
    }
    assert!(valid >= 216 && refused >= 30, "{valid} {refused}");
}
