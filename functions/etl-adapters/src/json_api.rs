//! Services of AWS that speak JSON, without their SDK crates: each of those would add some hundred KiB to the function for one or two calls.
//!
//! The region's own endpoint is asked, or the one that the standard variables (`AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_KINESIS`, …) name.

use crate::{aws::Clients, http::HttpClient};
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use etl::ports::{Answer, Auth, HttpCall, Secret};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A service, and how it is spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// The name in endpoints and signatures.
    pub(crate) name: &'static str,
    /// The name in the SDK's own configuration.
    pub(crate) id: &'static str,
    /// What stands before an action.
    pub(crate) target: &'static str,
    /// Of the protocol.
    pub(crate) content_type: &'static str,
}

/// Kinesis Data Streams.
pub(crate) const KINESIS: Service = service("kinesis", "Kinesis", "Kinesis_20131202");
/// The Key Management Service.
pub(crate) const KMS: Service = service("kms", "KMS", "TrentService");
/// Secrets Manager.
pub(crate) const SECRETS_MANAGER: Service = service("secretsmanager", "Secrets Manager", "secretsmanager");
/// Systems Manager.
pub(crate) const SSM: Service = service("ssm", "SSM", "AmazonSSM");
/// The Simple Queue Service.
pub(crate) const SQS: Service =
    Service { content_type: "application/x-amz-json-1.0", ..service("sqs", "SQS", "AmazonSQS") };

const fn service(name: &'static str, id: &'static str, target: &'static str) -> Service {
    Service { name, id, target, content_type: "application/x-amz-json-1.1" }
}

/// An answer is never larger than what a secret or a batch of 500 verdicts is.
const ANSWER_BYTES: usize = 1 << 20;

/// Asks a service. `region`: none is the function's own.
///
/// # Errors
/// The answer that the pipeline gets instead: [`Answer::Refused`] or [`Answer::Silence`].
pub(crate) async fn ask<T: DeserializeOwned>(
    (clients, http): (&Clients, &HttpClient),
    service: Service,
    region: Option<&str>,
    action: &str,
    body: &Value,
) -> Result<T, Answer> {
    let header = |name: &str, value: String| (name.to_owned(), Secret::new(value));
    let call = HttpCall {
        method: "POST",
        url: endpoint(clients, service, region)
            .ok_or_else(|| Answer::Silence("no region: set AWS_REGION".to_owned()))?,
        url_end: Secret::default(),
        headers: vec![
            header("Content-Type", service.content_type.to_owned()),
            header("X-Amz-Target", format!("{}.{action}", service.target)),
        ],
        body: Bytes::from(body.to_string()),
        auth: Auth::SigV4 { service: service.name.to_owned(), region: region.map(str::to_owned) },
        http2: false,
        answer_bytes: ANSWER_BYTES,
    };
    match http.send(&call).await {
        Answer::Http { status: 200, body } => serde_json::from_slice(&body)
            .map_err(|_| Answer::Silence("an answer that cannot be read (HTTP 200)".to_owned())),
        Answer::Http { status, body } => Err(Answer::Refused { code: code(&body, status), status: Some(status) }),
        other => Err(other),
    }
}

fn endpoint(clients: &Clients, service: Service, region: Option<&str>) -> Option<String> {
    let sdk = clients.sdk();
    let of_service = || {
        let key = ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        sdk.service_config()?.load_config(key.build().ok()?)
    };
    if let Some(url) = of_service().or_else(|| sdk.endpoint_url().map(str::to_owned)) {
        return Some(format!("{}/", url.trim_end_matches('/')));
    }
    let region = region.or_else(|| sdk.region().map(AsRef::as_ref))?;
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Some(format!("https://{}.{region}.{end}/", service.name))
}

/// The error's code: `com.amazonaws.sqs#QueueDoesNotExist` is `QueueDoesNotExist`.
fn code(body: &[u8], status: u16) -> String {
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let kind = body.as_ref().and_then(|body| body["__type"].as_str().or_else(|| body["code"].as_str()));
    kind.and_then(|kind| kind.rsplit('#').next()).map_or_else(|| format!("HTTP {status}"), str::to_owned)
}
