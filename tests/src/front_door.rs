//! The door that Amazon puts before a domain, in small.
//!
//! It ends TLS, checks who signed each request ([`crate::sigv4`]), asks the emulator's IAM whether that one may, and forwards the
//! request to the node as a user of the node whose only backend role is the signer's role ARN. So the node's security plugin, the
//! real one, decides by its own role mapping what comes of it, as Amazon's fine-grained access control does. The role named as a
//! domain's master user is also put into the node's backend role `admin`.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, anyhow, ensure};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};

use crate::{
    client::Client,
    sigv4::{self, Claim, Credential, Refusal, Request as Signed, Scope},
};

/// What a domain's signatures are scoped to.
const SCOPE: Scope<'static> = Scope { region: "us-east-1", service: "es" };

/// The largest request that Amazon takes on its smaller instance types, in bytes as sent.
const LARGEST: usize = 10 * 1024 * 1024;

/// One password for all: the node listens on loopback and lives as long as a test run.
const PASSWORD: &str = "27-Bridges+9-Doors";

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// The role whose key signed it, when there was one.
    pub role: Option<String>,
    /// `POST /_bulk`, …: without the query.
    pub request: String,
    /// The answer's status.
    pub status: u16,
}

/// An open door. It stays open as long as the process.
#[derive(Clone, Debug)]
pub struct FrontDoor(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The node, without a user.
    node: Client,
    /// The emulator.
    emulator: Client,
    /// The node's users made so far, by role, and whether they are masters.
    users: tokio::sync::Mutex<BTreeMap<String, bool>>,
    passages: Mutex<Vec<Passage>>,
}

/// Who signed, as the emulator's IAM knows them.
struct Signer {
    role: String,
    master: bool,
}

impl FrontDoor {
    /// Binds port 443 of the first address of loopback where it is free: the port is what a domain's clients use, and a second
    /// test process must not be in the way of the first.
    pub fn bind() -> anyhow::Result<TcpListener> {
        let mut refused = None;
        for last in 1..=ADDRESSES {
            match TcpListener::bind((IpAddr::from([127, 0, 0, last]), 443)) {
                Ok(listener) => return Ok(listener),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or_else(|| anyhow!("no address"), Into::into))
            .context("port 443 of loopback is not to be had (as root it is, or with sysctl net.ipv4.ip_unprivileged_port_start=443)")
    }

    /// The names that the door's certificate needs, as openssl's `subjectAltName`.
    pub fn names() -> String {
        let addresses: Vec<String> = (1..=ADDRESSES).map(|last| format!("IP:127.0.0.{last}")).collect();
        format!("DNS:localhost,{}", addresses.join(","))
    }

    /// Takes requests from now on, with the certificate `node.pem` and `node.key` in `certificates`.
    pub fn open(
        listener: TcpListener,
        certificates: &Path,
        node: Client,
        emulator: Client,
        runtime: &tokio::runtime::Handle,
    ) -> anyhow::Result<Self> {
        let certificate = CertificateDer::from_pem_slice(&fs::read(certificates.join("node.pem"))?);
        let key = PrivateKeyDer::from_pem_slice(&fs::read(certificates.join("node.key"))?);
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(
            vec![certificate.map_err(|error| anyhow!("node.pem: {error:?}"))?],
            key.map_err(|error| anyhow!("node.key: {error:?}"))?,
        )?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let door =
            Self(Arc::new(Inner { node, emulator, users: tokio::sync::Mutex::default(), passages: Mutex::default() }));
        listener.set_nonblocking(true)?;
        let listener = {
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let at_the_door = door.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, door) = (acceptor.clone(), at_the_door.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let serve = service_fn(|request| {
                        let door = door.clone();
                        async move { Ok::<_, std::convert::Infallible>(door.answer(request).await) }
                    });
                    // A client that hangs up is its own affair.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), serve).await;
                });
            }
        });
        Ok(door)
    }

    /// Every request so far, in the order of the answers.
    ///
    /// # Panics
    /// When another test panicked while the list was held.
    pub fn passages(&self) -> Vec<Passage> {
        self.0.passages.lock().expect("nobody panics with this lock").clone()
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let mut passage = Passage { role: None, request: format!("{} {}", head.method, head.uri.path()), status: 0 };
        let answer = match body.collect().await {
            Err(error) => Err(refuse(StatusCode::BAD_REQUEST, &error.to_string())),
            Ok(body) => self.pass(head, body.to_bytes(), &mut passage).await,
        };
        let answer = answer.unwrap_or_else(|refusal| refusal).map(Full::new);
        passage.status = answer.status().as_u16();
        self.0.passages.lock().expect("nobody panics with this lock").push(passage);
        answer
    }

    async fn pass(&self, head: Parts, body: Bytes, passage: &mut Passage) -> Result<Response<Bytes>, Response<Bytes>> {
        if body.len() > LARGEST {
            return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("Request size exceeded {LARGEST} bytes")));
        }
        let signer = self.signer(&head, &body).await?;
        passage.role = Some(signer.role.clone());
        let forwarded = async {
            let user = self.user(&signer).await?;
            let mut request = Request::from_parts(head, body);
            for name in [header::TRANSFER_ENCODING, header::CONNECTION] {
                request.headers_mut().remove(name);
            }
            *request.uri_mut() = request.uri().path_and_query().map_or("/", |target| target.as_str()).parse()?;
            *request.version_mut() = http::Version::HTTP_11;
            let mut answer = self.0.node.with_basic_auth(&user, PASSWORD).send(request).await?;
            // The body is whole here, and is sent on with its length.
            answer.headers_mut().remove(header::TRANSFER_ENCODING);
            anyhow::Ok(answer)
        };
        forwarded.await.map_err(|error| refuse(StatusCode::BAD_GATEWAY, &format!("{error:#}")))
    }

    /// Who signed the request, if the signature is right and IAM lets them.
    async fn signer(&self, head: &Parts, body: &[u8]) -> Result<Signer, Response<Bytes>> {
        let headers: Vec<(String, String)> = head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let request = Signed {
            method: head.method.as_str(),
            path: head.uri.path(),
            query: head.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let action = action(&head.method);
        let claim = Claim::of(&request).map_err(|refusal| explain(&refusal, action))?;
        let (key, path) = (sigv4::encode(claim.access_key.as_bytes()), sigv4::encode(request.path.as_bytes()));
        let target = format!("/_rig/authority?key={key}&action={action}&path={path}");
        let authority =
            self.ask(&target).await.map_err(|error| refuse(StatusCode::BAD_GATEWAY, &format!("{error:#}")))?;
        let text = |name: &str| authority[name].as_str().map(str::to_owned);
        let Some(secret) = text("secret") else {
            return Err(refuse(StatusCode::FORBIDDEN, "The security token included in the request is invalid."));
        };
        claim
            .check(&request, &Credential { secret, token: text("token") }, SCOPE, jiff::Timestamp::now())
            .map_err(|refusal| explain(&refusal, action))?;
        match text("role") {
            Some(role) if authority["allowed"] == true => Ok(Signer { role, master: authority["master"] == true }),
            _ => Err(not_authorized(&text("principal").unwrap_or_default(), action)),
        }
    }

    async fn ask(&self, target: &str) -> anyhow::Result<Value> {
        let answer = self.0.emulator.send(Request::get(target).body(Bytes::new())?).await?;
        ensure!(answer.status().is_success(), "the emulator answered {} to {target}", answer.status());
        Ok(serde_json::from_slice(answer.body())?)
    }

    /// The node's user for a role, made at the role's first request.
    async fn user(&self, signer: &Signer) -> anyhow::Result<String> {
        let user = signer.role.rsplit('/').next().unwrap_or_default().to_owned();
        let mut users = self.0.users.lock().await;
        if users.get(&signer.role) != Some(&signer.master) {
            let mut backend_roles = vec![signer.role.as_str()];
            backend_roles.extend(signer.master.then_some("admin"));
            let body = json!({ "password": PASSWORD, "backend_roles": backend_roles }).to_string();
            let request = Request::put(format!("/_plugins/_security/api/internalusers/{user}"))
                .header(header::CONTENT_TYPE, "application/json")
                .body(body.into())?;
            let answer = self.0.node.with_basic_auth("admin", "admin").send(request).await?;
            ensure!(
                answer.status().is_success(),
                "the node's answer to a new user: {}",
                String::from_utf8_lossy(answer.body())
            );
            users.insert(signer.role.clone(), signer.master);
        }
        Ok(user)
    }
}

/// How many addresses of loopback are tried.
const ADDRESSES: u8 = 20;

/// The IAM action that a request needs.
fn action(method: &Method) -> &'static str {
    match *method {
        Method::GET => "es:ESHttpGet",
        Method::HEAD => "es:ESHttpHead",
        Method::PUT => "es:ESHttpPut",
        Method::DELETE => "es:ESHttpDelete",
        Method::PATCH => "es:ESHttpPatch",
        _ => "es:ESHttpPost",
    }
}

/// Amazon's answer to a signature that is not right.
fn explain(refusal: &Refusal, action: &str) -> Response<Bytes> {
    let text = match refusal {
        Refusal::Unsigned => return not_authorized("anonymous", action),
        Refusal::Incomplete(what) | Refusal::Scope(what) | Refusal::Date(what) => what.clone(),
        Refusal::Token => "The security token included in the request is invalid.".into(),
        Refusal::Payload => "The provided 'x-amz-content-sha256' header does not match what was computed.".into(),
        Refusal::Signature(canonical) => format!(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
             and signing method.\n\nThe Canonical String for this request should have been\n'{canonical}'"
        ),
    };
    refuse(StatusCode::FORBIDDEN, &text)
}

fn not_authorized(who: &str, action: &str) -> Response<Bytes> {
    refuse(
        StatusCode::FORBIDDEN,
        &format!(
            "User: {who} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
        ),
    )
}

fn refuse(status: StatusCode, message: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json!({ "Message": message }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
