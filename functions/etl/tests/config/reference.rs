//! What is written from the declarations: the schema and the reference pages; and that every example is right.

use crate::kit::{KV, RELAY, mistakes, registry};
use etl::{
    config::{PipelineConfig, Variables},
    reference::{pages, schema, schema_of_configs, section},
    registry::Registry,
};
use serde_json::{Value, json};
use std::{fs, path::Path};

#[test]
#[expect(clippy::disallowed_methods, reason = "the one who runs the test says whether to compare or to write")]
fn the_committed_reference_is_what_the_declarations_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reference");
    let ours = Registry::default();
    let files: Vec<_> = pages(&ours).into_iter().chain([schema(&ours)]).collect();
    if std::env::var("UPDATE_REFERENCE").is_ok() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in &files {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let mut stale: Vec<String> = files
        .iter()
        .filter(|(name, text)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name.clone())
        .collect();
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if files.iter().all(|(file, _)| *file != name) {
            stale.push(format!("{name}, which nothing writes"));
        }
    }
    assert!(
        stale.is_empty(),
        "functions/reference is stale: {}; write it with `cargo run docs` and `cargo run schema`, or with \
         `UPDATE_REFERENCE=1 cargo test -p etl --test config`",
        stale.join(", ")
    );
}

#[test]
fn the_reference_says_of_a_setting_what_its_declaration_does() {
    let page = pages(&registry()).into_iter().find(|(name, _)| name == "transports.md").unwrap().1;
    for line in [
        "Also called `RelayTransport`.",
        "| `stream_name` | a text like `^[a-zA-Z0-9_.-]+$`, or a variable that a stack binds | required | The stream's name. |",
        "| `port` | a whole number, at least 1, at most 65535, or a variable that a stack binds | `9200` | The port. |",
        "| `packing` | `BATCH`, `SIMPLE` | `\"BATCH\"` | How events are packed. |",
        "| `verbose` | true or false | `true` | Whether to say so. Also called `chatty`. |",
        "| `threads` | a whole number, at least 1, at most 100 | `5` | Calls at the same time. |",
        "| `retry_delay` | a number, more than 0, at most 60 | `1.0` | Seconds before the first retry. |",
        "| `region` | a region |  | The region. |",
        "| `auth` | `UserPassAuth`, `UrlSigningAuth` |  | How to sign in. |",
        "| `auth (UserPassAuth).username` | a text | required | The name. |",
        "- `firehose:PutRecordBatch` on the delivery stream `<STREAM>`",
    ] {
        assert!(page.contains(&format!("{line}\n")), "{line}\n---\n{page}");
    }
}

/// A config in flow style that has the example in the place of its room.
fn around(key: &str, example: &str) -> String {
    if key == "substitution" {
        let body = example.trim_end().replace('\n', "\n  ");
        return around("operation", &format!("type: SubstitutionOperation\nsubstitutions:\n- {body}\n"));
    }
    // Some go together with certain others only.
    let transform = example.contains("FirehoseTransform");
    let handler = match example {
        _ if transform => "type: FirehoseTransformHandler",
        _ if example.contains("S3Wrapper") => "type: S3Handler",
        _ => "type: KinesisHandler",
    };
    let parts = [
        ("handler", handler),
        ("deserializer", "type: GenericJson"),
        ("operation", KV),
        ("wrapper", "type: PassthroughWrapper"),
        ("serializer", "type: Json"),
        ("transport", if transform { "type: FirehoseTransform" } else { RELAY }),
        ("reporter", ""),
    ];
    let mut text = String::from("version: 1\nsources: [{name: a}]\n");
    for (part, default) in parts {
        let body = if part == key {
            format!("\n    {}", example.trim_end().replace('\n', "\n    "))
        } else {
            format!(" {{{default}}}")
        };
        match part {
            "reporter" if part != key => {}
            "operation" | "reporter" => text.extend([part, "s:\n  -", &body, "\n"]),
            _ => text.extend([part, ":", &body, "\n"]),
        }
    }
    text
}

/// The names of the variables in a text.
fn names(text: &str) -> Vec<&str> {
    text.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(name, _)| name).collect()
}

#[test]
fn every_example_reads_and_what_is_written_of_it_reads_as_the_same() {
    let registry = registry();
    let mut count = 0;
    for (_, key, room) in registry.rooms() {
        for declared in room.rows() {
            let text = around(key, declared.example);
            let bound = names(declared.example);
            let read = |file: &str, text: &str| {
                PipelineConfig::read(&registry, file, text, Variables::Bound(&bound))
                    .unwrap_or_else(|report| panic!("{}\n{report}\n{text}", declared.name))
            };
            let config = read("example.yaml", &text);
            let json = config.to_json();
            let again = read("example.json", &json);
            assert_eq!((&again, again.to_json()), (&config, json), "{}", declared.name);
            count += 1;
        }
    }
    assert!(count > 10, "only {count} examples");
}

#[test]
fn every_component_and_setting_has_words() {
    for (_, key, room) in Registry::default().rooms() {
        for declared in room.rows() {
            let schema = declared.schema();
            assert!(schema["description"].is_string(), "{key} {} has no doc comment", declared.name);
            for (setting, about) in schema["properties"].as_object().into_iter().flatten() {
                assert!(about["description"].is_string(), "{}.{setting} has no doc comment", declared.name);
            }
            assert_eq!(schema["additionalProperties"], false, "{} takes unknown settings", declared.name);
        }
    }
}

#[test]
fn the_published_schema_agrees_with_the_reader() {
    let schema = schema_of_configs(&registry());
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let kv = || json!({"type": "JsonReplaceKVOperation", "key": "a", "value": "b"});
    let relay = |more: Value| {
        let mut relay = json!({"type": "Relay", "stream_name": "s"});
        relay.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        relay
    };
    let config = |operation: Value, transport: Value| {
        json!({
            "handler": {"type": "KinesisHandler"}, "wrapper": {"type": "KinesisWrapper"}, "serializer": {"type": "Json"},
            "sources": [{"name": "a", "deserializer": {"type": "GenericJson"}, "operations": [operation]}],
            "transport": transport,
        })
    };
    for good in [
        config(json!({"type": "MaskOperation", "field": "f"}), relay(json!({}))),
        config(kv(), relay(json!({"type": "RelayTransport", "port": "<PORT>", "verbose": "<YES>"}))),
        config(
            json!({"type": "AllOperation", "operations": [kv()]}),
            relay(json!({"packing": "SIMPLE", "chatty": true})),
        ),
        config(kv(), relay(json!({"auth": {"type": "UrlSigningAuth", "region": "US_EAST_1"}, "retry_delay": 0.5}))),
    ] {
        let errors: Vec<String> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
        assert_eq!((errors, mistakes(&good.to_string())), (vec![], vec![]), "{good}");
    }
    for bad in [
        config(json!({"type": "Mask", "field": "f"}), relay(json!({}))),
        config(json!({"type": "MaskOperation", "fild": "f"}), relay(json!({}))),
        config(json!({"type": "MaskOperation", "field": ""}), relay(json!({}))),
        config(json!({"type": "AllOperation", "operations": [{"type": "Nope"}]}), relay(json!({}))),
        config(kv(), json!({"type": "Relay"})),
        config(kv(), relay(json!({"threads": 101}))),
        config(kv(), relay(json!({"verbose": "sure"}))),
        config(kv(), relay(json!({"packing": "BACH"}))),
        config(kv(), relay(json!({"stream_name": "a b"}))),
        config(kv(), relay(json!({"auth": {"type": "UserPassAuth", "username": "u"}}))),
        json!({"handler": {"type": "KinesisHandler"}}),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
        assert_ne!(mistakes(&bad.to_string()), Vec::<String>::new(), "{bad}");
    }
}

#[test]
fn every_handler_and_transport_says_what_delivery_means() {
    let registry = Registry::default();
    for declared in registry
        .rooms()
        .iter()
        .filter(|(room, ..)| matches!(*room, "handlers" | "transports"))
        .flat_map(|(_, _, room)| room.rows())
    {
        let about = declared.schema()["description"].as_str().unwrap();
        let delivery = section(about, "Delivery").unwrap_or_default();
        assert!(delivery.len() > 40, "{} says nothing under `# Delivery`", declared.name);
    }
}

#[test]
fn what_is_mended_is_told_with_what_bender_does() {
    let mut told = 0;
    for (_, _, room) in Registry::default().rooms() {
        for declared in room.rows() {
            let about = declared.schema()["description"].as_str().unwrap();
            let Some(mended) = section(about, "Unlike Bender") else { continue };
            for item in mended.split("\n- ") {
                told += 1;
                let (ours, benders) = item.trim_start_matches("- ").rsplit_once(" (").expect(item);
                assert!(mended.starts_with("- ") && ours.ends_with('.'), "{}: {item}", declared.name);
                assert!(benders.ends_with(".)"), "{}: {item}", declared.name);
            }
        }
    }
    assert!(told > 60, "{told}");
}

#[test]
fn a_heading_is_a_word_where_an_editor_shows_plain_text() {
    let schema = schema_of_configs(&Registry::default());
    let about = schema["$defs"]["transport.Firehose"]["description"].as_str().unwrap();
    assert!(about.contains("\n\nDelivery: Each record's own answer counts"), "{about}");
    assert!(about.contains("\n\nUnlike Bender:\n\n- "), "{about}");
    assert!(!schema.to_string().contains("# Delivery") && !schema.to_string().contains("# Unlike"));
}

#[test]
fn only_a_filter_can_be_a_condition_to_an_editor_and_to_the_reader() {
    let schema = schema_of_configs(&registry());
    let names: Vec<&str> =
        schema["$defs"]["filter"]["oneOf"].as_array().unwrap().iter().map(|r| r["$ref"].as_str().unwrap()).collect();
    let filters = ["BasicFilterOperation", "RegexFilterOperation", "SampleOperation"];
    assert_eq!(names, filters.map(|name| format!("#/$defs/operation.{name}")));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let config = |condition: Value| {
        json!({
            "handler": {"type": "KinesisHandler"}, "wrapper": {"type": "KinesisWrapper"}, "serializer": {"type": "Json"},
            "sources": [{"name": "a", "deserializer": {"type": "GenericJson"}, "operations": [
                {"type": "ConditionalOperation", "conditions": [{"condition": condition, "operations": [{"type": "FlattenOperation"}]}]},
            ]}],
            "transports": [{"name": "t", "when": condition, "transport": {"type": "Stdout"}}],
        })
    };
    let good = config(json!({"type": "RegexFilterOperation", "regex": "a", "path": "$.a"}));
    assert!(validator.is_valid(&good) && mistakes(&good.to_string()).is_empty());
    let bad = config(json!({"type": "FlattenOperation"}));
    assert!(!validator.is_valid(&bad));
    assert_eq!(mistakes(&bad.to_string()).iter().filter(|mistake| mistake.contains("ETL027")).count(), 2);
}
