//! Pipelines with one component of interest, and what they make of records.

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Invoked, Pipeline},
    ports::Call,
    problem::Report,
    registry::Registry,
    testing::{FakeClock, World},
};
use payload::{Arena, Kind, Value};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::sync::LazyLock;

/// Name and example of each component of a room, which schemas call by `key`.
pub(crate) fn examples(registry: &Registry, key: &str) -> Vec<(&'static str, &'static str)> {
    let rooms = registry.rooms();
    let (_, _, room) = rooms.iter().find(|(_, room, _)| *room == key).unwrap();
    room.rows().map(|declared| (declared.name, declared.example)).collect()
}

/// An entry of a list.
pub(crate) fn entry(text: &str) -> String {
    format!("- {}\n", text.trim_end().replace('\n', "\n  "))
}

/// The parts of a pipeline, each in YAML.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'t> {
    pub(crate) handler: &'t str,
    pub(crate) deserializer: &'t str,
    /// Entries of a list.
    pub(crate) operations: &'t str,
    pub(crate) wrapper: &'t str,
    pub(crate) serializer: &'t str,
    pub(crate) transport: &'t str,
    /// Entries of a list.
    pub(crate) reporters: &'t str,
}

impl Default for Parts<'_> {
    fn default() -> Self {
        Self {
            handler: "type: KinesisHandler",
            deserializer: "type: GenericJson",
            operations: "",
            wrapper: "type: PassthroughWrapper",
            serializer: "type: Json",
            transport: "type: Stdout",
            reporters: "",
        }
    }
}

impl Parts<'_> {
    pub(crate) fn read(&self, registry: &Registry) -> Result<PipelineConfig, Report> {
        Self::read_text(registry, &self.text())
    }

    pub(crate) fn text(&self) -> String {
        let inside = |key: &str, part: &str| format!("{key}:\n  {}\n", part.trim_end().replace('\n', "\n  "));
        let list = |key: &str, entries: &str| match entries {
            "" => String::new(),
            entries => format!("{key}:\n{entries}"),
        };
        [
            "version: 1\nsources: [{name: a}]\n",
            &inside("handler", self.handler),
            &inside("deserializer", self.deserializer),
            &list("operations", self.operations),
            &inside("wrapper", self.wrapper),
            &inside("serializer", self.serializer),
            &inside("transport", self.transport),
            &list("reporters", self.reporters),
        ]
        .concat()
    }

    pub(crate) fn read_text(registry: &Registry, text: &str) -> Result<PipelineConfig, Report> {
        let variable = |name: &str| match name.rsplit('_').next() {
            Some("ARN") => "arn:aws:sns:eu-west-1:123456789012:what-is-told".to_owned(),
            _ => "what.a.variable.holds".to_owned(),
        };
        PipelineConfig::read(registry, "example.yaml", text, Variables::From(&|name| Some(variable(name))))
    }

    pub(crate) fn config(&self, registry: &Registry) -> PipelineConfig {
        self.read(registry).unwrap_or_else(|report| panic!("{report}\n{}", report.text))
    }
}

/// Half a minute is left.
pub(crate) fn context() -> Context {
    Context {
        aws_request_id: Some("request".to_owned()),
        invoked_function_arn: Some("arn:aws:lambda:eu-west-1:123456789012:function:f".to_owned()),
        deadline_ms: Some(FakeClock::BEGIN_MS + 30_000),
        ..Context::default()
    }
}

pub(crate) fn pipeline(config: &PipelineConfig, world: &World) -> Pipeline {
    let environment = Environment { region: "eu-west-1".to_owned(), function_tags: vec![] };
    Pipeline::new(config, environment, world.ports()).unwrap()
}

/// What comes of records: what was asked of the far side, in full, is in the world.
pub(crate) fn run(config: &PipelineConfig, world: &World, records: &[String]) -> Invoked {
    let mut pipeline = pipeline(config, world);
    let mut run = pipeline.begin(&context());
    for record in records {
        run.record(record.as_bytes());
    }
    run.finish()
}

/// What was written to the standard output.
pub(crate) fn written(world: &World) -> String {
    let bodies = world.calls.made().into_iter().filter_map(|call| match call {
        Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
        _ => None,
    });
    bodies.collect()
}

/// The events of records as they are written when nothing is done to them. What cannot be read is none.
pub(crate) fn plain(records: &[String]) -> Vec<String> {
    static PLAIN: LazyLock<PipelineConfig> = LazyLock::new(|| Parts::default().config(&Registry::default()));
    let world = World::new();
    run(&PLAIN, &world, records);
    written(&world).lines().map(str::to_owned).collect()
}

/// The numbers in a JSON text, each with the name that it stands under.
pub(crate) fn numbers(text: &str) -> Vec<(String, String)> {
    fn walk(value: Value<'_>, of: &str, out: &mut Vec<(String, String)>) {
        match value.kind() {
            Kind::Integer | Kind::Float => out.push((of.to_owned(), value.to_text().into_owned())),
            Kind::Array => value.elements().for_each(|element| walk(element, of, out)),
            Kind::Object => value.members().for_each(|(name, value)| walk(value, &name, out)),
            _ => {}
        }
    }
    let (mut arena, mut out) = (Arena::new(), vec![]);
    let event = arena.parse_slice(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    walk(event.root(), "", &mut out);
    out
}

/// The same cases every time.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}
