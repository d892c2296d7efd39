//! What a pipeline asks of the world: a clock, objects to read, calls to make, a log.
//!
//! All of it is plain data, so that AWS, a developer's machine and a test can each be the world. A far side's rules (framing, what
//! an answer means) are the transports'; retrying is the pipeline's; a port only carries out.
//!
//! Imports: nothing.

use bytes::Bytes;
use std::{
    fmt,
    io::Read,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

/// The world of one pipeline.
#[derive(Clone)]
pub struct Ports {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Objects to read.
    pub objects: Arc<dyn Objects>,
    /// Calls to far sides.
    pub calls: Arc<dyn Calls>,
    /// Lines for people and alarms.
    pub log: Arc<dyn Log>,
    /// What the jitter of repeated calls begins with. The same seed gives the same waits.
    pub seed: u64,
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ports")
    }
}

/// Time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;
    /// Waits.
    fn sleep(&self, time: Duration);
}

/// Objects of buckets.
pub trait Objects: Send + Sync {
    /// Begins to read an object. `key` is decoded. A reader whose connection breaks goes on where it was, or fails with an error
    /// that is not `UnexpectedEof`.
    fn open(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Object, ObjectError>;

    /// Begins to fetch an object that is opened soon, beside what is done meanwhile: a MiB of it at most. A world where nothing runs beside
    /// has none.
    fn ahead(&self, _bucket: &str, _key: &str, _version_id: Option<&str>) -> Option<Opening> {
        None
    }

    /// Begins to read a file of the machine; a relative path begins in the function's package. A world without files has none.
    fn file(&self, _path: &str) -> Result<Object, ObjectError> {
        Err(ObjectError::Gone)
    }
}

/// An object that is being read.
pub struct Object {
    /// Its bytes, as they are stored.
    pub reader: Box<dyn Read + Send>,
    /// How many, if that is known.
    pub size: Option<u64>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("size", &self.size).finish_non_exhaustive()
    }
}

/// An object that is on its way. Dropped, it is fetched no further.
pub struct Opening(Box<dyn FnOnce() -> Result<Object, ObjectError> + Send>);

impl Opening {
    /// `wait` waits for it.
    pub fn new(wait: impl FnOnce() -> Result<Object, ObjectError> + Send + 'static) -> Self {
        Self(Box::new(wait))
    }

    /// The object, as soon as it can be read.
    ///
    /// # Errors
    /// Those of [`Objects::open`].
    pub fn wait(self) -> Result<Object, ObjectError> {
        (self.0)()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening")
    }
}

/// Why an object cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// It is not there (`NoSuchKey`, `NoSuchVersion`, a delete marker); it never will be.
    #[error("the object is gone")]
    Gone,
    /// We may not read it. S3 says so of a missing object too when `s3:ListBucket` is not granted.
    #[error("access denied ({0})")]
    Denied(String),
    /// Anything else; it may work later. The code that the far side or the connection gave.
    #[error("cannot read now ({0})")]
    Outage(String),
}

/// Which call an answer belongs to.
pub type Ticket = u64;

/// Work on bytes that asks nothing of the world.
pub type Work = Box<dyn FnOnce() -> Bytes + Send>;

/// Calls to far sides.
pub trait Calls: Send + Sync {
    /// Begins one call and returns at once. Its one [`Answer`] is sent to `answers`, now or later. It must come within the call's
    /// time limit; a call is never repeated by a port.
    fn start(&self, ticket: Ticket, call: Call, time_limit: Duration, answers: &Sender<(Ticket, Answer)>);

    /// Does a piece of work: at once, or beside whoever asks where a core is free for it. Then there is none here, and its one answer,
    /// [`Answer::Worked`], is sent to `answers` as soon as it is done.
    fn work(&self, _ticket: Ticket, work: Work, _answers: &Sender<(Ticket, Answer)>) -> Option<Bytes> {
        Some(work())
    }
}

/// A call to a far side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// An HTTP request.
    Http(HttpCall),
    /// Bytes over a TCP connection of their own. Answered by [`Answer::Done`].
    Tcp(TcpCall),
    /// A secret that the config names by its place. Answered by [`Answer::Secret`].
    Secret(SecretPlace),
    /// Kinesis's `PutRecords`. Answered by [`Answer::Records`], in this order.
    PutRecords {
        /// Name of the stream.
        stream: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
        /// Partition key (256 characters at most) and data of each; 500 at most, 5 MiB together.
        records: Vec<(String, Bytes)>,
    },
    /// SQS's `SendMessageBatch`. Answered by [`Answer::Records`], in this order.
    SendMessageBatch {
        /// URL of the queue; its region is in it.
        queue_url: String,
        /// 10 at most, 1 MiB together.
        messages: Vec<Message>,
    },
    /// SNS's `PublishBatch`. Answered by [`Answer::Records`], in this order.
    PublishBatch {
        /// ARN of the topic.
        topic_arn: String,
        /// 10 at most, 256 KiB together.
        messages: Vec<Message>,
    },
    /// Firehose's `PutRecordBatch`. Answered by [`Answer::Records`], in this order.
    PutRecordBatch {
        /// Name of the delivery stream.
        stream: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
        /// 500 at most, of 1,000 KiB at most, 4 MiB together.
        records: Vec<Bytes>,
    },
    /// S3's `PutObject`. Answered by [`Answer::Done`].
    PutObject {
        /// Where to.
        to: ObjectAddress,
        /// All of it.
        body: Bytes,
    },
    /// S3's `CreateMultipartUpload`. Answered by [`Answer::Done`] with the upload's id.
    CreateUpload {
        /// Where to.
        to: ObjectAddress,
    },
    /// S3's `UploadPart`. Answered by [`Answer::Done`] with the part's `ETag`.
    UploadPart {
        /// Where to.
        to: ObjectAddress,
        /// Of `CreateUpload`.
        upload_id: String,
        /// From 1 to 10,000.
        number: u32,
        /// 5 MiB at least, but for the last.
        body: Bytes,
    },
    /// S3's `CompleteMultipartUpload`. Answered by [`Answer::Done`].
    CompleteUpload {
        /// Where to.
        to: ObjectAddress,
        /// Of `CreateUpload`.
        upload_id: String,
        /// The `ETag` of each part, the first part first.
        etags: Vec<String>,
    },
    /// S3's `AbortMultipartUpload`. Answered by [`Answer::Done`].
    AbortUpload {
        /// Where to.
        to: ObjectAddress,
        /// Of `CreateUpload`.
        upload_id: String,
    },
    /// CloudWatch's `PutMetricData`, not more than 1,000 at once. Answered by [`Answer::Done`].
    PutMetricData {
        /// The metrics' namespace.
        namespace: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
        /// What is told.
        metrics: Vec<Metric>,
    },
    /// SNS's `Publish`. Answered by [`Answer::Done`].
    Publish {
        /// ARN of the topic.
        topic_arn: String,
        /// One line of ASCII, 100 characters at most.
        subject: String,
        /// 256 KiB at most.
        message: String,
    },
    /// Bytes for standard output, all of them or none. Answered by [`Answer::Done`].
    Stdout(Bytes),
    /// Bytes for the end of a file, which is made if it is not there. Answered by [`Answer::Done`].
    Append {
        /// The file.
        path: String,
        /// Whether this is the first call of the invocation for this file: what it held before is then replaced.
        truncate: bool,
        /// What is added.
        body: Bytes,
    },
}

/// Bytes over a TCP connection that is made for them, and closed behind them.
///
/// They are taken when all of them are written and the connection was closed without a complaint: the protocols that are spoken this
/// way have no answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpCall {
    /// Name or address of the host; TLS checks its certificate for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether and how it is encrypted.
    pub tls: Tls,
    /// What is written before each unit.
    pub before_each: Secret,
    /// What is written.
    pub units: Vec<Bytes>,
}

/// Whether and how a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    None,
    /// With a certificate for the host that an authority of the system's gave.
    Verified,
    /// With any certificate: whoever can stand between may read and change all.
    Unverified,
}

/// A message of a queue or a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its text.
    pub body: String,
    /// Group and deduplication id, of a FIFO queue or topic; 128 characters each at most.
    pub fifo: Option<(String, String)>,
}

/// Where a secret lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretPlace {
    /// In a ciphertext that a key of KMS made.
    Kms {
        /// In base64.
        ciphertext: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
    },
    /// In a parameter of Systems Manager, encrypted or not.
    Parameter {
        /// Its name or ARN.
        name: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
    },
    /// In Secrets Manager.
    Secret {
        /// Its name or ARN.
        id: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
    },
}

/// Where an object is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectAddress {
    /// The bucket's name.
    pub bucket: String,
    /// The key, not encoded.
    pub key: String,
    /// AWS's name of the region; none: the function's own.
    pub region: Option<String>,
    /// `Content-Type` of the object.
    pub content_type: Option<String>,
}

/// A metric for CloudWatch. All units are `None`, as Bender's are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Name and value of each dimension; 30 at most.
    pub dimensions: Vec<(String, String)>,
    /// The value.
    pub value: i64,
    /// Milliseconds since 1970.
    pub time_ms: i64,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCall {
    /// `GET`, `POST`, `PUT`.
    pub method: &'static str,
    /// `https://host:port/path?query`.
    pub url: String,
    /// What follows `url`, where a far side wants a secret in its address; else empty.
    pub url_end: Secret,
    /// Names and values, besides those of `auth`.
    pub headers: Vec<(String, Secret)>,
    /// As it goes over the wire.
    pub body: Bytes,
    /// How we say who we are.
    pub auth: Auth,
    /// Whether HTTP/2 is spoken with a far side that can, instead of HTTP/1.1. Without TLS, and where `auth` signs, it never is.
    pub http2: bool,
    /// Most of the answer's body that is of use, in bytes; the rest may be left unread.
    pub answer_bytes: usize,
}

/// How a request says who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    None,
    /// User and password.
    Basic {
        /// The user's name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// AWS Signature Version 4 with the function's own role.
    SigV4 {
        /// `es`, `aoss`, …
        service: String,
        /// AWS's name of the region; none: the function's own.
        region: Option<String>,
    },
}

/// A text that is never printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the request that it is meant for.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a far side said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// To an HTTP request, whatever the status.
    Http {
        /// 200, 429, …
        status: u16,
        /// The body, inflated.
        body: Bytes,
    },
    /// To a batch: for each record or message none, or the error's code (`ServiceUnavailableException`).
    Records(Vec<Option<String>>),
    /// A secret.
    Secret {
        /// Which.
        of: SecretPlace,
        /// The secret itself.
        value: Secret,
    },
    /// What came of a piece of work.
    Worked(Bytes),
    /// It is done. The upload's id or the part's `ETag`, where there is one.
    Done(Option<String>),
    /// AWS refused the whole call.
    Refused {
        /// The error's code: `ThrottlingException`, `AccessDenied`.
        code: String,
        /// The HTTP status, if there was one.
        status: Option<u16>,
    },
    /// There was no answer: no connection, a broken one, or the time limit. In a word or two.
    Silence(String),
}

/// Lines for people and alarms. Never with an event's content.
pub trait Log: Send + Sync {
    /// Writes one line.
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn fmt::Display)]);
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For those who look closely.
    Debug,
    /// Good to know.
    Info,
    /// Something was lost or is odd.
    Warn,
    /// The invocation did not do what it should.
    Error,
}
