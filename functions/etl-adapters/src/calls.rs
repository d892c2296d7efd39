//! Calls to far sides. One file for each.

mod cloudwatch;
mod firehose;
mod kinesis;
mod local;
mod s3;
mod secrets;
mod sns;
mod sqs;

use crate::{aws::Clients, http::HttpClient, tcp::TcpClient};
use bytes::Bytes;
use etl::ports::{Answer, Auth, Call, Calls, Ticket, Work};
use std::{
    fmt,
    num::NonZero,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc::Sender},
    thread::available_parallelism,
    time::Duration,
};
use tokio::{runtime::Handle, sync::Semaphore, time::timeout};

/// Calls that run on a tokio runtime.
#[derive(Clone)]
pub struct AwsCalls {
    runtime: Handle,
    clients: Arc<Clients>,
    http: Arc<HttpClient>,
    tcp: Arc<TcpClient>,
    free_cores: Arc<Semaphore>,
}

/// What a service without an SDK crate is asked with.
type Far<'a> = (&'a Clients, &'a HttpClient);

impl fmt::Debug for AwsCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AwsCalls")
    }
}

impl AwsCalls {
    /// `runtime` is driven by another thread than the one that calls.
    pub fn new(runtime: Handle, clients: Arc<Clients>) -> Self {
        let http = Arc::new(HttpClient::new(clients.sdk().clone()));
        // One core is the pipeline's.
        let cores = available_parallelism().map_or(1, NonZero::get);
        Self { runtime, clients, http, tcp: Arc::default(), free_cores: Arc::new(Semaphore::new(cores - 1)) }
    }

    /// The same, and HTTP, TCP and signed requests trust these roots (PEM) as well: a test's own.
    ///
    /// # Errors
    /// They are no certificates.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, String> {
        let http = Arc::new(HttpClient::with_root(self.clients.sdk().clone(), pem)?);
        Ok(Self { http, tcp: Arc::new(TcpClient::with_root(pem)), ..self })
    }

    /// Makes the client of a service (`firehose`, `s3`, `es`, …) before it is wanted: reading the system's certificates takes time that
    /// a cold start gives for free.
    pub fn warm(&self, service: &str) {
        match service {
            "cloudwatch" => drop(self.clients.cloudwatch(None)),
            "firehose" => drop(self.clients.firehose(None)),
            "s3" => drop(self.clients.s3(None)),
            "sns" => drop(self.clients.sns(None)),
            "es" | "aoss" | "kinesis" | "sqs" | "kms" | "ssm" | "secretsmanager" => {
                let auth = Auth::SigV4 { service: service.to_owned(), region: None };
                // What is wrong here is told by the first call.
                let _ = self.http.warm(&auth);
            }
            _ => {}
        }
    }

    /// The client for HTTP that the calls share.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }
}

impl Calls for AwsCalls {
    fn start(&self, ticket: Ticket, call: Call, time_limit: Duration, answers: &Sender<(Ticket, Answer)>) {
        // Whoever no longer listens has given the call up: an invocation that ran out of time.
        let tell = move |answers: &Sender<_>, answer| drop(answers.send((ticket, answer)));
        match call {
            Call::Stdout(bytes) => tell(answers, local::stdout(&bytes)),
            Call::Append { path, truncate, body } => tell(answers, local::append(&path, truncate, &body)),
            far => {
                let (world, answers) = (self.clone(), answers.clone());
                self.runtime.spawn(async move {
                    let answer = timeout(time_limit, world.carry_out(far)).await;
                    tell(&answers, answer.unwrap_or_else(|_| Answer::Silence("timed out".to_owned())));
                });
            }
        }
    }

    /// Beside, on a thread of its own, where a core is free; if not, whoever asks can as well do it, and nothing queues.
    fn work(&self, ticket: Ticket, work: Work, answers: &Sender<(Ticket, Answer)>) -> Option<Bytes> {
        let Ok(core) = Arc::clone(&self.free_cores).try_acquire_owned() else { return Some(work()) };
        let answers = answers.clone();
        self.runtime.spawn_blocking(move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(core);
            // Whoever no longer listens has given it up.
            let answer = done.map_or_else(|_| Answer::Silence("the work ended early".to_owned()), Answer::Worked);
            drop(answers.send((ticket, answer)));
        });
        None
    }
}

impl AwsCalls {
    async fn carry_out(&self, call: Call) -> Answer {
        match call {
            Call::Http(call) => self.http.send(&call).await,
            Call::Tcp(call) => self.tcp.send(&call).await,
            Call::Secret(of) => secrets::reveal(self.far(), of).await,
            Call::PutRecords { stream, region, records } => {
                kinesis::put_records(self.far(), &stream, region.as_deref(), &records).await
            }
            Call::SendMessageBatch { queue_url, messages } => {
                sqs::send_message_batch(self.far(), &queue_url, &messages).await
            }
            Call::PublishBatch { topic_arn, messages } => {
                let region = topic_arn.split(':').nth(3);
                sns::publish_batch(&self.clients.sns(region), &topic_arn, messages).await
            }
            Call::PutRecordBatch { stream, region, records } => {
                firehose::put_record_batch(&self.clients.firehose(region.as_deref()), &stream, records).await
            }
            Call::PutObject { to, body } => s3::put(&self.s3(&to), &to, body).await,
            Call::CreateUpload { to } => s3::create_upload(&self.s3(&to), &to).await,
            Call::UploadPart { to, upload_id, number, body } => {
                s3::upload_part(&self.s3(&to), &to, &upload_id, number, body).await
            }
            Call::CompleteUpload { to, upload_id, etags } => {
                s3::complete_upload(&self.s3(&to), &to, &upload_id, etags).await
            }
            Call::AbortUpload { to, upload_id } => s3::abort_upload(&self.s3(&to), &to, &upload_id).await,
            Call::PutMetricData { namespace, region, metrics } => {
                cloudwatch::put_metric_data(&self.clients.cloudwatch(region.as_deref()), &namespace, metrics).await
            }
            Call::Publish { topic_arn, subject, message } => {
                let region = topic_arn.split(':').nth(3);
                sns::publish(&self.clients.sns(region), &topic_arn, subject, message).await
            }
            Call::Stdout(bytes) => local::stdout(&bytes),
            Call::Append { path, truncate, body } => local::append(&path, truncate, &body),
        }
    }

    fn far(&self) -> Far<'_> {
        (&self.clients, &self.http)
    }

    fn s3(&self, to: &etl::ports::ObjectAddress) -> aws_sdk_s3::Client {
        self.clients.s3(to.region.as_deref())
    }
}

/// The answer to a batch whose entries are numbered, given the code of each that failed.
fn by_id(count: usize, failed: impl Iterator<Item = (String, String)>) -> Answer {
    let mut codes = vec![None; count];
    for (id, code) in failed {
        if let Some(entry) = id.parse::<usize>().ok().and_then(|id| codes.get_mut(id)) {
            *entry = Some(code);
        }
    }
    Answer::Records(codes)
}
