//! Wrappers and serializers: whatever the handler, the envelope and the spelling, an event's own text is written as it is without them.

use crate::{
    events::records,
    kit::{Parts, examples, numbers, plain, run, runner, written},
};
use etl::{component::Rows as _, config::PipelineConfig, registry::Registry, testing::World};
use proptest::prelude::*;
use serde_json::Value;
use std::{cell::Cell, collections::BTreeSet};

/// The example of each serializer, with every spelling that it has.
fn serializers(registry: &Registry) -> Vec<String> {
    let mut all = vec![];
    for declared in registry.serializers.rows() {
        all.push(declared.example.to_owned());
        let policies = &declared.schema()["properties"]["field_naming_policy"];
        let words = ["oneOf", "anyOf"].iter().filter_map(|key| policies[key].as_array()).flatten();
        let words = words
            .map(|one| one["const"].as_str())
            .chain(policies["enum"].as_array().into_iter().flatten().map(Value::as_str));
        all.extend(words.flatten().map(|policy| format!("type: {}\nfield_naming_policy: {policy}", declared.name)));
    }
    all
}

#[test]
fn an_event_is_the_same_in_every_envelope_and_spelling() {
    let registry = Registry::default();
    let serializers = serializers(&registry);
    assert!(serializers.len() >= 7, "{serializers:?}");
    let (handlers, wrappers) = (examples(&registry, "handler"), examples(&registry, "wrapper"));
    let (mut used, mut wrapped) = (BTreeSet::new(), BTreeSet::new());
    for (handler, handler_text) in &handlers {
        for (wrapper, wrapper_text) in &wrappers {
            for serializer in &serializers {
                let read = |transport: &str| {
                    Parts { handler: handler_text, wrapper: wrapper_text, serializer, transport, ..Parts::default() }
                        .read(&registry)
                };
                // What a handler answers itself is not written anywhere.
                let Ok(config) = read("type: Stdout") else { continue };
                used.insert(*handler);
                wrapped.insert(*wrapper);
                let delivered = Cell::new(0);
                let result = runner(12).run(&records(), |records| same(&config, &records, &delivered));
                result.unwrap_or_else(|error| panic!("{handler_text}{wrapper_text}{serializer}: {error}"));
                assert!(delivered.get() > 0);
            }
        }
    }
    assert_eq!(wrapped.len(), wrappers.len(), "{wrapped:?}");
    let answering = handlers.iter().filter(|(name, _)| !used.contains(name)).map(|(name, _)| *name);
    assert_eq!(answering.collect::<Vec<_>>(), ["FirehoseTransformHandler"]);
}

fn same(config: &PipelineConfig, records: &[String], all: &Cell<usize>) -> Result<(), TestCaseError> {
    let world = World::new();
    let ledger = run(config, &world, records).ledger;
    prop_assert!(ledger.balances(), "{:?}", ledger);
    let text = written(&world);
    let (ours, plain) = (text.lines().collect::<Vec<_>>(), plain(records));
    prop_assert_eq!(ours.len(), plain.len());
    all.set(all.get() + ours.len());
    for (ours, plain) in ours.iter().zip(&plain) {
        prop_assert!(ours.contains(plain.as_str()), "{} is not in {}", plain, ours);
        numbers(ours);
    }
    let again = World::new();
    prop_assert_eq!(&run(config, &again, records).ledger, &ledger);
    prop_assert_eq!(written(&again), text, "the same again");
    Ok(())
}
