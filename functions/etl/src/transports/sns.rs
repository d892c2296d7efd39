//! `SNS`: a topic of Amazon SNS.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `late`, `need`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    defaults::threads,
    messages::{self, Fifo, judge, of_load},
    values::now,
};
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    late::Late,
    need::{Need, Target},
    ports::{Answer, Call},
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Publishes events to a topic of Amazon SNS, each as a message.
///
/// # Delivery
///
/// Each message's own answer counts: what the topic could not take now is sent again alone, and what it will never take fails as an
/// event. A call has up to 10 messages of 256 KiB together; an event of more than that fails. Delivery is at least once: a message whose
/// answer is lost is published again.
///
/// If the name of the topic ends in `.fifo`, messages have a group, and a deduplication id made of where the event was read: an event
/// that is delivered twice within five minutes is there once. Batches then go one after the other; when SNS takes a part of a batch, the
/// rest comes behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SNS {
    /// ARN of the topic; its region is in it.
    #[builder(into)]
    #[schemars(extend("format" = "arn"))]
    pub topic_arn: Late<String>,
    /// Of a FIFO topic: the path of what groups messages, such as `$.user.id`; order is kept within a group. By default, and where there is
    /// nothing at the path, it is the shard or object that the event came from.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub message_group_id: Option<String>,
    /// Calls at the same time; with a FIFO topic it is one.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
}

impl Component for SNS {
    const NAME: &'static str = "SNS";
    const EXAMPLE: &'static str = "type: SNS\ntopic_arn: <TOPIC_ARN>\n";

    fn needs(&self) -> Vec<Need> {
        vec![Need { actions: &["sns:Publish"], on: Target::Topic(self.topic_arn.clone()) }]
    }
}

/// Of a call, and so of a message.
const CALL_BYTES: usize = 256 << 10;

impl Transport for SNS {
    type State = Option<Fifo>;

    fn limits(&self) -> Limits {
        messages::limits(&now(&self.topic_arn), CALL_BYTES, self.threads)
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Option<Fifo>, BuildError> {
        Fifo::of(&now(&self.topic_arn), self.message_group_id.as_deref())
    }

    fn head(&self, fifo: &mut Option<Fifo>, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        Fifo::head(fifo.as_ref(), event, out);
        Ok(())
    }

    fn call(&self, fifo: &mut Option<Fifo>, load: &Load<'_>) -> Next {
        Next::Call(Call::PublishBatch { topic_arn: now(&self.topic_arn), messages: of_load(fifo.as_ref(), load) })
    }

    fn judge(&self, _: &mut Option<Fifo>, _: &Load<'_>, answer: &Answer) -> Verdict {
        judge(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::call;

    #[test]
    fn ten_events_and_256_kib_are_a_call() {
        let config = |topic: &str| -> SNS {
            serde_json::from_str(&format!(r#"{{"topic_arn":"arn:aws:sns:eu-west-1:111122223333:{topic}"}}"#)).unwrap()
        };
        let limits = config("t").limits();
        assert_eq!((limits.units, limits.bytes, limits.threads, limits.ordered), (10, 262_144, 5, false));
        let Next::Call(Call::PublishBatch { messages, .. }) = call(&config("t"), b"ab", &[1, 2]) else {
            panic!("a batch")
        };
        assert_eq!((messages.len(), &messages[0].fifo), (2, &None));
        let limits = config("t.fifo").limits();
        assert_eq!((limits.threads, limits.ordered), (1, true));
    }
}
