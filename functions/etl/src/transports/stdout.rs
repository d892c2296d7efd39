//! `Stdout`: standard output.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `payload`, `ports`.

use super::{Limits, Load, Next, Transport, Verdict, done};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    ports::{Answer, Call},
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes events to standard output, one a line. In a Lambda function that is its log group.
///
/// # Delivery
///
/// An event is delivered once it is written, in its order. An invocation that comes again writes again what it had written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Stdout {
    /// Taken for the sake of old configs; has no effect, as in Bender.
    pub threads: Option<Bounded<1, 256>>,
}

impl Component for Stdout {
    const NAME: &'static str = "Stdout";
    const EXAMPLE: &'static str = "type: Stdout\n";
}

impl Transport for Stdout {
    type State = ();

    fn limits(&self) -> Limits {
        // Large enough for any line that can be read.
        Limits { event_bytes: usize::MAX, bytes: usize::MAX, by_partition: false, ..Limits::default() }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn tail(&self, (): &mut (), _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, (): &mut (), load: &Load<'_>) -> Next {
        Next::Call(Call::Stdout(load.bytes.clone()))
    }

    fn judge(&self, (): &mut (), _: &Load<'_>, answer: &Answer) -> Verdict {
        done(answer)
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

    #[test]
    fn each_event_is_a_line() {
        assert_eq!(frame(&Stdout::default(), &mut Facts::default(), "{}").unwrap(), "EVENT\n");
        let lines = Next::Call(Call::Stdout(Bytes::from_static(b"a\nb\n")));
        assert_eq!(call(&Stdout::default(), b"a\nb\n", &[2, 4]), lines);
        assert_eq!(judge(&Stdout::default(), b"a\n", &[2], &Answer::Done(None)), Verdict::Taken);
    }
}
