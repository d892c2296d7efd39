//! `SQSHandler`: messages of an SQS queue.
//!
//! Imports: `component`, `event`.

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger, yes};
use crate::{
    component::Component,
    event::{Context, Facts, MessageOrigin, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// Reads the messages of an SQS queue. The body of a message is one event.
///
/// A source is chosen for each message by its queue's ARN. Announcements of S3 that come through a queue are for `S3Handler`.
///
/// # Delivery
///
/// Each message comes again by itself: the answer to Lambda is a partial batch response that names the messages that could not be
/// delivered, and no other. Those that were are deleted. Of a FIFO queue, all messages of a group that are behind one that comes again
/// come again with it, so a group keeps its order. A message that can never be delivered does not come again: it is counted, and logged
/// by its reason. The event source mapping must ask for such answers (`FunctionResponseTypes: [ReportBatchItemFailures]`, which our
/// triggers set), or Lambda takes the answer for success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SQSHandler {
    /// Whether messages that could not be delivered come again. If not, they are lost, counted and logged, and the invocation succeeds.
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
    /// Whether SNS sends to the queue, and not by raw message delivery: the event is then the message in SNS's envelope. A body that is no
    /// such envelope is a fault of that message alone.
    #[serde(default)]
    #[builder(default)]
    pub unwrap_sns: bool,
}

impl Component for SQSHandler {
    const NAME: &'static str = "SQSHandler";
    const EXAMPLE: &'static str = "type: SQSHandler\nunwrap_sns: true\n";
}

impl Handler for SQSHandler {
    fn gives(&self) -> Place {
        Place::Sqs
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let invocation: Invocation<'j> = super::read_json(invocation)?;
        let mut last = Queue::default();
        let triggers = invocation.records.into_iter().map(|record| self.trigger(record, &mut last)).collect();
        Ok(Batch { triggers, on_failure: OnFailure::Items, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let mut last = Queue::default();
        last.choose(STAND_IN_ARN, None);
        let arrival_ms = context.now_ms.unwrap_or_default();
        let id = number.to_string();
        let facts = Facts { arrival_ms, origin: last.origin(id.clone()), ..Facts::default() };
        let source = Cow::Borrowed(STAND_IN_ARN);
        Trigger { id: id.into(), facts, source, group: None, body: Body::Nothing("stands in") }
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

const STAND_IN_ARN: &str = "arn:aws:sqs:us-east-1:123456789012:log-queue";

impl SQSHandler {
    fn trigger<'j>(&self, record: Record<'j>, last: &mut Queue) -> Trigger<'j> {
        let source = Text::or_empty(record.event_source_arn);
        let id = record.message_id.0;
        last.choose(&source, record.aws_region.as_ref().map(|region| &*region.0));
        let Attributes { sent_timestamp, message_group_id } = record.attributes.unwrap_or_default();
        let facts = Facts {
            arrival_ms: sent_timestamp.and_then(|sent| sent.0.parse().ok()).unwrap_or_default(),
            origin: last.origin(id.clone().into_owned()),
            ..Facts::default()
        };
        let body = if self.unwrap_sns { unwrapped(record.body.0) } else { bytes(record.body.0) };
        Trigger { id, facts, source, group: message_group_id.map(|group| group.0), body }
    }
}

/// A text as one event.
pub(super) fn bytes(text: Cow<'_, str>) -> Body<'_> {
    Body::Bytes(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    })
}

/// The message in SNS's envelope.
fn unwrapped(body: Cow<'_, str>) -> Body<'_> {
    const NO_ENVELOPE: Body<'_> = Body::Unreadable("the message is not wrapped by SNS");
    match body {
        Cow::Borrowed(body) => {
            super::read_json(body.as_bytes()).map_or(NO_ENVELOPE, |e: Envelope<'_>| bytes(e.message.0))
        }
        Cow::Owned(body) => match super::read_json::<Envelope<'_>>(body.as_bytes()) {
            Ok(envelope) => bytes(envelope.message.0.into_owned().into()),
            Err(_) => NO_ENVELOPE,
        },
    }
}

/// What the messages of one queue have in common.
#[derive(Default)]
struct Queue {
    arn: Arc<str>,
    region: Arc<str>,
}

impl Queue {
    fn choose(&mut self, arn: &str, region: Option<&str>) {
        if *self.arn != *arn {
            self.arn = arn.into();
            self.region = region.unwrap_or_else(|| super::region_of(arn)).into();
        }
    }

    fn origin(&self, message_id: String) -> Origin {
        Origin {
            kind: OriginKind::Sqs(MessageOrigin { arn: Arc::clone(&self.arn), message_id }),
            source_name: "aws:sqs",
            region: Arc::clone(&self.region),
            partition: None,
        }
    }
}

#[derive(Deserialize)]
struct Invocation<'j> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'j>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'j> {
    #[serde(borrow)]
    message_id: Text<'j>,
    #[serde(borrow)]
    body: Text<'j>,
    #[serde(borrow)]
    attributes: Option<Attributes<'j>>,
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Option<Text<'j>>,
    #[serde(borrow)]
    aws_region: Option<Text<'j>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes<'j> {
    #[serde(borrow)]
    sent_timestamp: Option<Text<'j>>,
    #[serde(borrow)]
    message_group_id: Option<Text<'j>>,
}

/// What SNS puts around a message for a queue.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope<'j> {
    #[serde(borrow)]
    message: Text<'j>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(handler: &SQSHandler, body: &str) -> Result<String, &'static str> {
        let json = json!({"Records": [{"messageId": "m", "body": body}]}).to_string();
        match handler.read(json.as_bytes()).unwrap().triggers.remove(0).body {
            Body::Bytes(bytes) => Ok(String::from_utf8(bytes.into_owned()).unwrap()),
            Body::Unreadable(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_carries_its_queue_group_and_the_time_it_was_sent() {
        let json = json!({"Records": [{
            "messageId": "m1", "body": "a \"line\"", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:1:q.fifo",
            "attributes": {"SentTimestamp": "1545082649183", "MessageGroupId": "g"},
        }]})
        .to_string();
        let batch = SQSHandler::builder().build().read(json.as_bytes()).unwrap();
        let trigger = &batch.triggers[0];
        assert_eq!((batch.on_failure, &*trigger.id, trigger.group.as_deref()), (OnFailure::Items, "m1", Some("g")));
        assert_eq!((trigger.facts.arrival_ms, &*trigger.facts.origin.region), (1_545_082_649_183, "eu-west-1"));
        assert!(matches!(&trigger.body, Body::Bytes(bytes) if **bytes == *b"a \"line\""));
        let origin = MessageOrigin { arn: "arn:aws:sqs:eu-west-1:1:q.fifo".into(), message_id: "m1".into() };
        assert_eq!(trigger.facts.origin.kind, OriginKind::Sqs(origin));
    }

    #[test]
    fn the_envelope_of_sns_is_taken_off_if_it_is_asked_for() {
        let wrapped = json!({"Type": "Notification", "MessageId": "x", "Message": "a \"line\""}).to_string();
        let (as_it_is, unwraps) = (SQSHandler::builder().build(), SQSHandler::builder().unwrap_sns(true).build());
        assert_eq!(body(&as_it_is, &wrapped), Ok(wrapped.clone()));
        assert_eq!(body(&unwraps, &wrapped).as_deref(), Ok("a \"line\""));
        assert_eq!(body(&unwraps, "{}"), Err("the message is not wrapped by SNS"));
    }
}
