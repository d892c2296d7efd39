//! Deserializers: the text of a record or line to the payload of an event.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Deserializer`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `build`, `component`, `event`, `field`, `pattern`, `payload`, `typed`.

pub mod delimited;
pub mod generic_json;
pub mod logfmt;
pub mod regex;
pub mod syslog;
pub mod text;

pub use delimited::Delimited;
pub use generic_json::GenericJson;
pub use logfmt::Logfmt;
pub use regex::Regex;
pub use syslog::Syslog;
pub use text::Text;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Component, Room, Settings},
    event::Fault,
};
use payload::{Arena, JsonError, Payload};
use std::{fmt, ops::Range};

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildDeserializer>) {
    room.add::<GenericJson>();
    room.add::<Regex>();
    room.add::<Delimited>();
    room.add::<Logfmt>();
    room.add::<Syslog>();
    room.add::<Text>();
}

/// What an author of a deserializer writes.
pub trait Deserializer: Component {
    /// What is made once and kept between events.
    type State: fmt::Debug + Send + 'static;
    /// Makes the state.
    fn state(&self, cx: &BuildCx<'_>) -> Result<Self::State, BuildError>;
    /// Notes that the lines of a new object follow. Of records it hears nothing.
    fn begin(&self, _state: &mut Self::State) {}
    /// Reads one event.
    fn read<'a>(&self, state: &mut Self::State, raw: Raw<'a>) -> Result<Payload<'a>, Unread>;
    /// Whether the text is read as one JSON object and nothing is done to it: a following split may then read an array's elements
    /// one by one.
    fn is_plain_json(&self) -> bool {
        false
    }
}

/// Why a text gives no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It cannot be read.
    Fault(Fault),
    /// It is none: a header, an empty line. Few words, always the same; the ledger counts by them.
    Drop(&'static str),
}

/// What is dropped where nothing is in a line.
pub(crate) const EMPTY: Unread = Unread::Drop("empty line");

impl<E: Into<Fault>> From<E> for Unread {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// The text of one event, where it was loaded.
#[derive(Debug)]
pub struct Raw<'a> {
    /// What holds it.
    pub arena: &'a mut Arena,
    /// Where in the [loaded](Arena::loaded) bytes.
    pub range: Range<usize>,
}

impl<'a> Raw<'a> {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.arena.loaded().get(self.range.clone()).unwrap_or_default()
    }

    /// Copies the text, so that an event can be made of its parts. Bytes that are not UTF-8 become U+FFFD, as in Java.
    pub fn text(&self, copy: &mut String) {
        copy.clear();
        match simdutf8::basic::from_utf8(self.bytes()) {
            Ok(text) => copy.push_str(text),
            Err(_) => copy.push_str(&String::from_utf8_lossy(self.bytes())),
        }
    }

    /// Reads it as JSON, strictly.
    pub fn parse(self) -> Result<Payload<'a>, JsonError> {
        self.arena.parse(self.range)
    }

    /// Reads it as JSON; what is not JSON, as Gson does. See [`Arena::parse_lenient`].
    pub fn parse_lenient(self) -> Result<Payload<'a>, JsonError> {
        self.arena.parse_lenient(self.range)
    }
}

/// A deserializer as a config holds it. Every [`Deserializer`] is one.
pub trait BuildDeserializer: Settings {
    /// Makes the one that runs.
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunDeserializer>, BuildError>;
}

/// A deserializer that runs.
pub trait RunDeserializer: fmt::Debug + Send {
    /// See [`Deserializer::begin`].
    fn begin(&mut self);
    /// See [`Deserializer::read`].
    fn read<'a>(&mut self, raw: Raw<'a>) -> Result<Payload<'a>, Unread>;
    /// See [`Deserializer::is_plain_json`].
    fn is_plain_json(&self) -> bool;
}

impl<T: Deserializer> BuildDeserializer for T {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunDeserializer>, BuildError> {
        let state = self.state(cx).map_err(|error| error.of(T::NAME))?;
        Ok(Box::new(Running { component: self.clone(), state }))
    }
}

impl<T: Deserializer> RunDeserializer for Running<T, T::State> {
    fn begin(&mut self) {
        self.component.begin(&mut self.state);
    }
    fn read<'a>(&mut self, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        self.component.read(&mut self.state, raw)
    }
    fn is_plain_json(&self) -> bool {
        self.component.is_plain_json()
    }
}
