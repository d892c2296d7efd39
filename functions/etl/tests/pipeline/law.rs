//! The law: received + born = delivered + dropped + failed, and nothing is called safe that is not.

use crate::parts::{Gate, Take, config, goes_on_at, kinesis, lines, pipeline, small, within};
use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    handlers::KinesisHandler,
    operations::{ForkOperation, JsonArraySplitOperation, Operation, fork::Fork},
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use payload::Path;
use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Says in an event's `id` which copy it is.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Twin {
    copy: char,
}

impl Component for Twin {
    const NAME: &'static str = "Twin";
    const EXAMPLE: &'static str = "type: Twin\ncopy: x\n";
}

impl Operation for Twin {
    type State = Path;
    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Ok(Path::member("id"))
    }
    fn perform(&self, id: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let text = event.payload.get_str(id).unwrap_or_default().into_owned() + &self.copy.to_string();
        event.payload.set(id, &text)?;
        Ok(Outcome::Pass)
    }
}

/// What a record is.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// Elements of its array.
    Split(Vec<Element>),
    NoArray,
    NotJson,
    NotUtf8,
    Large,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Element {
    Event,
    Dropped,
    Failed,
    NoObject,
}

fn element() -> impl Strategy<Value = Element> {
    prop_oneof![
        8 => Just(Element::Event),
        2 => Just(Element::Dropped),
        1 => Just(Element::Failed),
        1 => Just(Element::NoObject),
    ]
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        10 => prop::collection::vec(element(), 0..5).prop_map(Record::Split),
        1 => Just(Record::NoArray),
        1 => Just(Record::NotJson),
        1 => Just(Record::NotUtf8),
        1 => Just(Record::Large),
    ]
}

/// How a far side answers a call.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Taken,
    Again,
    Never,
    /// For each unit in turn: taken, not now, never.
    Units(Vec<u8>),
    /// An answer that does not fit the call.
    Misfit,
}

pub(crate) fn says() -> impl Strategy<Value = Says> {
    prop_oneof![
        6 => Just(Says::Taken),
        2 => Just(Says::Again),
        1 => Just(Says::Never),
        4 => prop::collection::vec(0..3_u8, 1..4).prop_map(Says::Units),
        1 => Just(Says::Misfit),
    ]
}

pub(crate) fn take() -> impl Strategy<Value = Take> {
    let some = (any::<bool>(), any::<bool>(), any::<bool>(), prop_oneof![Just(None), (0..3_u32).prop_map(Some)]);
    (1..5_usize, 1..4_usize, prop_oneof![Just(0), Just(60)], some).prop_map(
        |(units, threads, unit_bytes, (ordered, by_partition, closes, retries))| Take {
            units,
            threads,
            unit_bytes,
            ordered: ordered || closes,
            by_partition,
            closes,
            retries,
            ..Take::default()
        },
    )
}

pub(crate) fn text(number: usize, record: &Record) -> Vec<u8> {
    let element = |(index, element): (usize, &Element)| match element {
        Element::Event => format!(r#"{{"id":"{number}.{index}","p":"{}"}}"#, index % 2),
        Element::Dropped => r#"{"do":"drop"}"#.to_owned(),
        Element::Failed => r#"{"do":"fail"}"#.to_owned(),
        Element::NoObject => "5".to_owned(),
    };
    match record {
        Record::Split(elements) => {
            let elements: Vec<_> = elements.iter().enumerate().map(element).collect();
            format!(r#"{{"all":[{}]}}"#, elements.join(",")).into_bytes()
        }
        Record::NoArray => br#"{"all":1}"#.to_vec(),
        Record::NotJson => b"{".to_vec(),
        Record::NotUtf8 => b"{\"all\":\"\xff\"}".to_vec(),
        Record::Large => format!(r#"{{"all":[{{"x":"{}"}}]}}"#, "x".repeat(1000)).into_bytes(),
    }
}

/// The events of a record that can be delivered.
pub(crate) fn deliverable(number: usize, record: &Record) -> Vec<String> {
    let Record::Split(elements) = record else { return vec![] };
    if elements.iter().any(|element| matches!(element, Element::NoObject)) {
        return vec![];
    }
    let events = elements.iter().enumerate().filter(|(_, element)| matches!(element, Element::Event));
    events.map(|(index, _)| format!("{number}.{index}")).collect()
}

/// The far side: what it took, and how often.
pub(crate) type Taken = Arc<Mutex<BTreeMap<String, usize>>>;

pub(crate) fn far_side(script: Vec<Says>, closes: bool) -> (Taken, impl FnMut(&Call) -> Reply + Send + 'static) {
    let taken = Taken::default();
    let memory = Arc::clone(&taken);
    // Of partitions that are safe only when they are closed.
    let mut held: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut turn = 0;
    let answer = move |call: &Call| {
        let Call::PutRecordBatch { stream, records, .. } = call else { panic!("{call:?}") };
        let mut taken = memory.lock().unwrap();
        if stream.ends_with('?') {
            held.remove(stream.trim_end_matches('?'));
            return Reply::Now(Answer::Done(None));
        }
        let mut take = |records: &[bytes::Bytes]| {
            for line in lines(records) {
                let id = serde_json::from_str::<serde_json::Value>(&line).unwrap()["id"].as_str().unwrap().to_owned();
                *taken.entry(id).or_default() += 1;
            }
        };
        let says = script.get(turn % (script.len() + 1)).unwrap_or(&Says::Taken);
        turn += 1;
        match says {
            Says::Taken | Says::Units(_) if closes => {
                let key = stream.trim_end_matches('!').to_owned();
                held.entry(key.clone()).or_default().extend(lines(records));
                if stream.ends_with('!') {
                    let all: Vec<_> = held.remove(&key).unwrap_or_default().into_iter().map(Into::into).collect();
                    take(&all);
                }
                Reply::Now(Answer::Done(None))
            }
            Says::Taken => {
                take(records);
                Reply::Now(RecordedCalls::taken(call))
            }
            Says::Again => Reply::Now(Answer::Silence("timeout".into())),
            Says::Never => {
                held.remove(stream.trim_end_matches('!'));
                Reply::Now(Answer::Refused { code: "never".into(), status: Some(400) })
            }
            Says::Misfit => Reply::Now(Answer::Records(vec![None; records.len() + 1])),
            Says::Units(units) => {
                let codes = records.iter().zip(units.iter().cycle()).map(|(record, says)| match says {
                    0 => {
                        take(std::slice::from_ref(record));
                        None
                    }
                    1 => Some("again".to_owned()),
                    _ => Some("never".to_owned()),
                });
                Reply::Now(Answer::Records(codes.collect()))
            }
        }
    };
    (taken, answer)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_accounted_for_and_nothing_is_safe_that_is_not(
        records in prop::collection::vec(record(), 0..25),
        script in prop::collection::vec(says(), 0..8),
        take in take(),
        bound in 100..3000_usize,
        seconds in 1..4_u64,
        forks in prop_oneof![Just(""), Just("+"), Just("+-"), Just("+-*")],
    ) {
        let world = World::new();
        let (taken, answers) = far_side(script, take.closes);
        world.calls.answer(answers);
        let split = JsonArraySplitOperation::builder().path("$.all").build();
        let fork = |copy: char| Fork { operations: vec![Twin { copy }.into()] };
        let fork = ForkOperation { forks: forks.chars().map(fork).collect() };
        let operations = vec![split.into(), Gate {}.into(), fork.into()];
        let config = config(KinesisHandler::builder().build(), operations, take);
        let mut pipeline = small(pipeline(&world, &config), bound);
        let texts: Vec<_> = records.iter().enumerate().map(|(number, record)| text(number, record)).collect();

        let invoked = pipeline.invoke(&kinesis(&texts), &within(Duration::from_secs(seconds)));

        let ledger = &invoked.ledger;
        prop_assert!(ledger.balances(), "{ledger:?}");
        prop_assert_eq!(ledger.received, records.len() as u64);
        let taken = taken.lock().unwrap();
        prop_assert!(taken.values().all(|&times| times == 1), "nothing is sent again that was taken: {:?}", taken);
        prop_assert_eq!(ledger.delivered, taken.len() as u64, "{:?}", ledger);

        // What is not handed back is delivered, or its failure is in the ledger.
        let safe = goes_on_at(&invoked).unwrap_or(records.len());
        let wanted = records.iter().enumerate().take(safe).flat_map(|(n, record)| deliverable(n, record));
        let copies: Vec<_> = if forks.is_empty() { vec![String::new()] } else { forks.chars().map(String::from).collect() };
        let wanted: Vec<_> = wanted.flat_map(|id| copies.iter().map(move |copy| id.clone() + copy)).collect();
        let missing = wanted.iter().filter(|id| !taken.contains_key(*id)).count() as u64;
        let refused: u64 = ledger.failed.iter().filter(|f| f.stage == etl::event::Stage::Transport).map(|f| f.count).sum();
        prop_assert!(missing <= refused, "{missing} missing of {safe} safe records, {ledger:?}");
        if invoked.handed_back == 0 {
            prop_assert_eq!(safe, records.len());
        }
    }
}
