//! A transport that writes to stdout, one serialized event a line, and refuses what the config's own would refuse.
//!
//! What stands around an event for the far side (a bulk action, a record's end) is made, so that its faults are the
//! same, and left out.

use std::sync::Arc;
use std::time::Duration;

use etl::build::{BuildCx, BuildError};
use etl::component::Settings;
use etl::config::TransportConfig;
use etl::event::{Context, Event, Fault};
use etl::need::Need;
use etl::ports::{Answer, Call};
use etl::transports::{BuildTransport, Limits, Load, Next, Partition, RunTransport, Verdict};
use payload::Output;
use serde_json::Value;

/// The transport of a config, with stdout in the place of its far side.
pub fn to_stdout(transport: TransportConfig) -> TransportConfig {
    TransportConfig::new(Arc::new(Lines { of: transport }))
}

/// No `Component`, as no config can name it: it stands around one that a config does name.
#[derive(Debug)]
struct Lines {
    of: TransportConfig,
}

impl Settings for Lines {
    fn name(&self) -> &'static str {
        self.of.name()
    }

    fn raw_json(&self) -> Value {
        self.of.to_json()
    }

    fn all_needs(&self) -> Vec<Need> {
        self.of.needs()
    }
}

impl BuildTransport for Lines {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Box<dyn RunTransport>, BuildError> {
        Ok(Box::new(Running { of: self.of.build(cx)?, around: Output::new() }))
    }

    fn is_answer(&self) -> bool {
        self.of.is_answer()
    }
}

#[derive(Debug)]
struct Running {
    of: Box<dyn RunTransport>,
    /// What would stand around the event.
    around: Output,
}

impl RunTransport for Running {
    fn limits(&self) -> Limits {
        // As large events as the far side takes; each goes on its way soon, so that a reader of stdout need not wait.
        let Limits { event_bytes, .. } = self.of.limits();
        Limits {
            event_bytes,
            bytes: 1 << 16,
            units: 1_000,
            by_partition: false,
            retry_delay: Duration::ZERO,
            ..Limits::default()
        }
    }

    fn begin(&mut self, context: &Context) {
        self.of.begin(context);
    }

    fn head(&mut self, event: &Event<'_>, _out: &mut Output) -> Result<(), Fault> {
        self.around.clear();
        self.of.head(event, &mut self.around)
    }

    fn tail(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        self.of.tail(event, &mut self.around)?;
        out.push(b'\n');
        Ok(())
    }

    fn call(&mut self, load: &Load<'_>) -> Next {
        Next::Call(Call::Stdout(load.bytes.clone()))
    }

    fn judge(&mut self, _load: &Load<'_>, answer: &Answer) -> Verdict {
        if matches!(answer, Answer::Done(_)) { Verdict::Taken } else { Verdict::Refused("stdout takes no more") }
    }

    fn abandon(&mut self, _partition: &Partition) -> Option<Call> {
        None
    }

    fn kept(&self, _partition: &Partition) -> usize {
        0
    }

    fn wants_hash(&self) -> bool {
        self.of.wants_hash()
    }
}
