//! The ETL function: a pipeline, deployed.
//!
//! Imports: `asset`, `aws`, `cfn`, `codes`, `etl`, `template`, `text`, `tree`.

use super::{
    bindings::Bindings,
    environment::{Constants, environment},
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
    template::{ConditionHandle, Parameter},
    tree::{Construct, Scope},
};
use cfn::{IntoValue as _, Json, Ref, Value, cloudformation::CustomResource};
use etl::{
    config::{PipelineConfig, Variables},
    registry::Registry,
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A function that runs a pipeline. What it may do follows from the pipeline's config; nobody writes IAM for it.
///
/// The id it is added under begins the names of its parameters: `<id>MemoryMiB`, `<id>State`.
#[derive(Clone, Debug, bon::Builder)]
pub struct EtlFunction {
    /// What it runs.
    pipeline: PipelineConfig,
    /// What it runs instead, where an operator has chosen so.
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
        let config = self.pipeline.to_json();
        let instead = self.instead.as_ref().map(|instead| (instead.when.clone(), instead.pipeline.to_json()));
        let constants = Constants { config, instead };
        for name in self.names.refused() {
            scope.problem(
                codes::NEED,
                format!("`{name}` is no name for a variable of the environment"),
                "use letters, digits and `_`",
            );
        }
        for config in constants.all() {
            check(scope, &self.registry, config, &self.names);
        }
        let memory = scope.parameter(
            &format!("{name}MemoryMiB"),
            Parameter::number()
                .description("Memory of the function in MiB; its CPU follows, a whole core at 1,769.")
                .min_value(128)
                .max_value(10_240)
                .default_value(self.memory_mib)
                .group("Sizes"),
        );
        let environment = environment(scope, &constants, &self.names);
        let running = self.trigger.running(scope, &name);
        let others = self.instead.iter().map(|instead| &instead.pipeline);
        for pipeline in [&self.pipeline].into_iter().chain(others) {
            self.trigger.is_read_by(scope, pipeline.handler.name());
        }
        let function = Function::builder()
            .code(self.code)
            .description(self.description)
            .memory_mib(memory.number())
            .timeout_seconds(self.timeout_seconds.into())
            .environment(environment.variables)
            .settings(settings(&constants, &memory.text(), &self.names))
            .maybe_reserved_concurrency(self.trigger.concurrency(running.as_ref()))
            .log_retention_days(self.log_retention_days)
            .build();
        let function = scope.add("Function", function);
        for (name, copy) in environment.copies {
            function.metadata(scope, &name, copy);
        }
        let instead = self.instead.map(|instead| (instead.when, instead.pipeline.needs()));
        let to = Grantee { function: &function, names: &self.names, decrypts_with: &self.decrypt_with };
        permissions::grant(scope, &to, &self.pipeline.needs(), instead.as_ref());
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

/// Reads the config as the function will, with the names known and their values not.
fn check(scope: &mut Scope<'_>, registry: &Registry, config: &str, names: &Bindings) {
    let known: Vec<&str> = names.iter().map(|(name, _)| name).collect();
    if let Err(report) = PipelineConfig::read(registry, "pipeline.json", config, Variables::Bound(&known)) {
        for line in report.lines() {
            scope.problem(codes::PIPELINE, line, "mend the pipeline where the stack builds it");
        }
    }
}

/// What a version stands for beside its code. Only what stands here publishes a new version when it changes, so all that is baked
/// into a version must: the config, the memory, the values of names.
fn settings(constants: &Constants, memory: &Value<String>, names: &Bindings) -> Value<String> {
    let hash: Value<String> = match &constants.instead {
        Some((when, instead)) => when.if_(fingerprint(instead), fingerprint(&constants.config)),
        None => Value::Known(fingerprint(&constants.config)),
    };
    let text = Text::new().text("config ").value(hash).text(", ").value(memory.clone()).text(" MiB");
    let text = names.iter().fold(text, |text, (_, bound)| text.text(", ").value(bound.value.clone()));
    text.into_value()
}

fn fingerprint(config: &str) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(config).iter().take(8) {
        // Writing into a text does not fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
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
