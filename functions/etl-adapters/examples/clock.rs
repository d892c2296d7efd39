//! How long an invocation takes by the clock, with the adapters of a function and a far side in a process of its own: what runs beside
//! what shows here, and nowhere else. `cargo bench -p etl` runs it, on one core and on two.
//!
//! `clock far-side FOLDER PEM MS`: S3 with the files of a folder, and a search domain that takes all it is given; each answers after so
//! many milliseconds. Writes the certificate that it is to be trusted by to PEM, and its port to standard output; ends with standard
//! input.
//!
//! `clock run PORT CONFIG ROUNDS FILE…`: one invocation for each round, an object for each file. `SSL_CERT_FILE` is to name PEM. Tells
//! of each round, in milliseconds: the clock, and CPU of the pipeline's thread, of the runtime's, and of all others.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that cannot measure ends, and says why")]

#[path = "../tests/far_side/tls.rs"]
mod tls;

use aws_config::Region;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Pipeline},
    ports::{Clock as _, Level, Log, Ports},
    registry::Registry,
};
use etl_adapters::{
    aws::{Clients, loader},
    calls::AwsCalls,
    clock::SystemClock,
    objects::S3Objects,
};
use serde_json::json;
use std::{
    collections::BTreeMap,
    env, fmt, fs,
    io::{BufRead as _, BufReader, Read as _, Write as _, stdin},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    runtime::{Builder, Handle},
    task::spawn_blocking,
};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

const HOST: &str = "127.0.0.1";

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["far-side", folder, pem, ms] => far_side(folder, pem, Duration::from_millis(ms.parse().unwrap())),
        ["run", port, config, rounds, ref files @ ..] => run(port, config, rounds.parse().unwrap(), files),
        _ => println!("clock far-side FOLDER PEM MS | clock run PORT CONFIG ROUNDS FILE…"),
    }
}

fn far_side(folder: &str, pem: &str, delay: Duration) {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap());
    let files = files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()));
    let files: Arc<BTreeMap<String, Vec<u8>>> = Arc::new(files.collect());
    let authority = tls::Authority::new();
    fs::write(pem, &authority.pem).unwrap();
    let tls = authority.server(HOST, &["http/1.1"]);
    let listener = TcpListener::bind((HOST, 0)).unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (files, tls) = (Arc::clone(&files), Arc::clone(&tls));
            thread::spawn(move || serve(stream.unwrap(), tls, &files, delay));
        }
    });
    stdin().read_to_end(&mut vec![]).unwrap();
}

/// Answers what comes over a connection, until it is closed.
fn serve(stream: TcpStream, tls: Arc<ServerConfig>, files: &BTreeMap<String, Vec<u8>>, delay: Duration) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::with_capacity(64 << 10, StreamOwned::new(ServerConnection::new(tls).unwrap(), stream));
    let (mut line, mut body) = (String::new(), vec![]);
    while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
        let path = line.split([' ', '?']).nth(1).unwrap().to_owned();
        let mut length = 0;
        while line.trim() != "" {
            line.clear();
            reader.read_line(&mut line).unwrap();
            let (name, value) = line.split_once(": ").unwrap_or_default();
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap();
            }
        }
        line.clear();
        body.resize(length, 0);
        reader.read_exact(&mut body).unwrap();
        thread::sleep(delay);
        let answer = files.get(path.rsplit('/').next().unwrap_or_default());
        let answer = answer.map_or(&br#"{"took":1,"errors":false}"#[..], Vec::as_slice);
        let head = format!("HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: {}\r\n\r\n", answer.len());
        let stream = reader.get_mut();
        if [head.as_bytes(), answer].into_iter().try_for_each(|part| stream.write_all(part)).is_err() {
            return;
        }
        stream.flush().unwrap();
    }
}

/// As the function does: a thread for what waits, and one for the pipeline.
fn run(port: &str, config: &str, rounds: usize, files: &[&str]) {
    let config = fs::read_to_string(config).unwrap().replace(r#""port":443"#, &format!(r#""port":{port}"#));
    let config = PipelineConfig::read(&Registry::default(), "config", &config, Variables::From(&|_| Some(HOST.into())));
    let invocation = announcement(files);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "bench");
        let sdk = loader()
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(format!("https://{HOST}:{port}"));
        let clients = Arc::new(Clients::new(sdk.load().await, true));
        let clock = SystemClock::default();
        let ports = Ports {
            clock: Arc::new(clock),
            objects: Arc::new(S3Objects::new(Handle::current(), Arc::clone(&clients), ".".into())),
            calls: Arc::new(AwsCalls::new(Handle::current(), clients)),
            log: Arc::new(Quiet),
            seed: 7,
        };
        let mut pipeline = Pipeline::new(&config.unwrap(), Environment::default(), ports).unwrap();
        let work = spawn_blocking(move || {
            // The first one makes connections.
            for round in 0..=rounds {
                let context = Context { deadline_ms: Some(clock.now_ms() + 300_000), ..Context::default() };
                let (began, cpu) = (Instant::now(), Cpu::now());
                let invoked = pipeline.invoke(&invocation, &context);
                let (wall, cpu) = (began.elapsed(), Cpu::now().since(cpu));
                assert!(invoked.answer.is_ok() && invoked.ledger.failed.is_empty(), "{:?}", invoked.ledger);
                if round > 0 {
                    println!("round {:.1} {cpu} events {}", ms(wall), invoked.ledger.delivered);
                }
            }
        });
        work.await.unwrap();
    });
}

/// S3's announcement of all of them, as SNS hands it over.
fn announcement(files: &[&str]) -> Vec<u8> {
    let record = |path: &&str| {
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        json!({"s3": {"bucket": {"name": "trail"}, "object": {"key": format!("AWSLogs/1/CloudTrail/{name}")}}})
    };
    let records: Vec<_> = files.iter().map(record).collect();
    let message = json!({"Records": records}).to_string();
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": message}}]}).to_string().into()
}

/// CPU time so far, of the thread that asks, of the first, and of all others.
#[derive(Clone, Copy)]
struct Cpu {
    own: Duration,
    first: Duration,
    others: Duration,
}

impl Cpu {
    fn now() -> Self {
        let of = |path: &Path| {
            let stat = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
            Duration::from_nanos(stat.split(' ').next().unwrap_or_default().parse().unwrap_or_default())
        };
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let all: Duration = tasks.map(|task| of(&task.unwrap().path())).sum();
        let (own, first) = (of(Path::new("/proc/thread-self")), of(Path::new("/proc/self")));
        Self { own, first, others: all.saturating_sub(own + first) }
    }

    fn since(self, before: Self) -> Self {
        Self {
            own: self.own.saturating_sub(before.own),
            first: self.first.saturating_sub(before.first),
            others: self.others.saturating_sub(before.others),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} {:.1} {:.1}", ms(self.own), ms(self.first), ms(self.others))
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: Level, _: &str, _: &[(&'static str, &dyn fmt::Display)]) {}
}
