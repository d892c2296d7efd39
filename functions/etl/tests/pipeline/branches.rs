//! Forks, conditions and splits in any order and inside each other.

use crate::parts::{Take, config, kinesis, lines, pipeline};
use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    config::{OperationConfig, PipelineConfig, Variables},
    event::{Context, Event, Fault, Outcome},
    handlers::KinesisHandler,
    operations::{
        BasicFilterOperation, ConditionalOperation, ForkOperation, JsonArraySplitOperation, Operation,
        RegexFilterOperation, conditional::Condition, fork::Fork,
    },
    pattern::WholePattern,
    pipeline::Ledger,
    ports::Call,
    registry::Registry,
    testing::World,
    wrappers::BasicWrapper,
};
use payload::Path;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs};

/// Appends to the text of `trail`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Append {
    append_str: String,
}

impl Component for Append {
    const NAME: &'static str = "DummyAppendOperationHelper$DummyAppendOperationConfig";
    const EXAMPLE: &'static str = "type: DummyAppendOperationHelper$DummyAppendOperationConfig\nappend_str: x\n";
}

impl Operation for Append {
    type State = Path;
    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Ok(Path::member("trail"))
    }
    fn perform(&self, trail: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let text = event.payload.get_str(trail).unwrap_or_default().into_owned() + &self.append_str;
        event.payload.set(trail, &text)?;
        Ok(Outcome::Pass)
    }
}

/// Says which element and which copy an event is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Place {}

impl Component for Place {
    const NAME: &'static str = "Place";
    const EXAMPLE: &'static str = "type: Place\n";
}

impl Operation for Place {
    type State = Path;
    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Ok(Path::member("place"))
    }
    fn perform(&self, place: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let elements = format!("{:?}", event.facts.elements);
        event.payload.set(place, &elements)?;
        Ok(Outcome::Pass)
    }
}

/// An event, with events in it.
#[derive(Clone, Debug)]
struct Made {
    kind: char,
    trail: String,
    all: Option<Vec<Made>>,
}

impl Made {
    fn json(&self) -> Value {
        let mut out = json!({ "kind": self.kind, "trail": self.trail });
        if let Some(all) = &self.all {
            out["all"] = all.iter().map(Self::json).collect();
        }
        out
    }
}

/// A step, and what it is known to do.
#[derive(Clone, Debug)]
enum Known {
    Append(char),
    Filter(char),
    Split,
    Fork(Vec<Vec<Known>>),
    Choose(Vec<(Option<char>, Vec<Known>)>, bool),
}

fn filter(kind: Option<char>) -> OperationConfig {
    let Some(kind) = kind else { return BasicFilterOperation { pass: true }.into() };
    let regex = WholePattern::new(&kind.to_string()).unwrap();
    RegexFilterOperation::builder().regex(regex).path("$.kind").exclude(false).build().into()
}

fn operations(steps: &[Known]) -> Vec<OperationConfig> {
    let fork = |steps: &Vec<Known>| Fork { operations: operations(steps) };
    let condition = |(kind, steps): &(Option<char>, Vec<Known>)| Condition {
        condition: filter(*kind),
        operations: operations(steps),
    };
    let operation = |step: &Known| match step {
        Known::Append(letter) => Append { append_str: letter.to_string() }.into(),
        Known::Filter(kind) => filter(Some(*kind)),
        Known::Split => JsonArraySplitOperation::builder().path("$.all").build().into(),
        Known::Fork(forks) => ForkOperation { forks: forks.iter().map(fork).collect() }.into(),
        Known::Choose(conditions, drop) => {
            let conditions = conditions.iter().map(condition).collect();
            ConditionalOperation { conditions, filter_non_match: *drop }.into()
        }
    };
    steps.iter().map(operation).collect()
}

/// What becomes of an event: those that are delivered, in order, how many are dropped, how many fail.
fn known(steps: &[Known], mut event: Made, out: &mut (Vec<Value>, u64, u64)) {
    let Some((step, rest)) = steps.split_first() else { return out.0.push(event.json()) };
    let through = |branch: &[Known]| [branch, rest].concat();
    match step {
        Known::Append(letter) => {
            event.trail.push(*letter);
            known(rest, event, out);
        }
        Known::Filter(kind) if event.kind == *kind => known(rest, event, out),
        Known::Filter(_) => out.1 += 1,
        Known::Split => match event.all {
            None => out.2 += 1,
            Some(all) if all.is_empty() => out.1 += 1,
            Some(all) => all.into_iter().for_each(|element| known(rest, element, out)),
        },
        Known::Fork(forks) if forks.is_empty() => known(rest, event, out),
        Known::Fork(forks) => forks.iter().for_each(|fork| known(&through(fork), event.clone(), out)),
        Known::Choose(conditions, drop) => {
            match conditions.iter().find(|(kind, _)| kind.is_none_or(|kind| kind == event.kind)) {
                Some((_, branch)) => known(&through(branch), event, out),
                None if *drop => out.1 += 1,
                None => known(rest, event, out),
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Known>> {
    let letter = || prop::sample::select(vec!['a', 'b', 'c']);
    let leaf = prop_oneof![
        4 => letter().prop_map(Known::Append),
        1 => letter().prop_map(Known::Filter),
        2 => Just(Known::Split),
    ];
    let step = leaf.prop_recursive(3, 12, 3, move |inner| {
        let branch = prop::collection::vec(inner, 0..3);
        prop_oneof![
            prop::collection::vec(branch.clone(), 0..4).prop_map(Known::Fork),
            (prop::collection::vec((prop::option::of(letter()), branch), 0..3), any::<bool>())
                .prop_map(|(conditions, drop)| Known::Choose(conditions, drop)),
        ]
    });
    prop::collection::vec(step, 0..4)
}

fn event() -> impl Strategy<Value = Made> {
    let kind = || prop::sample::select(vec!['a', 'b', 'c']);
    let leaf = kind().prop_map(|kind| Made { kind, trail: String::new(), all: None });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (kind(), prop::collection::vec(inner, 0..4)).prop_map(|(kind, all)| Made {
            kind,
            trail: String::new(),
            all: Some(all),
        })
    })
}

/// What is delivered of records, and the ledger.
fn run(operations: Vec<OperationConfig>, records: &[String]) -> (Vec<Value>, Ledger) {
    let world = World::new();
    let config = config(KinesisHandler::builder().build(), operations, Take::default());
    let invoked = pipeline(&world, &config).invoke(&kinesis(records), &Context::default());
    let delivered = world.calls.made().into_iter().flat_map(|call| match call {
        Call::PutRecordBatch { records, .. } => lines(&records),
        other => panic!("{other:?}"),
    });
    (delivered.map(|line| serde_json::from_str(&line).unwrap()).collect(), invoked.ledger)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_branch_does_its_own_in_order_and_every_event_is_accounted_for(
        steps in steps(),
        events in prop::collection::vec(event(), 1..4),
    ) {
        let mut expected = (vec![], 0, 0);
        for event in &events {
            known(&steps, event.clone(), &mut expected);
        }
        let records: Vec<_> = events.iter().map(|event| event.json().to_string()).collect();

        let (delivered, ledger) = run(operations(&steps), &records);

        prop_assert!(ledger.balances(), "{:?}", ledger);
        prop_assert_eq!((ledger.all_dropped(), ledger.all_failed()), (expected.1, expected.2), "{:?}", ledger);
        prop_assert_eq!(delivered, expected.0);
    }

    #[test]
    fn no_two_events_of_one_record_have_the_same_place(steps in steps(), event in event()) {
        let mut operations = operations(&steps);
        operations.push(Place {}.into());
        let (delivered, _) = run(operations, &[event.json().to_string()]);
        let places: BTreeSet<_> = delivered.iter().map(|event| event["place"].to_string()).collect();
        prop_assert_eq!(places.len(), delivered.len());
    }
}

/// What the configs of Bender's own tests make of an event.
fn fixture(name: &str) -> Option<(Vec<String>, Ledger)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpus/bender/operations/src/test/resources/config");
    if !folder.is_dir() {
        println!("skipped: the corpus is not there");
        return None;
    }
    let mut text = fs::read_to_string(folder.join(format!("handler_config_{name}.yaml"))).unwrap();
    for (dummy, ours) in [
        ("DummyHandlerHelper$DummyHandler", "KinesisHandler"),
        ("DummyDeserializerHelper$DummyDeserializerConfig", "GenericJson"),
        ("DummyFilterOperationHelper$DummyFilterOperationConfig", "BasicFilterOperation\n        pass: true"),
        ("DummyThrottleOperationHelper$DummyThrottleOperationConfig", "Place"),
        ("DummyWrapperHelper$DummyWrapperConfig", "PassthroughWrapper"),
        ("DummySerializerHelper$DummySerializerConfig", "Json"),
        ("DummyTransportHelper$DummyTransporterConfig\n  threads: 1", "Stdout"),
    ] {
        text = text.replace(dummy, ours);
    }
    let mut registry = Registry::default();
    registry.operations.add::<Append>().add::<Place>();
    let config = PipelineConfig::read(&registry, name, &text, Variables::Bound(&[])).unwrap_or_else(|r| panic!("{r}"));
    let world = World::new();
    let invoked =
        pipeline(&world, &config).invoke(&kinesis(&[r#"{"trail":"0"}"#, r#"{"trail":"1"}"#]), &Context::default());
    let delivered = world.calls.made().into_iter().flat_map(|call| match call {
        Call::Stdout(body) => lines(&[body]),
        other => panic!("{other:?}"),
    });
    let trail = |line: String| serde_json::from_str::<Value>(&line).unwrap()["trail"].as_str().unwrap().to_owned();
    Some((delivered.map(trail).collect(), invoked.ledger))
}

#[test]
fn benders_own_forks_and_conditions_do_what_its_tests_expect() {
    for (name, expected) in [
        ("two_fork", vec!["0+-", "0-+", "1+-", "1-+"]),
        ("three_fork", vec!["0+-", "0-+", "0_", "1+-", "1-+", "1_"]),
        ("nested_fork", vec!["0+", "0-", "1+", "1-"]),
        ("slower_fork", vec!["0+", "0-", "1+", "1-"]),
        ("one_condition", vec!["0-", "1-"]),
        ("one_condition_slow", vec!["0+", "1+"]),
        ("two_conditions", vec!["0+", "1+"]),
        ("filterout", vec![]),
    ] {
        let Some((trails, ledger)) = fixture(name) else { return };
        assert_eq!(trails, expected, "{name}");
        assert!(ledger.balances(), "{name}: {ledger:?}");
    }
}

#[test]
fn elements_are_hashed_where_a_branch_splits_and_texts_where_none_does() {
    let split: OperationConfig = JsonArraySplitOperation::builder().path("$.all").build().into();
    let fork = ForkOperation { forks: vec![Fork { operations: vec![split] }, Fork::default()] };
    let world = World::new();
    let config = PipelineConfig {
        wrapper: Some(BasicWrapper {}.into()),
        ..config(KinesisHandler::builder().build(), vec![fork.into()], Take::default())
    };
    pipeline(&world, &config).invoke(&kinesis(&[r#"{"all":[{"foo":1}]}"#]), &Context::default());
    let Some(Call::PutRecordBatch { records, .. }) = world.calls.made().pop() else { panic!("a call") };
    let hash = |line: &String| serde_json::from_str::<Value>(line).unwrap()["sha1_hash"].clone();
    let text = etl::event::sha1_hex(br#"{"all":[{"foo":1}]}"#);
    assert_eq!(
        lines(&records).iter().map(hash).collect::<Vec<_>>(),
        ["6a00541bfa24fd59884de557be71f3a5a1344613", std::str::from_utf8(&text).unwrap()]
    );
}

#[test]
fn what_is_needed_in_branches_is_needed() {
    let registry = Registry::default();
    let text = "
version: 1
handler: {type: KinesisHandler}
sources:
- name: a
  deserializer: {type: GenericJson}
  operations:
  - type: ForkOperation
    forks:
    - operations:
      - type: ConditionalOperation
        conditions:
        - condition: {type: BasicFilterOperation, pass: true}
          operations:
          - {type: GeoIpOperation, src_field_name: ip, geo_lite_db: s3://bucket/key, geo_properties: [CITY_NAME]}
wrapper: {type: PassthroughWrapper}
serializer: {type: Json}
transport: {type: DevNull}
";
    let config = PipelineConfig::read(&registry, "a.yaml", text, Variables::Bound(&[])).unwrap();
    assert_eq!(config.needs().len(), 1);
    assert_eq!(config.needs()[0].actions, ["s3:GetObject"]);
    let again = PipelineConfig::read(&registry, "a.json", &config.to_json(), Variables::Bound(&[])).unwrap();
    assert_eq!(again, config);
}
