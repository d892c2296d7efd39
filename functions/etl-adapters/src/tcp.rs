//! Bytes over TCP and TLS, each batch on a connection of its own.

use crate::aws::deepest;
use etl::ports::{Answer, TcpCall, Tls};
use std::{
    fmt, io,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
        pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
    },
};

/// How long the far side is given to close its end, which tells that it has read all. Many never do.
const LAST_WORD: Duration = Duration::from_millis(200);

/// Makes connections, with TLS checked against the system's certificates (or those of `SSL_CERT_FILE`) unless a call says otherwise.
pub struct TcpClient {
    root: Option<Vec<u8>>,
    verified: OnceLock<TlsConnector>,
    unverified: OnceLock<TlsConnector>,
}

impl fmt::Debug for TcpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TcpClient")
    }
}

impl Default for TcpClient {
    fn default() -> Self {
        Self { root: None, verified: OnceLock::new(), unverified: OnceLock::new() }
    }
}

impl TcpClient {
    /// Trusts these roots (PEM) as well: a test's own.
    #[must_use]
    pub fn with_root(pem: &[u8]) -> Self {
        Self { root: Some(pem.to_owned()), ..Self::default() }
    }

    /// Sends, and gives [`Answer::Done`] or [`Answer::Silence`].
    pub async fn send(&self, call: &TcpCall) -> Answer {
        match self.deliver(call).await {
            Ok(()) => Answer::Done(None),
            Err(e) => Answer::Silence(deepest(&e)),
        }
    }

    async fn deliver(&self, call: &TcpCall) -> io::Result<()> {
        let stream = TcpStream::connect((call.host.as_str(), call.port)).await?;
        let connector = match call.tls {
            Tls::None => return write(stream, call).await,
            Tls::Verified => self.verified.get_or_init(|| self.connector(true)),
            Tls::Unverified => self.unverified.get_or_init(|| self.connector(false)),
        };
        let name = ServerName::try_from(call.host.clone()).map_err(io::Error::other)?;
        write(connector.connect(name, stream).await?, call).await
    }

    fn connector(&self, verify: bool) -> TlsConnector {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let versions = [&tokio_rustls::rustls::version::TLS13, &tokio_rustls::rustls::version::TLS12];
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&versions);
        #[expect(clippy::expect_used, reason = "the provider has both versions, whatever is sent")]
        let builder = builder.expect("TLS 1.2 and 1.3 are there");
        let config = if verify {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            let own = self.root.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
            roots.add_parsable_certificates(own);
            builder.with_root_certificates(roots)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        TlsConnector::from(Arc::new(config.with_no_client_auth()))
    }
}

/// Writes everything and closes. A far side that complains until then has not taken it.
async fn write(mut stream: impl AsyncRead + AsyncWrite + Unpin, call: &TcpCall) -> io::Result<()> {
    let before = call.before_each.reveal().as_bytes();
    let size = call.units.iter().map(|unit| before.len() + unit.len()).sum();
    let mut bytes = Vec::with_capacity(size);
    for unit in &call.units {
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(unit);
    }
    stream.write_all(&bytes).await?;
    stream.shutdown().await?;
    let mut rest = async || -> io::Result<()> {
        let mut scratch = [0; 256];
        while stream.read(&mut scratch).await? > 0 {}
        Ok(())
    };
    match timeout(LAST_WORD, rest()).await {
        // Closed without the farewell of TLS: many do.
        Ok(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Ok(answer) => answer,
        Err(_) => Ok(()),
    }
}

/// Takes any certificate; the far side must still have its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
