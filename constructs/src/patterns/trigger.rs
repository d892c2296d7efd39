//! What makes a pipeline run, and how an operator pauses it.
//!
//! Imports: `aws`, `cfn`, `codes`, `template`, `tree`.

mod queued;
mod readers;

pub use queued::Queueing;

use crate::{
    aws::{
        event_source::{
            BucketTrigger, EventPattern, LogTrigger, QueueTrigger, RuleTrigger, StreamTrigger, TableTrigger,
            TopicTrigger, TriggerHandle,
        },
        kinesis::StreamHandle,
        lambda::FunctionHandle,
        s3::{BucketHandle, KeyFilter},
        sns::TopicHandle,
        sqs::QueueHandle,
    },
    template::{Condition, ConditionHandle, Parameter},
    tree::Scope,
};
use cfn::{Ref, Value, intrinsic};

/// What invokes a function. Which handlers read what it brings is checked at synth.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Lambda reads a Kinesis stream, for `KinesisHandler`. Paused, records wait in the stream.
    Kinesis {
        /// The stream.
        stream: StreamHandle,
        /// How many records in an invocation: 1 to 10,000.
        batch_size: Value<i64>,
        /// How long Lambda gathers records first: 0 to 300 seconds.
        batching_seconds: Value<i64>,
    },
    /// Lambda reads the stream of a DynamoDB table, for `DynamodbHandler`. Paused, records wait in the stream, which keeps them for 24
    /// hours.
    Dynamodb {
        /// ARN of the table's stream: `table.stream_arn()`.
        stream_arn: Value<String>,
        /// How many records in an invocation: 1 to 10,000.
        batch_size: Value<i64>,
        /// How long Lambda gathers records first: 0 to 300 seconds.
        batching_seconds: Value<i64>,
    },
    /// An SNS topic tells of new objects of a bucket, for `SNSS3Handler`. Paused, messages wait in Lambda for six hours, then go to the
    /// function's failure queue.
    Sns {
        /// The topic.
        topic: TopicHandle,
        /// The bucket whose objects are read.
        bucket: BucketHandle,
        /// What the keys that are read begin with.
        prefix: Value<String>,
    },
    /// An SNS topic sends its messages, for `SNSHandler`. Paused, they wait as those of [`Trigger::Sns`].
    Messages {
        /// The topic.
        topic: TopicHandle,
    },
    /// Lambda reads an SQS queue, for `SQSHandler`; if objects are announced in it, for `S3Handler` or `SNSS3Handler`. Paused, messages
    /// wait in the queue.
    Sqs {
        /// The queue.
        queue: QueueHandle,
        /// How many messages in an invocation: 1 to 10,000.
        batch_size: Value<i64>,
        /// How long Lambda gathers messages first: 0 to 300 seconds; above a batch size of 10, at least 1.
        batching_seconds: Value<i64>,
    },
    /// A bucket tells of its new objects, for `S3Handler`. Paused, notifications wait in Lambda for six hours, then go to the function's
    /// failure queue.
    S3 {
        /// The bucket; one of this stack.
        bucket: BucketHandle,
        /// Which objects.
        filter: KeyFilter,
    },
    /// A rule of EventBridge sends events, for `EventBridgeHandler`. Paused, they wait as those of [`Trigger::S3`].
    EventBridge {
        /// Which events of which bus.
        events: EventPattern,
    },
    /// CloudWatch Logs sends the lines of a log group, for `CloudWatchLogsHandler`. Paused, they wait as those of [`Trigger::S3`].
    Logs {
        /// Name of the log group; not the function's own.
        group: Value<String>,
        /// Which lines: a filter pattern of CloudWatch Logs; all if it is empty.
        pattern: String,
    },
    /// A delivery stream of Firehose has its records transformed, for `FirehoseTransformHandler`. The stream names the function
    /// (`DeliveryStream::builder().transform(&etl.function)`), and is paused by nothing: it waits for an answer.
    Transformation,
    /// What one of the triggers that push ([`Trigger::Sns`], [`Trigger::Messages`], [`Trigger::S3`], [`Trigger::EventBridge`]) brings waits
    /// in a queue that Lambda reads; made by [`Trigger::queued`].
    Queued {
        /// What pushes.
        from: Box<Trigger>,
        /// How long it waits, and how it is read.
        queueing: Queueing,
    },
}

impl Trigger {
    /// Puts an SQS queue between what pushes and the function: what a long outage keeps from being delivered comes again from there, for
    /// as long as [`Queueing`] says, where a push without a queue is given up after three attempts. Paused, it waits in the queue.
    #[must_use]
    pub fn queued(self, queueing: Queueing) -> Self {
        Self::Queued { from: Box::new(self), queueing }
    }

    /// Adds the parameter that pauses it, `<name>State`. It holds while the trigger runs.
    pub(super) fn running(&self, scope: &mut Scope<'_>, name: &str) -> Option<ConditionHandle> {
        if matches!(self, Self::Transformation) {
            return None;
        }
        let state = scope.parameter(
            &format!("{name}State"),
            Parameter::string()
                .description("`paused` stops the trigger of this function; what arrives waits.")
                .allowed_values(["running", "paused"])
                .default_value("running")
                .group("Operation"),
        );
        Some(scope.condition(&format!("{name}Runs"), Condition::equals(state.text(), "running")))
    }

    /// Whether Lambda reads, and so knows how to wait; the others push.
    fn is_read(&self) -> bool {
        matches!(self, Self::Kinesis { .. } | Self::Dynamodb { .. } | Self::Sqs { .. } | Self::Queued { .. })
    }

    /// How many of a function may run at the same time, for a trigger that pushes: none while it is paused.
    pub(super) fn concurrency(&self, running: Option<&ConditionHandle>) -> Option<Value<i64>> {
        let running = running?;
        (!self.is_read()).then(|| running.if_(intrinsic::no_value(), 0))
    }

    /// Connects the function. Events do not come before `after` stands. What comes back says where they wait.
    pub(super) fn connect<R>(self, scope: &mut Scope<'_>, to: &Reader<'_>, after: Option<&Ref<R>>) -> Waits {
        let (begins, waits) = self.add(scope, to);
        if let (Some(begins), Some(after)) = (begins, after) {
            begins.after(scope, after);
        }
        waits
    }

    fn add(self, scope: &mut Scope<'_>, to: &Reader<'_>) -> (Option<TriggerHandle>, Waits) {
        let function = to.function.clone();
        let enabled = to.running.map_or(Value::Known(true), |running| running.if_(true, false));
        let (begins, waits) = match self {
            Self::Kinesis { stream, batch_size, batching_seconds } => {
                let trigger = StreamTrigger { stream, function, batch_size, batching_seconds, enabled };
                (scope.add("Trigger", trigger), Waits::Stream)
            }
            Self::Dynamodb { stream_arn, batch_size, batching_seconds } => {
                let trigger = TableTrigger { stream_arn, function, batch_size, batching_seconds, enabled };
                (scope.add("Trigger", trigger), Waits::Stream)
            }
            Self::Sqs { queue, batch_size, batching_seconds } => {
                queued::hides_long_enough(scope, &queue, to.timeout_seconds);
                let waits = Waits::Queue(queue.clone());
                let max_concurrency = None;
                let trigger = QueueTrigger { queue, function, batch_size, batching_seconds, enabled, max_concurrency };
                (scope.add("Trigger", trigger), waits)
            }
            Self::Sns { topic, bucket, prefix } => {
                bucket.grant_read(scope, function.role(), prefix);
                (scope.add("Trigger", TopicTrigger { topic, function }), Waits::WithLambda)
            }
            Self::Messages { topic } => (scope.add("Trigger", TopicTrigger { topic, function }), Waits::WithLambda),
            Self::S3 { bucket, filter } => {
                bucket.grant_read(scope, function.role(), filter.prefix.clone());
                (scope.add("Trigger", BucketTrigger { bucket, function, filter }), Waits::WithLambda)
            }
            Self::EventBridge { events } => (scope.add("Trigger", RuleTrigger { events, function }), Waits::WithLambda),
            Self::Logs { group, pattern } => {
                (scope.add("Trigger", LogTrigger { group, pattern, function }), Waits::WithLambda)
            }
            Self::Transformation => return (None, Waits::WithLambda),
            Self::Queued { from, queueing } => {
                let queue = queueing.queue(scope, *from, to);
                let waits = Waits::Queue(queue.clone());
                (scope.add("Trigger", queueing.trigger(queue, function, enabled)), waits)
            }
        };
        (Some(begins), waits)
    }
}

/// What a trigger is connected to.
pub(super) struct Reader<'a> {
    pub(super) function: &'a FunctionHandle,
    pub(super) timeout_seconds: i64,
    /// Holds while the trigger runs, if it can be paused.
    pub(super) running: Option<&'a ConditionHandle>,
}

/// Where events are that the function does not get through.
pub(super) enum Waits {
    /// With Lambda, which gives up after six hours.
    WithLambda,
    Stream,
    Queue(QueueHandle),
}
