//! Transports: the far side's form of events, the calls that carry them, and what its answers mean.
//!
//! A transport is pure: it frames an event, says which call carries a [`Load`] of them, and judges the answer unit by unit. Buffers,
//! bounds, threads, retries and deadlines are the pipeline's.
//!
//! *To add one*: a file with a struct that is a [`Component`] and a [`Transport`]; two lines here, `pub mod` and its row in
//! [`register`].
//!
//! Imports: `bounded`, `build`, `component`, `document_id`, `event`, `late`, `need`, `payload`, `ports`, `region`, `time`.

mod bulk;
pub mod compression;
pub mod datadog;
mod defaults;
pub mod dev_null;
pub mod elastic_search;
pub mod file;
pub mod firehose;
pub mod firehose_transform;
pub mod gelf;
pub mod http;
pub mod http2;
pub mod kinesis;
mod messages;
pub mod request;
pub mod s3;
pub mod scalyr;
mod secrets;
pub mod sns;
pub mod splunk;
pub mod sqs;
pub mod stdout;
pub mod sumo_logic;
pub mod tcp;
pub mod values;

pub use datadog::Datadog;
pub use dev_null::DevNull;
pub use elastic_search::ElasticSearch;
pub use file::File;
pub use firehose::Firehose;
pub use firehose_transform::FirehoseTransform;
pub use gelf::Gelf;
pub use http::HTTP;
pub use http2::HTTP2;
pub use kinesis::Kinesis;
pub use s3::S3;
pub use scalyr::Scalyr;
pub use sns::SNS;
pub use splunk::Splunk;
pub use sqs::SQS;
pub use stdout::Stdout;
pub use sumo_logic::SumoLogic;

use crate::{
    build::{BuildCx, BuildError, Running},
    component::{Component, Room, Settings},
    event::{Context, Event, Fault},
    ports::{Answer, Call},
};
use bytes::Bytes;
use compression::Packing;
use payload::Output;
use std::{fmt, sync::Arc, time::Duration};

/// Enters what is in this room.
pub(crate) fn register(room: &mut Room<dyn BuildTransport>) {
    room.add::<Datadog>();
    room.add::<DevNull>();
    room.add::<ElasticSearch>();
    room.add::<File>();
    room.add::<Firehose>();
    room.add::<FirehoseTransform>();
    room.add::<Gelf>();
    room.add::<HTTP>();
    room.add::<HTTP2>();
    room.add::<Kinesis>();
    room.add::<S3>();
    room.add::<SNS>();
    room.add::<SQS>();
    room.add::<Scalyr>();
    room.add::<Splunk>();
    room.add::<Stdout>();
    room.add::<SumoLogic>();
}

/// What an author of a transport writes.
pub trait Transport: Component {
    /// What is made once and kept between events and invocations.
    type State: fmt::Debug + Send + 'static;
    /// How much it takes at once.
    fn limits(&self) -> Limits;
    /// Makes the state.
    fn state(&self, cx: &BuildCx<'_>) -> Result<Self::State, BuildError>;
    /// An invocation begins. Nothing of an earlier one may stay.
    fn begin(&self, _state: &mut Self::State, _context: &Context) {}
    /// Appends what stands before an event.
    fn head(&self, _state: &mut Self::State, _event: &Event<'_>, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }
    /// Appends what stands behind an event.
    fn tail(&self, _state: &mut Self::State, _event: &Event<'_>, _out: &mut Output) -> Result<(), Fault> {
        Ok(())
    }
    /// What is to be done to deliver a load.
    fn call(&self, state: &mut Self::State, load: &Load<'_>) -> Next;
    /// What the answer to the last call for this load means.
    fn judge(&self, state: &mut Self::State, load: &Load<'_>, answer: &Answer) -> Verdict;
    /// A partition was given up: what is to be called so that nothing is left lying at the far side. Nobody reads the answer.
    fn abandon(&self, _state: &mut Self::State, _partition: &Partition) -> Option<Call> {
        None
    }
    /// Bytes of a partition that it keeps or that are on their way. When these are too many, the partition that has most of them gets a
    /// last load early; what follows of it in the invocation begins anew.
    fn kept(&self, _state: &Self::State, _partition: &Partition) -> usize {
        0
    }
    /// Whether it reads [`Facts::hash`](crate::event::Facts::hash).
    fn wants_hash(&self) -> bool {
        false
    }
}

/// What events were sorted by, in order. A null partition is a name without a value.
pub type Partition = [(Arc<str>, Option<String>)];

/// How much a transport takes at once, and how it wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Limits {
    /// Bytes of one event with what stands before and behind it. A larger one is a [`Fault`].
    pub event_bytes: usize,
    /// Events are packed together into units of up to this many bytes. 0: each event is a unit of its own.
    pub unit_bytes: usize,
    /// Units in a load. A unit is what the far side answers for.
    pub units: usize,
    /// Bytes in a load.
    pub bytes: usize,
    /// Whether events are not sent at all but go back in the answer to Lambda, each in the record that it came in.
    pub into_answer: bool,
    /// Calls in flight.
    pub threads: usize,
    /// Whether events of different partitions go separate ways.
    pub by_partition: bool,
    /// Whether a load waits until the one before it in its partition is taken.
    pub ordered: bool,
    /// Whether each partition ends with a last load, which may be empty. Loads of a partition are then ordered. There is more than one last
    /// load when too much would be [kept](Transport::kept).
    pub closes: bool,
    /// How often a call is repeated. None: as the time left allows.
    pub retries: Option<u32>,
    /// The wait before the first repetition; it doubles from there, with jitter.
    pub retry_delay: Duration,
    /// How long an answer may take.
    pub time_limit: Duration,
    /// How a load is packed before it is sent.
    pub packing: Packing,
}

impl Default for Limits {
    /// One call of up to 4 MiB after another, each event on its own.
    fn default() -> Self {
        Self {
            event_bytes: 4 << 20,
            unit_bytes: 0,
            units: usize::MAX,
            bytes: 4 << 20,
            into_answer: false,
            threads: 1,
            by_partition: true,
            ordered: true,
            closes: false,
            retries: None,
            retry_delay: Duration::from_millis(100),
            time_limit: Duration::from_secs(40),
            packing: Packing::None,
        }
    }
}

/// Events of one partition on their way.
#[derive(Clone, Copy, Debug)]
pub struct Load<'a> {
    /// Their partition; empty if the transport does not want partitions apart.
    pub partition: &'a Partition,
    /// All of them, framed, one behind the other.
    pub bytes: &'a Bytes,
    /// The same, packed as [`Limits::packing`] says.
    pub packed: &'a Bytes,
    /// Where each unit ends in `bytes`.
    pub ends: &'a [usize],
    /// Whether this ends what was begun of the partition: nothing of it follows in this invocation, or what does begins anew.
    pub last: bool,
}

impl Load<'_> {
    /// The units, sharing the load's memory.
    pub fn units(&self) -> impl ExactSizeIterator<Item = Bytes> + '_ {
        let mut from = 0;
        self.ends.iter().map(move |&end| self.bytes.slice(std::mem::replace(&mut from, end)..end))
    }
}

/// What is to be done to deliver a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Make this call; then [`Transport::judge`] its answer. The pipeline repeats the very same call when it was refused as a whole.
    Call(Call),
    /// Nothing: the transport keeps the bytes. Its events are safe when the partition's last load is taken.
    Keep,
    /// Nothing at all.
    Done,
}

/// What an answer means for a load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is safe, and with the last load of a partition what was held of it.
    Taken,
    /// All of it is taken, but safe only when the partition's last load is.
    Held,
    /// It was a step; ask [`Transport::call`] for the next one.
    More,
    /// The call failed, but may succeed when it is repeated.
    Again(&'static str),
    /// We may not, or what we ask for is not there. It is repeated a few times, as permissions take effect late, and then handed back:
    /// time would not mend it.
    Denied(&'static str),
    /// The far side will never take it.
    Refused(&'static str),
    /// It was too much for one call, or one unit spoilt it for all. Its halves are sent each by itself; a unit that is alone is refused.
    TooLarge(&'static str),
    /// Each unit has its own answer.
    Units(Vec<UnitVerdict>),
}

/// What an answer means that is [`Answer::Done`] when all is well.
fn done(answer: &Answer) -> Verdict {
    match answer {
        Answer::Done(_) => Verdict::Taken,
        _ => Verdict::Again("no answer"),
    }
}

/// What it means that there was no answer, or none that fits.
fn silence(answer: &Answer) -> Verdict {
    match answer {
        Answer::Silence(reason) if reason.contains("certificate") => {
            Verdict::Denied("the far side's certificate is refused")
        }
        _ => Verdict::Again("no answer"),
    }
}

/// What an answer means for a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitVerdict {
    /// It is safe.
    Taken,
    /// Not now.
    Again(&'static str),
    /// Never.
    Refused(&'static str),
}

/// A transport as a config holds it. Every [`Transport`] is one.
pub trait BuildTransport: Settings {
    /// Makes the one that runs.
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunTransport>, BuildError>;
    /// See [`Limits::into_answer`].
    fn is_answer(&self) -> bool;
}

/// A transport that runs. Its methods are those of [`Transport`].
pub trait RunTransport: fmt::Debug + Send {
    /// See [`Transport::limits`].
    fn limits(&self) -> Limits;
    /// See [`Transport::begin`].
    fn begin(&mut self, context: &Context);
    /// See [`Transport::head`].
    fn head(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault>;
    /// See [`Transport::tail`].
    fn tail(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault>;
    /// See [`Transport::call`].
    fn call(&mut self, load: &Load<'_>) -> Next;
    /// See [`Transport::judge`].
    fn judge(&mut self, load: &Load<'_>, answer: &Answer) -> Verdict;
    /// See [`Transport::abandon`].
    fn abandon(&mut self, partition: &Partition) -> Option<Call>;
    /// See [`Transport::kept`].
    fn kept(&self, partition: &Partition) -> usize;
    /// See [`Transport::wants_hash`].
    fn wants_hash(&self) -> bool;
}

impl<T: Transport> BuildTransport for T {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunTransport>, BuildError> {
        let state = self.state(cx).map_err(|error| error.of(T::NAME))?;
        Ok(Box::new(Running { component: self.clone(), state }))
    }
    fn is_answer(&self) -> bool {
        self.limits().into_answer
    }
}

impl<T: Transport> RunTransport for Running<T, T::State> {
    fn limits(&self) -> Limits {
        self.component.limits()
    }
    fn begin(&mut self, context: &Context) {
        self.component.begin(&mut self.state, context);
    }
    fn head(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        self.component.head(&mut self.state, event, out)
    }
    fn tail(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        self.component.tail(&mut self.state, event, out)
    }
    fn call(&mut self, load: &Load<'_>) -> Next {
        self.component.call(&mut self.state, load)
    }
    fn judge(&mut self, load: &Load<'_>, answer: &Answer) -> Verdict {
        self.component.judge(&mut self.state, load, answer)
    }
    fn abandon(&mut self, partition: &Partition) -> Option<Call> {
        self.component.abandon(&mut self.state, partition)
    }
    fn kept(&self, partition: &Partition) -> usize {
        self.component.kept(&self.state, partition)
    }
    fn wants_hash(&self) -> bool {
        self.component.wants_hash()
    }
}
