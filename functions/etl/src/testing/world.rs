//! A world that does what it is told, and remembers what it was asked.

use crate::ports::{Answer, Call, Calls, Clock, Level, Log, Object, ObjectError, Objects, Ports, Secret, Ticket};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    fmt,
    io::Cursor,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

/// A world for one test.
#[derive(Clone, Debug)]
pub struct World {
    /// Time, which goes on only when somebody sleeps.
    pub clock: Arc<FakeClock>,
    /// Objects that can be read.
    pub objects: Arc<FakeObjects>,
    /// Calls that were made.
    pub calls: Arc<RecordedCalls>,
    /// Lines that were written.
    pub log: Arc<RecordedLog>,
}

impl World {
    /// A world without objects, whose far sides take all they are given.
    #[expect(clippy::new_without_default, reason = "the same world every time is not a matter of course")]
    pub fn new() -> Self {
        Self {
            clock: Arc::new(FakeClock { time: Mutex::new(Duration::ZERO) }),
            objects: Arc::new(FakeObjects::default()),
            calls: Arc::new(RecordedCalls::default()),
            log: Arc::new(RecordedLog::default()),
        }
    }

    /// The world as a pipeline sees it.
    pub fn ports(&self) -> Ports {
        let Self { clock, objects, calls, log } = self.clone();
        Ports { clock, objects, calls, log, seed: 7 }
    }
}

/// Time, which goes on only when somebody sleeps. It begins at [`FakeClock::BEGIN_MS`].
#[derive(Debug)]
pub struct FakeClock {
    time: Mutex<Duration>,
}

impl FakeClock {
    /// Milliseconds since 1970 when it begins.
    pub const BEGIN_MS: i64 = 1_795_449_600_123;
}

impl Clock for FakeClock {
    fn now_ms(&self) -> i64 {
        let millis = locked(&self.time).as_millis();
        Self::BEGIN_MS + i64::try_from(millis).unwrap_or(i64::MAX - Self::BEGIN_MS)
    }
    fn monotonic(&self) -> Duration {
        *locked(&self.time)
    }
    fn sleep(&self, time: Duration) {
        *locked(&self.time) += time;
    }
}

type Stored = Result<Vec<u8>, ObjectError>;

/// Objects that can be read, or cannot.
#[derive(Debug, Default)]
pub struct FakeObjects {
    stored: Mutex<BTreeMap<(String, String), Stored>>,
    opened: Mutex<Vec<String>>,
}

impl FakeObjects {
    /// Puts an object there, or the error that reading it gives. What was never put is gone. A file is an object of the bucket without a
    /// name.
    pub fn put(&self, bucket: &str, key: &str, content: Stored) {
        locked(&self.stored).insert((bucket.to_owned(), key.to_owned()), content);
    }
    /// What was opened: `bucket/key`, with `?version` if one was asked for.
    pub fn opened(&self) -> Vec<String> {
        locked(&self.opened).clone()
    }
}

impl Objects for FakeObjects {
    fn open(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Object, ObjectError> {
        let version = version_id.map(|version| format!("?{version}")).unwrap_or_default();
        locked(&self.opened).push(format!("{bucket}/{key}{version}"));
        let stored = locked(&self.stored).get(&(bucket.to_owned(), key.to_owned())).cloned();
        let bytes = stored.unwrap_or(Err(ObjectError::Gone))?;
        let size = u64::try_from(bytes.len()).ok();
        Ok(Object { reader: Box::new(Cursor::new(bytes)), size })
    }

    fn file(&self, path: &str) -> Result<Object, ObjectError> {
        self.open("", path, None)
    }
}

/// What a far side does with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It answers at once.
    Now(Answer),
    /// It never answers.
    Never,
}

type Script = Box<dyn FnMut(&Call) -> Reply + Send>;

/// Calls that were made, and a script for the answers.
#[derive(Default)]
pub struct RecordedCalls {
    made: Mutex<Vec<Call>>,
    script: Mutex<Option<Script>>,
}

impl RecordedCalls {
    /// Answers calls with what `script` says, from now on.
    pub fn answer(&self, script: impl FnMut(&Call) -> Reply + Send + 'static) {
        *locked(&self.script) = Some(Box::new(script));
    }
    /// What a far side says that takes everything.
    pub fn taken(call: &Call) -> Answer {
        match call {
            Call::Http(_) => Answer::Http { status: 200, body: Bytes::from_static(br#"{"errors":false,"items":[]}"#) },
            Call::PutRecordBatch { records, .. } => Answer::Records(vec![None; records.len()]),
            Call::PutRecords { records, .. } => Answer::Records(vec![None; records.len()]),
            Call::SendMessageBatch { messages, .. } | Call::PublishBatch { messages, .. } => {
                Answer::Records(vec![None; messages.len()])
            }
            Call::Secret(of) => Answer::Secret { of: of.clone(), value: Secret::new("secret") },
            Call::CreateUpload { .. } => Answer::Done(Some("upload".to_owned())),
            Call::UploadPart { number, .. } => Answer::Done(Some(format!("etag-{number}"))),
            _ => Answer::Done(None),
        }
    }
    /// The calls so far, in order.
    pub fn made(&self) -> Vec<Call> {
        locked(&self.made).clone()
    }
}

impl fmt::Debug for RecordedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordedCalls").field(&*locked(&self.made)).finish()
    }
}

impl Calls for RecordedCalls {
    fn start(&self, ticket: Ticket, call: Call, _: Duration, answers: &Sender<(Ticket, Answer)>) {
        let reply = match &mut *locked(&self.script) {
            Some(script) => script(&call),
            None => Reply::Now(Self::taken(&call)),
        };
        locked(&self.made).push(call);
        if let Reply::Now(answer) = reply {
            // Nobody may be waiting any more.
            let _ = answers.send((ticket, answer));
        }
    }
}

/// Lines that were written.
#[derive(Debug, Default)]
pub struct RecordedLog {
    lines: Mutex<Vec<(Level, String)>>,
}

impl RecordedLog {
    /// The lines so far: the message, then ` name=value` for each field.
    pub fn lines(&self) -> Vec<(Level, String)> {
        locked(&self.lines).clone()
    }
}

impl Log for RecordedLog {
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn fmt::Display)]) {
        let fields = fields.iter().map(|(name, value)| format!("{name}={value}"));
        let words: Vec<_> = [message.to_owned()].into_iter().chain(fields).collect();
        locked(&self.lines).push((level, words.join(" ")));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
