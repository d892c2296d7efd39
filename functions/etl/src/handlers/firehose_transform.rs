//! `FirehoseTransformHandler`: records that a delivery stream wants transformed.
//!
//! Imports: `component`, `event`.

use super::{Batch, Body, Common, Handler, NotOurs, OnFailure, Tag, Text, Trigger, yes};
use crate::{
    component::Component,
    event::{Context, Facts, FirehoseOrigin, Origin, OriginKind, Place},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, sync::Arc};

/// Reads the records that a Firehose delivery stream wants transformed. Each record is one event, and what becomes of it is the answer:
/// the transport must be `FirehoseTransform`.
///
/// A source is chosen by the delivery stream's ARN.
///
/// # Delivery
///
/// Firehose is answered for each record. `Ok` with what was made of it; the events of a record that was split are joined by line ends.
/// `Dropped` if nothing was wanted of it. `ProcessingFailed` if anything of it failed: Firehose then keeps the record as it was, below
/// its bucket's error prefix, and nothing of it is delivered, so nothing is lost and nothing doubled. What was put into it for a dead
/// letter or another transport is there besides.
///
/// The invocation as a whole fails only if it runs out of time, or if something else that it delivers to is out: Firehose then hands the
/// records over again, three times by default, before it keeps them as failed. A record comes to its destination at least once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct FirehoseTransformHandler {
    /// Whether the invocation fails when some records could not be worked on now. If not, those are answered as `ProcessingFailed`.
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
    /// Whether each record is gzip, as CloudWatch Logs sends it. A record that is not fails alone.
    #[serde(default)]
    #[builder(default)]
    pub decompress: bool,
}

impl Component for FirehoseTransformHandler {
    const NAME: &'static str = "FirehoseTransformHandler";
    const EXAMPLE: &'static str = "type: FirehoseTransformHandler\n";
}

impl Handler for FirehoseTransformHandler {
    fn gives(&self) -> Place {
        Place::Firehose
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        let Invocation { delivery_stream_arn, region, records, .. } = super::read_json(invocation)?;
        let stream = delivery_stream_arn.0;
        let (arn, region): (Arc<str>, Arc<str>) = ((&*stream).into(), (&*Text::or_empty(region)).into());
        let trigger = |record: Record<'j>| {
            let body = Body::Base64 { text: record.data.0, gzip: self.decompress, aggregates: false };
            let arrival_ms = record.approximate_arrival_timestamp.unwrap_or_default();
            at(record.id.0, stream.clone(), Arc::clone(&arn), Arc::clone(&region), arrival_ms, body)
        };
        let triggers = records.into_iter().map(trigger).collect();
        Ok(Batch { triggers, on_failure: OnFailure::Records, log_triggers: false })
    }

    fn stand_in(&self, context: &Context, _: &str, number: u64) -> Trigger<'static> {
        let arrival_ms = context.now_ms.unwrap_or_default();
        let body = Body::Nothing("stands in");
        at(number.to_string().into(), STAND_IN_ARN.into(), STAND_IN_ARN.into(), "us-east-1".into(), arrival_ms, body)
    }

    fn reads_objects(&self) -> bool {
        false
    }

    fn wants_answers(&self) -> bool {
        true
    }
}

const STAND_IN_ARN: &str = "arn:aws:firehose:us-east-1:123456789012:deliverystream/local";

fn at<'j>(
    id: Cow<'j, str>,
    stream: Cow<'j, str>,
    stream_arn: Arc<str>,
    region: Arc<str>,
    arrival_ms: i64,
    body: Body<'j>,
) -> Trigger<'j> {
    let kind = OriginKind::Firehose(FirehoseOrigin { stream_arn, record_id: id.clone().into_owned() });
    let origin = Origin { kind, source_name: "aws:firehose", region, partition: None };
    Trigger { id, facts: Facts { origin, arrival_ms, ..Facts::default() }, source: stream, group: None, body }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'j> {
    /// Only to tell it from what others send.
    #[serde(borrow, rename = "invocationId")]
    _invocation_id: Text<'j>,
    #[serde(borrow)]
    delivery_stream_arn: Text<'j>,
    #[serde(borrow)]
    region: Option<Text<'j>>,
    #[serde(borrow)]
    records: Vec<Record<'j>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'j> {
    #[serde(borrow, rename = "recordId")]
    id: Text<'j>,
    approximate_arrival_timestamp: Option<i64>,
    #[serde(borrow)]
    data: Text<'j>,
}
