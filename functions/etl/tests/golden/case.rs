//! A golden case: what its folder holds, and the invocations that stand in it.

use base64_simd::STANDARD;
use etl::{
    event::Context,
    ports::{Object, ObjectError, Objects},
    registry::Registry,
};
use libdeflater::{CompressionLvl, Compressor};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    io::Cursor,
    path::{Path, PathBuf},
};

pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")
}

/// What a folder holds.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) file: &'static str,
    pub(crate) config: String,
    pub(crate) inputs: Vec<Vec<u8>>,
    pub(crate) facts: Value,
    /// One line for each input; empty where only the delivery is compared.
    pub(crate) expected: Vec<Value>,
    pub(crate) delivery: Option<Value>,
}

impl Case {
    /// All cases, by name. None where the corpus is not there.
    pub(crate) fn all() -> Option<Vec<Self>> {
        let folders = fs::read_dir(corpus().join("bender-golden")).ok()?;
        let folders = folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir());
        let mut cases: Vec<_> = folders.map(|path| Self::read(&path)).collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        Some(cases)
    }

    fn read(folder: &Path) -> Self {
        let read = |name: &str| fs::read(folder.join(name)).ok();
        let text = |name: &str| read(name).map(|bytes| String::from_utf8(bytes).unwrap());
        let value = |name: &str| text(name).map(|text| serde_json::from_str::<Value>(&text).unwrap());
        let file = if folder.join("config.yaml").exists() { "config.yaml" } else { "config.json" };
        let lines = |bytes: Vec<u8>| {
            let bytes = bytes.strip_suffix(b"\n").map(<[u8]>::to_vec).unwrap_or(bytes);
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        let inputs = match read("input.b64") {
            Some(coded) => lines(coded).iter().map(|line| STANDARD.decode_to_vec(line).unwrap()).collect(),
            None => lines(read("input.ndjson").or_else(|| read("input.txt")).unwrap()),
        };
        let expected = text("expected.jsonl").unwrap_or_default();
        Self {
            name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
            file,
            config: text(file).unwrap(),
            inputs,
            facts: value("context.json").unwrap(),
            expected: expected.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            delivery: value("expected.delivery.json"),
        }
    }

    /// The components that the config names and that do not exist here.
    pub(crate) fn missing(&self, registry: &Registry) -> BTreeSet<String> {
        let known: BTreeSet<_> = registry.rooms().iter().flat_map(|(_, _, room)| room.names()).collect();
        // Types of values, which are no components.
        let beside = [
            "StringValue",
            "UserPassAuth",
            "UrlSigningAuth",
            "FieldVariable",
            "StaticVariable",
            "STRING",
            "NUMBER",
            "BOOLEAN",
        ];
        let named = self.config.lines().filter_map(|line| {
            let (key, value) = line.trim().trim_start_matches("- ").split_once(':')?;
            (key.trim_matches('"') == "type").then(|| value.trim().trim_matches([',', '"', '\'']).to_owned())
        });
        named.filter(|name| !known.contains(&**name) && !beside.contains(&&**name)).collect()
    }

    /// What stands in the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match self.facts["env"][name].as_str()? {
            "any free port" => Some("9200".to_owned()),
            "any file path" => Some("out.ndjson".to_owned()),
            value => Some(value.to_owned()),
        }
    }

    pub(crate) fn context(&self) -> Context {
        serde_json::from_value(self.facts.clone()).unwrap()
    }

    /// The invocation that brings some of the inputs, and the content of the object that it may announce.
    pub(crate) fn invocation(&self, inputs: std::ops::Range<usize>) -> (Value, Vec<u8>) {
        match self.facts["handler"].as_str().unwrap() {
            "kinesis" => (self.records(inputs), vec![]),
            "dynamodb" => {
                let record = |input: &Vec<u8>| serde_json::from_slice::<Value>(input).unwrap();
                (json!({ "Records": self.inputs[inputs].iter().map(record).collect::<Vec<_>>() }), vec![])
            }
            handler => {
                let mut content = self.inputs[inputs].join(&b'\n');
                content.push(b'\n');
                if ends_in(self.facts["s3"]["key"].as_str().unwrap(), "gz") {
                    content = gzip(&content);
                }
                (self.notification(handler == "sns-s3"), content)
            }
        }
    }

    fn records(&self, inputs: std::ops::Range<usize>) -> Value {
        let facts = &self.facts["kinesis"];
        let first: &str = facts["sequence_number"].as_str().unwrap();
        let (head, tail) = first.split_at(first.len() - 12);
        let record = |number: usize| {
            let sequence = format!("{head}{:012}", tail.parse::<usize>().unwrap() + number);
            json!({
                "eventID": format!("{}:{sequence}", facts["shard_id"].as_str().unwrap()),
                "eventSource": facts["event_source"],
                "eventSourceARN": facts["event_source_arn"],
                "eventName": facts["event_name"],
                "awsRegion": facts["aws_region"],
                "kinesis": {
                    "partitionKey": facts["partition_key"],
                    "sequenceNumber": sequence,
                    "approximateArrivalTimestamp": facts["approximate_arrival_ms"].as_f64().unwrap() / 1000.0,
                    "data": STANDARD.encode_to_string(&self.inputs[number]),
                },
            })
        };
        json!({ "Records": inputs.map(record).collect::<Vec<_>>() })
    }

    fn notification(&self, by_sns: bool) -> Value {
        let facts = &self.facts["s3"];
        let record = json!({
            "eventSource": "aws:s3",
            "awsRegion": facts["aws_region"],
            "eventTime": facts["event_time"],
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": { "name": facts["bucket"] },
                "object": { "key": facts["key"], "versionId": facts["version_id"], "size": 1 },
            },
        });
        let notification = json!({ "Records": [record] });
        if !by_sns {
            return notification;
        }
        let message = json!({ "Message": notification.to_string(), "MessageId": "m" });
        json!({ "Records": [{ "EventSource": "aws:sns", "Sns": message }] })
    }
}

/// Whether a key has this extension.
pub(crate) fn ends_in(key: &str, extension: &str) -> bool {
    Path::new(key).extension().is_some_and(|found| found == extension)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::fastest());
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let len = compressor.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(len);
    out
}

/// The database of cities, and one object under every other name.
pub(crate) struct Content(pub(crate) Vec<u8>);

impl Objects for Content {
    fn open(&self, bucket: &str, key: &str, _: Option<&str>) -> Result<Object, ObjectError> {
        let bytes =
            if bucket == "geoip" { fs::read(corpus().join("geoip").join(key)).unwrap() } else { self.0.clone() };
        Ok(Object { size: Some(bytes.len() as u64), reader: Box::new(Cursor::new(bytes)) })
    }
}
