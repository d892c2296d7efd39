//! Calls that tell of an invocation: reports, and the notice of a failure. That one is not taken is logged and changes nothing.
//!
//! Imports: `ports`.

use super::Run;
use crate::ports::{Answer, Call, Level};
use std::{sync::mpsc::channel, time::Duration};

/// SNS takes 256 KiB.
const MAX_NOTICE: usize = 256 << 10;
/// How long they may take when there is no deadline; otherwise half of what is left.
const UNHURRIED: Duration = Duration::from_secs(10);

impl Run<'_> {
    /// Tells the topic which objects could not be worked on.
    pub(super) fn notice(&self, keys: &[&str]) {
        let handler = &self.pipeline.handler;
        let Some(topic) = handler.failure_topic().filter(|_| !keys.is_empty()) else { return };
        let mut message = keys.join(",");
        while message.len() > MAX_NOTICE {
            message.truncate(message.rfind(',').unwrap_or_default());
        }
        let subject = format!("{} Failed", handler.name());
        self.tell(vec![Call::Publish { topic_arn: topic.to_owned(), subject, message }]);
    }

    /// Makes calls whose failure is logged and changes nothing.
    pub(super) fn tell(&self, calls: Vec<Call>) {
        let ports = &self.pipeline.ports;
        let left = || self.deadline.map(|deadline| deadline.saturating_sub(ports.clock.monotonic()) / 2);
        let (answers, arrived) = channel();
        let count = calls.len();
        for (ticket, call) in (0..).zip(calls) {
            ports.calls.start(ticket, call, left().unwrap_or(UNHURRIED), &answers);
        }
        drop(answers);
        for _ in 0..count {
            match arrived.recv_timeout(left().unwrap_or(UNHURRIED)) {
                Ok((_, Answer::Done(_))) => {}
                other => {
                    let why = other.map_or_else(|_| "no answer in time".to_owned(), |(_, answer)| describe(&answer));
                    self.log(Level::Warn, "a report or notice was not taken", &[("why", &why)]);
                }
            }
        }
    }
}

fn describe(answer: &Answer) -> String {
    match answer {
        Answer::Http { status, .. } => format!("HTTP status {status}"),
        Answer::Refused { code, .. } => code.clone(),
        Answer::Silence(why) => why.clone(),
        Answer::Records(_) | Answer::Secret { .. } | Answer::Worked(_) | Answer::Done(_) => {
            "an answer of another kind".to_owned()
        }
    }
}
