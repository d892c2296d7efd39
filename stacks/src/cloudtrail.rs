//! `cloudtrail`: what is done in an account, searchable within a minute.
//!
//! ```text
//! trail -> bucket -> topic -> ETL function -> search domain
//! ```
//!
//! Trail, bucket and topic may be there already: then their names are parameters, and none are made.

use crate::{
    log_sources::cloudtrail,
    operation::{Size, operation, topology},
};
use constructs::{
    Condition, ConditionHandle, Output, Parameter, Rule, Scope, Stack,
    asset::FunctionCode,
    aws::{cloudtrail::Trail, dashboard::Dashboard, kms::KeyHandle, s3::Lifecycle},
    cfn::{intrinsic, kms},
    patterns::{Bindings, Bound, ExistingFiles, Instead, LogSource, Queueing, Search},
};

/// The stack, with what is chosen in code.
#[derive(Clone, Debug, Default, bon::Builder)]
pub struct Cloudtrail {
    /// How large the search domain is made.
    #[builder(default)]
    pub size: Size,
    /// Whether announcements of new files wait in a queue of their own before the function reads them. Without one, what cannot be
    /// delivered is tried three times and then lies in the failure queue; with one it comes again for half a day.
    #[builder(default)]
    pub queued: bool,
}

/// The longest address of a database: it is part of what tells one version of the function from another.
const LONGEST_ADDRESS: usize = 100;

impl Cloudtrail {
    /// The stack.
    pub fn stack(&self) -> Stack {
        let mut stack = Stack::new("cloudtrail").description(
            "What is done in this account, searchable within a minute: a trail of all regions, its bucket, and a search domain.",
        );
        let mut scope = stack.scope();
        let existing = ExistingFiles::parameters(&mut scope, "Trail", "CloudTrail", "AWSLogs/");
        let shared = operation(&mut scope, Some(existing.made()));
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
        let (looks_up, database) = database(&mut scope);
        let database = names.bind("GEOIP_DATABASE", database);
        let with_places = Instead { when: looks_up, pipeline: cloudtrail::pipeline(host.clone(), Some(database)) };
        let code = FunctionCode::of_kind(&mut scope, "Etl");
        let source = LogSource::builder()
            .files(cloudtrail::files())
            .existing(existing.clone())
            .pipeline(cloudtrail::pipeline(host, None))
            .instead(with_places)
            .names(names)
            .search(search.clone())
            .index_patterns(vec![cloudtrail::INDEX_PATTERN])
            .index_template(cloudtrail::index_template())
            .code(code)
            .description("CloudTrail's files to documents of the search domain")
            .maybe_queued(self.queued.then(Queueing::default))
            .lifecycle(lifecycle)
            .key(shared.key)
            .log_retention_days(shared.log_retention_days)
            .alarms(shared.alarms.clone())
            .build();
        let source = scope.add("Source", source);

        let trail_name = intrinsic::stack_name();
        source.bucket.admit_trail(&mut scope, &trail_name);
        let trail = Trail::builder().name(trail_name).bucket(source.bucket.clone()).build();
        scope.only_if(existing.made()).add("Trail", trail);

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

/// The database of addresses that an operator may name, with its key, and whether one is named.
fn database(scope: &mut Scope<'_>) -> (ConditionHandle, Bound) {
    let geo = Parameter::string()
        .description(
            "Address of a MaxMind database of cities in a bucket (s3://bucket/key): documents then say where their source \
             address is. Nothing is looked up when it is empty.",
        )
        .allowed_pattern("|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+")
        .constraint_description("s3://bucket/key, at most 100 characters, or nothing")
        .max_length(LONGEST_ADDRESS as u64)
        .default_value("")
        .group("Operation");
    let geo = scope.parameter("GeoIpDatabase", geo);
    let looks_up = scope.condition("GeoIpDatabaseIsGiven", Condition::not(Condition::equals(geo.text(), "")));
    let geo_key = Parameter::string()
        .description(
            "ARN of the KMS key that encrypts the database of GeoIpDatabase, if it has one. Its policy must let this account \
             decrypt by IAM.",
        )
        .allowed_pattern(KeyHandle::ARN_OR_NOTHING)
        .constraint_description("the ARN of a KMS key, or nothing")
        .default_value("")
        .group("Operation");
    let geo_key = scope.parameter("GeoIpKeyArn", geo_key);
    let key_is_given = Condition::not(Condition::equals(geo_key.text(), ""));
    scope.rule(
        "GeoIpKeyGoesWithDatabase",
        Rule::when(key_is_given.clone()).assert(
            Condition::not(Condition::equals(geo.text(), "")),
            "GeoIpKeyArn is given, so GeoIpDatabase must be, too",
        ),
    );
    let geo_key_is_given = scope.condition("GeoIpKeyIsGiven", key_is_given);
    let geo_key = KeyHandle::from_arn(geo_key.arn::<kms::Key>()).only_if(&geo_key_is_given);
    (looks_up, Bound::object(geo.text(), LONGEST_ADDRESS).encrypted_by(&geo_key))
}
