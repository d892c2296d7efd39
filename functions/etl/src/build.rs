//! From a component of a config to one that runs: what it may ask for while it is built, and how that can fail.
//!
//! Every room has the same three faces of a component: the trait that its author writes (`Operation`), the one that a config holds
//! (`BuildOperation`), and the one that runs (`RunOperation`). An author writes the first; the others follow from it.
//!
//! Imports: `asset`, `ports`.

use crate::{asset::Assets, ports::Log};
use std::{fmt, sync::Arc};

/// What a component may ask for while it is built: once in the life of a function, before the first event.
#[derive(Clone, Copy)]
pub struct BuildCx<'a> {
    /// The region that the function runs in; what a component without a `region` of its own means.
    pub region: &'a str,
    /// Files to read when the first event needs them, such as a database.
    pub assets: &'a Arc<Assets>,
    /// Lines for people, about what is allowed but unwise.
    pub log: &'a dyn Log,
}

impl fmt::Debug for BuildCx<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildCx").field("region", &self.region).finish_non_exhaustive()
    }
}

/// Why a component cannot be built. What a config's check can find does not get here: this is what only the place can tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{component}: {message}")]
pub struct BuildError {
    /// Which component; filled in by the pipeline.
    pub component: String,
    /// What is wrong, and the way out.
    pub message: String,
}

impl BuildError {
    /// An error with its text.
    pub fn new(message: impl Into<String>) -> Self {
        Self { component: String::new(), message: message.into() }
    }

    /// The same error, saying which component it is of.
    #[must_use]
    pub fn of(self, component: &str) -> Self {
        if self.component.is_empty() { Self { component: component.to_owned(), ..self } } else { self }
    }
}

/// A component with the state that it works with.
#[derive(Debug)]
pub(crate) struct Running<C, S> {
    pub(crate) component: C,
    pub(crate) state: S,
}
