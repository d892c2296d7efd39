//! Substitutions: the values that a `SubstitutionOperation` puts into an event.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Substitution`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `build`, `component`, `event`, `field`, `need`, `number`, `pattern`, `payload`.

pub mod context;
pub mod field;
pub mod formatted;
pub mod message_format;
pub mod metadata;
pub mod nested;
mod place;
pub mod regex;
mod selection;
pub mod r#static;
#[cfg(test)]
mod testing;

pub use context::ContextSubstitution;
pub use field::FieldSubstitution;
pub use formatted::FormattedSubstitution;
pub use metadata::MetadataSubstitution;
pub use nested::NestedSubstitution;
pub use place::{Key, Keys, Made, Place};
pub use regex::RegexSubstitution;
pub use r#static::StaticSubstitution;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Any, Component, Room, Settings},
    event::{Event, Fault},
};
use std::fmt;

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildSubstitution>) {
    room.add::<ContextSubstitution>();
    room.add::<FieldSubstitution>();
    room.add::<FormattedSubstitution>();
    room.add::<MetadataSubstitution>();
    room.add::<NestedSubstitution>();
    room.add::<RegexSubstitution>();
    room.add::<StaticSubstitution>();
}

/// A substitution of a config.
pub type SubstitutionConfig = Any<dyn BuildSubstitution>;

/// What an author of a substitution writes.
pub trait Substitution: Component {
    /// What is made once and kept between events.
    type State: fmt::Debug + Send + 'static;
    /// Makes the state. `keys` reads the settings that are keys.
    fn state(&self, cx: &BuildCx<'_>, keys: Keys) -> Result<Self::State, BuildError>;
    /// Puts its values into their place.
    fn substitute(&self, state: &mut Self::State, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault>;
    /// The settings that are keys, by name and value: `key`. In an event they are paths, in a `NestedSubstitution` names.
    fn keys(&self) -> Vec<(String, &str)>;
    /// Whether it reads [`Facts::hash`](crate::event::Facts::hash).
    fn wants_hash(&self) -> bool {
        false
    }
}

/// A substitution as a config holds it. Every [`Substitution`] is one.
pub trait BuildSubstitution: Settings {
    /// Makes the one that runs.
    fn build(&self, cx: &BuildCx<'_>, keys: Keys) -> Result<Box<dyn RunSubstitution>, BuildError>;
    /// See [`Substitution::keys`].
    fn keys(&self) -> Vec<(String, &str)>;
    /// See [`Substitution::wants_hash`].
    fn wants_hash(&self) -> bool;
}

/// A substitution that runs.
pub trait RunSubstitution: fmt::Debug + Send {
    /// See [`Substitution::substitute`].
    fn substitute(&mut self, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault>;
}

impl<T: Substitution> BuildSubstitution for T {
    fn build(&self, cx: &BuildCx<'_>, keys: Keys) -> Result<Box<dyn RunSubstitution>, BuildError> {
        let state = self.state(cx, keys).map_err(|error| error.of(T::NAME))?;
        Ok(Box::new(Running { component: self.clone(), state }))
    }
    fn keys(&self) -> Vec<(String, &str)> {
        Substitution::keys(self)
    }
    fn wants_hash(&self) -> bool {
        Substitution::wants_hash(self)
    }
}

impl<T: Substitution> RunSubstitution for Running<T, T::State> {
    fn substitute(&mut self, event: &mut Event<'_>, place: &mut Place<'_>) -> Result<(), Fault> {
        self.component.substitute(&mut self.state, event, place)
    }
}

/// Makes the substitutions that run, in order.
pub(crate) fn build(
    all: &[SubstitutionConfig],
    cx: &BuildCx<'_>,
    keys: Keys,
) -> Result<Vec<Box<dyn RunSubstitution>>, BuildError> {
    all.iter().map(|one| one.build(cx, keys).map_err(|error| error.of(one.name()))).collect()
}

fn yes() -> bool {
    true
}

/// Nothing is at any of a substitution's `src_fields`.
const NO_SOURCE: Fault = Fault::new("there is nothing at the `src_fields`");
