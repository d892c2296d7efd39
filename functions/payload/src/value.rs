//! Reading.

use crate::{
    arena::Arena,
    escape, find,
    name::Name,
    node::{ESCAPED, Kind, NIL, Node},
    path::{Path, Step},
    write::{Output, Style},
};
use std::{borrow::Cow, fmt, ops::Range};

/// A value in a payload, to be read.
///
/// ```
/// # use payload::{Arena, Kind, Path};
/// let mut arena = Arena::new();
/// let payload = arena.parse_slice(br#"{"id": 1.50, "tags": ["a", null]}"#)?;
/// let root = payload.root();
/// assert_eq!(root.get(&Path::new("id").unwrap()).unwrap().number_text(), Some("1.50"));
/// for (name, value) in root.members() {
///     match value.kind() {
///         Kind::Array => assert_eq!((&*name, value.elements().count()), ("tags", 2)),
///         _ => assert_eq!(value.to_text(), "1.50"),
///     }
/// }
/// # Ok::<(), payload::JsonError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Value<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) node: u32,
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Value({:?})", self.kind())
    }
}

impl<'a> Value<'a> {
    fn entry(self) -> &'a Node {
        &self.arena.nodes[self.node as usize]
    }

    fn raw(self) -> &'a [u8] {
        let node = self.entry();
        &self.arena.text[node.start as usize..(node.start + node.len) as usize]
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.entry().kind
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The text of a string, unescaped. A surrogate without its other half, which no Rust string can hold, reads as
    /// U+FFFD; what is written stays as it was.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        if self.kind() != Kind::String {
            return None;
        }
        let raw = self.raw();
        let inner = raw.get(1..raw.len() - 1)?;
        if self.entry().flags & ESCAPED == 0
            && let Ok(text) = std::str::from_utf8(inner)
        {
            return Some(Cow::Borrowed(text));
        }
        Some(escape::unescape(inner))
    }

    /// Where the text of a string stands in what was loaded, if it stands there as it is: not escaped, not made by an operation.
    ///
    /// ```
    /// # use payload::{Arena, Name};
    /// let mut arena = Arena::new();
    /// let json = r#"{"data": "aGVsbG8="}"#;
    /// let payload = arena.parse_slice(json.as_bytes())?;
    /// let data = payload.root().member(&Name::new("data")).unwrap();
    /// assert_eq!(data.place().and_then(|place| json.get(place)), Some("aGVsbG8="));
    /// # Ok::<(), payload::JsonError>(())
    /// ```
    pub fn place(self) -> Option<Range<usize>> {
        let Node { kind, flags, start, len, .. } = *self.entry();
        let (start, end) = (start as usize, start as usize + len as usize);
        let plain = kind == Kind::String && flags & ESCAPED == 0 && end <= self.arena.whole().end;
        plain.then_some(start + 1..end.saturating_sub(1))
    }

    /// A number, as it was written: `1.50`, `1e5`, thirty digits.
    pub fn number_text(self) -> Option<&'a str> {
        matches!(self.kind(), Kind::Integer | Kind::Float).then(|| std::str::from_utf8(self.raw()).unwrap_or("0"))
    }

    /// A boolean.
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == b"true")
    }

    /// What the value is as a text: a string unescaped, anything else as compact JSON.
    pub fn to_text(self) -> Cow<'a, str> {
        if let Some(text) = self.as_str() {
            return text;
        }
        if !self.entry().is_container() {
            return String::from_utf8_lossy(self.raw());
        }
        let mut out = Output::new();
        self.write_to(&mut out);
        Cow::Owned(String::from_utf8_lossy(&out).into_owned())
    }

    /// Appends the value as compact JSON.
    pub fn write_to(self, out: &mut Output) {
        out.value(self.arena, self.entry());
    }

    /// Appends the value as compact JSON in a certain style.
    pub fn write_as(self, style: Style, out: &mut Output) {
        out.styled(style, self.arena, self.entry());
    }

    fn children(self) -> Children<'a> {
        Children { arena: self.arena, next: self.entry().child }
    }

    /// The elements of an array, or none.
    pub fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let next = if self.kind() == Kind::Array { self.entry().child } else { NIL };
        Children { arena: self.arena, next }
    }

    /// The members of an object in their order, or none.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Value<'a>)> {
        let next = if self.kind() == Kind::Object { self.entry().child } else { NIL };
        Children { arena: self.arena, next }.map(|value| (value.arena.keys.text(value.entry().key), value))
    }

    /// How many members or elements it has; 0 for what is neither object nor array.
    pub fn len(self) -> usize {
        self.children().count()
    }

    /// Whether it has neither members nor elements.
    pub fn is_empty(self) -> bool {
        self.entry().child == NIL
    }

    /// The value at the path. If the path is not [definite](Path::is_definite), the first one found.
    #[inline]
    pub fn get(self, path: &Path) -> Option<Value<'a>> {
        if !path.is_definite() {
            return self.find_all(path).first().copied();
        }
        path.steps.iter().try_fold(self, Value::step)
    }

    /// How many elements or members the array or object has that a [length](Path::is_length) is of.
    pub fn length(self, path: &Path) -> Option<usize> {
        let value = path.steps.iter().try_fold(self, Value::step).filter(|_| path.is_length())?;
        value.entry().is_container().then(|| value.len())
    }

    /// All values at the path, in the order in which they stand in the event.
    pub fn find_all(self, path: &Path) -> Vec<Value<'a>> {
        let found = if path.is_length() { vec![] } else { find::all(self.arena, self.node, &path.steps) };
        found.into_iter().map(|node| Value { arena: self.arena, node }).collect()
    }

    /// The member of an object that has this name.
    #[inline]
    pub fn member(self, name: &Name) -> Option<Value<'a>> {
        if self.kind() != Kind::Object {
            return None;
        }
        let key = name.find(&self.arena.keys)?;
        let nodes = &self.arena.nodes;
        let mut child = self.entry().child;
        while child != NIL && nodes[child as usize].key != key {
            child = nodes[child as usize].next;
        }
        (child != NIL).then_some(Value { arena: self.arena, node: child })
    }

    /// One step of a definite path.
    #[inline]
    pub(crate) fn step(self, step: &Step) -> Option<Value<'a>> {
        match step {
            Step::Key(name) => self.member(name),
            Step::Index(index) => {
                let index = match usize::try_from(*index) {
                    Ok(index) => index,
                    Err(_) => self.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
                };
                self.elements().nth(index)
            }
            Step::Every | Step::Slice(..) | Step::Indices(_) | Step::Filter(_) | Step::Deep => None,
        }
    }
}

struct Children<'a> {
    arena: &'a Arena,
    next: u32,
}

impl<'a> Iterator for Children<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        let node = self.next;
        self.next = self.arena.nodes.get(node as usize)?.next;
        Some(Value { arena: self.arena, node })
    }
}
