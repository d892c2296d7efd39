//! Where a substitution's values go: into the event, or into the object that a `NestedSubstitution` makes.
//!
//! Imports: `build`, `event`, `field`, `payload`.

use crate::{
    build::BuildError,
    event::{Event, Fault},
    field,
};
use payload::{ChangeError, New, Output, Path};
use std::borrow::Cow;

/// How keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// As paths: in an event.
    Paths,
    /// As names, whatever characters they have: in a `NestedSubstitution`.
    Names,
}

/// A key of a substitution, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Where in the event.
    Path(Path),
    /// The name of a member.
    Name(String),
}

impl Keys {
    /// Reads a key.
    pub fn read(self, key: &str) -> Result<Key, BuildError> {
        match self {
            Self::Paths => field::places(key).map(Key::Path),
            Self::Names => Ok(Key::Name(key.to_owned())),
        }
    }
}

/// A value that a substitution made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made<'v> {
    /// A string, not escaped.
    Text(Cow<'v, str>),
    /// True or false.
    Bool(bool),
    /// A number as JSON has it.
    Number(String),
    /// Any value, as JSON text.
    Json(Vec<u8>),
}

/// Where a substitution's values go.
#[derive(Debug)]
pub enum Place<'o> {
    /// The event itself. A key whose parent is missing goes nowhere, as in Bender.
    Event,
    /// The members of an object under construction, as JSON text without its end.
    Members(&'o mut Output),
}

impl Place<'_> {
    /// Puts a value under a key.
    ///
    /// # Errors
    /// When the key leads through a value that can hold nothing.
    pub fn put(&mut self, event: &mut Event<'_>, key: &Key, value: Made<'_>) -> Result<(), Fault> {
        if let (Self::Event, Key::Path(path)) = (&*self, key) {
            return done(event.payload.set(path, new(&value)?)).map(drop);
        }
        self.put_all(event, vec![(key, value)], &[])
    }

    /// Puts a copy of what is at a path under a key.
    ///
    /// # Errors
    /// When the key leads through a value that can hold nothing.
    pub fn copy(&mut self, event: &mut Event<'_>, key: &Key, from: &Path) -> Result<(), Fault> {
        if let (Self::Event, Key::Path(to), true) = (&*self, key, from.is_definite()) {
            return done(event.payload.copy_value(from, to)).map(drop);
        }
        let json = field::json(&event.payload, from);
        self.put(event, key, Made::Json(json))
    }

    /// Puts values under their keys, and takes out the fields that they were made of. A field stays where taking it out would lose
    /// something: when a value finds no place, or its place is the field itself, in it, or around it.
    ///
    /// # Errors
    /// When a key leads through a value that can hold nothing.
    pub fn put_all(
        &mut self,
        event: &mut Event<'_>,
        values: Vec<(&Key, Made<'_>)>,
        sources: &[&Path],
    ) -> Result<(), Fault> {
        let mut fits = true;
        if let Self::Event = self {
            for (key, _) in &values {
                if let Key::Path(path) = key {
                    fits &= done(event.payload.can_set(path))?;
                }
            }
        }
        let mut taken = false;
        for source in sources.iter().filter(|source| fits && !source.is_length()) {
            let overlaps = |key: &Key| matches!(key, Key::Path(path) if path.overlaps(source));
            if !values.iter().any(|(key, _)| overlaps(key)) {
                taken |= event.payload.remove(source)?;
            }
        }
        for (key, value) in values {
            match (&mut *self, key) {
                (Self::Event, Key::Path(path)) => {
                    let put = event.payload.set(path, new(&value)?);
                    if taken { put? } else { _ = done(put)? }
                }
                (Self::Event, Key::Name(name)) => event.payload.set(&Path::member(name), new(&value)?)?,
                (Self::Members(out), Key::Name(name)) => member(out, name, &value),
                (Self::Members(out), Key::Path(path)) => member(out, path.as_str(), &value),
            }
        }
        Ok(())
    }
}

/// Whether a value found its place. That it did not is no fault: Bender's configs count on it.
fn done(put: Result<(), ChangeError>) -> Result<bool, Fault> {
    match put {
        Ok(()) => Ok(true),
        Err(ChangeError::Missing | ChangeError::MissingParent) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn new<'v>(value: &'v Made<'_>) -> Result<New<'v>, Fault> {
    Ok(match value {
        Made::Text(text) => New::Text(text),
        Made::Bool(value) => New::Bool(*value),
        Made::Number(number) => New::Number(number),
        Made::Json(json) => New::Json(str::from_utf8(json).map_err(|_| Fault::new("not UTF-8"))?),
    })
}

/// Appends a member to an object under construction. Of two of one name the last one counts when it is read.
fn member(out: &mut Output, name: &str, value: &Made<'_>) {
    out.push(if out.is_empty() { b'{' } else { b',' });
    text(out, name);
    out.push(b':');
    match value {
        Made::Text(value) => text(out, value),
        Made::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Made::Number(number) => out.extend_from_slice(number.as_bytes()),
        Made::Json(json) => out.extend_from_slice(json),
    }
}

fn text(out: &mut Output, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
