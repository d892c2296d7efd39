//! Transports in a pipeline, against far sides that refuse: what is sent again, what fails, what is cleared up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail them")]

mod aws;
mod every;
mod objects;
mod search;

use etl::{
    pipeline::{Bounds, Environment, Invoked, Pipeline},
    testing::{World, relay, relayed},
};

/// One invocation with these records, delivered by this transport.
fn deliver(world: &World, transport: &str, operations: &str, records: &[String]) -> Invoked {
    deliver_within(Bounds::default(), world, transport, operations, "", records)
}

/// The same with less memory, perhaps, and with reporters.
fn deliver_within(
    bounds: Bounds,
    world: &World,
    transport: &str,
    operations: &str,
    reporters: &str,
    records: &[String],
) -> Invoked {
    let config = relay(operations, transport, &format!("reporters: [{reporters}]"));
    let mut pipeline = Pipeline::new(&config, Environment::default(), world.ports()).unwrap().with_bounds(bounds);
    relayed(&mut pipeline, records)
}

fn records(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"id":{number}}}"#)).collect()
}
