//! Calls to far sides, answered on this machine: everything is taken, and written down.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use etl::ports::{Answer, Call, Calls, HttpCall, ObjectAddress, Secret, Ticket};
use serde_json::{Value, json};

use super::{Gone, below};
use crate::output::Product;

/// Stdout as the only far side; anything else that is called takes nothing.
#[derive(Debug)]
pub struct ToStdout {
    product: Product,
    gone: Gone,
}

impl ToStdout {
    /// Writes to the product; says so when its reader went away.
    pub fn new(product: Product, gone: Gone) -> Self {
        Self { product, gone }
    }
}

impl Calls for ToStdout {
    fn start(&self, ticket: Ticket, call: Call, _time_limit: Duration, answers: &Sender<(Ticket, Answer)>) {
        let answer = match call {
            Call::Stdout(bytes) => match self.product.write(&bytes) {
                Ok(()) => Answer::Done(None),
                Err(error) => {
                    self.gone.set();
                    refused(&error)
                }
            },
            // A notice of a failure: the log says the same.
            Call::Publish { .. } => Answer::Done(None),
            _ => Answer::Refused { code: "NotHere".to_owned(), status: None },
        };
        // Whoever asked may have gone.
        let _ = answers.send((ticket, answer));
    }
}

/// A folder as every far side: each takes what it is given, in its own units.
///
/// | call | file |
/// | --- | --- |
/// | objects | `s3/<bucket>/<key>` |
/// | Firehose records | `firehose/<stream>/<call>-<record>` |
/// | HTTP requests | `http/<host>/<call>`, the body |
/// | stdout | `stdout` |
/// | files | `file/<path>` |
/// | TCP connections | `tcp/<host>/<call>`, without what is secret in them |
/// | messages | `sns/<topic>/<call>`, of a batch `<call>-<message>`; `sqs/<queue>/<call>-<message>` |
/// | Kinesis records | `kinesis/<stream>/<call>-<record>` |
///
/// A secret that the config names by its place is the word `SECRET` here.
///
/// `calls.jsonl` has a line for each call, in order.
#[derive(Debug)]
pub struct ToFolder {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    index: File,
    calls: u64,
}

impl ToFolder {
    /// Writes into a folder that is new or empty, so that what is in it is what this run delivered.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let cannot = || format!("cannot write to the folder `{}`", folder.display());
        fs::create_dir_all(folder).with_context(cannot)?;
        let empty = fs::read_dir(folder).with_context(cannot)?.next().is_none();
        ensure!(empty, "the folder `{}` is not empty; give one that is, or is not there yet", folder.display());
        let index = File::create(folder.join("calls.jsonl")).with_context(cannot)?;
        Ok(Self { folder: folder.to_path_buf(), state: Mutex::new(State { index, calls: 0 }) })
    }

    fn take(&self, call: Call) -> io::Result<Answer> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls += 1;
        let number = state.calls;
        let (line, answer) = self.write(number, call)?;
        writeln!(state.index, "{line}")?;
        Ok(answer)
    }

    fn write(&self, number: u64, call: Call) -> io::Result<(Value, Answer)> {
        let done = Answer::Done(None);
        Ok(match call {
            Call::Http(http) => {
                let file = self.file(&format!("http/{}/{number:06}", host(&http.url)), &http.body)?;
                let headers: Vec<&str> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
                let line =
                    json!({"call": "Http", "method": http.method, "url": http.url, "headers": headers, "file": file});
                (line, Answer::Http { status: 200, body: taken(&http) })
            }
            Call::Tcp(tcp) => {
                let file = self.file(&format!("tcp/{}/{number:06}", tcp.host), &tcp.units.concat())?;
                let line = json!({"call": "Tcp", "host": tcp.host, "port": tcp.port, "file": file});
                (line, done)
            }
            Call::Secret(of) => (json!({"call": "Secret"}), Answer::Secret { of, value: Secret::new("SECRET") }),
            Call::PutRecords { stream, records, .. } => {
                let data = records.iter().map(|(_, data)| &**data);
                let files = self.files(&format!("kinesis/{stream}/{number:06}"), data)?;
                let keys: Vec<&str> = records.iter().map(|(key, _)| key.as_str()).collect();
                let line = json!({"call": "PutRecords", "stream": stream, "keys": keys, "files": files});
                (line, Answer::Records(vec![None; records.len()]))
            }
            Call::SendMessageBatch { queue_url, messages } => {
                let queue = queue_url.rsplit('/').next().unwrap_or_default();
                let bodies = messages.iter().map(|message| message.body.as_bytes());
                let files = self.files(&format!("sqs/{queue}/{number:06}"), bodies)?;
                let line = json!({"call": "SendMessageBatch", "queue": queue_url, "files": files});
                (line, Answer::Records(vec![None; messages.len()]))
            }
            Call::PublishBatch { topic_arn, messages } => {
                let bodies = messages.iter().map(|message| message.body.as_bytes());
                let files = self.files(&format!("sns/{topic_arn}/{number:06}"), bodies)?;
                let line = json!({"call": "PublishBatch", "topic": topic_arn, "files": files});
                (line, Answer::Records(vec![None; messages.len()]))
            }
            Call::PutRecordBatch { stream, records, .. } => {
                let records_bytes = records.iter().map(|record| &**record);
                let files = self.files(&format!("firehose/{stream}/{number:06}"), records_bytes)?;
                let line = json!({"call": "PutRecordBatch", "stream": stream, "files": files});
                (line, Answer::Records(vec![None; records.len()]))
            }
            Call::PutObject { to, body } => {
                let file = self.file(&object(&to), &body)?;
                (
                    json!({"call": "PutObject", "bucket": to.bucket, "key": to.key, "content_type": to.content_type, "file": file}),
                    done,
                )
            }
            Call::CreateUpload { to } => {
                fs::create_dir_all(self.upload(&number.to_string()))?;
                let line =
                    json!({"call": "CreateUpload", "bucket": to.bucket, "key": to.key, "upload": number.to_string()});
                (line, Answer::Done(Some(number.to_string())))
            }
            Call::UploadPart { upload_id, number, body, .. } => {
                fs::write(self.upload(&upload_id).join(number.to_string()), &body)?;
                let line = json!({"call": "UploadPart", "upload": upload_id, "part": number, "bytes": body.len()});
                (line, Answer::Done(Some(format!("\"{number}\""))))
            }
            Call::CompleteUpload { to, upload_id, etags } => {
                let parts = self.upload(&upload_id);
                let mut body = Vec::new();
                for etag in &etags {
                    body.extend(fs::read(below(&parts, etag.trim_matches('"')))?);
                }
                fs::remove_dir_all(&parts)?;
                let file = self.file(&object(&to), &body)?;
                (
                    json!({"call": "CompleteUpload", "upload": upload_id, "bucket": to.bucket, "key": to.key, "file": file}),
                    done,
                )
            }
            Call::AbortUpload { upload_id, .. } => {
                fs::remove_dir_all(self.upload(&upload_id))?;
                (json!({"call": "AbortUpload", "upload": upload_id}), done)
            }
            Call::PutMetricData { namespace, metrics, .. } => {
                (json!({"call": "PutMetricData", "namespace": namespace, "metrics": metrics.len()}), done)
            }
            Call::Publish { topic_arn, subject, message } => {
                let file = self.file(&format!("sns/{topic_arn}/{number:06}"), message.as_bytes())?;
                (json!({"call": "Publish", "topic": topic_arn, "subject": subject, "file": file}), done)
            }
            Call::Stdout(body) => {
                let file = self.append("stdout", false, &body)?;
                (json!({"call": "Stdout", "file": file, "bytes": body.len()}), done)
            }
            Call::Append { path, truncate, body } => {
                let name = format!("file/{}", path.trim_start_matches('/'));
                let file = self.append(&name, truncate, &body)?;
                (json!({"call": "Append", "path": path, "file": file, "bytes": body.len()}), done)
            }
        })
    }

    /// Writes the units of a batch: a file for each.
    fn files<'a>(&self, name: &str, units: impl Iterator<Item = &'a [u8]>) -> io::Result<Vec<String>> {
        (1..).zip(units).map(|(at, unit)| self.file(&format!("{name}-{at:03}"), unit)).collect()
    }

    /// Parts that wait for the rest of their object.
    fn upload(&self, id: &str) -> PathBuf {
        below(&self.folder.join(".uploads"), id)
    }

    /// Writes a file; its name within the folder.
    fn file(&self, name: &str, body: &[u8]) -> io::Result<String> {
        let path = self.place(name)?;
        fs::write(&path, body)?;
        Ok(self.named(&path))
    }

    fn append(&self, name: &str, truncate: bool, body: &[u8]) -> io::Result<String> {
        let path = self.place(name)?;
        let mut options = OpenOptions::new();
        let mut file = if truncate {
            options.create(true).write(true).truncate(true).open(&path)?
        } else {
            options.create(true).append(true).open(&path)?
        };
        file.write_all(body)?;
        Ok(self.named(&path))
    }

    fn place(&self, name: &str) -> io::Result<PathBuf> {
        let path = below(&self.folder, name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(path)
    }

    fn named(&self, path: &Path) -> String {
        path.strip_prefix(&self.folder).unwrap_or(path).display().to_string()
    }
}

impl Calls for ToFolder {
    fn start(&self, ticket: Ticket, call: Call, _time_limit: Duration, answers: &Sender<(Ticket, Answer)>) {
        let by_http = matches!(call, Call::Http(_));
        let answer = self.take(call).unwrap_or_else(|error| match refused(&error) {
            // A far side that is asked by HTTP refuses by HTTP.
            Answer::Refused { code, .. } if by_http => Answer::Http { status: 403, body: Bytes::from(code) },
            refused => refused,
        });
        let _ = answers.send((ticket, answer));
    }
}

/// A far side that cannot write will not be able to in a second either.
fn refused(error: &io::Error) -> Answer {
    Answer::Refused { code: error.kind().to_string(), status: Some(403) }
}

fn object(to: &ObjectAddress) -> String {
    format!("s3/{}/{}", to.bucket, to.key)
}

/// Host and port of a URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

/// What a far side says that took all of a request.
fn taken(http: &HttpCall) -> Bytes {
    let path = http.url.split(['?', '#']).next().unwrap_or_default();
    if !path.ends_with("/_bulk") {
        return Bytes::from_static(b"{}");
    }
    // One item for each action, as a node answers: an action and its document are two lines, a deletion is one.
    let mut items = Vec::new();
    let mut lines = http.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    while let Some(action) = lines.next() {
        let name = serde_json::from_slice::<Value>(action).ok().and_then(|a| a.as_object()?.keys().next().cloned());
        let name = name.unwrap_or_else(|| "index".to_owned());
        if name != "delete" {
            lines.next();
        }
        items.push(json!({name: {"status": 201, "result": "created"}}));
    }
    Bytes::from(json!({"took": 0, "errors": false, "items": items}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use etl::ports::Auth;
    use std::sync::mpsc::channel;

    fn ask(calls: &dyn Calls, call: Call) -> Answer {
        let (answers, arrived) = channel();
        calls.start(7, call, Duration::from_secs(1), &answers);
        let (ticket, answer) = arrived.try_recv().expect("answered at once");
        assert_eq!(ticket, 7);
        answer
    }

    fn read(dir: &Path, file: &str) -> String {
        fs::read_to_string(dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    #[test]
    fn each_far_side_keeps_its_own_units() {
        let dir = tempfile::tempdir().unwrap();
        let calls = ToFolder::new(dir.path()).unwrap();
        let records = vec![Bytes::from("a\n"), Bytes::from("b\n")];
        let batch = Call::PutRecordBatch { stream: "events".into(), region: None, records };
        assert_eq!(ask(&calls, batch), Answer::Records(vec![None, None]));
        let to = ObjectAddress { bucket: "out".into(), key: "day=1/x.gz".into(), ..ObjectAddress::default() };
        assert_eq!(ask(&calls, Call::PutObject { to, body: Bytes::from("z") }), Answer::Done(None));
        let append = |truncate, body: &'static str| Call::Append {
            path: "/tmp/../x.log".into(),
            truncate,
            body: Bytes::from(body),
        };
        ask(&calls, append(true, "1"));
        ask(&calls, append(false, "2"));
        assert_eq!(read(dir.path(), "firehose/events/000001-002"), "b\n");
        assert_eq!(read(dir.path(), "s3/out/day=1/x.gz"), "z");
        assert_eq!(read(dir.path(), "file/tmp/%2E%2E/x.log"), "12");
        let index = read(dir.path(), "calls.jsonl");
        assert_eq!(index.lines().count(), 4);
        assert_eq!(
            index.lines().next(),
            Some(
                r#"{"call":"PutRecordBatch","stream":"events","files":["firehose/events/000001-001","firehose/events/000001-002"]}"#
            )
        );
    }

    #[test]
    fn an_object_in_parts_is_put_together_in_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let calls = ToFolder::new(dir.path()).unwrap();
        let to = || ObjectAddress { bucket: "b".into(), key: "k".into(), ..ObjectAddress::default() };
        let Answer::Done(Some(upload_id)) = ask(&calls, Call::CreateUpload { to: to() }) else { panic!("an upload") };
        let etags = [(2, "B"), (1, "A"), (10, "C")].map(|(number, body)| {
            let part = Call::UploadPart { to: to(), upload_id: upload_id.clone(), number, body: Bytes::from(body) };
            let Answer::Done(Some(etag)) = ask(&calls, part) else { panic!("a part") };
            (number, etag)
        });
        let mut etags = etags.to_vec();
        etags.sort();
        let etags = etags.into_iter().map(|(_, etag)| etag).collect();
        assert_eq!(ask(&calls, Call::CompleteUpload { to: to(), upload_id, etags }), Answer::Done(None));
        assert_eq!(read(dir.path(), "s3/b/k"), "ABC");
        assert!(!dir.path().join(".uploads/1").exists());
    }

    #[test]
    fn a_bulk_request_is_answered_item_by_item() {
        let dir = tempfile::tempdir().unwrap();
        let calls = ToFolder::new(dir.path()).unwrap();
        let body = "{\"index\":{}}\n{\"a\":1}\n{\"delete\":{\"_id\":\"1\"}}\n{\"create\":{}}\n{\"a\":2}\n";
        let http = HttpCall {
            method: "POST",
            url: "https://node.example:9200/_bulk?timeout=1s".into(),
            url_end: Secret::default(),
            headers: vec![],
            body: Bytes::from(body),
            auth: Auth::None,
            http2: false,
            answer_bytes: 1 << 20,
        };
        let Answer::Http { status: 200, body: answer } = ask(&calls, Call::Http(http)) else { panic!("an answer") };
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let kinds: Vec<_> =
            answer["items"].as_array().unwrap().iter().filter_map(|i| i.as_object()?.keys().next()).collect();
        assert_eq!(kinds, ["index", "delete", "create"]);
        assert_eq!(answer["errors"], false);
        assert_eq!(read(dir.path(), "http/node.example:9200/000001"), body);
    }

    #[test]
    fn what_cannot_be_written_is_refused_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let calls = ToFolder::new(dir.path()).unwrap();
        let put = |key: &str| Call::PutObject {
            to: ObjectAddress { bucket: "b".into(), key: key.into(), ..ObjectAddress::default() },
            body: Bytes::from("x"),
        };
        assert_eq!(ask(&calls, put("a")), Answer::Done(None));
        let answer = ask(&calls, put("a/b"));
        assert!(matches!(answer, Answer::Refused { status: Some(403), .. }), "{answer:?}");
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("mine"), "").unwrap();
        let error = ToFolder::new(dir.path()).unwrap_err().to_string();
        assert!(error.ends_with("is not empty; give one that is, or is not there yet"), "{error}");
    }

    #[test]
    fn stdout_takes_lines_until_its_reader_goes() {
        struct Closed;
        impl io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let gone = Gone::default();
        let calls = ToStdout::new(Product::new(Closed), gone.clone());
        assert_eq!(ask(&calls, Call::Stdout(Bytes::from("small, so it stays in the buffer"))), Answer::Done(None));
        let large = Bytes::from(vec![b'x'; 1 << 20]);
        assert!(matches!(ask(&calls, Call::Stdout(large)), Answer::Refused { .. }));
        assert!(gone.is_set());
    }
}
