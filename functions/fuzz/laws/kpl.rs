//! Aggregates of the Kinesis Producer Library: every record in one is an event; what only looks like one is one event.

use super::{kit, text::text_of};
use base64_simd::STANDARD;
use etl::{
    config::PipelineConfig,
    event::Context,
    pipeline::{Environment, Ledger, Pipeline},
    testing::World,
};
use md5::{Digest as _, Md5};
use serde_json::json;
use std::sync::LazyLock;

static TEXT: LazyLock<PipelineConfig> =
    LazyLock::new(|| kit::plain("{type: KinesisHandler}", "{type: Text, field: t}", "{type: Stdout}"));

pub(crate) fn hold(bytes: &[u8]) {
    // As a message of some kind, with a digest that is right; and as a whole record.
    delivered(&framed(bytes));
    delivered(bytes);

    // As records between zeros. The first byte of each says which key it has.
    let records: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    let mut message = vec![];
    for key in ["k", "é"] {
        field(&mut message, 0x0a, key.as_bytes());
    }
    for record in &records {
        let mut inner = vec![0x08, record.first().unwrap_or(&0) & 0x7f];
        field(&mut inner, 0x1a, record);
        field(&mut message, 0x1a, &inner);
    }
    let mut aggregate = framed(&message);
    let (events, ledger) = delivered(&aggregate);
    assert_eq!(ledger.received, records.len() as u64);
    let texts = records.iter().filter(|record| !record.is_empty());
    let right: Vec<String> = texts.map(|record| String::from_utf8_lossy(record).into_owned()).collect();
    assert_eq!(events.iter().map(|event| text_of(event)).collect::<Vec<_>>(), right);

    // One byte of the message is another one.
    let at = 4 + bytes.len() % message.len();
    aggregate[at] ^= 1 << (bytes.len() % 8);
    assert_eq!(delivered(&aggregate).1.received, 1);
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0xf3, 0x89, 0x9a, 0xc2][..], message, &Md5::digest(message)[..]].concat()
}

fn field(message: &mut Vec<u8>, tag: u8, bytes: &[u8]) {
    message.push(tag);
    let mut length = bytes.len();
    loop {
        let (seven, more) = (length & 0x7f, length > 0x7f);
        message.extend(u8::try_from(if more { seven | 0x80 } else { seven }));
        length >>= 7;
        if !more {
            break;
        }
    }
    message.extend_from_slice(bytes);
}

/// What is delivered of a record of a stream, which is safe in any case.
fn delivered(record: &[u8]) -> (Vec<String>, Ledger) {
    let world = World::new();
    let pipeline = Pipeline::new(&TEXT, Environment::default(), world.ports()).expect("the pipeline can be built");
    let record = json!({
        "kinesis": {"partitionKey": "p", "sequenceNumber": "1", "data": STANDARD.encode_to_string(record)},
        "eventSource": "aws:kinesis", "eventID": "shardId-000000000000:1", "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:1:stream/s",
    });
    let invocation = json!({ "Records": [record] }).to_string();
    let invoked = pipeline.with_bounds(kit::BOUNDS).invoke(invocation.as_bytes(), &Context::default());
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    assert_eq!(invoked.answer, Ok(json!({ "batchItemFailures": [] })));
    (kit::written(&world), invoked.ledger)
}
