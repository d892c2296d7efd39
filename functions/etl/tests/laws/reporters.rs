//! Reporters: what is told of an invocation changes nothing of it, and is the same again.

use crate::{
    events::records,
    kit::{Parts, entry, examples, run, runner, written},
};
use etl::{registry::Registry, testing::World};
use proptest::prelude::*;

#[test]
fn who_is_told_of_an_invocation_changes_nothing_of_it() {
    let registry = Registry::default();
    let silent = Parts::default().config(&registry);
    let examples = examples(&registry, "reporter");
    assert!(examples.len() >= 3, "{examples:?}");
    for (name, example) in examples {
        let reporters = entry(example);
        let config = Parts { reporters: &reporters, ..Parts::default() }.config(&registry);
        let result = runner(40).run(&records(), |records| {
            let [without, with, again] = [World::new(), World::new(), World::new()];
            let right = run(&silent, &without, &records);
            prop_assert_eq!(&run(&config, &with, &records), &right);
            // Metrics in a log come behind the events.
            prop_assert!(written(&with).starts_with(&written(&without)));
            let told = |world: &World| (format!("{:?}", world.calls.made()), world.log.lines());
            prop_assert_ne!(told(&with), told(&without), "somebody is told");
            prop_assert_eq!(run(&config, &again, &records), right);
            prop_assert_eq!(told(&again), told(&with), "the same again");
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
