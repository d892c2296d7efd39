//! Handlers: what they are handed over by Lambda is delivered as if it had come without.

use crate::{
    events::records,
    kit::{Parts, context, examples, pipeline, plain, runner, written},
};
use base64_simd::STANDARD;
use etl::{config::PipelineConfig, pipeline::Invoked, registry::Registry, testing::World};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;

/// The invocation that hands over records to a handler, and objects that it names.
fn invocation(handler: &str, records: &[String], world: &World) -> Value {
    let all = |one: &dyn Fn(usize, &str) -> Value| -> Value {
        records.iter().enumerate().map(|(number, record)| one(number, record)).collect()
    };
    let base64 = |record: &str| STANDARD.encode_to_string(record);
    let announced = || {
        world.objects.put("b", "a key.log", Ok(records.join("\n").into_bytes()));
        json!({"Records": [{
            "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-11-23T15:59:57.000Z", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": "b"}, "object": {"key": "a+key.log", "sequencer": "1"}},
        }]})
    };
    let sns = |number: usize, message: &str| {
        json!({"EventSource": "aws:sns", "Sns": {
            "Type": "Notification", "MessageId": number.to_string(), "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": message,
            "Timestamp": "2026-01-01T00:00:00.000Z",
        }})
    };
    match handler {
        "KinesisHandler" => json!({"Records": all(&|number, record| json!({
            "kinesis": {"partitionKey": "k", "sequenceNumber": number.to_string(), "data": base64(record), "approximateArrivalTimestamp": 1.5e9},
            "eventSource": "aws:kinesis", "eventID": format!("shardId-000000000000:{number}"), "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:1:stream/s",
        }))}),
        "DynamodbHandler" => json!({"Records": all(&|number, record| json!({
            "eventID": number.to_string(), "eventName": "INSERT", "awsRegion": "us-east-1", "eventSource": "aws:dynamodb",
            "dynamodb": {"SequenceNumber": number.to_string(), "Keys": {"id": {"N": number.to_string()}}, "NewImage": {"text": {"S": record}}},
            "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/t/stream/x",
        }))}),
        "S3Handler" => announced(),
        "SNSS3Handler" => json!({"Records": [sns(1, &announced().to_string())]}),
        "SNSHandler" => json!({ "Records": all(&sns) }),
        "SQSHandler" => json!({"Records": all(&|number, record| json!({
            "messageId": number.to_string(), "body": record, "attributes": {"SentTimestamp": "1545082649183"},
            "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:q", "awsRegion": "us-east-1",
        }))}),
        "CloudWatchLogsHandler" => {
            let event =
                |number: usize, record: &str| json!({"id": number.to_string(), "timestamp": 5, "message": record});
            let message = json!({
                "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "/g", "logStream": "s", "subscriptionFilters": ["f"],
                "logEvents": all(&event),
            });
            let mut encoder = GzEncoder::new(vec![], Compression::fast());
            encoder.write_all(message.to_string().as_bytes()).unwrap();
            json!({"awslogs": {"data": STANDARD.encode_to_string(encoder.finish().unwrap())}})
        }
        "FirehoseTransformHandler" => json!({
            "invocationId": "i", "deliveryStreamArn": "arn:aws:firehose:us-east-1:1:deliverystream/d", "region": "us-east-1",
            "records": all(&|number, record| json!({"recordId": number.to_string(), "data": base64(record)})),
        }),
        "EventBridgeHandler" => json!({
            "version": "0", "id": "e", "detail-type": "x", "source": "s", "account": "1", "time": "2026-01-01T00:00:00Z",
            "region": "us-east-1", "resources": [], "detail": {"texts": records},
        }),
        other => panic!("write here how records are handed over to `{other}`"),
    }
}

/// The events that were delivered: written out, or in the answer.
fn events(invoked: &Invoked, world: &World) -> Vec<String> {
    let answered = invoked.answer.as_ref().ok().and_then(|answer| answer["records"].as_array());
    let data = answered.into_iter().flatten().filter_map(|record| record["data"].as_str());
    let data: Vec<u8> = data.flat_map(|data| STANDARD.decode_to_vec(data).unwrap()).collect();
    (String::from_utf8(data).unwrap() + &written(world)).lines().map(str::to_owned).collect()
}

/// Handlers whose events are more than the text that was handed over.
const ENVELOPES: [&str; 3] = ["CloudWatchLogsHandler", "DynamodbHandler", "EventBridgeHandler"];

fn laws(handler: &str, config: &PipelineConfig, records: &[String]) -> Result<(), TestCaseError> {
    let [first, again] = [World::new(), World::new()].map(|world| {
        let invocation = invocation(handler, records, &world).to_string();
        let invoked = pipeline(config, &world).invoke(invocation.as_bytes(), &context());
        let events = events(&invoked, &world);
        (invoked, events)
    });
    prop_assert_eq!(&first, &again, "the same again");
    let (Invoked { ledger, handed_back, .. }, events) = first;
    prop_assert!(ledger.balances(), "{:?}", ledger);
    prop_assert_eq!(handed_back, 0);
    if ENVELOPES.contains(&handler) {
        let received = if handler == "EventBridgeHandler" { 1 } else { records.len() as u64 };
        prop_assert_eq!((ledger.received, ledger.delivered), (received, received), "{:?}", ledger);
        let text = events.concat();
        for record in records {
            prop_assert!(holds(&text, record), "{} is not in {}", record, text);
        }
    } else {
        let plain = plain(records);
        prop_assert_eq!(ledger.received, records.len() as u64);
        // A record of Firehose is transformed as a whole or not at all.
        prop_assert_eq!(events, plain, "{:?}", ledger);
    }
    Ok(())
}

/// Whether a text stands in JSON as a string.
fn holds(json: &str, text: &str) -> bool {
    fn walk(value: &Value, text: &str) -> bool {
        match value {
            Value::String(string) => string == text,
            Value::Array(elements) => elements.iter().any(|element| walk(element, text)),
            Value::Object(members) => members.values().any(|member| walk(member, text)),
            _ => false,
        }
    }
    serde_json::Deserializer::from_str(json).into_iter::<Value>().any(|event| walk(&event.unwrap(), text))
}

#[test]
fn what_lambda_hands_over_is_delivered_as_it_is() {
    let registry = Registry::default();
    let handlers = examples(&registry, "handler");
    assert!(handlers.len() >= 9, "{handlers:?}");
    for (handler, _) in handlers {
        let text = format!("type: {handler}");
        let read = |transport: &str| Parts { handler: &text, transport, ..Parts::default() }.read(&registry);
        let config = read("type: Stdout").or_else(|_| read("type: FirehoseTransform")).unwrap();
        let result = runner(60).run(&records(), |records| laws(handler, &config, &records));
        result.unwrap_or_else(|error| panic!("{handler}: {error}"));
    }
}
