//! A queue between what pushes and the function.
//!
//! Imports: `aws`, `cfn`, `codes`, `tree`.

use super::{Reader, Trigger};
use crate::{
    aws::{
        event_source::{BucketToQueue, QueueTrigger, RuleToQueue, TopicToQueue},
        lambda::FunctionHandle,
        sqs::{Queue, QueueHandle, Redrive},
    },
    codes,
    tree::Scope,
};
use cfn::{IntoValue, Value};

/// How long messages wait in a queue between what pushes and the function, and how they are read.
///
/// A message that could not be delivered comes again after six times the function's timeout (AWS's rule for the visibility timeout),
/// `attempts` times in all, then goes to the function's failure queue. With the defaults and a timeout of five minutes that is twelve
/// hours: an outage of a night heals by itself.
#[derive(Clone, Debug, bon::Builder)]
pub struct Queueing {
    /// How many messages in an invocation: 1 to 10,000. Of announced objects each may be large: few.
    #[builder(default = Value::Known(10), with = |size: impl IntoValue<i64>| size.into_value())]
    batch_size: Value<i64>,
    /// How long Lambda gathers messages first: 0 to 300 seconds; above a batch size of 10, at least 1.
    #[builder(default = 0)]
    batching_seconds: i64,
    /// How many of the function may work on the queue at the same time: 2 to 1,000. It bounds what a domain is asked to take at once,
    /// and messages wait for their turn without an attempt being counted. No bound if it is not said.
    #[builder(with = |most: impl IntoValue<i64>| most.into_value())]
    max_concurrency: Option<Value<i64>>,
    /// How often a message is tried before it is given up: 1 to 1,000; AWS asks for 5 at least.
    #[builder(default = 24)]
    attempts: i64,
}

/// Ten days: a message that is given up keeps its age, and is kept by the failure queue until it is 14 days old.
const KEPT_SECONDS: i64 = 864_000;

impl Default for Queueing {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Queueing {
    /// The queue, filled by `from`; a problem where that fills none.
    pub(super) fn queue(&self, scope: &mut Scope<'_>, from: Trigger, to: &Reader<'_>) -> QueueHandle {
        let redrive = Redrive { to: to.function.failures().clone(), after: self.attempts };
        let queue = scope.add(
            "Queue",
            Queue::builder()
                .visibility_timeout_seconds(6 * to.timeout_seconds + self.batching_seconds)
                .retention_seconds(KEPT_SECONDS)
                .redrive(redrive)
                .build(),
        );
        let role = to.function.role();
        match from {
            Trigger::Sns { topic, bucket, prefix } => {
                bucket.grant_read(scope, role, prefix);
                scope.add("ToQueue", TopicToQueue { topic, queue: queue.clone(), raw: false });
            }
            Trigger::Messages { topic } => {
                scope.add("ToQueue", TopicToQueue { topic, queue: queue.clone(), raw: true });
            }
            Trigger::S3 { bucket, filter } => {
                bucket.grant_read(scope, role, filter.prefix.clone());
                scope.add("ToQueue", BucketToQueue { bucket, filter, queue: queue.clone() });
            }
            Trigger::EventBridge { events } => scope.add("ToQueue", RuleToQueue { events, queue: queue.clone() }),
            _ => scope.problem(
                codes::TRIGGER,
                "this trigger cannot be queued: only topics, buckets and rules of EventBridge can send to a queue",
                "leave out `queued`: what Lambda reads from waits there by itself",
            ),
        }
        queue
    }

    pub(super) fn trigger(self, queue: QueueHandle, function: FunctionHandle, enabled: Value<bool>) -> QueueTrigger {
        let Self { batch_size, batching_seconds, max_concurrency, attempts: _ } = self;
        let batching_seconds = Value::Known(batching_seconds);
        QueueTrigger { queue, function, batch_size, batching_seconds, enabled, max_concurrency }
    }
}

/// A message must stay hidden while Lambda retries it within AWS's own bounds, or two of the function work on it.
pub(super) fn hides_long_enough(scope: &mut Scope<'_>, queue: &QueueHandle, timeout_seconds: i64) {
    let (hidden, wanted) = (queue.visibility_timeout_seconds(), 6 * timeout_seconds);
    if hidden < wanted {
        scope.problem(
            codes::TRIGGER,
            format!(
                "the queue hides a message for {hidden} seconds, and the function's timeout is {timeout_seconds}: a message that is \
                 still worked on would be handed out again"
            ),
            format!("give the queue a visibility timeout of {wanted} seconds, six times the function's"),
        );
    }
}
