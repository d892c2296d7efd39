//! Serializers: the payload of an event to the text that is delivered.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Serializer`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `build`, `component`, `event`, `payload`.

pub mod json;

pub use json::Json;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Component, Room, Settings},
    event::{Event, Fault},
};
use payload::Output;
use std::fmt;

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildSerializer>) {
    room.add::<Json>();
}

/// What an author of a serializer writes.
pub trait Serializer: Component {
    /// What is made once and kept between events.
    type State: fmt::Debug + Send + 'static;
    /// Makes the state.
    fn state(&self, cx: &BuildCx<'_>) -> Result<Self::State, BuildError>;
    /// Appends the event's text.
    fn write(&self, state: &mut Self::State, event: &Event<'_>, out: &mut Output) -> Result<(), Fault>;
    /// How a key of a wrapper's envelope is spelled; it is given in camel case.
    fn spell(&self, key: &str) -> String {
        key.to_owned()
    }
}

/// A serializer as a config holds it. Every [`Serializer`] is one.
pub trait BuildSerializer: Settings {
    /// Makes the one that runs.
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunSerializer>, BuildError>;
    /// See [`Serializer::spell`].
    fn spell(&self, key: &str) -> String;
}

/// A serializer that runs.
pub trait RunSerializer: fmt::Debug + Send {
    /// See [`Serializer::write`].
    fn write(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault>;
}

impl<T: Serializer> BuildSerializer for T {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunSerializer>, BuildError> {
        let state = self.state(cx).map_err(|error| error.of(T::NAME))?;
        Ok(Box::new(Running { component: self.clone(), state }))
    }
    fn spell(&self, key: &str) -> String {
        Serializer::spell(self, key)
    }
}

impl<T: Serializer> RunSerializer for Running<T, T::State> {
    fn write(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        self.component.write(&mut self.state, event, out)
    }
}
