//! Objects read from Amazon S3, as a stream, and files of the function's package.

use crate::aws::{Clients, deepest, refused, twice_if_broken};
use aws_sdk_s3::{
    Client, error::SdkError, operation::get_object::GetObjectError, operation::get_object::GetObjectOutput,
    primitives::ByteStream,
};
use bytes::{Buf as _, Bytes};
use etl::ports::{Answer, Object, ObjectError, Objects, Opening};
use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    time::sleep,
};

/// Chunks that are fetched ahead of the reader: some 16 KiB each.
const AHEAD: usize = 64;
/// How often a broken download goes on where it was.
const RESUMED: u32 = 5;

/// Objects of S3, in the function's own region, and files.
pub struct S3Objects {
    runtime: Handle,
    clients: Arc<Clients>,
    package: PathBuf,
}

impl fmt::Debug for S3Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("S3Objects")
    }
}

impl S3Objects {
    /// `runtime` is driven by another thread than the one that reads. `package`: where relative paths of files begin.
    pub fn new(runtime: Handle, clients: Arc<Clients>, package: PathBuf) -> Self {
        Self { runtime, clients, package }
    }
}

impl Objects for S3Objects {
    fn open(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Object, ObjectError> {
        self.begin(bucket, key, version_id).wait()
    }

    fn ahead(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Option<Opening> {
        Some(self.begin(bucket, key, version_id))
    }

    fn file(&self, path: &str) -> Result<Object, ObjectError> {
        let file = File::open(self.package.join(path)).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => ObjectError::Gone,
            io::ErrorKind::PermissionDenied => ObjectError::Denied(e.kind().to_string()),
            kind => ObjectError::Outage(kind.to_string()),
        })?;
        let size = file.metadata().ok().map(|about| about.len());
        Ok(Object { reader: Box::new(file), size })
    }
}

impl S3Objects {
    /// Begins to fetch an object, as far as the chunks reach that are fetched ahead.
    fn begin(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Opening {
        let source = Source {
            client: self.clients.s3(None),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id: version_id.map(str::to_owned),
        };
        let (opened, answer) = oneshot::channel();
        let (chunks, reader) = mpsc::channel(AHEAD);
        self.runtime.spawn(async move {
            match source.get(0, None).await {
                Err(e) => drop(opened.send(Err(e))),
                Ok(object) => {
                    let size = object.content_length.and_then(|size| u64::try_from(size).ok());
                    if opened.send(Ok(size)).is_ok() {
                        source.pump(object, &chunks).await;
                    }
                }
            }
        });
        Opening::new(move || {
            let stopped = || ObjectError::Outage("the runtime has stopped".to_owned());
            let size = answer.blocking_recv().map_err(|_| stopped())??;
            Ok(Object { reader: Box::new(ChunkReader { chunks: reader, now: Bytes::new() }), size })
        })
    }
}

struct Source {
    client: Client,
    bucket: String,
    key: String,
    version_id: Option<String>,
}

impl Source {
    /// The object from a byte on; `etag`: only if it is still the same one.
    async fn get(&self, from: u64, etag: Option<&str>) -> Result<GetObjectOutput, ObjectError> {
        let request = self.client.get_object().bucket(&self.bucket).key(&self.key);
        let request = request.set_version_id(self.version_id.clone()).set_if_match(etag.map(str::to_owned));
        let request = if from > 0 { request.range(format!("bytes={from}-")) } else { request };
        twice_if_broken(|| request.clone().send()).await.map_err(|e| object_error(&e))
    }

    /// Hands over the bytes until all are, or nobody reads any more.
    async fn pump(&self, object: GetObjectOutput, chunks: &mpsc::Sender<io::Result<Bytes>>) {
        let etag = object.e_tag;
        let mut body: ByteStream = object.body;
        let (mut at, mut resumed) = (0_u64, 0);
        loop {
            let broken = match body.next().await {
                None => return,
                Some(Ok(chunk)) => {
                    at += chunk.len() as u64;
                    if chunks.send(Ok(chunk)).await.is_err() {
                        return;
                    }
                    continue;
                }
                Some(Err(e)) => deepest(&e),
            };
            body = match self.resume(at, etag.as_deref(), broken, &mut resumed).await {
                Ok(body) => body,
                Err(reason) => {
                    // Never `UnexpectedEof`: that is how a decoder says that the object itself is cut short.
                    let error = io::Error::new(io::ErrorKind::ConnectionAborted, reason);
                    let _ = chunks.send(Err(error)).await;
                    return;
                }
            }
        }
    }

    /// The rest of a broken download, or why there is none.
    async fn resume(
        &self,
        at: u64,
        etag: Option<&str>,
        mut why: String,
        resumed: &mut u32,
    ) -> Result<ByteStream, String> {
        while *resumed < RESUMED {
            *resumed += 1;
            sleep(Duration::from_millis(100) * *resumed).await;
            match self.get(at, etag).await {
                Ok(object) => return Ok(object.body),
                // Meanwhile it was overwritten.
                Err(ObjectError::Outage(code)) if code == "PreconditionFailed" => return Err(code),
                Err(ObjectError::Outage(code)) => why = code,
                Err(other) => return Err(other.to_string()),
            }
        }
        Err(why)
    }
}

fn object_error(error: &SdkError<GetObjectError>) -> ObjectError {
    match refused(error) {
        // `NoSuchKey`, `NoSuchVersion`, `NoSuchBucket`; 405 is a delete marker that was asked for by its version.
        Answer::Refused { status: Some(404 | 405), .. } => ObjectError::Gone,
        Answer::Refused { code, status: Some(401 | 403) } => ObjectError::Denied(code),
        Answer::Refused { code, .. } => ObjectError::Outage(code),
        Answer::Silence(reason) => ObjectError::Outage(reason),
        other => ObjectError::Outage(format!("{other:?}")),
    }
}

/// Reads what another thread fetches.
struct ChunkReader {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    now: Bytes,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.now.is_empty() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.now = chunk?,
                None => return Ok(0),
            }
        }
        let n = self.now.len().min(buffer.len());
        self.now.copy_to_slice(buffer.get_mut(..n).unwrap_or_default());
        Ok(n)
    }
}
