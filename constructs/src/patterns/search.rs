//! A search domain, and what is set up inside it.
//!
//! Imports: `asset`, `aws`, `cfn`, `template`, `text`, `tree`.

use crate::{
    Text,
    asset::FunctionCode,
    aws::{
        cloudwatch::Alarm,
        iam::RoleHandle,
        lambda::{Function, FunctionHandle},
        opensearch::{Domain, DomainHandle, Topology},
        sns::TopicHandle,
    },
    template::{Condition, ConditionHandle, Parameter, ParameterHandle},
    tree::{Construct, Scope},
};
use cfn::{IntoJson as _, IntoValue as _, Json, Ref, Value, cloudformation::CustomResource, intrinsic};
use serde_json::json;

/// An OpenSearch domain, and the function that is its master user: it lets each pipeline write its own indices and nothing else,
/// and puts the templates that indices are made by.
#[derive(Clone, Debug, bon::Builder)]
pub struct Search {
    /// What the domain runs on.
    topology: Topology,
    /// Code of the function `opensearch_setup`.
    code: FunctionCode,
    /// How many days logs are kept.
    log_retention_days: Value<i64>,
    /// Who is told when the domain is not well.
    alarms: TopicHandle,
}

/// A search domain of this stack.
#[derive(Clone, Debug)]
pub struct SearchHandle {
    /// The domain.
    pub domain: DomainHandle,
    setup: FunctionHandle,
    reader: ParameterHandle,
    reader_is_given: ConditionHandle,
}

/// How long the function may ask: a new domain may need minutes until it answers.
const SETUP_SECONDS: i64 = 600;
/// How long CloudFormation waits for the function's answer, which comes before its timeout.
const WAIT_SECONDS: i64 = 900;

impl Construct for Search {
    type Handle = SearchHandle;

    fn build(self, scope: &mut Scope<'_>) -> SearchHandle {
        let setup = scope.add(
            "Setup",
            Function::builder()
                .code(self.code)
                .description("Sets up roles and index templates inside the search domain")
                .memory_mib(128)
                .timeout_seconds(SETUP_SECONDS)
                .settings("none")
                .log_retention_days(self.log_retention_days.clone())
                .build(),
        );
        let domain = scope.add(
            "Domain",
            Domain::builder()
                .topology(self.topology)
                .master(setup.role().clone())
                .log_retention_days(self.log_retention_days)
                .build(),
        );
        domain.grant_setup(scope, setup.role());
        let mut alarm = |id: &str, metric, above: i32, description: &str| {
            let alarm =
                Alarm::builder().metric(metric).description(description).above(above).topic(self.alarms.clone());
            scope.add(id, alarm.periods(3).build());
        };
        alarm(
            "RedAlarm",
            domain.metric_red(),
            0,
            "A primary shard of the domain has no home: searches miss data, and writes to it wait. Look at the domain's health page.",
        );
        alarm(
            "WritesBlockedAlarm",
            domain.metric_writes_blocked(),
            0,
            "The domain takes no writes, most likely because its disks are full. Remove old indices or raise the volume size.",
        );
        let reader = scope.parameter(
            "ReaderRoleArn",
            Parameter::string()
                .description(
                    "ARN of an existing role of the people who search, in the domain's Dashboards or by requests; nobody when it is \
                     empty. By IAM, the role must be allowed es:ESHttpGet and es:ESHttpPost on the domain.",
                )
                .allowed_pattern("|arn:[a-z-]+:iam::[0-9]{12}:role/.+")
                .constraint_description("the ARN of an IAM role, or nothing")
                .default_value("")
                .group("Operation"),
        );
        let reader_is_given =
            scope.condition("ReaderRoleIsGiven", Condition::not(Condition::equals(reader.text(), "")));
        SearchHandle { domain, setup, reader, reader_is_given }
    }
}

impl SearchHandle {
    /// Lets `role` write the indices of these patterns, and the readers search them, and puts the template that such indices are made by. What comes back stands
    /// when all of that is done: let triggers wait for it.
    pub fn admit(
        &self,
        scope: &mut Scope<'_>,
        id: &str,
        role: &RoleHandle,
        patterns: &[&str],
        template: &Json,
    ) -> Ref<CustomResource> {
        // `cloudtrail` of `cloudtrail-*`. Inside the domain, names are shared by all stacks that use it.
        let indices = patterns.first().map_or("", |pattern| pattern.trim_end_matches(['*', '-']));
        let name: Value<String> = Text::new().value(intrinsic::stack_name()).text("-").text(indices).into_value();
        let mapping = json!({
            "Role": name.clone().into_json(),
            "IndexPatterns": patterns,
            "BackendRoles": [role.arn().into_json()],
        });
        let readers = json!({
            "Role": Text::new().value(name).text("-readers").into_value().into_json(),
            "Access": "read",
            "IndexPatterns": patterns,
            "BackendRoles": [self.reader.text().into_json()],
        });
        let readers: Value<Json> = self.reader_is_given.if_(readers, intrinsic::no_value());
        let resource = scope.add(
            id,
            CustomResource::new()
                .service_token(self.setup.alias_arn())
                .service_timeout(WAIT_SECONDS)
                .with("Endpoint", self.domain.endpoint())
                .with("RoleMappings", json!([mapping, readers.into_json()]))
                .with("IndexTemplates", json!({ indices: template.to_string() })),
        );
        self.setup.role().before(scope, &resource);
        resource
    }
}
