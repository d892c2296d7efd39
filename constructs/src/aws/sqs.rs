//! SQS: queues.
//!
//! Imports: `aws`, `cfn`, `iam`, `tree`.

use super::iam::RoleHandle;
use crate::{
    aws::cloudwatch::Metric,
    iam::{Principal, Statement},
    tree::{Construct, Scope},
};
use cfn::{Arn, Value, sqs};

/// A queue, encrypted by SQS (`SSE-SQS`), that takes messages over TLS only and keeps them for 14 days, the most that SQS allows.
///
/// It is retained when the stack goes: what lies in it has failed somewhere else and is nowhere else.
#[derive(Clone, Debug, bon::Builder)]
pub struct Queue {
    /// How long a message that was received is hidden from others: 0 to 43,200 seconds. Six times the timeout of a function that
    /// reads it (AWS's rule).
    #[builder(default = 30)]
    visibility_timeout_seconds: i64,
}

/// A queue of this stack.
#[derive(Clone, Debug)]
pub struct QueueHandle {
    arn: Value<Arn<sqs::Queue>>,
    name: Value<String>,
    url: Value<String>,
}

/// Seconds in 14 days.
const LONGEST: i64 = 1_209_600;

impl Construct for Queue {
    type Handle = QueueHandle;

    fn build(self, scope: &mut Scope<'_>) -> QueueHandle {
        let queue = scope.add(
            "Resource",
            sqs::Queue::new()
                .message_retention_period(LONGEST)
                .visibility_timeout(self.visibility_timeout_seconds)
                .sqs_managed_sse_enabled(true),
        );
        scope.options(&queue).retain();
        let only_tls = Statement::deny(["sqs:*"])
            .sid("OnlyTls")
            .by(Principal::Anyone)
            .on([queue.arn().into_text()])
            .when("Bool", "aws:SecureTransport", "false");
        scope.allow_on(&queue, only_tls);
        QueueHandle { arn: queue.arn(), name: queue.queue_name(), url: queue.ref_() }
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

    /// How many messages wait in it.
    pub fn metric_visible(&self) -> Metric {
        Metric::new("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum").of("QueueName", self.name.clone())
    }
}
