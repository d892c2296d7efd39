//! `S3`: objects of a bucket, one for each partition and invocation.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `late`, `need`, `payload`, `ports`, `region`.

use super::{
    Limits, Load, Next, Partition, Transport, Verdict,
    compression::Compression,
    defaults::threads,
    values::{now, now_text},
};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Context, Event, Fault},
    late::Late,
    need::{Need, Target},
    ports::{Answer, Call, ObjectAddress},
    region::Region,
};
use bon::Builder;
use bytes::Bytes;
use indexmap::IndexMap;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{mem, sync::Arc};

/// Writes events to objects of a bucket, one a line.
///
/// Each partition of an invocation becomes one object, in parts if it is large. Its key is `base_path/k1=v1/k2=v2/NAME`, with `.bz2`, `.gz`
/// or `.zst` behind it when it is packed; a partition without a value stands as `k=null`. `NAME` is SHA-1 of the source object's key when
/// events come from S3, so that a repetition overwrites; else it is Lambda's id of the invocation, so that a repetition may write a second
/// object.
///
/// What is gathered and packed is held in memory, 64 MiB of all partitions together. When that is not enough, the largest object is ended early,
/// and what follows of its partition goes to `NAME-2`, `NAME-3`; a repetition may then leave one of them with events that another has too.
///
/// # Delivery
///
/// An event is delivered when S3 has its whole object: an upload that cannot be finished is given up at S3, too, and all of its events
/// are handed back to the trigger. Within an object, events keep their order. A repetition overwrites the object when events come from
/// S3; else it may write a second one, so delivery is at least once. An event of more than `max_buffer_size` fails alone.
///
/// # Unlike Bender
///
/// - Parts are never smaller than S3 allows (5 MiB), however well they pack. (Bender's are, and S3 refuses objects of more than one.)
/// - An upload that fails is ended at S3. (Bender's stay there, and cost.)
/// - A call that S3 refuses is repeated, then handed back. (In Bender an exception of AWS loses the events, and the invocation succeeds.)
/// - An event that is too large fails alone. (In Bender all events behind it are lost.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct S3 {
    /// Name of the bucket.
    #[builder(into)]
    pub bucket_name: Late<String>,
    /// What keys begin with, with or without a `/` at its end.
    #[serde(default)]
    #[builder(default, into)]
    pub base_path: Late<String>,
    /// Region of the bucket; by default the function's own.
    #[builder(into)]
    pub region: Option<Late<Region>>,
    /// Whether objects are packed.
    #[schemars(extend("default" = true))]
    pub use_compression: Option<bool>,
    /// How objects are packed; by default as Bender packs, by bzip2. Athena, Spark and this function's own S3 handlers read all of them.
    pub compression: Option<Compression>,
    /// Whether `max_buffer_size` is the size of a part after packing, rather than before.
    #[serde(default)]
    #[builder(default)]
    pub compress_buffer: bool,
    /// Bytes that are gathered of a partition before they are packed and sent. An event of more bytes fails.
    #[serde(default = "buffer")]
    #[builder(default = buffer())]
    pub max_buffer_size: Bounded<5_242_880, 2_147_483_647>,
    /// Calls at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
}

fn buffer() -> Bounded<5_242_880, 2_147_483_647> {
    Bounded::of::<6_291_456>()
}

/// What keys begin with: `logs/app` is not `logs/apple`.
fn folder(mut base_path: String) -> String {
    if !base_path.is_empty() && !base_path.ends_with('/') {
        base_path.push('/');
    }
    base_path
}

impl Component for S3 {
    const NAME: &'static str = "S3";
    const EXAMPLE: &'static str = "type: S3\nbucket_name: <BUCKET_NAME>\nbase_path: logs/app\n";

    fn needs(&self) -> Vec<Need> {
        let prefix = self.base_path.now().map(|path| folder(path.clone())).unwrap_or_default();
        let on = Target::Objects { bucket: self.bucket_name.clone(), prefix };
        vec![Need { actions: &["s3:PutObject", "s3:AbortMultipartUpload"], on }]
    }

    fn check(&self) -> Vec<Mistake> {
        let contradict = match (self.use_compression, self.compression) {
            (Some(packed), Some(compression)) => packed == (compression == Compression::None),
            _ => false,
        };
        let mistake = || {
            let mistake =
                Mistake::new("compression", "`compression` and `use_compression` say the opposite of each other");
            mistake.help("leave `use_compression` away")
        };
        contradict.then(mistake).into_iter().collect()
    }
}

/// S3's least size of a part that is not the last.
const PART_BYTES: usize = 5 << 20;
/// The partition that names the source object.
const FILENAME: &str = "__filename__";

/// The objects that are being written.
#[derive(Debug, Default)]
pub struct State {
    request_id: String,
    uploads: IndexMap<Arc<Partition>, Upload>,
}

/// One object.
#[derive(Debug, Default)]
struct Upload {
    /// Packed, and not sent yet.
    pending: Vec<u8>,
    /// Bytes of the call that is under way.
    sending: usize,
    /// Objects of the partition that are already there.
    before: u32,
    /// Whether the load at hand is in `pending`, or was sent.
    packed: bool,
    id: Option<String>,
    etags: Vec<String>,
    doing: Doing,
}

/// The call that an upload waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Doing {
    #[default]
    Nothing,
    Creating,
    Part,
    /// The whole object, or the end of its upload.
    Ending,
}

impl Transport for S3 {
    type State = State;

    fn limits(&self) -> Limits {
        let bytes = self.max_buffer_size.size();
        Limits {
            event_bytes: bytes,
            bytes,
            threads: self.threads.size(),
            by_partition: true,
            ordered: true,
            closes: true,
            packing: self.compression().packing(),
            ..Limits::default()
        }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        Ok(State::default())
    }

    fn begin(&self, state: &mut State, context: &Context) {
        state.uploads.clear();
        state.request_id = context.aws_request_id.clone().unwrap_or_default();
    }

    fn tail(&self, _: &mut State, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, state: &mut State, load: &Load<'_>) -> Next {
        if !state.uploads.contains_key(load.partition) {
            state.uploads.insert(Arc::from(load.partition), Upload::default());
        }
        let Some(upload) = state.uploads.get_mut(load.partition) else { return Next::Done };
        let to = self.address(load.partition, &state.request_id, upload.before);
        if !mem::replace(&mut upload.packed, true) {
            upload.pending.extend_from_slice(load.packed);
        }
        let next = upload.next(to, self.part_bytes(), load.last);
        if matches!(next, Next::Keep | Next::Done) {
            upload.packed = false;
        }
        next
    }

    fn judge(&self, state: &mut State, load: &Load<'_>, answer: &Answer) -> Verdict {
        let Some(upload) = state.uploads.get_mut(load.partition) else { return Verdict::Again("no such upload") };
        let word = match answer {
            Answer::Done(word) => word.clone().unwrap_or_default(),
            Answer::Refused { code, .. } => return refusal(code),
            _ => return Verdict::Again("no answer"),
        };
        upload.sending = 0;
        match upload.doing {
            Doing::Creating => {
                upload.id = Some(word);
                Verdict::More
            }
            Doing::Part => {
                upload.etags.push(word);
                if load.last {
                    return Verdict::More;
                }
                upload.packed = false;
                Verdict::Held
            }
            Doing::Ending | Doing::Nothing => {
                *upload = Upload { before: upload.before + 1, ..Upload::default() };
                Verdict::Taken
            }
        }
    }

    fn abandon(&self, state: &mut State, partition: &Partition) -> Option<Call> {
        let upload = state.uploads.get_mut(partition)?;
        let to = self.address(partition, &state.request_id, upload.before);
        let upload_id = mem::replace(upload, Upload { before: upload.before, ..Upload::default() }).id?;
        Some(Call::AbortUpload { to, upload_id })
    }

    fn kept(&self, state: &State, partition: &Partition) -> usize {
        state.uploads.get(partition).map_or(0, |upload| upload.pending.len() + upload.sending)
    }
}

impl Upload {
    /// The next step towards the object.
    fn next(&mut self, to: ObjectAddress, part_bytes: usize, last: bool) -> Next {
        let call = match (self.id.clone(), self.pending.is_empty()) {
            (None, true) if last => return Next::Done,
            (None, false) if last => {
                self.doing = Doing::Ending;
                Call::PutObject { to, body: self.body() }
            }
            (Some(upload_id), true) if last => {
                self.doing = Doing::Ending;
                Call::CompleteUpload { to, upload_id, etags: self.etags.clone() }
            }
            _ if !last && self.pending.len() < part_bytes => return Next::Keep,
            (None, _) => {
                self.doing = Doing::Creating;
                Call::CreateUpload { to }
            }
            (Some(upload_id), _) => {
                self.doing = Doing::Part;
                let number = u32::try_from(self.etags.len() + 1).unwrap_or(u32::MAX);
                Call::UploadPart { to, upload_id, number, body: self.body() }
            }
        };
        Next::Call(call)
    }

    fn body(&mut self) -> Bytes {
        self.sending = self.pending.len();
        Bytes::from(mem::take(&mut self.pending))
    }
}

impl S3 {
    fn compression(&self) -> Compression {
        let benders = if self.use_compression == Some(false) { Compression::None } else { Compression::Bzip2 };
        self.compression.unwrap_or(benders)
    }

    fn part_bytes(&self) -> usize {
        if self.compress_buffer { self.max_buffer_size.size() } else { PART_BYTES }
    }

    /// The object of a partition after so many others of it.
    fn address(&self, partition: &Partition, request_id: &str, before: u32) -> ObjectAddress {
        let mut key = folder(now(&self.base_path));
        let mut name = request_id;
        for (partition, value) in partition {
            match (&**partition, value) {
                (FILENAME, Some(value)) => name = value,
                (partition, value) => key.extend([partition, "=", value.as_deref().unwrap_or("null"), "/"]),
            }
        }
        key += name.strip_suffix(".gz").unwrap_or(name);
        if before > 0 {
            key.extend(["-", &(before + 1).to_string()]);
        }
        key += self.compression().suffix();
        let region = self.region.as_ref().map(now_text);
        let content_type = self.compression().content_type().map(str::to_owned);
        ObjectAddress { bucket: now(&self.bucket_name), key, region, content_type }
    }
}

/// Nothing that S3 says is a matter of the data: what it does not take is handed back to the trigger.
fn refusal(code: &str) -> Verdict {
    match code {
        "AccessDenied" => Verdict::Denied("permission refused"),
        "NoSuchBucket" => Verdict::Denied("no such bucket"),
        "NoSuchUpload" => Verdict::Denied("the upload is gone"),
        "SlowDown" | "ServiceUnavailable" => Verdict::Again("S3 is overloaded"),
        _ => Verdict::Again("S3 failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cx, no_assets};
    use bzip2::read::MultiBzDecoder;
    use std::io::Read as _;

    /// What S3 would have: the calls so far, and the objects they made.
    struct Bucket {
        config: S3,
        state: State,
        calls: Vec<Call>,
    }

    impl Bucket {
        fn new(settings: &str) -> Self {
            let config: S3 = serde_json::from_str(&format!(r#"{{"bucket_name":"b"{settings}}}"#)).unwrap();
            let mut state = config.state(&cx(&no_assets())).unwrap();
            let context = Context { aws_request_id: Some("request".into()), ..Context::default() };
            config.begin(&mut state, &context);
            Self { config, state, calls: vec![] }
        }

        /// Delivers a load; S3 takes all it is given.
        fn load(&mut self, bytes: &[u8], last: bool) -> &'static str {
            let bytes = Bytes::copy_from_slice(bytes);
            let packed = self.config.limits().packing.pack(&bytes);
            let partition: &Partition = &[("k".into(), Some("v".into()))];
            let load = Load { partition, bytes: &bytes, packed: &packed, ends: &[bytes.len()], last };
            loop {
                let call = match self.config.call(&mut self.state, &load) {
                    Next::Call(call) => call,
                    Next::Keep => return "kept",
                    Next::Done => return "done",
                };
                let word = match &call {
                    Call::CreateUpload { .. } => Some("id".to_owned()),
                    Call::UploadPart { number, .. } => Some(format!("etag{number}")),
                    _ => None,
                };
                self.calls.push(call);
                match self.config.judge(&mut self.state, &load, &Answer::Done(word)) {
                    Verdict::More => {}
                    Verdict::Held => return "held",
                    Verdict::Taken => return "taken",
                    other => panic!("{other:?}"),
                }
            }
        }

        fn object(&self) -> Vec<u8> {
            let bodies = self.calls.iter().filter_map(|call| match call {
                Call::PutObject { body, .. } | Call::UploadPart { body, .. } => Some(body.to_vec()),
                _ => None,
            });
            bodies.flatten().collect()
        }
    }

    #[test]
    fn a_small_partition_is_one_object() {
        let mut bucket = Bucket::new(r#","base_path":"a/b""#);
        assert_eq!(bucket.load(b"one\n", false), "kept");
        assert_eq!(bucket.load(b"two\n", true), "taken");
        let [Call::PutObject { to, body }] = &bucket.calls[..] else { panic!("{:?}", bucket.calls) };
        assert_eq!((to.bucket.as_str(), to.key.as_str()), ("b", "a/b/k=v/request.bz2"));
        let mut text = String::new();
        MultiBzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }

    #[test]
    fn a_large_partition_is_sent_in_parts_of_5_mib_at_least() {
        let mut bucket = Bucket::new(r#","use_compression":false"#);
        let piece = vec![b'x'; 4 << 20];
        let said: Vec<_> = (0..6).map(|n| bucket.load(if n < 5 { &piece } else { b"" }, n == 5)).collect();
        assert_eq!(said, ["kept", "held", "kept", "held", "kept", "taken"]);
        let sizes = bucket.calls.iter().map(|call| match call {
            Call::UploadPart { body, .. } => body.len() >> 20,
            _ => 0,
        });
        assert_eq!(sizes.collect::<Vec<_>>(), [0, 8, 8, 4, 0]);
        let Some(Call::CompleteUpload { etags, upload_id, .. }) = bucket.calls.last() else { panic!("no end") };
        assert_eq!((upload_id.as_str(), &etags[..]), ("id", &["etag1".to_owned(), "etag2".into(), "etag3".into()][..]));
        assert_eq!(bucket.object().len(), 20 << 20);
    }

    #[test]
    fn what_packs_well_waits_until_a_part_is_large_enough() {
        let mut bucket = Bucket::new("");
        assert_eq!(bucket.load(&vec![b'x'; 6 << 20], false), "kept");
        assert_eq!(bucket.load(b"end\n", true), "taken");
        assert!(matches!(bucket.calls[..], [Call::PutObject { .. }]));
        let mut text = vec![];
        MultiBzDecoder::new(&bucket.object()[..]).read_to_end(&mut text).unwrap();
        assert_eq!(text.len(), (6 << 20) + 4);
    }

    #[test]
    fn an_upload_that_is_given_up_is_ended_at_s3() {
        let mut bucket = Bucket::new(r#","use_compression":false"#);
        let partition: &Partition = &[("k".into(), Some("v".into()))];
        assert_eq!(bucket.load(b"small", false), "kept");
        assert_eq!(bucket.config.abandon(&mut bucket.state, partition), None, "nothing was begun");
        assert_eq!(bucket.load(&vec![0; 5 << 20], false), "held");
        let Some(Call::AbortUpload { upload_id, .. }) = bucket.config.abandon(&mut bucket.state, partition) else {
            panic!("it was begun")
        };
        assert_eq!(upload_id, "id");
        assert_eq!(bucket.config.abandon(&mut bucket.state, partition), None);
    }

    #[test]
    fn keys_are_benders() {
        let key =
            |settings: &str, partition: &Partition| Bucket::new(settings).config.address(partition, "request", 0).key;
        let named =
            [("d".into(), Some("1".to_owned())), ("n".into(), None), (FILENAME.into(), Some("f.gz".to_owned()))];
        assert_eq!(key(r#","base_path":"base/""#, &named), "base/d=1/n=null/f.bz2");
        assert_eq!(key(r#","base_path":"base","use_compression":false"#, &named), "base/d=1/n=null/f");
        assert_eq!(key("", &[]), "request.bz2");
        assert_eq!(key("", &[("__shardid__".into(), Some("shard-1".into()))]), "__shardid__=shard-1/request.bz2");
    }

    #[test]
    fn key_and_content_type_say_how_an_object_is_packed() {
        let said = |settings: &str| {
            let to = Bucket::new(settings).config.address(&[], "r", 0);
            format!("{} {}", to.key, to.content_type.unwrap_or_default())
        };
        assert_eq!(said(r#","compression":"bzip2""#), "r.bz2 application/x-bzip2");
        assert_eq!(said(r#","compression":"gzip""#), "r.gz application/gzip");
        assert_eq!(said(r#","compression":"zstd","use_compression":true"#), "r.zst application/zstd");
        assert_eq!(said(r#","compression":"none""#), "r ");
    }

    #[test]
    fn the_buffers_size_is_that_of_what_is_gathered_or_that_of_a_packed_part() {
        let sizes = |settings: &str| {
            let config = Bucket::new(settings).config;
            (config.limits().bytes, config.part_bytes())
        };
        assert_eq!(sizes(r#","max_buffer_size":7000000"#), (7_000_000, PART_BYTES));
        assert_eq!(sizes(r#","max_buffer_size":7000000,"compress_buffer":true"#), (7_000_000, 7_000_000));
        let region = Bucket::new(r#","region":"EU_WEST_1""#).config.address(&[], "r", 0).region;
        assert_eq!(region.as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn settings_that_say_the_opposite_of_each_other_are_a_mistake() {
        let mistakes = |settings: &str| Bucket::new(settings).config.check().len();
        assert_eq!(mistakes(r#","use_compression":false,"compression":"gzip""#), 1);
        assert_eq!(mistakes(r#","use_compression":true,"compression":"none""#), 1);
        assert_eq!(mistakes(r#","use_compression":false,"compression":"none""#), 0);
        assert_eq!(mistakes(r#","use_compression":true,"compression":"zstd""#), 0);
        assert_eq!(mistakes(r#","compression":"none""#), 0);
    }

    #[test]
    fn what_follows_an_object_that_was_ended_early_has_a_name_of_its_own() {
        let mut bucket = Bucket::new(r#","compression":"none""#);
        let partition: &Partition = &[("k".into(), Some("v".into()))];
        assert_eq!(bucket.load(b"one\n", false), "kept");
        assert_eq!(bucket.config.kept(&bucket.state, partition), 4);
        assert_eq!(bucket.load(b"two\n", true), "taken");
        assert_eq!(bucket.config.kept(&bucket.state, partition), 0);
        assert_eq!(bucket.load(b"", true), "done", "nothing was begun");
        assert_eq!(bucket.load(&vec![b'x'; 5 << 20], false), "held");
        bucket.config.abandon(&mut bucket.state, partition);
        assert_eq!(bucket.load(b"three\n", true), "taken");
        let put = bucket.calls.iter().filter_map(|call| match call {
            Call::PutObject { to, body } => Some((to.key.as_str(), &body[..])),
            _ => None,
        });
        assert_eq!(put.collect::<Vec<_>>(), [("k=v/request", &b"one\ntwo\n"[..]), ("k=v/request-2", b"three\n")]);
    }

    #[test]
    fn a_refusal_is_tried_again_with_the_same_call() {
        let mut bucket = Bucket::new("");
        let bytes = Bytes::from_static(b"x\n");
        let load = Load { partition: &[], bytes: &bytes, packed: &bytes, ends: &[2], last: true };
        let Next::Call(_) = bucket.config.call(&mut bucket.state, &load) else { panic!("a call") };
        let slow = Answer::Refused { code: "SlowDown".into(), status: Some(503) };
        assert_eq!(bucket.config.judge(&mut bucket.state, &load, &slow), Verdict::Again("S3 is overloaded"));
        assert_eq!(bucket.config.judge(&mut bucket.state, &load, &Answer::Done(None)), Verdict::Taken);
    }
}
