//! `SNSS3Handler`: objects that S3 announces by way of SNS.
//!
//! Imports: `component`, `event`, `late`, `need`.

use super::{Batch, Common, Handler, NotOurs, Tag, Trigger, notification, yes};
use crate::{
    component::Component,
    event::{Context, Place},
    late::Late,
    need::Need,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads the objects that S3 announces to an SNS topic. Each line of an object is one event.
///
/// All else, mended defects included, is as with `S3Handler`, and each of the two understands announcements in every envelope.
///
/// # Delivery
///
/// Every message of an invocation is worked on; one that is no announcement of S3 fails alone and is counted. If an object may not be
/// read, cannot be read now, or its events cannot be delivered, the invocation fails, Lambda invokes it twice again, and then it goes to
/// the function's failure queue; the keys go to `sns_notification_arn` each time. A line is delivered at least once.
///
/// # Unlike Bender
///
/// - A message with nothing to read does not keep those behind it from being read. (In Bender they are lost.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SNSS3Handler {
    /// Whether the invocation fails when events could not be delivered. If not, they are lost, counted and logged.
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
    /// Accepted, as Bender's configs have it; has no meaning here.
    #[serde(default = "super::s3::queue_size")]
    #[builder(default = super::s3::queue_size())]
    pub queue_size: u32,
    /// ARN of an SNS topic that is told the keys of the objects of an invocation that failed, joined by commas, whether it comes again or
    /// not; by SQS, those of the messages that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[builder(into)]
    #[schemars(extend("format" = "arn"))]
    pub sns_notification_arn: Option<Late<String>>,
    /// Whether each object that is announced is logged, by its bucket and key.
    #[serde(default)]
    #[builder(default)]
    pub log_sns_trigger: bool,
}

impl Component for SNSS3Handler {
    const NAME: &'static str = "SNSS3Handler";
    const EXAMPLE: &'static str =
        "type: SNSS3Handler\nsns_notification_arn: arn:aws:sns:us-east-1:123456789012:failures\n";

    fn needs(&self) -> Vec<Need> {
        super::topic_needs(self.sns_notification_arn.as_ref()).into_iter().collect()
    }
}

impl Handler for SNSS3Handler {
    fn gives(&self) -> Place {
        Place::S3
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        notification::batch(invocation, SOURCE_NAME, self.log_sns_trigger)
    }

    fn failure_topic(&self) -> Option<&str> {
        self.sns_notification_arn.as_ref().and_then(Late::now).map(String::as_str)
    }

    fn stand_in(&self, context: &Context, name: &str, _: u64) -> Trigger<'static> {
        notification::stand_in(context, name, SOURCE_NAME)
    }

    fn reads_objects(&self) -> bool {
        true
    }
}

const SOURCE_NAME: &str = "aws:sns";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::Body;

    #[test]
    fn every_message_is_worked_on_whatever_the_others_are() {
        let object = |key: &str| {
            let record = format!(r#"{{"Records":[{{"s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}"}}}}}}]}}"#);
            serde_json::json!({"Sns": {"MessageId": "m", "Message": record}})
        };
        let hello = serde_json::json!({"Sns": {"MessageId": "m", "Message": "hello"}});
        let none = serde_json::json!({"Sns": {"MessageId": "m", "Message": r#"{"Records":[]}"#}});
        let json = serde_json::json!({"Records": [object("one"), hello, none, object("two")]}).to_string();
        let batch = SNSS3Handler::builder().build().read(json.as_bytes()).unwrap();
        let seen: Vec<_> = batch.triggers.iter().map(|trigger| (&*trigger.source, &trigger.body)).collect();
        assert!(
            matches!(
                seen[..],
                [
                    ("s3://b/one", Body::Object { .. }),
                    ("", Body::Unreadable(_)),
                    ("", Body::Nothing(_)),
                    ("s3://b/two", Body::Object { .. })
                ]
            ),
            "{seen:?}"
        );
    }
}
