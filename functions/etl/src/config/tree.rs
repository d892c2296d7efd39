//! A config as it was written: a tree that knows where everything stands.
//!
//! Nothing is typed yet. Numbers keep their text, so `1.10` and `0755` are still what the author wrote. serde reads typed
//! values straight from the tree.

use crate::{component::Mistake, problem::Span};
use serde::{
    Deserialize, Deserializer,
    de::{self, IntoDeserializer, MapAccess, SeqAccess, Visitor, value},
};
use std::fmt;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Where it was written.
    pub(crate) at: Span,
    /// Where it is used, when that is another place (an alias, a merge key).
    pub(crate) used: Option<Span>,
    /// The room that it must be a component of, as the walk found out: what schemas call it.
    pub(crate) room: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(Text),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    pub(crate) value: String,
    /// The stretches that were something else before variables were put in, in order.
    pub(crate) joints: Vec<Joint>,
    /// How many variables were put in.
    pub(crate) variables: usize,
    /// Whether the value of one of them is not known: it is missing, or comes later.
    pub(crate) unknown: Option<Unknown>,
}

/// Why a text's value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// A variable is given by nobody; that is reported already.
    Missing,
    /// A variable gets its value when the function starts.
    Later,
}

/// A stretch of a text's value, and where it was before variables were put in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Joint {
    pub(crate) here: Span,
    pub(crate) before: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) at: Span,
}

/// A place in the config: `sources[0].name`. It borrows: each step lives as long as the call that went down it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    pub(crate) fn key(&'p self, key: &'p str) -> Self {
        Path::Key(self, key)
    }
    pub(crate) fn item(&'p self, index: usize) -> Self {
        Path::Item(self, index)
    }
    /// Whether it is below a key of the config's first level.
    pub(crate) fn is_below(&self, first: &str) -> bool {
        match self {
            Path::Root => false,
            Path::Key(Path::Root, key) => *key == first,
            Path::Key(up, _) | Path::Item(up, _) => up.is_below(first),
        }
    }
    /// What a message calls the value: the last key, with what stands behind it.
    pub(crate) fn name(&self) -> String {
        fn steps(path: &Path<'_>) -> String {
            match path {
                Path::Root => String::new(),
                Path::Key(_, key) => (*key).to_owned(),
                Path::Item(up, index) => format!("{}[{index}]", steps(up)),
            }
        }
        match steps(self) {
            name if name.is_empty() => "the config".to_owned(),
            name => format!("`{name}`"),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, key) => write!(f, "{key}"),
            Path::Key(up, key) => write!(f, "{up}.{key}"),
            Path::Item(up, index) => write!(f, "{up}[{index}]"),
        }
    }
}

impl Node {
    pub(crate) fn new(kind: Kind, at: Span) -> Self {
        Self { kind, at, used: None, room: None }
    }
    pub(crate) fn text(value: impl Into<String>, at: Span) -> Self {
        Self::new(Kind::Text(Text { value: value.into(), ..Text::default() }), at)
    }
    /// A member of a map, with its key.
    pub(crate) fn member(&self, key: &str) -> Option<&(Key, Self)> {
        match &self.kind {
            Kind::Map(members) => members.iter().find(|(k, _)| k.name == key),
            _ => None,
        }
    }
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.member(key).map(|(_, node)| node)
    }
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(&text.value) } else { None }
    }
    pub(crate) fn items(&self) -> &[Self] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }
    /// Whether a value below it is not known.
    pub(crate) fn has_unknown(&self, which: Unknown) -> bool {
        match &self.kind {
            Kind::Text(text) => text.unknown == Some(which),
            Kind::List(items) => items.iter().any(|i| i.has_unknown(which)),
            Kind::Map(members) => members.iter().any(|(_, n)| n.has_unknown(which)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => false,
        }
    }
    /// Calls `f` for this node and all below it, each with its path.
    pub(crate) fn each(&mut self, path: &Path<'_>, f: &mut dyn FnMut(&Path<'_>, &mut Self)) {
        f(path, self);
        match &mut self.kind {
            Kind::List(items) => items.iter_mut().enumerate().for_each(|(i, n)| n.each(&path.item(i), f)),
            Kind::Map(members) => members.iter_mut().for_each(|(k, n)| n.each(&path.key(&k.name), f)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }
    /// The place of one byte of a text's value, or of the whole text where its writing is too intricate to tell.
    pub(crate) fn place_of(&self, offset: usize, text: &str) -> Span {
        self.exact_place_of(offset, text).unwrap_or_else(|| self.at.clone())
    }
    fn exact_place_of(&self, offset: usize, text: &str) -> Option<Span> {
        let Kind::Text(Text { joints, value, .. }) = &self.kind else { return None };
        // Bytes of the value before variables were put in.
        let mut left = match joints.iter().rev().find(|j| j.here.start <= offset) {
            Some(j) if offset < j.here.end => j.before.start,
            Some(j) => offset - j.here.end + j.before.end,
            None => offset,
        };
        let written = text.get(self.at.clone())?;
        let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
        if quote.is_none() && written.starts_with(['|', '>']) {
            return None;
        }
        let mut at = quote.map_or(0, char::len_utf8);
        while left > 0 {
            let rest = written.get(at..)?;
            let first = rest.chars().next()?;
            let (taken, made) = match (quote, first) {
                (_, '\n' | '\r') => return None,
                (Some('\''), '\'') => (2, 1),
                (Some('"'), '\\') => match rest.as_bytes().get(1)? {
                    b'u' => (6, char::from_u32(u32::from_str_radix(rest.get(2..6)?, 16).ok()?)?.len_utf8()),
                    b'U' | b'x' | b'N' | b'_' | b'L' | b'P' | b'\n' | b'\r' => return None,
                    _ => (2, 1),
                },
                (_, c) => (c.len_utf8(), c.len_utf8()),
            };
            at += taken;
            left = left.checked_sub(made)?;
        }
        let end_of_value = offset >= value.len();
        let width = if end_of_value { 0 } else { written.get(at..)?.chars().next().map_or(0, char::len_utf8) };
        Some(self.at.start + at..self.at.start + at + width)
    }
}

/// A tree without places, for what does not come from a text of its own.
impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Kind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Kind, E> {
                Ok(Kind::Null)
            }
            fn visit_none<E>(self) -> Result<Kind, E> {
                Ok(Kind::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
                deserializer.deserialize_any(self)
            }
            fn visit_bool<E>(self, b: bool) -> Result<Kind, E> {
                Ok(Kind::Bool(b))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Kind, E> {
                Ok(Kind::Number(n.to_string()))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Kind, E> {
                Ok(Kind::Number(n.to_string()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Kind, E> {
                Ok(Kind::Number(n.to_string()))
            }
            fn visit_str<E>(self, s: &str) -> Result<Kind, E> {
                Ok(Kind::Text(Text { value: s.to_owned(), ..Text::default() }))
            }
            fn visit_string<E>(self, value: String) -> Result<Kind, E> {
                Ok(Kind::Text(Text { value, ..Text::default() }))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind, A::Error> {
                let mut items = vec![];
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Kind::List(items))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
                let mut members = vec![];
                while let Some((name, node)) = map.next_entry()? {
                    members.push((Key { name, at: 0..0 }, node));
                }
                Ok(Kind::Map(members))
            }
        }
        Ok(Self::new(deserializer.deserialize_any(Any)?, 0..0))
    }
}

/// A failure of serde, with the innermost place that it passed on its way out.
#[derive(Debug, PartialEq)]
pub(crate) struct ReadError {
    pub(crate) message: String,
    pub(crate) at: Option<Span>,
    /// What the component itself objects to, when that is the reason.
    pub(crate) mistakes: Vec<Mistake>,
}
impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for ReadError {}
impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { message: message.to_string(), at: None, mistakes: vec![] }
    }
}
impl ReadError {
    fn placed(self, node: &Node) -> Self {
        Self { at: self.at.or_else(|| (!node.at.is_empty()).then(|| node.at.clone())), ..self }
    }
}

type Members<'de> = value::MapDeserializer<'de, Pairs<'de>, ReadError>;
type Pairs<'de> = std::iter::Map<std::slice::Iter<'de, (Key, Node)>, fn(&'de (Key, Node)) -> (&'de str, &'de Node)>;
fn members(map: &[(Key, Node)]) -> Members<'_> {
    value::MapDeserializer::new(map.iter().map(|(k, n)| (k.name.as_str(), n)))
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = ReadError;
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Bool(b) => visitor.visit_bool(*b),
            Kind::Number(raw) => match (raw.parse(), raw.parse(), raw.parse()) {
                (Ok(n), _, _) => visitor.visit_u64(n),
                (_, Ok(n), _) => visitor.visit_i64(n),
                (_, _, Ok(n)) => visitor.visit_f64(n),
                _ => Err(de::Error::custom(format!("`{raw}` is no number"))),
            },
            Kind::Text(text) => visitor.visit_borrowed_str(&text.value),
            Kind::List(items) => visitor.visit_seq(value::SeqDeserializer::new(items.iter())),
            Kind::Map(map) => visitor.visit_map(members(map)),
        }
        .map_err(|e| e.placed(self))
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        if self.kind == Kind::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let read = if let Kind::Map(map) = &self.kind {
            visitor.visit_enum(value::MapAccessDeserializer::new(members(map)))
        } else {
            let word: value::StrDeserializer<'_, ReadError> = self.as_str().unwrap_or_default().into_deserializer();
            visitor.visit_enum(word)
        };
        read.map_err(|e| e.placed(self))
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}
/// A component's settings: the map without its `type`.
pub(crate) struct Untyped<'de>(pub(crate) &'de Node);

impl<'de> Deserializer<'de> for Untyped<'de> {
    type Error = ReadError;
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let Kind::Map(members) = &self.0.kind else { return Err(de::Error::custom("a component is a map")) };
        let settings = members.iter().filter(|(key, _)| key.name != "type").map(|(k, n)| (k.name.as_str(), n));
        visitor.visit_map(value::MapDeserializer::new(settings)).map_err(|e| e.placed(self.0))
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ReadError> for &'de Node {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}
