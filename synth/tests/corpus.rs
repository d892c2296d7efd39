//! Real CloudTrail files through `run`: as many documents as there are records, under as many ids, with every value as it was.
//!
//! The files are independent material that lies beside the workspace; without it the test says so and is skipped.

use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

const CONFIG: &str = r#"{
    "handler": {"type": "SNSS3Handler"},
    "sources": [{
        "name": "CloudTrail",
        "deserializer": {"type": "GenericJson"},
        "operations": [
            {"type": "JsonArraySplitOperation", "path": "$.Records"},
            {"type": "TimeOperation", "time_field": "$.eventTime", "time_field_type": "ISO8601"},
            {"type": "JsonKeyNameOperation"}
        ]
    }],
    "wrapper": {"type": "PassthroughWrapper"},
    "serializer": {"type": "Json"},
    "transport": {"type": "ElasticSearch", "hostname": "h", "index": "cloudtrail-", "index_time_format": "yyyy-MM-dd", "use_hashid": true}
}"#;

fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/cloudtrail");
    if !corpus.exists() {
        let _ = writeln!(std::io::stderr(), "skipped: no CloudTrail files beside the workspace");
        return None;
    }
    Some(corpus)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "gz") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn inflated(file: &Path) -> String {
    let mut text = String::new();
    let packed = fs::File::open(file).expect("the file is there");
    flate2::read::MultiGzDecoder::new(packed).read_to_string(&mut text).expect("it is gzip");
    text
}

/// Runs the command over files; gives what it wrote to stdout.
fn run(dir: &Path, files: &[PathBuf], more: &[&str]) -> String {
    fs::write(dir.join("pipeline.json"), CONFIG).expect("it can be written");
    let output = Command::new(env!("CARGO_BIN_EXE_synth"))
        .current_dir(dir)
        .args(["run", "--config", "pipeline.json", "--now", "2026-11-23T00:00:00Z", "--ledger", "ledger.json"])
        .args(more)
        .args(files)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("JSON is text")
}

/// Every string, number and boolean that is a value, in order: numbers as they are written, strings as they are meant.
fn values(json: &str) -> Vec<String> {
    let mut found = vec![];
    let mut rest = json;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                end.expect("the string ends") + 2
            }
            '-' | '0'..='9' | 'a'..='z' => rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len()),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        match first {
            '"' if rest.trim_start().starts_with(':') => {}
            '"' => found.push(serde_json::from_str::<String>(token).expect("a string")),
            '-' | '0'..='9' | 't' | 'f' => found.push(format!("({token})")),
            _ => {}
        }
    }
    found
}

#[test]
fn every_record_is_a_document_with_every_value_as_it_was() {
    let Some(corpus) = corpus() else { return };
    let dir = tempfile::tempdir().unwrap();
    let all = files(&corpus);
    assert!(all.len() > 18, "{} files", all.len());
    let mut documents = 0;
    let mut inputs = vec![];
    for (at, file) in all.iter().enumerate() {
        let mut text = inflated(file);
        // Some are the bare list, without what CloudTrail puts around it; `SNSS3Handler` reads a line as an event.
        if text.starts_with('[') {
            text = format!("{{\"Records\":{}}}", text.replace(['\n', '\r'], " "));
        }
        let file = dir.path().join(format!("{at}.json"));
        fs::write(&file, &text).unwrap();
        let input: Value = serde_json::from_str(&text).unwrap();
        let written = run(dir.path(), std::slice::from_ref(&file), &[]);
        let records = input["Records"].as_array().unwrap().len();
        assert_eq!(written.lines().count(), records, "{}", file.display());
        assert_eq!(values(&written), values(&text), "{}", file.display());
        documents += records;
        inputs.push(file);
    }
    let ledger: Value = {
        run(dir.path(), &inputs, &[]);
        serde_json::from_str(&fs::read_to_string(dir.path().join("ledger.json")).unwrap()).unwrap()
    };
    assert_eq!(ledger["delivered"], documents);
    assert_eq!((&ledger["dropped"], &ledger["failed"]), (&serde_json::json!({}), &serde_json::json!([])));
}

#[test]
fn there_are_as_many_ids_as_records_and_they_are_the_same_every_time() {
    let Some(corpus) = corpus() else { return };
    let expected = fs::read_to_string(corpus.join("invictus/expected_invariants.json")).unwrap();
    let expected: Value = serde_json::from_str(&expected).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let inputs = files(&corpus.join("invictus"));
    let written = run(dir.path(), &inputs, &[]);
    let events: BTreeSet<String> =
        written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["eventid__str"].to_string()).collect();
    assert_eq!(
        (written.lines().count(), events.len()),
        (count(&expected["records"]), count(&expected["unique_eventID"]))
    );

    let ids = |to: &str| -> BTreeSet<String> {
        run(dir.path(), &inputs, &["--to", to]);
        let mut actions = vec![];
        for unit in units(&dir.path().join(to)) {
            actions.extend(unit.lines().filter(|line| line.starts_with(r#"{"index":"#)).map(str::to_owned));
        }
        assert_eq!(actions.len(), count(&expected["records"]));
        actions.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["index"]["_id"].to_string()).collect()
    };
    let first = ids("first");
    assert_eq!(first.len(), count(&expected["unique_eventID"]));
    assert_eq!(first, ids("second"));
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().expect("a count")).expect("it fits")
}

/// What was delivered into a folder, file by file.
fn units(folder: &Path) -> Vec<String> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(units(&path));
        } else {
            found.push(fs::read_to_string(&path).expect("a unit is text"));
        }
    }
    found
}
