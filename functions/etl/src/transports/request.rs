//! Settings that all transports over HTTP share, the request that they make, and what its answer means.
//!
//! Imports: `bounded`, `component`, `late`, `need`, `ports`.

use super::{
    Limits, Next, Verdict,
    compression::Packing,
    defaults::{late_yes, retry_delay, threads},
    secrets::Secrets,
    silence,
    values::{AuthConfig, BasicAuthConfig, ValueConfig, now, now_text},
};
use crate::{
    bounded::Bounded,
    component::Mistake,
    late::Late,
    need::Need,
    ports::{self, Answer, Call, HttpCall, Secret},
};
use bon::Builder;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// A request's size before it is packed, with some room below what AWS's smaller search domains take: 10 MiB.
const REQUEST_BYTES: usize = 9 << 20;
/// Answers say little, and nobody reads it.
const ANSWER_BYTES: usize = 64 << 10;

/// How requests are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
pub struct Requests {
    /// Port of the host.
    #[serde(default = "port")]
    #[builder(default = port(), into)]
    #[schemars(range(min = 1))]
    pub port: Late<u16>,
    /// Whether the connection is encrypted (TLS). The host's certificate is checked. (Bender checks none: a defect, mended.)
    #[serde(default = "late_yes")]
    #[builder(default = late_yes(), into)]
    pub use_ssl: Late<bool>,
    /// How requests are sent.
    #[serde(flatten)]
    #[builder(default)]
    pub sending: Sending,
}

/// How requests are sent, wherever to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
pub struct Sending {
    /// Whether requests are packed by gzip.
    #[serde(default)]
    #[builder(default)]
    pub use_gzip: bool,
    /// Events in a request, at most; a request is never larger than 9 MiB before it is packed, and an event of more than that fails.
    #[serde(default = "batch_size")]
    #[builder(default = batch_size())]
    pub batch_size: Bounded<1, 100_000>,
    /// Requests at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
    /// How often a request is repeated; by default, as often as the time that the invocation has left allows. (Bender does not repeat unless
    /// told to.)
    pub retry_count: Option<Bounded<0, 10>>,
    /// The wait before the first repetition, in milliseconds. It doubles from there.
    #[serde(default = "retry_delay")]
    #[builder(default = retry_delay())]
    pub retry_delay: Bounded<1, 60_000>,
    /// How long an answer may take, in milliseconds.
    #[serde(default = "timeout")]
    #[builder(default = timeout())]
    pub timeout: Bounded<1000, 300_000>,
    /// Further headers of each request, in place of our own of the same name.
    #[serde(default)]
    #[builder(default)]
    pub http_headers: BTreeMap<String, ValueConfig>,
    /// Taken for the sake of old configs; has no effect, as in Bender. Use `http_headers`.
    #[serde(default)]
    #[builder(default)]
    pub http_string_headers: BTreeMap<String, String>,
}

impl Default for Requests {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Default for Sending {
    fn default() -> Self {
        Self::builder().build()
    }
}

fn port() -> Late<u16> {
    443.into()
}
fn batch_size() -> Bounded<1, 100_000> {
    Bounded::of::<500>()
}
fn timeout() -> Bounded<1000, 300_000> {
    Bounded::of::<40_000>()
}

impl Sending {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            event_bytes: REQUEST_BYTES,
            bytes: REQUEST_BYTES,
            units: self.batch_size.size(),
            threads: self.threads.size(),
            by_partition: false,
            ordered: false,
            retries: self.retry_count.and_then(|count| u32::try_from(count.get()).ok()),
            retry_delay: Duration::from_millis(self.retry_delay.get()),
            time_limit: Duration::from_millis(self.timeout.get()),
            packing: if self.use_gzip { Packing::FastGzip } else { Packing::None },
            ..Limits::default()
        }
    }

    /// What the values of headers need, and these others.
    pub(super) fn needs<'a>(&'a self, others: impl IntoIterator<Item = &'a ValueConfig>) -> Vec<Need> {
        self.http_headers.values().chain(others).flat_map(ValueConfig::needs).collect()
    }

    /// The request to a place: whether by TLS, host, port and path.
    pub(super) fn to(&self, place: (bool, &str, u16, &str), content_type: &str, auth: Option<AuthConfig>) -> Request {
        Request::new(place, content_type, &self.http_headers, auth, self.use_gzip)
    }
}

impl Requests {
    pub(super) fn limits(&self) -> Limits {
        self.sending.limits()
    }

    /// The request to a path of a host. Its body is lines of text, or what they were packed to.
    pub(super) fn to(&self, hostname: &Late<String>, path: &str) -> Request {
        let place = (
            self.use_ssl.now().copied().unwrap_or(true),
            &*now(hostname),
            self.port.now().copied().unwrap_or(443),
            path,
        );
        // The text is UTF-8; Bender says ISO-8859-1 of it.
        let packed = self.sending.use_gzip;
        let content_type = if packed { "application/octet-stream" } else { "text/plain; charset=UTF-8" };
        self.sending.to(place, content_type, None)
    }

    /// What the values of headers need, and these others.
    pub(super) fn needs<'a>(&'a self, others: impl IntoIterator<Item = &'a ValueConfig>) -> Vec<Need> {
        self.sending.needs(others)
    }
}

/// A host that is more than its name.
pub(super) fn host_mistake(hostname: &Late<String>) -> Option<Mistake> {
    let wrong = hostname.now().is_some_and(|host| host.is_empty() || host.contains(['/', ':']));
    wrong.then(|| {
        let mistake = Mistake::new("hostname", "the host is more than a name");
        mistake.help("write the name alone; other settings say the scheme, the port and the path")
    })
}

/// What is the same in every request of one transport.
#[derive(Debug)]
pub struct Request {
    url: String,
    url_end: Option<ValueConfig>,
    /// Name, what the value begins with, and the rest of it.
    headers: Vec<(String, &'static str, ValueConfig)>,
    auth: Option<AuthConfig>,
    http2: bool,
    secrets: Secrets,
}

impl Request {
    /// `path` begins with `/`. Headers of the config come after `content_type`. `gzip`: whether bodies come packed.
    fn new(
        (use_ssl, hostname, port, path): (bool, &str, u16, &str),
        content_type: &str,
        headers: &BTreeMap<String, ValueConfig>,
        auth: Option<AuthConfig>,
        gzip: bool,
    ) -> Self {
        let scheme = if use_ssl { "https" } else { "http" };
        let ours = |name: &str, value: &str| (name.to_owned(), "", ValueConfig::from(Late::from(value)));
        let mut all = vec![ours("Content-Type", content_type)];
        if gzip {
            all.push(ours("Content-Encoding", "gzip"));
        }
        all.extend(headers.iter().map(|(name, value)| (name.clone(), "", value.clone())));
        let url = format!("{scheme}://{hostname}:{port}{path}");
        let request = Self { url, url_end: None, headers: all, auth, http2: false, secrets: Secrets::default() };
        request.with_secrets()
    }

    /// With a secret behind the path.
    pub(super) fn ending_in(self, secret: &ValueConfig) -> Self {
        Self { url_end: Some(secret.clone()), ..self }.with_secrets()
    }

    /// With a header that is a secret, after a word.
    pub(super) fn with_header(mut self, name: &str, word: &'static str, secret: &ValueConfig) -> Self {
        self.headers.push((name.to_owned(), word, secret.clone()));
        self.with_secrets()
    }

    /// With user and password.
    pub(super) fn with_auth(self, auth: Option<&BasicAuthConfig>) -> Self {
        Self { auth: auth.cloned().map(AuthConfig::from), ..self }.with_secrets()
    }

    /// By HTTP/2 where the far side can.
    pub(super) fn by_http2(self) -> Self {
        Self { http2: true, ..self }
    }

    fn with_secrets(self) -> Self {
        let secrets = Secrets::of(self.values());
        Self { secrets, ..self }
    }

    fn values(&self) -> impl Iterator<Item = &ValueConfig> {
        let password = match &self.auth {
            Some(AuthConfig::UserPassAuth { password, .. }) => Some(password),
            Some(AuthConfig::UrlSigningAuth { .. }) | None => None,
        };
        self.headers.iter().map(|(_, _, value)| value).chain(&self.url_end).chain(password)
    }

    /// Posts a body as it is, of whose answer so many bytes are of use; asks for the secrets before.
    pub(super) fn post(&self, body: &Bytes, answer_bytes: usize) -> Next {
        if let Some(next) = self.secrets.missing() {
            return next;
        }
        let header = |(name, word, value): &(String, &str, ValueConfig)| {
            let value = self.secrets.reveal(value);
            (name.clone(), if word.is_empty() { value } else { Secret::new(format!("{word} {}", value.reveal())) })
        };
        Next::Call(Call::Http(HttpCall {
            method: "POST",
            url: self.url.clone(),
            url_end: self.url_end.as_ref().map(|value| self.secrets.reveal(value)).unwrap_or_default(),
            headers: self.headers.iter().map(header).collect(),
            body: body.clone(),
            auth: match &self.auth {
                None => ports::Auth::None,
                Some(AuthConfig::UserPassAuth { username, password }) => {
                    ports::Auth::Basic { username: now(username), password: self.secrets.reveal(password) }
                }
                Some(AuthConfig::UrlSigningAuth { region, service, http_interceptor: _ }) => {
                    ports::Auth::SigV4 { service: service.clone(), region: region.as_ref().map(now_text) }
                }
            },
            http2: self.http2,
            answer_bytes,
        }))
    }

    /// The same, for far sides whose answer is their status.
    pub(super) fn send(&self, body: &Bytes) -> Next {
        self.post(body, ANSWER_BYTES)
    }

    /// What an answer means, by `meaning` of status and body.
    pub(super) fn judge(&mut self, answer: &Answer, meaning: impl FnOnce(u16, &[u8]) -> Verdict) -> Verdict {
        let mut secrets = std::mem::take(&mut self.secrets);
        let about_secret = secrets.judge(answer, self.values());
        self.secrets = secrets;
        match (about_secret, answer) {
            (Some(verdict), _) => verdict,
            (None, Answer::Http { status, body }) => {
                if matches!(status, 401 | 403) {
                    self.secrets.forget();
                }
                meaning(*status, body)
            }
            (None, answer) => silence(answer),
        }
    }
}

/// What a status means where it is all that an answer says.
pub(super) fn status(status: u16, _: &[u8]) -> Verdict {
    match status {
        200..=299 => Verdict::Taken,
        // One bad event may be the reason: halves tell the guilty from its neighbours.
        400 | 422 => Verdict::TooLarge("the request was refused"),
        413 => Verdict::TooLarge("the request was too large"),
        300..=399 => Verdict::Denied("the far side is somewhere else"),
        401 => Verdict::Denied("credentials refused"),
        403 => Verdict::Denied("permission refused"),
        404 | 405 | 410 => Verdict::Denied("nobody takes events at this path"),
        408 | 425 | 429 => Verdict::Again("the far side is overloaded"),
        500..=599 => Verdict::Again("the far side failed"),
        _ => Verdict::Denied("the far side answered with an unexpected status"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SecretPlace;

    fn posted(request: &Request) -> HttpCall {
        match request.post(&Bytes::from_static(b"body"), 1) {
            Next::Call(Call::Http(call)) => call,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_has_the_configs_headers_and_says_how_its_body_is_packed() {
        let headers = BTreeMap::from([("X-Key".to_owned(), ValueConfig::from(Late::from("k")))]);
        let auth: AuthConfig = serde_json::from_str(
            r#"{"type": "UserPassAuth", "username": "u", "password": {"type": "StringValue", "value": "p"}}"#,
        )
        .unwrap();
        let call = posted(&Request::new((true, "h", 443, "/_bulk"), "application/json", &headers, Some(auth), true));
        assert_eq!((call.url.as_str(), call.method), ("https://h:443/_bulk", "POST"));
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(headers, [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("X-Key", "k")]);
        assert_eq!(call.auth, ports::Auth::Basic { username: "u".into(), password: Secret::new("p") });
        assert_eq!(&call.body[..], b"body", "it comes packed");
    }

    #[test]
    fn signing_is_for_a_service_and_the_functions_region_by_default() {
        let read = |text: &str| {
            let auth = serde_json::from_str::<AuthConfig>(text).unwrap();
            posted(&Request::new((true, "h", 443, "/"), "text/plain", &BTreeMap::new(), Some(auth), false)).auth
        };
        let signed = |region: Option<&str>| ports::Auth::SigV4 { service: "es".into(), region: region.map(Into::into) };
        assert_eq!(read(r#"{"type": "UrlSigningAuth", "service": "es"}"#), signed(None));
        let text = r#"{"type": "UrlSigningAuth", "service": "es", "region": "US_EAST_1", "http_interceptor": {}}"#;
        assert_eq!(read(text), signed(Some("us-east-1")));
    }

    #[test]
    fn secrets_are_asked_for_before_the_first_request_and_again_when_they_are_refused() {
        let secret: ValueConfig = serde_json::from_str(r#"{"type":"SsmValue","name":"/token"}"#).unwrap();
        let mut request = Requests::default().to(&"h".into(), "/in/").ending_in(&secret);
        let of = SecretPlace::Parameter { name: "/token".into(), region: None };
        let asks = Next::Call(Call::Secret(of.clone()));
        assert_eq!(request.send(&Bytes::new()), asks);
        let answer = Answer::Secret { of, value: Secret::new("t") };
        assert_eq!(request.judge(&answer, status), Verdict::More);
        let call = posted(&request);
        assert_eq!((call.url.as_str(), call.url_end.reveal()), ("https://h:443/in/", "t"));
        assert!(!format!("{call:?}").contains("\"t\""), "it is never printed");
        let refused = Answer::Http { status: 403, body: Bytes::new() };
        assert_eq!(request.judge(&refused, status), Verdict::Denied("permission refused"));
        assert_eq!(request.send(&Bytes::new()), asks);
    }

    #[test]
    fn a_status_says_whether_it_is_the_data_the_moment_or_the_config() {
        for (code, verdict) in [
            (200, "Taken"),
            (204, "Taken"),
            (301, "Denied"),
            (400, "TooLarge"),
            (401, "Denied"),
            (404, "Denied"),
            (413, "TooLarge"),
            (429, "Again"),
            (503, "Again"),
        ] {
            assert!(format!("{:?}", status(code, b"")).starts_with(verdict), "{code}");
        }
    }
}
