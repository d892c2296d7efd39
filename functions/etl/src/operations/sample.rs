//! `SampleOperation`: some events of many.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome, hash_text, sha1_hex},
    field,
};
use bon::Builder;
use payload::{Output, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps a part of the events and drops the others.
///
/// Which ones is decided by a hash (the first 8 bytes of SHA-1), not by chance: the same event is kept or dropped however often it is
/// delivered, and all events that agree in `field` are kept or dropped together, in every function that samples alike. It is a filter, so it
/// may be a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SampleOperation {
    /// How many are kept of every `of`, on average.
    #[serde(default = "one")]
    #[builder(default = one())]
    pub keep: Bounded<1, 1_000_000_000>,
    /// Of how many.
    pub of: Bounded<2, 1_000_000_000>,
    /// Path of the field whose value decides: `$.traceId`. An event without it is kept. Without this setting the text of the event decides,
    /// as it was received, so equal events share their fate.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub field: Option<String>,
}

fn one() -> Bounded<1, 1_000_000_000> {
    Bounded::of::<1>()
}

impl Component for SampleOperation {
    const NAME: &'static str = "SampleOperation";
    const EXAMPLE: &'static str = "type: SampleOperation\nof: 100\nfield: $.traceId\n";

    fn check(&self) -> Vec<Mistake> {
        let mistake = || {
            let message = format!("{} of {} is all of them", self.keep, self.of);
            Mistake::new("keep", message).help("give a number that is smaller than `of`")
        };
        (self.keep.get() >= self.of.get()).then(mistake).into_iter().collect()
    }
}

impl Operation for SampleOperation {
    type State = Option<Path>;

    fn state(&self, _: &BuildCx<'_>) -> Result<Option<Path>, BuildError> {
        self.field.as_deref().map(field::path).transpose()
    }

    fn perform(&self, field: &mut Option<Path>, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let hash = match (field, event.facts.hash) {
            (Some(path), _) => match field::text(&event.payload, path) {
                Some(text) => sha1_hex(text.as_bytes()),
                None => return Ok(Outcome::Pass),
            },
            (None, Some(hash)) => hash,
            (None, None) => {
                let mut text = Output::new();
                event.payload.write_to(&mut text);
                sha1_hex(&text)
            }
        };
        let number = hash_text(&hash).get(..16).and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let kept = number.unwrap_or_default() % self.of.get() < self.keep.get();
        Ok(if kept { Outcome::Pass } else { Outcome::Drop("sampled out") })
    }

    fn wants_hash(&self) -> bool {
        self.field.is_none()
    }

    fn is_filter(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::perform};

    fn sample(keep: u64, of: u64, field: Option<&str>) -> SampleOperation {
        SampleOperation { keep: keep.try_into().unwrap(), of: of.try_into().unwrap(), field: field.map(str::to_owned) }
    }

    fn kept(operation: &SampleOperation, text: &str) -> bool {
        let text_before = text.to_owned();
        match perform(operation, &mut Facts::default(), text).unwrap() {
            Ok(after) => after == text_before,
            Err(reason) => {
                assert_eq!(reason, "sampled out");
                false
            }
        }
    }

    #[test]
    fn about_so_many_are_kept_and_always_the_same() {
        for (keep, of) in [(1, 10), (3, 4), (1, 1000)] {
            for field in [None, Some("$.id")] {
                let operation = sample(keep, of, field);
                let kept =
                    || (0..4_000).filter(|id| kept(&operation, &format!(r#"{{"id":{id}}}"#))).collect::<Vec<_>>();
                let ids = kept();
                let expected = 4_000 * keep / of;
                assert!(
                    ids.len().abs_diff(usize::try_from(expected).unwrap()) < 20 + 4_000 / 50,
                    "{} of {expected}",
                    ids.len()
                );
                assert_eq!(ids, kept());
            }
        }
    }

    #[test]
    fn events_that_agree_in_the_field_share_their_fate_and_those_without_it_are_kept() {
        let operation = sample(1, 50, Some("$.id"));
        for id in 0..200 {
            let fates = [
                kept(&operation, &format!(r#"{{"id":"{id}","n":1}}"#)),
                kept(&operation, &format!(r#"{{"n":2,"id":"{id}"}}"#)),
                kept(&operation, &format!(r#"{{"id":{id}}}"#)),
            ];
            assert!(fates == [true; 3] || fates == [false; 3], "{id}");
        }
        assert!(kept(&operation, r#"{"id":null}"#) && kept(&operation, "{}"));
    }

    #[test]
    fn the_texts_hash_decides_when_there_is_one() {
        let operation = sample(1, 2, None);
        let fate = |hash| {
            let facts = &mut Facts { hash: Some(hash), ..Facts::default() };
            perform(&operation, facts, r#"{"id":1}"#).unwrap().is_ok()
        };
        assert!(fate([b'0'; 40]));
        assert!(!fate(*b"0000000000000001000000000000000000000000"));
    }

    #[test]
    fn to_keep_all_is_refused() {
        assert_eq!([(1, 2), (2, 2), (3, 2)].map(|(keep, of)| sample(keep, of, None).check().len()), [0, 1, 1]);
    }
}
