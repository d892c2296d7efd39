//! `Firehose`: a delivery stream of Amazon Data Firehose.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `late`, `need`, `payload`, `ports`, `region`.

use super::{
    Limits, Load, Next, Transport, UnitVerdict, Verdict,
    defaults::{threads, yes},
    values::{now, now_text},
};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    late::Late,
    need::{Need, Target},
    ports::{Answer, Call},
    region::Region,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts events into a delivery stream of Amazon Data Firehose.
///
/// # Delivery
///
/// Each record's own answer counts: what Firehose could not take now is sent again alone, as the time left allows, and what it does not
/// take by then is handed back to the trigger. Delivery is at least once: a record whose answer is lost is there twice. Calls go out at
/// the same time, so events may change their order. A call has up to 500 records and 4 MiB; an event of more than 1,000,000 bytes fails,
/// and its neighbours go on.
///
/// # Unlike Bender
///
/// - Records that Firehose refuses for now are sent again. (Bender does not look at the answer, and loses them.)
/// - A call that fails is repeated and then handed back. (In Bender any exception of AWS loses the batch, and the invocation succeeds.)
/// - An event that is too large fails alone. (In Bender all events behind it are lost.)
/// - No call is larger than Firehose takes. (With `SIMPLE`, Bender's may be.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Firehose {
    /// Name of the delivery stream.
    #[builder(into)]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[a-zA-Z0-9_.-]+$"))]
    pub stream_name: Late<String>,
    /// Region of the delivery stream; by default the function's own.
    #[builder(into)]
    pub region: Option<Late<Region>>,
    /// How events become records.
    #[serde(default)]
    #[builder(default)]
    pub firehose_buffer: FirehoseBuffer,
    /// Whether a line end follows each event.
    #[serde(default = "yes")]
    #[builder(default = yes())]
    pub append_newline: bool,
    /// Calls at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
}

/// How events become records. Firehose bills each record as 5 KiB at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FirehoseBuffer {
    /// Many events in one record of up to 1,000,000 bytes. For destinations that take lines, such as S3.
    #[default]
    Batch,
    /// One event in a record. For destinations that take each record as a document, such as OpenSearch.
    Simple,
}

impl Component for Firehose {
    const NAME: &'static str = "Firehose";
    const EXAMPLE: &'static str = "type: Firehose\nstream_name: <STREAM_NAME>\nfirehose_buffer: BATCH\n";

    fn needs(&self) -> Vec<Need> {
        vec![Need { actions: &["firehose:PutRecordBatch"], on: Target::DeliveryStream(self.stream_name.clone()) }]
    }
}

/// Bender's limit of a record; Firehose's own is 1,024,000.
const RECORD_BYTES: usize = 1_000_000;

impl Transport for Firehose {
    type State = ();

    fn limits(&self) -> Limits {
        Limits {
            event_bytes: RECORD_BYTES,
            unit_bytes: if self.firehose_buffer == FirehoseBuffer::Batch { RECORD_BYTES } else { 0 },
            // Of one call: records, and bytes in all of them.
            units: 500,
            bytes: 4 << 20,
            threads: self.threads.size(),
            by_partition: false,
            ordered: false,
            ..Limits::default()
        }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn tail(&self, (): &mut (), _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        if self.append_newline {
            out.push(b'\n');
        }
        Ok(())
    }

    fn call(&self, (): &mut (), load: &Load<'_>) -> Next {
        Next::Call(Call::PutRecordBatch {
            stream: now(&self.stream_name),
            region: self.region.as_ref().map(now_text),
            records: load.units().collect(),
        })
    }

    fn judge(&self, (): &mut (), _: &Load<'_>, answer: &Answer) -> Verdict {
        match answer {
            Answer::Records(records) if records.iter().all(Option::is_none) => Verdict::Taken,
            Answer::Records(records) => Verdict::Units(records.iter().map(|code| record(code.as_deref())).collect()),
            // Not a matter of the data: handed back when it does not get better.
            Answer::Refused { code, status } => match code.as_str() {
                "InvalidArgumentException" | "ValidationException" | "SerializationException" => {
                    Verdict::TooLarge("Firehose refuses the records")
                }
                "ResourceNotFoundException" => Verdict::Denied("no such delivery stream"),
                code if code.starts_with("AccessDenied") => Verdict::Denied("permission refused"),
                code if code.starts_with("InvalidKMS") => Verdict::Again("the delivery stream's key cannot be used"),
                _ if *status == Some(413) => Verdict::TooLarge("the call was too large"),
                _ => Verdict::Again("Firehose is overloaded"),
            },
            _ => Verdict::Again("no answer"),
        }
    }
}

fn record(code: Option<&str>) -> UnitVerdict {
    match code {
        None => UnitVerdict::Taken,
        Some("ServiceUnavailableException") => UnitVerdict::Again("Firehose is overloaded"),
        Some(_) => UnitVerdict::Again("Firehose failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{call, frame, judge},
    };
    use bytes::Bytes;

    fn config(settings: &str) -> Firehose {
        serde_json::from_str(&format!(r#"{{"stream_name":"s"{settings}}}"#)).unwrap()
    }

    #[test]
    fn events_are_packed_unless_each_is_to_be_a_record() {
        let (batch, simple) = (config("").limits(), config(r#","firehose_buffer":"SIMPLE""#).limits());
        assert_eq!((batch.unit_bytes, batch.units, batch.bytes), (1_000_000, 500, 4_194_304));
        assert_eq!((simple.unit_bytes, simple.units, simple.event_bytes), (0, 500, 1_000_000));
        assert_eq!(frame(&config(""), &mut Facts::default(), "{}").unwrap(), "EVENT\n");
        assert_eq!(frame(&config(r#","append_newline":false"#), &mut Facts::default(), "{}").unwrap(), "EVENT");
    }

    #[test]
    fn each_unit_is_a_record_of_the_call() {
        let records = vec![Bytes::from_static(b"ab"), Bytes::from_static(b"c")];
        let expected = |region: Option<&str>| {
            let (stream, region) = ("s".to_owned(), region.map(str::to_owned));
            Next::Call(Call::PutRecordBatch { stream, region, records: records.clone() })
        };
        assert_eq!(call(&config(""), b"abc", &[2, 3]), expected(None));
        assert_eq!(call(&config(r#","region":"EU_WEST_1""#), b"abc", &[2, 3]), expected(Some("eu-west-1")));
    }

    #[test]
    fn each_record_has_its_own_answer() {
        let codes = vec![None, Some("ServiceUnavailableException".to_owned()), Some("InternalFailure".to_owned())];
        let verdict = Verdict::Units(vec![
            UnitVerdict::Taken,
            UnitVerdict::Again("Firehose is overloaded"),
            UnitVerdict::Again("Firehose failed"),
        ]);
        assert_eq!(judge(&config(""), b"abc", &[1, 2, 3], &Answer::Records(codes)), verdict);
        assert_eq!(judge(&config(""), b"ab", &[1, 2], &Answer::Records(vec![None, None])), Verdict::Taken);
    }

    #[test]
    fn nothing_is_lost_when_the_whole_call_fails() {
        for (code, status) in [("ThrottlingException", 400), ("", 500), ("Odd", 400)] {
            let answer = Answer::Refused { code: code.into(), status: Some(status) };
            assert!(matches!(judge(&config(""), b"a", &[1], &answer), Verdict::Again(_)), "{code}");
        }
        assert!(matches!(judge(&config(""), b"a", &[1], &Answer::Silence("reset".into())), Verdict::Again(_)));
        let denied = Answer::Refused { code: "AccessDeniedException".into(), status: Some(400) };
        assert_eq!(judge(&config(""), b"a", &[1], &denied), Verdict::Denied("permission refused"));
        let answer = Answer::Refused { code: "InvalidArgumentException".into(), status: Some(400) };
        assert!(matches!(judge(&config(""), b"ab", &[1, 2], &answer), Verdict::TooLarge(_)));
    }
}
