//! `HTTP`: requests to a host.
//!
//! Imports: `build`, `component`, `event`, `late`, `need`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    request::{Request, Requests, host_mistake, status},
    values::{BasicAuthConfig, ValueConfig},
};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault},
    late::Late,
    need::Need,
    ports::Answer,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Posts events to a host, many in a request, a separator behind each.
///
/// # Delivery
///
/// Any status of 200 to 299 is success. After 408, 429, 5xx or no answer the request is sent again, with growing waits, as the time left
/// allows; after 401, 403, 404 or a redirection three times at most; what is not taken by then is handed back to the trigger. A request
/// that is refused by 400, 413 or 422 is sent again in halves, and an event that is refused alone fails. Delivery is at least once: a
/// request whose answer is lost is sent again. Requests go out at the same time, so events may change their order.
///
/// # Unlike Bender
///
/// - Certificates and host names are checked. (Bender checks none.)
/// - Every 2xx is success. (To Bender only 200 is.)
/// - Without `retry_count`, calls are repeated as the time left allows. (Bender gives up at once.)
/// - Bodies are UTF-8 and say so. (Bender's say ISO-8859-1.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct HTTP {
    /// Name of the host.
    #[builder(into)]
    pub hostname: Late<String>,
    /// Path, and query if there is one: `/in?source=logs`.
    #[builder(into)]
    #[schemars(regex(pattern = "^/"))]
    pub path: String,
    /// What follows each event.
    #[serde(default = "separator")]
    #[builder(default = separator(), into)]
    #[schemars(length(min = 1, max = 16))]
    pub separator: String,
    /// User and password.
    #[builder(into)]
    pub basic_http_auth: Option<BasicAuthConfig>,
    /// How requests are made.
    #[serde(flatten)]
    #[builder(default)]
    pub requests: Requests,
}

pub(super) fn separator() -> String {
    "\n".to_owned()
}

impl Component for HTTP {
    const NAME: &'static str = "HTTP";
    const EXAMPLE: &'static str = "type: HTTP\nhostname: <LOG_HOST>\npath: /in\nuse_gzip: true\nhttp_headers:\n  X-Token:\n    type: \
                                   SsmValue\n    name: /pipelines/token\n";

    fn needs(&self) -> Vec<Need> {
        self.requests.needs(password(self.basic_http_auth.as_ref()))
    }

    fn check(&self) -> Vec<Mistake> {
        host_mistake(&self.hostname).into_iter().collect()
    }
}

pub(super) fn password(auth: Option<&BasicAuthConfig>) -> Option<&ValueConfig> {
    auth.map(|BasicAuthConfig::UserPassAuth { password, .. }| password)
}

impl Transport for HTTP {
    type State = Request;

    fn limits(&self) -> Limits {
        self.requests.limits()
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Request, BuildError> {
        Ok(self.requests.to(&self.hostname, &self.path).with_auth(self.basic_http_auth.as_ref()))
    }

    fn tail(&self, _: &mut Request, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.extend_from_slice(self.separator.as_bytes());
        Ok(())
    }

    fn call(&self, request: &mut Request, load: &Load<'_>) -> Next {
        request.send(load.packed)
    }

    fn judge(&self, request: &mut Request, _: &Load<'_>, answer: &Answer) -> Verdict {
        request.judge(answer, status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        ports::Auth,
        testing::{frame, http},
    };

    fn config(settings: &str) -> HTTP {
        serde_json::from_str(&format!(r#"{{"hostname":"h","path":"/in?a=b"{settings}}}"#)).unwrap()
    }

    #[test]
    fn a_request_keeps_the_query_and_says_what_its_body_is() {
        let call = http(&config(""), b"ab", &[1, 2]);
        assert_eq!((call.url.as_str(), &call.body[..], call.http2), ("https://h:443/in?a=b", &b"ab"[..], false));
        assert_eq!(call.headers.len(), 1);
        assert_eq!(call.headers[0].1.reveal(), "text/plain; charset=UTF-8");
        let auth = r#","basic_http_auth":{"type":"UserPassAuth","username":"u","password":{"type":"StringValue","value":"p"}}"#;
        assert!(matches!(http(&config(auth), b"", &[]).auth, Auth::Basic { .. }));
        let packed = http(&config(r#","use_gzip":true,"port":8080,"use_ssl":false"#), b"ab", &[1, 2]);
        assert_eq!(packed.url, "http://h:8080/in?a=b");
        let headers: Vec<_> = packed.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(headers, [("Content-Type", "application/octet-stream"), ("Content-Encoding", "gzip")]);
    }

    #[test]
    fn a_separator_follows_each_event() {
        assert_eq!(frame(&config(""), &mut Facts::default(), "{}").unwrap(), "EVENT\n");
        assert_eq!(frame(&config(r#","separator":";""#), &mut Facts::default(), "{}").unwrap(), "EVENT;");
    }

    #[test]
    fn settings_of_requests_stand_beside_the_others() {
        let limits = config(r#","batch_size":3,"threads":1,"retry_count":2,"retry_delay":70,"timeout":1500"#).limits();
        assert_eq!((limits.units, limits.threads, limits.retries), (3, 1, Some(2)));
        assert_eq!((limits.retry_delay.as_millis(), limits.time_limit.as_millis()), (70, 1500));
    }

    #[test]
    fn headers_that_bender_reads_and_never_sends_are_not_sent() {
        let sent = |settings: &str| http(&config(settings), b"ab", &[1, 2]).headers.len();
        assert_eq!(sent(r#","http_string_headers":{"X-A":"b"}"#), sent(""));
        assert_eq!(sent(r#","http_headers":{"X-A":{"type":"StringValue","value":"b"}}"#), sent("") + 1);
    }
}
