//! The domain: one step at a time, asked again while the domain may still be coming up.

use super::plan::Step;
use bytes::Bytes;
use etl::ports::{Answer, Auth, HttpCall, Secret};
use etl_adapters::http::HttpClient;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// How long is waited for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Before the second attempt; it doubles up to [`Patience::longest_pause`].
    pub first_pause: Duration,
    /// Between two attempts.
    pub longest_pause: Duration,
    /// For one attempt.
    pub attempt: Duration,
    /// How long refusals (401, 403) are put down to a domain that does not know its master user yet.
    pub refused: Duration,
    /// How long a domain that is to be cleaned up may be silent before it counts as gone.
    pub gone: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(15),
            attempt: Duration::from_secs(30),
            refused: Duration::from_mins(3),
            gone: Duration::from_secs(45),
        }
    }
}

/// Why a step was not done. The text teaches.
#[derive(Debug)]
pub(super) enum Failure {
    /// The domain never answered.
    Silent(String),
    /// It answered, and would not.
    Refused(String),
}

impl Failure {
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Silent(reason) | Self::Refused(reason) => reason,
        }
    }
}

/// A domain that is being asked.
#[derive(Debug)]
pub(super) struct Domain<'a> {
    http: &'a HttpClient,
    address: String,
    auth: &'a Auth,
    patience: Patience,
    begun: Instant,
    end: Instant,
    clean_up: bool,
    /// It has done a step, so it is up and knows us.
    proven: bool,
}

/// What an attempt came to.
enum Attempt {
    Done,
    Silent(String),
    /// Not now.
    Busy(String),
    /// Not you, or not yet.
    Refused(String),
    Never(String),
}

impl<'a> Domain<'a> {
    /// `clean_up`: its things are being removed, so a domain that is not there is no misfortune.
    pub(super) fn new(
        http: &'a HttpClient,
        address: String,
        auth: &'a Auth,
        patience: Patience,
        end: Instant,
        clean_up: bool,
    ) -> Self {
        Self { http, address, auth, patience, begun: Instant::now(), end, clean_up, proven: false }
    }

    /// Does a step, once or again until it is done, is refused for good, or there is no time left.
    pub(super) async fn carry_out(&mut self, step: &Step) -> Result<(), Failure> {
        let mut pause = self.patience.first_pause;
        loop {
            let attempt = self.attempt(step).await;
            let give_up = match &attempt {
                Attempt::Done => {
                    self.proven = true;
                    return Ok(());
                }
                Attempt::Never(_) => Instant::now(),
                Attempt::Refused(_) if self.proven => Instant::now(),
                Attempt::Refused(_) => self.end.min(self.begun + self.patience.refused),
                Attempt::Silent(_) if self.clean_up && !self.proven => self.end.min(self.begun + self.patience.gone),
                Attempt::Silent(_) | Attempt::Busy(_) => self.end,
            };
            let again = Instant::now() + pause;
            if again >= give_up {
                return Err(self.failure(step, attempt));
            }
            sleep_until(again).await;
            pause = (pause * 2).min(self.patience.longest_pause);
        }
    }

    async fn attempt(&self, step: &Step) -> Attempt {
        let body = step.body.as_ref().map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let call = HttpCall {
            method: step.method,
            url: format!("{}/{}", self.address, step.path),
            url_end: Secret::default(),
            headers: vec![("content-type".to_owned(), Secret::new("application/json"))],
            body,
            auth: self.auth.clone(),
            http2: false,
            answer_bytes: 64 << 10,
        };
        let time = self.patience.attempt.min(self.end.saturating_duration_since(Instant::now()));
        match timeout(time, self.http.send(&call)).await {
            Ok(Answer::Http { status, body }) => judge(step.method, status, &body),
            Ok(Answer::Silence(reason)) => Attempt::Silent(reason),
            Ok(_) => Attempt::Silent("no answer".to_owned()),
            Err(_) => Attempt::Silent("timed out".to_owned()),
        }
    }

    fn failure(&self, step: &Step, attempt: Attempt) -> Failure {
        let what = format!("{} {}", if step.method == "PUT" { "cannot put" } else { "cannot remove" }, step.what);
        let waited = self.begun.elapsed().as_secs();
        match attempt {
            Attempt::Done => Failure::Refused(what),
            Attempt::Silent(why) if self.proven => {
                Failure::Refused(format!("{what}: the domain stopped answering ({why})"))
            }
            Attempt::Silent(why) => Failure::Silent(format!(
                "{what}: the domain did not answer in {waited} s ({why}). Check Endpoint and Port; for a domain in a VPC, that the function is \
                 in its subnets and the domain's security group admits it"
            )),
            Attempt::Busy(why) => Failure::Refused(format!(
                "{what}: the domain was not ready in {waited} s ({why}). Check its health, then update again"
            )),
            Attempt::Refused(why) => Failure::Refused(format!(
                "{what}: the domain refused the function for {waited} s ({why}). The function's role must be the domain's master user \
                 (AdvancedSecurityOptions.MasterUserOptions.MasterUserARN), with es:ESHttpPut and es:ESHttpDelete granted by its policy and \
                 not withheld by the domain's"
            )),
            Attempt::Never(why) => Failure::Refused(format!("{what}: {why}")),
        }
    }
}

fn judge(method: &str, status: u16, body: &[u8]) -> Attempt {
    let said = said(body);
    match status {
        200..=299 => Attempt::Done,
        // It is not there, as it should be.
        404 if method == "DELETE" => Attempt::Done,
        // The plugin's own roles; no waiting helps.
        403 if said.contains("is reserved") || said.contains("is hidden") || said.contains("is static") => {
            Attempt::Never(format!("{said} Choose another name"))
        }
        401 | 403 => Attempt::Refused(format!("{status}: {said}")),
        400 | 404 if said.contains("no handler found") => Attempt::Never(
            "the domain has no security API: switch on fine-grained access control (AdvancedSecurityOptions.Enabled)"
                .to_owned(),
        ),
        // 409: somebody else changed the security index at the same moment.
        408 | 409 | 429 | 500..=599 => Attempt::Busy(format!("{status}: {said}")),
        _ => Attempt::Never(format!("the domain says {status}: {said}")),
    }
}

/// What the domain says in its error, shortened: it is about a role or a template, never about an event.
fn said(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => {
            let reason = ["/error/reason", "/message", "/reason", "/Message", "/error"];
            let reason = reason.iter().find_map(|at| json.pointer(at)?.as_str()).map(str::to_owned);
            let keys = json.pointer("/invalid_keys/keys").and_then(Value::as_str);
            let cause = json.pointer("/error/caused_by/reason").and_then(Value::as_str);
            let more = keys.or(cause).map_or_else(String::new, |more| format!(": {more}"));
            format!("{}{more}", reason.unwrap_or_else(|| "no reason given".to_owned()))
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
