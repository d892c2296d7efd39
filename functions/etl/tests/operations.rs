//! What holds for every operation that is registered, on whatever comes: its own example is the config, so a new one is tested as soon as
//! it has one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot unwrap, it fails for")]

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Ledger, Pipeline},
    ports::Call,
    registry::Registry,
    testing::World,
};
use payload::{Arena, Kind, Value};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::cell::Cell;

/// Name and example of each operation.
fn examples(registry: &Registry) -> Vec<(&'static str, &'static str)> {
    let rooms = registry.rooms();
    let (_, _, room) = rooms.iter().find(|(_, key, _)| *key == "operation").unwrap();
    room.rows().map(|declared| (declared.name, declared.example)).collect()
}

/// An entry of a list.
fn entry(text: &str) -> String {
    format!("- {}\n", text.trim_end().replace('\n', "\n  "))
}

/// The pipeline that has these entries of `operations`.
fn config(registry: &Registry, operations: &str) -> PipelineConfig {
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources:
- name: a
  deserializer: {{type: GenericJson}}
operations:
{operations}wrapper: {{type: BasicWrapper}}
serializer: {{type: Json}}
transport: {{type: Stdout}}
"
    );
    let variables = Variables::From(&|_| Some("what a variable holds".to_owned()));
    PipelineConfig::read(registry, "example.yaml", &text, variables).unwrap_or_else(|report| panic!("{report}\n{text}"))
}

/// What is delivered of records, and the ledger.
fn run(config: &PipelineConfig, records: &[String]) -> (String, Ledger) {
    let world = World::new();
    let mut pipeline = Pipeline::new(config, Environment::default(), world.ports()).unwrap();
    let mut run = pipeline.begin(&Context::default());
    for record in records {
        run.record(record.as_bytes());
    }
    let ledger = run.finish().ledger;
    let bodies = world.calls.made().into_iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    (bodies.collect(), ledger)
}

/// The names of the fields that a config has paths of, and what else is a word in it if there are none.
fn names(text: &str) -> Vec<String> {
    let word =
        |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default().to_owned();
    let paths: Vec<_> = text.split("$.").skip(1).map(word).collect();
    let all = if paths.is_empty() { text.split([' ', '\n']).map(word).collect() } else { paths };
    all.into_iter().filter(|name| !name.is_empty()).collect()
}

/// JSON texts, with names that an operation looks for and values that are hard on some.
fn json(names: Vec<String>) -> impl Strategy<Value = String> {
    let odd = ["a.b", "A", "é", "", "k\\\"q", "\\ud800", "__x"].map(str::to_owned);
    let name = prop::sample::select([names.clone(), odd.to_vec()].concat());
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]),
        prop::sample::select(vec![
            "0",
            "-0",
            "1.50",
            "1e5",
            "12345678901234567890123",
            "0.1e-7",
            "1700000000",
            "1700000000123"
        ]),
        prop::sample::select(vec![
            r#""""#,
            r#""error""#,
            r#""%C3%A9+%zz""#,
            r#""10.1.2.3, x""#,
            r#""2026-11-23T10:30:05Z""#,
            r#""{\"a\":1.50}""#,
            r#""user=bob id=42""#,
            r#""\ud800\u0000\"""#,
            r#""4111 1111 1111 1111 ada@example.org""#,
        ]),
    ];
    let leaf = leaf.prop_map(str::to_owned).boxed();
    let value = leaf.clone().prop_recursive(4, 24, 4, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            3 => prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            1 => prop::collection::vec(inner, 1..3).prop_map(|elements| format!(r#"[{{"e":{}}}]"#, elements.join(r#"},{"e":"#))),
        ]
    });
    // An event that has all that is looked for, more often than not.
    let looked_for = prop::collection::vec(prop_oneof![leaf, value.clone()], names.len()).prop_map(move |values| {
        let members = names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    prop_oneof![12 => looked_for, 7 => value, 1 => Just("{\"a\":".to_owned())]
}

fn numbers(value: Value<'_>, of: &str, out: &mut Vec<(String, String)>) {
    match value.kind() {
        Kind::Integer | Kind::Float => out.push((of.to_owned(), value.to_text().into_owned())),
        Kind::Array => value.elements().for_each(|element| numbers(element, of, out)),
        Kind::Object => value.members().for_each(|(name, value)| numbers(value, &name, out)),
        _ => {}
    }
}

/// What must hold, whatever the operations are. Counts what is delivered.
fn laws(config: &PipelineConfig, records: &[String], all: &Cell<u64>) -> Result<(), TestCaseError> {
    let (delivered, ledger) = run(config, records);
    prop_assert!(ledger.balances(), "{:?}", ledger);
    prop_assert_eq!(ledger.received, records.len() as u64);
    prop_assert_eq!(delivered.lines().count() as u64, ledger.delivered);
    all.set(all.get() + ledger.delivered);
    let mut arena = Arena::new();
    for line in delivered.lines() {
        let event =
            arena.parse_slice(line.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}: {line}")))?;
        let mut found = vec![];
        numbers(event.root(), "", &mut found);
        for (name, number) in found {
            let came = records.iter().any(|record| record.contains(&number));
            // Times are of the wrapper, and of the format that Graylog reads.
            prop_assert!(came || name.contains("timestamp"), "{}: {} came from nowhere: {:?}", name, number, records);
        }
    }
    prop_assert_eq!(run(config, records), (delivered, ledger), "the same again");
    Ok(())
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

#[test]
fn every_operation_accounts_for_every_event_and_keeps_the_text_of_numbers() {
    let registry = Registry::default();
    let examples = examples(&registry);
    assert!(examples.len() >= 19, "{}", examples.len());
    let mut idle = vec![];
    for (name, example) in examples {
        let (config, delivered) = (config(&registry, &entry(example)), Cell::new(0));
        let records = prop::collection::vec(json(names(example)), 1..6);
        let result = runner(60).run(&records, |records| laws(&config, &records, &delivered));
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
        idle.extend(Some(name).filter(|_| delivered.get() == 0));
    }
    assert!(idle.is_empty(), "nothing is ever delivered by {idle:?}");
}

#[test]
fn so_does_every_chain_of_operations_and_every_fork_of_chains() {
    let registry = Registry::default();
    let examples = examples(&registry);
    let all: String = examples.iter().map(|(_, example)| *example).collect();
    let chain = || prop::collection::vec(prop::sample::select(examples.clone()), 0..4);
    let delivered = Cell::new(0);
    let made = (chain(), chain(), chain(), prop::collection::vec(json(names(&all)), 1..5));
    let result = runner(150).run(&made, |(first, second, behind, records)| {
        let list = |chain: &[(&str, &str)]| chain.iter().map(|(_, example)| entry(example)).collect::<String>();
        let branch = |chain: &[(&str, &str)]| {
            let operations = if chain.is_empty() { " []".to_owned() } else { format!("\n{}", list(chain)) };
            entry(&format!("operations:{operations}"))
        };
        let fork = format!("type: ForkOperation\nforks:\n{}{}", branch(&first), branch(&second));
        laws(&config(&registry, &(entry(&fork) + &list(&behind))), &records, &delivered)
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(delivered.get() > 100, "{}", delivered.get());
}
