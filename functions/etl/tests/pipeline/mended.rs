//! Defects of Bender's that lose, hang or distort, through whole pipelines: what happens instead. `tests/config/defects.rs` counts them.

use crate::parts::{goes_on_at, kinesis, pipeline, s3};
use etl::{
    codes,
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::Invoked,
    ports::{Answer, Call, Secret},
    registry::Registry,
    testing::{Reply, World},
};
use serde_json::{Value, json};

fn read(handler: &str, source: &str, wrapper: &str, transport: &str) -> PipelineConfig {
    let text = format!(
        "version: 1\nhandler: {{type: {handler}}}\nsources: [{{name: a, {source}}}]\nwrapper: {{type: {wrapper}}}\n\
         serializer: {{type: Json}}\ntransport: {{{transport}}}\n"
    );
    PipelineConfig::read(&Registry::default(), "c.yaml", &text, Variables::Bound(&[])).unwrap_or_else(|r| panic!("{r}"))
}

/// `GenericJson` and these operations, from Kinesis to standard output.
fn operations(operations: &str, wrapper: &str) -> PipelineConfig {
    read(
        "KinesisHandler",
        &format!("deserializer: {{type: GenericJson}}, operations: [{operations}]"),
        wrapper,
        "type: Stdout",
    )
}

fn written(world: &World) -> Vec<Value> {
    let texts = world.calls.made().into_iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    texts.flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()).collect()
}

fn invoke(config: &PipelineConfig, invocation: &[u8]) -> (Invoked, Vec<Value>) {
    let world = World::new();
    let invoked = pipeline(&world, config).invoke(invocation, &Context::default());
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    (invoked, written(&world))
}

#[test]
fn what_ends_an_invocation_of_benders_concerns_one_event_alone() {
    let json = |settings: &str| format!("deserializer: {{type: GenericJson{settings}}}");
    let step = |operation: &str| format!("{}, operations: [{{{operation}}}]", json(""));
    let nested = json(", nested_field_configs: [{field: a}]");
    let root = json(", root_node_override_path: $.a");
    let number = "deserializer: {type: Regex, regex: '\\{\"a\":(.*)\\}', fields: [{name: a, type: NUMBER}]}".to_owned();
    let set = |key: &str| {
        step(&format!(
            "type: SubstitutionOperation, substitutions: [{{type: StaticSubstitution, key: {key}, value: x}}]"
        ))
    };
    let time = |kind: &str| step(&format!("type: TimeOperation, time_field: $.a, time_field_type: {kind}"));
    let partition = step(
        "type: PartitionOperation, partition_specs: [{name: p, sources: [$.a], interpreter: SECONDS, format: yyyy}]",
    );
    let geo = step("type: GeoIpOperation, src_field_name: $.a, geo_lite_db: 's3://b/k', geo_properties: [CITY_NAME]");
    // A source, what spoils it, whether that event fails (or passes as it is), and what does not.
    for (source, bad, fails, good) in [
        (&nested, r#"{"a":{"b":1}}"#, false, r#"{"a":"{}"}"#),
        (&nested, r#"{"a":null}"#, false, r#"{"a":"{}"}"#),
        (&nested, r#"{"a":[1,2]}"#, false, r#"{"a":"{}"}"#),
        (&root, r#"{"a":[1]}"#, true, r#"{"a":{}}"#),
        (&root, r#"{"a":"text"}"#, true, r#"{"a":{}}"#),
        (&number, r#"{"a":-}"#, true, r#"{"a":1}"#),
        (&number, r#"{"a":}"#, true, r#"{"a":1}"#),
        (&time("SECONDS"), r#"{"a":"noon"}"#, true, r#"{"a":1700000000}"#),
        (&time("ISO8601"), r#"{"a":"noon"}"#, true, r#"{"a":"2026-11-23T10:30:05Z"}"#),
        (&partition, r#"{"a":5}"#, true, r#"{"a":1700000000}"#),
        (&set("$.a.b"), r#"{"a":1}"#, true, r#"{"a":{}}"#),
        (&step("type: DeleteFieldOperation, key_field: $.a.b"), r#"{"a":1}"#, true, r#"{"a":{"b":1}}"#),
        (&geo, r#"{"a":","}"#, false, r#"{"b":1}"#),
    ] {
        let config = read("KinesisHandler", source, "PassthroughWrapper", "type: Stdout");
        let (invoked, out) = invoke(&config, &kinesis(&[good, bad, good, good]));
        assert_eq!((out.len(), invoked.ledger.all_failed()), if fails { (3, 1) } else { (4, 0) }, "{source}: {bad}");
        assert_eq!(goes_on_at(&invoked), None, "{source}: {bad}");
    }
}

#[test]
fn what_no_event_could_pass_is_a_mistake_of_the_config() {
    for substitution in [
        "type: FormattedSubstitution, key: k, format: '{0,number}', variables: [{type: StaticVariable, value: x}]",
        "type: RegexSubstitution, pattern: 'a', src_fields: [$.a], fields: [{regex_group_name: no, type: STRING, key: k}]",
    ] {
        let text = format!(
            "handler: {{type: KinesisHandler}}\nsources:\n- name: a\n  deserializer: {{type: GenericJson}}\n  operations:\n  - type: SubstitutionOperation\n    \
             substitutions: [{{{substitution}}}]\nwrapper: {{type: BasicWrapper}}\nserializer: {{type: Json}}\ntransport: {{type: Stdout}}\n"
        );
        let report = PipelineConfig::read(&Registry::default(), "c.yaml", &text, Variables::Bound(&[])).unwrap_err();
        assert_eq!(report.problems.len(), 1, "{report}");
        assert!(report.position(&report.problems[0]).is_some_and(|(line, _)| line == 7), "{report}");
        assert_ne!(report.problems[0].code, codes::SYNTAX);
    }
}

#[test]
fn nothing_waits_for_what_will_never_come() {
    let world = World::new();
    world.objects.put("b", "empty", Ok(vec![]));
    world.objects.put("b", "broken.gz", Ok(b"\x1f\x8bno".to_vec()));
    world.objects.put("b", "fine", Ok(b"{\"a\":1}\n".to_vec()));
    let config = read("S3Handler", "deserializer: {type: GenericJson}", "S3Wrapper", "type: Stdout");
    let invoked = pipeline(&world, &config).invoke(&s3(&["gone", "empty", "broken.gz", "fine"]), &Context::default());
    assert!(invoked.answer.is_ok() && invoked.ledger.balances(), "{:?}", invoked.ledger);
    assert_eq!((written(&world).len(), invoked.ledger.all_failed()), (1, 2), "{:?}", invoked.ledger);

    let packed =
        read("KinesisHandler, decompress: true", "deserializer: {type: GenericJson}", "KinesisWrapper", "type: Stdout");
    let (invoked, out) = invoke(&packed, &kinesis(&["{}", "no gzip"]));
    assert_eq!((out.len(), invoked.ledger.all_failed()), (0, 2));

    let never = "type: RegexFilterOperation, path: $.a, regex: '.*', exclude: false";
    for empty in [
        "{type: ForkOperation}".to_owned(),
        "{type: ForkOperation, forks: [{operations: []}]}".to_owned(),
        "{type: ConditionalOperation}".to_owned(),
        format!("{{type: ConditionalOperation, conditions: [{{condition: {{{never}}}}}]}}"),
        // One event in a fork or behind a condition fails, and the others do not wait for it.
        "{type: ForkOperation, forks: [{operations: [{type: DeleteFieldOperation, key_field: $.b.c}]}]}".to_owned(),
    ] {
        let records = [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#];
        assert_eq!(invoke(&operations(&empty, "PassthroughWrapper"), &kinesis(&records)).1.len(), 3, "{empty}");
    }
}

#[test]
fn the_events_of_a_split_or_a_fork_know_their_record() {
    for operation in [
        "{type: JsonArraySplitOperation, path: $.list}",
        "{type: ForkOperation, forks: [{operations: []}, {operations: []}]}",
    ] {
        let (_, out) = invoke(&operations(operation, "KinesisWrapper"), &kinesis(&[r#"{"list":[{"n":1},{"n":2}]}"#]));
        let known: Vec<_> = out.iter().map(|event| (&event["sequence_number"], &event["partition_key"])).collect();
        assert_eq!(known, [(&json!("0"), &json!("k")); 2], "{operation}");
    }
}

#[test]
fn each_event_of_a_split_has_its_own_copy_of_what_is_kept() {
    let split = "{type: JsonArraySplitOperation, path: $.list, fields_to_keep: [m]}, {type: JsonKeyNameOperation}";
    let (_, out) =
        invoke(&operations(split, "PassthroughWrapper"), &kinesis(&[r#"{"m":{"id":"x"},"list":[{"n":1},{"n":2}]}"#]));
    assert_eq!(out, [json!({"n__long": 1, "m": {"id__str": "x"}}), json!({"n__long": 2, "m": {"id__str": "x"}})]);
}

#[test]
fn a_partition_without_a_value_goes_through_a_split() {
    let split = "{type: PartitionOperation, partition_specs: [{name: p, sources: [$.no], interpreter: SECONDS, format: yyyy}]}, \
                 {type: JsonArraySplitOperation, path: $.list}";
    let (invoked, out) = invoke(&operations(split, "PassthroughWrapper"), &kinesis(&[r#"{"list":[{"n":1},{"n":2}]}"#]));
    assert_eq!((out.len(), invoked.ledger.all_failed()), (2, 0));
}

#[test]
fn an_invocation_that_failed_leaves_nothing_for_the_next_one() {
    let config = read(
        "KinesisHandler",
        "deserializer: {type: GenericJson}",
        "PassthroughWrapper",
        "type: Firehose, stream_name: s",
    );
    let world = World::new();
    let denied = Answer::Refused { code: "AccessDeniedException".to_owned(), status: Some(400) };
    world.calls.answer(move |_| Reply::Now(denied.clone()));
    let mut pipeline = pipeline(&world, &config);
    let first = pipeline.invoke(&kinesis(&[r#"{"of":"the first"}"#]), &Context::default());
    assert_eq!((goes_on_at(&first), first.ledger.delivered), (Some(0), 0));
    world.calls.answer(|call| Reply::Now(etl::testing::RecordedCalls::taken(call)));
    let before = world.calls.made().len();
    let second = pipeline.invoke(&kinesis(&[r#"{"of":"the second"}"#]), &Context::default());
    assert_eq!((goes_on_at(&second), second.ledger.delivered), (None, 1));
    let sent: Vec<String> = world.calls.made()[before..]
        .iter()
        .filter_map(|call| match call {
            Call::PutRecordBatch { records, .. } => {
                Some(records.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect())
            }
            _ => None,
        })
        .collect();
    assert_eq!(sent, ["{\"of\":\"the second\"}\n"]);
}

#[test]
fn sizes_are_bytes_and_a_filter_counts_what_it_lets_through() {
    let text = "version: 1\nhandler: {type: KinesisHandler}\nsources:\n- name: a\n  deserializer: {type: GenericJson}\n  operations:\n  \
                - {type: RegexFilterOperation, path: $.a, regex: drop}\n  - type: ConditionalOperation\n    conditions:\n    - condition: {type: BasicFilterOperation, \
                pass: true}\nwrapper: {type: PassthroughWrapper}\nserializer: {type: Json}\ntransport: {type: DevNull}\nreporters: [{type: DataDog}]\n";
    let config = PipelineConfig::read(&Registry::default(), "c.yaml", text, Variables::Bound(&[])).unwrap();
    let world = World::new();
    pipeline(&world, &config).invoke(&kinesis(&[r#"{"a":"é"}"#, r#"{"a":"drop"}"#]), &Context::default());
    let lines: Vec<String> = world
        .calls
        .made()
        .into_iter()
        .filter_map(|call| match call {
            Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
            _ => None,
        })
        .collect();
    let lines = lines.concat();
    let figure = |name: &str, tag: &str| {
        let line = lines.lines().find(|line| line.contains(&format!(".{name}|")) && line.contains(tag));
        line.and_then(|line| line.split('|').nth(2)).map(str::to_owned)
    };
    assert_eq!(figure("event.byte_size", ""), Some((10 + 12).to_string()), "{lines}");
    assert_eq!(figure("serializer.serialized_bytes", ""), Some("10".to_owned()), "{lines}");
    // Filter and condition have figures of their own, and by their own names.
    assert_eq!(figure("success.count", "RegexFilterOperation"), Some("2".to_owned()), "{lines}");
    assert_eq!(figure("success.count", "ConditionalOperation"), Some("1".to_owned()), "{lines}");
    assert_eq!(figure("success.count", "ForkOperation"), None, "{lines}");
}

#[test]
fn a_packed_bulk_request_says_that_it_is_json_and_routing_is_escaped() {
    let partition = "operations: [{type: PartitionOperation, partition_specs: [{name: p, sources: [$.a]}]}]";
    let search = "type: ElasticSearch, hostname: h, index: i, use_gzip: true, use_partitions_for_routing: true";
    let config = read(
        "KinesisHandler",
        &format!("deserializer: {{type: GenericJson}}, {partition}"),
        "PassthroughWrapper",
        search,
    );
    let world = World::new();
    pipeline(&world, &config).invoke(&kinesis(&[r#"{"a":"say \"x\"\\"}"#]), &Context::default());
    let Some(Call::Http(call)) = world.calls.made().into_iter().next() else { panic!("no request") };
    let header =
        |name: &str| call.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
    assert_eq!(header("content-type"), Some(Secret::new("application/json; charset=UTF-8")));
    let mut body = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&call.body[..]), &mut body).unwrap();
    let action: Value = serde_json::from_str(body.lines().next().unwrap()).unwrap();
    assert_eq!(action["index"]["routing"], json!("p=say \"x\"\\"), "{body}");
    assert_eq!(action["index"].get("_type"), None);
}
