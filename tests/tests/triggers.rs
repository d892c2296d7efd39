//! A function for each kind of trigger that no stack of ours uses, in one template, held against AWS's own checker.

use constructs::{
    Scope, Stack,
    asset::FunctionCode,
    aws::{
        event_source::EventPattern,
        kms::{Key, Service},
        s3::{Bucket, KeyFilter},
        sns::Topic,
        sqs::Queue,
    },
    cfn::{
        Value,
        dynamodb::{self, table as t},
    },
    patterns::{EtlFunction, EtlHandle, Queueing, Trigger},
};
use etl::{
    config::{HandlerConfig, PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::{
        CloudWatchLogsHandler, DynamodbHandler, EventBridgeHandler, S3Handler, SNSHandler, SNSS3Handler, SQSHandler,
    },
    serializers::Json,
    transports::Firehose,
    wrappers::PassthroughWrapper,
};
use serde_json::json;
use std::fs;
use tests::lint::findings;

fn add(scope: &mut Scope<'_>, id: &str, trigger: Trigger, handler: impl Into<HandlerConfig>) -> EtlHandle {
    let key = scope.add(&format!("{id}Key"), Key::builder().description("alarms").build());
    let alarms = scope.add(&format!("{id}Alarms"), Topic::builder().key(key).build());
    alarms.admit(scope, Service::CloudWatch);
    let source = Source::builder().name("Events").deserializer(GenericJson::builder().build()).build();
    let pipeline = PipelineConfig::builder()
        .handler(handler)
        .sources(vec![source])
        .wrapper(PassthroughWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(Firehose::builder().stream_name("archive").build())
        .build();
    let code = FunctionCode::of_kind(scope, "Etl");
    let function = EtlFunction::builder().pipeline(pipeline).trigger(trigger).code(code).description("reads");
    scope.add(id, function.log_retention_days(Value::Known(30)).alarms(alarms).build())
}

fn stack() -> Stack {
    let mut stack = Stack::new("triggers").description("A function for each kind of trigger.");
    let scope = &mut stack.scope();
    let (batch_size, batching_seconds) = (Value::Known(100), Value::Known(1));

    let table = dynamodb::Table::new()
        .key_schema([t::KeySchemaItem::new().attribute_name("id").key_type("HASH")])
        .attribute_definitions([t::AttributeDefinition::new()
            .attribute_name("id")
            .attribute_type(t::AttributeDefinitionAttributeType::S)])
        .billing_mode(t::BillingMode::PayPerRequest)
        .stream_specification(
            t::StreamSpecification::new().stream_view_type(t::StreamSpecificationStreamViewType::NewAndOldImages),
        );
    let table = scope.add("Table", table);
    scope.options(&table).retain();
    let stream_arn = table.stream_arn();
    let changes =
        Trigger::Dynamodb { stream_arn, batch_size: batch_size.clone(), batching_seconds: batching_seconds.clone() };
    add(scope, "Changes", changes, DynamodbHandler::builder().build());

    let queue = scope.add("Queue", Queue::builder().visibility_timeout_seconds(1_800).build());
    add(scope, "Orders", Trigger::Sqs { queue, batch_size, batching_seconds }, SQSHandler::builder().build());

    let key = scope.add("Key", Key::builder().description("topics").build());
    let topic = |scope: &mut Scope<'_>, id: &str| scope.add(id, Topic::builder().key(key.clone()).build());
    let topic_of_messages = topic(scope, "Messages");
    let messages = Trigger::Messages { topic: topic_of_messages };
    add(scope, "Hears", messages.clone(), SNSHandler::builder().build());
    add(scope, "HearsLater", messages.queued(Queueing::default()), SQSHandler::builder().build());

    let announces = topic(scope, "Announces");
    announces.admit(scope, Service::S3);
    let filter = || KeyFilter { prefix: Value::Known("in/".into()), suffix: Value::Known(".gz".into()) };
    let bucket = scope.add("Announced", Bucket::builder().notify(&announces, filter()).build());
    let files = Trigger::Sns { topic: announces, bucket, prefix: Value::Known("in/".into()) };
    add(scope, "FilesLater", files.queued(Queueing::default()), SNSS3Handler::builder().build());

    let bucket = |scope: &mut Scope<'_>, id: &str| scope.add(id, Bucket::builder().build());
    let told = Trigger::S3 { bucket: bucket(scope, "Direct"), filter: filter() };
    add(scope, "Objects", told, S3Handler::builder().build());
    let told = Trigger::S3 { bucket: bucket(scope, "Queued"), filter: filter() };
    let later = Queueing::builder().max_concurrency(2).build();
    add(scope, "ObjectsLater", told.queued(later), S3Handler::builder().build());

    let lines = Trigger::Logs { group: Value::Known("/aws/vpc/flow".into()), pattern: "REJECT".to_owned() };
    add(scope, "Lines", lines, CloudWatchLogsHandler::builder().build());

    let events = EventPattern { bus: None, pattern: json!({"source": ["aws.guardduty"]}) };
    let findings = Trigger::EventBridge { events };
    add(scope, "Findings", findings.clone(), EventBridgeHandler::builder().build());
    add(scope, "FindingsLater", findings.queued(Queueing::default()), SQSHandler::builder().build());
    stack
}

#[test]
fn cfn_lint_has_nothing_to_say_of_any_trigger() {
    let synthesis = stack().synth();
    let template = synthesis.template().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("triggers.template.json");
    fs::write(&file, template.to_json()).unwrap();
    let Some(found) = findings(&file) else { return };
    assert_eq!(found.unwrap(), [""; 0]);
}
