//! What invokes a function: streams and queues that Lambda reads, topics and buckets that push.
//!
//! Imports: `aws`, `cfn`, `iam`, `text`, `tree`.

use super::{
    kinesis::StreamHandle,
    lambda::FunctionHandle,
    s3::{BucketHandle, KeyFilter},
    sns::TopicHandle,
    sqs::QueueHandle,
};
use crate::tree::{Construct, Scope};
use cfn::{
    Ref, Value, intrinsic,
    lambda::{self, event_source_mapping as esm},
    sns,
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
        let failures = esm::OnFailure::new().destination(self.function.failures().arn());
        let mapping = scope.add(
            "Resource",
            lambda::EventSourceMapping::new()
                .function_name(self.function.alias_arn())
                .event_source_arn(self.stream.arn())
                .starting_position("TRIM_HORIZON")
                .batch_size(self.batch_size)
                .maximum_batching_window_in_seconds(self.batching_seconds)
                .bisect_batch_on_function_error(true)
                .maximum_retry_attempts(-1)
                .maximum_record_age_in_seconds(-1)
                .function_response_types([esm::FunctionResponseTypesItem::ReportBatchItemFailures])
                .destination_config(esm::DestinationConfig::new().on_failure(failures))
                .enabled(self.enabled),
        );
        // Lambda tries the role's permissions when the mapping is made.
        self.function.role().before(scope, &mapping);
        TriggerHandle::of(&mapping)
    }
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
                .enabled(self.enabled),
        );
        self.function.role().before(scope, &mapping);
        TriggerHandle::of(&mapping)
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
        let leave = scope.add(
            "Permission",
            lambda::Permission::new()
                .action("lambda:InvokeFunction")
                .function_name(self.function.alias_arn())
                .principal("sns.amazonaws.com")
                .source_arn(self.topic.arn()),
        );
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
