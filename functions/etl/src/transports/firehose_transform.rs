//! `FirehoseTransform`: the answer to the delivery stream that wants its records transformed.
//!
//! Imports: `build`, `component`, `event`, `payload`, `ports`.

use super::{Limits, Load, Next, Transport, Verdict, defaults::yes, done};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    ports::Answer,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Answers the delivery stream that wants its records transformed. Goes with `FirehoseTransformHandler`, and only with it.
///
/// # Delivery
///
/// Events go back in the record that they came in, and are delivered once Firehose has read the answer. The partitions of an event are
/// the record's partition keys, for dynamic partitioning (`!{partitionKeyFromLambda:name}` in the stream's prefix); a partition without a
/// value is left out. All events of a record must have the same ones. Lambda takes an answer of 6 MB, in base64: an event that does not
/// fit into it fails, and its record with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct FirehoseTransform {
    /// Whether a line end follows each event. If not, line ends stand only between the events of one record.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub append_newline: bool,
}

impl Component for FirehoseTransform {
    const NAME: &'static str = "FirehoseTransform";
    const EXAMPLE: &'static str = "type: FirehoseTransform\n";
}

impl Transport for FirehoseTransform {
    type State = ();

    fn limits(&self) -> Limits {
        Limits { event_bytes: usize::MAX, bytes: usize::MAX, into_answer: true, ..Limits::default() }
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

    fn call(&self, (): &mut (), _: &Load<'_>) -> Next {
        Next::Done
    }

    fn judge(&self, (): &mut (), _: &Load<'_>, answer: &Answer) -> Verdict {
        done(answer)
    }
}
