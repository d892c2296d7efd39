//! Bender's own test fixtures: inputs and the outputs that its tests assert, through whole pipelines.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests, too, fail them and say what is skipped"
)]

use etl::{
    config::{OperationConfig, PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Pipeline},
    ports::{Call, Objects, Ports},
    registry::Registry,
    testing::World,
};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::{fs, io::Read as _, path::Path, sync::Arc};

/// A file of Bender's repository. None where the corpus is not there.
fn fixture(path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/bender");
    if !root.exists() {
        println!("skipped: the corpus is not there");
        return None;
    }
    Some(fs::read_to_string(root.join(path)).unwrap())
}

fn operations(path: &str) -> Option<String> {
    fixture(&format!("operations/src/test/resources/com/nextdoor/bender/{path}"))
}

/// The deserializer `GenericJson` with these settings, these operations, and a wrapper.
fn config(deserializer: &str, operations: &str, wrapper: &str) -> PipelineConfig {
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources: [{{name: a, deserializer: {{type: GenericJson{deserializer}}}, operations: [{operations}]}}]
wrapper: {{type: {wrapper}}}
serializer: {{type: Json}}
transport: {{type: Stdout}}
"
    );
    PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]))
        .unwrap_or_else(|report| panic!("{report}"))
}

/// The events that come of one record.
fn events(config: &PipelineConfig, record: &str) -> Vec<Value> {
    let world = World::new();
    let mut pipeline = Pipeline::new(config, Environment::default(), world.ports()).unwrap();
    let mut run = pipeline.begin(&Context::default());
    run.record(record.as_bytes());
    run.finish();
    let bodies = world.calls.made().into_iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    bodies
        .flat_map(|body| body.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>())
        .collect()
}

/// Without members that are null, as the serializer leaves them out.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k, without_nulls(v))).collect()
        }
        other => other,
    }
}

#[test]
fn operations_make_of_benders_inputs_what_its_tests_expect() {
    for (operation, input, output) in [
        (
            "type: JsonKeyNameOperation",
            "operations/json/key/basic_input.json",
            "operations/json/key/basic_output_key_name.json",
        ),
        ("type: FlattenOperation", "operations/json/key/flatten_input.json", "operations/json/key/flatten_output.json"),
        (
            "type: JsonDropArraysOperation",
            "operations/json/value/basic_input.json",
            "operations/json/value/basic_output_drop_arrays.json",
        ),
    ] {
        let (Some(input), Some(output)) = (operations(input), operations(output)) else { return };
        let ours = events(&config("", &format!("{{{operation}}}"), "PassthroughWrapper"), &input);
        assert_eq!(ours, [without_nulls(serde_json::from_str(&output).unwrap())], "{operation}");
    }
}

#[test]
fn a_node_can_become_the_root_and_what_is_no_object_cannot() {
    let Some(input) = operations("operations/json/key/basic_input.json") else { return };
    for (path, expected) in [("$.i.ia", vec![json!({"iaa": "bar"})]), ("$.h.ha", vec![]), ("$.z", vec![])] {
        let operation = format!("{{type: JsonRootNodeOperation, root_path: {path}}}");
        assert_eq!(events(&config("", &operation, "PassthroughWrapper"), &input), expected, "{path}");
    }
}

#[test]
fn elements_of_an_array_have_benders_hashes() {
    let Some(input) = operations("operation/json/array/array_input.json") else { return };
    let events = events(&config("", "{type: JsonArraySplitOperation, path: $.arr}", "BasicWrapper"), &input);
    let hashes = ["6a00541bfa24fd59884de557be71f3a5a1344613", "5cbc013a", "6c3023db"];
    for ((event, hash), foo) in events.iter().zip(hashes).zip(1..) {
        assert!(event["sha1_hash"].as_str().unwrap().starts_with(hash), "{event}");
        assert_eq!(event["payload"], json!({ "foo": foo }));
    }
    assert_eq!(events.len(), 3);
}

#[test]
fn log_events_of_cloudwatch_keep_their_group_and_stream() {
    let Some(input) = operations("operation/json/array/array_input_kinesis_format.json") else { return };
    let split = "{type: JsonArraySplitOperation, path: $.logEvents, fields_to_keep: [owner, logGroup, logStream]}";
    let events = events(&config("", split, "PassthroughWrapper"), &input);
    assert_eq!(
        events[0],
        json!({
            "id": "id1", "timestamp": 1_585_259_524_965_i64, "message": "START RequestId:",
            "owner": "1234EXAMPLE", "logGroup": "sampleLogGroupName", "logStream": "sampleLogStreamName",
        })
    );
    assert_eq!(
        events.iter().map(|event| event["id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["id1", "id2", "id3", "id4"]
    );
}

#[test]
fn a_filter_looks_at_the_field_of_its_path() {
    let Some(input) = operations("operation/filter/filter_input.json") else { return };
    for (regex, exclude, passes) in [("val", true, 0), ("val", false, 1), ("nope", true, 1), ("va", true, 1)] {
        let filter =
            format!("{{type: RegexFilterOperation, regex: {regex}, path: $.simple_object.key, exclude: {exclude}}}");
        assert_eq!(events(&config("", &filter, "PassthroughWrapper"), &input).len(), passes, "{regex} {exclude}");
    }
}

#[test]
fn nested_json_is_read_as_benders_tests_expect() {
    let read = |name: &str, settings: &str| {
        let input =
            fixture(&format!("deserializers/src/test/resources/com/nextdoor/bender/deserializer/json/{name}.json"))?;
        Some(events(&config(settings, "", "PassthroughWrapper"), &input))
    };
    let nested = ", nested_field_configs: [{field: MESSAGE, prefix_field: PREFIX}]";
    let Some(basic) = read("basic", "") else { return };
    assert_eq!(basic, [json!({"a_string": "foo", "a_bool": true, "a_number": 1, "an_obj": {"foo": "bar"}})]);
    let message = json!({"a_string": "foo", "an_obj": {"a_num": 123}});
    for (name, expected) in [
        ("nested", json!({"MESSAGE": message, "PREFIX": ""})),
        ("nested_prefix", json!({"MESSAGE": message, "PREFIX": "this is a prefix "})),
        ("nested_offset", json!({"MESSAGE": {"a_string": "foo"}, "PREFIX": "prefix of some sort "})),
        ("nested_brace", json!({"MESSAGE": "{"})),
        ("nested_invalid", json!({"MESSAGE": "{\"a_string: \"foo\"}}", "a_num": 123})),
    ] {
        assert_eq!(read(name, nested).unwrap(), [expected], "{name}");
    }
    for name in ["invalid", "malformed"] {
        assert!(read(name, nested).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn times_of_records_are_read_as_benders_tests_expect() {
    for (name, expected) in [
        ("timeseries", vec![1_478_714_988_998_i64]),
        ("timeseries_sec", vec![1_478_714_988_998]),
        ("timeseries_invalid", vec![]),
    ] {
        let path = format!("deserializers/src/test/resources/com/nextdoor/bender/deserializer/json/{name}.json");
        let Some(input) = fixture(&path) else { return };
        let time = "{type: TimeOperation, time_field: $.EPOCH, time_field_type: SECONDS}";
        let times = events(&config("", time, "BasicWrapper"), &input);
        assert_eq!(
            times.iter().map(|event| event["timestamp"].as_i64().unwrap()).collect::<Vec<_>>(),
            expected,
            "{name}"
        );
    }
}

/// `JsonKeyNameOperation` fails an event rather than lose a value: no record of real CloudTrail files has names that collide.
#[test]
fn no_record_of_real_cloudtrail_files_has_names_that_collide() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/cloudtrail");
    if !root.exists() {
        return println!("skipped: the corpus is not there");
    }
    let operations = "{type: JsonArraySplitOperation, path: $.Records}, {type: JsonKeyNameOperation}";
    let config = config("", operations, "PassthroughWrapper");
    let mut pipeline = Pipeline::new(&config, Environment::default(), World::new().ports()).unwrap();
    let mut folders = vec![root];
    let mut delivered = 0;
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "gz") {
                let mut text = String::new();
                MultiGzDecoder::new(fs::File::open(&path).unwrap()).read_to_string(&mut text).unwrap();
                if text.starts_with('[') {
                    text = format!(r#"{{"Records":{text}}}"#);
                }
                let mut run = pipeline.begin(&Context::default());
                run.record(text.as_bytes());
                let ledger = run.finish().ledger;
                assert_eq!(ledger.failed, [], "{}", path.display());
                delivered += ledger.delivered;
            }
        }
    }
    assert!(delivered > 1400, "{delivered}");
}

/// What a variable of an example holds, by the end of its name.
#[expect(clippy::unnecessary_wraps, reason = "an environment may lack a variable")]
fn held(name: &str) -> Option<String> {
    let value = match name.rsplit('_').next() {
        Some("ARN") => "arn:aws:sns:eu-west-1:123456789012:events",
        Some("URL") => "https://sqs.eu-west-1.amazonaws.com/123456789012/events",
        _ => "what-a-variable-holds",
    };
    Some(value.to_owned())
}

/// Every component, made from its own example and put into a pipeline.
#[test]
fn every_example_can_be_built_and_accounts_for_an_event() {
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/geoip/GeoIP2-City-Test.mmdb");
    let database = fs::read(database).ok();
    let world = World::new();
    if let Some(database) = &database {
        world.objects.put("my-bucket", "GeoLite2-City.mmdb", Ok(database.clone()));
    }
    let registry = Registry::default();
    let mut built = 0;
    for (_, key, room) in registry.rooms() {
        for declared in room.rows() {
            if declared.name == "GeoIpOperation" && database.is_none() {
                println!("skipped: {}, as the corpus is not there", declared.name);
                continue;
            }
            let text = around(key, declared.example);
            let read = PipelineConfig::read(&registry, "example.yaml", &text, Variables::From(&held));
            let config = read.unwrap_or_else(|report| panic!("{report}"));
            let ports = Ports { objects: Arc::clone(&world.objects) as Arc<dyn Objects>, ..world.ports() };
            let mut pipeline = Pipeline::new(&config, Environment::default(), ports)
                .unwrap_or_else(|error| panic!("{}: {error}", declared.name));
            let mut run = pipeline.begin(&Context::default());
            let text = br#"{"timestamp":1700000000,"message":"a=b","level":"info"}"#;
            if config.handler.reads_objects() {
                run.object("o", &text[..]);
            } else {
                run.record(text);
            }
            let ledger = run.finish().ledger;
            assert!(ledger.balances() && ledger.received == 1, "{}: {ledger:?}", declared.name);
            let operations: &[OperationConfig] = config.operations_of(&config.sources[0]);
            assert_eq!(operations.len(), usize::from(matches!(key, "operation" | "substitution")));
            built += 1;
        }
    }
    assert!(built >= 30, "{built} examples");
}

/// A config that has an example in the place of its room.
fn around(key: &str, example: &str) -> String {
    if key == "substitution" {
        let body = example.trim_end().replace('\n', "\n  ");
        return around("operation", &format!("type: SubstitutionOperation\nsubstitutions:\n- {body}\n"));
    }
    let mut text = "version: 1\nsources:\n- name: a\n".to_owned();
    for (part, default) in [
        ("handler", "type: KinesisHandler"),
        ("deserializer", "type: GenericJson"),
        ("wrapper", "type: PassthroughWrapper"),
        ("serializer", "type: Json"),
        ("transport", "type: DevNull"),
    ] {
        // Some go together with certain others only.
        let default = match part {
            "handler" if example.contains("S3Wrapper") => "type: S3Handler",
            "handler" if example.contains("FirehoseTransform") => "type: FirehoseTransformHandler",
            "transport" if example.contains("FirehoseTransform") => "type: FirehoseTransform",
            _ => default,
        };
        let body = if part == key { example } else { default };
        text.extend([part, ":\n  ", &body.trim_end().replace('\n', "\n  "), "\n"]);
    }
    if let "operation" | "reporter" = key {
        text.extend([key, "s:\n- ", &example.trim_end().replace('\n', "\n  "), "\n"]);
    }
    text
}
