//! An event on its way through a pipeline: its payload, what is known about it, and what may become of it.
//!
//! Nothing here can carry an event's content into a log: the reasons of a [`Fault`], of a drop and of an [`Outage`] are texts of
//! the program, never of the data.
//!
//! Imports: `payload`.

use payload::Payload;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use std::{
    fmt,
    sync::{Arc, LazyLock},
};

/// One event, lent to each component in turn.
#[derive(Debug)]
pub struct Event<'e> {
    /// The event itself.
    pub payload: Payload<'e>,
    /// What is known about it.
    pub facts: &'e mut Facts,
}

/// What is known about an event beside its payload. The elements of a split begin with the facts of the event they were in.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The invocation it came with.
    pub context: Arc<Context>,
    /// What the clock said when the invocation began: milliseconds since 1970.
    pub now_ms: i64,
    /// Where it was read.
    pub origin: Origin,
    /// Where it begins in its object, in bytes after inflating. 0 for a record.
    pub offset: u64,
    /// When it arrived at AWS: milliseconds since 1970.
    pub arrival_ms: i64,
    /// The time that an operation found in it: milliseconds since 1970.
    pub time_ms: Option<i64>,
    /// SHA-1 of the event's text as 40 hex digits. There only when a component of the pipeline [wants](WantsHash) it.
    pub hash: Option<Hash>,
    /// What an operation sorted it by, in order. A null partition is a name without a value.
    pub partitions: Vec<(Arc<str>, Option<String>)>,
    /// Which element it is, of each split that it went through, and which copy, of each fork.
    pub elements: Vec<u32>,
}

impl Default for Facts {
    /// All share one empty context: there are facts of each record of an invocation.
    fn default() -> Self {
        static NOBODY: LazyLock<Arc<Context>> = LazyLock::new(Arc::default);
        Self {
            context: Arc::clone(&NOBODY),
            now_ms: 0,
            origin: Origin::default(),
            offset: 0,
            arrival_ms: 0,
            time_ms: None,
            hash: None,
            partitions: vec![],
            elements: vec![],
        }
    }
}

/// SHA-1 as 40 lower-case hex digits.
pub type Hash = [u8; 40];

/// SHA-1 of a text.
pub fn sha1_hex(text: &[u8]) -> Hash {
    hex(&Sha1::digest(text).into())
}

/// A digest as hex digits.
pub(crate) fn hex(digest: &[u8; 20]) -> Hash {
    let mut hex = [0; 40];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(digest) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    hex
}

/// Hex digits as text.
pub fn hash_text(hash: &Hash) -> &str {
    str::from_utf8(hash).unwrap_or_default()
}

/// Whether a component reads [`Facts::hash`], which costs more than most operations do.
pub type WantsHash = bool;

impl Facts {
    /// The event's own time, or else that of its arrival: Bender's event time.
    pub fn event_ms(&self) -> i64 {
        self.time_ms.unwrap_or(self.arrival_ms)
    }

    /// The partitions that operations made, followed by the handler's own (`__shardid__`, `__filename__`, `__keys__`).
    pub fn partitions(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let own = self.partitions.iter().map(|(name, value)| (&**name, value.as_deref()));
        own.chain(self.origin.partition.iter().map(|(name, value)| (*name, Some(&**value))))
    }

    /// The hash as text; empty when no component of the pipeline asked for it.
    pub fn hash_text(&self) -> &str {
        self.hash.as_ref().map(hash_text).unwrap_or_default()
    }
}

/// Where an event was read: enough to find it again, and the same on every delivery of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What kind of place, and which.
    pub kind: OriginKind,
    /// AWS's name of the service: `aws:kinesis`, `aws:s3`, …; `aws:sns` for the objects of `SNSS3Handler`.
    pub source_name: &'static str,
    /// AWS's name of the region.
    pub region: Arc<str>,
    /// The partition that the handler adds to every event: `__shardid__`, `__filename__` or `__keys__`, and its value.
    pub partition: Option<(&'static str, Arc<str>)>,
}

/// The kinds of places that events are read from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OriginKind {
    /// None: made by a test.
    #[default]
    None,
    /// A record of a Kinesis stream.
    Kinesis(KinesisOrigin),
    /// A line of an S3 object.
    S3(S3Origin),
    /// A change of an item, from a table's stream.
    Dynamodb(DynamodbOrigin),
    /// A message of an SQS queue.
    Sqs(MessageOrigin),
    /// A message of an SNS topic.
    Sns(MessageOrigin),
    /// An event of an `EventBridge` bus.
    EventBridge(EventBridgeOrigin),
    /// An event of a CloudWatch log group.
    Logs(LogOrigin),
    /// A record that Firehose wants transformed.
    Firehose(FirehoseOrigin),
}

/// A kind of place that events are read from: what a handler gives, and what a wrapper can wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A Kinesis stream.
    Kinesis,
    /// A bucket.
    S3,
    /// The stream of a table.
    Dynamodb,
    /// A queue.
    Sqs,
    /// A topic.
    Sns,
    /// A bus.
    EventBridge,
    /// A log group.
    Logs,
    /// A delivery stream.
    Firehose,
}

/// Which record of a Kinesis stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KinesisOrigin {
    /// ARN of the stream.
    pub stream_arn: Arc<str>,
    /// `shardId-…`. The record's event id is this, a colon and the sequence number.
    pub shard_id: Arc<str>,
    /// The record's number in its shard.
    pub sequence_number: String,
    /// Its number in an aggregated record.
    pub sub_sequence: Option<u64>,
    /// The producer's partition key.
    pub partition_key: Option<String>,
    /// `aws:kinesis`, as the record says.
    pub event_source: Option<Arc<str>>,
}

/// Which object of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct S3Origin {
    /// The bucket's name.
    pub bucket: String,
    /// The key as the notification has it: URL-encoded.
    pub key: String,
    /// The version, of a bucket that keeps versions.
    pub version_id: Option<String>,
    /// What orders the events of one key.
    pub sequencer: Option<String>,
}

/// Which record of a table's stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DynamodbOrigin {
    /// ARN of the stream.
    pub stream_arn: Arc<str>,
    /// The record's number in its shard.
    pub sequence_number: String,
    /// What DynamoDB calls the record.
    pub event_id: Option<String>,
    /// `INSERT`, `MODIFY` or `REMOVE`.
    pub event_name: Option<String>,
    /// `aws:dynamodb`, as the record says.
    pub event_source: Option<Arc<str>>,
}

/// Which message of a queue or topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageOrigin {
    /// ARN of the queue or topic.
    pub arn: Arc<str>,
    /// The same for each time that it is received.
    pub message_id: String,
}

/// Which event of a bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventBridgeOrigin {
    /// Who sent it: `aws.ec2`.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// The account it is from.
    pub account: String,
    /// The event's id.
    pub event_id: String,
}

/// Which event of a log group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOrigin {
    /// The account of the log group.
    pub owner: Arc<str>,
    /// The log group.
    pub log_group: Arc<str>,
    /// The stream in it.
    pub log_stream: Arc<str>,
    /// The event's id, its own in the log group.
    pub event_id: String,
}

/// Which record of a delivery stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirehoseOrigin {
    /// ARN of the delivery stream.
    pub stream_arn: Arc<str>,
    /// The record's id, the same each time that it is handed over.
    pub record_id: String,
}

/// What an operation says becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Pass,
    /// It is not wanted, for a reason that the ledger counts. Few words, always the same.
    Drop(&'static str),
    /// It cannot be worked on now, for no fault of its own: it comes again with its trigger, and so does what follows it.
    HandBack(Outage),
}

/// This one event cannot be worked on. Its neighbours are not touched by it.
///
/// The reason is a text of the program, so it can never hold content of the event; the ledger counts by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    /// Why, in a few words.
    pub reason: &'static str,
}

impl Fault {
    /// A fault with its reason.
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

impl From<payload::JsonError> for Fault {
    fn from(error: payload::JsonError) -> Self {
        Self::new(error.reason)
    }
}

impl From<payload::ChangeError> for Fault {
    fn from(error: payload::ChangeError) -> Self {
        use payload::ChangeError as E;
        Self::new(match error {
            E::Missing => "nothing at the path",
            E::MissingParent => "the path leads through a field that is missing",
            E::WrongParent(_) => "the path leads through a value that cannot hold it",
            E::WrongKind(_) => "the value is of another kind than needed",
            E::WrongPath => "the path does not name one member",
            E::Collision => "two members would have the same name",
            E::TooDeep => "the event would be nested too deep",
            E::TooLarge => "the event would become too large",
            E::NotFinite => "the number is infinite or not a number",
            E::Json(error) => error.reason,
        })
    }
}

/// The far side, or a file that is needed, does not do its part. What was not safe by then is handed back to the trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Outage {
    /// Why, in a few words.
    pub reason: &'static str,
}

/// The part of a pipeline that an event was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Reading the record or object.
    Source,
    /// Text to payload.
    Deserializer,
    /// A step of the source's chain.
    Operation,
    /// Putting the envelope around it.
    Wrapper,
    /// Payload to text.
    Serializer,
    /// The transport's form of it, or the far side's refusal for good.
    Transport,
    /// Handed back to the trigger: the far side did not take it in time.
    Delivery,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Deserializer => "deserializer",
            Self::Operation => "operation",
            Self::Wrapper => "wrapper",
            Self::Serializer => "serializer",
            Self::Transport => "transport",
            Self::Delivery => "delivery",
        })
    }
}

/// What Lambda says about an invocation, and, for a run without Lambda, about what stands in for its trigger. Every member may be
/// missing; unknown ones are passed over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// The function's name.
    pub function_name: Option<String>,
    /// Its version; `$LATEST` or a number.
    pub function_version: Option<String>,
    /// The ARN that was invoked, with the alias if there was one.
    pub invoked_function_arn: Option<String>,
    /// Lambda's id of the invocation; the same for its retries.
    pub aws_request_id: Option<String>,
    /// CloudWatch's log group.
    pub log_group_name: Option<String>,
    /// And the stream in it.
    pub log_stream_name: Option<String>,
    /// When Lambda ends the invocation: milliseconds since 1970. None: never.
    pub deadline_ms: Option<i64>,
    /// What the clock says, if it is to be the same every time: milliseconds since 1970.
    pub now_ms: Option<i64>,
    /// The stream that the lines of a local file stand for.
    pub kinesis: Option<KinesisStandIn>,
    /// The object that a local file stands for.
    pub s3: Option<S3StandIn>,
}

impl Context {
    /// What the function was invoked as: the alias of the ARN, `$LATEST` if it has none (Bender's rule).
    pub fn alias(&self) -> &str {
        self.invoked_function_arn.as_deref().and_then(|arn| arn.split(':').nth(7)).unwrap_or("$LATEST")
    }
}

/// The stream that the lines of a local file stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KinesisStandIn {
    /// ARN of the stream.
    pub event_source_arn: Option<String>,
    /// `aws:kinesis`.
    pub event_source: Option<String>,
    /// AWS's name of the region.
    pub aws_region: Option<String>,
    /// `shardId-…`.
    pub shard_id: Option<String>,
    /// Of the first line; each further line has the next one.
    pub sequence_number: Option<String>,
    /// Of every line.
    pub partition_key: Option<String>,
    /// When the lines arrived: milliseconds since 1970.
    pub approximate_arrival_ms: Option<i64>,
}

/// The object that a local file stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct S3StandIn {
    /// The bucket's name.
    pub bucket: Option<String>,
    /// The key, URL-encoded.
    pub key: Option<String>,
    /// The version.
    pub version_id: Option<String>,
    /// When the object was announced, in RFC 3339.
    pub event_time: Option<String>,
    /// AWS's name of the region.
    pub aws_region: Option<String>,
}
