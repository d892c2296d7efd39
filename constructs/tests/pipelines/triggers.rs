//! What makes a pipeline run: how it is paused, what is between, and what does not go together.

use super::{granted, kinesis, number, of_type, stack};
use cfn::{Value, intrinsic};
use constructs::{
    Scope,
    asset::FunctionCode,
    aws::{
        event_source::EventPattern,
        firehose::DeliveryStream,
        kms::{Key, Service},
        s3::{Bucket, KeyFilter},
        sns::{Topic, TopicHandle},
        sqs::Queue,
    },
    patterns::{Bindings, EtlFunction, Queueing, Trigger},
};
use etl::{
    config::{HandlerConfig, PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::{
        CloudWatchLogsHandler, DynamodbHandler, EventBridgeHandler, FirehoseTransformHandler, KinesisHandler,
        S3Handler, SNSHandler, SNSS3Handler, SQSHandler,
    },
    serializers::Json as JsonSerializer,
    transports::{Firehose, FirehoseTransform},
    wrappers::PassthroughWrapper,
};
use serde_json::{Value as Json, json};

/// A trigger, and the handler of what it brings.
type Kind = (fn(&mut Scope<'_>) -> Trigger, fn() -> HandlerConfig);

fn deployed(kind: &Kind) -> (Json, Vec<String>) {
    let handler = (kind.1)();
    let config = |_: &mut Scope<'_>, _: &mut Bindings| {
        let source = Source::builder().name("Events").deserializer(GenericJson::builder().build()).build();
        PipelineConfig::builder()
            .handler(handler)
            .sources(vec![source])
            .wrapper(PassthroughWrapper::builder().build())
            .serializer(JsonSerializer::builder().build())
            .transport(Firehose::builder().stream_name("archive").build())
            .build()
    };
    stack(kind.0, config)
}

fn sound(kind: &Kind) -> Json {
    let (template, problems) = deployed(kind);
    assert_eq!(problems, [""; 0]);
    template
}

fn told(scope: &mut Scope<'_>) -> TopicHandle {
    let key = scope.add("FilesKey", Key::builder().description("files").build());
    let topic = scope.add("Files", Topic::builder().key(key).build());
    topic.admit(scope, Service::S3);
    topic
}

fn topic(scope: &mut Scope<'_>) -> Trigger {
    let topic = told(scope);
    let bucket = scope.add("Logs", Bucket::builder().build());
    Trigger::Sns { topic, bucket, prefix: Value::Known("in/".into()) }
}

fn messages(scope: &mut Scope<'_>) -> Trigger {
    Trigger::Messages { topic: told(scope) }
}

fn bucket(scope: &mut Scope<'_>) -> Trigger {
    let bucket = scope.add("Logs", Bucket::builder().build());
    let filter = KeyFilter { prefix: Value::Known("in/".into()), suffix: Value::Known(".gz".into()) };
    Trigger::S3 { bucket, filter }
}

fn queue(scope: &mut Scope<'_>) -> Trigger {
    let queue = scope.add("Queue", Queue::builder().visibility_timeout_seconds(1_800).build());
    Trigger::Sqs { queue, batch_size: number(10), batching_seconds: number(0) }
}

fn table(scope: &mut Scope<'_>) -> Trigger {
    let stream_arn = scope.parameter("Changes", constructs::Parameter::string()).text();
    Trigger::Dynamodb { stream_arn, batch_size: number(100), batching_seconds: number(1) }
}

fn rule(_: &mut Scope<'_>) -> Trigger {
    Trigger::EventBridge { events: EventPattern { bus: None, pattern: json!({"source": ["aws.guardduty"]}) } }
}

fn lines(_: &mut Scope<'_>) -> Trigger {
    Trigger::Logs { group: Value::Known("/aws/vpc/flow".into()), pattern: String::new() }
}

const READ: [Kind; 6] = [
    (kinesis, || KinesisHandler::builder().build().into()),
    (table, || DynamodbHandler::builder().build().into()),
    (queue, || SQSHandler::builder().build().into()),
    (queue, || S3Handler::builder().build().into()),
    (|scope| topic(scope).queued(Queueing::default()), || SNSS3Handler::builder().build().into()),
    (|scope| bucket(scope).queued(Queueing::default()), || S3Handler::builder().build().into()),
];
const PUSHED: [Kind; 5] = [
    (topic, || SNSS3Handler::builder().build().into()),
    (bucket, || S3Handler::builder().build().into()),
    (messages, || SNSHandler::builder().build().into()),
    (rule, || EventBridgeHandler::builder().build().into()),
    (lines, || CloudWatchLogsHandler::builder().build().into()),
];

#[test]
fn every_trigger_can_be_paused_by_a_parameter() {
    for kind in &READ {
        let template = sound(kind);
        let mapping = of_type(&template, "AWS::Lambda::EventSourceMapping")[0];
        assert_eq!(mapping["Properties"]["Enabled"], json!({"Fn::If": ["EtlRuns", true, false]}));
        assert_eq!(mapping["Properties"]["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
        assert_eq!(template["Parameters"]["EtlState"]["AllowedValues"], json!(["running", "paused"]));
        // Where events wait is watched.
        let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
        let age = |alarm: &&&Json| alarm["Properties"]["MetricName"].as_str().is_some_and(|name| name.contains("Age"));
        assert_eq!(alarms.iter().filter(age).count(), 1);
    }
    for kind in &PUSHED {
        let template = sound(kind);
        let function = of_type(&template, "AWS::Lambda::Function")[0];
        let concurrency = json!({"Fn::If": ["EtlRuns", {"Ref": "AWS::NoValue"}, 0]});
        assert_eq!(function["Properties"]["ReservedConcurrentExecutions"], concurrency);
    }
}

#[test]
fn whoever_announces_objects_the_function_may_read_them_and_no_others() {
    for kind in [&READ[4], &READ[5], &PUSHED[0], &PUSHED[1]] {
        let template = sound(kind);
        let read: Vec<_> = granted(&template).into_iter().filter(|(action, _)| action == "s3:GetObject").collect();
        assert!(read.len() == 1 && read[0].1.contains("/in/*"), "{read:?}");
    }
}

#[test]
fn a_queue_between_gives_an_outage_of_a_night_its_time_and_what_is_given_up_goes_where_all_that_failed_is() {
    for (kind, sender, only_for) in [
        (READ[4], "sns.amazonaws.com", json!({"ArnEquals": {"aws:SourceArn": {"Ref": "Files8E6940B8"}}})),
        (READ[5], "s3.amazonaws.com", json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})),
    ] {
        let template = sound(&kind);
        let resources = template["Resources"].as_object().unwrap();
        let (id, queue) =
            resources.iter().find(|(id, _)| id.starts_with("EtlQueue") && !id.contains("Policy")).unwrap();
        let properties = &queue["Properties"];
        let failures = resources.keys().find(|id| id.starts_with("EtlFunctionFailures") && !id.contains("Policy"));
        let redrive = json!({"deadLetterTargetArn": {"Fn::GetAtt": [failures, "Arn"]}, "maxReceiveCount": 24});
        assert_eq!((&properties["RedrivePolicy"], &properties["SqsManagedSseEnabled"]), (&redrive, &json!(true)));
        let function = &of_type(&template, "AWS::Lambda::Function")[0]["Properties"];
        let hidden = properties["VisibilityTimeout"].as_i64().unwrap();
        assert_eq!(hidden, 6 * function["Timeout"].as_i64().unwrap());
        assert!(hidden * 24 >= 12 * 3_600 && properties["MessageRetentionPeriod"].as_i64().unwrap() > hidden * 24);
        // It takes messages from what sends them, and by TLS only.
        let policy = resources.values().find(|r| r["Properties"]["Queues"][0]["Ref"] == **id).unwrap();
        let statements = policy["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
        let from: Vec<&Json> = statements.iter().filter(|s| s["Effect"] == "Allow").collect();
        assert_eq!((from.len(), &from[0]["Principal"]["Service"]), (1, &json!(sender)));
        assert_eq!((&from[0]["Condition"], &from[0]["Action"]), (&only_for, &json!("sqs:SendMessage")));
        assert!(statements.iter().any(|s| s["Condition"]["Bool"]["aws:SecureTransport"] == "false"));
        // Nothing invokes the function but the queue.
        assert!(of_type(&template, "AWS::Lambda::Permission").is_empty());
    }
}

#[test]
fn a_bucket_waits_for_the_policy_of_the_queue_that_it_tells() {
    let template = sound(&READ[5]);
    let bucket = of_type(&template, "AWS::S3::Bucket")[0];
    let told = &bucket["Properties"]["NotificationConfiguration"]["QueueConfigurations"][0];
    assert_eq!(told["Filter"]["S3Key"]["Rules"][0], json!({"Name": "prefix", "Value": "in/"}));
    assert!(bucket["DependsOn"][0].as_str().unwrap().starts_with("EtlQueuePolicy"), "{bucket}");
}

#[test]
fn messages_are_queued_as_they_are_and_announcements_in_their_envelope() {
    let raw = |kind: &Kind| {
        let template = sound(kind);
        of_type(&template, "AWS::SNS::Subscription")[0]["Properties"]["RawMessageDelivery"].clone()
    };
    let queued: Kind = (|scope| messages(scope).queued(Queueing::default()), || SQSHandler::builder().build().into());
    assert_eq!((raw(&queued), raw(&READ[4])), (json!(true), json!(false)));
}

#[test]
fn how_a_queue_is_read_is_a_choice() {
    let slow: Kind = (
        |_| {
            let bus = Some(intrinsic::stack_name());
            let events = EventPattern { bus, pattern: json!({"source": ["shop"]}) };
            let queueing = Queueing::builder().batch_size(1_000).batching_seconds(20).max_concurrency(2).attempts(5);
            Trigger::EventBridge { events }.queued(queueing.build())
        },
        || SQSHandler::builder().build().into(),
    );
    let template = sound(&slow);
    let mapping = &of_type(&template, "AWS::Lambda::EventSourceMapping")[0]["Properties"];
    assert_eq!((&mapping["BatchSize"], &mapping["MaximumBatchingWindowInSeconds"]), (&json!(1_000), &json!(20)));
    assert_eq!(mapping["ScalingConfig"], json!({"MaximumConcurrency": 2}));
    let rule = &of_type(&template, "AWS::Events::Rule")[0]["Properties"];
    assert_eq!((&rule["EventPattern"], &rule["State"]), (&json!({"source": ["shop"]}), &json!("ENABLED")));
    let queue = mapping["EventSourceArn"]["Fn::GetAtt"][0].as_str().unwrap();
    assert_eq!(rule["Targets"][0]["Arn"]["Fn::GetAtt"][0], queue);
    assert_eq!(template["Resources"][queue]["Properties"]["VisibilityTimeout"], 6 * 300 + 20);
}

#[test]
fn a_changed_item_is_read_from_its_tables_stream_and_from_no_other_table() {
    let template = sound(&READ[1]);
    let dynamodb: Vec<_> =
        granted(&template).into_iter().filter(|(action, _)| action.starts_with("dynamodb:")).collect();
    assert_eq!(dynamodb.len(), 4);
    for (action, on) in dynamodb {
        assert!(on.contains(r#"{"Ref":"Changes"}"#), "{action} {on}");
        assert_eq!(on.contains(r#""/stream/*""#), action == "dynamodb:ListStreams", "{on}");
    }
}

#[test]
fn a_handler_of_another_trigger_is_refused_with_the_one_that_fits() {
    let says = |kind: Kind, words: [&str; 2]| {
        let (_, problems) = deployed(&kind);
        let told = problems.iter().find(|p| p.starts_with("error[CFN054] at s/Etl: "));
        assert!(told.is_some_and(|told| words.iter().all(|word| told.contains(word))), "{problems:#?}");
    };
    says((bucket, || SNSS3Handler::builder().build().into()), ["read by `S3Handler`", "Trigger::Sns"]);
    says((topic, || S3Handler::builder().build().into()), ["read by `SNSS3Handler`", "Trigger::S3"]);
    says((kinesis, || SQSHandler::builder().build().into()), ["read by `KinesisHandler`", "Trigger::Sqs"]);
    says((lines, || KinesisHandler::builder().build().into()), ["read by `CloudWatchLogsHandler`", "Trigger::Kinesis"]);
    says((READ[4].0, || SQSHandler::builder().build().into()), ["read by `SNSS3Handler`", "Trigger::Messages with"]);
    let queued_stream: Kind = (|scope| kinesis(scope).queued(Queueing::default()), READ[0].1);
    says(queued_stream, ["cannot be queued", "waits there by itself"]);
}

#[test]
fn a_queue_that_would_hand_out_a_message_twice_is_refused() {
    let hasty: Kind = (
        |scope| {
            let queue = scope.add("Queue", Queue::builder().visibility_timeout_seconds(300).build());
            Trigger::Sqs { queue, batch_size: number(10), batching_seconds: number(0) }
        },
        || SQSHandler::builder().build().into(),
    );
    let (_, problems) = deployed(&hasty);
    assert!(problems.len() == 1 && problems[0].contains("visibility timeout of 1800 seconds"), "{problems:#?}");
}

#[test]
fn a_transformation_is_named_by_its_delivery_stream_and_paused_by_nothing() {
    let mut stack = constructs::Stack::new("s");
    let mut scope = stack.scope();
    let alarms = told(&mut scope);
    let source = Source::builder().name("Events").deserializer(GenericJson::builder().build()).build();
    let pipeline = PipelineConfig::builder()
        .handler(FirehoseTransformHandler::builder().build())
        .sources(vec![source])
        .wrapper(PassthroughWrapper::builder().build())
        .serializer(JsonSerializer::builder().build())
        .transport(FirehoseTransform::builder().build())
        .build();
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let function = EtlFunction::builder().pipeline(pipeline).trigger(Trigger::Transformation).code(code);
    let etl = scope.add("Etl", function.description("d").log_retention_days(number(30)).alarms(alarms).build());
    let bucket = scope.add("Bucket", Bucket::builder().build());
    let stream = DeliveryStream::builder().bucket(bucket).prefix("events").transform(&etl.function).build();
    scope.add("Stream", stream);
    let synthesis = stack.synth();
    assert!(synthesis.problems.is_empty(), "{:#?}", synthesis.problems);
    let template = synthesis.draft().as_json();
    assert!(template["Parameters"].get("EtlState").is_none());
    let function = of_type(template, "AWS::Lambda::Function")[0];
    assert!(function["Properties"].get("ReservedConcurrentExecutions").is_none());
    let stream = of_type(template, "AWS::KinesisFirehose::DeliveryStream")[0];
    assert!(stream.to_string().contains("EtlFunctionAlias"), "{stream}");
}
