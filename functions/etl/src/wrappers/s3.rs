//! `S3Wrapper`: an event with what is known of its S3 object.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::{Spelling, Wrapper, put_some};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, OriginKind, Place},
};
use bon::Builder;
use payload::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts an event from an S3 object into an object with these members, in this order; what is not known is left out:
///
/// | member | content |
/// | --- | --- |
/// | `function_name`, `function_version` | of the Lambda function |
/// | `processing_time` | when the invocation began; this and all times are milliseconds since 1970 |
/// | `processing_delay` | `processing_time` less `timestamp` |
/// | `timestamp` | the event's own time if an operation found one, else when the object was announced |
/// | `s3_key` | the object's key as the notification has it: URL-encoded |
/// | `s3_bucket`, `s3_key_version` | its bucket, and its version where the bucket keeps versions |
/// | `sha1_hash` | SHA-1 of the event as it was read, before any operation but a split, in hex |
/// | `payload` | the event |
///
/// The serializer's `field_naming_policy` says how the names are spelled. An event from elsewhere fails, and a config whose handler reads
/// something else is refused.
///
/// # Unlike Bender
///
/// - The events of a split or a fork have the facts of their object. (In Bender nothing of them is delivered.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct S3Wrapper {}

impl Component for S3Wrapper {
    const NAME: &'static str = "S3Wrapper";
    const EXAMPLE: &'static str = "type: S3Wrapper\n";
}

const KEYS: [&str; 10] = [
    "functionName",
    "functionVersion",
    "processingTime",
    "processingDelay",
    "timestamp",
    "s3Key",
    "s3Bucket",
    "s3KeyVersion",
    "sha1Hash",
    "payload",
];

impl Wrapper for S3Wrapper {
    /// The names of the members, in order.
    type State = [Name; 10];

    fn state(&self, _: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<[Name; 10], BuildError> {
        Ok(KEYS.map(|key| spelling.name(key)))
    }

    fn reads(&self) -> Option<Place> {
        Some(Place::S3)
    }

    fn wrap(&self, names: &mut [Name; 10], event: &mut Event<'_>) -> Result<(), Fault> {
        let facts = &*event.facts;
        let OriginKind::S3(object) = &facts.origin.kind else {
            return Err(Fault::new("the event is not from an S3 object"));
        };
        let [function, function_version, processing, delay, timestamp, key, bucket, version, hash, payload] = names;
        event.payload.wrap(|envelope| {
            put_some(envelope, function, facts.context.function_name.as_deref());
            put_some(envelope, function_version, facts.context.function_version.as_deref());
            envelope.put(processing, facts.now_ms);
            envelope.put(delay, facts.now_ms.saturating_sub(facts.event_ms()));
            envelope.put(timestamp, facts.event_ms());
            envelope.put(key, object.key.as_str());
            envelope.put(bucket, object.bucket.as_str());
            put_some(envelope, version, object.version_id.as_deref());
            envelope.put(hash, facts.hash_text());
            envelope.put_payload(payload);
        })?;
        Ok(())
    }

    fn wants_hash(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Facts, Origin, S3Origin},
        testing::wrap,
    };

    #[test]
    fn an_event_gets_the_facts_of_its_object() {
        let object =
            S3Origin { bucket: "b".into(), key: "a%20b".into(), version_id: Some("v".into()), ..S3Origin::default() };
        let mut facts = Facts {
            now_ms: 100,
            arrival_ms: 90,
            hash: Some([b'0'; 40]),
            origin: Origin { kind: OriginKind::S3(object), ..Origin::default() },
            ..Facts::default()
        };
        let hash = "0".repeat(40);
        let expected = format!(
            r#"{{"processing_time":100,"processing_delay":10,"timestamp":90,"s3_key":"a%20b","s3_bucket":"b","s3_key_version":"v","sha1_hash":"{hash}","payload":{{}}}}"#
        );
        assert_eq!(wrap(&S3Wrapper {}, &mut facts, "{}").unwrap(), expected);
    }

    #[test]
    fn an_event_from_elsewhere_fails() {
        assert_eq!(
            wrap(&S3Wrapper {}, &mut Facts::default(), "{}").unwrap_err().reason,
            "the event is not from an S3 object"
        );
    }
}
