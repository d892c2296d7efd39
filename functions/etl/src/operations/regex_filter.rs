//! `RegexFilterOperation`: events whose field matches, or those whose field does not.
//!
//! Imports: `build`, `component`, `event`, `field`, `pattern`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
    pattern::WholePattern,
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops events by what stands in a field.
///
/// The expression must match the whole text of the field. A number, true and false are matched as they are written, an object or array as
/// compact JSON, and so is the list of all that a path finds which may lead to several fields. A field that is missing or null does not match.
///
/// # Unlike Bender
///
/// - Its time and its events are counted as those of other operations are. (Bender's `timing.ns` of a filter is nonsense, and its
///   `success.count` zero.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct RegexFilterOperation {
    /// The expression, as Java reads it.
    pub regex: WholePattern,
    /// Path of the field: `$.level`.
    #[builder(into)]
    #[schemars(extend("format" = "json-path"))]
    pub path: String,
    /// Whether the events that match are dropped; if not, all others are.
    #[serde(default = "yes")]
    #[builder(default = yes())]
    pub exclude: bool,
}

fn yes() -> bool {
    true
}

impl Component for RegexFilterOperation {
    const NAME: &'static str = "RegexFilterOperation";
    const EXAMPLE: &'static str = "type: RegexFilterOperation\nregex: debug|trace\npath: $.level\n";
}

impl Operation for RegexFilterOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        field::source(&self.path)
    }

    fn perform(&self, path: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let matches = match field::text(&event.payload, path) {
            Some(text) => self.regex.is_match(text.as_bytes()),
            None => Ok(false),
        };
        match matches {
            Ok(matches) if matches == self.exclude => Ok(Outcome::Drop("filtered")),
            Ok(_) => Ok(Outcome::Pass),
            Err(_) => Err(Fault::new("the regular expression takes too many steps on the field")),
        }
    }

    fn is_filter(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::perform};

    fn passes(exclude: bool, event: &str) -> bool {
        let regex = WholePattern::new("debug").unwrap();
        let operation = RegexFilterOperation::builder().regex(regex).path("$.level").exclude(exclude).build();
        perform(&operation, &mut Facts::default(), event).unwrap().is_ok()
    }

    #[test]
    fn events_that_match_as_a_whole_are_dropped_or_kept() {
        let all =
            [r#"{"level":"debug"}"#, r#"{"level":"debug2"}"#, r#"{"level":null}"#, "{}", r#"{"level":{"a":"debug"}}"#];
        assert_eq!(all.map(|event| passes(true, event)), [false, true, true, true, true]);
        assert_eq!(all.map(|event| passes(false, event)), [true, false, false, false, false]);
    }
}
