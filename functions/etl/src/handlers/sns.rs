//! `SNSHandler`: messages of an SNS topic.
//!
//! Imports: `component`, `event`.

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger, sqs::bytes, yes};
use crate::{
    component::Component,
    event::{Context, Facts, MessageOrigin, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Reads the messages of an SNS topic. Each message is one event.
///
/// A source is chosen for each message by its topic's ARN. Announcements of S3 that come through a topic are for `SNSS3Handler`.
///
/// # Delivery
///
/// SNS invokes the function asynchronously: when a message could not be delivered the invocation fails, Lambda invokes it twice again,
/// and then it goes to the function's failure queue. A message that can never be delivered does not come again: it is counted, and logged
/// by its reason. Where an outage of hours must heal by itself, put a queue between the topic and the function, and read it by
/// `SQSHandler`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SNSHandler {
    /// Whether the invocation fails when messages could not be delivered. If not, they are lost, counted and logged.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_on_exception: bool,
    /// Whether the function's own tags become tags of all metrics, in place of `metric_tags` of the same name.
    #[serde(default)]
    #[builder(default)]
    pub include_function_tags: bool,
    /// Tags of all metrics.
    #[serde(default)]
    #[builder(default)]
    pub metric_tags: Vec<Tag>,
}

impl Component for SNSHandler {
    const NAME: &'static str = "SNSHandler";
    const EXAMPLE: &'static str = "type: SNSHandler\n";
}

impl Handler for SNSHandler {
    fn gives(&self) -> Place {
        Place::Sns
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let invocation: Invocation<'j> = super::read_json(invocation)?;
        let triggers = invocation.records.into_iter().map(|record| trigger(record.sns)).collect();
        Ok(Batch { triggers, on_failure: OnFailure::Whole, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let arrival_ms = context.now_ms.unwrap_or_default();
        at(number.to_string().into(), STAND_IN_ARN.into(), arrival_ms, Body::Nothing("stands in"))
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

const STAND_IN_ARN: &str = "arn:aws:sns:us-east-1:123456789012:log-topic";

fn trigger(sns: Sns<'_>) -> Trigger<'_> {
    let arrival_ms = sns.timestamp.and_then(|time| super::moment(&time.0)).unwrap_or_default();
    at(Text::or_empty(sns.id), Text::or_empty(sns.topic_arn), arrival_ms, bytes(sns.message.0))
}

fn at<'j>(id: Cow<'j, str>, topic: Cow<'j, str>, arrival_ms: i64, body: Body<'j>) -> Trigger<'j> {
    let origin = MessageOrigin { arn: (&*topic).into(), message_id: id.clone().into_owned() };
    let region = super::region_of(&topic).into();
    let origin = Origin { kind: OriginKind::Sns(origin), source_name: "aws:sns", region, partition: None };
    Trigger { id, facts: Facts { origin, arrival_ms, ..Facts::default() }, source: topic, group: None, body }
}

#[derive(Deserialize)]
struct Invocation<'j> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'j>>,
}

#[derive(Deserialize)]
struct Record<'j> {
    #[serde(borrow, rename = "Sns")]
    sns: Sns<'j>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sns<'j> {
    #[serde(borrow, rename = "MessageId")]
    id: Option<Text<'j>>,
    #[serde(borrow)]
    topic_arn: Option<Text<'j>>,
    #[serde(borrow)]
    timestamp: Option<Text<'j>>,
    #[serde(borrow)]
    message: Text<'j>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_carries_its_topic_and_time() {
        let json =
            br#"{"Records":[{"EventSource":"aws:sns","Sns":{"MessageId":"m","TopicArn":"arn:aws:sns:eu-west-1:1:t",
            "Timestamp":"1970-01-01T00:00:00.123Z","Message":"{\"a\":1}"}}]}"#;
        let batch = SNSHandler::builder().build().read(json).unwrap();
        let trigger = &batch.triggers[0];
        assert_eq!((batch.on_failure, trigger.facts.arrival_ms), (OnFailure::Whole, 123));
        assert_eq!((&*trigger.source, &*trigger.facts.origin.region), ("arn:aws:sns:eu-west-1:1:t", "eu-west-1"));
        assert!(matches!(&trigger.body, Body::Bytes(bytes) if **bytes == *br#"{"a":1}"#));
    }
}
