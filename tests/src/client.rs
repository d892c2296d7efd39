//! One HTTP request at a time to one address, with or without TLS.
//!
//! A connection for each request: the rig's parts stand on this machine, and a test's traffic is small.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow};
use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject as _},
    },
};

/// Sends requests to one address.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    tls: Option<TlsConnector>,
    authorization: Option<HeaderValue>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Client").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Client {
    /// A client without TLS.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, tls: None, authorization: None }
    }

    /// A client with TLS that trusts the certificates in the file `ca`, and no other.
    pub fn tls(address: SocketAddr, ca: &Path) -> anyhow::Result<Self> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&fs::read(ca)?) {
            roots.add(certificate.map_err(|error| anyhow!("{}: {error:?}", ca.display()))?)?;
        }
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { tls: Some(TlsConnector::from(Arc::new(config))), ..Self::plain(address) })
    }

    /// The same client, as this user.
    #[must_use]
    pub fn with_basic_auth(&self, user: &str, password: &str) -> Self {
        let encoded = base64_simd::STANDARD.encode_to_string(format!("{user}:{password}"));
        // Base64 is plain ASCII, so there always is a header.
        let authorization = HeaderValue::from_str(&format!("Basic {encoded}")).ok();
        Self { authorization, ..self.clone() }
    }

    /// Sends one request and reads the whole answer.
    ///
    /// `Host` and, with basic auth, `Authorization` are put in; what the request said of them is replaced.
    pub async fn send(&self, mut request: Request<Bytes>) -> anyhow::Result<Response<Bytes>> {
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_str(&self.address.to_string())?);
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let request = request.map(Full::new);
        let stream =
            TcpStream::connect(self.address).await.with_context(|| format!("cannot reach {}", self.address))?;
        let response = match &self.tls {
            None => exchange(TokioIo::new(stream), request).await?,
            Some(tls) => {
                let stream = tls.connect(ServerName::from(self.address.ip()), stream).await?;
                exchange(TokioIo::new(stream), request).await?
            }
        };
        Ok(response)
    }
}

async fn exchange(
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<Response<Bytes>> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
    let running = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    running.abort();
    Ok(Response::from_parts(head, body))
}
