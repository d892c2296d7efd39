//! Transports in a pipeline, against far sides that refuse: what is sent again, what fails, what is cleared up.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail them")]

mod aws;
mod every;
mod objects;
mod search;

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Bounds, Environment, Invoked, Pipeline},
    registry::Registry,
    testing::{FakeClock, World},
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
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources: [{{name: a, deserializer: {{type: GenericJson}}, operations: [{operations}]}}]
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {{{transport}}}
reporters: [{reporters}]
"
    );
    let config = PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]));
    let config = config.unwrap_or_else(|report| panic!("{report}"));
    let mut pipeline = Pipeline::new(&config, Environment::default(), world.ports()).unwrap().with_bounds(bounds);
    let deadline_ms = Some(FakeClock::BEGIN_MS + 60_000);
    let context = Context { aws_request_id: Some("request".into()), deadline_ms, ..Context::default() };
    let mut run = pipeline.begin(&context);
    for record in records {
        run.record(record.as_bytes());
    }
    let invoked = run.finish();
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    invoked
}

fn records(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"id":{number}}}"#)).collect()
}
