//! `Kinesis`: a stream of Kinesis Data Streams.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `field`, `late`, `need`, `payload`, `ports`, `region`.

use super::{
    Limits, Load, Next, Transport, UnitVerdict, Verdict,
    defaults::threads,
    values::{now, now_text},
};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, hash_text, sha1_hex},
    field,
    late::Late,
    need::{Need, Target},
    ports::{Answer, Call},
    region::Region,
};
use bon::Builder;
use bytes::Bytes;
use payload::{Output, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts events into a stream of Kinesis Data Streams, each as a record.
///
/// # Delivery
///
/// Each record's own answer counts: what the stream could not take now is sent again alone, so events may change their order, and one
/// whose answer is lost is there twice: delivery is at least once. A call has up to 500 records of up to 5,000,000 bytes together. An
/// event of more than 1 MiB fails, and its neighbours go on. What the stream does not take in time is handed back to the trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Kinesis {
    /// Name of the stream.
    #[builder(into)]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[a-zA-Z0-9_.-]+$"))]
    pub stream_name: Late<String>,
    /// Region of the stream; by default the function's own.
    #[builder(into)]
    pub region: Option<Late<Region>>,
    /// What chooses an event's shard: a path, such as `$.user.id`, whose text or number is the partition key (of more than 256 characters,
    /// its SHA-1). By default, and where there is nothing at the path, it is SHA-1 of the event: events spread evenly, and one that is
    /// delivered twice is in the same shard twice.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub partition_key: Option<String>,
    /// Calls at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
}

impl Component for Kinesis {
    const NAME: &'static str = "Kinesis";
    const EXAMPLE: &'static str = "type: Kinesis\nstream_name: <STREAM_NAME>\npartition_key: $.user.id\n";

    fn needs(&self) -> Vec<Need> {
        let on = Target::Stream { name: self.stream_name.clone(), region: self.region.clone() };
        vec![Need { actions: &["kinesis:PutRecords"], on }]
    }
}

/// A record with its key. Streams may be told to take more; not all are.
const RECORD_BYTES: usize = (1 << 20) - 64;
/// Characters of a partition key.
const MOST_KEY: usize = 256;

impl Transport for Kinesis {
    type State = Option<Path>;

    fn limits(&self) -> Limits {
        Limits {
            event_bytes: RECORD_BYTES,
            // Of one call: records, and bytes in all of them.
            units: 500,
            bytes: 5_000_000,
            threads: self.threads.size(),
            by_partition: false,
            ordered: false,
            ..Limits::default()
        }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Option<Path>, BuildError> {
        self.partition_key.as_deref().map(field::path).transpose()
    }

    /// The key goes before the event, behind its length, until the call is made.
    fn head(&self, path: &mut Option<Path>, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        let key = path.as_ref().and_then(|path| super::messages::text_at(event, path)).unwrap_or_default();
        if key.chars().nth(MOST_KEY).is_some() {
            super::messages::put(out, hash_text(&sha1_hex(key.as_bytes())));
        } else {
            super::messages::put(out, &key);
        }
        Ok(())
    }

    fn call(&self, _: &mut Option<Path>, load: &Load<'_>) -> Next {
        Next::Call(Call::PutRecords {
            stream: now(&self.stream_name),
            region: self.region.as_ref().map(now_text),
            records: load.units().map(record).collect(),
        })
    }

    fn judge(&self, _: &mut Option<Path>, _: &Load<'_>, answer: &Answer) -> Verdict {
        match answer {
            Answer::Records(codes) if codes.iter().all(Option::is_none) => Verdict::Taken,
            Answer::Records(codes) => Verdict::Units(codes.iter().map(|code| unit(code.as_deref())).collect()),
            // Not a matter of the data: handed back when it does not get better.
            Answer::Refused { code, status } => match code.as_str() {
                "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
                    Verdict::TooLarge("Kinesis refuses the records")
                }
                "ResourceNotFoundException" => Verdict::Denied("no such stream"),
                code if code.contains("AccessDenied") => Verdict::Denied("permission refused"),
                code if code.starts_with("KMS") => Verdict::Again("the stream's key cannot be used"),
                _ if *status == Some(413) => Verdict::TooLarge("the call was too large"),
                _ => Verdict::Again("Kinesis is overloaded"),
            },
            _ => Verdict::Again("no answer"),
        }
    }
}

fn record(unit: Bytes) -> (String, Bytes) {
    let (key, data) = super::messages::take(unit);
    if key.is_empty() { (hash_text(&sha1_hex(&data)).to_owned(), data) } else { (key, data) }
}

fn unit(code: Option<&str>) -> UnitVerdict {
    match code {
        None => UnitVerdict::Taken,
        Some("ProvisionedThroughputExceededException") => UnitVerdict::Again("the stream has too few shards"),
        Some(_) => UnitVerdict::Again("Kinesis failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{frame, judge},
    };

    fn config(settings: &str) -> Kinesis {
        serde_json::from_str(&format!(r#"{{"stream_name":"s"{settings}}}"#)).unwrap()
    }

    /// The record that an event becomes.
    fn put(settings: &str, event: &str) -> (String, Bytes) {
        record(Bytes::from(frame(&config(settings), &mut Facts::default(), event).unwrap()))
    }

    #[test]
    fn the_partition_key_is_what_is_at_its_path_or_the_events_hash() {
        let key = |settings: &str, event: &str| put(settings, event).0;
        let by_path = r#","partition_key":"$.id""#;
        assert_eq!(key(by_path, r#"{"id":"\u00e9"}"#), "é");
        assert_eq!(key(by_path, r#"{"id":1.50}"#), "1.50");
        let hash = hash_text(&sha1_hex(b"EVENT")).to_owned();
        assert_eq!((key(by_path, "{}"), key("", "{}")), (hash.clone(), hash));
        assert_eq!(key(by_path, &format!(r#"{{"id":"{}"}}"#, "x".repeat(257))).len(), 40);
        assert_eq!(put(by_path, r#"{"id":7}"#).1, "EVENT");
    }

    #[test]
    fn each_record_has_its_own_answer_and_nothing_is_lost_when_the_whole_call_fails() {
        let codes = vec![None, Some("ProvisionedThroughputExceededException".to_owned())];
        assert_eq!(
            judge(&config(""), b"\0\0a\0\0b", &[3, 6], &Answer::Records(codes)),
            Verdict::Units(vec![UnitVerdict::Taken, UnitVerdict::Again("the stream has too few shards")])
        );
        let refused =
            |code: &str| judge(&config(""), b"\0\0a", &[3], &Answer::Refused { code: code.into(), status: Some(400) });
        assert_eq!(refused("ResourceNotFoundException"), Verdict::Denied("no such stream"));
        assert!(matches!(refused("LimitExceededException"), Verdict::Again(_)));
        assert!(matches!(refused("ValidationException"), Verdict::TooLarge(_)));
    }
}
