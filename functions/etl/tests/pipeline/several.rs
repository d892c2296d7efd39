//! More than one transport: which events go where, and that none is called safe before all have it.

use crate::{
    law::{far_side, says, take},
    parts::{Gate, Take, config, goes_on_at, kinesis, lines, pipeline, small, within},
};
use etl::{
    config::{NamedTransport, PipelineConfig},
    event::Stage,
    handlers::KinesisHandler,
    operations::RegexFilterOperation,
    pattern::WholePattern,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
    wrappers::{BasicWrapper, KinesisWrapper},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, time::Duration};

fn only(value: &str) -> RegexFilterOperation {
    RegexFilterOperation::builder().path("$.k").regex(WholePattern::new(value).unwrap()).exclude(false).build()
}

fn several(transports: Vec<NamedTransport>) -> PipelineConfig {
    let one = config(KinesisHandler::builder().build(), vec![Gate {}.into()], Take::default());
    PipelineConfig { transport: None, transports, ..one }
}

fn named(name: &str, take: &Take) -> NamedTransport {
    NamedTransport::builder().name(name).transport(Take { to: format!("{name}/"), ..take.clone() }).build()
}

/// What each transport got.
fn got(world: &World) -> BTreeMap<String, Vec<String>> {
    let mut got: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for call in world.calls.made() {
        let Call::PutRecordBatch { stream, records, .. } = call else { panic!("{call:?}") };
        got.entry(stream.split('/').next().unwrap().to_owned()).or_default().extend(lines(&records));
    }
    got
}

#[test]
fn an_event_goes_to_every_transport_that_wants_it_in_its_envelope() {
    let world = World::new();
    let config = several(vec![
        NamedTransport { when: Some(only("a|b").into()), ..named("ab", &Take::default()) },
        NamedTransport {
            wrapper: Some(KinesisWrapper {}.into()),
            when: Some(only("a").into()),
            ..named("a", &Take::default())
        },
        NamedTransport { when: Some(only("c").into()), ..named("c", &Take::default()) },
    ]);
    let records = [r#"{"k":"a"}"#, r#"{"k":"b"}"#, r#"{"k":"none"}"#];
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records), &within(Duration::from_secs(9)));
    let got = got(&world);
    assert_eq!(got["ab"], [r#"{"k":"a"}"#, r#"{"k":"b"}"#]);
    assert!(got["a"][0].contains(r#""payload":{"k":"a"}"#), "{got:?}");
    assert_eq!((got["a"].len(), got.get("c")), (1, None));
    let ledger = invoked.ledger;
    assert_eq!((ledger.received, ledger.born, ledger.delivered), (3, 1, 3));
    assert_eq!(ledger.dropped, BTreeMap::from([("no transport wants it".into(), 1)]));
    assert!(ledger.balances());
}

#[test]
fn a_transport_that_is_out_keeps_the_trigger_and_holds_no_other_up() {
    let world = World::new();
    world.calls.answer(|call| match call {
        Call::PutRecordBatch { stream, .. } if stream.starts_with("down") => {
            Reply::Now(Answer::Silence("connection refused".into()))
        }
        call => Reply::Now(RecordedCalls::taken(call)),
    });
    let config = several(vec![named("down", &Take::default()), named("up", &Take::default())]);
    let records = [r#"{"id":1}"#, r#"{"id":2}"#];
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records), &within(Duration::from_secs(9)));
    assert_eq!(goes_on_at(&invoked), Some(0));
    assert_eq!(got(&world)["up"], records);
    let failed = &invoked.ledger.failed;
    assert_eq!((failed.len(), &*failed[0].component, failed[0].count), (1, "down", 2));
    assert_eq!((invoked.ledger.delivered, invoked.delivered_again, invoked.handed_back), (2, 2, 2));
}

#[test]
fn an_envelope_for_one_is_not_seen_by_another() {
    let world = World::new();
    let wrapped = NamedTransport { wrapper: Some(BasicWrapper {}.into()), ..named("wrapped", &Take::default()) };
    let config = several(vec![wrapped, named("plain", &Take::default())]);
    pipeline(&world, &config).invoke(&kinesis(&[r#"{"id":1.50}"#]), &within(Duration::from_secs(9)));
    let got = got(&world);
    assert_eq!(got["plain"], [r#"{"id":1.50}"#]);
    assert!(got["wrapped"][0].contains(r#""payload":{"id":1.50}"#));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_copy_is_accounted_for_and_nothing_is_safe_that_not_all_have(
        kinds in prop::collection::vec(prop_oneof![3 => Just("ab"), 1 => Just("a"), 1 => Just("b"), 1 => Just("none")], 0..30),
        scripts in (prop::collection::vec(says(), 0..6), prop::collection::vec(says(), 0..6)),
        takes in (take(), take()),
        bound in 100..3000_usize,
        seconds in 1..4_u64,
    ) {
        let world = World::new();
        let (in_a, mut a) = far_side(scripts.0, takes.0.closes);
        let (in_b, mut b) = far_side(scripts.1, takes.1.closes);
        world.calls.answer(move |call| match call {
            Call::PutRecordBatch { stream, .. } if stream.starts_with("a/") => a(call),
            call => b(call),
        });
        let config = several(vec![
            NamedTransport { when: Some(only("a|ab").into()), ..named("a", &takes.0) },
            NamedTransport { when: Some(only("b|ab").into()), ..named("b", &takes.1) },
        ]);
        let records: Vec<_> = kinds.iter().zip(0..).map(|(k, id)| format!(r#"{{"id":"{id}","k":"{k}","p":"{}"}}"#, id % 2)).collect();
        let mut pipeline = small(pipeline(&world, &config), bound);

        let invoked = pipeline.invoke(&kinesis(&records), &within(Duration::from_secs(seconds)));

        let ledger = &invoked.ledger;
        prop_assert!(ledger.balances(), "{ledger:?}");
        let (in_a, in_b) = (in_a.lock().unwrap(), in_b.lock().unwrap());
        prop_assert!(in_a.values().chain(in_b.values()).all(|&times| times == 1), "{:?} {:?}", in_a, in_b);
        prop_assert_eq!(ledger.delivered, (in_a.len() + in_b.len()) as u64, "{:?}", ledger);
        let safe = goes_on_at(&invoked).unwrap_or(records.len());
        let mut missing = 0;
        for (id, kind) in kinds.iter().enumerate().take(safe) {
            let id = id.to_string();
            missing += u64::from(kind.contains('a') && !in_a.contains_key(&id));
            missing += u64::from(kind.contains('b') && !in_b.contains_key(&id));
        }
        let refused: u64 = ledger.failed.iter().filter(|f| f.stage == Stage::Transport).map(|f| f.count).sum();
        prop_assert!(missing <= refused, "{missing} missing, {ledger:?}");
    }
}
