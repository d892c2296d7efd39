//! Route 53 Resolver: which names were asked for in a VPC. A file is gzipped lines of JSON.

use constructs::{
    Scope, Text,
    asset::FunctionCode,
    aws::{kms::KeyHandle, sns::TopicHandle},
    cfn::{IntoValue as _, Value, intrinsic},
    patterns::{Bindings, FileLayout, LogSource, SearchHandle},
};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::SNSS3Handler,
    late::Late,
    operations::{JsonKeyNameOperation, TimeOperation, time::TimeFieldType},
    serializers::Json,
    wrappers::PassthroughWrapper,
};
use serde_json::json;
use stacks::search::{daily_index, typed_keys};

/// What is done to a query: its own time decides its index, its keys say the types of their values.
pub fn pipeline(host: Late<String>) -> PipelineConfig {
    let source = Source::builder()
        .name("ResolverQueries")
        .deserializer(GenericJson::builder().build())
        .operations(vec![
            TimeOperation::builder()
                .time_field("$.query_timestamp")
                .time_field_type(TimeFieldType::Iso8601)
                .build()
                .into(),
            JsonKeyNameOperation::builder().build().into(),
        ])
        .build();
    PipelineConfig::builder()
        .handler(SNSS3Handler::builder().build())
        .sources(vec![source])
        .wrapper(PassthroughWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(daily_index(host, "resolver-"))
        .build()
}

/// Adds the log source to a stack that has a search domain.
pub fn add(scope: &mut Scope<'_>, search: &SearchHandle, key: &KeyHandle, alarms: &TopicHandle, log_days: Value<i64>) {
    let mut names = Bindings::new();
    let host = names.bind("SEARCH_HOST", &search.domain);
    let prefix = Text::new().text("AWSLogs/").value(intrinsic::account_id()).text("/vpcdnsquerylogs/");
    let code = FunctionCode::of_kind(scope, "Etl");
    let source = LogSource::builder()
        .files(FileLayout { prefix: prefix.into_value(), suffix: ".log.gz" })
        .pipeline(pipeline(host))
        .names(names)
        .search(search.clone())
        .index_patterns(vec!["resolver-*"])
        .index_template(typed_keys("resolver-*", &json!({"query_timestamp__str": {"type": "date"}})))
        .code(code)
        .description("Route 53 Resolver queries to documents of the search domain")
        .key(key.clone())
        .log_retention_days(log_days)
        .alarms(alarms.clone())
        .build();
    let source = scope.add("ResolverQueries", source);
    source.bucket.admit_log_delivery(scope);
}
