//! `CloudWatchLogsHandler`: events of log groups, as subscription filters send them.
//!
//! Imports: `component`, `event`.

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger, kinesis, yes};
use crate::{
    component::Component,
    event::{Context, Facts, LogOrigin, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Reads what subscription filters of CloudWatch Logs send, to the function itself or to a Kinesis stream that it reads. Each log event
/// is one event.
///
/// An event is as the message has it, `id`, `timestamp` and `message`, with what the message says of all its events: `owner`, `logGroup`,
/// `logStream`, `subscriptionFilters`. Its `timestamp` (milliseconds since 1970) is also the time of its arrival. To have the JSON in
/// `message` as an object, use `nested_field_configs` of `GenericJson`; to have the message alone, `payload: message`.
///
/// A source is chosen for each message by its log group, as `arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/x`: the account is
/// the owner's, the region that of the stream or function. Messages by which CloudWatch tries whether it can send are dropped.
///
/// # Delivery
///
/// CloudWatch Logs invokes the function asynchronously: when an event could not be delivered the invocation fails, Lambda invokes it
/// twice again, and then it goes to the function's failure queue. By Kinesis the answer to Lambda is a partial batch response that names
/// the first record of which something could not be delivered: it and all after it come again. The event source mapping must ask for that
/// (`FunctionResponseTypes: [ReportBatchItemFailures]`, which our triggers set). What is no message of CloudWatch Logs fails alone and is
/// counted. Either way a log event is read at least once: what was delivered of a message before the failure is delivered again with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct CloudWatchLogsHandler {
    /// Whether events that could not be delivered come again. If not, they are lost, counted and logged, and the invocation succeeds.
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
    /// What of a log event is the event.
    #[serde(default)]
    #[builder(default)]
    pub payload: LogPayload,
}

/// What of a log event is the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogPayload {
    /// A JSON object: the log event with what is known of its log group.
    #[default]
    Event,
    /// The text of its `message`, whatever it is.
    Message,
}

impl Component for CloudWatchLogsHandler {
    const NAME: &'static str = "CloudWatchLogsHandler";
    const EXAMPLE: &'static str = "type: CloudWatchLogsHandler\npayload: event\n";
}

impl Handler for CloudWatchLogsHandler {
    fn gives(&self) -> Place {
        Place::Logs
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let payload = self.payload;
        let (triggers, on_failure) = match super::read_json(invocation)? {
            Invocation { awslogs: Some(Sent { data }), .. } => {
                let body = Body::LogMessage { text: data.0, payload };
                (vec![at("".into(), "".into(), body)], OnFailure::Whole)
            }
            Invocation { records: Some(records), .. } => {
                let triggers = records.into_iter().map(|record| {
                    let id = Text::or_empty(record.stream.sequence_number);
                    let stream = Text::or_empty(record.event_source_arn);
                    let body = match record.stream.data {
                        Some(data) => Body::LogMessage { text: data.0, payload },
                        None => Body::Unreadable("the record has no data"),
                    };
                    at(id, stream, body)
                });
                (triggers.collect(), OnFailure::Suffix)
            }
            _ => return Err(NotOurs("it has neither `awslogs` nor `Records`".to_owned())),
        };
        Ok(Batch { triggers, on_failure, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let origin = LogOrigin { log_group: "local".into(), event_id: number.to_string(), ..LogOrigin::default() };
        let mut trigger = at("".into(), STAND_IN_ARN.into(), Body::Nothing("stands in"));
        trigger.facts.origin.kind = OriginKind::Logs(origin);
        trigger.facts.arrival_ms = context.now_ms.unwrap_or_default();
        trigger
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

const STAND_IN_ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:local";

/// Of which log event an event is, the pipeline finds out.
fn at<'j>(id: Cow<'j, str>, by: Cow<'j, str>, body: Body<'j>) -> Trigger<'j> {
    let origin = Origin { source_name: "aws:logs", ..Origin::default() };
    Trigger { id, facts: Facts { origin, ..Facts::default() }, source: by, group: None, body }
}

#[derive(Deserialize)]
struct Invocation<'j> {
    #[serde(borrow)]
    awslogs: Option<Sent<'j>>,
    #[serde(borrow, rename = "Records")]
    records: Option<Vec<kinesis::Record<'j>>>,
}

#[derive(Deserialize)]
struct Sent<'j> {
    #[serde(borrow)]
    data: Text<'j>,
}
