//! `BasicWrapper`: an event with its hash and time.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::{Spelling, Wrapper};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
};
use bon::Builder;
use payload::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts an event from any source into an object with these members, in this order:
///
/// | member | content |
/// | --- | --- |
/// | `sha1_hash` | SHA-1 of the event as it was read, before any operation but a split, in hex |
/// | `timestamp` | the event's own time if an operation found one, else its arrival; milliseconds since 1970 |
/// | `payload` | the event |
///
/// The serializer's `field_naming_policy` says how the names are spelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct BasicWrapper {}

impl Component for BasicWrapper {
    const NAME: &'static str = "BasicWrapper";
    const EXAMPLE: &'static str = "type: BasicWrapper\n";
}

/// The names of the members.
#[derive(Debug)]
pub struct Names {
    sha1_hash: Name,
    timestamp: Name,
    payload: Name,
}

impl Wrapper for BasicWrapper {
    type State = Names;

    fn state(&self, _: &BuildCx<'_>, spelling: Spelling<'_>) -> Result<Names, BuildError> {
        Ok(Names {
            sha1_hash: spelling.name("sha1Hash"),
            timestamp: spelling.name("timestamp"),
            payload: spelling.name("payload"),
        })
    }

    fn wrap(&self, names: &mut Names, event: &mut Event<'_>) -> Result<(), Fault> {
        let facts = &*event.facts;
        event.payload.wrap(|envelope| {
            envelope.put(&names.sha1_hash, facts.hash_text());
            envelope.put(&names.timestamp, facts.event_ms());
            envelope.put_payload(&names.payload);
        })?;
        Ok(())
    }

    fn wants_hash(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::wrap};

    #[test]
    fn an_event_gets_its_hash_and_time() {
        let mut facts = Facts { arrival_ms: 5, hash: Some([b'a'; 40]), ..Facts::default() };
        let hash = "a".repeat(40);
        let expected = format!(r#"{{"sha1_hash":"{hash}","timestamp":5,"payload":{{"x":null}}}}"#);
        assert_eq!(wrap(&BasicWrapper {}, &mut facts, r#"{"x":null}"#).unwrap(), expected);
        facts.time_ms = Some(3);
        assert!(wrap(&BasicWrapper {}, &mut facts, "{}").unwrap().contains(r#""timestamp":3,"#));
    }
}
