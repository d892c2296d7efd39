//! Values that are known only when the stack stands: a host name, an ARN, a port.
//!
//! In a config's text such a value is `<NAME>`, a variable of the function's environment. In Rust it is a [`Late`], made
//! by binding a construct's handle. Reading with the environment at hand gives [`Late::Now`]; reading at synth, when only
//! the names are known, gives [`Late::Env`].
//!
//! Imports: `config`.

use crate::config::{tree::Node, variables};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt};

/// The name of an environment variable: letters, digits and `_`, not empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvName(String);

impl EnvName {
    /// A name, if it is one.
    pub fn new(name: impl Into<String>) -> Option<Self> {
        let name = name.into();
        variables::is_name(&name).then_some(Self(name))
    }
    /// The name without its brackets.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A setting whose value may come from the function's environment.
///
/// In a config's text: the value, or `<NAME>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Late<T> {
    /// The value is known.
    Now(T),
    /// The value is what the environment variable holds when the function starts.
    Env(EnvName),
}

impl<T> Late<T> {
    /// The value, if it is known. In a function it always is: a config is read there with its environment.
    pub fn now(&self) -> Option<&T> {
        match self {
            Self::Now(value) => Some(value),
            Self::Env(_) => None,
        }
    }
    /// The variable that the value comes from, if it is not known yet.
    pub fn env(&self) -> Option<&EnvName> {
        match self {
            Self::Now(_) => None,
            Self::Env(name) => Some(name),
        }
    }
}

impl<T: Default> Default for Late<T> {
    fn default() -> Self {
        Self::Now(T::default())
    }
}

impl<T> From<EnvName> for Late<T> {
    fn from(name: EnvName) -> Self {
        Self::Env(name)
    }
}
impl From<&str> for Late<String> {
    fn from(value: &str) -> Self {
        Self::Now(value.to_owned())
    }
}
impl From<String> for Late<String> {
    fn from(value: String) -> Self {
        Self::Now(value)
    }
}
impl From<u16> for Late<u16> {
    fn from(value: u16) -> Self {
        Self::Now(value)
    }
}
impl From<bool> for Late<bool> {
    fn from(value: bool) -> Self {
        Self::Now(value)
    }
}

/// As a config's text would show it.
impl<T: fmt::Display> fmt::Display for Late<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(value) => value.fmt(f),
            Self::Env(name) => write!(f, "<{name}>"),
        }
    }
}

impl<T: Serialize> Serialize for Late<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Now(value) => value.serialize(serializer),
            // `to_json` of a config writes this as `<NAME>`; a text that looks like one, it escapes.
            Self::Env(name) => serializer.serialize_str(&variables::held(name.as_str())),
        }
    }
}

impl<'de, T: de::DeserializeOwned> Deserialize<'de> for Late<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        match node.as_str().and_then(variables::only_held) {
            Some(name) => Ok(Self::Env(EnvName(name.to_owned()))),
            None => T::deserialize(&node).map(Self::Now).map_err(de::Error::custom),
        }
    }
}

/// The schema of the value, marked as one that may come later.
impl<T: JsonSchema> JsonSchema for Late<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("Late{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert(LATE.to_owned(), true.into());
        schema
    }
}

/// The word in a schema that marks a setting which may come later. It is not published.
pub(crate) const LATE: &str = "x-late";
