//! The tape: one small node per value, linked to its next sibling and its first child.

use std::fmt;

/// "No such node", "no such key".
pub(crate) const NIL: u32 = u32::MAX;

/// What a value is.
///
/// Numbers are told apart by their text, as Bender does: one with a `.` is a `Float`, any other an `Integer`, so
/// `1e5` is an integer and `1.0` is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number whose text has no `.`.
    Integer,
    /// A number whose text has a `.`.
    Float,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a decimal number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// A string holds a `\`.
pub(crate) const ESCAPED: u8 = 1;
/// A container whose bytes may be copied as they stand: not changed, no white space, no repeated keys.
pub(crate) const VERBATIM: u8 = 2;
/// A container that came without any null in it. Says nothing once it is changed.
pub(crate) const NO_NULLS: u8 = 4;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Key of a member; meaningless for elements and roots.
    pub key: u32,
    /// Where the value's JSON text is.
    pub start: u32,
    pub len: u32,
    pub next: u32,
    pub child: u32,
    pub kind: Kind,
    pub flags: u8,
}

impl Node {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { key: NIL, start: 0, len: 0, next: NIL, child: NIL, kind, flags: 0 }
    }

    pub(crate) fn is_container(&self) -> bool {
        matches!(self.kind, Kind::Array | Kind::Object)
    }

    /// Takes over the value of `other`, keeping its own key and place.
    pub(crate) fn assign(&mut self, other: Self) {
        *self = Self { key: self.key, next: self.next, ..other };
    }
}

/// A position in the text or on the tape. Both stay below 4 GiB: the input is bounded by 2 GiB when it is parsed, and
/// what operations add by [`crate::Limits`].
#[expect(clippy::cast_possible_truncation, reason = "bounded, as said above")]
#[inline(always)]
pub(crate) fn narrow(position: usize) -> u32 {
    debug_assert!(u32::try_from(position).is_ok(), "a position past 4 GiB");
    position as u32
}
