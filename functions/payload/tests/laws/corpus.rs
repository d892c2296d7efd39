//! The independent corpus: real inputs and what is known of them. Skipped, with a word, where it is not there.

use crate::model::{styled, tree, tree_of_json, written};
use payload::{Arena, Kind, Path, Style};
use std::{
    fs,
    io::Read as _,
    path::{Path as FilePath, PathBuf},
};

fn corpus(part: &str) -> Option<PathBuf> {
    let path = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(part);
    if !path.exists() {
        println!("skipped: there is no ../shared/corpus/{part}");
    }
    path.exists().then_some(path)
}

fn files(folder: &FilePath) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[test]
fn the_json_test_suite_is_judged_rightly() {
    let Some(folder) = corpus("json") else { return };
    let mut arena = Arena::new();
    let mut count = 0;
    for file in files(&folder) {
        let bytes = fs::read(&file).unwrap();
        let result = arena.parse_slice(&bytes);
        match file.file_name().unwrap().to_str().unwrap().as_bytes()[0] {
            b'y' => assert!(result.is_ok(), "{} {:?}", file.display(), result.err()),
            b'n' => assert!(result.is_err(), "{}", file.display()),
            _ => {}
        }
        if let Ok(payload) = result {
            assert_eq!(tree(&payload), tree_of_json(std::str::from_utf8(&bytes).unwrap()), "{}", file.display());
        }
        count += 1;
    }
    assert!(count > 50);
}

#[test]
fn naughty_strings_come_through() {
    let Some(folder) = corpus("strings") else { return };
    let bytes = fs::read(folder.join("blns.json")).unwrap();
    let strings: Vec<String> = serde_json::from_slice(&bytes).unwrap();
    let mut arena = Arena::new();
    let payload = arena.parse_slice(&bytes).unwrap();
    let ours: Vec<_> = payload.root().elements().map(|value| value.as_str().unwrap().into_owned()).collect();
    assert_eq!(ours, strings);
    for style in [Style::Plain, Style::Gson] {
        assert_eq!(serde_json::from_str::<Vec<String>>(&styled(&payload, style)).unwrap(), strings);
    }
}

#[test]
fn cloudtrail_objects_split_into_their_records_either_way() {
    let Some(folder) = corpus("cloudtrail") else { return };
    let records = Path::new("$.Records").unwrap();
    let mut arena = Arena::new();
    let mut total = 0;
    for file in files(&folder).into_iter().filter(|file| file.extension().is_some_and(|e| e == "gz")) {
        let bytes = fs::read(&file).unwrap();
        arena.load(|text| flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(text)).unwrap();
        let expected: serde_json::Value = serde_json::from_slice(arena.loaded()).unwrap();
        let without_blanks = |text: &str| text.split_ascii_whitespace().collect::<String>();
        let text = without_blanks(std::str::from_utf8(arena.loaded()).unwrap());
        // Some files are a list of records, others an object that holds one.
        let (path, expected) = if expected.is_array() {
            (Path::new("$").unwrap(), expected)
        } else {
            (records.clone(), expected["Records"].clone())
        };
        let expected = expected.as_array().unwrap();
        let mut seen = vec![];
        let mut elements = arena.elements(arena.whole(), &path, &[]).unwrap();
        assert!(elements.all_objects());
        while let Some(event) = elements.next().unwrap() {
            seen.push(written(&event));
        }
        let mut payload = arena.parse(arena.whole()).unwrap();
        let mut split = payload.split(&path, &[]).unwrap();
        for (ours, theirs) in seen.iter().zip(expected) {
            let event = split.next().unwrap().unwrap();
            assert_eq!(&written(&event), ours);
            assert_eq!(&serde_json::from_str::<serde_json::Value>(ours).unwrap(), theirs);
            assert!(text.contains(&without_blanks(ours)), "order and numbers, too");
        }
        assert_eq!(seen.len(), expected.len());
        total += seen.len();
    }
    assert!(total > 1446, "{total}");
}

/// The lines of a golden case: what went in, and what came out, if anything did.
fn golden(folder: &FilePath) -> Vec<(String, Option<String>)> {
    let read = |name| fs::read_to_string(folder.join(name)).unwrap();
    let expected = read("expected.jsonl");
    let out = expected.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["out"][0].as_str().map(String::from)
    });
    read("input.ndjson").lines().map(String::from).zip(out).collect()
}

#[test]
fn lenient_input_is_read_and_written_as_bender_did() {
    let Some(folder) = corpus("bender-golden") else { return };
    let mut arena = Arena::new();
    let mut count = 0;
    for case in
        ["genericjson-lenient", "genericjson-suite-raw", "genericjson-naughty-strings", "genericjson-naughty-strings-2"]
    {
        for (input, expected) in golden(&folder.join(case)) {
            arena.load_slice(input.as_bytes());
            let ours = arena.parse_lenient(arena.whole()).ok().filter(|payload| payload.kind() == Kind::Object);
            let ours = ours.map(|payload| styled(&payload, Style::Gson));
            // Some cases are wrapped: `{"sha1_hash":...,"timestamp":...,"payload":...}`.
            let expected = expected.map(|json| match json.split_once(",\"payload\":") {
                Some((_, payload)) => payload[..payload.len() - 1].to_owned(),
                None => json,
            });
            assert_eq!(ours, expected, "{input}");
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}
