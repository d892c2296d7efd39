//! Handlers: what Lambda hands over, as records and objects to read, and what it is answered.
//!
//! A handler is pure: it turns the invocation's JSON into a [`Batch`] of triggers. The pipeline reads them, and asks the handler
//! for nothing more: the batch says how a failure is [answered](OnFailure).
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Handler`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `component`, `event`, `late`, `need`, `payload`.

mod attributes;
pub mod cloudwatch_logs;
pub mod dynamodb;
pub mod event_bridge;
pub mod firehose_transform;
pub mod kinesis;
mod notification;
pub mod s3;
pub mod sns;
pub mod sns_s3;
pub mod sqs;

pub use cloudwatch_logs::{CloudWatchLogsHandler, LogPayload};
pub use dynamodb::DynamodbHandler;
pub use event_bridge::EventBridgeHandler;
pub use firehose_transform::FirehoseTransformHandler;
pub use kinesis::KinesisHandler;
pub use s3::S3Handler;
pub use sns::SNSHandler;
pub use sns_s3::SNSS3Handler;
pub use sqs::SQSHandler;

use crate::{
    component::{Component, Room, Settings},
    event::{Context, Facts, Place},
    late::Late,
    need::{Need, Target},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildHandler>) {
    room.add::<CloudWatchLogsHandler>();
    room.add::<DynamodbHandler>();
    room.add::<EventBridgeHandler>();
    room.add::<FirehoseTransformHandler>();
    room.add::<KinesisHandler>();
    room.add::<S3Handler>();
    room.add::<SNSHandler>();
    room.add::<SNSS3Handler>();
    room.add::<SQSHandler>();
}

/// What an author of a handler writes.
pub trait Handler: Component {
    /// What kind of place its events are from.
    fn gives(&self) -> Place;
    /// The settings that all handlers share.
    fn common(&self) -> Common;
    /// Reads an invocation. An error means that it is none of this handler's.
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs>;
    /// The same for invocations of thousands of records that are all alike. None if this one is to be read as a whole.
    fn one_by_one<'j>(&self, _invocation: &'j [u8]) -> Option<Box<dyn OneByOne<'j> + 'j>> {
        None
    }
    /// The topic that is told the keys of objects which could not be processed.
    fn failure_topic(&self) -> Option<&str> {
        None
    }
    /// What stands in for Lambda's trigger in a run without Lambda: for the `number`th input (from 0), which is called `name`. Its body
    /// is [`Body::Nothing`].
    fn stand_in(&self, context: &Context, name: &str, number: u64) -> Trigger<'static>;
    /// Whether an input of a run without Lambda is one object rather than a record on each line.
    fn reads_objects(&self) -> bool;
    /// Whether the answer to Lambda is what becomes of the records, so that a transport must be the answer.
    fn wants_answers(&self) -> bool {
        false
    }
}

/// A handler as a config holds it. Every [`Handler`] is one.
pub trait BuildHandler: Settings {
    /// See [`Handler::gives`].
    fn gives(&self) -> Place;
    /// See [`Handler::common`].
    fn common(&self) -> Common;
    /// See [`Handler::read`].
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs>;
    /// See [`Handler::one_by_one`].
    fn one_by_one<'j>(&self, invocation: &'j [u8]) -> Option<Box<dyn OneByOne<'j> + 'j>>;
    /// See [`Handler::failure_topic`].
    fn failure_topic(&self) -> Option<&str>;
    /// See [`Handler::stand_in`].
    fn stand_in(&self, context: &Context, name: &str, number: u64) -> Trigger<'static>;
    /// See [`Handler::reads_objects`].
    fn reads_objects(&self) -> bool;
    /// See [`Handler::wants_answers`].
    fn wants_answers(&self) -> bool;
}

impl<T: Handler> BuildHandler for T {
    fn gives(&self) -> Place {
        Handler::gives(self)
    }
    fn common(&self) -> Common {
        Handler::common(self)
    }
    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        Handler::read(self, invocation)
    }
    fn one_by_one<'j>(&self, invocation: &'j [u8]) -> Option<Box<dyn OneByOne<'j> + 'j>> {
        Handler::one_by_one(self, invocation)
    }
    fn failure_topic(&self) -> Option<&str> {
        Handler::failure_topic(self)
    }
    fn stand_in(&self, context: &Context, name: &str, number: u64) -> Trigger<'static> {
        Handler::stand_in(self, context, name, number)
    }
    fn reads_objects(&self) -> bool {
        Handler::reads_objects(self)
    }
    fn wants_answers(&self) -> bool {
        Handler::wants_answers(self)
    }
}

/// The settings that all handlers share, as the pipeline wants them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// Whether the invocation fails, or names what is to come again, when something could not be delivered.
    pub fail_on_exception: bool,
    /// Whether the function's own tags become tags of all metrics.
    pub include_function_tags: bool,
    /// Tags of all metrics.
    pub metric_tags: Vec<Tag>,
}

impl Common {
    /// Of a handler's settings of these names.
    pub fn new(fail_on_exception: bool, include_function_tags: bool, metric_tags: &[Tag]) -> Self {
        Self { fail_on_exception, include_function_tags, metric_tags: metric_tags.to_vec() }
    }

    /// What these settings need, whichever handler has them.
    pub(crate) fn needs(&self) -> Option<Need> {
        self.include_function_tags.then_some(Need { actions: &["lambda:ListTags"], on: Target::FunctionTags })
    }
}

/// A tag of all metrics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

pub(crate) fn yes() -> bool {
    true
}

/// What one invocation brings.
#[derive(Debug)]
pub struct Batch<'j> {
    /// The triggers, in order.
    pub triggers: Vec<Trigger<'j>>,
    /// What is handed back when some are not safe.
    pub on_failure: OnFailure,
    /// Whether each trigger is logged, by its id.
    pub log_triggers: bool,
}

/// Triggers of a [suffix](OnFailure::Suffix) that are made one by one, as each one's turn comes.
pub trait OneByOne<'j>: fmt::Debug {
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// What Lambda knows one by.
    fn id(&self, number: usize) -> Option<&'j str>;
    /// Makes one, its facts from those of one that is through: their memory is used again.
    fn trigger(&self, number: usize, spent: Facts) -> Option<Trigger<'j>>;
}

/// What the answer to Lambda is when not everything is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// A partial batch response that names the first trigger that is not safe: it and all after it come again, in order.
    Suffix,
    /// A partial batch response that names every item that is not safe: they come again, and no other. Of a group, whose order must
    /// be kept, all behind the first that is not safe come again with it.
    Items,
    /// The answer says of each record what became of it, and holds what was made of it. When some could not be worked on now, the
    /// invocation fails, and all of it comes again.
    Records,
    /// The invocation fails, and all of it comes again.
    Whole,
}

/// What comes again or not, as a whole: a record of a stream, an object that was announced.
#[derive(Debug)]
pub struct Trigger<'j> {
    /// What Lambda knows it by; for a log, or for the answer. Several triggers may come of one item of a batch, and have its id.
    pub id: Cow<'j, str>,
    /// What is known of the events in it: the origin, the time of arrival (0: unknown). The pipeline fills in the rest.
    pub facts: Facts,
    /// What `source_regex` is held against: the ARN of a stream, queue or topic, `s3://bucket/key`, …
    pub source: Cow<'j, str>,
    /// What it must keep its order in, if triggers come again one by one: the group of a FIFO queue.
    pub group: Option<Cow<'j, str>>,
    /// The content, or where it is.
    pub body: Body<'j>,
}

impl Trigger<'_> {
    /// What a log calls it: where it is from, or else its id.
    pub(crate) fn name(&self) -> &str {
        if self.source.is_empty() { &self.id } else { &self.source }
    }
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
        /// Whether they may be an aggregate of the Kinesis Producer Library, in which each record is one event.
        aggregates: bool,
    },
    /// A message of CloudWatch Logs, gzip in base64; each event in it is one event. Its source is the log group, which only the message
    /// knows: the trigger's is the ARN of what it came by, or empty.
    LogMessage {
        /// As the invocation has it.
        text: Cow<'j, str>,
        /// What of each event in it is the event.
        payload: LogPayload,
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
    /// Not to be read, for a reason that the ledger counts.
    Unreadable(&'static str),
}

/// Why an invocation is none of a handler's. Without its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not what this handler reads: {0}")]
pub struct NotOurs(pub String);

/// Reads an invocation, or a part of one. What is wrong is told by its place alone.
fn read_json<'j, T: Deserialize<'j>>(json: &'j [u8]) -> Result<T, NotOurs> {
    // Checked once as a whole, which takes a tenth of the time that checking string by string does.
    let read = match simdutf8::basic::from_utf8(json) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    };
    read.map_err(|error| {
        let what = if error.is_data() { "a member is missing or of another type" } else { "it is not JSON" };
        NotOurs(format!("{what} (line {}, column {})", error.line(), error.column()))
    })
}

/// A string that is borrowed unless it has escapes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'j>(#[serde(borrow)] pub(crate) Cow<'j, str>);

impl<'j> Text<'j> {
    /// The text; empty if there is none.
    fn or_empty(text: Option<Self>) -> Cow<'j, str> {
        text.map(|text| text.0).unwrap_or_default()
    }
}

/// A time in RFC 3339 as milliseconds since 1970.
fn moment(time: &str) -> Option<i64> {
    time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// The region in an ARN.
fn region_of(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// Seconds with a fraction, as Lambda writes times, to milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer there is")]
fn millis(seconds: Option<f64>) -> i64 {
    (seconds.unwrap_or_default() * 1000.0).round() as i64
}

fn topic_needs(topic: Option<&Late<String>>) -> Option<Need> {
    topic.map(|topic| Need { actions: &["sns:Publish"], on: Target::Topic(topic.clone()) })
}
