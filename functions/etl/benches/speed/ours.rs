//! Ours: a pipeline as a function runs it, an invocation for each file, with a far side that takes all at once.

use super::measure;
use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Invoked, Pipeline},
    ports::{Answer, Call, Calls, Clock, Level, Log, Ports, Ticket},
    registry::Registry,
    testing::{RecordedCalls, World},
};
use std::{
    fmt,
    fs::{self, File},
    io::{Read, Write as _},
    path::Path,
    sync::{Arc, Mutex, mpsc::Sender},
    thread,
    time::{Duration, Instant},
};

const SPLIT: &str = "{type: JsonArraySplitOperation, path: $.Records}";
const FILTER: &str = "{type: RegexFilterOperation, regex: Decrypt, path: $.eventName, exclude: true}";
const TIME: &str = "{type: TimeOperation, time_field: $.eventTime, time_field_type: ISO8601}";

/// The config of a case.
pub(crate) fn config(case: &str) -> String {
    let whole = |handler: &str, operations: &[&str], wrapper: &str, transport: &str| {
        let operations = operations.join(", ");
        format!(
            "{{version: 1, handler: {{type: {handler}}}, sources: [{{name: s, deserializer: {{type: GenericJson}}, operations: \
             [{operations}]}}], wrapper: {{type: {wrapper}}}, serializer: {{type: Json}}, transport: {{type: {transport}}}}}"
        )
    };
    let s3 = |operations: &[&str]| whole("S3Handler", operations, "PassthroughWrapper", "Stdout");
    match case {
        "flat" => s3(&[SPLIT, FILTER, "{type: FlattenOperation}", "{type: JsonKeyNameOperation}"]),
        "stack" => stack(),
        "stack-plain" => stack().replace(r#""use_gzip":true,"#, ""),
        "syslog" => whole(
            "KinesisHandler",
            &["{type: JsonReplaceKVOperation, key: HOST, value: hidden}"],
            "KinesisWrapper",
            "Stdout",
        ),
        "filter" => s3(&["{type: RegexFilterOperation, regex: AssumeRole, path: $.eventName, exclude: false}"]),
        "copy" => s3(&[SPLIT]),
        "one" => s3(&[SPLIT, "{type: JsonKeyNameOperation}"]),
        "ten" => s3(&[
            SPLIT,
            TIME,
            FILTER,
            "{type: DeleteFieldOperation, key_field: $.tlsDetails}",
            "{type: JsonReplaceKVOperation, key: $.userIdentity.userName, value: hidden}",
            "{type: BasicFilterOperation, pass: true}",
            "{type: PartitionOperation, partition_specs: [{name: region, interpreter: STRING, sources: [$.awsRegion]}]}",
            "{type: JsonDropArraysOperation}",
            "{type: FlattenOperation}",
            "{type: LowerCaseKeyOperation}",
            "{type: JsonKeyNameOperation}",
        ]),
        // Twenty operations, as long as a config in the environment may be.
        "twenty" => {
            let ten = config("ten").replacen(&format!("{SPLIT}, "), "", 1).replace("S3Handler", "KinesisHandler");
            let (before, rest) = ten.split_once("operations: [").unwrap();
            let (operations, after) = rest.rsplit_once("]}], wrapper").unwrap();
            let after = after.replace("type: Stdout", "type: Firehose, stream_name: archive");
            format!("{before}operations: [{operations}, {operations}]}}], wrapper{after}")
        }
        "lines-to-firehose" => whole("S3Handler", &[], "S3Wrapper", "Firehose, stream_name: archive"),
        "document" => whole("S3Handler", &[SPLIT], "PassthroughWrapper", "Firehose, stream_name: archive"),
        _ => panic!("no case is called `{case}`"),
    }
}

/// The config that the stack `cloudtrail` gives its function, as it stands in the template that is under review.
fn stack() -> String {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/snapshots/cloudtrail.template.snap");
    let template = fs::read_to_string(template).unwrap();
    let configs = template.lines().filter_map(|line| Some(&line[line.find(r#""{\"version\":"#)?..]));
    let config = { configs }.find(|config| !config.contains("GeoIpOperation"));
    serde_json::from_str(config.unwrap().trim_end_matches(',')).unwrap()
}

/// Reads a config as a function does.
pub(crate) fn read(text: &str) -> PipelineConfig {
    let host = Variables::From(&|_| Some("search.example".to_owned()));
    PipelineConfig::read(&Registry::default(), "config.yaml", text, host).unwrap_or_else(|report| panic!("{report}"))
}

/// Puts each file through the pipeline of a case, and what it would deliver into the file `out`.
pub(crate) fn run(case: &str, out: &str, files: &[&str]) {
    let ports = Ports {
        clock: Arc::new(Stopwatch(Instant::now())),
        calls: Arc::new(Sink(Mutex::new(File::create(out).unwrap()))),
        log: Arc::new(Quiet),
        ..World::new().ports()
    };
    let mut pipeline = Pipeline::new(&read(&config(case)), Environment::default(), ports).unwrap();
    let context = Context {
        function_name: Some("etl".into()),
        function_version: Some("7".into()),
        deadline_ms: Some(World::new().clock.now_ms() + 900_000),
        ..Context::default()
    };
    // What is told in events or bytes a second begins when they are there: how they come is the runtime's matter.
    let held = matches!(case, "syslog" | "filter");
    let held: Vec<_> = files.iter().filter(|_| held).map(|path| fs::read(path).unwrap()).collect();
    let began = measure::own_cpu();
    for (number, path) in files.iter().enumerate() {
        let invoked = if case == "syslog" {
            pipeline.invoke(&held[number], &context)
        } else if let Some(held) = held.get(number) {
            let mut run = pipeline.begin(&context);
            run.object(path, &held[..]);
            run.finish()
        } else {
            let mut run = pipeline.begin(&context);
            // `path*40`: a file of many members.
            match path.split_once('*') {
                Some((path, times)) => run.object(path, Again::new(path, times.parse().unwrap())),
                None => run.object(path, File::open(path).unwrap()),
            }
            run.finish()
        };
        let Invoked { answer, ledger, .. } = invoked;
        assert!(answer.is_ok() && ledger.failed.is_empty() && ledger.received > 0, "{path}: {ledger:?}");
    }
    if !held.is_empty() {
        println!("{}{}", measure::WORK, measure::own_cpu().saturating_sub(began).as_nanos());
    }
}

/// A file's bytes many times over.
struct Again {
    bytes: Vec<u8>,
    at: usize,
    left: u32,
}

impl Again {
    fn new(path: &str, left: u32) -> Self {
        Self { bytes: fs::read(path).unwrap(), at: 0, left }
    }
}

impl Read for Again {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.bytes.len() {
            (self.at, self.left) = (0, self.left.saturating_sub(1));
        }
        if self.left == 0 {
            return Ok(0);
        }
        let count = (&self.bytes[self.at..]).read(out)?;
        self.at += count;
        Ok(count)
    }
}

struct Stopwatch(Instant);

impl Clock for Stopwatch {
    fn now_ms(&self) -> i64 {
        World::new().clock.now_ms()
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

struct Quiet;

impl Log for Quiet {
    fn line(&self, _: Level, _: &str, _: &[(&'static str, &dyn fmt::Display)]) {}
}

/// Writes what is delivered into a file, and says that it was taken.
struct Sink(Mutex<File>);

impl Calls for Sink {
    fn start(&self, ticket: Ticket, call: Call, _: Duration, answers: &Sender<(Ticket, Answer)>) {
        let mut out = self.0.lock().unwrap();
        match &call {
            Call::Stdout(body) => out.write_all(body).unwrap(),
            Call::Http(call) => out.write_all(&call.body).unwrap(),
            Call::PutRecordBatch { records, .. } => records.iter().for_each(|record| out.write_all(record).unwrap()),
            other => panic!("{other:?}"),
        }
        answers.send((ticket, RecordedCalls::taken(&call))).unwrap();
    }
}
