//! What invokes a function: streams and queues that Lambda reads, topics and buckets that push.
//!
//! Imports: `aws`, `cfn`, `iam`, `text`, `tree`.

use super::{
    kinesis::StreamHandle,
    kms::Service,
    lambda::FunctionHandle,
    s3::{BucketHandle, KeyFilter},
    sns::TopicHandle,
    sqs::QueueHandle,
};
use crate::{
    Text,
    iam::Statement,
    tree::{Construct, Scope},
};
use cfn::{
    IntoValue as _, Json, Maybe as _, Ref, Value, events, intrinsic,
    lambda::{self, event_source_mapping as esm},
    logs, sns,
};

/// What begins a function's work: the mapping, the subscription, the permission.
#[derive(Clone, Debug)]
pub struct TriggerHandle {
    logical_id: String,
}

impl TriggerHandle {
    fn of<R>(resource: &Ref<R>) -> Self {
        Self { logical_id: resource.logical_id().to_owned() }
    }

    /// Lets nothing begin before `other` stands.
    pub fn after<R>(&self, scope: &mut Scope<'_>, other: &Ref<R>) {
        let own: Ref<R> = Ref::new(self.logical_id.clone());
        scope.options(&own).depends_on(other);
    }
}

/// Lambda reads a stream and hands its records to the function, each shard in order.
///
/// A failing batch is split, the function says which record is the first that is not done, and Lambda begins there again, until
/// the record is done or as old as the stream keeps it. What expires is told to the function's failure queue.
#[derive(Clone, Debug)]
pub struct StreamTrigger {
    /// The stream.
    pub stream: StreamHandle,
    /// The function.
    pub function: FunctionHandle,
    /// How many records in an invocation: 1 to 10,000. An invocation holds 6 MB at most, whatever this says.
    pub batch_size: Value<i64>,
    /// How long Lambda gathers records before it invokes: 0 to 300 seconds.
    pub batching_seconds: Value<i64>,
    /// Whether it runs. Records wait in the stream while it does not.
    pub enabled: Value<bool>,
}

impl Construct for StreamTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        self.stream.grant_read(scope, self.function.role());
        let Self { stream, function, batch_size, batching_seconds, enabled } = self;
        read_in_order(scope, &function, stream.arn().into_text(), batch_size, batching_seconds, enabled)
    }
}

/// Lambda reads a stream, each shard in order, from its beginning: what fails is tried until the stream forgets it.
fn read_in_order(
    scope: &mut Scope<'_>,
    function: &FunctionHandle,
    stream_arn: Value<String>,
    batch_size: Value<i64>,
    batching_seconds: Value<i64>,
    enabled: Value<bool>,
) -> TriggerHandle {
    let failures = esm::OnFailure::new().destination(function.failures().arn());
    let mapping = scope.add(
        "Resource",
        lambda::EventSourceMapping::new()
            .function_name(function.alias_arn())
            .event_source_arn(stream_arn)
            .starting_position("TRIM_HORIZON")
            .batch_size(batch_size)
            .maximum_batching_window_in_seconds(batching_seconds)
            .bisect_batch_on_function_error(true)
            .maximum_retry_attempts(-1)
            .maximum_record_age_in_seconds(-1)
            .function_response_types([esm::FunctionResponseTypesItem::ReportBatchItemFailures])
            .destination_config(esm::DestinationConfig::new().on_failure(failures))
            .enabled(enabled),
    );
    // Lambda tries the role's permissions when the mapping is made.
    function.role().before(scope, &mapping);
    TriggerHandle::of(&mapping)
}

/// Lambda reads a queue and hands its messages to the function, which says which of them failed; those come again after the
/// queue's visibility timeout, which must be six times the function's timeout (AWS's rule).
#[derive(Clone, Debug)]
pub struct QueueTrigger {
    /// The queue.
    pub queue: QueueHandle,
    /// The function.
    pub function: FunctionHandle,
    /// How many messages in an invocation: 1 to 10,000.
    pub batch_size: Value<i64>,
    /// How long Lambda gathers messages before it invokes: 0 to 300 seconds; above a batch size of 10, at least 1.
    pub batching_seconds: Value<i64>,
    /// Whether it runs. Messages wait in the queue while it does not.
    pub enabled: Value<bool>,
    /// How many of the function may work on the queue at the same time: 2 to 1,000; no bound if it is not said.
    pub max_concurrency: Option<Value<i64>>,
}

impl Construct for QueueTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        self.queue.grant_receive(scope, self.function.role());
        let mapping = scope.add(
            "Resource",
            lambda::EventSourceMapping::new()
                .function_name(self.function.alias_arn())
                .event_source_arn(self.queue.arn())
                .batch_size(self.batch_size)
                .maximum_batching_window_in_seconds(self.batching_seconds)
                .function_response_types([esm::FunctionResponseTypesItem::ReportBatchItemFailures])
                .maybe(self.max_concurrency, |mapping, most| {
                    mapping.scaling_config(esm::ScalingConfig::new().maximum_concurrency(most))
                })
                .enabled(self.enabled),
        );
        self.function.role().before(scope, &mapping);
        TriggerHandle::of(&mapping)
    }
}

/// Lambda reads the stream of a DynamoDB table: the changes of its items, each shard in order. Retries and failures as of
/// [`StreamTrigger`]; a table's stream keeps records for 24 hours.
#[derive(Clone, Debug)]
pub struct TableTrigger {
    /// ARN of the table's stream (`table.stream_arn()`), which has new images, old images or both, as the table says.
    pub stream_arn: Value<String>,
    /// The function.
    pub function: FunctionHandle,
    /// How many records in an invocation: 1 to 10,000. An invocation holds 6 MB at most, whatever this says.
    pub batch_size: Value<i64>,
    /// How long Lambda gathers records before it invokes: 0 to 300 seconds.
    pub batching_seconds: Value<i64>,
    /// Whether it runs. Records wait in the stream while it does not, for 24 hours.
    pub enabled: Value<bool>,
}

impl Construct for TableTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        let role = self.function.role();
        let actions = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"];
        role.allow(scope, Statement::allow(actions).on([self.stream_arn.clone()]));
        // Streams are listed by table.
        let table = intrinsic::select::<String>(0, intrinsic::split("/stream/", self.stream_arn.clone()));
        let streams = Text::new().value(table).text("/stream/*");
        role.allow(scope, Statement::allow(["dynamodb:ListStreams"]).on([streams]));
        let Self { stream_arn, function, batch_size, batching_seconds, enabled } = self;
        read_in_order(scope, &function, stream_arn, batch_size, batching_seconds, enabled)
    }
}

/// A topic invokes the function once for each message. Lambda takes the message at once and tries it again twice; what still
/// fails, or has waited for six hours, goes to the function's failure queue.
#[derive(Clone, Debug)]
pub struct TopicTrigger {
    /// The topic.
    pub topic: TopicHandle,
    /// The function.
    pub function: FunctionHandle,
}

impl Construct for TopicTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        let leave = permission(scope, &self.function, Service::Sns, self.topic.arn().into_text());
        let subscription = scope.add(
            "Resource",
            sns::Subscription::new().protocol("lambda").topic_arn(self.topic.arn()).endpoint(self.function.alias_arn()),
        );
        scope.options(&subscription).depends_on(&leave);
        self.function.role().before(scope, &subscription);
        TriggerHandle::of(&subscription)
    }
}

/// A bucket invokes the function for each new object whose key passes the filter. Retries and failures as of [`TopicTrigger`].
///
/// The permission is bounded by the account and not by the bucket's ARN: the bucket waits for the permission.
#[derive(Clone, Debug)]
pub struct BucketTrigger {
    /// The bucket; one of this stack.
    pub bucket: BucketHandle,
    /// The function.
    pub function: FunctionHandle,
    /// Which objects.
    pub filter: KeyFilter,
}

impl Construct for BucketTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        let leave = scope.add(
            "Resource",
            lambda::Permission::new()
                .action("lambda:InvokeFunction")
                .function_name(self.function.alias_arn())
                .principal("s3.amazonaws.com")
                .source_account(intrinsic::account_id()),
        );
        self.bucket.notify_function(scope, &self.function, &self.filter, &leave);
        TriggerHandle::of(&leave)
    }
}

/// A topic sends each message to a queue. The queue must be of this stack.
#[derive(Clone, Debug)]
pub struct TopicToQueue {
    /// The topic.
    pub topic: TopicHandle,
    /// The queue.
    pub queue: QueueHandle,
    /// Whether a body is the message itself, not in SNS's envelope.
    pub raw: bool,
}

impl Construct for TopicToQueue {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        self.queue.admit(scope, Service::Sns, Some(self.topic.arn().into_text()));
        let subscription = sns::Subscription::new()
            .protocol("sqs")
            .topic_arn(self.topic.arn())
            .endpoint(self.queue.arn())
            .raw_message_delivery(self.raw);
        let subscription = scope.add("Resource", subscription);
        self.queue.before(scope, &subscription);
    }
}

/// A bucket tells a queue of each new object whose key passes the filter. Both must be of this stack.
#[derive(Clone, Debug)]
pub struct BucketToQueue {
    /// The bucket.
    pub bucket: BucketHandle,
    /// Which objects.
    pub filter: KeyFilter,
    /// The queue.
    pub queue: QueueHandle,
}

impl Construct for BucketToQueue {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        self.queue.admit(scope, Service::S3, None);
        self.bucket.notify_queue(scope, &self.queue, &self.filter);
    }
}

/// Which events of which bus.
#[derive(Clone, Debug)]
pub struct EventPattern {
    /// The bus, by name or ARN; the account's default bus if it is not said. Services of AWS send to that one.
    pub bus: Option<Value<String>>,
    /// What an event must look like: EventBridge's event pattern, `{"source": ["aws.guardduty"]}`.
    pub pattern: Json,
}

/// A rule of EventBridge invokes the function once for each event. Retries and failures as of [`TopicTrigger`].
#[derive(Clone, Debug)]
pub struct RuleTrigger {
    /// Which events.
    pub events: EventPattern,
    /// The function.
    pub function: FunctionHandle,
}

impl Construct for RuleTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        let rule = self.events.rule(scope, self.function.alias_arn().into_text());
        permission(scope, &self.function, Service::EventBridge, rule.arn().into_text());
        self.function.role().before(scope, &rule);
        TriggerHandle::of(&rule)
    }
}

/// A rule of EventBridge sends each event to a queue. The queue must be of this stack.
#[derive(Clone, Debug)]
pub struct RuleToQueue {
    /// Which events.
    pub events: EventPattern,
    /// The queue.
    pub queue: QueueHandle,
}

impl Construct for RuleToQueue {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        let rule = self.events.rule(scope, self.queue.arn().into_text());
        self.queue.admit(scope, Service::EventBridge, Some(rule.arn().into_text()));
    }
}

impl EventPattern {
    fn rule(self, scope: &mut Scope<'_>, target: Value<String>) -> Ref<events::Rule> {
        let rule = events::Rule::new()
            .event_pattern(self.pattern)
            .state(events::rule::State::Enabled)
            .targets([events::rule::Target::new().id("target").arn(target)])
            .maybe(self.bus, events::Rule::event_bus_name);
        scope.add("Resource", rule)
    }
}

/// CloudWatch Logs sends the lines of a log group to the function, packed, as they come. Retries and failures as of
/// [`TopicTrigger`].
///
/// The log group of the function itself must not be among those that it is sent: it would be told of its own telling, for ever.
#[derive(Clone, Debug)]
pub struct LogTrigger {
    /// Name of the log group.
    pub group: Value<String>,
    /// Which lines: a filter pattern of CloudWatch Logs; all if it is empty.
    pub pattern: String,
    /// The function.
    pub function: FunctionHandle,
}

impl Construct for LogTrigger {
    type Handle = TriggerHandle;

    fn build(self, scope: &mut Scope<'_>) -> TriggerHandle {
        let group = intrinsic::sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:");
        let lines: Value<String> = Text::new().value(group).value(self.group.clone()).text(":*").into_value();
        let leave = permission(scope, &self.function, Service::Logs, lines);
        let filter = logs::SubscriptionFilter::new()
            .log_group_name(self.group)
            .filter_pattern(self.pattern)
            .destination_arn(self.function.alias_arn());
        let filter = scope.add("Resource", filter);
        // CloudWatch Logs tries the function when the filter is made.
        scope.options(&filter).depends_on(&leave);
        self.function.role().before(scope, &filter);
        TriggerHandle::of(&filter)
    }
}

/// Leave to invoke a function, for one resource of a service.
fn permission(
    scope: &mut Scope<'_>,
    function: &FunctionHandle,
    service: Service,
    source_arn: Value<String>,
) -> Ref<lambda::Permission> {
    scope.add(
        "Permission",
        lambda::Permission::new()
            .action("lambda:InvokeFunction")
            .function_name(function.alias_arn())
            .principal(service.principal())
            .source_arn(source_arn),
    )
}
