//! Settings that all transports over HTTP share, and the request that they make.
//!
//! Imports: `late`, `need`, `ports`, `region`.

use crate::{
    late::Late,
    ports::{self, HttpCall, Secret},
    region::Region,
};
use bytes::Bytes;
use libdeflater::{CompressionLvl, Compressor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value that may be secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum ValueConfig {
    /// A text.
    StringValue {
        /// The text; `<NAME>` is the value of an environment variable, which keeps it out of the config.
        value: Late<String>,
    },
}

impl ValueConfig {
    /// The value, hidden.
    pub(super) fn secret(&self) -> Secret {
        match self {
            Self::StringValue { value } => Secret::new(now(value)),
        }
    }
}

impl From<Late<String>> for ValueConfig {
    fn from(value: Late<String>) -> Self {
        Self::StringValue { value }
    }
}

/// How a request says who we are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum AuthConfig {
    /// By user and password (HTTP basic authentication).
    UserPassAuth {
        /// The user's name.
        username: Late<String>,
        /// The password.
        password: ValueConfig,
    },
    /// By AWS Signature Version 4, with the function's own role.
    UrlSigningAuth {
        /// The region of the service; by default the function's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Late<Region>>,
        /// The service to sign for: `es`, or `aoss` for OpenSearch Serverless.
        service: String,
        /// Taken for the sake of old configs; has no effect.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_interceptor: Option<serde_json::Value>,
    },
}

impl AuthConfig {
    /// As the port takes it.
    pub(super) fn port(&self) -> ports::Auth {
        match self {
            Self::UserPassAuth { username, password } => {
                ports::Auth::Basic { username: now(username), password: password.secret() }
            }
            Self::UrlSigningAuth { region, service, http_interceptor: _ } => {
                ports::Auth::SigV4 { service: service.clone(), region: region.as_ref().map(now_text) }
            }
        }
    }
}

/// The value; in a function it always is there.
pub(super) fn now(value: &Late<String>) -> String {
    value.now().cloned().unwrap_or_default()
}

/// The same for a region.
pub(super) fn now_text(region: &Late<Region>) -> String {
    region.now().map(ToString::to_string).unwrap_or_default()
}

/// What is the same in every request of one transport.
#[derive(Debug)]
pub(super) struct Request {
    url: String,
    headers: Vec<(String, Secret)>,
    auth: ports::Auth,
    gzip: bool,
}

impl Request {
    /// `path` begins with `/`. Headers of the config come after `content_type`.
    pub(super) fn new(
        (use_ssl, hostname, port, path): (bool, &str, u16, &str),
        content_type: &str,
        headers: &BTreeMap<String, ValueConfig>,
        auth: Option<&AuthConfig>,
        gzip: bool,
    ) -> Self {
        let scheme = if use_ssl { "https" } else { "http" };
        let mut all = vec![("Content-Type".to_owned(), Secret::new(content_type))];
        if gzip {
            all.push(("Content-Encoding".to_owned(), Secret::new("gzip")));
        }
        all.extend(headers.iter().map(|(name, value)| (name.clone(), value.secret())));
        Self {
            url: format!("{scheme}://{hostname}:{port}{path}"),
            headers: all,
            auth: auth.map_or(ports::Auth::None, AuthConfig::port),
            gzip,
        }
    }

    /// Posts a body, of whose answer so many bytes are of use.
    pub(super) fn post(&self, body: &Bytes, answer_bytes: usize) -> HttpCall {
        HttpCall {
            method: "POST",
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: if self.gzip { gzip(body) } else { body.clone() },
            auth: self.auth.clone(),
            answer_bytes,
        }
    }
}

/// One gzip member.
fn gzip(body: &[u8]) -> Bytes {
    let mut compressor = Compressor::new(CompressionLvl::fastest());
    let mut out = vec![0; compressor.gzip_compress_bound(body.len())];
    match compressor.gzip_compress(body, &mut out) {
        Ok(len) => {
            out.truncate(len);
            Bytes::from(out)
        }
        // Cannot be: there is room for the worst case.
        Err(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_request_has_the_configs_headers_and_a_packed_body() {
        let headers = BTreeMap::from([("X-Key".to_owned(), ValueConfig::from(Late::from("k")))]);
        let auth: AuthConfig = serde_json::from_str(
            r#"{"type": "UserPassAuth", "username": "u", "password": {"type": "StringValue", "value": "p"}}"#,
        )
        .unwrap();
        let request = Request::new((true, "h", 443, "/_bulk"), "application/json", &headers, Some(&auth), true);
        let call = request.post(&Bytes::from_static(b"body"), 1);
        assert_eq!((call.url.as_str(), call.method), ("https://h:443/_bulk", "POST"));
        let headers: Vec<_> = call.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(headers, [("Content-Type", "application/json"), ("Content-Encoding", "gzip"), ("X-Key", "k")]);
        assert_eq!(call.auth, ports::Auth::Basic { username: "u".into(), password: Secret::new("p") });
        let mut body = String::new();
        flate2::read::GzDecoder::new(&call.body[..]).read_to_string(&mut body).unwrap();
        assert_eq!(body, "body");
    }

    #[test]
    fn signing_is_for_a_service_and_the_functions_region_by_default() {
        let read = |text: &str| serde_json::from_str::<AuthConfig>(text).unwrap().port();
        let signed = |region: Option<&str>| ports::Auth::SigV4 { service: "es".into(), region: region.map(Into::into) };
        assert_eq!(read(r#"{"type": "UrlSigningAuth", "service": "es"}"#), signed(None));
        let text = r#"{"type": "UrlSigningAuth", "service": "es", "region": "US_EAST_1", "http_interceptor": {}}"#;
        assert_eq!(read(text), signed(Some("us-east-1")));
    }
}
