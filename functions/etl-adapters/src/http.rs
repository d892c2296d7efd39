//! HTTP requests through the `opensearch` client, which signs them. The only file that knows it.

use crate::aws::{broken, deepest};
use aws_config::{Region, SdkConfig};
use bytes::{Bytes, BytesMut};
use etl::ports::{Answer, Auth, HttpCall};
use opensearch::{
    auth::Credentials,
    cert::{Certificate, CertificateValidation},
    http::{
        Method, Url,
        headers::{HeaderMap, HeaderName, HeaderValue},
        request::Body,
        transport::{SingleNodeConnectionPool, Transport, TransportBuilder},
    },
};
use std::{
    error::Error as _,
    fmt,
    str::FromStr as _,
    sync::{Mutex, PoisonError},
};

/// A client for HTTP, with TLS checked against the system's certificates (or those of `SSL_CERT_FILE`).
///
/// It keeps its connections. It sets no time limit: whoever asks does.
pub struct HttpClient {
    sdk: SdkConfig,
    root: Option<Vec<u8>>,
    transports: Mutex<Vec<(Auth, Transport)>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl HttpClient {
    /// Signs with the credentials and for the region of `sdk`.
    pub fn new(sdk: SdkConfig) -> Self {
        Self { sdk, root: None, transports: Mutex::default() }
    }

    /// As [`HttpClient::new`], and trusts these roots (PEM) as well: a test's own.
    pub fn with_root(sdk: SdkConfig, pem: &[u8]) -> Result<Self, String> {
        Certificate::from_pem(pem).map_err(|e| deepest(&e))?;
        Ok(Self { sdk, root: Some(pem.to_owned()), transports: Mutex::default() })
    }

    /// Makes the client of one manner of saying who we are, so that the first request does not wait for it.
    pub fn warm(&self, auth: &Auth) -> Result<(), String> {
        self.transport(auth).map(drop)
    }

    /// Asks, and gives [`Answer::Http`] or [`Answer::Silence`].
    pub async fn send(&self, call: &HttpCall) -> Answer {
        match self.ask(call).await {
            Ok((status, body)) => Answer::Http { status, body },
            Err(reason) => Answer::Silence(reason),
        }
    }

    async fn ask(&self, call: &HttpCall) -> Result<(u16, Bytes), String> {
        let transport = self.transport(&call.auth)?;
        let method = method(call.method)?;
        let headers = headers(call)?;
        let once = || async {
            // Joined to the transport's address, a whole URL takes its place.
            let body = (!call.body.is_empty()).then(|| Raw(call.body.clone()));
            let answer = transport.send(method, &call.url, headers.clone(), None::<&()>, body, None).await?;
            Ok((answer.status_code().as_u16(), answer.bytes().await?))
        };
        let (status, body) = match once().await {
            // The first request after a pause of the sandbox often meets a connection that the far side has closed meanwhile.
            Err(e) if broken(&e) => once().await,
            answer => answer,
        }
        .map_err(|e| reason(&e))?;
        let useful = body.len().min(call.answer_bytes);
        Ok((status, body.slice(..useful)))
    }

    fn transport(&self, auth: &Auth) -> Result<Transport, String> {
        let mut transports = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, transport)) = transports.iter().find(|(of, _)| of == auth) {
            return Ok(transport.clone());
        }
        let transport = self.build(auth)?;
        transports.push((auth.clone(), transport.clone()));
        Ok(transport)
    }

    fn build(&self, auth: &Auth) -> Result<Transport, String> {
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::default());
        if let Some(pem) = &self.root {
            let root = Certificate::from_pem(pem).map_err(|e| deepest(&e))?;
            builder = builder.cert_validation(CertificateValidation::Full(root));
        }
        builder = match auth {
            Auth::None => builder,
            Auth::Basic { username, password } => {
                builder.auth(Credentials::Basic(username.clone(), password.reveal().to_owned()))
            }
            Auth::SigV4 { service, region } => {
                let region = match region {
                    Some(region) => Region::new(region.clone()),
                    None => self.sdk.region().cloned().ok_or("no region to sign for: set AWS_REGION")?,
                };
                let credentials = self.sdk.credentials_provider().ok_or("no credentials to sign with")?;
                builder.service_name(service).auth(Credentials::AwsSigV4(credentials, region))
            }
        };
        builder.build().map_err(|e| deepest(&e))
    }
}

/// Bytes as they are.
struct Raw(Bytes);

impl Body for Raw {
    fn bytes(&self) -> Option<Bytes> {
        Some(self.0.clone())
    }

    fn write(&self, bytes: &mut BytesMut) -> Result<(), opensearch::Error> {
        bytes.extend_from_slice(&self.0);
        Ok(())
    }
}

fn method(name: &str) -> Result<Method, String> {
    match name {
        "GET" => Ok(Method::Get),
        "POST" => Ok(Method::Post),
        "PUT" => Ok(Method::Put),
        "DELETE" => Ok(Method::Delete),
        "HEAD" => Ok(Method::Head),
        other => Err(format!("the method {other} is not one of GET, POST, PUT, DELETE, HEAD")),
    }
}

fn headers(call: &HttpCall) -> Result<HeaderMap, String> {
    // The transport puts a relative address behind its own, which is not where the call should go.
    Url::parse(&call.url).map_err(|e| format!("not a URL: {e}"))?;
    let mut headers = HeaderMap::with_capacity(call.headers.len());
    for (name, value) in &call.headers {
        let cannot = |_| format!("the header {name} cannot be sent");
        let name = HeaderName::from_str(name).map_err(|_| format!("{name:?} is no header's name"))?;
        headers.insert(name, HeaderValue::from_str(value.reveal()).map_err(cannot)?);
    }
    Ok(headers)
}

/// In a word or two, without the URL, which may be secret: reqwest's own sentence names it, its causes do not.
fn reason(error: &opensearch::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    match error.source() {
        None => error.to_string(),
        Some(reqwest) => match reqwest.source() {
            None => "the request cannot be made".to_owned(),
            Some(cause) => deepest(cause),
        },
    }
}
