//! What queues and topics have in common: messages of FIFO ones, and what the answers to batches mean.
//!
//! Imports: `bounded`, `build`, `document_id`, `event`, `field`, `payload`, `ports`.

use super::{Limits, Load, UnitVerdict, Verdict};
use crate::{
    bounded::Bounded,
    build::BuildError,
    document_id::DocumentId,
    event::{Event, OriginKind, hash_text, sha1_hex},
    field,
    ports::{Answer, Message},
};
use bytes::Bytes;
use payload::{Output, Path};
use std::borrow::Cow;

/// How messages of a FIFO queue or topic get their group.
#[derive(Debug)]
pub struct Fifo {
    group: Option<Path>,
}

/// Whether a queue or topic keeps an order: AWS's rule, letter for letter.
fn is_fifo(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

/// How much the queue or topic of this name takes in a call of up to so many bytes.
pub(super) fn limits(name: &str, call_bytes: usize, threads: Bounded<1, 256>) -> Limits {
    let fifo = is_fifo(name);
    Limits {
        event_bytes: call_bytes,
        units: 10,
        bytes: call_bytes,
        threads: if fifo { 1 } else { threads.size() },
        by_partition: false,
        ordered: fifo,
        ..Limits::default()
    }
}

/// Characters of a group or deduplication id.
const MOST_ID: usize = 128;

impl Fifo {
    /// None for a queue or topic that keeps no order, by its name. `group`: a path.
    pub(super) fn of(name: &str, group: Option<&str>) -> Result<Option<Self>, BuildError> {
        let group = group.map(field::path).transpose()?;
        Ok(is_fifo(name).then_some(Self { group }))
    }

    /// Writes what is to be known of an event when its message is made: of a FIFO queue or topic alone.
    pub(super) fn head(fifo: Option<&Self>, event: &Event<'_>, out: &mut Output) {
        if let Some(fifo) = fifo {
            fifo.write(event, out);
        }
    }

    fn write(&self, event: &Event<'_>, out: &mut Output) {
        let at_path = self.group.as_ref().and_then(|path| text_at(event, path));
        let by_origin = || match &event.facts.origin.kind {
            OriginKind::Kinesis(record) => record.shard_id.to_string(),
            OriginKind::S3(object) => format!("{}/{}", object.bucket, object.key),
            _ => "events".to_owned(),
        };
        let group = at_path.map_or_else(by_origin, Cow::into_owned);
        let sound = (1..=MOST_ID).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_graphic());
        if sound {
            put(out, &group);
        } else {
            put(out, hash_text(&sha1_hex(group.as_bytes())));
        }
        put(out, &DocumentId::Origin.of(event).unwrap_or_default());
    }
}

/// The text or number at a path.
pub(super) fn text_at<'e>(event: &'e Event<'_>, path: &Path) -> Option<Cow<'e, str>> {
    let value = event.payload.get(path)?;
    value.as_str().or_else(|| value.number_text().map(Cow::Borrowed))
}

/// Writes a text behind its length, 64 KiB of it at most.
pub(super) fn put(out: &mut Output, text: &str) {
    let text = if text.len() > usize::from(u16::MAX) { "" } else { text };
    let length = u16::try_from(text.len()).unwrap_or_default();
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Takes back what [`put`] wrote, and gives the rest.
pub(super) fn take(mut bytes: Bytes) -> (String, Bytes) {
    let Some(&[high, low]) = bytes.first_chunk::<2>() else { return (String::new(), bytes) };
    let end = 2 + usize::from(u16::from_be_bytes([high, low]));
    if end > bytes.len() {
        return (String::new(), bytes);
    }
    let text = bytes.split_to(end).split_off(2);
    (String::from_utf8_lossy(&text).into_owned(), bytes)
}

/// The messages of a load.
pub(super) fn of_load(fifo: Option<&Fifo>, load: &Load<'_>) -> Vec<Message> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let message = |unit: Bytes| {
        if fifo.is_none() {
            return Message { body: text(&unit), fifo: None };
        }
        let (group, rest) = take(unit);
        let (deduplication, body) = take(rest);
        let hash = || hash_text(&sha1_hex(&body)).to_owned();
        let deduplication = if deduplication.is_empty() { hash() } else { deduplication };
        Message { body: text(&body), fifo: Some((group, deduplication)) }
    };
    load.units().map(message).collect()
}

/// What an answer to a batch means.
pub(super) fn judge(answer: &Answer) -> Verdict {
    match answer {
        Answer::Records(codes) if codes.iter().all(Option::is_none) => Verdict::Taken,
        Answer::Records(codes) => Verdict::Units(codes.iter().map(|code| unit(code.as_deref())).collect()),
        // Not a matter of the data: handed back when it does not get better.
        Answer::Refused { code, status } => match code.as_str() {
            code if is_of_data(code) || code.contains("TooLong") => Verdict::TooLarge("the messages were refused"),
            code if code.contains("NonExistent") || code.contains("DoesNotExist") || code.contains("NotFound") => {
                Verdict::Denied("it is not there")
            }
            code if code.contains("AccessDenied") || code == "AuthorizationError" => {
                Verdict::Denied("permission refused")
            }
            _ if *status == Some(413) => Verdict::TooLarge("the call was too large"),
            _ => Verdict::Again("the service is overloaded"),
        },
        _ => Verdict::Again("no answer"),
    }
}

fn unit(code: Option<&str>) -> UnitVerdict {
    match code {
        None => UnitVerdict::Taken,
        Some(code) if is_of_data(code) => UnitVerdict::Refused("the message was refused"),
        Some(_) => UnitVerdict::Again("the service failed"),
    }
}

/// Whether a code says that a message will never be taken.
fn is_of_data(code: &str) -> bool {
    matches!(
        code,
        "InvalidMessageContents"
            | "InvalidParameter"
            | "InvalidParameterValue"
            | "MissingParameter"
            | "ValidationError"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_before_an_event_is_taken_back() {
        let mut out = Output::new();
        put(&mut out, "group");
        put(&mut out, "");
        out.extend_from_slice(b"rest");
        let (group, rest) = take(Bytes::from(out.into_vec()));
        assert_eq!((group.as_str(), take(rest)), ("group", (String::new(), Bytes::from_static(b"rest"))));
        for cut in [&b""[..], b"\0", b"\0\x05abc"] {
            assert_eq!(take(Bytes::from_static(cut)).1, cut, "what was never put stays as it is");
        }
    }

    #[test]
    fn each_message_has_its_own_answer() {
        let codes = [None, Some("InvalidMessageContents"), Some("InternalError")].map(|code| code.map(str::to_owned));
        assert_eq!(
            judge(&Answer::Records(codes.to_vec())),
            Verdict::Units(vec![
                UnitVerdict::Taken,
                UnitVerdict::Refused("the message was refused"),
                UnitVerdict::Again("the service failed")
            ])
        );
        let refused = |code: &str| judge(&Answer::Refused { code: code.into(), status: Some(400) });
        assert!(matches!(refused("AWS.SimpleQueueService.NonExistentQueue"), Verdict::Denied(_)));
        assert!(matches!(refused("AWS.SimpleQueueService.BatchRequestTooLong"), Verdict::TooLarge(_)));
        assert!(matches!(refused("AuthorizationError"), Verdict::Denied(_)));
        assert!(matches!(refused("ThrottlingException"), Verdict::Again(_)));
    }
}
