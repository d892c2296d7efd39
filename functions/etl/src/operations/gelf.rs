//! `GelfOperation`: an event as Graylog reads it.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::{Change, Collision, Flattener, New, Path, Reach, Rewriter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes an event of the Graylog Extended Log Format, version 1.1: flat, with the format's own fields, and all others behind a `_`.
///
/// Each setting lists paths, of which the first counts that is neither missing nor null; what it finds is copied to the field of the format,
/// and stays where it was. Then everything nested is brought to the top as `FlattenOperation` does it (`a.b`, `list.1`), and every name that
/// is not one of the format gets a `_` before it. Without a `timestamp`, the event's time becomes it: seconds since 1970, with milliseconds
/// as decimal places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct GelfOperation {
    /// Paths of `host`, the name of what sent the event. An event without it fails.
    #[schemars(length(min = 1), extend("items" = { "type": "string", "format": "path" }))]
    pub src_host_field: Vec<String>,
    /// Paths of `short_message`. An event without it fails.
    #[schemars(length(min = 1), extend("items" = { "type": "string", "format": "path" }))]
    pub src_short_message_field: Vec<String>,
    /// Paths of `full_message`.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_full_message_field: Vec<String>,
    /// Paths of `timestamp`, in seconds since 1970. It is copied as it is.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_timestamp_field: Vec<String>,
    /// Paths of `level`, a number of syslog's.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_level_field: Vec<String>,
    /// Paths of `facility`.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_facility_field: Vec<String>,
    /// Paths of `line`, the line of the source file.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_line_number_field: Vec<String>,
    /// Paths of `file`, the source file.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "path" }))]
    pub src_file_field: Vec<String>,
}

/// The fields of the format.
const FIELDS: [&str; 9] =
    ["version", "host", "short_message", "full_message", "timestamp", "level", "facility", "line", "file"];

impl Component for GelfOperation {
    const NAME: &'static str = "GelfOperation";
    const EXAMPLE: &'static str = "type: GelfOperation\nsrc_host_field: [$.host, $.hostname]\nsrc_short_message_field: [$.message]\n\
                                   src_level_field: [$.severity]\n";
}

/// What the operation works with.
#[derive(Debug)]
pub struct Gelf {
    copies: Vec<Copy>,
    version: Path,
    timestamp: Path,
    flattener: Flattener,
    prefix: Rewriter,
}

/// A field of the format, and where it is copied from.
#[derive(Debug)]
struct Copy {
    to: Path,
    from: Vec<Path>,
    missing: Option<Fault>,
}

impl Operation for GelfOperation {
    type State = Gelf;

    fn state(&self, _: &BuildCx<'_>) -> Result<Gelf, BuildError> {
        let copy = |to: &str, from: &[String], missing: Option<&'static str>| {
            Ok(Copy { to: Path::member(to), from: field::paths(from)?, missing: missing.map(Fault::new) })
        };
        let copies = vec![
            copy("host", &self.src_host_field, Some("there is no field for `host`"))?,
            copy("short_message", &self.src_short_message_field, Some("there is no field for `short_message`"))?,
            copy("full_message", &self.src_full_message_field, None)?,
            copy("timestamp", &self.src_timestamp_field, None)?,
            copy("level", &self.src_level_field, None)?,
            copy("facility", &self.src_facility_field, None)?,
            copy("line", &self.src_line_number_field, None)?,
            copy("file", &self.src_file_field, None)?,
        ];
        let prefix = Rewriter::new(Reach::Objects, |name, _| {
            if FIELDS.contains(&name) { Change::Keep } else { Change::Rename(format!("_{name}")) }
        });
        Ok(Gelf {
            copies,
            version: Path::member("version"),
            timestamp: Path::member("timestamp"),
            flattener: Flattener::new(".").on_collision(Collision::LastWins),
            prefix,
        })
    }

    fn perform(&self, gelf: &mut Gelf, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let Event { payload, facts } = event;
        payload.set(&gelf.version, "1.1")?;
        for copy in &gelf.copies {
            match (field::first(payload, &copy.from), copy.missing) {
                (Some(from), _) => payload.copy_value(from, &copy.to)?,
                (None, Some(fault)) => return Err(fault),
                (None, None) => {}
            }
        }
        payload.flatten(&mut gelf.flattener)?;
        payload.rewrite(&mut gelf.prefix)?;
        // An event that was never given a time has one from 1970.
        if payload.get(&gelf.timestamp).is_none_or(payload::Value::is_null) && facts.event_ms() > 1 {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit for 285,000 years")]
            let seconds = facts.event_ms() as f64 / 1000.0;
            payload.set(&gelf.timestamp, New::Float(seconds))?;
        }
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{assert_fails, json, perform},
    };

    fn gelf() -> GelfOperation {
        serde_json::from_str(r#"{"src_host_field":["$.host"],"src_short_message_field":["$.msg","$.message"],"src_line_number_field":["ln"]}"#)
            .unwrap()
    }

    #[test]
    fn fields_of_the_format_are_copied_and_all_others_get_an_underscore() {
        let mut facts = Facts { time_ms: Some(1_522_686_301_055), ..Facts::default() };
        let text = r#"{"host":"h","message":"alt","x":{"y":[1,2.50]},"_id":5,"ln":7,"msg":null}"#;
        let expected = r#"{"host":"h","_message":"alt","_x.y.1":1,"_x.y.2":2.50,"__id":5,"_ln":7,"_msg":null,
            "version":"1.1","short_message":"alt","line":7,"timestamp":1522686301.055}"#;
        assert_eq!(json(&perform(&gelf(), &mut facts, text).unwrap().unwrap()), json(expected));
    }

    #[test]
    fn a_timestamp_of_the_events_own_stays() {
        let mut facts = Facts { time_ms: Some(1_522_686_301_055), ..Facts::default() };
        let text = r#"{"host":"h","msg":"m","timestamp":1700000000.50,"version":"9"}"#;
        let expected = r#"{"host":"h","_msg":"m","timestamp":1700000000.50,"version":"1.1","short_message":"m"}"#;
        assert_eq!(perform(&gelf(), &mut facts, text), Ok(Ok(expected.to_owned())));
    }

    #[test]
    fn an_event_without_host_or_message_fails() {
        assert_fails(&gelf(), r#"{"host":"h"}"#, "there is no field for `short_message`");
        assert_fails(&gelf(), r#"{"msg":"m","host":null}"#, "there is no field for `host`");
    }
}
