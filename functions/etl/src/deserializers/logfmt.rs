//! `Logfmt`: `key=value key="a value"`.
//!
//! Imports: `build`, `component`, `event`, `payload`, `typed`.

use super::{Deserializer, EMPTY, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::Fault,
    typed::{Field, FieldType},
};
use bon::Builder;
use payload::{New, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

const NO_KEY: Fault = Fault::new("a value without a key");
const OPEN_QUOTE: Fault = Fault::new("a quote that is not closed");
const BEHIND_QUOTE: Fault = Fault::new("text directly behind a quoted value");

/// Reads a line of `key=value` pairs with blanks between them.
///
/// A value with blanks stands in double quotes, with the escapes of JSON and Go; other backslashes stay as they are. A key without `=` is
/// true, `key=` is the empty text. Of equal keys the last one counts. Empty lines are dropped; a value without a key or a quote that is not
/// closed fails. Bytes that are not UTF-8 are read as U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Logfmt {
    /// The types of the keys whose values are not to be STRING.
    #[serde(default)]
    #[builder(default)]
    pub fields: Vec<Field>,
}

impl Component for Logfmt {
    const NAME: &'static str = "Logfmt";
    const EXAMPLE: &'static str = "type: Logfmt\nfields:\n- {name: duration_ms, type: NUMBER}\n";
}

/// What is used again for each line.
#[derive(Debug)]
pub struct State {
    types: BTreeMap<String, FieldType>,
    text: String,
    number: String,
}

impl Deserializer for Logfmt {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let types = self.fields.iter().map(|field| (field.name.clone(), field.r#type)).collect();
        Ok(State { types, text: String::new(), number: String::new() })
    }

    fn read<'a>(&self, state: &mut State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        let State { types, text, number } = state;
        raw.text(text);
        let mut rest = text.trim_start_matches(is_blank);
        if rest.is_empty() {
            return Err(EMPTY);
        }
        let mut event = raw.arena.make()?;
        while !rest.is_empty() {
            let (key, value, behind) = pair(rest)?;
            let value = match (&value, types.get(key)) {
                (Some(value), Some(of)) => of.value(Some(value), number)?,
                (Some(value), None) => New::Text(value),
                (None, _) => New::Bool(true),
            };
            event.add_named(key, value)?;
            rest = behind.trim_start_matches(is_blank);
        }
        Ok(event.finish())
    }
}

fn is_blank(c: char) -> bool {
    c <= ' '
}

type Pair<'t> = (&'t str, Option<Cow<'t, str>>, &'t str);

/// The pair that a text begins with, and what is behind it.
fn pair(text: &str) -> Result<Pair<'_>, Fault> {
    let (key, rest) = text.split_at(text.find(|c| is_blank(c) || c == '=').unwrap_or(text.len()));
    if key.is_empty() {
        return Err(NO_KEY);
    }
    let Some(rest) = rest.strip_prefix('=') else { return Ok((key, None, rest)) };
    let Some(quoted) = rest.strip_prefix('"') else {
        let (value, rest) = rest.split_at(rest.find(is_blank).unwrap_or(rest.len()));
        return Ok((key, Some(Cow::Borrowed(value)), rest));
    };
    let mut escaped = false;
    let end = quoted.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    let (value, rest) = quoted.split_at(end.ok_or(OPEN_QUOTE)?);
    let rest = &rest[1..];
    if rest.starts_with(|c| !is_blank(c)) {
        return Err(BEHIND_QUOTE);
    }
    Ok((key, Some(unescape(value)), rest))
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let (character, length) = character(behind).unwrap_or(('\\', 0));
        out.push(character);
        rest = behind.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What an escape stands for that goes on with `text`, and how long it is.
fn character(text: &str) -> Option<(char, usize)> {
    let hex = |begin: usize, length: usize| {
        let digits = text.get(begin..begin + length)?;
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    Some(match text.chars().next()? {
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        c @ ('"' | '\\' | '/') => (c, 1),
        'x' => (char::from_u32(hex(1, 2)?)?, 3),
        'U' => (char::from_u32(hex(1, 8)?)?, 9),
        'u' => match (hex(1, 4)?, text.get(5..7)) {
            (high @ 0xd800..0xdc00, Some("\\u")) => {
                let low = hex(7, 4).filter(|low| (0xdc00..0xe000).contains(low))?;
                (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, 11)
            }
            (unit, _) => (char::from_u32(unit)?, 5),
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread};
    use proptest::prelude::*;

    fn logfmt() -> Logfmt {
        let number = Field::builder().name("n").r#type(FieldType::Number).build();
        Logfmt::builder().fields(vec![number]).build()
    }

    #[test]
    fn pairs_become_fields() {
        assert_read(
            &logfmt(),
            "  at=info method=GET path=\"/a b\" n=1.50 dry_run empty= q=\"\" url=/x?a=b&c ",
            r#"{"at": "info", "method": "GET", "path": "/a b", "n": 1.5, "dry_run": true, "empty": "", "q": "", "url": "/x?a=b&c"}"#,
        );
        assert_read(&logfmt(), "a=1 a=2", r#"{"a": "2"}"#);
        assert_read(&logfmt(), "clé=é", r#"{"clé": "é"}"#);
    }

    #[test]
    fn escapes_are_those_of_json_and_go() {
        assert_read(
            &logfmt(),
            r#"a="\"q\" \\ \n\t\/ \u00e9 \ud83d\ude00 \x41 \U0001f600" b="\d \\d \ud800 \\" c=1"#,
            r#"{"a": "\"q\" \\ \n\t/ é 😀 A 😀", "b": "\\d \\d \\ud800 \\", "c": "1"}"#,
        );
    }

    #[test]
    fn what_is_no_pair_fails() {
        assert_unread(&logfmt(), "a=1 =2", "a value without a key");
        assert_unread(&logfmt(), "a=\"1", "a quote that is not closed");
        assert_unread(&logfmt(), "a=\"1\\\"", "a quote that is not closed");
        assert_unread(&logfmt(), "a=\"1\"b=2", "text directly behind a quoted value");
        assert_unread(&logfmt(), "n=x", "the text of a NUMBER field is not a number");
        assert_unread(&logfmt(), " \t", "empty line");
    }

    proptest! {
        /// What is quoted as JSON quotes it is read as it was.
        #[test]
        fn quoted_values_are_read_as_they_were(values in prop::collection::vec("[ab=\"\\\\\n\u{1}é😀 u0]{0,8}", 1..10)) {
            let line: Vec<_> = values.iter().enumerate().map(|(n, v)| format!("k{n}={}", serde_json::to_string(v).unwrap())).collect();
            let expected: serde_json::Map<_, _> = values.iter().enumerate().map(|(n, v)| (format!("k{n}"), v.as_str().into())).collect();
            assert_read(&logfmt(), &line.join(" "), &serde_json::Value::from(expected).to_string());
        }
    }
}
