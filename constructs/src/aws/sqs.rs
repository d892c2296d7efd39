//! SQS: queues.
//!
//! Imports: `aws`, `cfn`, `iam`, `tree`.

use super::{cloudwatch::Metric, iam::RoleHandle, kms::Service};
use crate::{
    iam::{Principal, Statement},
    tree::{Construct, Scope},
};
use cfn::{Arn, Maybe as _, Ref, Value, intrinsic, sqs};
use serde_json::json;

/// A queue, encrypted by SQS (`SSE-SQS`), that takes messages over TLS only and keeps them for 14 days, the most that SQS allows,
/// unless it is told otherwise.
///
/// It is retained when the stack goes: what lies in it has failed somewhere else and is nowhere else.
#[derive(Clone, Debug, bon::Builder)]
pub struct Queue {
    /// How long a message that was received is hidden from others: 0 to 43,200 seconds. Six times the timeout of a function that
    /// reads it (AWS's rule).
    #[builder(default = 30)]
    visibility_timeout_seconds: i64,
    /// How long messages are kept: 60 to 1,209,600 seconds.
    #[builder(default = LONGEST)]
    retention_seconds: i64,
    /// Where a message goes that was received too often.
    redrive: Option<Redrive>,
}

/// Where a message goes that was received too often, and was never deleted.
#[derive(Clone, Debug)]
pub struct Redrive {
    /// The queue that takes it. A message keeps its age: let this queue keep messages longer than the other.
    pub to: QueueHandle,
    /// How often it was received: 1 to 1,000 times.
    pub after: i64,
}

/// A queue of this stack.
#[derive(Clone, Debug)]
pub struct QueueHandle {
    arn: Value<Arn<sqs::Queue>>,
    name: Value<String>,
    url: Value<String>,
    queue: Ref<sqs::Queue>,
    visibility_timeout_seconds: i64,
}

/// Seconds in 14 days.
const LONGEST: i64 = 1_209_600;

impl Construct for Queue {
    type Handle = QueueHandle;

    fn build(self, scope: &mut Scope<'_>) -> QueueHandle {
        let redrive = self
            .redrive
            .map(|redrive| json!({"deadLetterTargetArn": redrive.to.arn, "maxReceiveCount": redrive.after}));
        let queue = scope.add(
            "Resource",
            sqs::Queue::new()
                .message_retention_period(self.retention_seconds)
                .visibility_timeout(self.visibility_timeout_seconds)
                .sqs_managed_sse_enabled(true)
                .maybe(redrive, sqs::Queue::redrive_policy),
        );
        scope.options(&queue).retain();
        let only_tls = Statement::deny(["sqs:*"])
            .sid("OnlyTls")
            .by(Principal::Anyone)
            .on([queue.arn().into_text()])
            .when("Bool", "aws:SecureTransport", "false");
        scope.allow_on(&queue, only_tls);
        QueueHandle {
            arn: queue.arn(),
            name: queue.queue_name(),
            url: queue.ref_(),
            queue,
            visibility_timeout_seconds: self.visibility_timeout_seconds,
        }
    }
}

impl QueueHandle {
    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<sqs::Queue>> {
        self.arn.clone()
    }

    /// Its URL, by which messages are sent and received.
    pub fn url(&self) -> Value<String> {
        self.url.clone()
    }

    /// How long a message that was received is hidden from others, in seconds.
    pub fn visibility_timeout_seconds(&self) -> i64 {
        self.visibility_timeout_seconds
    }

    /// Lets a service send messages: for `source`, by its ARN, and for nothing else; without one, for all resources of this account.
    /// Of a bucket the latter: it waits for this policy, so the policy cannot wait for it.
    pub fn admit(&self, scope: &mut Scope<'_>, service: Service, source: Option<Value<String>>) {
        let statement = Statement::allow(["sqs:SendMessage"])
            .by(Principal::service(service.principal()))
            .on([self.arn.clone().into_text()]);
        let statement = match source {
            Some(arn) => statement.when("ArnEquals", "aws:SourceArn", arn),
            None => statement.when("StringEquals", "aws:SourceAccount", intrinsic::account_id()),
        };
        scope.allow_on(&self.queue, statement);
    }

    /// Makes a resource wait until the queue's policy stands.
    pub(super) fn before<R>(&self, scope: &mut Scope<'_>, resource: &Ref<R>) {
        scope.options(resource).depends_on_policy_of(&self.queue);
    }

    /// Lets `role` send messages.
    pub fn grant_send(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        role.allow(scope, Statement::allow(["sqs:SendMessage"]).on([self.arn.clone().into_text()]));
    }

    /// Lets `role` receive messages and delete those that are done.
    pub fn grant_receive(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        let actions =
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"];
        role.allow(scope, Statement::allow(actions).on([self.arn.clone()]));
    }

    /// How long the oldest message waits in it, in seconds.
    pub fn metric_age(&self) -> Metric {
        Metric::new("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum").of("QueueName", self.name.clone())
    }

    /// How many messages wait in it.
    pub fn metric_visible(&self) -> Metric {
        Metric::new("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum").of("QueueName", self.name.clone())
    }
}
