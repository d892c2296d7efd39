//! `S3Handler`: objects that S3 announces to the function.
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

/// Reads the objects that S3 announces. Each line of an object is one event.
///
/// A source is chosen for each object by `s3://bucket/key`, the key as S3 announces it: URL-encoded. An object that begins as gzip, zstd,
/// bzip2 or framed snappy does is inflated, all its members, whatever its name is. Snappy without a frame, as Hadoop writes it, shows by
/// nothing what it is and is not inflated. If the announcement names a version, that version is read. A line may be of 256 MiB; a longer
/// one is a fault of that line.
///
/// Announcements may come directly, by SNS, by SQS, by SNS and then SQS (raw message delivery or not), or by EventBridge (`Object
/// Created`; by itself, or by SNS or SQS). Of an object that was removed, and of S3's `s3:TestEvent`, there is nothing to read: they are
/// counted as dropped.
///
/// # Delivery
///
/// An object that is gone, or that is none of these under a name in `.gz`, `.zst`, `.bz2`, `.snappy` or `.sz`, fails alone and is
/// counted; so does a message that is no announcement. If an object may not be read, cannot be read now, or its events cannot be
/// delivered, the invocation fails and Lambda invokes it again: all its objects are read again. By SQS just the messages come again of
/// which something was not delivered, in a partial batch response: the event source mapping must ask for it (`FunctionResponseTypes:
/// [ReportBatchItemFailures]`, which our triggers set). A line is delivered at least once; `S3` as transport overwrites what the first
/// attempt wrote, and `document_id: origin` makes of both one document.
///
/// # Unlike Bender
///
/// - Each object belongs to the first source of the config that matches. (In Bender all objects of an invocation are read by the source
///   of the last one, and of several sources that match an arbitrary one is taken.)
/// - An object that is missing, empty or damaged is accounted for, and the others are read. (Bender hangs on it until Lambda ends the
///   function.)
/// - A download that breaks off goes on where it was, or the object comes again. (Bender goes on reading the broken stream, and loses or
///   cuts lines.)
/// - The version that was announced is read. (Bender reads the newest.)
/// - `sns_notification_arn` is used. (Bender's `S3Handler` takes it and never does.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct S3Handler {
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
    #[serde(default = "queue_size")]
    #[builder(default = queue_size())]
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
    pub log_s3_trigger: bool,
}

pub(super) fn queue_size() -> u32 {
    500
}

impl Component for S3Handler {
    const NAME: &'static str = "S3Handler";
    const EXAMPLE: &'static str = "type: S3Handler\nlog_s3_trigger: true\n";

    fn needs(&self) -> Vec<Need> {
        super::topic_needs(self.sns_notification_arn.as_ref()).into_iter().collect()
    }
}

impl Handler for S3Handler {
    fn gives(&self) -> Place {
        Place::S3
    }
    fn common(&self) -> Common {
        Common::new(self.fail_on_exception, self.include_function_tags, &self.metric_tags)
    }

    fn read<'j>(&self, invocation: &'j [u8]) -> Result<Batch<'j>, NotOurs> {
        notification::batch(invocation, SOURCE_NAME, self.log_s3_trigger)
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

const SOURCE_NAME: &str = "aws:s3";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::OriginKind,
        handlers::{Body, notification::TEST_EVENT},
    };

    #[test]
    fn an_announcement_becomes_an_object_to_open() {
        let json = br#"{"Records":[{"awsRegion":"us-east-1","eventTime":"1970-01-01T00:00:00.123Z","eventName":"ObjectCreated:Put",
            "s3":{"bucket":{"name":"b"},"object":{"key":"Happy%20Face.log","versionId":"v1","sequencer":"007"}}}]}"#;
        let batch = S3Handler::builder().build().read(json).unwrap();
        let trigger = &batch.triggers[0];
        assert_eq!((&*trigger.source, trigger.facts.arrival_ms), ("s3://b/Happy%20Face.log", 123));
        let Body::Object { bucket, key, version_id } = &trigger.body else { panic!("an object") };
        assert_eq!((&**bucket, &**key, version_id.as_deref()), ("b", "Happy Face.log", Some("v1")));
        let OriginKind::S3(origin) = &trigger.facts.origin.kind else { panic!("an object") };
        assert_eq!((&*origin.key, origin.sequencer.as_deref()), ("Happy%20Face.log", Some("007")));
        let (name, value) = trigger.facts.partitions().next().unwrap();
        assert_eq!((name, value), ("__filename__", Some("0cc424ce2dbff159d6ed7e3f41d30efbea9135d6")));
    }

    #[test]
    fn what_s3_sends_when_notifications_are_set_up_has_nothing_to_read() {
        let json = br#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b"}"#;
        let batch = S3Handler::builder().build().read(json).unwrap();
        assert!(matches!(batch.triggers[0].body, Body::Nothing(TEST_EVENT)));
    }

    #[test]
    fn an_object_that_was_removed_is_not_read() {
        let json =
            br#"{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#;
        let batch = S3Handler::builder().build().read(json).unwrap();
        assert!(matches!(batch.triggers[0].body, Body::Nothing("object removed")));
    }
}
