//! `UrlDecodeOperation`: fields that were made part of a URL, as they were before.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Decodes fields that are URL-encoded: `a%20b+c` becomes `a b c`.
///
/// `%` and two hexadecimal digits are a byte of UTF-8, `+` is a blank. Every other character stays as it is. A field that is missing or
/// null is passed over, and one that cannot be decoded (`50%`) stays as it is. A value that is no text becomes the text of it, as in
/// Bender.
///
/// # Unlike Bender
///
/// - What is not ASCII stays as it is. (Bender makes a `?` of it.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct UrlDecodeOperation {
    /// Paths of the fields: `$.request.query`.
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub fields: Vec<String>,
    /// How many times each is decoded. A field that cannot be decoded so many times, or only by reading more than 64 MiB of text again,
    /// stays as it is.
    #[serde(default = "once")]
    #[builder(default = once())]
    pub times: Bounded<1, 65_535>,
}

fn once() -> Bounded<1, 65_535> {
    Bounded::of::<1>()
}

impl Component for UrlDecodeOperation {
    const NAME: &'static str = "UrlDecodeOperation";
    const EXAMPLE: &'static str = "type: UrlDecodeOperation\nfields: [$.request.query]\n";
}

impl Operation for UrlDecodeOperation {
    type State = Vec<Path>;

    fn state(&self, _: &BuildCx<'_>) -> Result<Vec<Path>, BuildError> {
        field::paths(&self.fields)
    }

    fn perform(&self, fields: &mut Vec<Path>, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        for path in fields {
            let Some(value) = event.payload.get(path).filter(|value| !value.is_null()) else { continue };
            if let Some(text) = decode_times(&value.to_text(), self.times.get()) {
                event.payload.set(path, &text)?;
            }
        }
        Ok(Outcome::Pass)
    }
}

/// Bytes that are decoded once more, of one field. Nobody encodes so much so often; `%252525…` would otherwise be read for minutes.
const MOST_AGAIN: usize = 64 << 20;

/// None if it cannot be decoded so many times.
fn decode_times(text: &str, times: u64) -> Option<String> {
    let mut text = decode(text)?;
    let mut left = MOST_AGAIN;
    for _ in 1..times {
        // What has nothing left to decode stays the same however often.
        if !text.contains(['%', '+']) {
            break;
        }
        left = left.checked_sub(text.len())?;
        text = decode(&text)?;
    }
    Some(text)
}

/// Bytes that are no UTF-8 become U+FFFD, as in Java.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    Some(String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::assert_becomes;

    fn decoded(fields: &[&str], times: u64) -> UrlDecodeOperation {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        UrlDecodeOperation { fields, times: times.try_into().unwrap() }
    }

    #[test]
    fn a_field_is_decoded_and_what_is_not_ascii_stays() {
        let operation = decoded(&["$.u", "v.w"], 1);
        assert_becomes(
            &operation,
            r#"{"u":"a%20b+c%2Bd café 😀","v":{"w":"%C3%a9"}}"#,
            r#"{"u":"a b c+d café 😀","v":{"w":"é"}}"#,
        );
        assert_becomes(&operation, r#"{"u":"%FF%22"}"#, "{\"u\":\"\u{fffd}\\\"\"}");
    }

    #[test]
    fn what_cannot_be_decoded_stays_as_it_is() {
        for text in [r#"{"u":"50%"}"#, r#"{"u":"+%zz"}"#, r#"{"u":"%2"}"#, r#"{"u":null}"#, r#"{"x":"%20"}"#] {
            assert_becomes(&decoded(&["$.u"], 1), text, text);
        }
        assert_becomes(&decoded(&["$.u"], 2), r#"{"u":"100%25"}"#, r#"{"u":"100%25"}"#);
    }

    #[test]
    fn what_would_take_minutes_to_decode_stays_as_it_is() {
        let text = format!(r#"{{"u":"%{}"}}"#, "25".repeat(100_000));
        assert_becomes(&decoded(&["$.u"], 65_535), &text, &text);
    }

    #[test]
    fn it_can_be_done_several_times() {
        assert_becomes(&decoded(&["$.u"], 2), r#"{"u":"a%2520b"}"#, r#"{"u":"a b"}"#);
        assert_becomes(&decoded(&["$.u"], 65_535), r#"{"u":"a%252520b"}"#, r#"{"u":"a b"}"#);
        assert_becomes(&decoded(&["$.u"], 1), r#"{"u":["%20",1.50]}"#, r#"{"u":"[\" \",1.50]"}"#);
    }
}
