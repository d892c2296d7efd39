//! Files that operations work with, and what becomes of events while they cannot be read.

use crate::parts::{Take, config, goes_on_at, kinesis, lines, pipeline, s3, within};
use etl::{
    bounded::Bounded,
    event::Stage,
    handlers::{KinesisHandler, S3Handler, SQSHandler},
    operations::{
        ConditionalOperation, DedupeOperation, ForkOperation, GeoIpOperation, KeepFieldsOperation, LookupOperation,
        SampleOperation, conditional::Condition, fork::Fork,
    },
    ports::{Call, Level, ObjectError},
    testing::World,
};
use serde_json::json;
use std::time::Duration;

const PLAIN: &str = r#"{"id":0}"#;
const WITH_ADDRESS: &str = r#"{"id":1,"ip":"81.2.69.142"}"#;

fn geo_ip() -> GeoIpOperation {
    GeoIpOperation::builder().src_field_name("$.ip").geo_lite_db("s3://b/geo").build()
}

fn sent(world: &World) -> Vec<String> {
    let records = |call: Call| match call {
        Call::PutRecordBatch { records, .. } => lines(&records),
        other => panic!("{other:?}"),
    };
    world.calls.made().into_iter().flat_map(records).collect()
}

#[test]
fn a_stream_is_read_up_to_the_record_whose_file_cannot_be_read_and_nothing_behind_it_is_sent() {
    let world = World::new();
    world.objects.put("b", "geo", Err(ObjectError::Denied("AccessDenied".into())));
    let config = config(KinesisHandler::builder().build(), vec![geo_ip().into()], Take::default());
    let mut pipeline = pipeline(&world, &config);
    for again in 1..3 {
        let invoked = pipeline
            .invoke(&kinesis(&[PLAIN, PLAIN, WITH_ADDRESS, PLAIN, WITH_ADDRESS]), &within(Duration::from_mins(1)));
        assert_eq!(goes_on_at(&invoked), Some(2));
        assert_eq!((invoked.ledger.delivered, invoked.handed_back, invoked.delivered_again), (2, 3, 0));
        assert!(invoked.ledger.balances());
        let failed = invoked.ledger.failed.iter().map(|failed| (failed.stage, &*failed.component, failed.count));
        let back = [(Stage::Delivery, "GeoIpOperation", 1), (Stage::Delivery, "KinesisHandler", 2)];
        assert_eq!(failed.collect::<Vec<_>>(), back);
        let reason = "access to the file that it works with is denied";
        assert!(invoked.ledger.failed.iter().all(|failed| failed.reason == reason));
        assert_eq!(sent(&world).len(), 2 * again);
        assert_eq!(world.objects.opened().len(), again, "once in an invocation");
    }
    let told =
        world.log.lines().into_iter().filter(|(level, line)| *level == Level::Error && line.contains("s3://b/geo"));
    assert_eq!(told.count(), 2);
}

#[test]
fn an_object_comes_again_as_a_whole_when_a_file_cannot_be_read() {
    let world = World::new();
    world.objects.put("b", "events", Ok([PLAIN, WITH_ADDRESS, PLAIN].join("\n").into_bytes()));
    let config = config(S3Handler::builder().build(), vec![geo_ip().into()], Take::default());
    let invoked = pipeline(&world, &config).invoke(&s3(&["events"]), &within(Duration::from_mins(1)));
    assert!(invoked.answer.unwrap_err().message.contains("the file that it works with is not there"));
    assert!(invoked.ledger.balances());
}

#[test]
fn of_a_queue_just_the_messages_come_again_that_need_the_file() {
    let world = World::new();
    let message = |(number, body): (usize, &&str)| json!({ "messageId": number.to_string(), "eventSource": "aws:sqs", "body": body });
    let messages: Vec<_> = [PLAIN, WITH_ADDRESS, PLAIN, WITH_ADDRESS].iter().enumerate().map(message).collect();
    let invocation = json!({ "Records": messages }).to_string();
    let config = config(SQSHandler::builder().build(), vec![geo_ip().into()], Take::default());
    let invoked = pipeline(&world, &config).invoke(invocation.as_bytes(), &within(Duration::from_mins(1)));
    let again = json!({ "batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "3"}] });
    assert_eq!(invoked.answer, Ok(again));
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (2, 2));
    assert_eq!(world.objects.opened().len(), 1);
}

#[test]
fn where_nothing_comes_again_only_the_events_are_lost_that_need_the_file() {
    let world = World::new();
    let handler = KinesisHandler::builder().fail_on_exception(false).build();
    let config = config(handler, vec![geo_ip().into()], Take::default());
    let invoked = pipeline(&world, &config).invoke(&kinesis(&[WITH_ADDRESS, PLAIN]), &within(Duration::from_mins(1)));
    assert_eq!(goes_on_at(&invoked), None);
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (1, 1));
}

#[test]
fn an_invocation_begins_in_branches_too() {
    let world = World::new();
    let lookup = LookupOperation::builder().field("$.id").file("s3://b/t.csv").key("id").target("row").build();
    let equal = DedupeOperation::builder().build();
    let branch = Fork { operations: vec![equal.into(), lookup.into()] };
    let config =
        config(KinesisHandler::builder().build(), vec![ForkOperation { forks: vec![branch] }.into()], Take::default());
    let mut pipeline = pipeline(&world, &config);
    let mut invoke = || pipeline.invoke(&kinesis(&[PLAIN, PLAIN]), &within(Duration::from_mins(1)));
    assert_eq!(goes_on_at(&invoke()), Some(0));
    world.objects.put("b", "t.csv", Ok(b"id,name\n0,Ada\n".to_vec()));
    for _ in 0..2 {
        let ledger = invoke().ledger;
        assert_eq!((ledger.delivered, ledger.dropped.get("duplicate")), (1, Some(&1)));
    }
    assert_eq!(sent(&world), [r#"{"id":0,"row":{"name":"Ada"}}"#; 2]);
}

#[test]
fn a_sample_may_be_a_condition() {
    let world = World::new();
    let half = SampleOperation::builder().of(Bounded::of::<2>()).build();
    let steps = vec![KeepFieldsOperation { fields: vec!["id".into()] }.into()];
    let chosen = Condition { condition: half.into(), operations: steps };
    let operation = ConditionalOperation { conditions: vec![chosen], filter_non_match: true };
    let config = config(KinesisHandler::builder().build(), vec![operation.into()], Take::default());
    let records: Vec<_> = (0..100).map(|id| format!(r#"{{"id":{id},"x":1}}"#)).collect();
    let ledger = pipeline(&world, &config).invoke(&kinesis(&records), &within(Duration::from_mins(1))).ledger;
    assert!((30..70).contains(&ledger.delivered) && ledger.balances(), "{ledger:?}");
    assert!(sent(&world).iter().all(|event| !event.contains('x')));
}
