//! What S3 announces: notifications of objects, as they come directly or inside a message of SNS.

use super::{Body, NotOurs, Trigger, moment};
use crate::event::{Context, Facts, Origin, OriginKind, S3Origin, hash_text, sha1_hex};
use serde::Deserialize;
use std::borrow::Cow;

/// What S3 sends once when notifications are set up.
pub(super) const TEST_EVENT: &str = "s3:TestEvent";

/// Adds a trigger for each object that a notification announces.
pub(super) fn triggers(json: &[u8], source_name: &'static str, out: &mut Vec<Trigger<'_>>) -> Result<(), NotOurs> {
    match super::read_json(json)? {
        Notification { event: Some(event), .. } if event == TEST_EVENT => {
            out.push(nothing(TEST_EVENT.to_owned(), Body::Nothing(TEST_EVENT)));
        }
        Notification { records: Some(records), .. } => out.extend(records.into_iter().map(|r| trigger(r, source_name))),
        _ => return Err(NotOurs("it has no `Records`".to_owned())),
    }
    Ok(())
}

/// A trigger with nothing to read.
pub(super) fn nothing(id: String, body: Body<'static>) -> Trigger<'static> {
    Trigger { id: id.into(), facts: Facts::default(), source: Cow::Borrowed(""), group: None, body }
}

fn trigger(record: Record, source_name: &'static str) -> Trigger<'static> {
    let Bucket { name: bucket } = record.s3.bucket;
    let Object { key, version_id, sequencer } = record.s3.object;
    let body = match decode(&key) {
        _ if record.event_name.contains("ObjectRemoved") || record.event_name.contains("LifecycleExpiration") => {
            Body::Nothing("object removed")
        }
        None => Body::Unreadable("the key is not URL-encoded UTF-8"),
        Some(decoded) => Body::Object {
            bucket: bucket.clone(),
            key: decoded,
            version_id: version_id.clone().filter(|id| !id.is_empty()),
        },
    };
    let origin = S3Origin { bucket, key, version_id, sequencer };
    let arrival_ms = record.event_time.as_deref().and_then(moment).unwrap_or_default();
    at(origin, source_name, &record.aws_region.unwrap_or_default(), arrival_ms, body)
}

/// The trigger that a local file is, called `name` in a bucket called `local` unless the context says otherwise.
pub(super) fn stand_in(context: &Context, name: &str, source_name: &'static str) -> Trigger<'static> {
    let given = context.s3.clone().unwrap_or_default();
    let origin = S3Origin {
        bucket: given.bucket.unwrap_or_else(|| "local".to_owned()),
        key: given.key.unwrap_or_else(|| name.to_owned()),
        version_id: given.version_id,
        sequencer: None,
    };
    let arrival_ms = given.event_time.as_deref().and_then(moment).or(context.now_ms).unwrap_or_default();
    at(origin, source_name, &given.aws_region.unwrap_or_default(), arrival_ms, Body::Nothing("stands in"))
}

fn at(
    origin: S3Origin,
    source_name: &'static str,
    region: &str,
    arrival_ms: i64,
    body: Body<'static>,
) -> Trigger<'static> {
    let source = format!("s3://{}/{}", origin.bucket, origin.key);
    let partition = Some(("__filename__", hash_text(&sha1_hex(origin.key.as_bytes())).into()));
    let origin = Origin { kind: OriginKind::S3(origin), source_name, region: region.into(), partition };
    let facts = Facts { origin, arrival_ms, ..Facts::default() };
    Trigger { id: source.clone().into(), facts, source: source.into(), group: None, body }
}

/// Undoes the URL encoding of a key: `+` is a blank.
fn decode(key: &str) -> Option<String> {
    let mut out = Vec::with_capacity(key.len());
    let mut bytes = key.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|digit| char::from(digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(out).ok()
}

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    aws_region: Option<String>,
    event_time: Option<String>,
    #[serde(default)]
    event_name: String,
    s3: S3,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    key: String,
    version_id: Option<String>,
    sequencer: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_decoded_for_the_request_and_kept_for_the_name() {
        assert_eq!(decode("dir%3D1/a+b%2Bc/%C3%A9.log").as_deref(), Some("dir=1/a b+c/é.log"));
        assert_eq!(decode("100%"), None);
        assert_eq!(decode("%ff"), None);
    }
}
