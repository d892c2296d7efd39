//! Objects of S3.

use super::{
    clients,
    far_side::{Asked, FarSide, Say},
    runtime,
};
use etl::ports::{Object, ObjectError, Objects as _};
use etl_adapters::objects::S3Objects;
use std::{
    io::{ErrorKind, Read as _},
    path::PathBuf,
    thread,
    time::Duration,
};

fn objects(endpoint: &str) -> S3Objects {
    S3Objects::new(runtime(), clients(endpoint), PathBuf::from(env!("CARGO_MANIFEST_DIR")))
}

fn open(endpoint: &str, version: Option<&str>) -> Result<Object, ObjectError> {
    objects(endpoint).open("logs", "AWSLogs/a=b/ü 1.json.gz", version)
}

fn etag() -> Vec<(&'static str, String)> {
    vec![("etag", "\"e\"".to_owned())]
}

/// Several chunks that differ everywhere.
fn content() -> Vec<u8> {
    (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn from(asked: &Asked) -> usize {
    asked.header("range").map_or(0, |range| range.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap())
}

#[test]
fn an_object_is_streamed_with_its_size() {
    let far = FarSide::new(|_, _| Say::This(200, etag(), content()));
    let mut object = open(&far.address, Some("v1")).unwrap();
    assert_eq!(object.size, Some(3_000_000));
    let mut read = Vec::new();
    object.reader.read_to_end(&mut read).unwrap();
    assert!(read == content());
    assert_eq!(far.asked()[0].line(), "GET /logs/AWSLogs/a%3Db/%C3%BC%201.json.gz?x-id=GetObject&versionId=v1");
}

#[test]
fn a_broken_download_goes_on_where_it_was_if_the_object_is_the_same() {
    let far = FarSide::new(|asked, nth| {
        let rest = content().split_off(from(asked));
        let (status, promised) = (if nth == 0 { 200 } else { 206 }, rest.len());
        match nth {
            0 => Say::Cut(status, etag(), rest[..1_000_000].to_vec(), promised),
            1 => Say::Close,
            2 => Say::json(503, "<Error><Code>SlowDown</Code></Error>"),
            _ => Say::This(status, etag(), rest),
        }
    });
    let mut read = Vec::new();
    open(&far.address, None).unwrap().reader.read_to_end(&mut read).unwrap();
    assert!(read == content());
    let asked = far.asked();
    assert_eq!(from(asked.last().unwrap()), 1_000_000);
    assert_eq!(asked.last().unwrap().header("if-match"), Some("\"e\""));
}

#[test]
fn a_download_that_stays_broken_is_not_taken_for_the_end_of_the_object() {
    let far = FarSide::new(|_, _| Say::Cut(200, etag(), vec![1; 1000], 5000));
    let changed = FarSide::new(|asked, _| match from(asked) {
        0 => Say::Cut(200, etag(), vec![1; 1000], 5000),
        _ => Say::json(412, "<Error><Code>PreconditionFailed</Code></Error>"),
    });
    for far in [far, changed] {
        let error = open(&far.address, None).unwrap().reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted, "{error}");
    }
}

#[test]
fn gone_denied_and_not_now_are_told_apart() {
    let outage = |code: &str| ObjectError::Outage(code.to_owned());
    for (status, code, error) in [
        (404, "NoSuchKey", ObjectError::Gone),
        (404, "NoSuchVersion", ObjectError::Gone),
        (405, "MethodNotAllowed", ObjectError::Gone),
        (403, "AccessDenied", ObjectError::Denied("AccessDenied".to_owned())),
        (400, "ExpiredToken", outage("ExpiredToken")),
        (503, "SlowDown", outage("SlowDown")),
    ] {
        let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
        let far = FarSide::new(move |_, _| Say::json(status, &body));
        assert_eq!(open(&far.address, None).unwrap_err(), error);
    }
    assert_eq!(open("http://127.0.0.1:1", None).unwrap_err(), outage("Connection refused (os error 111)"));
}

#[test]
fn an_object_that_nobody_reads_to_its_end_holds_nothing_up() {
    let far = FarSide::new(|_, _| Say::This(200, etag(), content()));
    let objects = objects(&far.address);
    for _ in 0..20 {
        let mut object = objects.open("logs", "k", None).unwrap();
        object.reader.read_exact(&mut [0; 10]).unwrap();
    }
    let mut read = Vec::new();
    objects.open("logs", "k", None).unwrap().reader.read_to_end(&mut read).unwrap();
    assert_eq!(read.len(), 3_000_000);
}

#[test]
fn a_file_of_the_package_is_found_by_its_path_in_it() {
    let objects = objects("http://127.0.0.1:1");
    let mut file = objects.file("Cargo.toml").unwrap();
    let mut text = String::new();
    file.reader.read_to_string(&mut text).unwrap();
    assert!(text.contains("name = \"etl-adapters\""));
    assert_eq!(file.size, Some(text.len() as u64));
    assert_eq!(objects.file("none").unwrap_err(), ObjectError::Gone);
    assert_eq!(objects.file("/none").unwrap_err(), ObjectError::Gone);
}

#[test]
fn an_object_is_on_its_way_before_anybody_waits_for_it() {
    let far = FarSide::new(|_, _| Say::This(200, etag(), content()));
    let objects = objects(&far.address);
    let [first, second, third] = ["1", "2", "3"].map(|key| objects.ahead("logs", key, None).unwrap());
    while far.asked().len() < 3 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(second);
    for opening in [third, first] {
        let mut read = Vec::new();
        opening.wait().unwrap().reader.read_to_end(&mut read).unwrap();
        assert!(read == content());
    }
    let gone = FarSide::new(|_, _| Say::json(404, "<Error><Code>NoSuchKey</Code></Error>"));
    let opening = self::objects(&gone.address).ahead("logs", "k", None).unwrap();
    assert_eq!(opening.wait().unwrap_err(), ObjectError::Gone);
}
