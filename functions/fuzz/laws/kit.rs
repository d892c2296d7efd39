//! Pipelines to hold laws against, and what is common to all of them.

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Bounds, Environment, Ledger, Pipeline, Run},
    ports::Call,
    registry::Registry,
    testing::World,
};
use payload::{Arena, Kind, Output, Value};
use std::sync::LazyLock;

/// Room for one event and for all: so little that bytes which become very many are refused before they cost time.
pub(crate) const BOUNDS: Bounds = Bounds { event_bytes: 1 << 16, buffer_bytes: 1 << 20 };

/// A pipeline that changes nothing between reading and writing. The parts are YAML in one line.
pub(crate) fn plain(handler: &str, deserializer: &str, transport: &str) -> PipelineConfig {
    let text = format!(
        "version: 1
handler: {handler}
sources: [{{name: a, deserializer: {deserializer}}}]
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {transport}
"
    );
    let variables = Variables::From(&|_| Some("what a variable holds".to_owned()));
    PipelineConfig::read(&Registry::default(), "law.yaml", &text, variables).expect("the config is sound")
}

/// One whose lines a deserializer reads.
pub(crate) fn reading(deserializer: &str) -> PipelineConfig {
    plain("{type: S3Handler}", deserializer, "{type: Stdout}")
}

/// What comes of an input.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) ledger: Ledger,
    /// The events that were delivered, as they were written.
    pub(crate) events: Vec<String>,
}

/// What comes of an input. Every event is accounted for, each that is delivered is a JSON object in one line, and the same input gives
/// the same again.
pub(crate) fn outcome(config: &PipelineConfig, input: impl Fn(&mut Run<'_>)) -> Outcome {
    let first = once(config, &input);
    assert!(first.ledger.balances(), "{:?}", first.ledger);
    assert_eq!(first.ledger.delivered, first.events.len() as u64, "{:?}", first.ledger);
    let mut arena = Arena::new();
    for event in &first.events {
        let read = arena.parse_slice(event.as_bytes()).expect("what is delivered is JSON");
        assert_eq!(read.kind(), Kind::Object);
    }
    assert_eq!(once(config, &input), first, "the same again");
    first
}

fn once(config: &PipelineConfig, input: impl Fn(&mut Run<'_>)) -> Outcome {
    let world = World::new();
    let pipeline = Pipeline::new(config, Environment::default(), world.ports()).expect("the pipeline can be built");
    let mut pipeline = pipeline.with_bounds(BOUNDS);
    let mut run = pipeline.begin(&Context::default());
    input(&mut run);
    let ledger = run.finish().ledger;
    Outcome { ledger, events: written(&world) }
}

/// The lines that were written to the standard output of a world.
pub(crate) fn written(world: &World) -> Vec<String> {
    let mut bodies = vec![];
    for call in world.calls.made() {
        if let Call::Stdout(body) = call {
            bodies.extend_from_slice(&body);
        }
    }
    String::from_utf8(bodies).expect("what is delivered is text").lines().map(str::to_owned).collect()
}

/// What a deserializer makes of bytes, as lines of an object and as one record. Read once more as JSON, it is written the same.
pub(crate) fn read(config: &PipelineConfig, bytes: &[u8]) -> Outcome {
    static AGAIN: LazyLock<PipelineConfig> = LazyLock::new(|| reading("{type: GenericJson}"));
    let read = outcome(config, |run| {
        run.object("a.log", bytes);
        run.record(bytes);
    });
    let lines = read.events.join("\n");
    let again = outcome(&AGAIN, |run| run.object("a.log", lines.as_bytes()));
    assert_eq!(again.events, read.events, "what was written is read and written the same");
    read
}

/// Each value of an event, those within it too.
pub(crate) fn each<'v>(value: Value<'v>, look: &mut impl FnMut(Value<'v>)) {
    look(value);
    match value.kind() {
        Kind::Array => value.elements().for_each(|element| each(element, look)),
        Kind::Object => value.members().for_each(|(_, member)| each(member, look)),
        _ => {}
    }
}

/// The JSON of a value.
pub(crate) fn json(value: Value<'_>) -> String {
    let mut out = Output::new();
    value.write_to(&mut out);
    String::from_utf8(out.into_vec()).expect("JSON is text")
}

/// Two texts with a line end between them; the second is empty if there is none.
pub(crate) fn two(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (first, rest) = bytes.split_at(end);
    Some((str::from_utf8(first).ok()?, rest.get(1..).unwrap_or_default()))
}
