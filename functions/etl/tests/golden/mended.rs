//! Where the right result is not Bender's: its defects, by the case that shows them.

use crate::canonical::canonical;
use serde_json::Value;

/// What becomes of an input.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Right {
    /// The events that are delivered, in one form.
    pub(crate) out: Vec<String>,
    /// Their partitions; empty where none is to be compared.
    pub(crate) partitions: Vec<String>,
    pub(crate) failed: bool,
    pub(crate) dropped: bool,
}

impl Right {
    /// What a line of `expected.jsonl` says. Whatever Bender loses along with a record that fails, that record alone fails here.
    pub(crate) fn benders(line: &Value) -> Self {
        let texts = line["out"].as_array().into_iter().flatten();
        let partitions = line["partitions"].as_array().into_iter().flatten();
        Self {
            out: texts.map(|text| canonical(text.as_str().unwrap())).collect(),
            partitions: partitions.map(|object| canonical(&object.to_string())).collect(),
            failed: line.get("failed").is_some(),
            dropped: line.get("dropped").is_some(),
        }
    }
}

fn out(texts: &[&str]) -> Right {
    Right { out: texts.iter().map(|text| canonical(text)).collect(), ..Right::default() }
}

fn failed() -> Right {
    Right { failed: true, ..Right::default() }
}

/// Whether a config that Bender reads is refused here.
pub(crate) fn is_refused(case: &str) -> bool {
    let refused = [
        // Template expressions, which work by accident.
        "config-comment-and-if",
        // D4: a number's format of a text; a group that the expression does not have.
        "substitution-formatted-number-format",
        "substitution-regex-unknown-group",
    ];
    refused.contains(&case)
}

/// The config as it is read here.
pub(crate) fn config(case: &str, config: &str) -> String {
    match case {
        // What is no path finds nothing in Bender, and is refused here.
        "jsonpath-get" => config.replace("$.[bad", "$.bad"),
        _ => config.to_owned(),
    }
}

/// The right result of an input (from 0), given the line that says what Bender does.
pub(crate) fn of(case: &str, input: usize, line: &Value) -> Right {
    match (case, input) {
        // D3e: of names that collide Bender keeps one value by chance. Here the event fails.
        ("keyname-collisions", 0 | 1) | ("lowercase-basic", 1) => failed(),
        // D7: fields that are kept belong to each event by itself.
        ("arraysplit-keep-then-keyname", 0) => out(&[
            r#"{"a__long":1,"m":{"id__str":"1"}}"#,
            r#"{"a__long":2,"m":{"id__str":"1"}}"#,
            r#"{"a__long":3,"m":{"id__str":"1"}}"#,
        ]),
        // D6: the events of a split know the record that they came in.
        ("arraysplit-kinesiswrapper", 0) => out(&[&wrapped(0, 1), &wrapped(0, 2)]),
        ("arraysplit-kinesiswrapper", 1) => out(&[&wrapped(1, 3)]),
        // Half of a surrogate pair stays the escape that it was; Bender writes a question mark.
        ("serializer-escapes", 1) => out(&[r#"{"lone":"\ud800","rev":"\udc00\ud800","nul":"\u0000"}"#]),
        // Nanoseconds are read as such; Bender overflows to the year 2262.
        ("time-seconds", 5) => out(&[
            r#"{"sha1_hash":"faee9fd9ceb2992536d14fa079ee9e4486e9cfb3","timestamp":1700000000123,"payload":{"t":1700000000123456789}}"#,
        ]),
        // D6 again: they also know the object that they came in.
        ("arraysplit-cloudtrail-s3-2", _) => {
            let mut right = Right::benders(line);
            for partitions in &mut right.partitions {
                partitions.insert_str(1, r#""__filename__":"2bef22eb34419bf6f29954b5fc60ade5ef0a915d","#);
            }
            right
        }
        // The order of settings says nothing.
        ("partition-format-before-interpreter", _) => Right {
            partitions: vec![r#"{"t":"2023",}"#.to_owned()],
            ..out(&[&format!(r#"{{"ts":170000000{input}}}"#)])
        },
        // D15: times are brought down, not to the nearest.
        ("partition-rounding", 0 | 1) => {
            Right { partitions: vec![r#"{"t":"22:10:00",}"#.to_owned()], ..Right::benders(line) }
        }
        ("partition-rounding", 5..=7) => {
            Right { partitions: vec![r#"{"t":"22:15:00",}"#.to_owned()], ..Right::benders(line) }
        }
        ("partition-rounding", 10) => {
            Right { partitions: vec![r#"{"t":"22:20:00",}"#.to_owned()], ..Right::benders(line) }
        }
        // D5: without operations, an event passes.
        ("conditional-empty-operations", 0) => out(&[r#"{"k":"a"}"#]),
        ("fork-empty", 0) => out(&[r#"{"a":1}"#]),
        // D6: the events of a fork know the record that they came in.
        ("fork-kinesiswrapper", 0) => out(&[&wrapped(0, 1).replace(r#""a""#, r#""a__long""#), &wrapped(0, 1)]),
        // D3d: a field that is put where it is stays there.
        ("substitution-field-remove-same", 0) => out(&[r#"{"foo":"x"}"#]),
        // D14: every substitution sees the whole context.
        ("substitution-context-mutation", 0) => {
            let names = r#""functionVersion":"7","functionName":"golden","awsRequestId":"5c0ffee0-0000-4000-8000-00000000beef",
                "invokedFunctionArn":"arn:aws:lambda:us-east-1:123456789012:function:golden:live""#;
            let logs = r#""logGroupName":"/aws/lambda/golden","logStreamName":"2026/11/23/[7]0123456789abcdef""#;
            let second = r#"{"functionName":"golden","logGroupName":"/aws/lambda/golden"}"#;
            out(&[&format!(r#"{{"a":1,"first":{{{names}}},"second":{second},"third":{{{names},{logs}}}}}"#)])
        }
        // What is missing is not found as null.
        ("jsonpath-get", _) => {
            let mut right = Right::benders(line);
            for event in &mut right.out {
                *event = event.replace("[null,null,1,2,null,null,1,null,1,2,null,2,null,]", "[1,2,1,1,2,2,]");
            }
            right
        }
        // `$['q']` is a path like any other; Bender makes `$.$['q']` of it, and sets nothing.
        ("jsonpath-set", _) => {
            let mut right = Right::benders(line);
            for event in &mut right.out {
                *event = event.replace(r#""top":"S","#, r#""q":"S","top":"S","#);
            }
            right
        }
        // What is not ASCII stays as it is; Bender writes question marks.
        ("urldecode-basic", 9) => out(&[r#"{"u":"café é 😀"}"#]),
        // The same number, written without an exponent.
        ("gelf-basic" | "gelf-full" | "gelf-transport", _) => {
            let mut right = Right::benders(line);
            for event in &mut right.out {
                *event = event.replace(":1.795449598E9,", ":1795449598.0,").replace(":1.7E9,", ":1700000000.0,");
            }
            right
        }
        _ => Right::benders(line),
    }
}

fn wrapped(record: u8, a: u8) -> String {
    format!(
        r#"{{"partition_key":"pk-1","sequence_number":"4959033827149025660855969253836157109592157598913658889{}",
        "source_arn":"arn:aws:kinesis:us-east-1:123456789012:stream/golden","event_source":"aws:kinesis","function_name":"golden",
        "function_version":"7","processing_time":1795449600123,"arrival_time":1795449598000,"processing_delay":2123,
        "timestamp":1795449598000,"payload":{{"a":{a}}}}}"#,
        8 + record
    )
}

/// D17: what is UTF-8 says so.
pub(crate) fn header(value: &str) -> String {
    value.replace("charset=ISO-8859-1", "charset=UTF-8")
}

/// D19: the query of the path is kept.
pub(crate) fn target(case: &str, target: &str) -> String {
    target.to_owned() + if case == "http2-basic" { "?x=1" } else { "" }
}

/// D2: what follows the event that is too large.
pub(crate) fn behind_the_large_one<'a>(lines: impl Iterator<Item = &'a Value>) -> String {
    let events = lines.map(|line| line["out"][0].as_str().unwrap());
    events.skip_while(|event| event.len() < 1000).skip(1).flat_map(|event| ["KEY ", event, "\n"]).collect()
}

/// D13: a filter counts what it let through and what it took out.
pub(crate) fn figure(line: &str) -> String {
    if line.contains("success.count") && line.contains("RegexFilterOperation") {
        line.replace("|0|", "|2|")
    } else {
        line.to_owned()
    }
}
