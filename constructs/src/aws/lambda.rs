//! Lambda: functions that are released by version and alias.
//!
//! Imports: `asset`, `aws`, `cfn`, `iam`, `template`, `tree`.

use super::{
    cloudwatch::Metric,
    iam::{Role, RoleHandle},
    logs::LogGroup,
    sqs::{Queue, QueueHandle},
};
use crate::{
    asset::FunctionCode,
    template::Parameter,
    tree::{Construct, Scope},
};
use cfn::{
    Arn, IntoValue, Json, Maybe as _, Ref, Value,
    lambda::{self, event_invoke_config as invoke, function as f},
};
use std::collections::BTreeMap;

/// The alias that triggers point at. Going back is pointing it at the version before.
pub const ALIAS: &str = "live";

/// A function in Rust for `provided.al2023`, with a log group that ends, a queue for what failed, and a version for every change of
/// its code or its settings.
///
/// Old versions are retained, so the alias can go back to them: code and environment together.
#[derive(Clone, Debug, bon::Builder)]
pub struct Function {
    /// The package.
    code: FunctionCode,
    /// What it does; shown in the console.
    #[builder(into)]
    description: String,
    /// 128 to 10,240 MiB. CPU follows it: a whole core at 1,769.
    #[builder(with = |mib: impl IntoValue<i64>| mib.into_value())]
    memory_mib: Value<i64>,
    /// 1 to 900 seconds.
    timeout_seconds: i64,
    /// Its environment: 4 KiB of names and values in all.
    #[builder(default)]
    environment: BTreeMap<String, Value<String>>,
    /// What a version stands for beside its code: 256 bytes at most. A change of it publishes a version.
    #[builder(with = |settings: impl IntoValue<String>| settings.into_value())]
    settings: Value<String>,
    /// How many of it may run at the same time; no bound if it is not said. 0 stops it.
    reserved_concurrency: Option<Value<i64>>,
    /// How many days its log is kept; a number that CloudWatch Logs knows.
    #[builder(with = |days: impl IntoValue<i64>| days.into_value())]
    log_retention_days: Value<i64>,
}

/// A function of this stack, by its alias.
#[derive(Clone, Debug)]
pub struct FunctionHandle {
    alias: Ref<lambda::Alias>,
    function: Ref<lambda::Function>,
    role: RoleHandle,
    failures: QueueHandle,
}

impl Construct for Function {
    type Handle = FunctionHandle;

    fn build(self, scope: &mut Scope<'_>) -> FunctionHandle {
        let role = scope.add("Role", Role::builder().service("lambda.amazonaws.com").build());
        let log = scope.add("Log", LogGroup::builder().retention_days(self.log_retention_days).build());
        log.grant_write(scope, &role);
        let failures = scope.add("Failures", Queue::builder().build());
        failures.grant_send(scope, &role);

        let environment: BTreeMap<String, Value<String>> = self.environment;
        let architecture = architecture(scope);
        let function = scope.add(
            "Resource",
            lambda::Function::new()
                .description(self.description)
                .runtime(f::Runtime::ProvidedAl2023)
                .handler("bootstrap")
                .architectures([architecture])
                .code(f::Code::new().s3_bucket(self.code.bucket).s3_key(self.code.key))
                .role(role.arn())
                .memory_size(self.memory_mib)
                .timeout(self.timeout_seconds)
                .environment(f::Environment::new().variables(Value::Known(environment)))
                .logging_config(f::LoggingConfig::new().log_group(log.name()))
                .maybe(self.reserved_concurrency, lambda::Function::reserved_concurrent_executions),
        );
        let version = scope.add(
            "Version",
            lambda::Version::new()
                .function_name(function.ref_())
                .description(self.settings)
                .code_sha256(self.code.sha256),
        );
        scope.options(&version).retain();
        let alias = scope.add(
            "Alias",
            lambda::Alias::new().name(ALIAS).function_name(function.ref_()).function_version(version.version()),
        );
        let waits = scope.add(
            "OnFailure",
            lambda::EventInvokeConfig::new()
                .function_name(function.ref_())
                .qualifier(ALIAS)
                .maximum_retry_attempts(2)
                .maximum_event_age_in_seconds(21_600)
                .destination_config(
                    invoke::DestinationConfig::new().on_failure(invoke::OnFailure::new().destination(failures.arn())),
                ),
        );
        scope.options(&waits).depends_on(&alias);
        FunctionHandle { alias, function, role, failures }
    }
}

/// What the packages of a stack's functions are built for.
fn architecture(scope: &mut Scope<'_>) -> Value<f::ArchitecturesItem> {
    let parameter = Parameter::string()
        .description("What the functions' packages are built for; `arm64` costs a fifth less.")
        .allowed_values(f::ArchitecturesItem::VALUES.iter().copied())
        .default_value("arm64")
        .group("Code");
    Value::Later(scope.parameter("Architecture", parameter).value())
}

impl FunctionHandle {
    /// ARN of its alias: what triggers invoke.
    pub fn alias_arn(&self) -> Value<Arn<lambda::Function>> {
        self.alias.ref_()
    }

    /// Its name.
    pub fn name(&self) -> Value<String> {
        self.function.ref_()
    }

    /// Its ARN without a version: what CloudFormation's custom resources invoke.
    pub fn arn(&self) -> Value<Arn<lambda::Function>> {
        self.function.arn()
    }

    /// Writes something to be read into the template, beside the function.
    pub fn metadata(&self, scope: &mut Scope<'_>, key: &str, value: Json) {
        scope.options(&self.function).metadata(key, value);
    }

    /// The role it runs with.
    pub fn role(&self) -> &RoleHandle {
        &self.role
    }

    /// Where invocations go that failed for good.
    pub fn failures(&self) -> &QueueHandle {
        &self.failures
    }

    /// Invocations that failed.
    pub fn metric_errors(&self) -> Metric {
        self.metric("Errors", "Sum")
    }

    /// Invocations that had to wait because too many were running.
    pub fn metric_throttles(&self) -> Metric {
        self.metric("Throttles", "Sum")
    }

    /// Milliseconds of an invocation.
    pub fn metric_duration(&self) -> Metric {
        self.metric("Duration", "Maximum")
    }

    /// Age of the last record of a batch when it was read from a stream, in milliseconds.
    pub fn metric_iterator_age(&self) -> Metric {
        self.metric("IteratorAge", "Maximum")
    }

    fn metric(&self, name: &'static str, statistic: &'static str) -> Metric {
        Metric::new("AWS/Lambda", name, statistic).of("FunctionName", self.name())
    }
}
