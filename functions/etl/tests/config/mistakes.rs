//! Every kind of mistake with the error that its author gets: file, line, column, code, message, way out.
//!
//! Documents are JSON, which is YAML as well: each is read as both, and both must say the same at the same place.

use etl::{
    codes,
    config::{PipelineConfig, Variables},
    reference::pages,
    registry::Registry,
};
use std::fmt::Write as _;

/// A config that is fine, with some lines in place of others.
fn config(with: &[(&str, &str)]) -> String {
    let fine = [
        ("handler", r#"{"type": "KinesisHandler"}"#),
        ("sources", r#"[{"name": "a", "deserializer": {"type": "GenericJson"}}]"#),
        ("wrapper", r#"{"type": "KinesisWrapper"}"#),
        ("serializer", r#"{"type": "Json"}"#),
        ("transport", r#"{"type": "Firehose", "stream_name": "s"}"#),
    ];
    let given = |key: &str| with.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let kept = fine.iter().map(|(key, value)| (*key, given(key).unwrap_or(value)));
    let added = with.iter().copied().filter(|(key, _)| fine.iter().all(|(k, _)| k != key));
    let lines: Vec<_> =
        kept.chain(added).filter(|(_, value)| !value.is_empty()).map(|(k, v)| format!("\"{k}\": {v}")).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

fn errors(file: &str, text: &str) -> Vec<String> {
    let environment = |name: &str| (name == "WORD").then(|| "a word".to_owned());
    match PipelineConfig::read(&Registry::default(), file, text, Variables::From(&environment)) {
        Ok(_) => vec![],
        Err(report) => report.lines().collect(),
    }
}

fn operation(operation: &str) -> String {
    format!(r#"[{{"name": "a", "deserializer": {{"type": "GenericJson"}}, "operations": [{operation}]}}]"#)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of mistakes")]
fn every_kind_of_mistake_is_told_with_its_place_and_the_way_out() {
    let sources = |first: &str, second: &str| {
        format!(
            r#"[{{"name": "a", {first} "deserializer": {{"type": "GenericJson"}}}}, {{{second} "deserializer": {{"type": "GenericJson"}}}}]"#
        )
    };
    let source = |settings: &str| format!(r#"[{{"name": "a", {settings} "deserializer": {{"type": "GenericJson"}}}}]"#);
    let several = |entries: &str| vec![("transport", String::new()), ("transports", format!("[{entries}]"))];
    let one = |key: &'static str, value: &str| vec![(key, value.to_owned())];
    let elastic = |setting: &str| {
        one("transport", &format!(r#"{{"type": "ElasticSearch", "hostname": "h", "index": "i", {setting}}}"#))
    };
    let cases: Vec<(&str, Vec<(&'static str, String)>)> = vec![
        ("a handler that there is not", one("handler", r#"{"type": "KinesisHandlr"}"#)),
        ("a component of another room", one("wrapper", r#"{"type": "Json"}"#)),
        ("no type", one("serializer", "{}")),
        ("a type that is no text", one("serializer", r#"{"type": 5}"#)),
        ("a component that is a text", one("serializer", r#""Json""#)),
        ("a component that is null", one("wrapper", "null")),
        ("no handler", one("handler", "")),
        ("no sources", one("sources", "")),
        ("no wrapper", one("wrapper", "")),
        ("no serializer", one("serializer", "")),
        ("no transport", one("transport", "")),
        ("sources without one", one("sources", "[]")),
        ("sources that are a map", one("sources", "{}")),
        ("a source without a name", one("sources", r#"[{"deserializer": {"type": "GenericJson"}}]"#)),
        ("a source without a deserializer", one("sources", r#"[{"name": "a"}]"#)),
        ("an empty name", one("sources", r#"[{"name": "", "deserializer": {"type": "GenericJson"}}]"#)),
        ("a key of the config that there is not", one("operation", "[]")),
        ("a setting that there is not, near to one", one("transport", r#"{"type": "Firehose", "stream_nam": "s"}"#)),
        (
            "a setting that there is not, near to none",
            one("transport", r#"{"type": "Firehose", "stream_name": "s", "colour": 1}"#),
        ),
        ("a setting that is missing", one("transport", r#"{"type": "Firehose"}"#)),
        ("a number for a text", one("transport", r#"{"type": "Firehose", "stream_name": 1.10}"#)),
        ("a text for a number", elastic(r#""port": "9200""#)),
        ("a text for true or false", elastic(r#""use_ssl": "yes""#)),
        ("a list for a text", elastic(r#""document_type": ["d"]"#)),
        ("a number that is too large", elastic(r#""port": 70000"#)),
        ("a number that is too small", elastic(r#""threads": 0"#)),
        ("a number with a fraction", elastic(r#""port": 92.5"#)),
        (
            "a word that is none of those allowed",
            one("serializer", r#"{"type": "Json", "field_naming_policy": "IDENTTY"}"#),
        ),
        ("a name that AWS would refuse", one("transport", r#"{"type": "Firehose", "stream_name": "my stream"}"#)),
        (
            "a region in other words",
            one("transport", r#"{"type": "Firehose", "stream_name": "s", "region": "Ireland"}"#),
        ),
        ("a pattern of time that is none", elastic(r#""index_time_format": "yyyy-MM-bb""#)),
        ("hash ids and another way to ids", elastic(r#""use_hashid": true, "document_id": "origin""#)),
        ("an id by a path that is none", elastic(r#""document_id": "$.a[""#)),
        ("a regular expression that does not end", one("sources", &source(r#""regex_patterns": ["ok", "a(b"],"#))),
        (
            "a regular expression with a construct of another language",
            one("sources", &source(r#""source_regex": "ab\\Gc","#)),
        ),
        (
            "a regular expression of a filter",
            one("sources", &operation(r#"{"type": "RegexFilterOperation", "regex": "[a-", "path": "$.a"}"#)),
        ),
        (
            "a path that is none",
            one("sources", &operation(r#"{"type": "RegexFilterOperation", "regex": "a", "path": "$.a["}"#)),
        ),
        (
            "an operation inside that there is not",
            one(
                "sources",
                &operation(r#"{"type": "ForkOperation", "forks": [{"operations": [{"type": "TimOperation"}]}]}"#),
            ),
        ),
        (
            "a condition that is no filter",
            one(
                "sources",
                &operation(
                    r#"{"type": "ConditionalOperation", "conditions": [{"condition": {"type": "FlattenOperation"}, "operations": []}]}"#,
                ),
            ),
        ),
        ("a wrapper of another handler", one("handler", r#"{"type": "S3Handler"}"#)),
        (
            "two sources of one name",
            one("sources", &sources(r#""source_regex": "x","#, r#""name": "a", "source_regex": "y","#)),
        ),
        (
            "two sources for the same",
            one("sources", &sources(r#""source_regex": "x","#, r#""name": "b", "source_regex": "x","#)),
        ),
        (
            "a source behind one that takes everything",
            one("sources", &sources("", r#""name": "b", "source_regex": "x","#)),
        ),
        ("a deserializer in a source and beside", one("deserializer", r#"{"type": "GenericJson"}"#)),
        ("a variable that there is not", one("transport", r#"{"type": "Firehose", "stream_name": "<WRD>"}"#)),
        ("a variable that is no number", elastic(r#""port": "<WORD>""#)),
        ("a template expression", one("transport", r#"{"type": "Firehose", "stream_name": "<if(A)>s<endif>"}"#)),
        ("a newer language", one("version", "99")),
        ("a key twice", vec![("wrapper", r#"{"type": "KinesisWrapper", "type": "KinesisWrapper"}"#.to_owned())]),
        ("transport and transports", one("transports", r#"[{"name": "t", "transport": {"type": "Stdout"}}]"#)),
        ("transports without one", several("")),
        ("a transport without a name", several(r#"{"transport": {"type": "Stdout"}}"#)),
        (
            "two transports of one name",
            several(
                r#"{"name": "t", "transport": {"type": "Stdout"}}, {"name": "t", "transport": {"type": "Stdout"}}"#,
            ),
        ),
        (
            "a condition of a transport that is no filter",
            several(r#"{"name": "t", "when": {"type": "FlattenOperation"}, "transport": {"type": "Stdout"}}"#),
        ),
        (
            "a transport that no event goes to",
            several(r#"{"name": "t", "when": {"type": "BasicFilterOperation"}, "transport": {"type": "Stdout"}}"#),
        ),
        ("a dead letter that is no transport", one("dead_letter", r#"{"type": "Json"}"#)),
        ("a test without an input", one("tests", r#"[{"name": "t"}]"#)),
        ("a test of a source that there is not", one("tests", r#"[{"name": "t", "input": "x", "source": "b"}]"#)),
        ("a test at no time", one("tests", r#"[{"name": "t", "input": "x", "now": "noon"}]"#)),
    ];
    let mut page = String::new();
    let mut fine = vec![];
    for (what, with) in &cases {
        let with: Vec<_> = with.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let text = config(&with);
        let (yaml, json) = (errors("c.yaml", &text), errors("c.json", &text));
        let same: Vec<_> = json.iter().map(|line| line.replacen("c.json", "c.yaml", 1)).collect();
        assert_eq!(yaml, same, "{what}: YAML and JSON differ");
        if yaml.is_empty() {
            fine.push(*what);
        }
        let changed =
            with.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("\n  \"{key}\": {value}"));
        let _ = writeln!(page, "{what}{}\n{}\n", changed.collect::<String>(), json.join("\n"));
    }
    assert_eq!(fine, [""; 0], "these are no mistakes");
    assert!(cases.len() >= 40);
    insta::assert_snapshot!("mistakes", page);
}

#[test]
fn what_only_yaml_or_only_json_can_get_wrong_is_told_too() {
    let yaml = [
        "handler: {type: KinesisHandler\n",
        "handler:\n\t- x\n",
        "handler: !!binary x\n",
        "? [a]\n: b\n",
        "a: 1\n---\nb: 2\n",
        "",
    ];
    let json = ["{\"handler\": 1,}", "{} // c", "{\"a\": 01}", "{\"a\": \"\u{1}\"}", "[]"];
    let mut page = String::new();
    for (file, text) in yaml.map(|text| ("c.yaml", text)).into_iter().chain(json.map(|text| ("c.json", text))) {
        // What follows from it is told behind it.
        let all = errors(file, text);
        let first = all.iter().find(|line| line.contains("[ETL00")).or(all.first()).expect("a mistake");
        let _ = writeln!(page, "{text:?}\n{first}\n");
    }
    insta::assert_snapshot!("mistakes_of_the_form", page);
}

#[test]
fn every_code_is_told_by_some_mistake_of_these_pages() {
    let pinned = [
        include_str!("snapshots/config__mistakes__mistakes.snap"),
        include_str!("snapshots/config__mistakes__mistakes_of_the_form.snap"),
        // What only a stack can get wrong, and what takes two components to get wrong.
        include_str!("reading.rs"),
    ]
    .concat();
    let unseen: Vec<&str> = codes::ALL.iter().map(|code| code.id).filter(|id| !pinned.contains(id)).collect();
    assert_eq!(unseen, [""; 0], "nobody sees how these are told");
}

#[test]
fn the_page_of_errors_shows_each_code_with_the_way_out() {
    let (_, page) = pages(&Registry::default()).into_iter().find(|(name, _)| name == "errors.md").expect("the page");
    for code in codes::ALL {
        let (_, rest) = page.split_once(&format!("## {}\n", code.id)).expect(code.id);
        let entry = rest.split("\n## ").next().unwrap_or_default();
        assert!(entry.contains('`'), "{} shows nothing that can be written", code.id);
    }
}
