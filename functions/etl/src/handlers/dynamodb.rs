//! `DynamodbHandler`: changes of items, from the stream of a DynamoDB table.
//!
//! Imports: `component`, `event`.

use super::{
    Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger,
    attributes::{Item, Unreadable, string},
    yes,
};
use crate::{
    component::Component,
    event::{Context, DynamodbOrigin, Facts, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, sync::Arc};

/// Reads the changes of items from the stream of a DynamoDB table. Each change is one event.
///
/// The event is the stream's record with attributes as plain JSON: `{"Id": {"N": "101"}}` is `{"Id": 101}`. Its members are, as far as
/// the record has them, `eventSourceARN`, `eventID`, `eventName`, `eventVersion`, `eventSource`, `awsRegion`, and `dynamodb` with
/// `approximateCreationDateTime` (milliseconds since 1970), `keys`, `newImage`, `oldImage`, `sequenceNumber`, `sizeBytes`,
/// `streamViewType`. Numbers keep all their digits, sets are lists, binary is a list of its bytes, each from -128 to 127, and members
/// that are null are left out.
///
/// Events are sorted by their item: as the partition `__keys__`, which is the JSON of the item's keys, `{"Id":{"n":"101"}}`. A source is
/// chosen for each record by its stream's ARN.
///
/// # Delivery
///
/// When some records cannot be delivered, the answer to Lambda is a partial batch response that names the first of them: it and all after
/// it come again, those before it do not. The event source mapping must ask for that (`FunctionResponseTypes: [ReportBatchItemFailures]`,
/// which our triggers set), or Lambda takes the answer for success. So a change is read at least once, and nothing behind a record that
/// comes again is taken for safe. A record that cannot be read fails alone, and the shard goes on.
///
/// # Unlike Bender
///
/// - A record that does not say when the item changed is taken to have changed now. (Bender hangs on it until Lambda ends the function.)
/// - Many items in an invocation cost memory up to one bound, and no more. (Bender keeps a buffer for every item.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct DynamodbHandler {
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
    #[serde(default = "super::s3::queue_size")]
    #[builder(default = super::s3::queue_size())]
    pub queue_size: u32,
}

impl Component for DynamodbHandler {
    const NAME: &'static str = "DynamodbHandler";
    const EXAMPLE: &'static str = "type: DynamodbHandler\n";
}

impl Handler for DynamodbHandler {
    fn gives(&self) -> Place {
        Place::Dynamodb
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let invocation: Invocation<'j> = super::read_json(invocation)?;
        let mut last = Stream::default();
        let triggers = invocation.records.into_iter().map(|record| trigger(record, &mut last)).collect();
        Ok(Batch { triggers, on_failure: OnFailure::Suffix, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let mut last = Stream::default();
        last.choose(STAND_IN_ARN, None, None);
        let origin = DynamodbOrigin { sequence_number: number.to_string(), ..DynamodbOrigin::default() };
        let arrival_ms = context.now_ms.unwrap_or_default();
        let facts = Facts { origin: last.origin(origin, None), arrival_ms, ..Facts::default() };
        let source = Cow::Borrowed(STAND_IN_ARN);
        Trigger { id: number.to_string().into(), facts, source, group: None, body: Body::Nothing("stands in") }
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

const STAND_IN_ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/local/stream/2026-01-01T00:00:00.000";
const UNREADABLE: &str = "an attribute of the item cannot be read";

fn trigger<'j>(record: Record<'j>, last: &mut Stream) -> Trigger<'j> {
    let (text, keys) = (plain(&record), record.dynamodb.keys.map(|keys| Item::read(keys.get())?.typed()));
    let source = Text::or_empty(record.event_source_arn);
    let sequence = Text::or_empty(record.dynamodb.sequence_number);
    last.choose(
        &source,
        record.aws_region.as_ref().map(|region| &*region.0),
        record.event_source.as_ref().map(|source| &*source.0),
    );
    let owned = |text: Option<Text<'j>>| text.map(|text| text.0.into_owned());
    let origin = DynamodbOrigin {
        sequence_number: sequence.clone().into_owned(),
        event_id: owned(record.event_id),
        event_name: owned(record.event_name),
        ..DynamodbOrigin::default()
    };
    let arrival_ms = super::millis(record.dynamodb.approximate_creation_date_time);
    let (body, keys) = match (text, keys.transpose()) {
        (Ok(text), Ok(keys)) => (Body::Bytes(Cow::Owned(text)), keys),
        _ => (Body::Unreadable(UNREADABLE), None),
    };
    let facts = Facts { origin: last.origin(origin, keys), arrival_ms, ..Facts::default() };
    Trigger { id: sequence, facts, source, group: None, body }
}

/// The record as Bender writes it.
fn plain(record: &Record<'_>) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::with_capacity(512);
    let mut members = Members { out: &mut out, next: b'{' };
    members.text("eventSourceARN", record.event_source_arn.as_ref())?;
    members.text("eventID", record.event_id.as_ref())?;
    members.text("eventName", record.event_name.as_ref())?;
    members.text("eventVersion", record.event_version.as_ref())?;
    members.text("eventSource", record.event_source.as_ref())?;
    members.text("awsRegion", record.aws_region.as_ref())?;
    members.name("dynamodb");
    let change = &record.dynamodb;
    let mut inner = Members { out: &mut *members.out, next: b'{' };
    if change.approximate_creation_date_time.is_some() {
        inner.name("approximateCreationDateTime");
        let millis = super::millis(change.approximate_creation_date_time);
        inner.out.extend_from_slice(itoa::Buffer::new().format(millis).as_bytes());
    }
    inner.item("keys", change.keys)?;
    inner.item("newImage", change.new_image)?;
    inner.item("oldImage", change.old_image)?;
    inner.text("sequenceNumber", change.sequence_number.as_ref())?;
    if let Some(size) = change.size_bytes {
        inner.name("sizeBytes");
        inner.out.extend_from_slice(itoa::Buffer::new().format(size).as_bytes());
    }
    inner.text("streamViewType", change.stream_view_type.as_ref())?;
    inner.end();
    members.end();
    Ok(out)
}

/// An object that is being written.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    next: u8,
}

impl Members<'_> {
    fn name(&mut self, name: &str) {
        self.out.extend_from_slice(&[std::mem::replace(&mut self.next, b','), b'"']);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn text(&mut self, name: &str, text: Option<&Text<'_>>) -> Result<(), Unreadable> {
        let Some(Text(text)) = text else { return Ok(()) };
        self.name(name);
        string(text, self.out)
    }

    fn item(&mut self, name: &str, item: Option<&RawValue>) -> Result<(), Unreadable> {
        let Some(item) = item else { return Ok(()) };
        self.name(name);
        Item::read(item.get())?.plain(self.out)
    }

    fn end(self) {
        if self.next == b'{' {
            self.out.push(b'{');
        }
        self.out.push(b'}');
    }
}

/// What the records of one stream have in common.
#[derive(Default)]
struct Stream {
    arn: Arc<str>,
    region: Arc<str>,
    source: Option<Arc<str>>,
}

impl Stream {
    fn choose(&mut self, arn: &str, region: Option<&str>, source: Option<&str>) {
        if *self.arn != *arn {
            self.arn = arn.into();
            self.region = region.unwrap_or_else(|| super::region_of(arn)).into();
        }
        if self.source.as_deref() != source {
            self.source = source.map(Into::into);
        }
    }

    fn origin(&self, record: DynamodbOrigin, keys: Option<String>) -> Origin {
        let record = DynamodbOrigin { stream_arn: Arc::clone(&self.arn), event_source: self.source.clone(), ..record };
        Origin {
            kind: OriginKind::Dynamodb(record),
            source_name: "aws:dynamodb",
            region: Arc::clone(&self.region),
            partition: keys.map(|keys| ("__keys__", keys.into())),
        }
    }
}

#[derive(Deserialize)]
struct Invocation<'j> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'j>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'j> {
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Option<Text<'j>>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<Text<'j>>,
    #[serde(borrow)]
    event_name: Option<Text<'j>>,
    #[serde(borrow)]
    event_version: Option<Text<'j>>,
    #[serde(borrow)]
    event_source: Option<Text<'j>>,
    #[serde(borrow)]
    aws_region: Option<Text<'j>>,
    #[serde(borrow)]
    dynamodb: Change<'j>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change<'j> {
    approximate_creation_date_time: Option<f64>,
    #[serde(borrow)]
    keys: Option<&'j RawValue>,
    #[serde(borrow)]
    new_image: Option<&'j RawValue>,
    #[serde(borrow)]
    old_image: Option<&'j RawValue>,
    #[serde(borrow)]
    sequence_number: Option<Text<'j>>,
    size_bytes: Option<u64>,
    #[serde(borrow)]
    stream_view_type: Option<Text<'j>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dynamodb: &str) -> (Result<String, &'static str>, Facts) {
        let json = format!(
            r#"{{"Records":[{{"eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/t","dynamodb":{dynamodb}}}]}}"#
        );
        let trigger = DynamodbHandler::builder().build().read(json.as_bytes()).unwrap().triggers.remove(0);
        let body = match trigger.body {
            Body::Bytes(bytes) => Ok(String::from_utf8(bytes.into_owned()).unwrap()),
            Body::Unreadable(reason) => Err(reason),
            other => panic!("{other:?}"),
        };
        (body, trigger.facts)
    }

    #[test]
    fn a_change_is_an_event_sorted_by_its_item() {
        let (body, facts) = read(
            r#"{"ApproximateCreationDateTime":1700000001.5,"Keys":{"Id":{"N":"101"},"k":{"S":"a\"b"}},"SequenceNumber":"111","SizeBytes":26}"#,
        );
        let expected = r#"{"eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/t","dynamodb":{"approximateCreationDateTime":1700000001500,"keys":{"Id":101,"k":"a\"b"},"sequenceNumber":"111","sizeBytes":26}}"#;
        assert_eq!(body.as_deref(), Ok(expected));
        assert_eq!((facts.arrival_ms, &*facts.origin.region), (1_700_000_001_500, "eu-west-1"));
        let keys = r#"{"Id":{"n":"101"},"k":{"s":"a\"b"}}"#;
        assert_eq!(facts.partitions().collect::<Vec<_>>(), [("__keys__", Some(keys))]);
    }

    #[test]
    fn a_change_of_unknown_time_is_not_lost() {
        let (body, facts) = read("{}");
        assert_eq!(body.as_deref(), Ok(r#"{"eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/t","dynamodb":{}}"#));
        assert_eq!(facts.arrival_ms, 0, "which is known to the pipeline as unknown");
    }

    #[test]
    fn an_attribute_of_no_known_type_is_a_fault_of_its_record() {
        assert_eq!(read(r#"{"NewImage":{"a":{"Q":"1"}}}"#).0, Err(UNREADABLE));
        assert_eq!(read(r#"{"NewImage":{"a":{}}}"#).0, Err(UNREADABLE));
        assert_eq!(read(r#"{"Keys":7}"#).0, Err(UNREADABLE));
    }
}
