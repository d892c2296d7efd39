//! What S3 announces: notifications of objects, as they come directly, by SNS, SQS, SNS and then SQS, or `EventBridge`.
//!
//! | in | stands |
//! | --- | --- |
//! | an invocation | a notification, messages of SNS, messages of SQS, an event of `EventBridge` |
//! | a message of SQS | a notification, SNS's envelope of one, an event of `EventBridge` |
//! | a message of SNS, its envelope | a notification, an event of `EventBridge` |

use super::{Batch, Body, NotOurs, OnFailure, Text, Trigger, moment};
use crate::event::{Context, Facts, Origin, OriginKind, S3Origin, hash_text, sha1_hex};
use serde::Deserialize;
use std::{borrow::Cow, fmt::Write as _};

/// What S3 sends once when notifications are set up.
pub(super) const TEST_EVENT: &str = "s3:TestEvent";

const REMOVED: Body<'static> = Body::Nothing("object removed");
const NO_ANNOUNCEMENT: Body<'static> = Body::Unreadable("the message is no announcement of S3");

/// Reads an invocation: a trigger for each object that it announces, in whatever envelope.
pub(super) fn batch(
    invocation: &[u8],
    source_name: &'static str,
    log_triggers: bool,
) -> Result<Batch<'static>, NotOurs> {
    let notice: Notice<'_> = super::read_json(invocation)?;
    let mut triggers = vec![];
    let mut on_failure = OnFailure::Whole;
    for record in notice.records.iter().flatten() {
        let (text, id, item) = match record {
            Record { body: Some(body), message_id, .. } => (body, message_id, true),
            Record { sns: Some(Sns { message, message_id }), .. } => (message, message_id, false),
            _ => continue,
        };
        let begin = triggers.len();
        let id = id.as_ref().map(|id| &*id.0).unwrap_or_default();
        if message(&text.0, source_name, item, &mut triggers).is_err() {
            triggers.truncate(begin);
            triggers.push(nothing(id.to_owned(), NO_ANNOUNCEMENT));
        } else if triggers.len() == begin {
            triggers.push(nothing(id.to_owned(), Body::Nothing("no object announced")));
        }
        if item {
            // The answer to Lambda knows messages, not objects.
            on_failure = OnFailure::Items;
            triggers[begin..].iter_mut().for_each(|trigger| trigger.id = id.to_owned().into());
        }
    }
    let in_messages = notice.records.iter().flatten().any(|record| record.sns.is_some() || record.body.is_some());
    if !in_messages {
        announced(notice, source_name, &mut triggers)?;
    }
    Ok(Batch { triggers, on_failure, log_triggers })
}

/// A message of SNS or SQS; those of SQS may hold the envelope of one of SNS.
fn message(
    text: &str,
    source_name: &'static str,
    of_queue: bool,
    out: &mut Vec<Trigger<'static>>,
) -> Result<(), NotOurs> {
    match super::read_json(text.as_bytes())? {
        Notice { message: Some(inner), .. } if of_queue => message(&inner.0, source_name, false, out),
        notice => announced(notice, source_name, out),
    }
}

/// Adds a trigger for each object that S3 itself announces.
fn announced(notice: Notice<'_>, source_name: &'static str, out: &mut Vec<Trigger<'static>>) -> Result<(), NotOurs> {
    let other = || NotOurs("it announces no object of S3".to_owned());
    match notice {
        Notice { event: Some(event), .. } if event.0 == TEST_EVENT => {
            out.push(nothing(TEST_EVENT.to_owned(), Body::Nothing(TEST_EVENT)));
        }
        Notice { records: Some(records), .. } => {
            for record in records {
                let Record { s3: Some(S3 { bucket, object }), event_name, event_time, aws_region, .. } = record else {
                    return Err(other());
                };
                let origin = origin(bucket, object, |key| key);
                let name = Text::or_empty(event_name);
                let removed = name.contains("ObjectRemoved") || name.contains("LifecycleExpiration");
                out.push(at(origin, source_name, aws_region, event_time, removed.then_some(REMOVED)));
            }
        }
        Notice { source: Some(source), detail_type: Some(kind), detail: Some(detail), region, time, .. }
            if source.0 == "aws.s3" =>
        {
            let Detail { bucket: Some(bucket), object: Some(object) } = detail else { return Err(other()) };
            // EventBridge has the key as it is: encoded, it is the same object as in a notification.
            let origin = origin(bucket, object, |key| encode(&key));
            let body = match &*kind.0 {
                "Object Created" => None,
                "Object Deleted" => Some(REMOVED),
                _ => Some(Body::Nothing("no object created")),
            };
            out.push(at(origin, source_name, region, time, body));
        }
        _ => return Err(other()),
    }
    Ok(())
}

/// A trigger with nothing to read.
fn nothing(id: String, body: Body<'static>) -> Trigger<'static> {
    Trigger { id: id.into(), facts: Facts::default(), source: Cow::Borrowed(""), group: None, body }
}

fn origin(bucket: Bucket<'_>, object: Object<'_>, key: impl FnOnce(String) -> String) -> S3Origin {
    let owned = |text: Option<Text<'_>>| text.map(|text| text.0.into_owned());
    S3Origin {
        bucket: bucket.name.0.into_owned(),
        key: key(object.key.0.into_owned()),
        version_id: owned(object.version_id),
        sequencer: owned(object.sequencer),
    }
}

/// An object to open, unless there is another thing to do.
fn at(
    origin: S3Origin,
    source_name: &'static str,
    region: Option<Text<'_>>,
    time: Option<Text<'_>>,
    body: Option<Body<'static>>,
) -> Trigger<'static> {
    let body = body.unwrap_or_else(|| match decode(&origin.key) {
        None => Body::Unreadable("the key is not URL-encoded UTF-8"),
        Some(key) => Body::Object {
            bucket: origin.bucket.clone(),
            key,
            version_id: origin.version_id.clone().filter(|id| !id.is_empty()),
        },
    });
    let arrival_ms = time.and_then(|time| moment(&time.0)).unwrap_or_default();
    trigger(origin, source_name, &Text::or_empty(region), arrival_ms, body)
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
    trigger(origin, source_name, &given.aws_region.unwrap_or_default(), arrival_ms, Body::Nothing("stands in"))
}

fn trigger(
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

/// Encodes a key as S3 does in notifications.
fn encode(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            // Writing to memory cannot fail.
            byte => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}

/// Any of the forms.
#[derive(Deserialize)]
struct Notice<'j> {
    #[serde(borrow, rename = "Event")]
    event: Option<Text<'j>>,
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<Record<'j>>>,
    #[serde(borrow, rename = "Message")]
    message: Option<Text<'j>>,
    #[serde(borrow)]
    source: Option<Text<'j>>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<Text<'j>>,
    #[serde(borrow)]
    region: Option<Text<'j>>,
    #[serde(borrow)]
    time: Option<Text<'j>>,
    #[serde(borrow)]
    detail: Option<Detail<'j>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'j> {
    #[serde(borrow)]
    aws_region: Option<Text<'j>>,
    #[serde(borrow)]
    event_time: Option<Text<'j>>,
    #[serde(borrow)]
    event_name: Option<Text<'j>>,
    #[serde(borrow)]
    s3: Option<S3<'j>>,
    #[serde(borrow, rename = "Sns")]
    sns: Option<Sns<'j>>,
    #[serde(borrow)]
    message_id: Option<Text<'j>>,
    #[serde(borrow)]
    body: Option<Text<'j>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sns<'j> {
    #[serde(borrow)]
    message_id: Option<Text<'j>>,
    #[serde(borrow)]
    message: Text<'j>,
}

#[derive(Deserialize)]
struct S3<'j> {
    #[serde(borrow)]
    bucket: Bucket<'j>,
    #[serde(borrow)]
    object: Object<'j>,
}

#[derive(Deserialize)]
struct Detail<'j> {
    #[serde(borrow)]
    bucket: Option<Bucket<'j>>,
    #[serde(borrow)]
    object: Option<Object<'j>>,
}

#[derive(Deserialize)]
struct Bucket<'j> {
    #[serde(borrow)]
    name: Text<'j>,
}

#[derive(Deserialize)]
struct Object<'j> {
    #[serde(borrow)]
    key: Text<'j>,
    #[serde(borrow, rename = "versionId", alias = "version-id")]
    version_id: Option<Text<'j>>,
    #[serde(borrow)]
    sequencer: Option<Text<'j>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_decoded_for_the_request_and_kept_for_the_name() {
        assert_eq!(decode("dir%3D1/a+b%2Bc/%C3%A9.log").as_deref(), Some("dir=1/a b+c/é.log"));
        assert_eq!(decode("100%"), None);
        assert_eq!(decode("%ff"), None);
    }
    /// Of a trigger its id, its object, and why it is not read.
    type Seen = (String, String, &'static str);

    /// What comes of an invocation.
    fn read(invocation: &serde_json::Value) -> Result<(OnFailure, Vec<Seen>), NotOurs> {
        let batch = batch(invocation.to_string().as_bytes(), "aws:s3", false)?;
        let triggers = batch.triggers.into_iter().map(|trigger| {
            let why = match trigger.body {
                Body::Nothing(why) | Body::Unreadable(why) => why,
                _ => "",
            };
            (trigger.id.into_owned(), trigger.source.into_owned(), why)
        });
        Ok((batch.on_failure, triggers.collect()))
    }

    fn notification(keys: &[&str]) -> serde_json::Value {
        let record =
            |key| json!({"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key}}});
        json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
    }

    fn bus(kind: &str, key: &str) -> serde_json::Value {
        let detail = json!({"bucket": {"name": "b"}, "object": {"key": key, "version-id": "v", "sequencer": "1"}});
        json!({"source": "aws.s3", "detail-type": kind, "region": "eu-west-1", "time": "1970-01-01T00:00:01Z", "detail": detail})
    }

    fn topic(message: &serde_json::Value) -> serde_json::Value {
        json!({"Type": "Notification", "MessageId": "t", "Message": message.to_string()})
    }

    fn queue(bodies: &[serde_json::Value]) -> serde_json::Value {
        let message = |(number, body): (usize, &serde_json::Value)| {
            let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
            json!({"messageId": format!("m{number}"), "eventSource": "aws:sqs", "body": body})
        };
        json!({"Records": bodies.iter().enumerate().map(message).collect::<Vec<_>>()})
    }

    #[test]
    fn an_announcement_is_understood_in_whatever_envelope() {
        let object = |id: &str| (id.to_owned(), "s3://b/k+1".to_owned(), "");
        let (plain, event) = (notification(&["k+1"]), bus("Object Created", "k 1"));
        let sns = json!({"Records": [{"Sns": {"MessageId": "t", "Message": plain.to_string()}}]});
        for direct in [plain.clone(), event.clone(), sns] {
            assert_eq!(read(&direct).unwrap(), (OnFailure::Whole, vec![object("s3://b/k+1")]), "{direct}");
        }
        for body in [plain.clone(), event.clone(), topic(&plain), topic(&event)] {
            assert_eq!(
                read(&queue(std::slice::from_ref(&body))).unwrap(),
                (OnFailure::Items, vec![object("m0")]),
                "{body}"
            );
        }
    }

    #[test]
    fn every_message_of_a_queue_is_worked_on_whatever_the_others_are() {
        let test = json!({"Service": "Amazon S3", "Event": "s3:TestEvent"});
        let bodies = [
            notification(&["a", "b"]),
            "hello".into(),
            topic(&test),
            bus("Object Deleted", "k"),
            notification(&[]),
            bus("Object Tags Added", "k"),
            topic(&topic(&notification(&["a"]))),
        ];
        let (_, triggers) = read(&queue(&bodies)).unwrap();
        let seen: Vec<_> = triggers.iter().map(|(id, source, why)| (&**id, &**source, *why)).collect();
        let right = [
            ("m0", "s3://b/a", ""),
            ("m0", "s3://b/b", ""),
            ("m1", "", "the message is no announcement of S3"),
            ("m2", "", "s3:TestEvent"),
            ("m3", "s3://b/k", "object removed"),
            ("m4", "", "no object announced"),
            ("m5", "s3://b/k", "no object created"),
            ("m6", "", "the message is no announcement of S3"),
        ];
        assert_eq!(seen, right);
    }

    #[test]
    fn an_event_of_another_service_is_refused() {
        let mut event = bus("EC2 Instance State-change Notification", "k");
        event["source"] = "aws.ec2".into();
        assert!(read(&event).is_err());
        assert!(read(&json!({"Records": [{"ses": {}}]})).is_err());
        assert!(read(&topic(&notification(&["k"]))).is_err(), "SNS never hands over its envelope for queues");
    }

    #[test]
    fn a_key_is_encoded_as_s3_does_it() {
        assert_eq!(encode("dir=1/a b+c/é.log"), "dir%3D1/a+b%2Bc/%C3%A9.log");
    }
}
