//! Dead letters: events that failed, as they were received, with all that is needed to hand them over again.
//!
//! Imports: `event`.

mod origin;

use crate::event::{Facts, Origin, Stage};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The form that is written.
pub const FORM: u32 = 1;
/// A letter names at most so many elements; one about more is about the whole event.
pub(crate) const MOST_ELEMENTS: usize = 10_000;

/// An event that failed, as one JSON object.
///
/// It is what a config's `dead_letter` transport takes, and what `synth replay` and the function read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter<'a> {
    /// The form: [`FORM`].
    pub dead_letter: u32,
    /// When the invocation began, RFC 3339.
    pub time: Cow<'a, str>,
    /// The part of the pipeline that it was in.
    pub stage: Stage,
    /// The component that could not work on it, or the name of the transport that refused it.
    pub component: Cow<'a, str>,
    /// Why.
    pub reason: Cow<'a, str>,
    /// The name of the transport that it was on its way to, of several: the others have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Cow<'a, str>>,
    /// The name of the source.
    pub source: Cow<'a, str>,
    /// Where it was read: `kind`, and what finds it again.
    pub origin: Map<String, Value>,
    /// Where it begins in its object, in bytes after inflating.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: u64,
    /// When it arrived at AWS: milliseconds since 1970.
    pub arrival_ms: i64,
    /// What failed of it, if it was split: for each split that it went through, the number of the element. Empty: all of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elements: Vec<Vec<u32>>,
    /// Its text, if that is UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Cow<'a, str>>,
    /// Its bytes in base64, if they are not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_base64: Option<Cow<'a, str>>,
    /// How many bytes it has, if it is left out, as the transport takes no letter as large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out_bytes: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(offset: &u64) -> bool {
    *offset == 0
}

/// What failed, and how.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) stage: Stage,
    pub(crate) component: String,
    pub(crate) reason: &'static str,
    pub(crate) transport: Option<String>,
    pub(crate) elements: Vec<Vec<u32>>,
}

impl DeadLetter<'static> {
    /// A letter about an event; `text`: as it was received, if it could be read at all.
    pub(crate) fn of(facts: &Facts, source: &str, text: Option<&[u8]>, failure: Failure) -> Self {
        let Failure { stage, component, reason, transport, elements } = failure;
        let time = jiff::Timestamp::from_millisecond(facts.now_ms).unwrap_or_default();
        let utf8 = text.map(str::from_utf8);
        let base64 = |text: &[u8]| base64_simd::STANDARD.encode_to_string(text).into();
        Self {
            dead_letter: FORM,
            time: format!("{time:.3}").into(),
            stage,
            component: component.into(),
            reason: reason.into(),
            transport: transport.map(Into::into),
            source: source.to_owned().into(),
            origin: origin::write(&facts.origin),
            offset: facts.offset,
            arrival_ms: facts.arrival_ms,
            elements,
            event: utf8.and_then(|text| Some(text.ok()?.to_owned().into())),
            event_base64: text.filter(|_| utf8.is_some_and(|text| text.is_err())).map(base64),
            left_out_bytes: None,
        }
    }

    /// The same letter without the event.
    pub(crate) fn without_event(self) -> Self {
        let bytes = self.event().map(|event| event.len() as u64);
        Self { event: None, event_base64: None, left_out_bytes: bytes, ..self }
    }
}

impl<'a> DeadLetter<'a> {
    /// A letter about an event of a source that has not failed yet: it is from where the pipeline's own inputs are.
    pub fn about(event: &'a str, source: &'a str, arrival_ms: i64) -> Self {
        Self {
            dead_letter: FORM,
            time: "".into(),
            stage: Stage::Source,
            component: "".into(),
            reason: "".into(),
            transport: None,
            source: source.into(),
            origin: Map::new(),
            offset: 0,
            arrival_ms,
            elements: vec![],
            event: Some(event.into()),
            event_base64: None,
            left_out_bytes: None,
        }
    }
}

impl DeadLetter<'_> {
    /// The event as it was received; none if it could not be read or was left out, or its base64 is none.
    pub fn event(&self) -> Option<Cow<'_, [u8]>> {
        match (&self.event, &self.event_base64) {
            (Some(text), _) => Some(Cow::Borrowed(text.as_bytes())),
            (None, Some(text)) => base64_simd::STANDARD.decode_to_vec(text.as_bytes()).ok().map(Cow::Owned),
            (None, None) => None,
        }
    }

    /// Where it was read. What the letter does not say is as `like` has it.
    pub(crate) fn origin(&self, like: &Origin) -> Origin {
        origin::read(&self.origin, like)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{KinesisOrigin, OriginKind, S3Origin};

    fn letter(text: Option<&[u8]>, facts: &Facts) -> DeadLetter<'static> {
        let failure = Failure {
            stage: Stage::Operation,
            component: "TimeOperation".to_owned(),
            reason: "no time",
            transport: None,
            elements: vec![vec![3], vec![4, 1]],
        };
        DeadLetter::of(facts, "Events", text, failure)
    }

    #[test]
    fn a_letter_is_json_with_these_members() {
        let record =
            KinesisOrigin { stream_arn: "arn:s".into(), sequence_number: "7".into(), ..KinesisOrigin::default() };
        let origin = Origin { kind: OriginKind::Kinesis(record), region: "eu-west-1".into(), ..Origin::default() };
        let facts = Facts { origin, now_ms: 1_795_449_600_123, arrival_ms: 5, ..Facts::default() };
        let text = serde_json::to_string(&letter(Some(b"{\"a\":1}"), &facts)).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"dead_letter":1,"time":"2026-11-23T16:00:00.123Z","stage":"operation","component":"TimeOperation","reason":"no time","#,
                r#""source":"Events","origin":{"kind":"kinesis","region":"eu-west-1","stream_arn":"arn:s","shard_id":"","sequence_number":"7"},"#,
                r#""arrival_ms":5,"elements":[[3],[4,1]],"event":"{\"a\":1}"}"#
            )
        );
        let back: DeadLetter<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!(back.origin(&Origin::default()), facts.origin);
        assert_eq!(back.event().as_deref(), Some(b"{\"a\":1}".as_slice()));
    }

    #[test]
    fn what_is_no_text_comes_back_byte_for_byte_and_what_is_left_out_says_how_much() {
        let object = S3Origin { bucket: "b".into(), key: "k%20".into(), version_id: Some("v".into()), sequencer: None };
        let origin =
            Origin { kind: OriginKind::S3(object), partition: Some(("__filename__", "k".into())), ..Origin::default() };
        let facts = Facts { origin, offset: 9, ..Facts::default() };
        let letter = letter(Some(b"\xff{"), &facts);
        let text = serde_json::to_string(&letter).unwrap();
        let back: DeadLetter<'_> = serde_json::from_str(&text).unwrap();
        assert_eq!((back.event().as_deref(), &back.event), (Some(b"\xff{".as_slice()), &None));
        assert_eq!((back.origin(&Origin::default()), back.offset), (facts.origin, 9));
        let without = letter.without_event();
        assert_eq!((without.event(), without.left_out_bytes), (None, Some(2)));
    }
}
