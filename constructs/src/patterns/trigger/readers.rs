//! Which handlers read what a trigger brings.
//!
//! Imports: `codes`, `tree`.

use super::Trigger;
use crate::{codes, tree::Scope};

/// All handlers of ours, and what they want to be invoked by. A handler that is not here is a user's own, who knows.
const HANDLERS: &[(&str, &str)] = &[
    ("CloudWatchLogsHandler", "Trigger::Logs"),
    ("DynamodbHandler", "Trigger::Dynamodb"),
    ("EventBridgeHandler", "Trigger::EventBridge"),
    ("FirehoseTransformHandler", "Trigger::Transformation"),
    ("KinesisHandler", "Trigger::Kinesis"),
    ("S3Handler", "Trigger::S3, with or without a queue"),
    ("SNSHandler", "Trigger::Messages"),
    ("SNSS3Handler", "Trigger::Sns, with or without a queue"),
    ("SQSHandler", "Trigger::Sqs, or Trigger::Messages with a queue"),
];

impl Trigger {
    /// The handlers that read what it brings.
    fn readers(&self) -> &'static [&'static str] {
        match self {
            Self::Kinesis { .. } => &["KinesisHandler"],
            Self::Dynamodb { .. } => &["DynamodbHandler"],
            Self::Sns { .. } => &["SNSS3Handler"],
            Self::Messages { .. } => &["SNSHandler"],
            Self::Sqs { .. } => &["SQSHandler", "S3Handler", "SNSS3Handler"],
            Self::S3 { .. } => &["S3Handler"],
            // S3 can announce objects to a bus, too.
            Self::EventBridge { .. } => &["EventBridgeHandler", "S3Handler"],
            Self::Logs { .. } => &["CloudWatchLogsHandler"],
            Self::Transformation => &["FirehoseTransformHandler"],
            Self::Queued { from, .. } => match **from {
                Self::Messages { .. } => &["SQSHandler"],
                Self::EventBridge { .. } => &["SQSHandler", "S3Handler"],
                ref from => from.readers(),
            },
        }
    }

    /// Refuses a handler of ours that would make nothing of what this brings.
    pub(in crate::patterns) fn is_read_by(&self, scope: &mut Scope<'_>, handler: &str) {
        let Some((_, wants)) = HANDLERS.iter().find(|(name, _)| *name == handler) else { return };
        let readers = self.readers();
        if !readers.contains(&handler) {
            let readers: Vec<String> = readers.iter().map(|reader| format!("`{reader}`")).collect();
            scope.problem(
                codes::TRIGGER,
                format!(
                    "what the trigger brings is read by {}, and the pipeline's handler is `{handler}`",
                    readers.join(" or ")
                ),
                format!("take such a handler, or the trigger of `{handler}`: {wants}"),
            );
        }
    }
}
