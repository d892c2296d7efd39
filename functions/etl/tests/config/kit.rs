//! Components of a user's own crate, one of every shape that settings can have; and how tests read configs.

use bon::Builder;
use etl::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    config::{OperationConfig, PipelineConfig, Variables},
    event::{Event, Fault, Outcome},
    late::Late,
    need::{Need, Target},
    operations::{BuildOperation, Operation, Step},
    pattern::WholePattern,
    ports::Answer,
    problem::Report,
    region::Region,
    registry::Registry,
    transports::{Limits, Load, Next, Transport, Verdict},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Masks a field.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaskOperation {
    /// The field.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub(crate) field: String,
    /// How many characters stay.
    #[serde(default)]
    #[builder(default)]
    pub(crate) keep: u32,
    /// Only values that look like this.
    pub(crate) only: Option<WholePattern>,
}
impl Component for MaskOperation {
    const NAME: &'static str = "MaskOperation";
    const EXAMPLE: &'static str = "type: MaskOperation\nfield: card\nkeep: 4\nonly: (?<digits>\\d+)\n";
    fn check(&self) -> Vec<Mistake> {
        let odd = !self.keep.is_multiple_of(2);
        odd.then(|| Mistake::new("keep", "an odd number of characters cannot stay").help("give an even one"))
            .into_iter()
            .collect()
    }
}
impl Operation for MaskOperation {
    type State = ();
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn perform(&self, (): &mut (), _: &mut Event<'_>) -> Result<Outcome, Fault> {
        Ok(Outcome::Pass)
    }
}

/// Does all of its operations.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllOperation {
    /// The operations.
    pub(crate) operations: Vec<OperationConfig>,
}
impl Component for AllOperation {
    const NAME: &'static str = "AllOperation";
    const EXAMPLE: &'static str = "type: AllOperation\noperations:\n- {type: MaskOperation, field: card}\n- type: AllOperation\n  operations: []\n";
    fn needs(&self) -> Vec<Need> {
        self.operations.iter().flat_map(OperationConfig::needs).collect()
    }
}
impl BuildOperation for AllOperation {
    fn build(&self, _: &BuildCx<'_>) -> Result<Step, BuildError> {
        Err(BuildError::new("only read in these tests"))
    }
}

/// Hands events to a relay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub(crate) struct Relay {
    /// The stream's name.
    #[builder(into)]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9_.-]+$"))]
    pub(crate) stream_name: Late<String>,
    /// The port.
    #[serde(default = "port")]
    #[builder(default = port(), into)]
    #[schemars(range(min = 1))]
    pub(crate) port: Late<u16>,
    /// How events are packed.
    #[serde(default)]
    #[builder(default)]
    pub(crate) packing: Packing,
    /// Whether to say so.
    #[schemars(extend("x-alias" = "chatty"))]
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub(crate) verbose: bool,
    /// Calls at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub(crate) threads: Bounded<1, 100>,
    /// Seconds before the first retry.
    #[serde(default = "one")]
    #[builder(default = one())]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 60))]
    pub(crate) retry_delay: f64,
    /// The region.
    pub(crate) region: Option<Region>,
    /// A topic to tell.
    #[schemars(extend("format" = "arn"))]
    pub(crate) topic: Option<String>,
    /// How to sign in.
    pub(crate) auth: Option<Auth>,
    /// A text.
    pub(crate) note: Option<String>,
}
/// How events are packed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Packing {
    /// Many in one.
    #[default]
    Batch,
    /// One by one.
    Simple,
}
/// How to sign in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub(crate) enum Auth {
    /// With a name and a password.
    UserPassAuth {
        /// The name.
        username: String,
        /// The password.
        password: Late<String>,
    },
    /// With the function's own credentials.
    UrlSigningAuth {
        /// The region.
        region: Region,
    },
}
fn port() -> Late<u16> {
    Late::Now(9200)
}
fn yes() -> bool {
    true
}
fn threads() -> Bounded<1, 100> {
    Bounded::of::<5>()
}
fn one() -> f64 {
    1.0
}
impl Component for Relay {
    const NAME: &'static str = "Relay";
    const ALIASES: &'static [&'static str] = &["RelayTransport"];
    const EXAMPLE: &'static str = "type: Relay\nstream_name: <STREAM>\nport: <PORT>\nregion: EU_WEST_1\nthreads: 2\nauth: {type: UserPassAuth, username: me, password: <PASSWORD>}\n";
    fn needs(&self) -> Vec<Need> {
        vec![Need { actions: &["firehose:PutRecordBatch"], on: Target::DeliveryStream(self.stream_name.clone()) }]
    }
}
impl Transport for Relay {
    type State = ();
    fn limits(&self) -> Limits {
        Limits::default()
    }
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn call(&self, (): &mut (), _: &Load<'_>) -> Next {
        Next::Done
    }
    fn judge(&self, (): &mut (), _: &Load<'_>, _: &Answer) -> Verdict {
        Verdict::Taken
    }
}

/// A part of the corpus, on the machines that have it.
#[expect(clippy::print_stdout, reason = "who runs the tests is to know what is skipped")]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(path);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// Our components and the user's.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::default();
    registry.operations.add::<MaskOperation>().add::<AllOperation>();
    registry.transports.add::<Relay>();
    registry
}

pub(crate) fn environment(name: &str) -> Option<String> {
    Some(match name {
        "HOST" => "host: {a: 1}".into(),
        "PORT" => "443".into(),
        "YES" => "true".into(),
        "SECRET" => "hunter2".into(),
        _ => return None,
    })
}

pub(crate) fn read(text: &str) -> Result<PipelineConfig, Report> {
    PipelineConfig::read(&registry(), "pipeline.yaml", text, Variables::From(&environment))
}

/// A config with something at two places of it.
pub(crate) fn with(operation: &str, transport: &str) -> String {
    format!(
        "handler: {{type: KinesisHandler}}\nwrapper: {{type: KinesisWrapper}}\nserializer: {{type: Json}}\nsources:\n\
         - name: a\n  deserializer: {{type: GenericJson}}\n  operations:\n  - {{{operation}}}\ntransport: {{{transport}}}\n"
    )
}
pub(crate) const KV: &str = "type: JsonReplaceKVOperation, key: a, value: b";
pub(crate) const RELAY: &str = "type: Relay, stream_name: s";

/// Code, line, column and path of all mistakes.
pub(crate) fn mistakes(text: &str) -> Vec<String> {
    let Err(report) = read(text) else { return vec![] };
    let place = |p| report.position(p).map_or("-".to_owned(), |(line, column)| format!("{line}:{column}"));
    report.problems.iter().map(|p| format!("{} {} {}", p.code.id, place(p), p.path)).collect()
}
