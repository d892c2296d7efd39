//! Messages of Amazon SNS.

use crate::aws::{refused, twice_if_broken};
use aws_sdk_sns::{Client, types::PublishBatchRequestEntry};
use etl::ports::{Answer, Message};

/// `Publish`.
pub(super) async fn publish(client: &Client, topic_arn: &str, subject: String, message: String) -> Answer {
    let request = client.publish().topic_arn(topic_arn).subject(subject).message(message);
    match twice_if_broken(|| request.clone().send()).await {
        Ok(_) => Answer::Done(None),
        Err(e) => refused(&e),
    }
}

/// `PublishBatch`: an error's code for each message that was not taken.
pub(super) async fn publish_batch(client: &Client, topic_arn: &str, messages: Vec<Message>) -> Answer {
    let count = messages.len();
    let entry = |(id, message): (usize, Message)| {
        let (group, deduplication) = message.fifo.unzip();
        PublishBatchRequestEntry::builder()
            .id(id.to_string())
            .message(message.body)
            .set_message_group_id(group)
            .set_message_deduplication_id(deduplication)
            .build()
    };
    let entries: Result<Vec<_>, _> = messages.into_iter().enumerate().map(entry).collect();
    let entries = match entries {
        Ok(entries) => entries,
        Err(e) => return Answer::Refused { code: e.to_string(), status: None },
    };
    let request = client.publish_batch().topic_arn(topic_arn).set_publish_batch_request_entries(Some(entries));
    match twice_if_broken(|| request.clone().send()).await {
        Ok(sent) => super::by_id(count, sent.failed().iter().map(|failed| (failed.id.clone(), failed.code.clone()))),
        Err(e) => refused(&e),
    }
}
