//! `EventBridgeHandler`: events of an `EventBridge` bus.
//!
//! Imports: `component`, `event`.

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger, yes};
use crate::{
    component::Component,
    event::{Context, EventBridgeOrigin, Facts, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Reads what a rule of EventBridge invokes the function with: one event.
///
/// A source is chosen by the event's source and kind, as `source/detail-type`: `aws.ec2/EC2 Instance State-change Notification`. The time
/// of its arrival is its `time`. Announcements of S3 that come through a bus are for `S3Handler`. A rule's input transformer must leave
/// the envelope as it is; what is made of it is no event of EventBridge any more.
///
/// # Delivery
///
/// EventBridge invokes the function asynchronously: when the event could not be delivered the invocation fails, Lambda invokes it twice
/// again, and then it goes to the function's failure queue. An event that can never be delivered does not come again: it is counted, and
/// logged by its reason. The event is delivered at least once: EventBridge itself may send it twice, with the same `id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct EventBridgeHandler {
    /// Whether the invocation fails when the event could not be delivered. If not, it is lost, counted and logged.
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
    /// How much of it is the event.
    #[serde(default)]
    #[builder(default)]
    pub payload: EventBridgePayload,
}

/// How much of what EventBridge sends is the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventBridgePayload {
    /// All of it.
    #[default]
    Whole,
    /// Its `detail`.
    Detail,
}

impl Component for EventBridgeHandler {
    const NAME: &'static str = "EventBridgeHandler";
    const EXAMPLE: &'static str = "type: EventBridgeHandler\npayload: detail\n";
}

impl Handler for EventBridgeHandler {
    fn gives(&self) -> Place {
        Place::EventBridge
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let event: Sent<'j> = super::read_json(invocation)?;
        let body = match self.payload {
            EventBridgePayload::Whole => invocation,
            EventBridgePayload::Detail => event.detail.get().as_bytes(),
        };
        let source = format!("{}/{}", event.source.0, event.detail_type.0);
        let arrival_ms = event.time.and_then(|time| super::moment(&time.0)).unwrap_or_default();
        let region = Text::or_empty(event.region);
        let origin = EventBridgeOrigin {
            source: event.source.0.into_owned(),
            detail_type: event.detail_type.0.into_owned(),
            account: Text::or_empty(event.account).into_owned(),
            event_id: event.id.0.clone().into_owned(),
        };
        let trigger = at(event.id.0, source, origin, &region, arrival_ms, Body::Bytes(Cow::Borrowed(body)));
        Ok(Batch { triggers: vec![trigger], on_failure: OnFailure::Whole, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let id = number.to_string();
        let origin = EventBridgeOrigin { event_id: id.clone(), ..EventBridgeOrigin::default() };
        let arrival_ms = context.now_ms.unwrap_or_default();
        at(id.into(), "local/line".to_owned(), origin, "", arrival_ms, Body::Nothing("stands in"))
    }

    fn reads_objects(&self) -> bool {
        false
    }
}

fn at<'j>(
    id: Cow<'j, str>,
    source: String,
    origin: EventBridgeOrigin,
    region: &str,
    arrival_ms: i64,
    body: Body<'j>,
) -> Trigger<'j> {
    let kind = OriginKind::EventBridge(origin);
    let origin = Origin { kind, source_name: "aws:events", region: region.into(), partition: None };
    Trigger { id, facts: Facts { origin, arrival_ms, ..Facts::default() }, source: source.into(), group: None, body }
}

#[derive(Deserialize)]
struct Sent<'j> {
    #[serde(borrow)]
    id: Text<'j>,
    #[serde(borrow)]
    source: Text<'j>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Text<'j>,
    #[serde(borrow)]
    account: Option<Text<'j>>,
    #[serde(borrow)]
    region: Option<Text<'j>>,
    #[serde(borrow)]
    time: Option<Text<'j>>,
    #[serde(borrow)]
    detail: &'j RawValue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_is_all_of_it_or_its_detail() {
        let json = br#"{"id":"i","source":"aws.ec2","detail-type":"A Change","account":"1","region":"eu-west-1",
            "time":"1970-01-01T00:00:00Z","detail":{"n": 1.50}}"#;
        let read = |payload| {
            let batch = EventBridgeHandler::builder().payload(payload).build().read(json).unwrap();
            let [trigger] = &batch.triggers[..] else { panic!("one event") };
            assert_eq!((&*trigger.id, &*trigger.source), ("i", "aws.ec2/A Change"));
            let Body::Bytes(bytes) = &trigger.body else { panic!("the event itself") };
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(read(EventBridgePayload::Whole).as_bytes(), json);
        assert_eq!(read(EventBridgePayload::Detail), r#"{"n": 1.50}"#);
    }
}
