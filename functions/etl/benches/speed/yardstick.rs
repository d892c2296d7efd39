//! What a direct port makes of the same work: a tree of `serde_json` values for each file, and one function a step.

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha1::{Digest as _, Sha1};
use std::{
    fs::File,
    io::{BufReader, Read as _, Write as _},
};

/// Puts each file through `work` and what comes of it into the file `out`.
pub(crate) fn run(work: fn(Value, &mut Vec<u8>), out: &str, files: &[&str]) {
    let mut sink = File::create(out).unwrap();
    for path in files {
        let mut text = vec![];
        MultiGzDecoder::new(BufReader::new(File::open(path).unwrap())).read_to_end(&mut text).unwrap();
        let mut lines = vec![];
        work(serde_json::from_slice(&text).unwrap(), &mut lines);
        sink.write_all(&lines).unwrap();
    }
}

/// Events that are not named `Decrypt`, flat, with names that say the type: one a line.
pub(crate) fn flat(document: Value, out: &mut Vec<u8>) {
    for record in records(document) {
        if record.get("eventName").and_then(Value::as_str) != Some("Decrypt") {
            let mut flat = Map::new();
            flatten("", Value::Object(record), &mut flat);
            line(&typed(flat), out);
        }
    }
}

/// The body of a bulk request: for each event an action with its hash and the index of its day, and the event with typed names.
pub(crate) fn bulk(document: Value, out: &mut Vec<u8>) {
    for record in records(document) {
        let hash = Sha1::digest(serde_json::to_vec(&record).unwrap());
        let id: Vec<String> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let id = id.concat();
        let time: Timestamp = record["eventTime"].as_str().unwrap().parse().unwrap();
        let index = format!("cloudtrail-{}", time.strftime("%Y-%m-%d"));
        line(&json!({"index": {"_id": id, "_index": index}}), out);
        line(&typed(record), out);
    }
}

fn line(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, value).unwrap();
    out.push(b'\n');
}

fn records(mut document: Value) -> Vec<Map<String, Value>> {
    let Value::Array(records) = document["Records"].take() else { panic!("a file without `Records`") };
    let object = |record| match record {
        Value::Object(members) => members,
        _ => panic!("a record that is no object"),
    };
    records.into_iter().map(object).collect()
}

fn flatten(path: &str, value: Value, out: &mut Map<String, Value>) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(members) => members.into_iter().for_each(|(key, value)| flatten(&below(&key), value, out)),
        Value::Array(elements) => {
            elements.into_iter().zip(1..).for_each(|(value, n)| flatten(&below(&n.to_string()), value, out));
        }
        single => _ = out.insert(path.to_owned(), single),
    }
}

fn typed(members: Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (key, value) in members {
        let name = key.to_lowercase().replace(['.', ' '], "_");
        match value {
            Value::Null => {}
            Value::Object(inner) => _ = out.insert(name, Value::Object(typed(inner))),
            other => {
                let ending = match &other {
                    Value::Bool(_) => "bool",
                    Value::String(_) => "str",
                    Value::Array(_) => "arr",
                    number if number.to_string().contains('.') => "float",
                    _ => "long",
                };
                out.insert(format!("{name}__{ending}"), other);
            }
        }
    }
    out
}
