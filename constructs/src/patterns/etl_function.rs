//! The ETL function: a pipeline, deployed.
//!
//! Imports: `asset`, `aws`, `cfn`, `codes`, `etl`, `template`, `text`, `tree`.

use super::{
    bindings::Bindings,
    config::{Config, sha256},
    environment::{Written, environment, no_secret_is_spelt_out},
    permissions::{self, Grantee},
    search::SearchHandle,
    trigger::{Reader, Trigger, Waits},
};
use crate::{
    Text,
    asset::FunctionCode,
    aws::{
        cloudwatch::{Alarm, Metric},
        kms::KeyHandle,
        lambda::{Function, FunctionHandle},
        sns::TopicHandle,
    },
    codes,
    template::{ConditionHandle, Output, Parameter},
    tree::{Construct, Scope},
};
use cfn::{IntoValue as _, Json, Ref, Value, cloudformation::CustomResource};
use etl::{
    config::{PipelineConfig, Variables},
    registry::Registry,
};

/// A function that runs a pipeline. What it may do follows from the pipeline's config; nobody writes IAM for it.
///
/// The id it is added under begins the names of its parameters: `<id>MemoryMiB`, `<id>State`.
#[derive(Clone, Debug, bon::Builder)]
pub struct EtlFunction {
    /// What it runs: a [`PipelineConfig`], or a [`PlacedConfig`](super::PlacedConfig).
    #[builder(into)]
    pipeline: Config,
    /// What it runs instead of a [`PipelineConfig`], where an operator has chosen so.
    instead: Option<Instead>,
    /// What the names in the pipeline stand for.
    #[builder(default)]
    names: Bindings,
    /// The components that the pipeline may use.
    #[builder(default)]
    registry: Registry,
    /// The KMS keys of ciphertexts in the config (a `KmsValue`), which do not say it themselves.
    #[builder(default)]
    decrypt_with: Vec<KeyHandle>,
    /// What makes it run.
    trigger: Trigger,
    /// The indices it writes, when it delivers to a search domain.
    indices: Option<Indices>,
    /// Code of the function `etl`, or of one with more components.
    code: FunctionCode,
    /// What it does; shown in the console.
    #[builder(into)]
    description: String,
    /// Memory in MiB, unless the operator says otherwise: 128 to 10,240. CPU follows it.
    #[builder(default = 512)]
    memory_mib: i64,
    /// 1 to 900 seconds. What is not delivered by then is tried again.
    #[builder(default = 300)]
    timeout_seconds: i32,
    /// How many days its log is kept.
    log_retention_days: Value<i64>,
    /// Who is told when it fails.
    alarms: TopicHandle,
}

/// Another pipeline for a function, where a condition of the template holds: each of the two is a constant of the template, checked
/// when it is synthesized, and what only one of them needs is granted only with that one.
#[derive(Clone, Debug)]
pub struct Instead {
    /// Holds where it is this pipeline that runs.
    pub when: ConditionHandle,
    /// What then runs.
    pub pipeline: PipelineConfig,
}

/// The indices that a pipeline writes in a search domain.
#[derive(Clone, Debug)]
pub struct Indices {
    /// The domain.
    pub search: SearchHandle,
    /// Patterns of their names: `cloudtrail-*`.
    pub patterns: Vec<&'static str>,
    /// The template that they are made by: the body of OpenSearch's `_index_template`.
    pub template: Json,
}

/// An ETL function of this stack.
#[derive(Clone, Debug)]
pub struct EtlHandle {
    /// The function.
    pub function: FunctionHandle,
}

impl Construct for EtlFunction {
    type Handle = EtlHandle;

    fn build(self, scope: &mut Scope<'_>) -> EtlHandle {
        let path = scope.path();
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        for name in self.names.refused() {
            scope.problem(
                codes::NEED,
                format!("`{name}` is no name for a variable of the environment"),
                "use letters, digits and `_`",
            );
        }
        let read = |scope: &mut Scope<'_>, config: &Config| read(scope, &self.registry, config, &self.names);
        let (text, pipeline) = read(scope, &self.pipeline);
        let instead = self.instead.map(|instead| (instead.when, read(scope, &instead.pipeline.into())));
        let config = match (&self.pipeline, &instead) {
            (Config::Constant(_), None) => Written::Constant(&text),
            (Config::Constant(_), Some((when, (other, _)))) => Written::Either(when, other, &text),
            (Config::Placed(placed), other) => {
                if other.is_some() {
                    scope.problem(
                        codes::PIPELINE,
                        "a config that lies elsewhere cannot be exchanged by a condition",
                        "leave out `instead`, or give both pipelines as constants",
                    );
                }
                Written::Elsewhere(placed)
            }
        };
        let memory = scope.parameter(
            &format!("{name}MemoryMiB"),
            Parameter::number()
                .description("Memory of the function in MiB; its CPU follows, a whole core at 1,769.")
                .min_value(128)
                .max_value(10_240)
                .default_value(self.memory_mib)
                .group("Sizes"),
        );
        let environment = environment(scope, &config, &self.names);
        let running = self.trigger.running(scope, &name);
        let other = instead.as_ref().and_then(|(_, (_, pipeline))| pipeline.as_ref());
        for pipeline in pipeline.iter().chain(other) {
            no_secret_is_spelt_out(scope, &pipeline.to_json());
            self.trigger.is_read_by(scope, pipeline.handler.name());
        }
        let function = Function::builder()
            .code(self.code)
            .description(self.description)
            .memory_mib(memory.number())
            .timeout_seconds(self.timeout_seconds.into())
            .environment(environment.variables)
            .settings(settings(&config, &memory.text(), &self.names))
            .maybe_reserved_concurrency(self.trigger.concurrency(running.as_ref()))
            .log_retention_days(self.log_retention_days)
            .build();
        let function = scope.add("Function", function);
        for (name, copy) in environment.copies {
            function.metadata(scope, &name, copy);
        }
        if let Config::Placed(placed) = &self.pipeline
            && placed.grant_read(scope, function.role())
        {
            let address = Output::new(placed.address());
            let address = address.description("The pipeline's config must lie here before the function runs.");
            scope.output(&format!("{name}ConfigAddress"), address);
        }
        let needs = |pipeline: Option<PipelineConfig>| pipeline.map(|pipeline| pipeline.needs()).unwrap_or_default();
        let instead = instead.map(|(when, (_, pipeline))| (when, needs(pipeline)));
        let to = Grantee { function: &function, names: &self.names, decrypts_with: &self.decrypt_with };
        permissions::grant(scope, &to, &needs(pipeline), instead.as_ref());
        let ready: Option<Ref<CustomResource>> = self
            .indices
            .map(|indices| indices.search.admit(scope, &name, function.role(), &indices.patterns, &indices.template));
        let timeout_seconds = self.timeout_seconds.into();
        let to = Reader { function: &function, timeout_seconds, running: running.as_ref() };
        let waits = self.trigger.connect(scope, &to, ready.as_ref());
        alarms(scope, &function, self.timeout_seconds, &waits, &self.alarms);
        EtlHandle { function }
    }
}

/// The text of a config, and the pipeline in it, read as the function will, with the names known and their values not.
fn read(
    scope: &mut Scope<'_>,
    registry: &Registry,
    config: &Config,
    names: &Bindings,
) -> (String, Option<PipelineConfig>) {
    let (file, text) = match config {
        Config::Constant(pipeline) => ("pipeline.json", pipeline.to_json()),
        Config::Placed(placed) => (placed.file.as_str(), placed.text.clone()),
    };
    let known: Vec<&str> = names.iter().map(|(name, _)| name).collect();
    let read = PipelineConfig::read(registry, file, &text, Variables::Bound(&known));
    if let Err(report) = &read {
        for line in report.lines() {
            scope.problem(codes::PIPELINE, line, "mend the pipeline where the stack builds it");
        }
    }
    let pipeline = match config {
        // What it is made of says what it needs, also where the text is refused.
        Config::Constant(pipeline) => Some((**pipeline).clone()),
        Config::Placed(_) => read.ok(),
    };
    (text, pipeline)
}

/// What a version stands for beside its code. Only what stands here publishes a new version when it changes, so all that is baked
/// into a version must: the config, the memory, the values of names.
fn settings(config: &Written<'_>, memory: &Value<String>, names: &Bindings) -> Value<String> {
    let hash: Value<String> = match config {
        Written::Constant(config) => Value::Known(fingerprint(config)),
        Written::Either(when, other, config) => when.if_(fingerprint(other), fingerprint(config)),
        Written::Elsewhere(placed) => Value::Known(fingerprint(&placed.text)),
    };
    let text = Text::new().text("config ").value(hash).text(", ").value(memory.clone()).text(" MiB");
    let text = names.iter().fold(text, |text, (_, bound)| text.text(", ").value(bound.value.clone()));
    text.into_value()
}

fn fingerprint(config: &str) -> String {
    sha256(config).chars().take(16).collect()
}

fn alarms(scope: &mut Scope<'_>, function: &FunctionHandle, timeout_seconds: i32, waits: &Waits, topic: &TopicHandle) {
    let mut alarm = |id: &str, metric: Metric, above: i32, periods: i64, description: &str| {
        let alarm = Alarm::builder().metric(metric).above(above).periods(periods).description(description);
        scope.add(id, alarm.topic(topic.clone()).build());
    };
    alarm(
        "ErrorsAlarm",
        function.metric_errors(),
        0,
        5,
        "The function has failed for five minutes in a row: something that it delivers to does not take its events. They are tried again; its log says why.",
    );
    alarm(
        "ThrottlesAlarm",
        function.metric_throttles(),
        0,
        5,
        "Lambda has not let the function run for five minutes in a row: the account's concurrency is used up, or it is paused.",
    );
    alarm(
        "FailuresAlarm",
        function.failures().metric_visible(),
        0,
        1,
        "Events were given up and lie in the function's failure queue, for 14 days. Mend the cause, then send them again.",
    );
    alarm(
        "SlowAlarm",
        function.metric_duration(),
        timeout_seconds * 900,
        3,
        "Invocations take over nine tenths of the function's timeout. Give it more memory, which is more CPU, or smaller batches.",
    );
    match waits {
        Waits::WithLambda => {}
        Waits::Stream => alarm(
            "LateAlarm",
            function.metric_iterator_age(),
            600_000,
            3,
            "Records wait in the stream for over ten minutes. Look for errors of the function, then for shards with too much to do.",
        ),
        Waits::Queue(queue) => alarm(
            "LateAlarm",
            queue.metric_age(),
            600,
            3,
            "Messages wait in the queue for over ten minutes. Look for errors of the function; then it may be too few at a time.",
        ),
    }
}
