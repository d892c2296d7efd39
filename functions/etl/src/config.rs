//! The config of a pipeline: a stack writes it, a function reads it.
//!
//! It never names a component. It is read with a [`Registry`], which says what components there are.
//!
//! Imports: `codes`, `component`, `field`, `late`, `need`, `pattern`, `problem`, `region`, `registry`, `time`, the rooms' object-safe traits.

mod bender;
mod check;
pub(crate) mod format;
mod load;
mod read;
pub(crate) mod tree;
mod values;
pub(crate) mod variables;
mod walk;

pub(crate) use read::component;
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
    /// The envelope of an event.
    #[builder(into)]
    pub wrapper: WrapperConfig,
    /// How an event becomes text again.
    #[builder(into)]
    pub serializer: SerializerConfig,
    /// Where events are delivered.
    #[builder(into)]
    pub transport: TransportConfig,
    /// Where the figures of an invocation are told.
    #[serde(default)]
    #[builder(default)]
    pub reporters: Vec<ReporterConfig>,
}

/// Where events come from, and what is done to them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The name, for metrics and failures.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// Which streams or objects belong to it: the expression must match the whole ARN of the stream, or the whole of
    /// `s3://bucket/key`, where the key is URL-encoded as S3 has it in its notifications.
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
    /// What the pipeline must be allowed to do, each need once, in the order of the config.
    pub fn needs(&self) -> Vec<Need> {
        let deserializers = self.sources.iter().filter_map(|s| self.deserializer_of(s)).flat_map(Any::needs);
        let operations = self.sources.iter().flat_map(|s| self.operations_of(s)).flat_map(Any::needs);
        let mut all = self.handler.needs();
        all.extend(deserializers.chain(operations));
        all.extend(self.wrapper.needs());
        all.extend(self.serializer.needs());
        all.extend(self.transport.needs());
        all.extend(self.reporters.iter().flat_map(Any::needs));
        let mut needs: Vec<Need> = vec![];
        for need in all {
            if !needs.contains(&need) {
                needs.push(need);
            }
        }
        needs
    }
    /// What a function reads: compact JSON, without what has its default. The same config gives the same bytes.
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }
    fn to_value(&self) -> Value {
        let mut out = Map::new();
        out.insert("version".to_owned(), self.version.into());
        out.insert("handler".to_owned(), self.handler.to_json());
        out.insert("sources".to_owned(), self.sources.iter().map(Source::to_value).collect());
        steps(&mut out, self.deserializer.as_ref(), &self.operations);
        out.insert("wrapper".to_owned(), self.wrapper.to_json());
        out.insert("serializer".to_owned(), self.serializer.to_json());
        out.insert("transport".to_owned(), self.transport.to_json());
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

/// What may stand in a source or beside the sources.
fn steps(out: &mut Map<String, Value>, deserializer: Option<&DeserializerConfig>, operations: &[OperationConfig]) {
    if let Some(deserializer) = deserializer {
        out.insert("deserializer".to_owned(), deserializer.to_json());
    }
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
