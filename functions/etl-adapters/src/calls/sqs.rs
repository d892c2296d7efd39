//! Messages of Amazon SQS.

use crate::json_api::{self, SQS};
use etl::ports::{Answer, Message};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sent {
    #[serde(default)]
    failed: Vec<Failed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failed {
    id: String,
    code: String,
}

/// `SendMessageBatch`: an error's code for each message that was not taken.
pub(super) async fn send_message_batch(far: super::Far<'_>, queue_url: &str, messages: &[Message]) -> Answer {
    let entry = |(id, message): (usize, &Message)| {
        let mut entry = json!({"Id": id.to_string(), "MessageBody": message.body});
        if let (Value::Object(entry), Some((group, deduplication))) = (&mut entry, &message.fifo) {
            entry.insert("MessageGroupId".to_owned(), Value::from(group.as_str()));
            entry.insert("MessageDeduplicationId".to_owned(), Value::from(deduplication.as_str()));
        }
        entry
    };
    let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
    let body = json!({"QueueUrl": queue_url, "Entries": entries});
    match json_api::ask::<Sent>(far, SQS, region(queue_url), "SendMessageBatch", &body).await {
        Ok(sent) => {
            let failed = sent.failed.into_iter().map(|failed| (failed.id, failed.code));
            super::by_id(messages.len(), failed)
        }
        Err(answer) => answer,
    }
}

/// `https://sqs.REGION.amazonaws.com/…`; an emulator's address has none.
fn region(queue_url: &str) -> Option<&str> {
    let host = queue_url.strip_prefix("https://sqs.")?.split('/').next()?;
    let (region, rest) = host.split_once('.')?;
    rest.starts_with("amazonaws.com").then_some(region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_s_url_says_its_region() {
        assert_eq!(region("https://sqs.eu-west-1.amazonaws.com/111122223333/q"), Some("eu-west-1"));
        assert_eq!(region("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q"), Some("cn-north-1"));
        assert_eq!(region("http://localhost:5000/111122223333/q"), None);
    }
}
