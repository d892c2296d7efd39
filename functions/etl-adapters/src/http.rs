//! HTTP requests: plain ones by `reqwest`, those that are signed through the `opensearch` client. The only file that knows them.

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
use reqwest::redirect::Policy;
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
    signing: Mutex<Vec<(Auth, Transport)>>,
    /// One that speaks HTTP/1.1 alone, and one that speaks HTTP/2 with who can.
    plain: Mutex<Vec<(bool, reqwest::Client)>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl HttpClient {
    /// Signs with the credentials and for the region of `sdk`.
    pub fn new(sdk: SdkConfig) -> Self {
        Self { sdk, root: None, signing: Mutex::default(), plain: Mutex::default() }
    }

    /// As [`HttpClient::new`], and trusts these roots (PEM) as well: a test's own.
    pub fn with_root(sdk: SdkConfig, pem: &[u8]) -> Result<Self, String> {
        Certificate::from_pem(pem).map_err(|e| deepest(&e))?;
        Ok(Self { root: Some(pem.to_owned()), ..Self::new(sdk) })
    }

    /// Makes the client of one manner of saying who we are, so that the first request does not wait for it.
    pub fn warm(&self, auth: &Auth) -> Result<(), String> {
        match auth {
            Auth::SigV4 { service, region } => self.signing(auth, service, region.as_deref()).map(drop),
            Auth::None | Auth::Basic { .. } => self.plain(false).map(drop),
        }
    }

    /// Asks, and gives [`Answer::Http`] or [`Answer::Silence`].
    pub async fn send(&self, call: &HttpCall) -> Answer {
        match self.ask(call).await {
            Ok((status, body)) => Answer::Http { status, body },
            Err(reason) => Answer::Silence(reason),
        }
    }

    async fn ask(&self, call: &HttpCall) -> Result<(u16, Bytes), String> {
        let url = Url::parse(&format!("{}{}", call.url, call.url_end.reveal()));
        // The reason is about the address, which may hold a secret: its kind says enough.
        let url = url.map_err(|e| format!("not a URL: {e}"))?;
        let headers = headers(call)?;
        let (status, body) = match &call.auth {
            Auth::SigV4 { service, region } => {
                let transport = self.signing(&call.auth, service, region.as_deref())?;
                let method = method(call.method)?;
                let once = || async {
                    // Joined to the transport's address, a whole URL takes its place.
                    let body = (!call.body.is_empty()).then(|| Raw(call.body.clone()));
                    let answer = transport.send(method, url.as_str(), headers.clone(), None::<&()>, body, None).await?;
                    Ok((answer.status_code().as_u16(), answer.bytes().await?))
                };
                match once().await {
                    // The first request after a pause of the sandbox often meets a connection that the far side has closed meanwhile.
                    Err(e) if broken(&e) => once().await,
                    answer => answer,
                }
                .map_err(|e: opensearch::Error| signed_reason(&e))?
            }
            auth => {
                let client = self.plain(call.http2)?;
                let method = reqwest::Method::from_str(call.method).map_err(|_| "not a method of HTTP".to_owned())?;
                let once = || async {
                    let request = client.request(method.clone(), url.clone());
                    let request = match auth {
                        Auth::Basic { username, password } => request.basic_auth(username, Some(password.reveal())),
                        Auth::None | Auth::SigV4 { .. } => request,
                    };
                    let answer = request.headers(headers.clone()).body(call.body.clone()).send().await?;
                    Ok((answer.status().as_u16(), answer.bytes().await?))
                };
                match once().await {
                    Err(e) if broken(&e) => once().await,
                    answer => answer,
                }
                .map_err(|e: reqwest::Error| reason(&e))?
            }
        };
        let useful = body.len().min(call.answer_bytes);
        Ok((status, body.slice(..useful)))
    }

    fn plain(&self, http2: bool) -> Result<reqwest::Client, String> {
        let mut clients = self.plain.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| *of == http2) {
            return Ok(client.clone());
        }
        // A request that is sent somewhere else would be sent without its body, and with its secrets.
        let mut builder = reqwest::Client::builder().redirect(Policy::none());
        if !http2 {
            builder = builder.http1_only();
        }
        if let Some(pem) = &self.root {
            builder = builder.tls_certs_merge([reqwest::Certificate::from_pem(pem).map_err(|e| deepest(&e))?]);
        }
        let client = builder.build().map_err(|e| deepest(&e))?;
        clients.push((http2, client.clone()));
        Ok(client)
    }

    fn signing(&self, auth: &Auth, service: &str, region: Option<&str>) -> Result<Transport, String> {
        let mut transports = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, transport)) = transports.iter().find(|(of, _)| of == auth) {
            return Ok(transport.clone());
        }
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::default());
        if let Some(pem) = &self.root {
            let root = Certificate::from_pem(pem).map_err(|e| deepest(&e))?;
            builder = builder.cert_validation(CertificateValidation::Full(root));
        }
        let region = match region {
            Some(region) => Region::new(region.to_owned()),
            None => self.sdk.region().cloned().ok_or("no region to sign for: set AWS_REGION")?,
        };
        let credentials = self.sdk.credentials_provider().ok_or("no credentials to sign with")?;
        let builder = builder.service_name(service).auth(Credentials::AwsSigV4(credentials, region));
        let transport = builder.build().map_err(|e| deepest(&e))?;
        transports.push((auth.clone(), transport.clone()));
        Ok(transport)
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

/// A later header takes the place of an earlier one of its name.
fn headers(call: &HttpCall) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(call.headers.len());
    for (name, value) in &call.headers {
        let cannot = |_| format!("the header {name} cannot be sent");
        let name = HeaderName::from_str(name).map_err(|_| format!("{name:?} is no header's name"))?;
        headers.insert(name, HeaderValue::from_str(value.reveal()).map_err(cannot)?);
    }
    Ok(headers)
}

/// In a word or two, without the URL, which may be secret: reqwest's own sentence names it, its causes do not.
fn reason(error: &reqwest::Error) -> String {
    match error.source() {
        _ if error.is_timeout() => "timed out".to_owned(),
        None => "the request cannot be made".to_owned(),
        Some(cause) => deepest(cause),
    }
}

/// The same of a signed request.
fn signed_reason(error: &opensearch::Error) -> String {
    match error.source().map(|cause| cause.downcast_ref::<reqwest::Error>()) {
        _ if error.is_timeout() => "timed out".to_owned(),
        None => error.to_string(),
        Some(Some(cause)) => reason(cause),
        Some(None) => "the request cannot be made".to_owned(),
    }
}
