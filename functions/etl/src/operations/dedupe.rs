//! `DedupeOperation`: of equal events, the first.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::{Output, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};
use std::{
    collections::{BTreeSet, VecDeque},
    fmt,
};

/// Drops an event that is equal to one before it in the same invocation.
///
/// Events are equal when the fields say the same, or, without `fields`, when all of the event does: byte for byte and in the same order, as it is
/// at this step. Nothing is remembered from one invocation to the next, so what is delivered again is not dropped, and equal events of
/// different batches both pass. To make OpenSearch keep one of all equal events, use the transport's `document_id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct DedupeOperation {
    /// Paths of the fields that make events equal: `$.eventID`. An event that has none of them passes.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub fields: Vec<String>,
    /// How many different events are remembered, about 50 bytes each. Beyond, the oldest is forgotten, and one equal to it passes.
    #[serde(default = "remember")]
    #[builder(default = remember())]
    pub remember: Bounded<1, 1_000_000>,
}

fn remember() -> Bounded<1, 1_000_000> {
    Bounded::of::<100_000>()
}

impl Component for DedupeOperation {
    const NAME: &'static str = "DedupeOperation";
    const EXAMPLE: &'static str = "type: DedupeOperation\nfields: [$.eventID]\n";
}

/// What was met in this invocation.
#[derive(Default)]
pub struct State {
    fields: Vec<Path>,
    met: BTreeSet<Key>,
    /// In the order of meeting.
    order: VecDeque<Key>,
    text: Output,
}

/// The beginning of a SHA-1: no two events by chance have the same.
type Key = [u8; 16];

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("fields", &self.fields).field("met", &self.met.len()).finish_non_exhaustive()
    }
}

impl Operation for DedupeOperation {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        Ok(State { fields: field::paths(&self.fields)?, ..State::default() })
    }

    fn begin(&self, state: &mut State) {
        state.met.clear();
        state.order.clear();
    }

    fn perform(&self, state: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let Some(key) = state.key(event) else { return Ok(Outcome::Pass) };
        if state.met.contains(&key) {
            return Ok(Outcome::Drop("duplicate"));
        }
        if state.order.len() >= self.remember.size()
            && let Some(oldest) = state.order.pop_front()
        {
            state.met.remove(&oldest);
        }
        state.met.insert(key);
        state.order.push_back(key);
        Ok(Outcome::Pass)
    }
}

impl State {
    fn key(&mut self, event: &Event<'_>) -> Option<Key> {
        self.text.clear();
        let mut found = self.fields.is_empty();
        if found {
            event.payload.write_to(&mut self.text);
        }
        for field in &self.fields {
            if let Some(value) = event.payload.get(field) {
                value.write_to(&mut self.text);
                found = true;
            }
            // No JSON has it, so a field that is missing is told apart from any other.
            self.text.push(0);
        }
        let digest: [u8; 20] = Sha1::digest(&*self.text).into();
        found.then(|| digest.first_chunk().copied()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{cx, document, no_assets, step},
    };
    use proptest::prelude::*;

    fn dedupe(fields: &[&str], remember: u64) -> DedupeOperation {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        DedupeOperation { fields, remember: remember.try_into().unwrap() }
    }

    /// Which events pass.
    fn passing<T: AsRef<str>>(operation: &DedupeOperation, state: &mut State, events: &[T]) -> Vec<bool> {
        let pass = |event: &T| step(operation, state, &mut Facts::default(), event.as_ref()).unwrap().is_ok();
        events.iter().map(pass).collect()
    }

    fn state(operation: &DedupeOperation) -> State {
        operation.state(&cx(&no_assets())).unwrap()
    }

    #[test]
    fn the_first_of_equal_events_passes() {
        let whole = dedupe(&[], 10);
        let events =
            [r#"{"a":1}"#, r#"{"a": 1}"#, r#"{"a":1.0}"#, r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, r#"{"a":1}"#];
        assert_eq!(passing(&whole, &mut state(&whole), &events), [true, false, true, true, true, false]);
        let fields = dedupe(&["$.a.id", "b"], 10);
        let events = [
            r#"{"a":{"id":1},"x":1}"#,
            r#"{"a":{"id":1},"x":2}"#,
            r#"{"a":{"id":1},"b":null}"#,
            r#"{"b":1}"#,
            r#"{"a":{"id":"1"}}"#,
            r#"{"x":1}"#,
            r#"{"x":1}"#,
        ];
        assert_eq!(passing(&fields, &mut state(&fields), &events), [true, false, true, true, true, true, true]);
    }

    #[test]
    fn an_invocation_remembers_nothing_of_the_one_before_it() {
        let operation = dedupe(&[], 10);
        let mut state = state(&operation);
        assert_eq!(passing(&operation, &mut state, &["{}", "{}"]), [true, false]);
        operation.begin(&mut state);
        assert_eq!(passing(&operation, &mut state, &["{}", "{}"]), [true, false]);
    }

    #[test]
    fn at_the_bound_the_oldest_is_forgotten_and_memory_stays() {
        let operation = dedupe(&["id"], 3);
        let mut state = state(&operation);
        let events = [0, 1, 2, 0, 3, 0, 3, 2].map(|id| format!(r#"{{"id":{id}}}"#));
        assert_eq!(passing(&operation, &mut state, &events), [true, true, true, false, true, true, false, false]);
        let many: Vec<_> = (0..10_000).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
        passing(&operation, &mut state, &many);
        assert_eq!((state.met.len(), state.order.len()), (3, 3));
        assert!(state.order.capacity() < 64);
    }

    proptest! {
        /// Of whatever events, each different one passes once.
        #[test]
        fn each_different_event_passes_once(texts in prop::collection::vec(document(), 0..20)) {
            let operation = dedupe(&[], 100);
            let twice = [&texts[..], &texts[..]].concat();
            let passing = passing(&operation, &mut state(&operation), &twice);
            let different: BTreeSet<_> = texts.iter().map(|text| text.replace([' ', '\n'], "")).collect();
            let passed = passing.iter().filter(|&&passes| passes).count();
            prop_assert!(passed >= different.len() && passed <= texts.len());
            prop_assert!(passing[texts.len()..].iter().all(|&passes| !passes));
        }
    }
}
