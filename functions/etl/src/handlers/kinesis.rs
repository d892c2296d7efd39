//! `KinesisHandler`: records of a Kinesis stream.
//!
//! Imports: `component`, `event`.

mod records;

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, OneByOne, Tag, Text, Trigger, yes};
use crate::{
    component::Component,
    event::{Context, Facts, KinesisOrigin, Origin, OriginKind, Place},
};
use bon::Builder;
use records::Records;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Reads the records of a Kinesis stream. Each record is one event. An aggregate of the Kinesis Producer Library is opened, and each
/// record that its producer put into it is one event, with its own partition key.
///
/// A source is chosen for each record by its stream's ARN.
///
/// # Delivery
///
/// When some records cannot be delivered, the answer to Lambda is a partial batch response that names the first of them: it and all after
/// it come again, those before it do not. An aggregate comes again as a whole. The event source mapping must ask for that
/// (`FunctionResponseTypes: [ReportBatchItemFailures]`, which our triggers set), or Lambda takes the answer for success. So a record is
/// read at least once and its shard keeps its order: behind a record that comes again nothing more is read, though neighbours that were
/// under way may have arrived already. A record that can never be delivered does not come again: it is counted by its reason and goes to
/// the `dead_letter`, if there is one, and the shard goes on.
///
/// # Unlike Bender
///
/// - An aggregate is opened. (Bender takes it for one event.)
/// - One bad record fails alone. (In Bender an exception over one record loses it and all behind it, without a word.)
/// - A record that should be compressed and is not fails alone. (Bender hangs until Lambda ends the function.)
/// - `fail_on_exception: false` loses what could not be delivered and nothing else. (Bender loses the rest of the invocation.)
/// - Nothing of an invocation that failed is left for the next one. (In Bender its events are sent again with it, or the next invocation
///   loses its own.)
/// - `include_function_tags` asks for the function without the alias that invoked it, which has no tags. (Bender asks for the alias, and
///   cannot start.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "they are the config's, and Bender's")]
pub struct KinesisHandler {
    /// Whether records that could not be delivered come again. If not, they are lost, counted and logged, and the invocation
    /// succeeds.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_on_exception: bool,
    /// Whether the function's own tags become tags of all metrics, in place of `metric_tags` of the same name.
    #[serde(default)]
    #[builder(default)]
    pub include_function_tags: bool,
    /// Tags of all metrics.
    #[serde(default)]
    #[builder(default)]
    pub metric_tags: Vec<Tag>,
    /// Accepted, as Bender's configs have it; has no meaning here.
    #[serde(default = "queue_size")]
    #[builder(default = queue_size())]
    pub queue_size: u32,
    /// Whether each record is compressed: gzip, as CloudWatch Logs sends it, or zstd, bzip2, framed snappy. A record that is not is a fault
    /// of that record alone. To have each log event as an event of its own, there is `CloudWatchLogsHandler`.
    #[serde(default)]
    #[builder(default)]
    pub decompress: bool,
    /// Whether events are sorted by their shard: as the partition `__shardid__`, behind those that operations make.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("x-alias" = "add_kinesis_shard_to_partitions"))]
    pub add_shardid_to_partitions: bool,
    /// Accepted, as Bender's configs have it; has no meaning here.
    #[serde(default = "buffer_size")]
    #[builder(default = buffer_size())]
    pub buffer_size: u32,
}

fn queue_size() -> u32 {
    500
}

fn buffer_size() -> u32 {
    1024
}

impl Component for KinesisHandler {
    const NAME: &'static str = "KinesisHandler";
    const EXAMPLE: &'static str = "type: KinesisHandler\ndecompress: true\n";
}

impl Handler for KinesisHandler {
    fn gives(&self) -> Place {
        Place::Kinesis
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let invocation: Invocation<'j> = super::read_json(invocation)?;
        let mut last = Shard::default();
        let triggers = invocation.records.into_iter().map(|record| self.trigger(record, &mut last)).collect();
        Ok(Batch { triggers, on_failure: OnFailure::Suffix, log_triggers: false })
    }

    fn one_by_one<'j>(&self, invocation: &'j [u8]) -> Option<Box<dyn OneByOne<'j> + 'j>> {
        let text = simdutf8::basic::from_utf8(invocation).ok()?;
        Some(Box::new(Records::find(text, self.decompress, self.add_shardid_to_partitions)?))
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let given = context.kinesis.clone().unwrap_or_default();
        let mut last = Shard::default();
        let arn = given.event_source_arn.unwrap_or_else(|| STAND_IN_ARN.to_owned());
        let first = given.sequence_number.unwrap_or_else(|| "0".to_owned());
        last.choose(&arn, given.aws_region.as_deref(), given.shard_id.as_deref(), given.event_source.as_deref());
        let sequence_number = add(&first, number);
        let facts = Facts {
            arrival_ms: given.approximate_arrival_ms.or(context.now_ms).unwrap_or_default(),
            origin: last.origin(sequence_number.clone(), given.partition_key, self.add_shardid_to_partitions),
            ..Facts::default()
        };
        Trigger { id: sequence_number.into(), facts, source: arn.into(), group: None, body: Body::Nothing("stands in") }
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

const STAND_IN_ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/log-stream";

impl KinesisHandler {
    fn trigger<'j>(&self, record: Record<'j>, last: &mut Shard) -> Trigger<'j> {
        let source = Text::or_empty(record.event_source_arn);
        let sequence = Text::or_empty(record.stream.sequence_number);
        let event_id = Text::or_empty(record.event_id);
        let event_source = record.event_source.as_ref().map(|source| &*source.0);
        let shard = memchr::memchr(b':', event_id.as_bytes()).and_then(|end| event_id.get(..end));
        last.choose(&source, record.aws_region.as_ref().map(|region| &*region.0), shard, event_source);
        let partition_key = record.stream.partition_key.map(|key| key.0.into_owned());
        let facts = Facts {
            arrival_ms: super::millis(record.stream.approximate_arrival_timestamp),
            origin: last.origin(sequence.clone().into_owned(), partition_key, self.add_shardid_to_partitions),
            ..Facts::default()
        };
        let body = match record.stream.data {
            Some(data) => Body::Base64 { text: data.0, gzip: self.decompress, aggregates: true },
            None => Body::Unreadable("the record has no data"),
        };
        Trigger { id: sequence, facts, source, group: None, body }
    }
}

/// What the records of one shard have in common; most records have it in common with the one before.
#[derive(Debug, Default)]
struct Shard {
    arn: Arc<str>,
    region: Arc<str>,
    id: Arc<str>,
    source: Option<Arc<str>>,
}

impl Shard {
    fn choose(&mut self, arn: &str, region: Option<&str>, id: Option<&str>, source: Option<&str>) {
        if *self.arn != *arn {
            self.arn = arn.into();
            self.region = region.unwrap_or_default().into();
        }
        if *self.id != *id.unwrap_or_default() {
            self.id = id.unwrap_or_default().into();
        }
        if self.source.as_deref() != source {
            self.source = source.map(Into::into);
        }
    }

    fn origin(&self, sequence_number: String, partition_key: Option<String>, partition: bool) -> Origin {
        let kinesis = KinesisOrigin {
            stream_arn: Arc::clone(&self.arn),
            shard_id: Arc::clone(&self.id),
            sequence_number,
            sub_sequence: None,
            partition_key,
            event_source: self.source.clone(),
        };
        Origin {
            kind: OriginKind::Kinesis(kinesis),
            source_name: "aws:kinesis",
            region: Arc::clone(&self.region),
            partition: partition.then(|| ("__shardid__", Arc::clone(&self.id))),
        }
    }
}

/// The sum of a number of any length and a short one, in decimal.
fn add(digits: &str, number: u64) -> String {
    let mut sum: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    let mut carry = number;
    for digit in sum.iter_mut().rev() {
        carry += u64::from(*digit - b'0');
        *digit = b'0' + u8::try_from(carry % 10).unwrap_or_default();
        carry /= 10;
    }
    let sum = String::from_utf8(sum).unwrap_or_default();
    let sum = if carry > 0 { format!("{carry}{sum}") } else { sum };
    if sum.len() > 1 && sum.len() > digits.len() { sum.trim_start_matches('0').to_owned() } else { sum }
}

#[derive(Deserialize)]
struct Invocation<'j> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'j>>,
}

#[derive(Deserialize)]
pub(super) struct Record<'j> {
    #[serde(borrow, rename = "eventSourceARN")]
    pub(super) event_source_arn: Option<Text<'j>>,
    #[serde(borrow, rename = "eventSource")]
    event_source: Option<Text<'j>>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<Text<'j>>,
    #[serde(borrow, rename = "awsRegion")]
    aws_region: Option<Text<'j>>,
    #[serde(borrow)]
    #[serde(rename = "kinesis")]
    pub(super) stream: Content<'j>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Content<'j> {
    #[serde(borrow)]
    partition_key: Option<Text<'j>>,
    #[serde(borrow)]
    pub(super) sequence_number: Option<Text<'j>>,
    #[serde(borrow)]
    pub(super) data: Option<Text<'j>>,
    approximate_arrival_timestamp: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_of_any_length_are_counted_on() {
        let first = "49590338271490256608559692538361571095921575989136588898";
        assert_eq!(add(first, 0), first);
        assert_eq!(add(first, 105), "49590338271490256608559692538361571095921575989136589003");
        assert_eq!(add("0", 12), "12");
        assert_eq!(add("999", 1), "1000");
    }

    #[test]
    fn records_carry_their_stream_shard_and_sequence_number() {
        let json = br#"{"Records":[{"kinesis":{"partitionKey":"s\u0031","sequenceNumber":"495","data":"SGk=",
            "approximateArrivalTimestamp":1480641523.477},"eventSource":"aws:kinesis","eventID":"shardId-000000000002:495",
            "awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:1:stream/s"}]}"#;
        let handler = KinesisHandler::builder().add_shardid_to_partitions(true).build();
        let batch = handler.read(json).unwrap();
        assert_eq!(batch.on_failure, OnFailure::Suffix);
        let trigger = &batch.triggers[0];
        assert_eq!((&*trigger.id, &*trigger.source), ("495", "arn:aws:kinesis:us-east-1:1:stream/s"));
        assert_eq!(trigger.facts.arrival_ms, 1_480_641_523_477);
        let OriginKind::Kinesis(origin) = &trigger.facts.origin.kind else { panic!("a record of a stream") };
        assert_eq!((&*origin.shard_id, origin.partition_key.as_deref()), ("shardId-000000000002", Some("s1")));
        assert_eq!(trigger.facts.partitions().collect::<Vec<_>>(), [("__shardid__", Some("shardId-000000000002"))]);
    }

    /// A record as Lambda writes it.
    fn record(key: &str, sequence: &str, data: &str, arrival: &str, shard: u32) -> String {
        format!(
            r#"{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":"{key}","sequenceNumber":"{sequence}","data":"{data}","approximateArrivalTimestamp":{arrival}}},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-{shard:012}:{sequence}","eventName":"aws:kinesis:record","invokeIdentityArn":"arn:aws:iam::1:role/etl","awsRegion":"us-east-1","eventSourceARN":"arn:aws:kinesis:us-east-1:1:stream/s"}}"#
        )
    }

    fn both_ways(handler: &KinesisHandler, json: &str) -> bool {
        let Some(records) = Records::find(json, handler.decompress, handler.add_shardid_to_partitions) else {
            return false;
        };
        let thoroughly = handler.read(json.as_bytes()).unwrap().triggers;
        let mut facts = Facts::default();
        assert_eq!(records.len(), thoroughly.len());
        for (number, expected) in thoroughly.iter().enumerate() {
            let trigger = records.trigger(number, facts).unwrap();
            assert_eq!(format!("{trigger:?}"), format!("{expected:?}"));
            assert_eq!(records.id(number), Some(&*expected.id));
            facts = trigger.facts;
        }
        true
    }

    #[test]
    fn both_ways_of_reading_an_invocation_read_the_same() {
        let handler = KinesisHandler::builder().add_shardid_to_partitions(true).build();
        let usual = [
            record("key", "495", "SGk=", "1480641523.477", 2),
            record("é/:{}", "496", "", "1480641523", 2),
            record("", "497", "SGk=", "0.5", 3),
            record("key", "498", "not base64", "1480641523.4775", 2),
            record("key", "499", "SGk=", "123456789012345.25", 2).replace("us-east-1", "eu-west-1"),
            // In another order, with another member.
            record("key", "500", "SGk=", "1480641523.47", 2).replacen('{', r#"{"more":[{"data":1}],"#, 1),
        ];
        for end in 1..=usual.len() {
            let json = format!("{{\"Records\":[{}]}}", usual[..end].join(","));
            assert!(both_ways(&handler, &json), "{json}");
            for cut in 0..json.len() {
                let cut = json.get(..cut).unwrap_or_default();
                assert!(!both_ways(&handler, cut) && handler.read(cut.as_bytes()).is_err(), "{cut}");
            }
        }
        let unusual = [
            record(r"a\u0031", "495", "SGk=", "1480641523.477", 2),
            record("key", "495", r"SGk\/", "1480641523.477", 2),
            record("key", "495", "SGk=", "14e8", 2),
            record("key", "495", "SGk=", "null", 2),
            record("key", "495", "SGk=", "1480641523.477", 2).replace(":495", ""),
            record("key", "495", "SGk=", "1480641523.477", 2).replace(r#""partitionKey":"key","#, ""),
            record("key", "495", "SGk=", "1480641523.477", 2).replace("\"SGk=\"", "null"),
            record("key", "495", "SGk=", "1480641523.477", 2).replace(':', ": "),
            r#"{"kinesis":{}}"#.to_owned(),
        ];
        for record in unusual {
            for records in [record.clone(), [usual[0].clone(), record.clone()].join(",")] {
                let json = format!("{{\"Records\":[{records}]}}");
                assert!(both_ways(&handler, &json) || handler.read(json.as_bytes()).is_ok(), "{json}");
            }
        }
        for json in [
            "[]",
            "{",
            r#"{"Records":null}"#,
            r#"{"Records":[1]}"#,
            r#"{"Records":[{"kinesis":{"data":5}}]}"#,
            r#"{"Records":[{}]}"#,
            &format!("{{\"Records\":[{}]}}", [&usual[0], "{}"].join(",")),
            &format!("{{\"Records\":[{}]}}", [&usual[0], ""].join(",")),
            &format!("{{\"Records\":[{}]}}", usual[0].replace("1480641523.477", "01480641523.477")),
            &format!(
                "{{\"Records\":[{}]}}",
                [&*usual[0], &usual[0].replace("1480641523.477", "01480641523.477")].join(",")
            ),
            &format!("{{\"Records\":[{}]}}", [&*usual[0], &usual[0].replace("key", "k\ny")].join(",")),
        ] {
            assert!(!both_ways(&handler, json), "{json}");
            handler.read(json.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn an_invocation_of_another_kind_is_refused_without_its_content() {
        let error = KinesisHandler::builder().build().read(br#"{"Records":[{"s3":{"secret":1}}]}"#).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
