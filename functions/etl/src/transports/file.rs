//! `File`: a file of the machine.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `late`, `payload`, `ports`.

use super::{Limits, Load, Next, Transport, Verdict, done, values::now};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Context, Event, Fault},
    late::Late,
    ports::{Answer, Call},
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes events to a file, one a line. Each invocation begins the file anew.
///
/// # Delivery
///
/// Events are there in their order once the file system has taken them. A write that fails is made again, which may write a part twice;
/// what cannot be written in time is handed back to the trigger. An invocation that comes again begins the file anew.
///
/// # Unlike Bender
///
/// - All of an invocation stays in the file. (In Bender each buffer that is sent begins the file anew, so that only the last one stays.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Path of the file.
    #[builder(into)]
    pub filename: Late<String>,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    pub threads: Option<Bounded<1, 256>>,
}

impl Component for File {
    const NAME: &'static str = "File";
    const EXAMPLE: &'static str = "type: File\nfilename: /tmp/events.ndjson\n";
}

impl Transport for File {
    /// Whether something was written to the file in this invocation.
    type State = bool;

    fn limits(&self) -> Limits {
        Limits { event_bytes: usize::MAX, bytes: usize::MAX, by_partition: false, ..Limits::default() }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<bool, BuildError> {
        Ok(false)
    }

    fn begin(&self, begun: &mut bool, _: &Context) {
        *begun = false;
    }

    fn tail(&self, _: &mut bool, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, begun: &mut bool, load: &Load<'_>) -> Next {
        let truncate = !std::mem::replace(begun, true);
        Next::Call(Call::Append { path: now(&self.filename), truncate, body: load.bytes.clone() })
    }

    fn judge(&self, _: &mut bool, _: &Load<'_>, answer: &Answer) -> Verdict {
        done(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::loads;

    #[test]
    fn an_invocation_begins_the_file_anew_and_then_appends() {
        let file = File::builder().filename("f").build();
        let truncates = |next: &Next| match next {
            Next::Call(Call::Append { path, truncate, .. }) if path == "f" => *truncate,
            other => panic!("{other:?}"),
        };
        let twice = || loads(&file, &[b"a\n", b"b\n"]);
        assert_eq!(twice().iter().map(truncates).collect::<Vec<_>>(), [true, false]);
    }
}
