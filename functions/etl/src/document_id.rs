//! `document_id`: how a far side that knows documents by an id is told the same id on every delivery of an event.
//!
//! Imports: `event`, `payload`.

use crate::event::{Event, Fault, OriginKind, hash_text, hex};
use payload::{Path, PathError, Value};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha1::{Digest as _, Sha1};
use std::{borrow::Cow, str::FromStr};

/// Elasticsearch takes ids of up to this many bytes.
pub const MAX_BYTES: usize = 512;

const NO_ORIGIN: Fault = Fault::new("the event has no origin to make an id of");
const NO_ID: Fault = Fault::new("there is nothing at the path of the id");
const NO_TEXT: Fault = Fault::new("what is at the path of the id is neither text nor number");
const EMPTY: Fault = Fault::new("the id is empty");
const TOO_LONG: Fault = Fault::new("the id is longer than 512 bytes");

/// How a document gets its id.
///
/// - `hash`: SHA-1 of the event as it was read (`use_hashid: true` in Bender). Two events with the same text are one document.
/// - `origin`: made of where the event was read, and of its place in each array that was split. Two deliveries of one event are one
///   document, two equal events are two. Where it was read is: of Kinesis and DynamoDB the stream, shard and sequence number (and the
///   place in an aggregate); of an object its bucket, key, version and the offset; of SQS, SNS, EventBridge, CloudWatch Logs and
///   Firehose the queue, topic, log group or stream and the id that AWS gave the message, event or record.
/// - a path, such as `$.event.id`: what is there in the event as it is delivered, the wrapper's envelope included. An event that has
///   neither text nor number there, or an empty one, or one of more than 512 bytes, fails.
#[derive(Clone, Debug)]
pub enum DocumentId {
    /// Of the event's text.
    Hash,
    /// Of where it was read.
    Origin,
    /// What is at a path.
    Field(Path),
}

impl DocumentId {
    /// Whether it needs [`Facts::hash`](crate::event::Facts::hash).
    pub fn wants_hash(&self) -> bool {
        matches!(self, Self::Hash)
    }

    /// Whether equal ids mean equal documents, so that it does not matter in which order they arrive.
    pub fn is_of_content(&self) -> bool {
        !matches!(self, Self::Field(_))
    }

    /// The id of an event, not escaped: 512 bytes at most.
    pub fn of<'e>(&self, event: &'e Event<'_>) -> Result<Cow<'e, str>, Fault> {
        match self {
            Self::Hash => Ok(Cow::Borrowed(event.facts.hash_text())),
            Self::Origin => origin_id(event).map(Cow::Owned),
            Self::Field(path) => {
                let value = event.payload.get(path).filter(|value| !value.is_null()).ok_or(NO_ID)?;
                let id = text(value).ok_or(NO_TEXT)?;
                match id.len() {
                    0 => Err(EMPTY),
                    1..=MAX_BYTES => Ok(id),
                    _ => Err(TOO_LONG),
                }
            }
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Hash => "hash",
            Self::Origin => "origin",
            Self::Field(path) => path.as_str(),
        }
    }
}

fn text(value: Value<'_>) -> Option<Cow<'_, str>> {
    value.as_str().or_else(|| value.number_text().map(Cow::Borrowed))
}

/// SHA-1 of the origin, in hex. Parts are kept apart by a byte that none of them can hold.
fn origin_id(event: &Event<'_>) -> Result<String, Fault> {
    let facts = &*event.facts;
    let mut hash = Sha1::new();
    let mut part = |text: &str| {
        hash.update(text);
        hash.update([0xff]);
    };
    match &facts.origin.kind {
        OriginKind::None => return Err(NO_ORIGIN),
        OriginKind::Kinesis(record) => {
            ["kinesis", &record.stream_arn, &record.shard_id, &record.sequence_number].into_iter().for_each(&mut part);
            part(&record.sub_sequence.map(|number| number.to_string()).unwrap_or_default());
        }
        OriginKind::S3(object) => {
            let version = object.version_id.as_deref().or(object.sequencer.as_deref()).unwrap_or_default();
            ["s3", &object.bucket, &object.key, version].into_iter().for_each(&mut part);
            part(itoa::Buffer::new().format(facts.offset));
        }
        OriginKind::Dynamodb(record) => {
            ["dynamodb", &record.stream_arn, &record.sequence_number].into_iter().for_each(&mut part);
            part(record.event_id.as_deref().unwrap_or_default());
        }
        OriginKind::Sqs(message) => ["sqs", &message.arn, &message.message_id].into_iter().for_each(&mut part),
        OriginKind::Sns(message) => ["sns", &message.arn, &message.message_id].into_iter().for_each(&mut part),
        OriginKind::EventBridge(event) => {
            let parts = ["events", &event.account, &event.source, &event.event_id];
            parts.into_iter().for_each(&mut part);
        }
        OriginKind::Logs(event) => {
            let parts = ["logs", &event.owner, &event.log_group, &event.log_stream, &event.event_id];
            parts.into_iter().for_each(&mut part);
        }
        OriginKind::Firehose(record) => {
            ["firehose", &record.stream_arn, &record.record_id].into_iter().for_each(&mut part);
        }
    }
    for element in &facts.elements {
        part(itoa::Buffer::new().format(*element));
    }
    Ok(hash_text(&hex(&hash.finalize().into())).to_owned())
}

impl FromStr for DocumentId {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Ok(match text {
            "hash" => Self::Hash,
            "origin" => Self::Origin,
            path => Self::Field(Path::new(path)?),
        })
    }
}
impl PartialEq for DocumentId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Serialize for DocumentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for DocumentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
impl JsonSchema for DocumentId {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "DocumentId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "format": "document-id" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Facts, FirehoseOrigin, KinesisOrigin, LogOrigin, MessageOrigin, Origin, S3Origin};
    use payload::Arena;

    fn id(how: &str, json: &str, facts: &Facts) -> Result<String, &'static str> {
        let mut arena = Arena::new();
        let payload = arena.parse_slice(json.as_bytes()).unwrap();
        let event = Event { payload, facts: &mut facts.clone() };
        how.parse::<DocumentId>().unwrap().of(&event).map(Cow::into_owned).map_err(|fault| fault.reason)
    }

    fn object(key: &str, version: &str, offset: u64, elements: &[u32]) -> Facts {
        let object =
            S3Origin { bucket: "b".into(), key: key.into(), version_id: Some(version.into()), sequencer: None };
        let origin = Origin { kind: OriginKind::S3(object), ..Origin::default() };
        Facts { origin, offset, elements: elements.into(), ..Facts::default() }
    }

    fn of(kind: OriginKind) -> Facts {
        Facts { origin: Origin { kind, ..Origin::default() }, ..Facts::default() }
    }

    #[test]
    fn the_id_of_an_origin_is_the_same_every_time_and_another_one_for_every_place() {
        let record = |sequence: &str, shard: &str| {
            let record =
                KinesisOrigin { sequence_number: sequence.into(), shard_id: shard.into(), ..KinesisOrigin::default() };
            of(OriginKind::Kinesis(record))
        };
        let message = || MessageOrigin { arn: "a".into(), message_id: "m".into() };
        let places = [
            object("k", "v", 0, &[]),
            object("k", "v", 1, &[]),
            object("k", "v", 0, &[0]),
            object("k", "v", 0, &[0, 1]),
            object("k", "w", 0, &[]),
            object("kv", "", 0, &[]),
            record("12", "s"),
            record("2", "s1"),
            of(OriginKind::Sqs(message())),
            of(OriginKind::Sns(message())),
            of(OriginKind::Sqs(MessageOrigin { message_id: "n".into(), ..message() })),
            of(OriginKind::Logs(LogOrigin { event_id: "1".into(), ..LogOrigin::default() })),
            of(OriginKind::Logs(LogOrigin { event_id: "2".into(), ..LogOrigin::default() })),
            of(OriginKind::Firehose(FirehoseOrigin { record_id: "1".into(), ..FirehoseOrigin::default() })),
        ];
        let ids: Vec<_> = places.iter().map(|facts| id("origin", "{}", facts).unwrap()).collect();
        assert!(ids.iter().all(|id| id.len() == 40));
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), places.len());
        assert_eq!(ids[0], id("origin", r#"{"other":1}"#, &places[0]).unwrap());
        assert_eq!(id("origin", "{}", &Facts::default()), Err(NO_ORIGIN.reason));
    }

    #[test]
    fn a_field_is_an_id_if_it_is_text_or_a_number_of_up_to_512_bytes() {
        let id = |json: &str| id("$.a.id", json, &Facts::default());
        assert_eq!(id(r#"{"a":{"id":"\u0041\"b"}}"#).as_deref(), Ok("A\"b"));
        assert_eq!(id(r#"{"a":{"id":1.50}}"#).as_deref(), Ok("1.50"));
        assert_eq!(id(r#"{"a":{"id":[1]}}"#), Err(NO_TEXT.reason));
        assert_eq!(id(r#"{"a":{"id":null}}"#), Err(NO_ID.reason));
        assert_eq!(id(r#"{"a":{"id":""}}"#), Err(EMPTY.reason));
        assert_eq!(id(&format!(r#"{{"a":{{"id":"{}"}}}}"#, "x".repeat(513))), Err(TOO_LONG.reason));
    }

    #[test]
    fn an_id_is_written_as_it_is_read() {
        for text in ["hash", "origin", "$.event.id"] {
            let id: DocumentId = serde_json::from_value(text.into()).unwrap();
            assert_eq!(serde_json::to_value(&id).unwrap(), text);
        }
    }
}
