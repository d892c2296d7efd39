//! Reports; the lower door.

use crate::parts::{Gate, Take, config, kinesis, lines, pipeline};
use etl::{
    component::Component,
    config::PipelineConfig,
    event::{Context, KinesisStandIn, S3StandIn},
    handlers::{KinesisHandler, S3Handler, Tag},
    operations::JsonArraySplitOperation,
    pipeline::{Environment, Pipeline},
    ports::{Call, Metric},
    reporters::{Report, Reporter},
    testing::World,
    wrappers::KinesisWrapper,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tells figures as they are.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Tell {}

impl Component for Tell {
    const NAME: &'static str = "Tell";
    const EXAMPLE: &'static str = "type: Tell\n";
}

impl Reporter for Tell {
    fn report(&self, report: &Report) -> Vec<Call> {
        let metrics = report.stats.iter().map(|stat| Metric {
            name: stat.name.to_owned(),
            dimensions: stat.tags.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect(),
            value: stat.value,
            time_ms: report.time_ms,
        });
        let tags = report.tags.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",");
        vec![Call::PutMetricData { namespace: tags, region: None, metrics: metrics.collect() }]
    }
}

#[test]
fn the_report_has_benders_figures_and_the_ledgers_and_each_component_its_own() {
    let world = World::new();
    let handler = KinesisHandler::builder()
        .metric_tags(vec![Tag { key: "team".into(), value: "a".into() }, Tag { key: "env".into(), value: "x".into() }])
        .include_function_tags(true)
        .build();
    let split = JsonArraySplitOperation::builder().path("$.all").build();
    let config = PipelineConfig {
        reporters: vec![Tell {}.into()],
        ..config(handler, vec![split.into(), Gate {}.into()], Take::default())
    };
    let function_tags =
        vec![("env".to_owned(), "prod".to_owned()), ("aws:cloudformation:stack-name".to_owned(), "s".to_owned())];
    let environment = Environment { function_tags, ..Environment::default() };
    let mut pipeline = Pipeline::new(&config, environment, world.ports()).unwrap();
    let records = [r#"{"all":[{"a":1},{"a":2},{"do":"drop"},{"do":"fail"}]}"#, "{", r#"{"all":[]}"#];
    let context = Context {
        function_name: Some("f".into()),
        invoked_function_arn: Some("arn:aws:lambda:us-east-1:123456789012:function:f:live".into()),
        ..Context::default()
    };
    pipeline.invoke(&kinesis(&records), &context);
    let Some(Call::PutMetricData { namespace, metrics, .. }) = world.calls.made().pop() else { panic!("a report") };
    assert_eq!(namespace, "functionName=f,functionVersion=live,env=prod,team=a");
    let value = |name: &str, tags: &str| {
        let tags_of = |metric: &Metric| {
            metric.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
        };
        let found: Vec<_> = metrics.iter().filter(|m| m.name == name && tags_of(m) == tags).map(|m| m.value).collect();
        let [value] = found[..] else { panic!("{name} {tags}: {found:?} of {metrics:#?}") };
        value
    };
    for (class, good, bad) in
        [("GenericJson", 2, 1), ("JsonArraySplitOperation", 2, 0), ("Gate", 3, 1), ("Json", 2, 0), ("Take", 1, 0)]
    {
        let tag = format!("class={class}");
        assert_eq!((value("success.count", &tag), value("error.count", &tag)), (good, bad), "{class}");
        assert!(value("timing.ns", &tag) >= 0);
    }
    let source = "source=aws:kinesis";
    assert_eq!(value("event.count", source), 3);
    assert_eq!(value("event.byte_size", source), records.iter().map(|r| i64::try_from(r.len()).unwrap()).sum::<i64>());
    assert_eq!(value("serializer.serialized_bytes", source), 14);
    assert_eq!(value("spout.lag.ms", source), 2123);
    assert_eq!(
        (value("ledger.received", source), value("ledger.born", source), value("ledger.delivered", source)),
        (3, 3, 2)
    );
    assert_eq!(value("ledger.dropped", "reason=gate closed"), 1);
    assert_eq!(value("ledger.dropped", "reason=empty split"), 1);
    assert_eq!(value("ledger.failed", "stage=operation,component=Gate,reason=gate broken"), 1);

    pipeline.invoke(&kinesis(&["{}"]), &context);
    let Some(Call::PutMetricData { metrics, .. }) = world.calls.made().pop() else { panic!("a report") };
    let events = metrics.iter().find(|metric| metric.name == "event.count").unwrap();
    assert_eq!(events.value, 1, "each invocation has its own figures");
}

#[test]
fn the_lower_door_hands_lines_over_as_records_of_the_stream_that_the_context_names() {
    let world = World::new();
    let mut config = config(KinesisHandler::builder().build(), vec![], Take::default());
    config.wrapper = Some(KinesisWrapper {}.into());
    let kinesis = KinesisStandIn {
        event_source_arn: Some("arn:aws:kinesis:us-east-1:123456789012:stream/golden".into()),
        event_source: Some("aws:kinesis".into()),
        sequence_number: Some("99".into()),
        approximate_arrival_ms: Some(1_795_449_598_000),
        ..KinesisStandIn::default()
    };
    let context = Context { kinesis: Some(kinesis), now_ms: Some(1_795_449_600_123), ..Context::default() };
    let mut pipeline = pipeline(&world, &config);
    let mut run = pipeline.begin(&context);
    run.record(br#"{"a":1}"#);
    run.record(br#"{"a":2}"#);
    assert_eq!(run.finish().ledger.delivered, 2);
    let Some(Call::PutRecordBatch { records, .. }) = world.calls.made().pop() else { panic!("a batch") };
    let lines: Vec<serde_json::Value> =
        lines(&records).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["sequence_number"], &lines[1]["sequence_number"]), (&"99".into(), &"100".into()));
    assert_eq!(lines[1]["source_arn"], "arn:aws:kinesis:us-east-1:123456789012:stream/golden");
    assert_eq!(
        (&lines[1]["arrival_time"], &lines[1]["processing_time"]),
        (&1_795_449_598_000_i64.into(), &1_795_449_600_123_i64.into())
    );
}

#[test]
fn the_lower_door_reads_files_as_objects_whatever_the_context_calls_them() {
    let world = World::new();
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let s3 = S3StandIn { key: Some("ct/y.json.gz".into()), ..S3StandIn::default() };
    let mut pipeline = pipeline(&world, &config);
    let mut run = pipeline.begin(&Context { s3: Some(s3), ..Context::default() });
    run.object("input.ndjson", &b"{\"a\":1}\n{\"a\":2}\n"[..]);
    run.object("input.gz", &b"no gzip"[..]);
    let invoked = run.finish();
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (2, 1));
}

#[test]
fn a_ledger_is_json_with_these_members() {
    let world = World::new();
    let config = config(KinesisHandler::builder().build(), vec![Gate {}.into()], Take::default());
    let invoked = pipeline(&world, &config)
        .invoke(&kinesis(&["{}", r#"{"do":"drop"}"#, r#"{"do":"fail"}"#]), &Context::default());
    assert_eq!(
        serde_json::to_string(&invoked.ledger).unwrap(),
        r#"{"received":3,"born":0,"delivered":1,"dropped":{"gate closed":1},"failed":[{"stage":"operation","component":"Gate","reason":"gate broken","count":1}]}"#
    );
}
