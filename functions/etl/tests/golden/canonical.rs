//! JSON texts in one form, so that they can be compared: members sorted, strings unescaped, numbers as they were written.

use payload::{Arena, Kind, Value};
use std::fmt::Write as _;

/// The one form of a text.
pub(crate) fn canonical(json: &str) -> String {
    let mut arena = Arena::new();
    match arena.parse_slice(json.as_bytes()) {
        Ok(payload) => {
            let mut out = String::new();
            put(payload.root(), &mut out);
            out
        }
        Err(error) => format!("not JSON ({error}): {json}"),
    }
}

/// The one form of each line.
pub(crate) fn canonical_lines(text: &str) -> Vec<String> {
    text.lines().map(canonical).collect()
}

fn put(value: Value<'_>, out: &mut String) {
    match value.kind() {
        Kind::Object => {
            let mut members: Vec<_> = value.members().collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            out.push('{');
            for (name, value) in members {
                write!(out, "{name:?}:").unwrap();
                put(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Kind::Array => {
            out.push('[');
            for value in value.elements() {
                put(value, out);
                out.push(',');
            }
            out.push(']');
        }
        Kind::String => write!(out, "{:?}", value.as_str().unwrap()).unwrap(),
        _ => *out += &value.to_text(),
    }
}
