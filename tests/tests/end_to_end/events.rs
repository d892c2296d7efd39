//! `events`: records of a stream through two functions, into the node and into the archive's bucket.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread::sleep,
};

use serde_json::{Value, json};
use tests::{
    rig::{Rig, rig},
    wait::until,
};

use crate::{
    A_WHILE, PATIENCE, delete, only_the_functions_role_writes,
    package::{package, template},
    retained,
    watch::Function,
};

const STACK: &str = "events";
const INDICES: &str = "events-*";

/// The deployed stack.
struct Deployed {
    rig: &'static Rig,
    stream: String,
    archive: String,
    to_search: Function,
    to_archive: Function,
    /// How many events were to be delivered by each until now.
    expected: u64,
}

impl Deployed {
    fn put(&mut self, events: &[String]) {
        let keys: Vec<String> = (0..events.len()).map(|at| format!("key-{}", at % 97)).collect();
        let records: Vec<(&str, &[u8])> =
            keys.iter().zip(events).map(|(key, event)| (key.as_str(), event.as_bytes())).collect();
        self.rig.aws.put_records(&self.stream, &records).unwrap();
        self.expected += events.len() as u64;
    }

    fn count(&self) -> u64 {
        self.rig.node.count(INDICES).unwrap()
    }

    /// The objects of the archive, by key. The emulator packs nothing, so they are plain text.
    fn archived(&self) -> BTreeMap<String, Vec<Value>> {
        let lines = |key: String| {
            let text = String::from_utf8(self.rig.aws.object(&self.archive, &key).unwrap()).unwrap();
            assert!(text.ends_with('\n'), "{key}");
            let lines = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (key, lines)
        };
        self.rig.aws.keys(&self.archive).unwrap().into_iter().map(lines).collect()
    }

    /// Waits until the archive has as many events as were put.
    fn until_archived(&self) -> BTreeMap<String, Vec<Value>> {
        self.to_archive.until_delivered(self.rig, self.expected);
        until("the archive's objects", PATIENCE, || {
            let objects = self.archived();
            (objects.values().map(|lines| lines.len() as u64).sum::<u64>() >= self.expected).then_some(objects)
        })
    }
}

#[test]
fn a_streams_events_are_searchable_and_archived_from_the_first_deployment_to_the_last() {
    let Some(rig) = rig() else { return };
    let package = package(rig);
    let search = json!([{ "Effect": "Allow", "Action": ["es:ESHttpGet", "es:ESHttpPost"], "Resource": "*" }]);
    let reader = rig.aws.create_role("/", "events-reader", &search).unwrap();
    let deploy = |state: &str| {
        let more = [("ReaderRoleArn", reader.as_str()), ("ToSearchState", state)];
        package.deploy(rig, STACK, &template(STACK), &more, &[]);
    };
    deploy("running");
    let outputs = rig.aws.outputs(STACK).unwrap();
    assert_eq!(outputs["SearchEndpoint"], rig.endpoint);
    let function = |of: &str| {
        Function::new(&rig.aws, &outputs[&format!("{of}FunctionName")], &outputs[&format!("{of}FailureQueueUrl")])
    };
    let mut deployed = Deployed {
        rig,
        stream: outputs["StreamName"].clone(),
        archive: outputs["ArchiveBucketName"].clone(),
        to_search: function("Search"),
        to_archive: function("Archive"),
        expected: 0,
    };
    every_event_is_a_document_and_a_line_of_an_object(&mut deployed);
    a_record_delivered_twice_stays_one_document(&deployed);
    an_event_that_is_no_json_is_counted_and_harms_no_other(&mut deployed);

    // Paused by its parameter, one trigger leaves its events in the stream; the other goes on.
    deploy("paused");
    let before = deployed.count();
    deployed.put(&(0..40).map(|n| json!({ "while": "paused", "n": n }).to_string()).collect::<Vec<_>>());
    deployed.until_archived();
    sleep(A_WHILE);
    assert_eq!(deployed.count(), before);
    deploy("running");
    until("the events that waited", PATIENCE, || (deployed.count() == before + 40).then_some(()));

    deployed.to_search.gave_up_nothing(&rig.aws);
    deployed.to_archive.gave_up_nothing(&rig.aws);
    let resources = rig.aws.resources(STACK).unwrap();
    let (etl_role, setup_role) = (&resources["ToSearchFunctionRoleEB551C1A"], &resources["SearchSetupRoleB73D1200"]);
    only_the_functions_role_writes(rig, STACK, etl_role, setup_role, INDICES);
    the_reader_searches_and_writes_nothing(&deployed, &reader);
    the_deleted_stack_leaves_its_data(&deployed);
}

fn the_reader_searches_and_writes_nothing(deployed: &Deployed, reader: &str) {
    let rig = deployed.rig;
    let session = rig.aws.assume(reader).unwrap();
    // By name: a `*` in a path is signed as `%2A`, which is not what goes over the wire.
    let documents = rig.node.documents(INDICES).unwrap();
    let index = documents.keys().next().unwrap().split('/').next().unwrap().to_owned();
    let (status, answer) = rig.signed(&session, "GET", &format!("/{index}/_count"), "").unwrap();
    assert_eq!((status, &answer["count"]), (200, &json!(rig.node.count(&index).unwrap())), "{answer}");
    let bulk = "{\"index\":{\"_index\":\"events-reader\"}}\n{}\n";
    let (status, answer) = rig.signed(&session, "POST", "/_bulk", bulk).unwrap();
    assert!(status == 403 || answer["items"][0]["index"]["status"] == 403, "{status} {answer}");
}

fn every_event_is_a_document_and_a_line_of_an_object(deployed: &mut Deployed) {
    let mut events: Vec<String> = (0..1_200).map(|n| json!({ "kind": "order", "n": n }).to_string()).collect();
    // Equal to the letter, and still a hundred events.
    events.extend(vec![json!({ "kind": "tick", "n": 1 }).to_string(); 100]);
    deployed.put(&events);
    let told = deployed.to_search.until_delivered(deployed.rig, deployed.expected);
    assert_eq!((told.delivered, told.received, told.failed), (deployed.expected, deployed.expected, BTreeMap::new()));

    let documents = deployed.rig.node.documents(INDICES).unwrap();
    assert_eq!(documents.len(), events.len());
    let numbers = |kind: &str| {
        let of_kind = documents.values().filter(|document| document["payload"]["kind__str"] == kind);
        let mut numbers: Vec<u64> = of_kind.map(|document| document["payload"]["n__long"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    };
    assert_eq!(numbers("order"), (0..1_200).collect::<Vec<_>>());
    assert_eq!(numbers("tick"), [1; 100]);

    let objects = deployed.until_archived();
    // Gathered by the function: each object is one record of Firehose here, and has many events.
    assert!(objects.len() * 5 <= events.len(), "{} objects", objects.len());
    assert!(objects.keys().all(|key| key.starts_with("events/year=")), "{:?}", objects.keys());
    let lines: Vec<&Value> = objects.values().flatten().collect();
    assert_eq!(lines.len(), events.len());
    // The same events in both places, told apart by where they were in the stream.
    let places = |of: &mut dyn Iterator<Item = &Value>| {
        let place = |event: &Value| event["sequence_number"].as_str().unwrap().to_owned();
        of.map(place).collect::<BTreeSet<_>>()
    };
    let archived = places(&mut lines.into_iter());
    assert_eq!(archived.len(), events.len());
    assert_eq!(archived, places(&mut documents.values()));
}

/// The emulator delivers nothing twice, so the function is called once more with what the stream holds.
fn a_record_delivered_twice_stays_one_document(deployed: &Deployed) {
    let (aws, before) = (&deployed.rig.aws, deployed.count());
    let about = aws.run(&["kinesis", "list-shards", "--stream-name", &deployed.stream]).unwrap();
    let summary = aws.run(&["kinesis", "describe-stream-summary", "--stream-name", &deployed.stream]).unwrap();
    let mut again = 0;
    for shard in about["Shards"].as_array().unwrap() {
        let shard = shard["ShardId"].as_str().unwrap();
        let place = ["--shard-id", shard, "--shard-iterator-type", "TRIM_HORIZON"];
        let begin = [&["kinesis", "get-shard-iterator", "--stream-name", &deployed.stream][..], &place].concat();
        let iterator = aws.run(&begin).unwrap()["ShardIterator"].as_str().unwrap().to_owned();
        let read = aws.run(&["kinesis", "get-records", "--shard-iterator", &iterator]).unwrap();
        let record = |record: &Value| {
            let number = record["SequenceNumber"].as_str().unwrap();
            json!({
                "eventID": format!("{shard}:{number}"), "eventSource": "aws:kinesis", "eventVersion": "1.0",
                "eventName": "aws:kinesis:record", "awsRegion": "us-east-1",
                "eventSourceARN": summary["StreamDescriptionSummary"]["StreamARN"],
                "kinesis": {
                    "kinesisSchemaVersion": "1.0", "partitionKey": record["PartitionKey"], "sequenceNumber": number,
                    "data": record["Data"], "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
                },
            })
        };
        let records: Vec<Value> = read["Records"].as_array().unwrap().iter().map(record).collect();
        again += records.len() as u64;
        let answer = aws.invoke(&format!("{}:live", deployed.to_search.name), &json!({ "Records": records })).unwrap();
        assert_eq!((answer.error, answer.payload), (None, json!({ "batchItemFailures": [] })));
    }
    assert_eq!((again, deployed.count()), (before, before));
}

fn an_event_that_is_no_json_is_counted_and_harms_no_other(deployed: &mut Deployed) {
    let before = deployed.count();
    let text = |n| json!({ "after": "poison", "n": n }).to_string();
    deployed.put(&[text(1), "no JSON at all".to_owned(), text(2)]);
    deployed.expected -= 1;
    until("the neighbours", PATIENCE, || (deployed.count() == before + 2).then_some(()));
    for function in [&deployed.to_search, &deployed.to_archive] {
        let told = until("the count of what failed", PATIENCE, || {
            Some(function.told(&deployed.rig.aws)).filter(|told| !told.failed.is_empty())
        });
        assert_eq!(told.failed.values().sum::<u64>(), 1, "{told:?}");
        assert!(told.failed.keys().all(|why| why.contains("GenericJson")), "{told:?}");
    }
}

fn the_deleted_stack_leaves_its_data(deployed: &Deployed) {
    let (aws, documents) = (&deployed.rig.aws, deployed.count());
    let objects = aws.keys(&deployed.archive).unwrap();
    let kept = delete(deployed.rig, STACK);
    assert_eq!(kept, retained(&template(STACK)));
    assert_eq!(
        kept,
        [
            "ArchiveBucket49F1AC64 AWS::S3::Bucket",
            "Key961B73FD AWS::KMS::Key",
            "SearchDomain62FD613E AWS::OpenSearchService::Domain",
            "SearchSetupFailuresB2001711 AWS::SQS::Queue",
            "SearchSetupVersionFA28DA8C AWS::Lambda::Version",
            "Stream790BDEE4 AWS::Kinesis::Stream",
            "ToArchiveFunctionFailuresF4FB1445 AWS::SQS::Queue",
            "ToArchiveFunctionVersionE249CDB2 AWS::Lambda::Version",
            "ToSearchFunctionFailures57482091 AWS::SQS::Queue",
            "ToSearchFunctionVersion249258C7 AWS::Lambda::Version",
        ]
    );
    assert_eq!((aws.keys(&deployed.archive).unwrap(), deployed.count()), (objects, documents));
    aws.run(&["kinesis", "describe-stream-summary", "--stream-name", &deployed.stream]).unwrap();
    deployed.to_archive.gave_up_nothing(aws);
    deployed.to_search.gave_up_nothing(aws);
}
