//! The attributes of a DynamoDB item, which say the type of each value, as plain JSON.

use super::Text;
use base64_simd::STANDARD;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use std::{fmt, io::Write as _};

/// Attributes with their names, in their order.
pub(super) struct Item<'j>(Vec<(Text<'j>, Attribute<'j>)>);

/// A value with its type.
#[derive(Deserialize)]
enum Attribute<'j> {
    S(#[serde(borrow)] Text<'j>),
    N(#[serde(borrow)] Text<'j>),
    B(#[serde(borrow)] Text<'j>),
    #[serde(rename = "BOOL")]
    Bool(bool),
    #[serde(rename = "NULL")]
    Null(IgnoredAny),
    M(#[serde(borrow)] Item<'j>),
    L(#[serde(borrow)] Vec<Attribute<'j>>),
    #[serde(rename = "SS")]
    Strings(#[serde(borrow)] Vec<Text<'j>>),
    #[serde(rename = "NS")]
    Numbers(#[serde(borrow)] Vec<Text<'j>>),
    #[serde(rename = "BS")]
    Binaries(#[serde(borrow)] Vec<Text<'j>>),
}

/// A value that is not what its type says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl<'j> Item<'j> {
    pub(super) fn read(json: &'j str) -> Result<Self, Unreadable> {
        serde_json::from_str(json).map_err(|_| Unreadable)
    }

    /// Writes it as plain JSON: `{"Id":{"N":"101"}}` is `{"Id":101}`. A member that is null is left out, as in Bender.
    pub(super) fn plain(&self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let members = self.0.iter().filter(|(_, value)| !matches!(value, Attribute::Null(_)));
        list(*b"{}", members, out, |(name, value), out| {
            string(&name.0, out)?;
            out.push(b':');
            value.plain(out)
        })
    }

    /// Writes keys with their types, as Bender does: `{"Id":{"N":"101"}}` is `{"Id":{"n":"101"}}`.
    pub(super) fn typed(&self) -> Result<String, Unreadable> {
        let mut out = vec![];
        list(*b"{}", &self.0, &mut out, |(name, value), out| {
            let (kind, text) = match value {
                Attribute::S(text) => ("s", text),
                Attribute::N(text) => ("n", text),
                Attribute::B(text) => ("b", text),
                // No other type can be a key.
                _ => return Err(Unreadable),
            };
            string(&name.0, out)?;
            out.extend_from_slice(b":{\"");
            out.extend_from_slice(kind.as_bytes());
            out.extend_from_slice(b"\":");
            string(&text.0, out)?;
            out.push(b'}');
            Ok(())
        })?;
        String::from_utf8(out).map_err(|_| Unreadable)
    }
}

impl Attribute<'_> {
    fn plain(&self, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        let each = |write: fn(&str, &mut Vec<u8>) -> Result<(), Unreadable>| {
            move |text: &Text<'_>, out: &mut Vec<u8>| write(&text.0, out)
        };
        match self {
            Self::S(text) => string(&text.0, out),
            Self::N(text) => number(&text.0, out),
            Self::B(text) => bytes(&text.0, out),
            Self::Bool(true) => extend(b"true", out),
            Self::Bool(false) => extend(b"false", out),
            Self::Null(_) => extend(b"null", out),
            Self::M(item) => item.plain(out),
            Self::L(values) => list(*b"[]", values, out, Attribute::plain),
            Self::Strings(texts) => list(*b"[]", texts, out, each(string)),
            Self::Numbers(texts) => list(*b"[]", texts, out, each(number)),
            Self::Binaries(texts) => list(*b"[]", texts, out, each(bytes)),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands beside others that can fail")]
fn extend(text: &[u8], out: &mut Vec<u8>) -> Result<(), Unreadable> {
    out.extend_from_slice(text);
    Ok(())
}

fn list<'a, T: 'a>(
    ends: [u8; 2],
    all: impl IntoIterator<Item = &'a T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(&T, &mut Vec<u8>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    out.push(ends[0]);
    for (index, one) in all.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(one, out)?;
    }
    extend(&ends[1..], out)
}

/// A text as Gson writes it, safe in HTML, so that the event's hash is Bender's.
pub(super) fn string(text: &str, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    const UNSAFE: [char; 7] = ['<', '>', '&', '=', '\'', '\u{2028}', '\u{2029}'];
    let begin = out.len();
    serde_json::to_writer(&mut *out, text).map_err(|_| Unreadable)?;
    if text.contains(UNSAFE) {
        let written = String::from_utf8(out.split_off(begin)).map_err(|_| Unreadable)?;
        for char in written.chars() {
            let one =
                if UNSAFE.contains(&char) { write!(out, "\\u{:04x}", u32::from(char)) } else { write!(out, "{char}") };
            one.map_err(|_| Unreadable)?;
        }
    }
    Ok(())
}

/// Base64 as a list of signed bytes, as Java has them.
fn bytes(text: &str, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let bytes = STANDARD.decode_to_vec(text).map_err(|_| Unreadable)?;
    list(*b"[]", &bytes, out, |byte, out| extend(itoa::Buffer::new().format(byte.cast_signed()).as_bytes(), out))
}

/// A number with all its digits, as Java's `BigDecimal` writes them: without an exponent, unless it is very small or was given with a
/// positive one.
fn number(text: &str, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let exponent: i32 = exponent.parse().map_err(|_| Unreadable)?;
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unreadable);
    }
    let digits = match all.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let length = |text: &str| i64::try_from(text.len()).unwrap_or(i64::MAX);
    let scale = length(fraction) - i64::from(exponent);
    let adjusted = length(digits) - 1 - scale;
    if negative && digits != "0" {
        out.push(b'-');
    }
    let (head, tail) = if scale == 0 {
        (digits, "")
    } else if scale > 0 && adjusted >= -6 {
        let point = usize::try_from(length(digits) - scale).unwrap_or_default();
        if point == 0 {
            out.extend_from_slice(b"0.");
            // At most five, as the number is not very small.
            let zeros = usize::try_from(scale - length(digits)).unwrap_or_default();
            out.resize(out.len() + zeros, b'0');
            (digits, "")
        } else {
            digits.split_at(point)
        }
    } else {
        let (head, tail) = digits.split_at(1);
        out.extend_from_slice(head.as_bytes());
        if !tail.is_empty() {
            out.push(b'.');
        }
        write!(out, "{tail}E{adjusted:+}").map_err(|_| Unreadable)?;
        return Ok(());
    };
    out.extend_from_slice(head.as_bytes());
    if !tail.is_empty() {
        out.push(b'.');
    }
    extend(tail.as_bytes(), out)
}

impl<'de: 'j, 'j> Deserialize<'de> for Item<'j> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Item<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("attributes")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item<'de>, A::Error> {
                let mut all = vec![];
                while let Some(member) = map.next_entry()? {
                    all.push(member);
                }
                Ok(Item(all))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: &str) -> Result<String, Unreadable> {
        let item = format!(r#"{{"a":{value}}}"#);
        let mut out = vec![];
        Item::read(&item)?.plain(&mut out)?;
        let text = String::from_utf8(out).unwrap();
        Ok(text.strip_prefix(r#"{"a":"#).unwrap().strip_suffix('}').unwrap().to_owned())
    }

    #[test]
    fn every_type_is_plain_json() {
        for (typed, right) in [
            (r#"{"S":"a \"b\" é"}"#, r#""a \"b\" é""#),
            (r#"{"S":"<a href='\n'>&="}"#, r#""\u003ca href\u003d\u0027\n\u0027\u003e\u0026\u003d""#),
            (r#"{"M":{"x":{"NULL":true},"y":{"L":[{"NULL":true}]}}}"#, r#"{"y":[null]}"#),
            (r#"{"N":"101"}"#, "101"),
            (r#"{"B":"AAEC/4A="}"#, "[0,1,2,-1,-128]"),
            (r#"{"B":""}"#, "[]"),
            (r#"{"BOOL":true}"#, "true"),
            (r#"{"M":{"x":{"L":[{"S":"y"},{"M":{}}]},"z":{"L":[]}}}"#, r#"{"x":["y",{}],"z":[]}"#),
            (r#"{"SS":["b","a"]}"#, r#"["b","a"]"#),
            (r#"{"NS":["2","1.0"]}"#, "[2,1.0]"),
            (r#"{"BS":["/w==","AQ=="]}"#, "[[-1],[1]]"),
        ] {
            assert_eq!(plain(typed).as_deref(), Ok(right), "{typed}");
        }
        for wrong in [r#"{"N":"1a"}"#, r#"{"B":"!"}"#, r#"{"Q":"1"}"#, "{}", "1", r#"{"S":"a","N":"1"}"#, r#"{"N":""}"#]
        {
            assert_eq!(plain(wrong), Err(Unreadable), "{wrong}");
        }
    }

    #[test]
    fn numbers_are_written_as_java_does() {
        for (given, right) in [
            ("12345678901234567890123", "12345678901234567890123"),
            ("1.50", "1.50"),
            ("-0.001", "-0.001"),
            ("0.0000001", "1E-7"),
            ("0.00000123", "0.00000123"),
            ("-1e3", "-1E+3"),
            ("12E-1", "1.2"),
            ("1.25E+10", "1.25E+10"),
            ("007", "7"),
            ("-0", "0"),
            ("0.00", "0.00"),
            ("+5", "5"),
            (".5", "0.5"),
        ] {
            assert_eq!(plain(&format!(r#"{{"N":"{given}"}}"#)).as_deref(), Ok(right), "{given}");
        }
        for wrong in ["1e99999999999", "1e", "--1", ".", "1.2.3", "٣"] {
            assert_eq!(plain(&format!(r#"{{"N":"{wrong}"}}"#)), Err(Unreadable), "{wrong}");
        }
    }
}
