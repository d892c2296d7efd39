//! The fast way and the plain way give the same bytes: events through a pipeline, and through a few lines over a tree of values that share no
//! code with it. On arbitrary JSON (escapes, halves of surrogate pairs, nesting, numbers of any length, repeated names, names that meet
//! when they change) and on all CloudTrail files of `../shared/corpus`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot unwrap, it fails for")]

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Pipeline},
    ports::Call,
    registry::Registry,
    testing::World,
};
use flate2::read::MultiGzDecoder;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{fmt::Write as _, fs, io::Read as _, path::Path};

/// A value as it was read. Texts are UTF-16, as half a surrogate pair is none in UTF-8.
#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Null,
    /// `true`, `false` or a number, as it was written.
    Word(String),
    Text(Vec<u16>),
    Array(Vec<Plain>),
    Object(Members),
}

type Members = Vec<(Vec<u16>, Plain)>;

/// Reads JSON that is known to be right.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn skip(&mut self, token: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn value(&mut self) -> Plain {
        if self.skip('{') {
            let mut members = vec![];
            while !self.skip('}') {
                assert!(self.skip('"'));
                let name = self.text();
                assert!(self.skip(':'));
                put(&mut members, name, self.value());
                self.skip(',');
            }
            return Plain::Object(members);
        }
        if self.skip('[') {
            let mut elements = vec![];
            while !self.skip(']') {
                elements.push(self.value());
                self.skip(',');
            }
            return Plain::Array(elements);
        }
        if self.skip('"') {
            return Plain::Text(self.text());
        }
        let end = self.rest.find([',', ']', '}', ' ', '\n', '\t', '\r']).unwrap_or(self.rest.len());
        let word;
        (word, self.rest) = self.rest.split_at(end);
        if word == "null" { Plain::Null } else { Plain::Word(word.to_owned()) }
    }

    /// What is left of a string.
    fn text(&mut self) -> Vec<u16> {
        let mut text = vec![];
        let mut characters = self.rest.chars();
        loop {
            match characters.next().unwrap() {
                '"' => break,
                '\\' => text.push(match characters.next().unwrap() {
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        u16::from_str_radix(&digits, 16).unwrap()
                    }
                    'n' => 10,
                    'r' => 13,
                    't' => 9,
                    'b' => 8,
                    'f' => 12,
                    other => u16::try_from(u32::from(other)).unwrap(),
                }),
                other => text.extend_from_slice(other.encode_utf16(&mut [0; 2])),
            }
        }
        self.rest = characters.as_str();
        text
    }
}

/// Of equal names the last value counts, in the place of the first.
fn put(members: &mut Members, name: Vec<u16>, value: Plain) {
    match members.iter_mut().find(|(known, _)| *known == name) {
        Some((_, known)) => *known = value,
        None => members.push((name, value)),
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// As Gson writes it.
fn write(value: &Plain, out: &mut String) {
    match value {
        Plain::Null => out.push_str("null"),
        Plain::Word(word) => out.push_str(word),
        Plain::Text(text) => write_text(text, out),
        Plain::Array(elements) => {
            let texts: Vec<_> = elements.iter().map(written).collect();
            write!(out, "[{}]", texts.join(",")).unwrap();
        }
        Plain::Object(members) => {
            let present = members.iter().filter(|(_, value)| *value != Plain::Null);
            let texts: Vec<_> = present
                .map(|(name, value)| {
                    let mut member = String::new();
                    write_text(name, &mut member);
                    member + ":" + &written(value)
                })
                .collect();
            write!(out, "{{{}}}", texts.join(",")).unwrap();
        }
    }
}

fn written(value: &Plain) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write_text(text: &[u16], out: &mut String) {
    out.push('"');
    for character in char::decode_utf16(text.iter().copied()) {
        match character {
            Ok('"') => out.push_str("\\\""),
            Ok('\\') => out.push_str("\\\\"),
            Ok('\n') => out.push_str("\\n"),
            Ok('\r') => out.push_str("\\r"),
            Ok('\t') => out.push_str("\\t"),
            Ok('\u{8}') => out.push_str("\\b"),
            Ok('\u{c}') => out.push_str("\\f"),
            Ok(c @ ('\0'..' ' | '<' | '>' | '&' | '=' | '\'' | '\u{2028}' | '\u{2029}')) => {
                write!(out, "\\u{:04x}", u32::from(c)).unwrap();
            }
            Ok(c) => out.push(c),
            Err(half) => write!(out, "\\u{:04x}", half.unpaired_surrogate()).unwrap(),
        }
    }
    out.push('"');
}

/// An event fails.
#[derive(Debug)]
struct Failed;

/// One operation: its config, and what it makes of an event.
#[derive(Clone, Copy)]
struct Step {
    config: &'static str,
    does: fn(Members) -> Result<Vec<Members>, Failed>,
}

const SPLIT: Step = Step {
    config: "{type: JsonArraySplitOperation, path: $.Records}",
    does: |event| {
        let records = event.into_iter().find(|(name, _)| *name == units("Records"));
        let Some((_, Plain::Array(records))) = records else { return Err(Failed) };
        let object = |record| if let Plain::Object(members) = record { Ok(members) } else { Err(Failed) };
        records.into_iter().map(object).collect()
    },
};

const FLATTEN: Step = Step {
    config: "{type: FlattenOperation}",
    does: |event| {
        let mut flat = vec![];
        flatten(None, Plain::Object(event), &mut flat);
        Ok(vec![flat])
    },
};

fn flatten(path: Option<Vec<u16>>, value: Plain, flat: &mut Members) {
    let below = |name: &[u16]| {
        Some(path.iter().flat_map(|path| [&path[..], &units(".")].concat()).chain(name.to_vec()).collect())
    };
    match value {
        Plain::Object(members) => members.into_iter().for_each(|(name, value)| flatten(below(&name), value, flat)),
        Plain::Array(elements) => {
            elements.into_iter().zip(1..).for_each(|(value, n)| flatten(below(&units(&n.to_string())), value, flat));
        }
        single => put(flat, path.unwrap(), single),
    }
}

const NAMES: Step = Step { config: "{type: JsonKeyNameOperation}", does: |event| Ok(vec![renamed(event)?]) };

fn renamed(event: Members) -> Result<Members, Failed> {
    let mut out: Members = vec![];
    for (name, value) in event {
        let (ending, value) = match value {
            Plain::Null => continue,
            Plain::Object(members) => ("", Plain::Object(renamed(members)?)),
            Plain::Array(_) => ("__arr", value),
            Plain::Text(_) => ("__str", value),
            Plain::Word(ref word) if word == "true" || word == "false" => ("__bool", value),
            Plain::Word(ref word) if word.contains('.') => ("__float", value),
            Plain::Word(_) => ("__long", value),
        };
        let name = units(&(String::from_utf16_lossy(&name).to_lowercase().replace([' ', '.'], "_") + ending));
        if out.iter().any(|(other, _)| *other == name) {
            return Err(Failed);
        }
        out.push((name, value));
    }
    Ok(out)
}

const DELETE: Step = Step {
    config: "{type: DeleteFieldOperation, key_field: $.a.b}",
    does: |mut event| {
        match event.iter_mut().find(|(name, _)| *name == units("a")) {
            None => {}
            Some((_, Plain::Object(inner))) => inner.retain(|(name, _)| *name != units("b")),
            Some(_) => return Err(Failed),
        }
        Ok(vec![event])
    },
};

const REPLACE: Step = Step {
    config: "{type: JsonReplaceKVOperation, key: $.a.k, value: \"it's a=b\"}",
    does: |mut event| {
        if let Some((_, Plain::Object(inner))) = event.iter_mut().find(|(name, _)| *name == units("a"))
            && let Some((_, value)) = inner.iter_mut().find(|(name, _)| *name == units("k"))
        {
            *value = Plain::Text(units("it's a=b"));
        }
        Ok(vec![event])
    },
};

/// What is delivered, a line for each event, and how many failed.
fn plainly(steps: &[Step], event: Members, out: &mut String, failed: &mut u64) {
    let Some((step, rest)) = steps.split_first() else {
        write(&Plain::Object(event), out);
        return out.push('\n');
    };
    match (step.does)(event) {
        Ok(events) => events.into_iter().for_each(|event| plainly(rest, event, out, failed)),
        Err(Failed) => *failed += 1,
    }
}

fn pipeline(steps: &[Step], world: &World) -> Pipeline {
    let operations: Vec<_> = steps.iter().map(|step| step.config).collect();
    let text = format!(
        "{{version: 1, handler: {{type: S3Handler}}, sources: [{{name: a, deserializer: {{type: GenericJson}}}}], operations: [{}], \
         wrapper: {{type: PassthroughWrapper}}, serializer: {{type: Json}}, transport: {{type: Stdout}}}}",
        operations.join(", ")
    );
    let config = PipelineConfig::read(&Registry::default(), "config.yaml", &text, Variables::From(&|_| None));
    let config = config.unwrap_or_else(|report| panic!("{report}\n{text}"));
    Pipeline::new(&config, Environment::default(), world.ports()).unwrap()
}

/// Both ways, each event by itself.
fn both_ways(steps: &[Step], events: &[String]) -> Result<(), TestCaseError> {
    let world = World::new();
    let mut pipeline = pipeline(steps, &world);
    for event in events {
        let Plain::Object(plain) = (Reader { rest: event }).value() else {
            panic!("every event is an object: {event}")
        };
        let (mut expected, mut expected_failed) = (String::new(), 0);
        plainly(steps, plain, &mut expected, &mut expected_failed);
        let before = world.calls.made().len();
        let mut run = pipeline.begin(&Context::default());
        run.record(event.as_bytes());
        let ledger = run.finish().ledger;
        prop_assert!(ledger.balances(), "{:?}", ledger);
        let bodies = world.calls.made().into_iter().skip(before).map(|call| match call {
            Call::Stdout(body) => String::from_utf8(body.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        });
        prop_assert_eq!(bodies.collect::<String>(), expected, "of {}", event);
        let failed: u64 = ledger.failed.iter().map(|failed| failed.count).sum();
        prop_assert_eq!(failed, expected_failed, "of {}", event);
    }
    Ok(())
}

/// JSON that is hard on every step: as text, since the same value can be written in many ways.
fn value() -> BoxedStrategy<String> {
    let piece = prop::sample::select(vec![
        "a",
        "b",
        "k",
        ".",
        " ",
        "_",
        "1",
        "A",
        "é",
        "İ",
        "😀",
        "\u{2028}",
        "\u{7f}",
        "<",
        "&",
        "=",
        "'",
        "/",
        "\\/",
        "\\\"",
        "\\\\",
        "\\n",
        "\\u0000",
        "\\u003c",
        "\\u0061",
        "\\ud83d\\ude00",
        "\\ud800",
        "\\udc00",
        "\\u2029",
        "__str",
        "a long text, longer than a block",
    ]);
    let text = prop::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()));
    let known =
        prop::sample::select(vec!["\"a\"", "\"b\"", "\"k\"", "\"a.b\"", "\"A.B\"", "\"a b\"", "\"\\u0061\"", "\"1\""]);
    let name = prop_oneof![3 => known.prop_map(str::to_owned), 1 => text.clone()].boxed();
    let number = prop_oneof![
        prop::sample::select(vec!["0", "-0", "1.50", "1e5", "-1.5E+300", "0.1e-7", "123456789012345678901234567890.5"]),
        prop::sample::select(vec!["null", "null", "true", "false"]),
    ];
    let leaf = prop_oneof![number.prop_map(str::to_owned), text];
    let deep =
        (leaf.clone(), 1_usize..60).prop_map(|(leaf, depth)| "{\"a\":[".repeat(depth) + &leaf + &"]}".repeat(depth));
    let space = prop::sample::select(vec!["", "", "", " ", "\n\t"]);
    let leaf = prop_oneof![12 => leaf, 1 => deep].boxed();
    let object = move |inner: BoxedStrategy<String>| {
        let member = (space.clone(), name.clone(), inner)
            .prop_map(|(space, name, value)| format!("{space}{name}:{space}{value}{space}"));
        prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
    };
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            3 => object(inner.clone()),
            1 => prop::collection::vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(", "))),
        ]
    })
    .boxed()
}

/// An object: with what the steps look for, or with any members, and with records that are more or less alike.
fn event() -> impl Strategy<Value = String> {
    let a = prop::collection::vec(value(), 3)
        .prop_map(|v| format!("\"a\":{{\"b\":{},\"k\":{},\"x\":{}}}", v[0], v[1], v[2]));
    let any = (prop::sample::select(vec!["\"x\"", "\"a\"", "\"X\"", "\"a.b\""]), value())
        .prop_map(|(name, v)| format!("{name}:{v}"));
    let members =
        || prop::collection::vec(prop_oneof![a.clone(), any.clone()], 0..4).prop_map(|members| members.join(","));
    let record = prop_oneof![8 => members().prop_map(|members| format!("{{{members}}}")), 1 => value()];
    let records =
        prop::collection::vec(record, 0..5).prop_map(|records| format!("\"Records\":[{}]", records.join(",")));
    prop_oneof![
        members().prop_map(|members| format!("{{{members}}}")),
        (members(), records).prop_map(|(members, records)| match &*members {
            "" => format!("{{{records}}}"),
            _ => format!("{{{members},{records}}}"),
        }),
    ]
}

const CHAINS: &[&[Step]] = &[
    &[],
    &[FLATTEN],
    &[NAMES],
    &[DELETE],
    &[REPLACE],
    &[FLATTEN, NAMES],
    &[NAMES, FLATTEN],
    &[REPLACE, DELETE, FLATTEN],
    &[SPLIT],
    &[SPLIT, FLATTEN, NAMES],
    &[SPLIT, DELETE, REPLACE, NAMES],
    &[SPLIT, REPLACE, FLATTEN, FLATTEN, NAMES, NAMES],
];

#[test]
fn arbitrary_events_come_out_as_they_do_the_plain_way() {
    for (number, steps) in (0..).zip(CHAINS) {
        let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[number; 32]));
        let events = prop::collection::vec(event(), 1..5);
        let result = runner.run(&events, |events| both_ways(steps, &events));
        result.unwrap_or_else(|error| panic!("chain {number}: {error}"));
    }
}

#[test]
fn every_cloudtrail_file_comes_out_as_it_does_the_plain_way() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/cloudtrail");
    let mut files = vec![];
    find(&folder, &mut files);
    if files.is_empty() {
        return println!("skipped: no CloudTrail files in ../shared/corpus");
    }
    files.sort();
    for steps in CHAINS.iter().filter(|steps| steps.first().is_some_and(|step| step.config == SPLIT.config)) {
        both_ways(steps, &files).unwrap();
    }
}

/// The texts of all files of CloudTrail.
fn find(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            find(&path, files);
        } else if path.to_string_lossy().ends_with(".json.gz") {
            let mut text = String::new();
            MultiGzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
            // One of them is what a look-up gave: an array.
            files.push(if text.starts_with('[') { format!("{{\"Records\":{text}}}") } else { text });
        }
    }
}
