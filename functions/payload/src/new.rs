//! Values that operations put in.

use crate::{
    arena::Arena,
    error::{ChangeError, JsonError},
    escape, lenient,
    node::{ESCAPED, Kind, NIL, Node, narrow},
    parse::MAX_DEPTH,
    scan::{self, PAD},
};
use std::fmt;

/// A value to put into a payload.
///
/// Most are made by `into`: `payload.set(&path, "text")`, `payload.set(&path, 5)`; `None` is null.
#[derive(Clone, Copy)]
pub enum New<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number; must be finite. It always has a `.` or an exponent.
    Float(f64),
    /// A number as JSON writes it, digit by digit; another text is refused.
    Number(&'a str),
    /// A string, not escaped.
    Text(&'a str),
    /// JSON text, strictly parsed.
    Json(&'a str),
    /// JSON text, read as Gson does where it is not strict JSON (see [`Arena::parse_lenient`]).
    Lenient(&'a str),
}

impl fmt::Debug for New<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bool(_) => "Bool",
            Self::Integer(_) => "Integer",
            Self::Float(_) => "Float",
            Self::Number(_) => "Number",
            Self::Text(_) => "Text",
            Self::Json(_) => "Json",
            Self::Lenient(_) => "Lenient",
        })
    }
}

impl<'a> From<&'a str> for New<'a> {
    fn from(text: &'a str) -> Self {
        New::Text(text)
    }
}

impl<'a> From<&'a String> for New<'a> {
    fn from(text: &'a String) -> Self {
        New::Text(text)
    }
}

impl From<i64> for New<'_> {
    fn from(number: i64) -> Self {
        New::Integer(number)
    }
}

impl From<f64> for New<'_> {
    fn from(number: f64) -> Self {
        New::Float(number)
    }
}

impl From<bool> for New<'_> {
    fn from(value: bool) -> Self {
        New::Bool(value)
    }
}

impl<'a, T: Into<New<'a>>> From<Option<T>> for New<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(New::Null, Into::into)
    }
}

impl Arena {
    /// A node that is null; costs nothing.
    pub(crate) fn null_node(&mut self) -> u32 {
        let start = narrow(self.text.len());
        self.text.extend_from_slice(b"null");
        self.push(Node { start, len: 4, ..Node::new(Kind::Null) })
    }

    /// Writes a new value behind the text and makes its node, which lies inside `depth` containers. `deepest` is raised
    /// to where its innermost container will.
    pub(crate) fn new_node(&mut self, value: New<'_>, depth: u32, deepest: &mut u32) -> Result<u32, ChangeError> {
        let start = self.text.len();
        let mut flags = 0;
        let kind = match value {
            New::Null => {
                self.text.extend_from_slice(b"null");
                Kind::Null
            }
            New::Bool(value) => {
                self.text.extend_from_slice(if value { b"true" } else { b"false" });
                Kind::Bool
            }
            New::Integer(number) => {
                self.text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
                Kind::Integer
            }
            New::Float(number) if number.is_finite() => {
                let text = format!("{number:?}");
                self.text.extend_from_slice(text.as_bytes());
                if text.contains('.') { Kind::Float } else { Kind::Integer }
            }
            New::Float(_) => return Err(ChangeError::NotFinite),
            New::Number(text) => {
                self.text.extend_from_slice(text.as_bytes());
                self.text.extend_from_slice(&[0; PAD]);
                let kind = match scan::number(&self.text, start) {
                    Ok((end, kind)) if end == start + text.len() => Ok(kind),
                    Ok((end, _)) => Err(JsonError { offset: end - start, reason: "text after the number" }),
                    Err(error) => Err(JsonError { offset: error.offset - start, ..error }),
                };
                self.text.truncate(if kind.is_ok() { start + text.len() } else { start });
                kind?
            }
            New::Text(text) => {
                if self.quote(text) {
                    flags = ESCAPED;
                }
                Kind::String
            }
            New::Json(json) => return self.json_node(json.as_bytes(), depth, deepest),
            New::Lenient(json) => {
                return self.json_node(json.as_bytes(), depth, deepest).or_else(|error| {
                    if !matches!(error, ChangeError::Json(_)) {
                        return Err(error);
                    }
                    let strict = lenient::to_strict(json.as_bytes())?;
                    self.json_node(&strict, depth, deepest)
                });
            }
        };
        self.spend(self.text.len() - start + size_of::<Node>())?;
        let (start, len) = (narrow(start), narrow(self.text.len() - start));
        Ok(self.push(Node { start, len, flags, ..Node::new(kind) }))
    }

    /// Appends `text` as a JSON string; whether anything had to be escaped.
    fn quote(&mut self, text: &str) -> bool {
        self.text.reserve(text.len() + 2);
        self.text.push(b'"');
        // Without a branch for each byte, so that many are looked at together.
        let odd = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
        let escaped = text.bytes().fold(0, |some, byte| some | odd(byte)) != 0;
        if escaped {
            escape::escape_into(text, &mut self.text);
        } else {
            self.text.extend_from_slice(text.as_bytes());
        }
        self.text.push(b'"');
        escaped
    }

    /// How many containers lie inside each other in a value.
    fn height(&self, node: u32) -> u32 {
        let node = &self.nodes[node as usize];
        let (mut child, mut height) = (node.child, 0);
        while child != NIL {
            height = height.max(self.height(child));
            child = self.nodes[child as usize].next;
        }
        height + u32::from(node.is_container())
    }

    fn json_node(&mut self, json: &[u8], depth: u32, deepest: &mut u32) -> Result<u32, ChangeError> {
        self.spend(json.len())?;
        let room = MAX_DEPTH.min(crate::MAX_MADE_DEPTH.saturating_sub(depth));
        let before = self.nodes.len();
        let node = self.append(json, room)?;
        *deepest = (*deepest).max(depth + self.height(node));
        self.spend((self.nodes.len() - before) * size_of::<Node>())?;
        Ok(node)
    }
}
