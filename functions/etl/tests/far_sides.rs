//! Transports in a pipeline, against far sides that refuse: what is sent again, what fails, what is cleared up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail them")]

use bytes::Bytes;
use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Invoked, Pipeline},
    ports::{Answer, Call},
    registry::Registry,
    testing::{FakeClock, RecordedCalls, Reply, World},
};
use serde_json::json;

/// One invocation with these records, delivered by this transport.
fn deliver(world: &World, transport: &str, operations: &str, records: &[String]) -> Invoked {
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources: [{{name: a, deserializer: {{type: GenericJson}}, operations: [{operations}]}}]
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {{{transport}}}
"
    );
    let config = PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]));
    let config = config.unwrap_or_else(|report| panic!("{report}"));
    let mut pipeline = Pipeline::new(&config, Environment::default(), world.ports()).unwrap();
    let deadline_ms = Some(FakeClock::BEGIN_MS + 60_000);
    let context = Context { aws_request_id: Some("request".into()), deadline_ms, ..Context::default() };
    let mut run = pipeline.begin(&context);
    for record in records {
        run.record(record.as_bytes());
    }
    let invoked = run.finish();
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    invoked
}

fn records(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"id":{number}}}"#)).collect()
}

/// The documents of a bulk request.
fn documents(body: &[u8]) -> Vec<String> {
    std::str::from_utf8(body).unwrap().lines().skip(1).step_by(2).map(str::to_owned).collect()
}

const SEARCH: &str = "type: OpenSearch, hostname: h, index: i, threads: 1";

#[test]
fn a_request_that_is_too_large_arrives_in_halves() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let status = if documents(&request.body).len() > 3 { 413 } else { 200 };
        let Answer::Http { body, .. } = RecordedCalls::taken(call) else { panic!("an answer") };
        Reply::Now(Answer::Http { status, body })
    });
    let invoked = deliver(&world, SEARCH, "", &records(20));
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (20, 0));
    let mut arrived = vec![];
    for call in world.calls.made() {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let documents = documents(&request.body);
        if documents.len() <= 3 {
            arrived.extend(documents);
        }
    }
    assert_eq!(arrived, records(20), "each once, in order");
}

#[test]
fn one_document_that_spoils_a_request_fails_and_its_neighbours_arrive() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let bad = documents(&request.body).contains(&r#"{"id":13}"#.to_owned());
        let Answer::Http { body, .. } = RecordedCalls::taken(call) else { panic!("an answer") };
        Reply::Now(Answer::Http { status: if bad { 400 } else { 200 }, body })
    });
    let invoked = deliver(&world, SEARCH, "", &records(50));
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (49, 1));
    assert_eq!(invoked.ledger.failed[0].reason, "the bulk request was refused");
}

#[test]
fn documents_that_are_refused_for_now_are_sent_again_alone() {
    let world = World::new();
    let mut calls = 0;
    world.calls.answer(move |call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        calls += 1;
        let item = |number: usize| match (number % 3, calls) {
            (0, 1) => {
                json!({"index": {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue"}}})
            }
            (1, 1) => {
                json!({"index": {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "secret"}}})
            }
            _ => json!({"index": {"status": 201}}),
        };
        let items: Vec<_> = (0..documents(&request.body).len()).map(item).collect();
        let body = json!({"errors": calls == 1, "items": items}).to_string();
        Reply::Now(Answer::Http { status: 200, body: Bytes::from(body) })
    });
    let invoked = deliver(&world, SEARCH, "", &records(9));
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (6, 3));
    assert_eq!(invoked.ledger.failed[0].reason, "mapping refused");
    let sent = world.calls.made().into_iter().map(|call| match call {
        Call::Http(request) => documents(&request.body),
        other => panic!("{other:?}"),
    });
    let again = [r#"{"id":0}"#, r#"{"id":3}"#, r#"{"id":6}"#].map(str::to_owned).to_vec();
    assert_eq!(sent.collect::<Vec<_>>(), [records(9), again]);
}

#[test]
fn a_refused_record_of_firehose_brings_back_all_events_in_it_and_no_other() {
    let world = World::new();
    let mut calls = 0;
    world.calls.answer(move |call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        calls += 1;
        let refused = |number: usize| (calls == 1 && number == 1).then(|| "ServiceUnavailableException".to_owned());
        Reply::Now(Answer::Records((0..records.len()).map(refused).collect()))
    });
    let large: Vec<_> = (0..7).map(|number| format!(r#"{{"id":{number},"pad":"{}"}}"#, "x".repeat(400_000))).collect();
    let invoked = deliver(&world, "type: Firehose, stream_name: s", "", &large);
    assert_eq!(invoked.ledger.delivered, 7);
    let lines = |call: &Call| match call {
        Call::PutRecordBatch { records, .. } => {
            records.iter().map(|record| memchr::memchr_iter(b'\n', record).count()).collect()
        }
        other => panic!("{other:?}"),
    };
    let sent: Vec<Vec<usize>> = world.calls.made().iter().map(lines).collect();
    assert_eq!(sent, [vec![2, 2, 2, 1], vec![2]]);
}

#[test]
fn partitions_become_objects_and_what_s3_does_not_take_in_time_is_handed_back() {
    let partition = "{type: PartitionOperation, partition_specs: [{name: p, sources: [$.p]}]}";
    let records: Vec<_> = (0..6).map(|number| format!(r#"{{"id":{number},"p":"{}"}}"#, number % 2)).collect();
    let world = World::new();
    let transport = "type: S3, bucket_name: b, use_compression: false";
    assert_eq!(deliver(&world, transport, partition, &records).ledger.delivered, 6);
    let put = |call: &Call| match call {
        Call::PutObject { to, body } => (to.key.clone(), std::str::from_utf8(body).unwrap().lines().count()),
        other => panic!("{other:?}"),
    };
    let mut objects: Vec<_> = world.calls.made().iter().map(put).collect();
    objects.sort();
    assert_eq!(objects, [("p=0/request".to_owned(), 3), ("p=1/request".to_owned(), 3)]);
}

#[test]
fn an_upload_that_fails_half_way_is_ended_at_s3_and_handed_back_as_a_whole() {
    let world = World::new();
    world.calls.answer(|call| match call {
        Call::UploadPart { number: 2, .. } => {
            Reply::Now(Answer::Refused { code: "SlowDown".into(), status: Some(503) })
        }
        other => Reply::Now(RecordedCalls::taken(other)),
    });
    let large: Vec<_> = (0..4).map(|number| format!(r#"{{"id":{number},"pad":"{}"}}"#, "x".repeat(4 << 20))).collect();
    let invoked = deliver(&world, "type: S3, bucket_name: b, use_compression: false", "", &large);
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (0, 4));
    let aborted = |call: &Call| matches!(call, Call::AbortUpload { upload_id, .. } if upload_id == "upload");
    assert_eq!(world.calls.made().iter().filter(|call| aborted(call)).count(), 1);
}
