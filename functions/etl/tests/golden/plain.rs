//! Requests and connections without a form of their own: compared byte by byte.

use crate::{canonical::canonical, mended};
use base64_simd::STANDARD;
use etl::ports::{Auth, Call, HttpCall};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::{collections::BTreeMap, io::Read as _};

/// The requests that were made: target, headers, and the body as it was before it was packed.
pub(crate) fn requests(calls: &[Call]) -> Vec<String> {
    let made = calls.iter().filter_map(|call| if let Call::Http(call) = call { Some(call) } else { None });
    made.map(request).collect()
}

fn request(call: &HttpCall) -> String {
    let target = call.url.strip_prefix("http://localhost:9200").unwrap();
    let headers = call.headers.iter().map(|(name, value)| (name.to_lowercase(), value.reveal().to_owned()));
    let mut headers: BTreeMap<_, _> = headers.collect();
    if let Auth::Basic { username, password } = &call.auth {
        let pair = STANDARD.encode_to_string(format!("{username}:{}", password.reveal()));
        headers.insert("authorization".to_owned(), format!("Basic {pair}"));
    }
    let mut body = String::new();
    if headers.contains_key("content-encoding") {
        MultiGzDecoder::new(&call.body[..]).read_to_string(&mut body).unwrap();
    } else {
        body = String::from_utf8(call.body.to_vec()).unwrap();
    }
    format!("{} {target}{} {headers:?} {body}", call.method, call.url_end.reveal())
}

/// The right requests: Bender's, mended.
pub(crate) fn expected_requests(case: &str, requests: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let one = |request: &Value| {
        let members = request["headers"].as_object().unwrap().iter();
        let headers: BTreeMap<_, _> =
            members.map(|(name, value)| (name.clone(), mended::header(&text(value)))).collect();
        let (method, target) = (text(&request["method"]), mended::target(case, &text(&request["target"])));
        format!("{method} {target} {headers:?} {}", text(&request["body"]))
    };
    let mut all: Vec<_> = requests.as_array().unwrap().iter().map(one).collect();
    // To Bender, 201 is a failure, and the request is sent again.
    if case == "http-retry" {
        all.pop();
    }
    all
}

/// All that went over connections, one behind the other.
pub(crate) fn stream(calls: &[Call]) -> Vec<String> {
    let mut all = vec![];
    for call in calls {
        let Call::Tcp(call) = call else { continue };
        assert_eq!((call.host.as_str(), call.port), ("localhost", 9200));
        for unit in &call.units {
            all.extend_from_slice(call.before_each.reveal().as_bytes());
            all.extend_from_slice(unit);
        }
    }
    vec![String::from_utf8(all).unwrap()]
}

/// The messages that a zero byte ends, in one form.
pub(crate) fn gelf(stream: &str) -> Vec<String> {
    stream.split_terminator('\0').map(|message| canonical(&message.replace("1.795449598E9", "1795449598.0"))).collect()
}

/// Lines for Datadog without the figures that are only ours, the classes by the names that they have in configs, tags sorted.
pub(crate) fn figures(calls: &[Call], expected: &str) -> (Vec<String>, Vec<String>) {
    let text = calls.iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    let text: String = text.collect();
    let mut right: Vec<_> = expected.lines().map(|line| mended::figure(&figure(line))).collect();
    let of = |line: &str| {
        line.split_once('|').map(|(name, line)| (name.to_owned(), line.rsplit('|').next().unwrap().to_owned()))
    };
    let told: Vec<_> = right.iter().filter_map(|line| of(line)).collect();
    let mut ours: Vec<_> = text.lines().map(figure).filter(|line| told.contains(&of(line).unwrap())).collect();
    ours.sort();
    right.sort();
    (ours, right)
}

/// `name|…|tags`.
fn figure(line: &str) -> String {
    let parts: Vec<_> = line.split('|').collect();
    let [_, time, value, kind, name, tags] = <[&str; 6]>::try_from(parts).unwrap();
    let mut tags: Vec<_> = tags.trim_start_matches('#').split(',').map(class).collect();
    tags.sort();
    format!("{name}|{time}|{value}|{kind}|{}", tags.join(","))
}

/// `class:com.…GenericJsonDeserializer` is `class:GenericJson` here.
fn class(tag: &str) -> String {
    let Some(class) = tag.strip_prefix("class:") else { return tag.to_owned() };
    let name = class.rsplit('.').next().unwrap();
    let name =
        ["Deserializer", "Serializer", "Transport"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    format!("class:{name}")
}
