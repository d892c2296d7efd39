//! `cloudtrail`: what is done in an account, searchable within a minute.
//!
//! ```text
//! trail -> bucket -> topic -> ETL function -> search domain
//! ```

use crate::{
    log_sources::cloudtrail,
    operation::{Size, operation, topology},
};
use constructs::{
    Condition, Output, Parameter, Stack,
    asset::FunctionCode,
    aws::{cloudtrail::Trail, dashboard::Dashboard, s3::Lifecycle},
    cfn::intrinsic,
    patterns::{Bindings, LogSource, Search},
};

/// The stack, with what is chosen in code.
#[derive(Clone, Debug, Default, bon::Builder)]
pub struct Cloudtrail {
    /// How large the search domain is made.
    #[builder(default)]
    pub size: Size,
    /// The address of a MaxMind database of cities (`s3://bucket/key`): documents then say where their source address is.
    pub geo_database: Option<String>,
}

impl Cloudtrail {
    /// The stack.
    pub fn stack(&self) -> Stack {
        let mut stack = Stack::new("cloudtrail").description(
            "What is done in this account, searchable within a minute: a trail of all regions, its bucket, and a search domain.",
        );
        let mut scope = stack.scope();
        let shared = operation(&mut scope);
        let topology = topology(&mut scope, self.size);
        let setup = FunctionCode::of_kind(&mut scope, "OpensearchSetup");
        let search = Search::builder()
            .topology(topology)
            .code(setup)
            .log_retention_days(shared.log_retention_days.clone())
            .alarms(shared.alarms.clone())
            .build();
        let search = scope.add("Search", search);

        let keep = Parameter::number()
            .description(
                "After how many days the trail's files are removed; 0: never. Auditors often ask for 365 or more.",
            )
            .min_value(0)
            .max_value(36_500)
            .default_value(0)
            .group("Retention");
        let keep = scope.parameter("TrailExpireAfterDays", keep);
        let expires = scope.condition("TrailExpires", Condition::not(Condition::equals(keep.text(), "0")));
        let lifecycle = Lifecycle::builder().expire_after(expires.if_(keep.number(), intrinsic::no_value())).build();

        let mut names = Bindings::new();
        let host = names.bind("SEARCH_HOST", &search.domain);
        let code = FunctionCode::of_kind(&mut scope, "Etl");
        let source = LogSource::builder()
            .files(cloudtrail::files())
            .pipeline(cloudtrail::pipeline(host, self.geo_database.as_deref()))
            .names(names)
            .search(search.clone())
            .index_patterns(vec![cloudtrail::INDEX_PATTERN])
            .index_template(cloudtrail::index_template())
            .code(code)
            .description("CloudTrail's files to documents of the search domain")
            .lifecycle(lifecycle)
            .key(shared.key)
            .log_retention_days(shared.log_retention_days)
            .alarms(shared.alarms.clone())
            .build();
        let source = scope.add("Source", source);

        let trail_name = intrinsic::stack_name();
        source.bucket.admit_trail(&mut scope, &trail_name);
        scope.add("Trail", Trail::builder().name(trail_name).bucket(source.bucket.clone()).build());

        let function = &source.etl.function;
        let dashboard = Dashboard::builder()
            .graph("Function: failed invocations", [function.metric_errors(), function.metric_throttles()])
            .graph("Function: milliseconds", [function.metric_duration()])
            .graph("Given up, in the failure queue", [function.failures().metric_visible()])
            .graph("Domain: not well", [search.domain.metric_red(), search.domain.metric_writes_blocked()])
            .graph("Domain: MiB free", [search.domain.metric_free_storage()]);
        let dashboard = scope.add("Dashboard", dashboard.build());

        let output = |value, text: &str| Output::new(value).description(text);
        scope.output("BucketName", output(source.bucket.name(), "Where the trail's files are kept."));
        scope.output(
            "TopicArn",
            output(source.topic.arn().into_text(), "Tells of each new file; others may subscribe, too."),
        );
        scope.output("FunctionName", output(function.name(), "Reads the files; its log says what it does."));
        scope.output(
            "FailureQueueUrl",
            output(function.failures().url(), "Holds what could not be delivered, for 14 days."),
        );
        scope.output(
            "SearchEndpoint",
            output(search.domain.endpoint(), "The search domain, over HTTPS with signed requests."),
        );
        scope.output("AlarmTopicArn", output(shared.alarms.arn().into_text(), "Alarms go here."));
        scope.output("DashboardName", output(dashboard, "Graphs of all this, in CloudWatch."));
        stack
    }
}
