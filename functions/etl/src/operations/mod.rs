//! Operations: the steps of a source's chain. Each changes an event, drops it, or makes several of it.
//!
//! *To add one*: a file with a struct that is a [`Component`] and an [`Operation`]; two lines here, `pub mod` and its row in
//! [`register`]. One that makes several events of one is a [`BuildOperation`] itself, and says which [`Step`] it is.
//!
//! Imports: `asset`, `bounded`, `build`, `component`, `config`, `event`, `field`, `late`, `need`, `pattern`, `payload`, `time`, `typed`.

pub mod basic_filter;
pub mod conditional;
pub mod dedupe;
pub mod delete_field;
pub mod flatten;
pub mod fork;
pub mod gelf;
pub mod geo_ip;
pub mod json_array_split;
pub mod json_drop_arrays;
pub mod json_key_name;
pub mod json_replace_kv;
pub mod json_root_node;
pub mod keep_fields;
pub mod key_name_replacement;
pub mod lookup;
pub mod lower_case_key;
pub mod on_failure;
pub mod parse_json;
pub mod parse_regex;
pub mod partition;
pub mod redact;
pub mod regex_filter;
pub mod rename_field;
pub mod sample;
pub mod substitution;
pub mod time;
pub mod url_decode;

pub use basic_filter::BasicFilterOperation;
pub use conditional::ConditionalOperation;
pub use dedupe::DedupeOperation;
pub use delete_field::DeleteFieldOperation;
pub use flatten::FlattenOperation;
pub use fork::ForkOperation;
pub use gelf::GelfOperation;
pub use geo_ip::GeoIpOperation;
pub use json_array_split::JsonArraySplitOperation;
pub use json_drop_arrays::JsonDropArraysOperation;
pub use json_key_name::JsonKeyNameOperation;
pub use json_replace_kv::JsonReplaceKVOperation;
pub use json_root_node::JsonRootNodeOperation;
pub use keep_fields::KeepFieldsOperation;
pub use key_name_replacement::KeyNameReplacementOperation;
pub use lookup::LookupOperation;
pub use lower_case_key::LowerCaseKeyOperation;
pub use on_failure::OnFailure;
pub use parse_json::ParseJsonOperation;
pub use parse_regex::ParseRegexOperation;
pub use partition::PartitionOperation;
pub use redact::RedactOperation;
pub use regex_filter::RegexFilterOperation;
pub use rename_field::RenameFieldOperation;
pub use sample::SampleOperation;
pub use substitution::SubstitutionOperation;
pub use time::TimeOperation;
pub use url_decode::UrlDecodeOperation;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Component, Room, Settings},
    config::OperationConfig,
    event::{Event, Fault, Outcome},
};
use payload::{Name, Path};
use std::fmt;

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildOperation>) {
    room.add::<BasicFilterOperation>();
    room.add::<ConditionalOperation>();
    room.add::<DedupeOperation>();
    room.add::<DeleteFieldOperation>();
    room.add::<FlattenOperation>();
    room.add::<ForkOperation>();
    room.add::<GelfOperation>();
    room.add::<GeoIpOperation>();
    room.add::<JsonArraySplitOperation>();
    room.add::<JsonDropArraysOperation>();
    room.add::<JsonKeyNameOperation>();
    room.add::<JsonReplaceKVOperation>();
    room.add::<JsonRootNodeOperation>();
    room.add::<KeepFieldsOperation>();
    room.add::<KeyNameReplacementOperation>();
    room.add::<LookupOperation>();
    room.add::<LowerCaseKeyOperation>();
    room.add::<ParseJsonOperation>();
    room.add::<ParseRegexOperation>();
    room.add::<PartitionOperation>();
    room.add::<RedactOperation>();
    room.add::<RegexFilterOperation>();
    room.add::<SubstitutionOperation>();
    room.add::<RenameFieldOperation>();
    room.add::<SampleOperation>();
    room.add::<TimeOperation>();
    room.add::<UrlDecodeOperation>();
}

/// What an author of an operation writes.
pub trait Operation: Component {
    /// What is made once and kept between events.
    type State: fmt::Debug + Send + 'static;
    /// Makes the state.
    fn state(&self, cx: &BuildCx<'_>) -> Result<Self::State, BuildError>;
    /// An invocation begins.
    fn begin(&self, _state: &mut Self::State) {}
    /// Works on one event.
    fn perform(&self, state: &mut Self::State, event: &mut Event<'_>) -> Result<Outcome, Fault>;
    /// Whether it reads [`Facts::hash`](crate::event::Facts::hash).
    fn wants_hash(&self) -> bool {
        false
    }
    /// Whether it only decides which events pass, and changes none: then it may be a condition.
    fn is_filter(&self) -> bool {
        false
    }
}

/// An operation as a config holds it. Every [`Operation`] is one.
pub trait BuildOperation: Settings {
    /// Makes the step that runs.
    fn build(&self, cx: &BuildCx<'_>) -> Result<Step, BuildError>;
    /// See [`Operation::is_filter`].
    fn is_filter(&self) -> bool {
        false
    }
}

/// A step of a chain that runs.
#[derive(Debug)]
pub enum Step {
    /// One event in, one or none out.
    Perform(Box<dyn RunOperation>),
    /// One event for each element of an array. Each element must be an object.
    Split {
        /// Where the array is.
        path: Path,
        /// Top-level members of the source event that each element gets a copy of; null where there is none.
        keep: Vec<Name>,
    },
    /// The event goes into each branch, in a copy of its own. Without branches it goes on as it is.
    Fork(Vec<Branch>),
    /// The event goes into the branch of the first condition that it passes.
    Choose {
        /// The conditions in order, with their branches.
        branches: Vec<Guarded>,
        /// Whether an event that passes none of them is dropped.
        drop_others: bool,
    },
}

/// Steps by the names of their operations, in order.
pub type Branch = Vec<(&'static str, Step)>;

/// A branch behind a condition.
#[derive(Debug)]
pub struct Guarded {
    /// The condition's name.
    pub name: &'static str,
    /// The condition.
    pub filter: Box<dyn RunOperation>,
    /// What is done to events that pass it.
    pub branch: Branch,
}

/// Makes the steps that run.
pub(crate) fn branch(operations: &[OperationConfig], cx: &BuildCx<'_>) -> Result<Branch, BuildError> {
    let step = |operation: &OperationConfig| {
        let name = operation.name();
        Ok((name, operation.build(cx).map_err(|error| error.of(name))?))
    };
    operations.iter().map(step).collect()
}

/// An operation that runs.
pub trait RunOperation: fmt::Debug + Send {
    /// See [`Operation::begin`].
    fn begin(&mut self);
    /// See [`Operation::perform`].
    fn perform(&mut self, event: &mut Event<'_>) -> Result<Outcome, Fault>;
    /// See [`Operation::wants_hash`].
    fn wants_hash(&self) -> bool;
}

impl<T: Operation> BuildOperation for T {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Step, BuildError> {
        let state = self.state(cx).map_err(|error| error.of(T::NAME))?;
        Ok(Step::Perform(Box::new(Running { component: self.clone(), state })))
    }
    fn is_filter(&self) -> bool {
        Operation::is_filter(self)
    }
}

impl<T: Operation> RunOperation for Running<T, T::State> {
    fn begin(&mut self) {
        self.component.begin(&mut self.state);
    }
    fn perform(&mut self, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        self.component.perform(&mut self.state, event)
    }
    fn wants_hash(&self) -> bool {
        self.component.wants_hash()
    }
}
