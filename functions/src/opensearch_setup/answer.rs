//! The answer to CloudFormation: a small JSON, put to the address it gave.

use super::request::Request;
use bytes::Bytes;
use etl::ports::{Answer, Auth, HttpCall, Secret};
use etl_adapters::http::HttpClient;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// CloudFormation reads 4 KiB in all.
const REASON_CHARS: usize = 700;
const ATTEMPT: Duration = Duration::from_secs(5);

/// Tells CloudFormation, again while it does not take it and there is time.
///
/// # Errors
/// It did not take it. The address is a secret and not in the text.
pub(super) async fn send(
    http: &HttpClient,
    request: &Request<'_>,
    outcome: &Result<String, String>,
    end: Instant,
) -> Result<(), String> {
    let call = HttpCall {
        method: "PUT",
        url: request.response_url.to_owned(),
        // The address is signed for an empty type.
        url_end: Secret::default(),
        headers: vec![("content-type".to_owned(), Secret::new(""))],
        body: Bytes::from(body(request, outcome).to_string()),
        auth: Auth::None,
        http2: false,
        answer_bytes: 1 << 10,
    };
    let mut pause = Duration::from_millis(200);
    loop {
        let why = match timeout(ATTEMPT, http.send(&call)).await {
            Ok(Answer::Http { status: 200..=299, .. }) => return Ok(()),
            Ok(Answer::Http { status, .. }) => format!("HTTP {status}"),
            Ok(Answer::Silence(reason)) => reason,
            Ok(_) | Err(_) => "timed out".to_owned(),
        };
        if Instant::now() + pause + ATTEMPT >= end {
            return Err(format!("CloudFormation did not take the answer ({why})"));
        }
        sleep(pause).await;
        pause *= 2;
    }
}

fn body(request: &Request<'_>, outcome: &Result<String, String>) -> Value {
    let mut body = json!({
        "Status": if outcome.is_ok() { "SUCCESS" } else { "FAILED" },
        "PhysicalResourceId": request.name(outcome.is_err()),
        "StackId": request.stack_id,
        "RequestId": request.id,
        "LogicalResourceId": request.logical_id,
    });
    let (Ok(text) | Err(text)) = outcome;
    body["Reason"] = Value::from(text.chars().take(REASON_CHARS).collect::<String>());
    body
}
