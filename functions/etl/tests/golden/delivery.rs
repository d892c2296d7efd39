//! What the real transport sends when all inputs come in one invocation.

use crate::{
    canonical::{canonical, canonical_lines},
    case::{Case, ends_in},
    invoke, mended, plain,
};
use bzip2::read::MultiBzDecoder;
use etl::{
    config::PipelineConfig,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use serde_json::Value;
use std::{collections::BTreeMap, io::Read as _};

/// Whether our delivery is the expected one. None where there is nothing to compare.
pub(crate) fn compare(case: &Case, config: &PipelineConfig, expected: &Value) -> Option<Result<(), String>> {
    let world = World::new();
    script(case, &world);
    let invoked = invoke(case, config, &world, 0..case.inputs.len());
    let calls = world.calls.made();
    let (ours, mut right) = match expected["transport"].as_str()? {
        "http" if !case.name.starts_with("es-") && !case.name.ends_with("-es") => {
            (plain::requests(&calls), plain::expected_requests(&case.name, &expected["requests"]))
        }
        "tcp" if case.name.starts_with("gelf") => {
            (plain::gelf(&plain::stream(&calls).concat()), plain::gelf(expected["stream"].as_str()?))
        }
        "tcp" => (plain::stream(&calls), vec![expected["stream"].as_str()?.to_owned()]),
        "stdout" if case.name.starts_with("reporter-") => plain::figures(&calls, expected["stdout"].as_str()?),
        "http" => (requests(&calls), expected_requests(&expected["requests"])),
        "firehose" => (firehose(&calls), expected_firehose(&expected["put_record_batch"])),
        "s3" => (objects(&calls), expected_objects(&expected["objects"])),
        "stdout" => (lines(&calls), canonical_lines(expected["stdout"].as_str()?)),
        "file" => (lines(&calls), canonical_lines(expected["file"].as_str()?)),
        _ => return None,
    };
    match &*case.name {
        // D4 and D6: Bender loses what is right, and delivers none of it or a part.
        "arraysplit-kinesiswrapper" | "regex-number-dash" | "time-non-numeric" => right = all_events(case),
        // D11: Bender sends the whole batch again. Here the document that was taken is not sent again.
        "es-response-429-fails" => _ = right.pop(),
        // D2: the events behind one that is too large are delivered.
        "datadog-oversize" => {
            assert_eq!(invoked.ledger.all_failed(), 1);
            right[0] += &mended::behind_the_large_one(case.expected.iter());
        }
        // D3: a document that the mapping refuses is a fault that is counted.
        "es-response-400-ignored" => {
            assert_eq!(
                invoked.ledger.failed.iter().map(|failed| &*failed.reason).collect::<Vec<_>>(),
                ["document refused"]
            );
        }
        _ => {}
    }
    Some(if ours == right {
        Ok(())
    } else {
        Err(format!("delivery\n  ours  {ours:?}\n  right {right:?}\n  {:?}", invoked.ledger))
    })
}

/// The events of all inputs, one after the other.
fn all_events(case: &Case) -> Vec<String> {
    let lines = case.expected.iter().enumerate();
    lines.flat_map(|(input, line)| mended::of(&case.name, input, line).out).collect()
}

/// The far side answers as the case says.
fn script(case: &Case, world: &World) {
    let statuses: Vec<u16> = serde_json::from_value(case.facts["http"]["status"].clone()).unwrap_or_default();
    let body = case.facts["http"]["response"].as_str().map(|body| body.as_bytes().to_vec());
    let mut calls = 0;
    world.calls.answer(move |call| {
        let Call::Http(_) = call else { return Reply::Now(RecordedCalls::taken(call)) };
        let status = statuses.get(calls).copied().unwrap_or(200);
        calls += 1;
        let Answer::Http { body: taken, .. } = RecordedCalls::taken(call) else { return Reply::Never };
        let body = body.clone().map_or(taken, Into::into);
        Reply::Now(Answer::Http { status, body })
    });
}

/// The items of all requests: partitions may go together here and apart there, so their order says nothing.
fn requests(calls: &[Call]) -> Vec<String> {
    let mut items = vec![];
    for call in calls {
        let Call::Http(call) = call else { continue };
        assert!(call.url.starts_with("http://localhost:9200/"), "{}", call.url);
        let target = call.url.trim_start_matches("http://localhost:9200");
        let header = |name: &str| call.headers.iter().find(|header| header.0.eq_ignore_ascii_case(name));
        let content_type = header("content-type").map(|header| header.1.reveal().to_owned()).unwrap_or_default();
        let body = String::from_utf8(call.body.to_vec()).unwrap();
        assert!(!body.contains("_type"), "{body}");
        items.extend(bulk_items(target, &content_type, &body));
    }
    items.sort();
    items
}

fn expected_requests(requests: &Value) -> Vec<String> {
    let mut items = vec![];
    for request in requests.as_array().unwrap() {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        // `_type` and `_routing` are refused by Elasticsearch 8 and OpenSearch 2.
        let body = text(&request["body"]).replace(r#""_type":"event","#, "").replace(r#""_routing":"#, r#""routing":"#);
        items.extend(bulk_items(&text(&request["target"]), &text(&request["headers"]["content-type"]), &body));
    }
    items.sort();
    items
}

fn bulk_items(target: &str, content_type: &str, body: &str) -> Vec<String> {
    let lines: Vec<_> = body.lines().collect();
    lines.chunks(2).map(|pair| format!("{target} {content_type} {} {}", pair[0], canonical(pair[1]))).collect()
}

fn firehose(calls: &[Call]) -> Vec<String> {
    let mut out = vec![];
    for call in calls {
        let Call::PutRecordBatch { stream, region, records } = call else { continue };
        assert_eq!(region.as_deref(), Some("us-east-1"));
        out.push(stream.clone());
        out.extend(records.iter().map(|record| record_lines(std::str::from_utf8(record).unwrap())));
    }
    out
}

fn expected_firehose(calls: &Value) -> Vec<String> {
    let mut out = vec![];
    for call in calls.as_array().unwrap() {
        out.push(call["stream"].as_str().unwrap().to_owned());
        out.extend(call["records"].as_array().unwrap().iter().map(|record| record_lines(record.as_str().unwrap())));
    }
    out
}

/// The lines of a record, and whether the last one has its end.
fn record_lines(record: &str) -> String {
    canonical_lines(record).join("\n") + if record.ends_with('\n') { "\n" } else { "" }
}

fn objects(calls: &[Call]) -> Vec<String> {
    let mut objects: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for call in calls {
        match call {
            Call::PutObject { to, body } | Call::UploadPart { to, body, .. } => {
                objects.entry(format!("{}/{}", to.bucket, to.key)).or_default().extend_from_slice(body);
            }
            _ => {}
        }
    }
    let unpacked = |(key, body): (String, Vec<u8>)| {
        let mut text = String::new();
        if ends_in(&key, "bz2") {
            MultiBzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(body).unwrap();
        }
        format!("{key} {}", record_lines(&text))
    };
    objects.into_iter().map(unpacked).collect()
}

fn expected_objects(objects: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |object: &Value| {
        format!("{}/{} {}", text(&object["bucket"]), text(&object["key"]), record_lines(&text(&object["body"])))
    };
    let mut out: Vec<_> = objects.as_array().unwrap().iter().map(line).collect();
    out.sort();
    out
}

fn lines(calls: &[Call]) -> Vec<String> {
    let bodies = calls.iter().filter_map(|call| match call {
        Call::Stdout(body) | Call::Append { body, .. } => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    bodies.flat_map(|body| canonical_lines(&body)).collect()
}
