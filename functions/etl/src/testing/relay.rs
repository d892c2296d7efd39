//! A pipeline that hands on the records of a stream, for tests of what it hands them to.

use super::FakeClock;
use crate::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Invoked, Pipeline},
    registry::Registry,
};

/// The config: JSON events of a stream go through `operations` and to the transport, both as YAML has them within their brackets. `further`
/// are more lines of it.
///
/// # Panics
/// The config is wrong; with all that is wrong about it.
#[expect(clippy::panic, reason = "a test that is wrong fails")]
pub fn relay(operations: &str, transport: &str, further: &str) -> PipelineConfig {
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources: [{{name: a, deserializer: {{type: GenericJson}}, operations: [{operations}]}}]
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {{{transport}}}
{further}
"
    );
    let config = PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]));
    config.unwrap_or_else(|report| panic!("{report}"))
}

/// One invocation of a minute with these records, by the clock of a [`World`](super::World): time goes on only between repetitions.
///
/// # Panics
/// Not every event is accounted for.
pub fn relayed(pipeline: &mut Pipeline, records: &[String]) -> Invoked {
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
