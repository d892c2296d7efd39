//! The parts that end-to-end tests stand on, started once for all tests of a process and stopped when it ends.
//!
//! `FLEXO_RIG` in the environment: without it, a test whose parts are not on this machine says so and is skipped; `required` makes
//! that a failure; `off` skips all without starting anything. What is installed stays in `FLEXO_RIG_CACHE` (`target/rig-cache`).
//!
//! The parts are children of `rig/run.sh`, whose standard input this process holds. However the process ends, that input ends too,
//! and the script stops what it started.

use std::{
    fmt::Display,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    panic::Location,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::{aws::Aws, client::Client, front_door::FrontDoor, opensearch::Node};

/// An emulated AWS that enforces IAM, a real node with its security plugin, and the front door between them.
///
/// Every `OpenSearch` domain of the emulator answers the front door as its endpoint, without a port: clients use 443.
#[derive(Debug)]
pub struct Rig {
    /// The emulator, asked through AWS's own command line.
    pub aws: Aws,
    /// The node, as its administrator.
    pub node: Node,
    /// The node's own port, on this machine: TLS, and a user's password.
    pub node_port: u16,
    /// What stands before the node.
    pub front_door: FrontDoor,
    /// The host that domains answer.
    pub endpoint: String,
    /// The certificate that the front door and the node can be trusted by.
    pub ca: PathBuf,
    /// Open as long as the parts are to run.
    _lifeline: std::process::ChildStdin,
}

impl Rig {
    /// One request to the front door, signed with the keys that `aws` has; the answer's status and body. It is signed by curl, which
    /// is neither our code nor the SDK's.
    pub fn signed(&self, aws: &Aws, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, Value)> {
        let keys = format!("{}:{}", aws.variable("AWS_ACCESS_KEY_ID"), aws.variable("AWS_SECRET_ACCESS_KEY"));
        let token = format!("x-amz-security-token: {}", aws.variable("AWS_SESSION_TOKEN"));
        let signing = ["--aws-sigv4", "aws:amz:us-east-1:es", "--user", &keys, "--header", &token];
        self.curl(&signing, method, path, body)
    }

    /// One request to the front door by curl, with these arguments besides; the answer's status and body.
    pub fn curl(&self, more: &[&str], method: &str, path: &str, body: &str) -> anyhow::Result<(u16, Value)> {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--noproxy", "*", "--write-out", "\n%{http_code}", "--request", method])
            .args(["--header", "content-type: application/x-ndjson", "--data-binary", body])
            .arg("--cacert")
            .arg(&self.ca)
            .args(more)
            .arg(format!("https://{}{path}", self.endpoint))
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        let (body, status) = text.rsplit_once('\n').context("no answer from curl")?;
        ensure!(status != "000", "{}", String::from_utf8_lossy(&output.stderr));
        Ok((status.parse()?, serde_json::from_str(body).unwrap_or_else(|_| body.into())))
    }
}

/// The rig, or `None` when this test is to be skipped; that and why is then on standard error.
///
/// # Panics
/// When the rig does not start and `FLEXO_RIG` is `required`.
#[track_caller]
pub fn rig() -> Option<&'static Rig> {
    static RIG: OnceLock<Result<Rig, String>> = OnceLock::new();
    let rig = RIG.get_or_init(|| match wanted() {
        Wanted::Off => Err("FLEXO_RIG is `off`".into()),
        _ => start().map_err(|error| format!("{error:#}")),
    });
    match rig {
        Ok(rig) => Some(rig),
        Err(why) => skip(why),
    }
}

/// Says on standard error that this test is skipped, and why.
///
/// # Panics
/// When `FLEXO_RIG` is `required`.
#[track_caller]
pub fn skip<T>(why: impl Display) -> Option<T> {
    assert!(wanted() != Wanted::Required, "FLEXO_RIG is `required`, and the rig cannot be had: {why}");
    let thread = std::thread::current();
    let name = thread.name().unwrap_or("a test");
    // Not `eprintln!`: what a test that passes prints that way is not shown.
    let _ = writeln!(std::io::stderr(), "skipped: {name} ({}): {why}", Location::caller());
    None
}

/// The runtime that the front door lives on, and that waits for answers.
///
/// # Panics
/// When threads cannot be made.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    })
}

/// `tests/rig`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rig")
}

/// Whether Python is there, and new enough for what the rig installs.
pub(crate) fn python() -> Result<(), String> {
    let version = version_of("python3", &["--version"])?;
    if version < (3, 11) { Err("python3 is older than 3.11".into()) } else { Ok(()) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// When it is there.
    Tried,
    Required,
    Off,
}

fn wanted() -> Wanted {
    #[expect(clippy::disallowed_methods, reason = "the switch of the tests themselves")]
    match std::env::var("FLEXO_RIG").as_deref() {
        Ok("required") => Wanted::Required,
        Ok("off") => Wanted::Off,
        _ => Wanted::Tried,
    }
}

fn start() -> anyhow::Result<Rig> {
    let missing: Vec<String> = [
        python(),
        version_of("java", &["-version"])
            .and_then(|version| if version < (17, 0) { Err("java is older than 17".into()) } else { Ok(()) }),
        version_of("mvn", &["--version"]).map(|_| ()),
        version_of("openssl", &["version"]).map(|_| ()),
        version_of("curl", &["--version"]).map(|_| ()),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();
    ensure!(missing.is_empty(), "{}", missing.join("; "));

    let listener = FrontDoor::bind()?;
    let door = listener.local_addr()?;
    let endpoint = door.ip().to_string();
    let state = folder().join("../../target/rig").join(std::process::id().to_string());
    let (emulator_port, node_port) = (free_port()?, free_port()?);
    let home = state.join("node");
    let certificates = home.join("config");
    let mut child = Command::new("bash")
        .arg(folder().join("run.sh"))
        .env("FLEXO_RIG_STATE", &state)
        .env("AWS_RIG_PORT", emulator_port.to_string())
        .env("AWS_RIG_AUTH", "true")
        .env("AWS_RIG_OPENSEARCH", door.to_string())
        .env("AWS_RIG_CA", certificates.join("ca.pem"))
        .env("OPENSEARCH_PORT", node_port.to_string())
        .env("OPENSEARCH_HOME", &home)
        .env("OPENSEARCH_NAMES", FrontDoor::names())
        .env("OPENSEARCH_SECURITY", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot run bash")?;
    let (Some(lifeline), Some(said)) = (child.stdin.take(), child.stdout.take()) else { bail!("no pipes to run.sh") };
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    ensure!(line.trim() == "ready", "{}", line.trim());

    let emulator = SocketAddr::from((Ipv4Addr::LOCALHOST, emulator_port));
    let node = Client::tls(SocketAddr::from((Ipv4Addr::LOCALHOST, node_port)), &certificates.join("ca.pem"))?;
    let administrator = Node::of(&node);
    // The plugin's demonstration lets any user write a bulk and an index of its own name. A domain of Amazon's does not.
    administrator.ask("DELETE", "/_plugins/_security/api/rolesmapping/own_index", &Value::Null)?;
    Ok(Rig {
        aws: Aws::of(&state.join(format!("aws-{emulator_port}/bin/aws")), &state.join("aws.env"))?,
        front_door: FrontDoor::open(
            listener,
            &certificates,
            node.clone(),
            Client::plain(emulator),
            runtime().handle(),
        )?,
        node: administrator,
        node_port,
        endpoint,
        ca: certificates.join("ca.pem"),
        _lifeline: lifeline,
    })
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Major and minor number that a program prints first.
fn version_of(program: &str, ask: &[&str]) -> Result<(u32, u32), String> {
    let output = Command::new(program).args(ask).output().map_err(|_| format!("{program} is not there"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let mut numbers =
        text.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    if !output.status.success() {
        return Err(format!("{program} does not run"));
    }
    Ok((numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)))
}
