//! Messages of Amazon SNS.

use crate::aws::{refused, twice_if_broken};
use aws_sdk_sns::Client;
use etl::ports::Answer;

/// `Publish`.
pub(super) async fn publish(client: &Client, topic_arn: &str, subject: String, message: String) -> Answer {
    let request = client.publish().topic_arn(topic_arn).subject(subject).message(message);
    match twice_if_broken(|| request.clone().send()).await {
        Ok(_) => Answer::Done(None),
        Err(e) => refused(&e),
    }
}
