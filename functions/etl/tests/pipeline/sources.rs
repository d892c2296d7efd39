//! Triggers that no source of the config matches.

use crate::parts::{Take, config, kinesis, pipeline};
use etl::{
    config::HandlerConfig,
    event::{Context, Stage},
    handlers::{DynamodbHandler, EventBridgeHandler, FirehoseTransformHandler, KinesisHandler, SNSHandler, SQSHandler},
    pattern::WholePattern,
    pipeline::Invoked,
    ports::Level,
    testing::World,
    transports::FirehoseTransform,
};
use serde_json::{Value, json};

/// An invocation of a pipeline whose only source matches something else, and what its log says of that.
fn invoke(handler: impl Into<HandlerConfig>, invocation: &[u8]) -> (Invoked, Vec<String>) {
    let world = World::new();
    let mut config = config(handler, vec![], Take::default());
    config.sources[0].source_regex = WholePattern::new("arn:aws:other").unwrap();
    if config.handler.wants_answers() {
        config.transport = Some(FirehoseTransform::builder().build().into());
    }
    let invoked = pipeline(&world, &config).invoke(invocation, &Context::default());
    assert!(invoked.ledger.balances() && invoked.ledger.delivered == 0, "{:?}", invoked.ledger);
    assert!(invoked.ledger.dropped.is_empty(), "dropped: {:?}", invoked.ledger);
    let told = world.log.lines().into_iter().filter(|(level, line)| *level == Level::Error && line.contains("help="));
    (invoked, told.map(|(_, line)| line).collect())
}

fn records(record: &Value) -> Vec<u8> {
    json!({ "Records": [record] }).to_string().into_bytes()
}

#[test]
fn records_and_messages_that_no_source_matches_come_again() {
    let (invoked, told) = invoke(KinesisHandler::builder().build(), &kinesis(&["{}", "{}"]));
    assert_eq!(invoked.answer, Ok(json!({"batchItemFailures": [{"itemIdentifier": "0"}]})));
    assert_eq!((invoked.ledger.received, invoked.handed_back), (2, 2));
    let failed = &invoked.ledger.failed[0];
    assert_eq!(
        (failed.stage, &*failed.component, &*failed.reason),
        (Stage::Delivery, "KinesisHandler", "no source matches")
    );
    let [line] = &told[..] else { panic!("it is said once: {told:?}") };
    assert!(line.contains("trigger=arn:aws:kinesis:us-east-1:123456789012:stream/s"), "{line}");
    assert!(line.contains("help=let the `source_regex` of a source match all of the trigger's name"), "{line}");

    let stream = "arn:aws:dynamodb:us-east-1:1:table/t/stream/x";
    let change = json!({"eventID": "e", "eventSourceARN": stream, "dynamodb": {"SequenceNumber": "7", "Keys": {}}});
    let (invoked, _) = invoke(DynamodbHandler::builder().build(), &records(&change));
    assert_eq!(invoked.answer, Ok(json!({"batchItemFailures": [{"itemIdentifier": "7"}]})));

    let message = json!({"messageId": "m", "body": "{}", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q"});
    let (invoked, _) = invoke(SQSHandler::builder().build(), &records(&message));
    assert_eq!(invoked.answer, Ok(json!({"batchItemFailures": [{"itemIdentifier": "m"}]})));
}

#[test]
fn an_invocation_without_a_partial_answer_fails_when_no_source_matches() {
    let notice = json!({"EventSource": "aws:sns", "Sns": {"MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": "{}"}});
    let event = json!({"id": "i", "source": "aws.ec2", "detail-type": "A Change", "detail": {}});
    let transform = json!({
        "invocationId": "i", "deliveryStreamArn": "arn:aws:firehose:us-east-1:1:deliverystream/d",
        "records": [{"recordId": "r", "data": "e30="}],
    });
    let cases: [(HandlerConfig, Vec<u8>, &str); 3] = [
        (SNSHandler::builder().build().into(), records(&notice), "SNSHandler"),
        (EventBridgeHandler::builder().build().into(), event.to_string().into_bytes(), "EventBridgeHandler"),
        (
            FirehoseTransformHandler::builder().build().into(),
            transform.to_string().into_bytes(),
            "FirehoseTransformHandler",
        ),
    ];
    for (handler, invocation, name) in cases {
        let (invoked, told) = invoke(handler, &invocation);
        let why = format!("1 events could not be delivered: {name}: no source matches");
        assert_eq!(invoked.answer.unwrap_err().message, why);
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

#[test]
fn where_nothing_is_to_come_again_what_no_source_matches_is_lost_and_counted() {
    let handler = KinesisHandler::builder().fail_on_exception(false).build();
    let (invoked, told) = invoke(handler, &kinesis(&["{}"]));
    assert_eq!(invoked.answer, Ok(json!({"batchItemFailures": []})));
    assert_eq!((invoked.ledger.all_failed(), told.len()), (1, 1));
}
