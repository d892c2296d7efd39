//! Handlers: what Lambda hands over, as records and objects to read, and what it is answered.
//!
//! A handler is pure: it turns the invocation's JSON into a [`Batch`] of triggers. The pipeline reads them, and asks the handler
//! for nothing more: the batch says how a failure is [answered](OnFailure).
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Handler`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `component`, `event`.

use crate::{
    component::{Component, Settings},
    event::Facts,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What an author of a handler writes.
pub trait Handler: Component {
    /// The settings that all handlers share.
    fn common(&self) -> &Common;
    /// Reads an invocation. An error means that it is none of this handler's.
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs>;
    /// The topic that is told the keys of objects which could not be processed.
    fn failure_topic(&self) -> Option<&str> {
        None
    }
    /// The trigger that stands for the `number`th input (from 0) of a run without Lambda.
    fn stand_in(&self, name: &str, number: u64, now_ms: i64) -> Trigger<'static>;
    /// Whether an input of a run without Lambda is one object rather than a record on each line.
    fn reads_objects(&self) -> bool;
}

/// A handler as a config holds it. Every [`Handler`] is one.
pub trait BuildHandler: Settings {
    /// See [`Handler::common`].
    fn common(&self) -> &Common;
    /// See [`Handler::read`].
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs>;
    /// See [`Handler::failure_topic`].
    fn failure_topic(&self) -> Option<&str>;
    /// See [`Handler::stand_in`].
    fn stand_in(&self, name: &str, number: u64, now_ms: i64) -> Trigger<'static>;
    /// See [`Handler::reads_objects`].
    fn reads_objects(&self) -> bool;
}

impl<T: Handler> BuildHandler for T {
    fn common(&self) -> &Common {
        Handler::common(self)
    }
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        Handler::read(self, invocation)
    }
    fn failure_topic(&self) -> Option<&str> {
        Handler::failure_topic(self)
    }
    fn stand_in(&self, name: &str, number: u64, now_ms: i64) -> Trigger<'static> {
        Handler::stand_in(self, name, number, now_ms)
    }
    fn reads_objects(&self) -> bool {
        Handler::reads_objects(self)
    }
}

/// The settings that all handlers share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Common {}

/// What one invocation brings.
#[derive(Debug)]
pub struct Batch<'j> {
    /// The triggers, in order.
    pub triggers: Vec<Trigger<'j>>,
    /// What is handed back when some are not safe.
    pub on_failure: OnFailure,
}

/// What the answer to Lambda is when not everything is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// A partial batch response that names the first trigger that is not safe: it and all after it come again, in order.
    Suffix,
    /// The invocation fails, and all of it comes again.
    Whole,
}

/// What comes again or not, as a whole: a record of a stream, an object that was announced.
#[derive(Debug)]
pub struct Trigger<'j> {
    /// What Lambda knows it by; for a log, or for the answer.
    pub id: Cow<'j, str>,
    /// What is known of the events in it: the origin, the time of arrival. The pipeline fills in the rest.
    pub facts: Facts,
    /// What `source_regex` is held against: a stream's ARN or `s3://bucket/key`.
    pub source: Cow<'j, str>,
    /// The content, or where it is.
    pub body: Body<'j>,
}

/// The content of a trigger, or where it is.
#[derive(Debug)]
pub enum Body<'j> {
    /// One event, in base64.
    Base64 {
        /// As the invocation has it.
        text: Cow<'j, str>,
        /// Whether the bytes are gzip.
        gzip: bool,
    },
    /// One event.
    Bytes(Cow<'j, [u8]>),
    /// An object to open; one event a line.
    Object {
        /// The bucket's name.
        bucket: String,
        /// The key, decoded.
        key: String,
        /// The version, of a bucket that keeps versions.
        version_id: Option<String>,
    },
    /// Nothing to read, for a reason that the ledger counts.
    Nothing(&'static str),
}

/// Why an invocation is none of a handler's. Without its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not what this handler reads: {0}")]
pub struct NotOurs(pub String);
