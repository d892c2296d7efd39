//! What a subscription filter of CloudWatch Logs sends: a message with events of one stream of a log group.
//!
//! Imports: `event`, `handlers`.

use crate::{event::Fault, handlers::Text};
use serde::Deserialize;
use serde_json::value::RawValue;

const NO_MESSAGE: Fault = Fault::new("no message of CloudWatch Logs");

/// A message, as it is read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogMessage<'b> {
    #[serde(borrow)]
    message_type: Text<'b>,
    #[serde(borrow)]
    pub(super) owner: Text<'b>,
    #[serde(borrow)]
    pub(super) log_group: Text<'b>,
    #[serde(borrow)]
    pub(super) log_stream: Text<'b>,
    #[serde(borrow)]
    subscription_filters: Option<&'b RawValue>,
    #[serde(borrow)]
    pub(super) log_events: Vec<&'b RawValue>,
}

/// An event of a message.
#[derive(Debug, Deserialize)]
pub(super) struct LogEvent<'b> {
    #[serde(borrow)]
    pub(super) id: Text<'b>,
    pub(super) timestamp: i64,
    #[serde(borrow)]
    pub(super) message: Text<'b>,
}

impl<'b> LogMessage<'b> {
    pub(super) fn read(text: &'b [u8]) -> Result<Self, Fault> {
        serde_json::from_slice(text).map_err(|_| NO_MESSAGE)
    }

    /// Whether CloudWatch only tries whether it can send.
    pub(super) fn is_control(&self) -> bool {
        self.message_type.0 == "CONTROL_MESSAGE"
    }

    /// The name of its log group as an ARN has it. `arn`: of whatever it came by, in the same region.
    pub(super) fn source(&self, arn: &str, region: &str) -> String {
        let mut parts = arn.split(':').skip(1);
        let partition = parts.next().filter(|part| !part.is_empty()).unwrap_or("aws");
        let region = parts.nth(1).filter(|part| !part.is_empty()).unwrap_or(region);
        format!("arn:{partition}:logs:{region}:{}:log-group:{}", self.owner.0, self.log_group.0)
    }

    /// What all its events have in common, as members of a JSON object.
    pub(super) fn members(&self) -> String {
        let text = |text: &Text<'_>| serde_json::Value::from(&*text.0).to_string();
        let (owner, group, stream) = (text(&self.owner), text(&self.log_group), text(&self.log_stream));
        let filters = self.subscription_filters.map_or("[]", RawValue::get);
        format!(r#""owner":{owner},"logGroup":{group},"logStream":{stream},"subscriptionFilters":{filters}"#)
    }
}

/// The region in an ARN.
pub(super) fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

impl<'b> LogEvent<'b> {
    pub(super) fn read(event: &'b RawValue) -> Result<Self, Fault> {
        serde_json::from_str(event.get()).map_err(|_| Fault::new("no event of CloudWatch Logs"))
    }
}

/// Writes an event, which is an object and has members, with the members that it has in common with others.
pub(super) fn write(event: &RawValue, members: &str, out: &mut Vec<u8>) {
    let text = event.get();
    out.extend_from_slice(text.strip_suffix('}').unwrap_or(text).trim_end().as_bytes());
    out.push(b',');
    out.extend_from_slice(members.as_bytes());
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/a\"b","logStream":"s","subscriptionFilters":["f"],
        "logEvents":[{"id":"i","timestamp":1,"message":"m\n","extractedFields":{"n":"1.50"} }]}"#;

    #[test]
    fn an_event_is_written_as_it_was_with_what_is_known_of_its_group() {
        let message = LogMessage::read(MESSAGE.as_bytes()).unwrap();
        let mut out = vec![];
        write(message.log_events[0], &message.members(), &mut out);
        let expected = r#"{"id":"i","timestamp":1,"message":"m\n","extractedFields":{"n":"1.50"},"owner":"1","logGroup":"/a\"b","logStream":"s","subscriptionFilters":["f"]}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_log_group_is_in_the_region_that_its_message_came_by() {
        let message = LogMessage::read(MESSAGE.as_bytes()).unwrap();
        assert_eq!(message.source("", "eu-west-1"), r#"arn:aws:logs:eu-west-1:1:log-group:/a"b"#);
        let stream = "arn:aws-cn:kinesis:cn-north-1:2:stream/s";
        assert_eq!(message.source(stream, "eu-west-1"), r#"arn:aws-cn:logs:cn-north-1:1:log-group:/a"b"#);
    }
}
