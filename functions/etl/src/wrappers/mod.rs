//! Wrappers: the envelope that an event is delivered in.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Wrapper`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `build`, `component`, `event`, `payload`.

pub mod basic;
pub mod kinesis;
pub mod passthrough;
pub mod s3;

pub use basic::BasicWrapper;
pub use kinesis::KinesisWrapper;
pub use passthrough::PassthroughWrapper;
pub use s3::S3Wrapper;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Component, Room, Settings},
    event::{Event, Fault, Place},
};
use payload::{Envelope, Name};
use std::fmt;

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildWrapper>) {
    room.add::<BasicWrapper>();
    room.add::<KinesisWrapper>();
    room.add::<PassthroughWrapper>();
    room.add::<S3Wrapper>();
}

/// What an author of a wrapper writes.
pub trait Wrapper: Component {
    /// What is made once and kept between events: the names of the members, mostly.
    type State: fmt::Debug + Send + 'static;
    /// Makes the state. The serializer decides how the envelope's own keys are spelled.
    fn state(&self, cx: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<Self::State, BuildError>;
    /// The only kind of place whose events it can wrap, if there is just one.
    fn reads(&self) -> Option<Place> {
        None
    }
    /// Puts the envelope around an event.
    fn wrap(&self, state: &mut Self::State, event: &mut Event<'_>) -> Result<(), Fault>;
    /// Whether it reads [`Facts::hash`](crate::event::Facts::hash).
    fn wants_hash(&self) -> bool {
        false
    }
}

/// Adds a member if there is something to add.
fn put_some(envelope: &mut Envelope<'_>, name: &Name, value: Option<&str>) {
    if let Some(value) = value {
        envelope.put(name, value);
    }
}

/// How the serializer spells an envelope's key, given in camel case: `partitionKey` -> `partition_key`.
#[derive(Clone, Copy)]
pub struct Spelling<'a>(pub &'a dyn Fn(&str) -> String);

impl Spelling<'_> {
    /// The key as it is written.
    pub fn name(self, key: &str) -> Name {
        Name::new(&(self.0)(key))
    }
}

impl fmt::Debug for Spelling<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spelling")
    }
}

/// A wrapper as a config holds it. Every [`Wrapper`] is one.
pub trait BuildWrapper: Settings {
    /// See [`Wrapper::reads`].
    fn reads(&self) -> Option<Place>;
    /// Makes the one that runs.
    fn build(&self, cx: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<Box<dyn RunWrapper>, BuildError>;
}

/// A wrapper that runs.
pub trait RunWrapper: fmt::Debug + Send {
    /// See [`Wrapper::wrap`].
    fn wrap(&mut self, event: &mut Event<'_>) -> Result<(), Fault>;
    /// See [`Wrapper::wants_hash`].
    fn wants_hash(&self) -> bool;
}

impl<T: Wrapper> BuildWrapper for T {
    fn reads(&self) -> Option<Place> {
        Wrapper::reads(self)
    }
    fn build(&self, cx: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<Box<dyn RunWrapper>, BuildError> {
        let state = self.state(cx, spelling).map_err(|error| error.of(T::NAME))?;
        Ok(Box::new(Running { component: self.clone(), state }))
    }
}

impl<T: Wrapper> RunWrapper for Running<T, T::State> {
    fn wrap(&mut self, event: &mut Event<'_>) -> Result<(), Fault> {
        self.component.wrap(&mut self.state, event)
    }
    fn wants_hash(&self) -> bool {
        self.component.wants_hash()
    }
}
