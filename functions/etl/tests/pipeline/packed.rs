//! Records in which many events are packed: aggregates of the Kinesis Producer Library, messages of CloudWatch Logs.

use crate::parts::{Take, config, goes_on_at, kinesis, lines, pipeline};
use base64_simd::STANDARD;
use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    config::HandlerConfig,
    event::{Context, Event, Fault, OriginKind, Outcome},
    handlers::{CloudWatchLogsHandler, KinesisHandler, LogPayload},
    operations::Operation,
    pattern::WholePattern,
    pipeline::Invoked,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
    wrappers::KinesisWrapper,
};
use libdeflater::{CompressionLvl, Compressor};
use md5::{Digest as _, Md5};
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Writes into an event where it was read.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Where {}

impl Component for Where {
    const NAME: &'static str = "Where";
    const EXAMPLE: &'static str = "type: Where\n";
}

impl Operation for Where {
    type State = Path;
    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Ok(Path::member("at"))
    }
    fn perform(&self, at: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let time = event.facts.arrival_ms;
        let place = match &event.facts.origin.kind {
            OriginKind::Kinesis(origin) => format!("{} {:?}", origin.sequence_number, origin.sub_sequence),
            OriginKind::Logs(o) => format!("{} {} {} {} {time}", o.owner, o.log_group, o.log_stream, o.event_id),
            other => panic!("{other:?}"),
        };
        event.payload.set(at, place.as_str())?;
        Ok(Outcome::Pass)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(length);
    out
}

/// An aggregate of short records, each with the number of its key.
fn aggregate(keys: &[&str], records: &[(u8, &[u8])]) -> Vec<u8> {
    let field = |tag: u8, bytes: &[u8]| [&[tag, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let mut message: Vec<u8> = keys.iter().flat_map(|key| field(0x0a, key.as_bytes())).collect();
    for (key, data) in records {
        message.extend(field(0x1a, &[&[0x08, *key][..], &field(0x1a, data)].concat()));
    }
    [&[0xf3, 0x89, 0x9a, 0xc2][..], &message, &Md5::digest(&message)[..]].concat()
}

/// What is delivered of an invocation.
fn delivered(handler: impl Into<HandlerConfig>, invocation: &[u8], source_regex: &str) -> (Invoked, Vec<Value>) {
    let world = World::new();
    let mut config = config(handler, vec![Where {}.into()], Take::default());
    config.sources[0].source_regex = WholePattern::new(source_regex).unwrap();
    let context = Context {
        invoked_function_arn: Some("arn:aws:lambda:eu-west-1:123456789012:function:f".into()),
        ..Context::default()
    };
    let invoked = pipeline(&world, &config).invoke(invocation, &context);
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    let batches = world.calls.made().into_iter().filter_map(|call| match call {
        Call::PutRecordBatch { records, .. } => Some(lines(&records)),
        _ => None,
    });
    let events = batches.flatten().map(|line| serde_json::from_str(&line).unwrap());
    (invoked, events.collect())
}

#[test]
fn each_record_of_an_aggregate_is_an_event_and_what_only_looks_like_one_is_one() {
    let good = aggregate(&["k"], &[(0, br#"{"n":1}"#), (0, b"{"), (0, br#"{"n":2}"#)]);
    let mut broken = good.clone();
    *broken.last_mut().unwrap() ^= 1;
    let records = [good, broken, aggregate(&["k"], &[]), br#"{"n":3}"#.to_vec()];
    let (invoked, events) = delivered(KinesisHandler::builder().build(), &kinesis(&records), ".*");
    let right = [json!({"n":1,"at":"0 Some(0)"}), json!({"n":2,"at":"0 Some(2)"}), json!({"n":3,"at":"3 None"})];
    assert_eq!(events, right);
    assert_eq!((invoked.ledger.received, invoked.ledger.all_failed()), (6, 2));
    assert_eq!(invoked.ledger.dropped.get("empty aggregate"), Some(&1));
}

#[test]
fn the_records_of_an_aggregate_are_inflated_one_by_one() {
    let record = aggregate(&["k"], &[(0, &gzip(br#"{"n":1}"#)), (0, b"no gzip")]);
    let whole = gzip(br#"{"n":2}"#);
    let handler = KinesisHandler::builder().decompress(true).build();
    let (invoked, events) = delivered(handler, &kinesis(&[record, whole]), ".*");
    assert_eq!(events, [json!({"n":1,"at":"0 Some(0)"}), json!({"n":2,"at":"1 None"})]);
    assert_eq!((invoked.ledger.received, invoked.ledger.all_failed()), (3, 1));
}

#[test]
fn an_aggregate_comes_again_as_a_whole_and_each_event_has_its_own_partition_key() {
    let world = World::new();
    let mut config =
        config(KinesisHandler::builder().build(), vec![], Take { units: 1, threads: 1, ..Take::default() });
    config.wrapper = Some(KinesisWrapper {}.into());
    let mut calls = 0;
    world.calls.answer(move |call| {
        calls += 1;
        Reply::Now(if calls < 3 { RecordedCalls::taken(call) } else { Answer::Silence("timeout".into()) })
    });
    let records = [b"{}".to_vec(), aggregate(&["k", "l"], &[(0, b"{}"), (1, b"{}"), (9, b"{}")])];
    let within = crate::parts::within(std::time::Duration::from_secs(3));
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records), &within);
    assert_eq!(goes_on_at(&invoked), Some(1));
    assert_eq!((invoked.handed_back, invoked.delivered_again), (2, 1));
    let keys: Vec<_> = world
        .calls
        .made()
        .iter()
        .take(3)
        .map(|call| {
            let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
            serde_json::from_str::<Value>(&lines(records)[0]).unwrap()["partition_key"].clone()
        })
        .collect();
    assert_eq!(keys, [json!("k"), json!("k"), json!("l")]);
}

#[test]
fn an_aggregate_that_a_real_producer_made_is_opened() {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/kpl/real_kpl_with_ehk.json");
    let Ok(text) = std::fs::read(&file) else { return println!("skipped: {} is not there", file.display()) };
    let case: Value = serde_json::from_slice(&text).unwrap();
    let world = World::new();
    let mut config = config(KinesisHandler::builder().build(), vec![], Take::default());
    config.sources[0].deserializer = Some(crate::parts::Verbatim {}.into());
    config.wrapper = Some(KinesisWrapper {}.into());
    let invocation = json!({ "Records": [case["record"]] }).to_string();
    pipeline(&world, &config).invoke(invocation.as_bytes(), &Context::default());
    let Some(Call::PutRecordBatch { records, .. }) = world.calls.made().pop() else { panic!("a batch") };
    let ours = lines(&records).into_iter().map(|line| {
        let event: Value = serde_json::from_str(&line).unwrap();
        (event["partition_key"].clone(), event["payload"]["text"].clone())
    });
    let right = case["expected"].as_array().unwrap().iter().map(|r| (r["partitionKey"].clone(), r["data"].clone()));
    assert_eq!(ours.collect::<Vec<_>>(), right.collect::<Vec<_>>());
}

fn log_message(kind: &str, group: &str, events: &Value) -> Vec<u8> {
    let message = json!({
        "messageType": kind, "owner": "1", "logGroup": group, "logStream": "s", "subscriptionFilters": ["f"], "logEvents": events,
    });
    gzip(message.to_string().as_bytes())
}

#[test]
fn each_log_event_is_an_event_with_what_is_known_of_its_group() {
    let events = json!([{"id": "a", "timestamp": 5, "message": "{\"x\":1}"}, {"id": 7}, {"id": "b", "timestamp": 6, "message": "hello"}]);
    let data = STANDARD.encode_to_string(log_message("DATA_MESSAGE", "/aws/x", &events));
    let invocation = json!({"awslogs": {"data": data}}).to_string();
    let group = "arn:aws:logs:eu-west-1:1:log-group:/aws/x";

    let handler = CloudWatchLogsHandler::builder().build();
    let (invoked, events) = delivered(handler.clone(), invocation.as_bytes(), group);
    let event = |id: &str, timestamp: u32, message: &str| {
        json!({
            "id": id, "timestamp": timestamp, "message": message, "owner": "1", "logGroup": "/aws/x", "logStream": "s",
            "subscriptionFilters": ["f"], "at": format!("1 /aws/x s {id} {timestamp}"),
        })
    };
    assert_eq!(events, [event("a", 5, "{\"x\":1}"), event("b", 6, "hello")]);
    assert_eq!((invoked.ledger.received, invoked.ledger.all_failed(), invoked.answer), (3, 1, Ok(Value::Null)));

    let (invoked, events) = delivered(handler, invocation.as_bytes(), "arn:.*:other");
    assert_eq!((invoked.ledger.received, invoked.ledger.dropped.get("no source"), events.len()), (3, Some(&3), 0));

    let handler = CloudWatchLogsHandler::builder().payload(LogPayload::Message).build();
    let (invoked, events) = delivered(handler, invocation.as_bytes(), group);
    assert_eq!(events, [json!({"x": 1, "at": "1 /aws/x s a 5"})]);
    assert_eq!(invoked.ledger.all_failed(), 2);
}

#[test]
fn messages_of_log_groups_come_by_kinesis_too() {
    let one = json!([{"id": "a", "timestamp": 5, "message": "m"}]);
    let records = [
        log_message("CONTROL_MESSAGE", "", &json!([])),
        log_message("DATA_MESSAGE", "/a", &one),
        b"no gzip".to_vec(),
        gzip(b"no message"),
        log_message("DATA_MESSAGE", "/a", &json!([])),
        log_message("DATA_MESSAGE", "/b", &one),
    ];
    let handler = CloudWatchLogsHandler::builder().build();
    let (invoked, events) = delivered(handler, &kinesis(&records), "arn:aws:logs:us-east-1:1:log-group:/[ab]");
    let groups: Vec<_> = events.iter().map(|event| event["logGroup"].as_str().unwrap()).collect();
    assert_eq!((groups, goes_on_at(&invoked)), (vec!["/a", "/b"], None));
    let dropped: Vec<_> = invoked.ledger.dropped.iter().map(|(reason, count)| (&**reason, *count)).collect();
    assert_eq!(dropped, [("control message", 1), ("no log events", 1)]);
    assert_eq!(invoked.ledger.all_failed(), 2);
}
