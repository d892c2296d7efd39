//! What makes a pipeline run, and how an operator pauses it.
//!
//! Imports: `aws`, `cfn`, `template`, `tree`.

use crate::{
    aws::{
        event_source::{BucketTrigger, QueueTrigger, StreamTrigger, TopicTrigger},
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

/// What invokes a function.
#[derive(Clone, Debug)]
pub enum Trigger {
    /// Lambda reads a Kinesis stream. Paused, records wait in the stream.
    Kinesis {
        /// The stream.
        stream: StreamHandle,
        /// How many records in an invocation: 1 to 10,000.
        batch_size: Value<i64>,
        /// How long Lambda gathers records first: 0 to 300 seconds.
        batching_seconds: Value<i64>,
    },
    /// An SNS topic tells of new objects of a bucket. Paused, messages wait in Lambda for six hours, then go to the function's
    /// failure queue.
    Sns {
        /// The topic.
        topic: TopicHandle,
        /// The bucket whose objects are read.
        bucket: BucketHandle,
        /// What the keys that are read begin with.
        prefix: Value<String>,
    },
    /// Lambda reads an SQS queue. Paused, messages wait in the queue.
    Sqs {
        /// The queue.
        queue: QueueHandle,
        /// How many messages in an invocation: 1 to 10,000.
        batch_size: Value<i64>,
        /// How long Lambda gathers messages first: 0 to 300 seconds; above a batch size of 10, at least 1.
        batching_seconds: Value<i64>,
    },
    /// A bucket tells of its new objects. Paused, notifications wait in Lambda for six hours, then go to the function's failure
    /// queue.
    S3 {
        /// The bucket; one of this stack.
        bucket: BucketHandle,
        /// Which objects.
        filter: KeyFilter,
    },
}

impl Trigger {
    /// Adds the parameter that pauses it, `<name>State`. It holds while the trigger runs.
    pub(super) fn running(scope: &mut Scope<'_>, name: &str) -> ConditionHandle {
        let state = scope.parameter(
            &format!("{name}State"),
            Parameter::string()
                .description("`paused` stops the trigger of this function; what arrives waits.")
                .allowed_values(["running", "paused"])
                .default_value("running")
                .group("Operation"),
        );
        scope.condition(&format!("{name}Runs"), Condition::equals(state.text(), "running"))
    }

    /// Whether Lambda reads, and so knows how to wait; the others push.
    pub(super) fn is_read(&self) -> bool {
        matches!(self, Self::Kinesis { .. } | Self::Sqs { .. })
    }

    /// How many of a function may run at the same time, for a trigger that pushes: none while it is paused.
    pub(super) fn concurrency(&self, running: &ConditionHandle) -> Option<Value<i64>> {
        (!self.is_read()).then(|| running.if_(intrinsic::no_value(), 0))
    }

    /// Connects the function. Events do not come before `after` stands.
    pub(super) fn connect<R>(
        self,
        scope: &mut Scope<'_>,
        function: &FunctionHandle,
        running: &ConditionHandle,
        after: Option<&Ref<R>>,
    ) {
        let function = function.clone();
        let begins = match self {
            Self::Kinesis { stream, batch_size, batching_seconds } => {
                let enabled = running.if_(true, false);
                let trigger = StreamTrigger { stream, function, batch_size, batching_seconds, enabled };
                scope.add("Trigger", trigger)
            }
            Self::Sqs { queue, batch_size, batching_seconds } => {
                let enabled = running.if_(true, false);
                scope.add("Trigger", QueueTrigger { queue, function, batch_size, batching_seconds, enabled })
            }
            Self::Sns { topic, bucket, prefix } => {
                bucket.grant_read(scope, function.role(), prefix);
                scope.add("Trigger", TopicTrigger { topic, function })
            }
            Self::S3 { bucket, filter } => {
                bucket.grant_read(scope, function.role(), filter.prefix.clone());
                scope.add("Trigger", BucketTrigger { bucket, function, filter })
            }
        };
        if let Some(after) = after {
            begins.after(scope, after);
        }
    }
}
