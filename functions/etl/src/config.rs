//! The config of a pipeline: a stack writes it, a function reads it.
//!
//! It never names a component. It is read with a [`Registry`], which says what components there are.
//!
//! Imports: `codes`, `component`, `field`, `late`, `need`, `pattern`, `problem`, `region`, `registry`, `time`, the rooms' object-safe traits.

mod bender;
mod case;
mod check;
pub(crate) mod format;
mod load;
mod read;
pub(crate) mod tree;
mod values;
pub(crate) mod variables;
mod walk;

pub use case::TestCase;
pub(crate) use read::{component, document, is_filter};
pub(crate) use values::noun;
pub use variables::Variables;

use crate::{
    component::{Any, schema_of},
    deserializers::BuildDeserializer,
    handlers::BuildHandler,
    need::Need,
    operations::BuildOperation,
    pattern::{Pattern, WholePattern},
    problem::Report,
    registry::Registry,
    reporters::BuildReporter,
    serializers::BuildSerializer,
    transports::BuildTransport,
    wrappers::BuildWrapper,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::sync::OnceLock;

/// A handler of a config.
pub type HandlerConfig = Any<dyn BuildHandler>;
/// A deserializer of a config.
pub type DeserializerConfig = Any<dyn BuildDeserializer>;
/// An operation of a config.
pub type OperationConfig = Any<dyn BuildOperation>;
/// A wrapper of a config.
pub type WrapperConfig = Any<dyn BuildWrapper>;
/// A serializer of a config.
pub type SerializerConfig = Any<dyn BuildSerializer>;
/// A transport of a config.
pub type TransportConfig = Any<dyn BuildTransport>;
/// A reporter of a config.
pub type ReporterConfig = Any<dyn BuildReporter>;

/// The version of the config's language that this program reads and writes.
pub const LANGUAGE: u32 = 1;

fn language() -> u32 {
    LANGUAGE
}

/// A pipeline: what is read, what is done to it, where it goes.
///
/// # Delivery
///
/// Every event that is read, and every one that an operation makes of it, is delivered, dropped for a reason, failed for a reason, or
/// handed back to the trigger: the figures of an invocation say how many of each. What cannot be worked on, or is refused for good, fails
/// by itself: it goes to the `dead_letter`, or is counted and logged by its reason, never with its content. What a far side does not take
/// now is repeated with growing waits while the invocation has time, and then handed back; what that means is said at each handler. When
/// 20 events or more fail in one way and nothing has worked since the function started, all are handed back, as it will be the config's
/// fault.
///
/// # Unlike Bender
///
/// - One event that fails takes no other with it. (In Bender an exception over one event loses all behind it, and the invocation
///   succeeds.)
/// - Whatever is not delivered is counted. (Bender counts and logs nothing of what an exception of AWS, or the end of a buffer, loses.)
/// - What fails can be kept, with `dead_letter`. (Bender drops it.)
/// - Nothing of an event is logged. (Bender logs the text of events that fail.)
/// - Memory has one bound, however many partitions there are. (Bender keeps a buffer for each.)
/// - A config without a wrapper, a serializer or a transport is refused. (Bender fails at the start of the function.)
/// - A variable is a value. (In Bender it can change the document.)
/// - All mistakes of a config are told at once, and a misspelt or impossible setting is one. (Bender tells the first, or fails on every
///   event; half of its own sample configs never worked.)
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct PipelineConfig {
    /// The version of the config's language. A function refuses a version that is newer than it.
    ///
    /// With it, a backslash in a text escapes `<` and nothing else. Without it, the text is read as Bender does, where
    /// `\\` is a backslash and `\}` is `}`.
    #[serde(default = "language")]
    #[builder(skip = LANGUAGE)]
    #[schemars(range(min = 1))]
    pub version: u32,
    /// What Lambda hands over.
    #[builder(into)]
    pub handler: HandlerConfig,
    /// Where events come from. An event belongs to the first source that matches.
    #[schemars(length(min = 1))]
    pub sources: Vec<Source>,
    /// How events are read, for all sources; in place of a `deserializer` in each.
    #[builder(into)]
    pub deserializer: Option<DeserializerConfig>,
    /// The steps, for all sources; in place of `operations` in each.
    #[serde(default)]
    #[builder(default)]
    pub operations: Vec<OperationConfig>,
    /// The envelope of an event; with `transports`, of those that have none of their own.
    #[builder(into)]
    pub wrapper: Option<WrapperConfig>,
    /// How an event becomes text again; with `transports`, for those that have none of their own.
    #[builder(into)]
    pub serializer: Option<SerializerConfig>,
    /// Where events are delivered.
    #[builder(into)]
    pub transport: Option<TransportConfig>,
    /// Where events are delivered, if to more than one place; in place of `transport`. An event goes to every one whose `when` lets it
    /// pass, and is safe when all of them have it. One that no transport wants is dropped.
    #[serde(default)]
    #[builder(default)]
    #[schemars(length(min = 1))]
    pub transports: Vec<NamedTransport>,
    /// Where events go that failed, as they were received: each becomes one JSON object, which `replay` reads. Its trigger is safe only
    /// when the letter is taken.
    ///
    /// Without it they are counted and logged by reason, never with their content, and are gone, as in Bender.
    #[builder(into)]
    pub dead_letter: Option<TransportConfig>,
    /// Where the figures of an invocation are told.
    #[serde(default)]
    #[builder(default)]
    pub reporters: Vec<ReporterConfig>,
    /// Cases of the pipeline itself, which `synth test` runs.
    #[serde(default)]
    #[builder(default)]
    pub tests: Vec<TestCase>,
}

/// One of several places that events are delivered to.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct NamedTransport {
    /// The name, for metrics and failures.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// A filter, which says what events it gets: those that pass. All of them if there is none.
    #[builder(into)]
    #[schemars(extend("x-filter" = true))]
    pub when: Option<OperationConfig>,
    /// The envelope of an event. May stand once beside `transports` instead.
    #[builder(into)]
    pub wrapper: Option<WrapperConfig>,
    /// How an event becomes text again. May stand once beside `transports` instead.
    #[builder(into)]
    pub serializer: Option<SerializerConfig>,
    /// Where events are delivered.
    #[builder(into)]
    pub transport: TransportConfig,
}

/// A way out of a pipeline, wherever the config has its parts.
#[derive(Clone, Copy, Debug)]
pub struct Exit<'a> {
    /// Its name, of one of several.
    pub name: Option<&'a str>,
    /// Which events take it.
    pub when: Option<&'a OperationConfig>,
    /// The envelope of an event. A config that was [read](PipelineConfig::read) has one.
    pub wrapper: Option<&'a WrapperConfig>,
    /// How an event becomes text again. A config that was read has one.
    pub serializer: Option<&'a SerializerConfig>,
    /// Where to.
    pub transport: &'a TransportConfig,
}

/// Where events come from, and what is done to them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The name, for metrics and failures.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// Which events belong to it: the expression must match the whole of what the handler chooses by. That is the ARN of the stream, queue,
    /// topic or log group, or `s3://bucket/key`, where the key is URL-encoded as S3 has it in its notifications. The first source that matches
    /// takes it. An object or a log group that none matches is not read, which is counted and logged; whatever else none matches is handed
    /// back to its trigger, as it would be lost.
    #[serde(default = "anything")]
    #[builder(default = anything())]
    pub source_regex: WholePattern,
    /// Events that one of these finds something in are dropped before they are read.
    #[serde(default)]
    #[builder(default)]
    pub regex_patterns: Vec<Pattern>,
    /// Events that contain one of these texts are dropped before they are read.
    #[serde(default)]
    #[builder(default)]
    #[schemars(inner(length(min = 1)))]
    pub contains_strings: Vec<String>,
    /// How events are read. May stand once beside `sources` instead.
    #[builder(into)]
    pub deserializer: Option<DeserializerConfig>,
    /// The steps, in order. May stand once beside `sources` instead.
    #[serde(default)]
    #[builder(default)]
    pub operations: Vec<OperationConfig>,
}

const ANYTHING: &str = ".*";

fn anything() -> WholePattern {
    WholePattern::anything()
}

impl PipelineConfig {
    /// Reads a config, YAML or JSON, or says all that is wrong with it.
    ///
    /// `file` is the name that problems are reported under; when it ends in `.json` the text must be strict JSON.
    ///
    /// # Errors
    /// Every mistake there is, each with its place.
    pub fn read(registry: &Registry, file: &str, text: &str, variables: Variables<'_>) -> Result<Self, Report> {
        read::read(registry, file, text, variables)
    }
    /// The operations of a source, wherever the config has them.
    pub fn operations_of<'a>(&'a self, source: &'a Source) -> &'a [OperationConfig] {
        if source.operations.is_empty() { &self.operations } else { &source.operations }
    }
    /// The deserializer of a source, wherever the config has it.
    pub fn deserializer_of<'a>(&'a self, source: &'a Source) -> Option<&'a DeserializerConfig> {
        source.deserializer.as_ref().or(self.deserializer.as_ref())
    }
    /// The ways out, in the order of the config.
    pub fn exits(&self) -> Vec<Exit<'_>> {
        let (wrapper, serializer) = (self.wrapper.as_ref(), self.serializer.as_ref());
        let one =
            self.transport.iter().map(|transport| Exit { name: None, when: None, wrapper, serializer, transport });
        let several = self.transports.iter().map(|named| Exit {
            name: Some(&named.name),
            when: named.when.as_ref(),
            wrapper: named.wrapper.as_ref().or(wrapper),
            serializer: named.serializer.as_ref().or(serializer),
            transport: &named.transport,
        });
        one.chain(several).collect()
    }
    /// What the pipeline must be allowed to do, each need once, in the order of the config.
    pub fn needs(&self) -> Vec<Need> {
        let deserializers = self.sources.iter().filter_map(|s| self.deserializer_of(s)).flat_map(Any::needs);
        let operations = self.sources.iter().flat_map(|s| self.operations_of(s)).flat_map(Any::needs);
        let mut all = self.handler.needs();
        all.extend(self.handler.common().needs());
        all.extend(deserializers.chain(operations));
        for exit in self.exits() {
            all.extend(exit.when.into_iter().flat_map(Any::needs));
            all.extend(exit.wrapper.into_iter().flat_map(Any::needs));
            all.extend(exit.serializer.into_iter().flat_map(Any::needs));
            all.extend(exit.transport.needs());
        }
        all.extend(self.dead_letter.iter().flat_map(Any::needs));
        all.extend(self.reporters.iter().flat_map(Any::needs));
        let mut needs: Vec<Need> = vec![];
        for need in all {
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        needs
    }
    /// What a function reads: compact JSON, without `tests` and what has its default. The same config gives the same bytes.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
    fn to_value(&self) -> Value {
        let mut out = Map::new();
        out.insert("version".to_owned(), self.version.into());
        out.insert("handler".to_owned(), self.handler.to_json());
        out.insert("sources".to_owned(), self.sources.iter().map(Source::to_value).collect());
        steps(&mut out, self.deserializer.as_ref(), &self.operations);
        put(&mut out, "wrapper", self.wrapper.as_ref().map(Any::to_json));
        put(&mut out, "serializer", self.serializer.as_ref().map(Any::to_json));
        put(&mut out, "transport", self.transport.as_ref().map(Any::to_json));
        if !self.transports.is_empty() {
            out.insert("transports".to_owned(), self.transports.iter().map(NamedTransport::to_value).collect());
        }
        put(&mut out, "dead_letter", self.dead_letter.as_ref().map(Any::to_json));
        if !self.reporters.is_empty() {
            out.insert("reporters".to_owned(), self.reporters.iter().map(Any::to_json).collect());
        }
        out.into()
    }
    pub(crate) fn schema() -> &'static Value {
        static SCHEMA: OnceLock<Value> = OnceLock::new();
        SCHEMA.get_or_init(schema_of::<Self>)
    }
}

impl Source {
    fn to_value(&self) -> Value {
        let text = |text: &str| Value::from(variables::written_text(text));
        let mut out = Map::new();
        out.insert("name".to_owned(), text(&self.name));
        if self.source_regex.as_str() != ANYTHING {
            out.insert("source_regex".to_owned(), text(self.source_regex.as_str()));
        }
        if !self.regex_patterns.is_empty() {
            let patterns = self.regex_patterns.iter().map(|pattern| text(pattern.as_str()));
            out.insert("regex_patterns".to_owned(), patterns.collect());
        }
        if !self.contains_strings.is_empty() {
            out.insert("contains_strings".to_owned(), self.contains_strings.iter().map(|t| text(t)).collect());
        }
        steps(&mut out, self.deserializer.as_ref(), &self.operations);
        out.into()
    }
}

impl NamedTransport {
    fn to_value(&self) -> Value {
        let mut out = Map::new();
        out.insert("name".to_owned(), variables::written_text(&self.name).into());
        put(&mut out, "when", self.when.as_ref().map(Any::to_json));
        put(&mut out, "wrapper", self.wrapper.as_ref().map(Any::to_json));
        put(&mut out, "serializer", self.serializer.as_ref().map(Any::to_json));
        out.insert("transport".to_owned(), self.transport.to_json());
        out.into()
    }
}

fn put(out: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    out.extend(value.map(|value| (key.to_owned(), value)));
}

/// What may stand in a source or beside the sources.
fn steps(out: &mut Map<String, Value>, deserializer: Option<&DeserializerConfig>, operations: &[OperationConfig]) {
    put(out, "deserializer", deserializer.map(Any::to_json));
    if !operations.is_empty() {
        out.insert("operations".to_owned(), operations.iter().map(Any::to_json).collect());
    }
}

/// As [`PipelineConfig::to_json`] writes it.
impl Serialize for PipelineConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}
