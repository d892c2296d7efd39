//! `events`: a stream of events, searchable within a minute and kept for good within five.
//!
//! ```text
//!              ┌-> ETL function -> search domain
//! stream ------┤
//!              └-> ETL function -> Firehose -> archive bucket
//! ```
//!
//! Two functions read the one stream, each at its own pace: an outage of the domain does not hold up the archive.

use crate::{
    operation::{Size, operation, topology},
    search::{daily_index, pattern, typed_keys},
};
use constructs::{
    Output, Parameter, Stack,
    asset::FunctionCode,
    aws::{dashboard::Dashboard, kinesis::Stream},
    cfn::Value,
    patterns::{Archive, Bindings, EtlFunction, Indices, Search, Trigger},
};
use etl::{
    config::{OperationConfig, PipelineConfig, ReporterConfig, Source},
    deserializers::GenericJson,
    document_id::DocumentId,
    handlers::KinesisHandler,
    late::Late,
    operations::JsonKeyNameOperation,
    reporters::CloudWatchEmbeddedMetrics,
    serializers::Json,
    transports::{ElasticSearch, Firehose},
    wrappers::KinesisWrapper,
};
use serde_json::{Value as Template, json};

/// The stack, with what is chosen in code.
#[derive(Clone, Debug, Default, bon::Builder)]
pub struct Events {
    /// How large the search domain is made.
    #[builder(default)]
    pub size: Size,
}

impl Events {
    /// The stack.
    pub fn stack(&self) -> Stack {
        let mut stack = Stack::new("events")
            .description("A stream of JSON events, searchable within a minute and kept in a bucket within five.");
        let mut scope = stack.scope();
        let shared = operation(&mut scope, None);
        let topology = topology(&mut scope, self.size);
        let keep = Parameter::number()
            .description("How many hours the stream keeps events: how long an outage may last without loss.")
            .min_value(24)
            .max_value(8_760)
            .default_value(72)
            .group("Retention");
        let keep = scope.parameter("StreamRetentionHours", keep);
        let stream = scope.add("Stream", Stream::builder().retention_hours(keep.number()).build());

        let setup = FunctionCode::of_kind(&mut scope, "OpensearchSetup");
        let search = Search::builder()
            .topology(topology)
            .code(setup)
            .log_retention_days(shared.log_retention_days.clone())
            .alarms(shared.alarms.clone())
            .build();
        let search = scope.add("Search", search);
        let archive = Archive::builder()
            .prefix("events")
            .log_retention_days(shared.log_retention_days.clone())
            .alarms(shared.alarms.clone())
            .build();
        let archive = scope.add("Archive", archive);

        let code = FunctionCode::of_kind(&mut scope, "Etl");
        let trigger = |records, seconds| Trigger::Kinesis {
            stream: stream.clone(),
            batch_size: Value::Known(records),
            batching_seconds: Value::Known(seconds),
        };
        let mut names = Bindings::new();
        let to_search = EtlFunction::builder()
            .pipeline(to_search(names.bind("SEARCH_HOST", &search.domain)))
            .names(names)
            .trigger(trigger(2_000, 5))
            .indices(Indices { search: search.clone(), patterns: vec!["events-*"], template: index_template() })
            .code(code.clone())
            .description("Events of the stream to documents of the search domain")
            .log_retention_days(shared.log_retention_days.clone())
            .alarms(shared.alarms.clone())
            .build();
        let to_search = scope.add("ToSearch", to_search).function;
        let mut names = Bindings::new();
        let to_archive = EtlFunction::builder()
            .pipeline(to_archive(names.bind("ARCHIVE_STREAM", &archive.stream)))
            .names(names)
            // Large batches: many events in one record of Firehose, which bills a record as 5 KiB at least.
            .trigger(trigger(10_000, 30))
            .code(code)
            .description("Events of the stream to the archive, by way of Firehose")
            .log_retention_days(shared.log_retention_days)
            .alarms(shared.alarms.clone())
            .build();
        let to_archive = scope.add("ToArchive", to_archive).function;

        let dashboard = Dashboard::builder()
            .graph("Stream: refused writes", [stream.metric_write_throttled()])
            .graph("Functions: failed invocations", [to_search.metric_errors(), to_archive.metric_errors()])
            .graph(
                "Functions: age of what they read, in milliseconds",
                [to_search.metric_iterator_age(), to_archive.metric_iterator_age()],
            )
            .graph("Functions: milliseconds", [to_search.metric_duration(), to_archive.metric_duration()])
            .graph("Archive: age of what is not in the bucket yet, in seconds", [archive.stream.metric_freshness()])
            .graph("Domain: not well", [search.domain.metric_red(), search.domain.metric_writes_blocked()]);
        let dashboard = scope.add("Dashboard", dashboard.build());

        let output = |value, text: &str| Output::new(value).description(text);
        scope.output("StreamName", output(stream.name(), "Put events here: one JSON object a record."));
        scope.output(
            "ArchiveBucketName",
            output(archive.bucket.name(), "Keeps every event, in gzipped objects by the hour."),
        );
        scope.output(
            "SearchEndpoint",
            output(search.domain.endpoint(), "The search domain, over HTTPS with signed requests."),
        );
        scope.output("SearchFunctionName", output(to_search.name(), "Delivers to the search domain."));
        scope.output("ArchiveFunctionName", output(to_archive.name(), "Delivers to the archive."));
        scope.output(
            "SearchFailureQueueUrl",
            output(to_search.failures().url(), "Holds what could not be delivered to the domain."),
        );
        scope
            .output("ArchiveFailureQueueUrl", output(to_archive.failures().url(), "Holds what could not be archived."));
        scope.output("AlarmTopicArn", output(shared.alarms.arn().into_text(), "Alarms go here."));
        scope.output("DashboardName", output(dashboard, "Graphs of all this, in CloudWatch."));
        stack
    }
}

/// All streams: a function that reads several tells them apart here, each with operations of its own.
fn source(operations: Vec<OperationConfig>) -> Source {
    Source::builder()
        .name("Events")
        .source_regex(pattern(r"arn:[^:]+:kinesis:[^:]+:\d+:stream/.+"))
        .deserializer(GenericJson::builder().build())
        .operations(operations)
        .build()
}

fn metrics() -> ReporterConfig {
    CloudWatchEmbeddedMetrics::builder().namespace("Flexo").build().into()
}

/// Documents, each in the index of the day it arrived on, under an id made of its place in the stream: delivered twice it is one
/// document, and two equal events are two.
fn to_search(host: Late<String>) -> PipelineConfig {
    PipelineConfig::builder()
        .handler(KinesisHandler::builder().build())
        .sources(vec![source(vec![JsonKeyNameOperation::builder().build().into()])])
        .wrapper(KinesisWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(ElasticSearch { document_id: Some(DocumentId::Origin), ..daily_index(host, "events-") })
        .reporters(vec![metrics()])
        .build()
}

/// Lines, many of them in one record of Firehose. Each says where in the stream it was, so a copy can be told from an equal event.
fn to_archive(stream: Late<String>) -> PipelineConfig {
    PipelineConfig::builder()
        .handler(KinesisHandler::builder().build())
        .sources(vec![source(vec![])])
        .wrapper(KinesisWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(Firehose::builder().stream_name(stream).build())
        .reporters(vec![metrics()])
        .build()
}

/// The times of the envelope are dates.
fn index_template() -> Template {
    let time = json!({"type": "date", "format": "epoch_millis"});
    typed_keys("events-*", &json!({"timestamp": time, "arrival_time": time, "processing_time": time}))
}
