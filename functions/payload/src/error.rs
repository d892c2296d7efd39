//! What can go wrong: a text that is not JSON, a change that cannot be made.

use crate::node::Kind;
use std::fmt;

/// Why a text is not JSON, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The byte at which the text stops being JSON, counted from the beginning of what was to be parsed.
    pub offset: usize,
    /// What is wrong there. Never holds a part of the text.
    pub reason: &'static str,
}

impl JsonError {
    pub(crate) const EARLY: &str = "the text ends too early";

    /// The same error of a text that ends at `end`: a scan that stops there has not met something wrong, but nothing.
    pub(crate) fn before(self, end: usize) -> Self {
        if self.offset < end { self } else { Self { offset: end, reason: Self::EARLY } }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

impl std::error::Error for JsonError {}

/// Why a change was not made.
///
/// It never holds a part of the event, so it may be logged. Unless the operation says otherwise, the payload is as it
/// was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeError {
    /// There is nothing at the path.
    Missing,
    /// What would hold the value is not there: `$.a.b` in an event without `a`.
    MissingParent,
    /// What would hold the value cannot: `$.a.b` in an event whose `a` is a number, a list, null.
    WrongParent(Kind),
    /// The value is of this kind, where the operation needs another.
    WrongKind(Kind),
    /// The operation needs a path that names one member (see [`Path::is_definite`](crate::Path::is_definite)).
    WrongPath,
    /// Two members of one object would get the same name (see [`Collision::Fail`](crate::Collision::Fail)).
    Collision,
    /// The result would be nested deeper than [`MAX_MADE_DEPTH`](crate::MAX_MADE_DEPTH).
    TooDeep,
    /// What operations made of this event takes more bytes than [`Limits::made`](crate::Limits::made).
    TooLarge,
    /// A number that JSON cannot express: infinite, or not a number.
    NotFinite,
    /// The text is not JSON.
    Json(JsonError),
}

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is nothing at the path"),
            Self::MissingParent => f.write_str("the object that the path leads through is missing"),
            Self::WrongParent(kind) => write!(f, "the path leads through {kind}, which cannot hold it"),
            Self::WrongKind(kind) => write!(f, "the value is {kind}, which does not fit here"),
            Self::WrongPath => f.write_str("the path does not name one member"),
            Self::Collision => f.write_str("two members of one object would get the same name"),
            Self::TooDeep => write!(f, "the result would be nested deeper than {} levels", crate::MAX_MADE_DEPTH),
            Self::TooLarge => f.write_str("the event would grow past the limit for one event"),
            Self::NotFinite => f.write_str("JSON has no infinite numbers"),
            Self::Json(error) => write!(f, "not JSON: {error}"),
        }
    }
}

impl std::error::Error for ChangeError {}

impl From<JsonError> for ChangeError {
    fn from(error: JsonError) -> Self {
        Self::Json(error)
    }
}
