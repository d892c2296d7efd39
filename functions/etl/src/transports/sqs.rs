//! `SQS`: a queue of Amazon SQS.
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

/// Sends events to a queue of Amazon SQS, each as a message.
///
/// # Delivery
///
/// Each message's own answer counts: what the queue could not take now is sent again alone, and what it will never take (characters that
/// SQS does not know) fails as an event. A call has up to 10 messages of 1 MiB together; an event of more than 1 MiB fails, as does one
/// of more than the queue itself allows. Delivery is at least once: a message whose answer is lost is sent again.
///
/// If the name of the queue ends in `.fifo`, messages have a group, and a deduplication id made of where the event was read: an event
/// that is delivered twice within five minutes is there once. Batches then go one after the other; when SQS takes a part of a batch, the
/// rest comes behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SQS {
    /// URL of the queue; its region is in it.
    #[builder(into)]
    pub queue_url: Late<String>,
    /// Of a FIFO queue: the path of what groups messages, such as `$.user.id`; order is kept within a group. By default, and where there is
    /// nothing at the path, it is the shard or object that the event came from.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub message_group_id: Option<String>,
    /// Calls at the same time; with a FIFO queue it is one.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
}

impl Component for SQS {
    const NAME: &'static str = "SQS";
    const EXAMPLE: &'static str = "type: SQS\nqueue_url: <QUEUE_URL>\n";

    fn needs(&self) -> Vec<Need> {
        vec![Need { actions: &["sqs:SendMessage"], on: Target::Queue(self.queue_url.clone()) }]
    }
}

/// Of a call, and so of a message.
const CALL_BYTES: usize = 1 << 20;

impl Transport for SQS {
    type State = Option<Fifo>;

    fn limits(&self) -> Limits {
        messages::limits(&now(&self.queue_url), CALL_BYTES, self.threads)
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Option<Fifo>, BuildError> {
        Fifo::of(&now(&self.queue_url), self.message_group_id.as_deref())
    }

    fn head(&self, fifo: &mut Option<Fifo>, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        Fifo::head(fifo.as_ref(), event, out);
        Ok(())
    }

    fn call(&self, fifo: &mut Option<Fifo>, load: &Load<'_>) -> Next {
        let messages = of_load(fifo.as_ref(), load);
        Next::Call(Call::SendMessageBatch { queue_url: now(&self.queue_url), messages })
    }

    fn judge(&self, _: &mut Option<Fifo>, _: &Load<'_>, answer: &Answer) -> Verdict {
        judge(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::{Facts, KinesisOrigin, Origin, OriginKind},
        ports::Message,
        testing::{call, frame},
    };
    use bytes::Bytes;

    fn config(queue: &str, settings: &str) -> SQS {
        serde_json::from_str(&format!(r#"{{"queue_url":"https://sqs.eu-west-1.amazonaws.com/1/{queue}"{settings}}}"#))
            .unwrap()
    }

    #[test]
    fn a_plain_queue_gets_the_events_as_they_are() {
        let Next::Call(Call::SendMessageBatch { messages, .. }) = call(&config("q", ""), b"ab", &[1, 2]) else {
            panic!("a batch")
        };
        let plain = |body: &str| Message { body: body.to_owned(), fifo: None };
        assert_eq!(messages, [plain("a"), plain("b")]);
        assert!(!config("q", "").limits().ordered);
    }

    #[test]
    fn a_message_of_a_fifo_queue_has_a_group_and_an_id_that_a_second_delivery_shares() {
        let config = config("q.fifo", r#","message_group_id":"$.user""#);
        let message = |event: &str, number: &str| {
            let record =
                KinesisOrigin { shard_id: "shard-1".into(), sequence_number: number.into(), ..Default::default() };
            let origin = Origin { kind: OriginKind::Kinesis(record), ..Origin::default() };
            let framed = frame(&config, &mut Facts { origin, ..Facts::default() }, event).unwrap();
            let bytes = Bytes::from(framed);
            let load = Load { partition: &[], bytes: &bytes, packed: &bytes, ends: &[bytes.len()], last: true };
            let fifo = Fifo::of("q.fifo", None).unwrap().unwrap();
            of_load(Some(&fifo), &load).remove(0)
        };
        let (group, id) = message(r#"{"user":"u"}"#, "1").fifo.unwrap();
        assert_eq!((group.as_str(), id.len()), ("u", 40));
        assert_eq!(message(r#"{"user":"u"}"#, "1").fifo.unwrap().1, id);
        assert_ne!(message(r#"{"user":"u"}"#, "2").fifo.unwrap().1, id);
        assert_eq!(message("{}", "1").fifo.unwrap().0, "shard-1");
        assert_eq!(message(r#"{"user":"with a blank"}"#, "1").fifo.unwrap().0.len(), 40);
        assert_eq!(message("{}", "1").body, "EVENT");
        assert!(config.limits().ordered);
    }
}
