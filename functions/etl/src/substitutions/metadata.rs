//! `MetadataSubstitution`: what is known about the event beside its payload.
//!
//! Imports: `build`, `component`, `event`.

use super::{
    Key, Keys, Place, Substitution,
    selection::{object, selected},
    yes,
};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Facts, Fault, OriginKind},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Puts an object under a key that says what is known about the event beside its content. What is not known is left out.
///
/// | member | is |
/// | --- | --- |
/// | `arrivalEpochMs` | when it arrived at AWS; this and all times are milliseconds since 1970 |
/// | `eventEpochMs`, `sourceLagMs` | the event's own time, and how much later it arrived; only behind an operation that found the time |
/// | `eventSha1Hash` | SHA-1 of the text that it was read from, or of the element that a split made it of |
/// | `eventSource`, `eventSourceArn`, `eventID`, `awsRegion` | of the record or message that it came in; not of an object |
/// | `partitionKey`, `sequenceNumber` | of its Kinesis record |
/// | `eventName`, `sequenceNumber` | of its DynamoDB record |
/// | `s3Bucket`, `s3Key`, `s3KeyVersion` | of its S3 object; the key is URL-encoded, as S3 announces it |
///
/// # Unlike Bender
///
/// - The events of a split know what their record or object was. (Bender's forget it.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct MetadataSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// The members to write; all of them if none is named. Names that there are not are passed over.
    #[serde(default)]
    #[builder(default)]
    pub includes: Vec<String>,
    /// Members not to write.
    #[serde(default)]
    #[builder(default)]
    pub excludes: Vec<String>,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

const HASH: &str = "eventSha1Hash";
const MEMBERS: [&str; 14] = [
    "arrivalEpochMs",
    "eventEpochMs",
    "sourceLagMs",
    HASH,
    "eventSource",
    "eventSourceArn",
    "eventID",
    "eventName",
    "awsRegion",
    "partitionKey",
    "sequenceNumber",
    "s3Bucket",
    "s3Key",
    "s3KeyVersion",
];

fn member(facts: &Facts, name: &str) -> Option<Value> {
    match name {
        "arrivalEpochMs" => return Some(facts.arrival_ms.into()),
        "eventEpochMs" => return facts.time_ms.map(Value::from),
        "sourceLagMs" => return facts.time_ms.map(|time_ms| facts.arrival_ms.saturating_sub(time_ms).into()),
        HASH => return Some(facts.hash_text().into()),
        _ => {}
    }
    let origin = &facts.origin;
    let text = |text: &str| Some(Value::from(text));
    match (name, &origin.kind) {
        ("s3Bucket", OriginKind::S3(object)) => text(&object.bucket),
        ("s3Key", OriginKind::S3(object)) => text(&object.key),
        ("s3KeyVersion", OriginKind::S3(object)) => object.version_id.as_deref().and_then(text),
        // Bender knows no more of an object.
        (_, OriginKind::S3(_) | OriginKind::None) => None,
        ("awsRegion", _) => text(&origin.region),
        ("eventSource", OriginKind::Kinesis(record)) => record.event_source.as_deref().and_then(text),
        ("eventSource", OriginKind::Dynamodb(record)) => record.event_source.as_deref().and_then(text),
        ("eventSource", _) => text(origin.source_name),
        ("eventSourceArn", OriginKind::Kinesis(record)) => text(&record.stream_arn),
        ("eventSourceArn", OriginKind::Dynamodb(record)) => text(&record.stream_arn),
        ("eventSourceArn", OriginKind::Sqs(message) | OriginKind::Sns(message)) => text(&message.arn),
        ("eventSourceArn", OriginKind::Firehose(record)) => text(&record.stream_arn),
        ("eventID", OriginKind::Kinesis(record)) => text(&format!("{}:{}", record.shard_id, record.sequence_number)),
        ("eventID", OriginKind::Dynamodb(record)) => record.event_id.as_deref().and_then(text),
        ("eventID", OriginKind::Sqs(message) | OriginKind::Sns(message)) => text(&message.message_id),
        ("eventID", OriginKind::EventBridge(event)) => text(&event.event_id),
        ("eventID", OriginKind::Logs(event)) => text(&event.event_id),
        ("eventID", OriginKind::Firehose(record)) => text(&record.record_id),
        ("eventName", OriginKind::Dynamodb(record)) => record.event_name.as_deref().and_then(text),
        ("sequenceNumber", OriginKind::Kinesis(record)) => text(&record.sequence_number),
        ("sequenceNumber", OriginKind::Dynamodb(record)) => text(&record.sequence_number),
        ("partitionKey", OriginKind::Kinesis(record)) => record.partition_key.as_deref().and_then(text),
        _ => None,
    }
}

impl Component for MetadataSubstitution {
    const NAME: &'static str = "MetadataSubstitution";
    const EXAMPLE: &'static str =
        "type: MetadataSubstitution\nkey: $.origin\nincludes: [arrivalEpochMs, eventSourceArn, sequenceNumber]\n";
}

impl Substitution for MetadataSubstitution {
    type State = (Key, Vec<&'static str>);

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<Self::State, BuildError> {
        Ok((keys.read(&self.key)?, selected(&MEMBERS, &self.includes, &self.excludes)))
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn wants_hash(&self) -> bool {
        selected(&[HASH], &self.includes, &self.excludes) == [HASH]
    }

    fn substitute(
        &self,
        (key, names): &mut Self::State,
        event: &mut Event<'_>,
        place: &mut Place<'_>,
    ) -> Result<(), Fault> {
        let made = object(names, |name| member(event.facts, name));
        place.put(event, key, made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Origin, S3Origin},
        substitutions::testing::substituted,
    };

    #[test]
    fn an_event_says_where_it_is_from_and_when() {
        let object = S3Origin { bucket: "b".into(), key: "a%2Bb".into(), ..S3Origin::default() };
        let mut facts = Facts {
            origin: Origin { kind: OriginKind::S3(object), ..Origin::default() },
            arrival_ms: 2000,
            time_ms: Some(500),
            hash: Some(crate::event::sha1_hex(b"x")),
            ..Facts::default()
        };
        let config = "[{type: MetadataSubstitution, key: m, excludes: [eventSha1Hash]},
            {type: MetadataSubstitution, key: h, includes: [eventSha1Hash, nope]}]";
        let expected = r#"{"m":{"arrivalEpochMs":2000,"eventEpochMs":500,"sourceLagMs":1500,"s3Bucket":"b","s3Key":"a%2Bb"},"h":{"eventSha1Hash":"11f6ad8ec52a2984abaafd7c3b516503785c2072"}}"#;
        assert_eq!(substituted(config, &mut facts, "{}").as_deref(), Ok(expected));
    }

    #[test]
    fn the_hash_is_made_only_where_it_is_written() {
        let with = |includes: &[&str], excludes: &[&str]| {
            let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            MetadataSubstitution::builder()
                .key("m")
                .includes(list(includes))
                .excludes(list(excludes))
                .build()
                .wants_hash()
        };
        assert_eq!(
            [with(&[], &[]), with(&[HASH], &[]), with(&["s3Key"], &[]), with(&[], &[HASH])],
            [true, true, false, false]
        );
    }
}
