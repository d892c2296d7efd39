//! What all clients of AWS share, and one client for each service and region, made when it is first wanted.

use aws_config::{
    BehaviorVersion, ConfigLoader, Region, SdkConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use etl::ports::Answer;
use std::{
    error::Error,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How the standard AWS variables (region, credentials, `AWS_ENDPOINT_URL`, …) are read, once it is told to `load`.
///
/// One attempt for each call: the pipeline retries within the time that its invocation has left, and two layers of retries multiply.
/// The behaviour is that of a named version, so that an update of the SDK does not change it.
pub fn loader() -> ConfigLoader {
    // A far side that takes an upload slowly is not dead; the time limit of a call ends it. A download has no limit of its own.
    let stalled =
        StalledStreamProtectionConfig::enabled().upload_enabled(false).grace_period(Duration::from_secs(10)).build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(stalled)
}

/// The clients.
#[derive(Debug)]
pub struct Clients {
    sdk: SdkConfig,
    path_style: bool,
    s3: Lazy<aws_sdk_s3::Client>,
    firehose: Lazy<aws_sdk_firehose::Client>,
    cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    sns: Lazy<aws_sdk_sns::Client>,
}

impl Clients {
    /// `path_style`: buckets in the path instead of the host's name, as emulators want it.
    pub fn new(sdk: SdkConfig, path_style: bool) -> Self {
        Self { sdk, path_style, s3: Lazy::new(), firehose: Lazy::new(), cloudwatch: Lazy::new(), sns: Lazy::new() }
    }

    /// What all clients share.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// The client of S3 for a region; none: the function's own.
    pub fn s3(&self, region: Option<&str>) -> aws_sdk_s3::Client {
        self.s3.get(region, || {
            let mut config = aws_sdk_s3::config::Builder::from(&self.sdk).force_path_style(self.path_style);
            config.set_region(self.region(region));
            aws_sdk_s3::Client::from_conf(config.build())
        })
    }

    /// The client of Firehose.
    pub fn firehose(&self, region: Option<&str>) -> aws_sdk_firehose::Client {
        self.firehose.get(region, || {
            let mut config = aws_sdk_firehose::config::Builder::from(&self.sdk);
            config.set_region(self.region(region));
            aws_sdk_firehose::Client::from_conf(config.build())
        })
    }

    /// The client of CloudWatch.
    pub fn cloudwatch(&self, region: Option<&str>) -> aws_sdk_cloudwatch::Client {
        self.cloudwatch.get(region, || {
            let mut config = aws_sdk_cloudwatch::config::Builder::from(&self.sdk);
            config.set_region(self.region(region));
            aws_sdk_cloudwatch::Client::from_conf(config.build())
        })
    }

    /// The client of SNS.
    pub fn sns(&self, region: Option<&str>) -> aws_sdk_sns::Client {
        self.sns.get(region, || {
            let mut config = aws_sdk_sns::config::Builder::from(&self.sdk);
            config.set_region(self.region(region));
            aws_sdk_sns::Client::from_conf(config.build())
        })
    }

    fn region(&self, wanted: Option<&str>) -> Option<Region> {
        wanted.map(|region| Region::new(region.to_owned())).or_else(|| self.sdk.region().cloned())
    }
}

/// A client for each region that was asked for: seldom more than one, so a list.
struct Lazy<C>(Mutex<Vec<(Option<String>, C)>>);

impl<C: Clone> Lazy<C> {
    fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    fn get(&self, region: Option<&str>, make: impl FnOnce() -> C) -> C {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| of.as_deref() == region) {
            return client.clone();
        }
        let client = make();
        clients.push((region.map(str::to_owned), client.clone()));
        client
    }
}

impl<C> fmt::Debug for Lazy<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lazy")
    }
}

/// Makes a call, and once more at once if its connection turned out to be dead: after a pause of the sandbox the first call often
/// finds one that the far side has closed meanwhile.
pub(crate) async fn twice_if_broken<T, E, F>(call: impl Fn() -> F) -> Result<T, SdkError<E>>
where
    F: Future<Output = Result<T, SdkError<E>>>,
    E: Error + 'static,
{
    match call().await {
        Err(SdkError::DispatchFailure(failure)) if failure.as_connector_error().is_some_and(|e| broken(e)) => {
            call().await
        }
        answer => answer,
    }
}

/// What a failed call of the SDK is to the pipeline.
pub(crate) fn refused<E>(error: &SdkError<E>) -> Answer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            let code = refusal.err().code().map_or_else(|| format!("HTTP {status}"), str::to_owned);
            Answer::Refused { code, status: Some(status) }
        }
        SdkError::DispatchFailure(failure) => {
            Answer::Silence(failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |e| deepest(e)))
        }
        SdkError::TimeoutError(_) => Answer::Silence("timed out".to_owned()),
        SdkError::ResponseError(answer) => match answer.raw().status().as_u16() {
            // A page of something between us and AWS.
            status @ 400.. => Answer::Refused { code: format!("HTTP {status}"), status: Some(status) },
            status => Answer::Silence(format!("an answer that cannot be read (HTTP {status})")),
        },
        other => Answer::Refused { code: format!("not sent: {}", deepest(other)), status: None },
    }
}

/// Whether a connection was closed or reset by the other side.
pub(crate) fn broken(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    chain(error).any(|e| match e.downcast_ref::<std::io::Error>() {
        Some(io) => matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof),
        // Hyper's own words; its type is not ours to name.
        None => e.to_string() == "connection closed before message completed",
    })
}

/// The innermost cause of an error: the short one ("Connection refused"). The outer ones repeat it, and may name a URL that is secret.
pub(crate) fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map_or_else(String::new, ToString::to_string)
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&e| e.source())
}
