//! Dead letters: whatever fails, in whatever operation, is in a letter; and a letter that goes through the pipeline again fails in the
//! same way, and nothing else comes of it.

use crate::{
    events::{json, names},
    kit::{Parts, context, entry, examples, pipeline, run, runner, written},
    operations::{RICHER, files},
};
use etl::{config::PipelineConfig, event::Stage, pipeline::Ledger, registry::Registry, testing::World};
use proptest::prelude::*;
use serde_json::Value;
use std::cell::Cell;

fn laws(config: &PipelineConfig, records: &[String], all: &Cell<u64>) -> Result<(), TestCaseError> {
    let world = World::new();
    files(&world);
    let ledger = run(config, &world, records).ledger;
    prop_assert!(ledger.balances(), "{:?}", ledger);
    let letters = written(&world);
    let mut failed = 0;
    for letter in letters.lines() {
        let letter: Value = serde_json::from_str(letter).unwrap();
        let text = letter["event"].as_str().unwrap_or_default();
        prop_assert!(records.iter().any(|record| record == text), "{} was not received", letter);
        failed += letter["elements"].as_array().map_or(1, Vec::len) as u64;
    }
    // What is handed back, as when a file is not there, comes again by itself.
    prop_assert_eq!(failed, ledger.all_failed() - ledger.handed_back(), "{}", letters);
    prop_assert_eq!(letters.lines().count() as u64, ledger.dead_lettered);
    all.set(all.get() + failed);

    let again = World::new();
    files(&again);
    let list: Vec<&str> = letters.lines().collect();
    let invocation = format!(r#"{{"dead_letters":[{}]}}"#, list.join(","));
    let Ledger { delivered, dropped, failed, .. } =
        pipeline(config, &again).invoke(invocation.as_bytes(), &context()).ledger;
    let faults: Vec<_> = ledger.failed.into_iter().filter(|failed| failed.stage != Stage::Delivery).collect();
    prop_assert_eq!((delivered, dropped.is_empty(), failed), (0, true, faults));
    prop_assert_eq!(written(&again), letters, "the same letters again");
    Ok(())
}

#[test]
fn whatever_fails_in_an_operation_is_in_a_letter_that_fails_in_the_same_way() {
    let registry = Registry::default();
    let failed = Cell::new(0);
    for operation in examples(&registry, "operation").iter().map(|(_, example)| *example).chain(RICHER) {
        let split = entry(
            "type: ForkOperation\nforks:\n- operations: []\n- operations: [{type: JsonArraySplitOperation, path: $.a}]",
        );
        for operations in [entry(operation), split + &entry(operation)] {
            let parts = Parts { operations: &operations, transport: "type: DevNull", ..Parts::default() };
            let text = parts.text() + "dead_letter: {type: Stdout}\n";
            let config = Parts::read_text(&registry, &text).unwrap_or_else(|report| panic!("{report}\n{text}"));
            let records = prop::collection::vec(json(names(operation)), 1..5);
            let result = runner(25).run(&records, |records| laws(&config, &records, &failed));
            result.unwrap_or_else(|error| panic!("{operations}: {error}"));
        }
    }
    assert!(failed.get() > 100, "{}", failed.get());
}
