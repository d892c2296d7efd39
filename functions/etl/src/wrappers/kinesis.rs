//! `KinesisWrapper`: an event with what is known of its Kinesis record.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::{Spelling, Wrapper, put_some};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Context, Event, Facts, Fault, KinesisOrigin, OriginKind, Place},
};
use bon::Builder;
use payload::{Fixed, Name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Puts an event from Kinesis into an object with these members, in this order; what is not known is left out:
///
/// | member | content |
/// | --- | --- |
/// | `partition_key` | the producer's partition key |
/// | `sequence_number` | the record's number in its shard |
/// | `source_arn` | ARN of the stream |
/// | `event_source` | `aws:kinesis` |
/// | `function_name`, `function_version` | of the Lambda function |
/// | `processing_time` | when the invocation began; this and all times are milliseconds since 1970 |
/// | `arrival_time` | when the record came to the stream |
/// | `processing_delay` | `processing_time` less `timestamp` |
/// | `timestamp` | the event's own time if an operation found one, else its arrival |
/// | `payload` | the event |
///
/// The serializer's `field_naming_policy` says how the names are spelled. An event from elsewhere fails, and a config whose handler reads
/// something else is refused.
///
/// # Unlike Bender
///
/// - The events of a split or a fork have the facts of their record. (In Bender nothing of them is delivered.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct KinesisWrapper {}

impl Component for KinesisWrapper {
    const NAME: &'static str = "KinesisWrapper";
    const EXAMPLE: &'static str = "type: KinesisWrapper\n";
}

const KEYS: [&str; 11] = [
    "partitionKey",
    "sequenceNumber",
    "sourceArn",
    "eventSource",
    "functionName",
    "functionVersion",
    "processingTime",
    "arrivalTime",
    "processingDelay",
    "timestamp",
    "payload",
];

/// The names of the members, in order, and those that are the same for many records.
#[derive(Debug)]
pub struct State {
    names: [Name; 11],
    fixed: Fixed,
    /// What `fixed` was made of.
    of: Option<Same>,
}

/// What the records of one stream have in common in one invocation.
#[derive(Debug)]
struct Same {
    stream_arn: Arc<str>,
    event_source: Option<Arc<str>>,
    context: Arc<Context>,
    now_ms: i64,
}

impl Same {
    /// Whether an event has it too. Only what is the very same text is compared so: anything else is made anew.
    fn is_of(&self, facts: &Facts, record: &KinesisOrigin) -> bool {
        let source = match (&self.event_source, &record.event_source) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        let same = Arc::ptr_eq(&self.stream_arn, &record.stream_arn) && Arc::ptr_eq(&self.context, &facts.context);
        source && same && self.now_ms == facts.now_ms
    }
}

impl State {
    /// Makes the members that are the same for all events like this one, unless they are made.
    fn prepare(&mut self, facts: &Facts, record: &KinesisOrigin) -> Result<(), Fault> {
        if self.of.as_ref().is_some_and(|same| same.is_of(facts, record)) {
            return Ok(());
        }
        let [_, _, arn, source, function, version, processing, ..] = &self.names;
        let (context, mut fixed) = (&facts.context, Fixed::default());
        fixed.put(arn, &*record.stream_arn)?;
        for (name, value) in [
            (source, record.event_source.as_deref()),
            (function, context.function_name.as_deref()),
            (version, context.function_version.as_deref()),
        ] {
            if let Some(value) = value {
                fixed.put(name, value)?;
            }
        }
        fixed.put(processing, facts.now_ms)?;
        self.fixed = fixed;
        self.of = Some(Same {
            stream_arn: Arc::clone(&record.stream_arn),
            event_source: record.event_source.clone(),
            context: Arc::clone(context),
            now_ms: facts.now_ms,
        });
        Ok(())
    }
}

impl Wrapper for KinesisWrapper {
    type State = State;

    fn state(&self, _: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<State, BuildError> {
        Ok(State { names: KEYS.map(|key| spelling.name(key)), fixed: Fixed::default(), of: None })
    }

    fn reads(&self) -> Option<Place> {
        Some(Place::Kinesis)
    }

    fn wrap(&self, state: &mut State, event: &mut Event<'_>) -> Result<(), Fault> {
        let facts = &*event.facts;
        let OriginKind::Kinesis(record) = &facts.origin.kind else {
            return Err(Fault::new("the event is not from Kinesis"));
        };
        state.prepare(facts, record)?;
        let [key, number, .., arrival, delay, timestamp, payload] = &state.names;
        event.payload.wrap(|envelope| {
            put_some(envelope, key, record.partition_key.as_deref());
            envelope.put(number, record.sequence_number.as_str());
            envelope.put_fixed(&state.fixed);
            envelope.put(arrival, facts.arrival_ms);
            envelope.put(delay, facts.now_ms.saturating_sub(facts.event_ms()));
            envelope.put(timestamp, facts.event_ms());
            envelope.put_payload(payload);
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Origin, testing::wrap};

    #[test]
    fn an_event_gets_the_facts_of_its_record() {
        let record = KinesisOrigin {
            stream_arn: "arn".into(),
            sequence_number: "12".into(),
            partition_key: Some("pk".into()),
            event_source: Some("aws:kinesis".into()),
            ..KinesisOrigin::default()
        };
        let context =
            Context { function_name: Some("f".into()), function_version: Some("7".into()), ..Context::default() };
        let mut facts = Facts {
            context: context.into(),
            now_ms: 100,
            arrival_ms: 90,
            time_ms: Some(20),
            origin: Origin { kind: OriginKind::Kinesis(record.clone()), ..Origin::default() },
            ..Facts::default()
        };
        assert_eq!(
            wrap(&KinesisWrapper {}, &mut facts, r#"{"a":1}"#).unwrap(),
            r#"{"partition_key":"pk","sequence_number":"12","source_arn":"arn","event_source":"aws:kinesis","function_name":"f","function_version":"7","processing_time":100,"arrival_time":90,"processing_delay":80,"timestamp":20,"payload":{"a":1}}"#
        );
        facts.context = Context::default().into();
        facts.origin.kind = OriginKind::Kinesis(KinesisOrigin { partition_key: None, event_source: None, ..record });
        assert_eq!(
            wrap(&KinesisWrapper {}, &mut facts, "{}").unwrap(),
            r#"{"sequence_number":"12","source_arn":"arn","processing_time":100,"arrival_time":90,"processing_delay":80,"timestamp":20,"payload":{}}"#
        );
    }

    #[test]
    fn an_event_from_elsewhere_fails() {
        assert_eq!(
            wrap(&KinesisWrapper {}, &mut Facts::default(), "{}").unwrap_err().reason,
            "the event is not from Kinesis"
        );
    }
}
