//! Input as it comes: cut off, far too large, not what it says it is. Each fails alone, with a reason and without its content.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

/// What a run came to.
struct Outcome {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    ledger: Value,
}

impl Outcome {
    fn lines(&self) -> Vec<&str> {
        std::str::from_utf8(&self.stdout).expect("text").lines().collect()
    }

    /// `stage: reason` of what failed.
    fn failed(&self) -> Vec<String> {
        let entries = self.ledger["failed"].as_array().into_iter().flatten();
        entries.map(|f| format!("{} {}: {}", f["count"], text(&f["stage"]), text(&f["reason"]))).collect()
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

const PASS: &str = "sources: [{name: all, deserializer: {type: GenericJson}}]\nwrapper: {type: PassthroughWrapper}\n\
                    serializer: {type: Json}\ntransport: {type: DevNull}\n";

fn command(dir: &Path, handler: &str, args: &[&str]) -> Command {
    fs::write(dir.join("config.yaml"), format!("handler: {{type: {handler}}}\n{PASS}")).expect("the config is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_synth"));
    command.current_dir(dir).args(["run", "--config", "config.yaml", "--ledger", "ledger.json"]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn outcome(child: Child, dir: &Path) -> Outcome {
    let output = child.wait_with_output().expect("synth ends");
    let ledger = fs::read(dir.join("ledger.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Outcome {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        ledger: ledger.unwrap_or_default(),
    }
}

fn run(handler: &str, name: &str, input: &[u8]) -> Outcome {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join(name), input).expect("the input is written");
    outcome(command(dir.path(), handler, &[name]).spawn().expect("synth starts"), dir.path())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

#[test]
fn gzip_of_several_members_is_read_whole() {
    let both = [gzip(b"{\"a\":1}\n"), gzip(b"{\"a\":2}\n")].concat();
    let outcome = run("S3Handler", "both.gz", &both);
    assert_eq!((outcome.code, outcome.lines()), (Some(0), vec![r#"{"a":1}"#, r#"{"a":2}"#]));
}

#[test]
fn a_truncated_gzip_gives_its_whole_lines_and_one_failure() {
    let text =
        (0..20_000).fold(String::new(), |text, n| text + &format!("{{\"n\":{n},\"secret\":\"s{}\"}}\n", n * 7919));
    let whole = gzip(text.as_bytes());
    let outcome = run("S3Handler", "cut.gz", &whole[..whole.len() / 2]);
    assert_eq!(outcome.code, Some(1));
    let lines = outcome.lines();
    assert!(lines.len() > 1_000 && lines.len() < 20_000, "{}", lines.len());
    assert!(lines.iter().zip(text.lines()).all(|(ours, theirs)| *ours == theirs));
    assert_eq!(outcome.failed().len(), 1, "{:?}", outcome.failed());
    assert!(!outcome.stderr.contains("secret"), "{}", outcome.stderr);
}

#[test]
fn what_only_says_that_it_is_gzip_fails() {
    let outcome = run("S3Handler", "text.gz", b"{\"a\":1}\n");
    assert_eq!((outcome.code, outcome.failed()), (Some(1), vec!["1 source: not gzip".to_owned()]));
}

#[test]
fn an_empty_file_is_no_event() {
    for handler in ["S3Handler", "KinesisHandler"] {
        let outcome = run(handler, "empty", b"");
        assert_eq!((outcome.code, outcome.ledger["received"].as_u64()), (Some(0), Some(0)), "{}", outcome.stderr);
    }
}

#[test]
fn a_bad_record_fails_alone_and_its_content_is_never_printed() {
    let bad: [(&str, &[u8]); 4] = [
        ("JSON that ends early", b"{\"password\":\"hunter2\""),
        ("invalid UTF-8", b"{\"password\":\"\xff\xfe\"}"),
        ("no JSON at all", b"<password>hunter2</password>"),
        ("two documents", b"{\"password\":1} {\"password\":2}"),
    ];
    for (what, bytes) in bad {
        let input = [b"{\"a\":1}\n", bytes, b"\n{\"a\":2}\n"].concat();
        let outcome = run("KinesisHandler", "records", &input);
        assert_eq!((outcome.code, outcome.lines()), (Some(1), vec![r#"{"a":1}"#, r#"{"a":2}"#]), "{what}");
        assert_eq!(outcome.failed().len(), 1, "{what}: {:?}", outcome.failed());
        assert!(
            !outcome.stderr.contains("hunter2") && !outcome.stderr.contains("password"),
            "{what}: {}",
            outcome.stderr
        );
    }
}

#[test]
fn ten_thousand_levels_are_no_stack_overflow() {
    let deep = format!("{}1{}\n{{\"a\":1}}\n", "{\"a\":".repeat(10_000), "}".repeat(10_000));
    let outcome = run("KinesisHandler", "deep", deep.as_bytes());
    assert_eq!((outcome.code, outcome.lines()), (Some(1), vec![r#"{"a":1}"#]));
    assert_eq!(outcome.failed().len(), 1, "{:?}", outcome.failed());
}

#[test]
fn a_record_of_20_megabytes_fails_at_a_far_side_that_does_not_take_it() {
    let large = format!("{{\"a\":\"{}\"}}\n{{\"a\":1}}\n", "x".repeat(20 << 20));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("large"), &large).unwrap();
    let mut command = command(dir.path(), "KinesisHandler", &["large"]);
    let config = PASS.replace("{type: DevNull}", "{type: Firehose, stream_name: s}");
    fs::write(dir.path().join("config.yaml"), format!("handler: {{type: KinesisHandler}}\n{config}")).unwrap();
    let outcome = outcome(command.spawn().unwrap(), dir.path());
    assert_eq!((outcome.code, outcome.lines()), (Some(1), vec![r#"{"a":1}"#]), "{}", outcome.stderr);
    let failed = outcome.failed();
    assert!(failed.len() == 1 && failed[0].starts_with("1 transport: "), "{failed:?}");
}

#[test]
fn stdin_is_an_input() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = command(dir.path(), "KinesisHandler", &["-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"a\":1}\n").unwrap();
    let outcome = outcome(child, dir.path());
    assert_eq!((outcome.code, outcome.lines()), (Some(0), vec![r#"{"a":1}"#]));
}

#[test]
fn a_reader_that_goes_away_ends_the_run_in_peace() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("many"), "{\"a\":\"0123456789012345678901234567890123456789\"}\n".repeat(200_000))
        .unwrap();
    for handler in ["KinesisHandler", "S3Handler"] {
        let mut child = command(dir.path(), handler, &["many"]).spawn().unwrap();
        let mut first = [0; 10];
        // The pipe is closed with most of it unread.
        child.stdout.take().unwrap().read_exact(&mut first).unwrap();
        let outcome = outcome(child, dir.path());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{handler}");
    }
}

#[test]
fn an_object_that_is_gone_says_so_and_its_neighbour_arrives() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("objects/b")).unwrap();
    fs::write(dir.path().join("objects/b/here"), "{\"a\":1}\n").unwrap();
    let record = |key: &str| {
        json!({"eventName": "ObjectCreated:Put", "eventTime": "2026-11-23T16:00:00Z", "awsRegion": "eu-west-1",
               "s3": {"bucket": {"name": "b"}, "object": {"key": key}}})
    };
    let event = json!({"Records": [record("gone"), record("../../config.yaml"), record("here")]});
    fs::write(dir.path().join("event.json"), event.to_string()).unwrap();
    let child = command(dir.path(), "S3Handler", &["--event", "event.json", "--objects", "objects"]).spawn().unwrap();
    let outcome = outcome(child, dir.path());
    assert_eq!((outcome.code, outcome.lines()), (Some(1), vec![r#"{"a":1}"#]));
    assert_eq!(outcome.failed(), ["2 source: object gone"]);
    assert!(outcome.stderr.ends_with("Lambda is answered: null\n"), "{}", outcome.stderr);
}

/// 18 real CloudTrail files, two forms of the same run: one event a line, and the bodies for the domain.
#[test]
fn every_cloudtrail_record_of_the_corpus_arrives_once() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/cloudtrail/invictus");
    let Ok(expected) = fs::read(corpus.join("expected_invariants.json")) else {
        eprintln!("skipped: the corpus is not beside this workspace");
        return;
    };
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    let mut files = Vec::new();
    find(&corpus, &mut files);
    files.sort();
    let dir = tempfile::tempdir().unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let config = "handler: {type: SNSS3Handler}\n\
        sources:\n- name: trail\n  deserializer: {type: GenericJson}\n  operations:\n\
        \x20 - {type: JsonArraySplitOperation, path: $.Records}\n\
        \x20 - {type: TimeOperation, time_field: $.eventTime, time_field_type: ISO8601}\n\
        wrapper: {type: PassthroughWrapper}\nserializer: {type: Json}\n\
        transport: {type: ElasticSearch, hostname: search.example, port: 443, index: cloudtrail-, index_time_format: yyyy-MM-dd, use_hashid: true}\n";
    let run = |more: &[&str]| {
        let mut command = command(dir.path(), "SNSS3Handler", &names);
        command.args(more);
        fs::write(dir.path().join("config.yaml"), config).unwrap();
        outcome(command.spawn().unwrap(), dir.path())
    };
    let lines = run(&[]);
    assert_eq!(lines.code, Some(0), "{}", lines.stderr);
    let ids = |documents: &[Value], member: &str| {
        let mut ids: Vec<String> = documents.iter().map(|d| text(&d[member]).to_owned()).collect();
        ids.sort();
        ids.dedup();
        assert!(!ids.contains(&String::new()), "each has its {member}");
        ids
    };
    let events: Vec<Value> = lines.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len() as u64, expected["records"].as_u64().unwrap());
    assert_eq!(ids(&events, "eventID").len() as u64, expected["unique_eventID"].as_u64().unwrap());

    let bulk = run(&["--to", "delivered"]);
    assert_eq!(bulk.code, Some(0), "{}", bulk.stderr);
    let mut bodies = Vec::new();
    find(&dir.path().join("delivered/http"), &mut bodies);
    bodies.sort();
    let bodies: String = bodies.iter().map(|body| fs::read_to_string(body).unwrap()).collect();
    let rows: Vec<Value> = bodies.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (actions, documents): (Vec<_>, Vec<_>) =
        rows.chunks(2).map(|pair| (pair[0]["index"].clone(), pair[1].clone())).unzip();
    assert_eq!(documents, events, "the same documents in the same order");
    assert_eq!(ids(&actions, "_id").len(), events.len(), "a stable id for each");
    assert!(
        actions.iter().all(|action| text(&action["_index"]).starts_with("cloudtrail-2023-07-10")),
        "by the event's own day"
    );
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files);
        } else if path.extension().is_none_or(|ending| ending == "gz") {
            files.push(path);
        }
    }
}
