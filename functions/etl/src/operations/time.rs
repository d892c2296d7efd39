//! `TimeOperation`: the event's own time.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`, `time`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
    time::{
        epoch::{self, Unit},
        iso8601,
    },
};
use bon::Builder;
use payload::{Kind, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes the event's time from a field: wrappers write it as `timestamp`, and transports choose an index by it.
///
/// The event itself stays as it is. An event without the field, or whose field is no time, fails.
///
/// # Unlike Bender
///
/// - A text that is no time fails its event. (In Bender it loses the event and all behind it, without a word.)
/// - Nanoseconds are read. (Bender overflows to the year 2262.)
/// - A time without an offset is UTC. (Bender takes the machine's zone.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct TimeOperation {
    /// Path of the field: `$.eventTime`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub time_field: String,
    /// How the field writes its time.
    pub time_field_type: TimeFieldType,
}

/// How a field writes a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TimeFieldType {
    /// A number of seconds since 1970, or a text of one; its fraction counts. As the digits before the point say what a number counts (10:
    /// seconds, 13: milliseconds, 16: microseconds, 19: nanoseconds), other units are read too; a number with other than 10, 13, 16 or 19
    /// digits fails. (Bender overflows at 19 digits: mended.)
    Seconds,
    /// The same, but a fraction is cut off.
    Milliseconds,
    /// A text such as `2026-11-23T10:30:05.123Z`, `2026-11-23T10:30+02:00`, `2026-11-23`, `2026-W48-1`, `2026-327`. UTC when no offset is
    /// given (Bender takes the machine's zone: a defect, mended). Times before 2001-09-09 fail, as they have no 13 digits as milliseconds.
    Iso8601,
}

impl Component for TimeOperation {
    const NAME: &'static str = "TimeOperation";
    const EXAMPLE: &'static str = "type: TimeOperation\ntime_field: $.eventTime\ntime_field_type: ISO8601\n";
}

impl Operation for TimeOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        field::path(&self.time_field)
    }

    fn perform(&self, field: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let value = event.payload.get(field).filter(|value| !value.is_null());
        let value = value.ok_or(Fault::new("time_field is missing"))?;
        let text = match value.kind() {
            Kind::String => value.as_str().unwrap_or_default(),
            _ => value.number_text().unwrap_or_default().into(),
        };
        let ms = match self.time_field_type {
            TimeFieldType::Seconds => epoch::read(&text, Unit::Seconds),
            TimeFieldType::Milliseconds => epoch::read(&text, Unit::Milliseconds),
            TimeFieldType::Iso8601 => {
                iso8601::read(&text).filter(|ms| (1_000_000_000_000..10_000_000_000_000).contains(ms))
            }
        };
        event.facts.time_ms = Some(ms.ok_or(Fault::new("time_field is not a time of its type"))?);
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{assert_becomes, assert_fails, perform},
    };

    fn time(field: &str, kind: TimeFieldType) -> TimeOperation {
        TimeOperation::builder().time_field(field).time_field_type(kind).build()
    }

    #[test]
    fn the_event_gets_its_time_and_stays_as_it_is() {
        let mut facts = Facts::default();
        let text = r#"{"a":{"t":"2020-05-04T10:45:01.480Z"}}"#;
        perform(&time("$.a.t", TimeFieldType::Iso8601), &mut facts, text).unwrap().unwrap();
        assert_eq!(facts.event_ms(), 1_588_589_101_480);
        assert_becomes(&time("a.t", TimeFieldType::Iso8601), text, text);
    }

    #[test]
    fn an_event_whose_field_is_no_time_fails_alone() {
        for text in [
            r#"{"t":"abc"}"#,
            r#"{"t":""}"#,
            r#"{"t":{"a":1}}"#,
            r#"{"t":[1700000003]}"#,
            r#"{"t":true}"#,
            r#"{"t":17}"#,
        ] {
            assert_fails(&time("t", TimeFieldType::Seconds), text, "time_field is not a time of its type");
        }
        assert_fails(
            &time("t", TimeFieldType::Iso8601),
            r#"{"t":"1999-01-01T00:00:00Z"}"#,
            "time_field is not a time of its type",
        );
        assert_fails(&time("t", TimeFieldType::Seconds), r#"{"t":null}"#, "time_field is missing");
        assert_fails(&time("t", TimeFieldType::Seconds), "{}", "time_field is missing");
    }
}
