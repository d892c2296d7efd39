//! `HTTP2`: requests to a host that may speak HTTP/2.
//!
//! Imports: `build`, `component`, `event`, `late`, `need`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    http::{password, separator},
    request::{Request, Requests, host_mistake, status},
    values::BasicAuthConfig,
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

/// Posts events to a host as `HTTP` does, by HTTP/2 if the host can, else by HTTP/1.1. Without TLS it is always HTTP/1.1.
///
/// # Delivery
///
/// As `HTTP` does it: at least once, in any order; a 2xx is success, what is refused for now is repeated, and what is not taken in time
/// is handed back to the trigger.
///
/// # Unlike Bender
///
/// - The query of `path` is sent. (Bender loses it.)
/// - Packed requests say that they are packed. (Bender's do not.)
/// - Certificates are checked. (Bender checks none.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct HTTP2 {
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

impl Component for HTTP2 {
    const NAME: &'static str = "HTTP2";
    const EXAMPLE: &'static str = "type: HTTP2\nhostname: <LOG_HOST>\npath: /in\n";

    fn needs(&self) -> Vec<Need> {
        self.requests.needs(password(self.basic_http_auth.as_ref()))
    }

    fn check(&self) -> Vec<Mistake> {
        host_mistake(&self.hostname).into_iter().collect()
    }
}

impl Transport for HTTP2 {
    type State = Request;

    fn limits(&self) -> Limits {
        self.requests.limits()
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Request, BuildError> {
        Ok(self.requests.to(&self.hostname, &self.path).with_auth(self.basic_http_auth.as_ref()).by_http2())
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
    use crate::testing::http;

    #[test]
    fn the_query_is_kept_and_a_packed_body_says_so() {
        let config: HTTP2 = serde_json::from_str(r#"{"hostname":"h","path":"/in?x=1","use_gzip":true}"#).unwrap();
        let call = http(&config, b"ab", &[1, 2]);
        assert_eq!((call.url.as_str(), call.http2), ("https://h:443/in?x=1", true));
        assert!(call.headers.iter().any(|(name, value)| name == "Content-Encoding" && value.reveal() == "gzip"));
    }
}
