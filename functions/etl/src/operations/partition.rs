//! `PartitionOperation`: what events are sorted by.
//!
//! Imports: `bounded`, `build`, `component`, `event`, `field`, `payload`, `time`.

use super::Operation;
use crate::{
    bounded::Bounded,
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    time::{
        epoch::{self, Unit},
        java::JavaTime,
    },
};
use bon::Builder;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Sorts events into partitions: `S3` writes an object for each, and `ElasticSearch` may choose a shard by them.
///
/// An event's partitions are these, in this order, in place of any that it had; `__shardid__` or `__filename__` of the handler comes behind.
///
/// # Unlike Bender
///
/// - The settings of a partition may stand in any order. (In Bender a `format` before its `interpreter` fails on every event.)
/// - `seconds_to_round` brings a time down. (Bender goes to the nearest, though it says down.)
/// - A field that is no time fails its event. (In Bender it loses the event and all behind it.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct PartitionOperation {
    /// The partitions. Their settings may stand in any order. (In Bender, a `format` before its `interpreter` ends the invocation: a defect,
    /// mended.)
    #[serde(default)]
    #[builder(default)]
    pub partition_specs: Vec<PartitionSpec>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// Its name: in S3, the key has `NAME=value/`.
    #[builder(into)]
    #[schemars(length(min = 1))]
    pub name: String,
    /// Paths of fields, of which the first counts that is neither missing nor null.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "json-path" }))]
    pub sources: Vec<String>,
    /// How the value is read.
    #[serde(default)]
    #[builder(default)]
    pub interpreter: Interpreter,
    /// The value itself of `STATIC`; of times, the pattern in Joda's letters that they are written by, in UTC: `yyyy-MM-dd`.
    #[builder(into)]
    pub format: Option<String>,
    /// How the letters of a `STRING` are written.
    #[serde(default)]
    #[builder(default)]
    pub string_format: StringFormat,
    /// Times are brought down to a whole number of so many seconds. (Bender's go to the nearest, though it says down: a defect, mended.)
    #[serde(default = "no_rounding")]
    #[builder(default = no_rounding())]
    pub seconds_to_round: Bounded<0, 86_400>,
}

fn no_rounding() -> Bounded<0, 86_400> {
    Bounded::of::<0>()
}

/// How the value of a partition is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Interpreter {
    /// The field's text. An event without the field fails.
    #[default]
    String,
    /// The time in the field, as `TimeOperation` reads `MILLISECONDS`. Without the field the partition has no value (`NAME=null`). A field that
    /// is no time fails the event. (In Bender it ends the invocation: a defect, mended.)
    Milliseconds,
    /// The time in the field, as `TimeOperation` reads `SECONDS`.
    Seconds,
    /// What `format` says, for every event.
    Static,
}

/// How letters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum StringFormat {
    /// As they are.
    #[default]
    None,
    /// In lower case.
    ToLower,
    /// In upper case.
    ToUpper,
}

impl Component for PartitionOperation {
    const NAME: &'static str = "PartitionOperation";
    const EXAMPLE: &'static str = "type: PartitionOperation\npartition_specs:\n- name: app\n  interpreter: STRING\n  sources: [$.app, $.program]\n\
                                   - name: dt\n  interpreter: SECONDS\n  sources: [$.epoch]\n  format: yyyy-MM-dd\n";

    fn check(&self) -> Vec<Mistake> {
        let specs = self.partition_specs.iter().enumerate();
        specs
            .filter_map(|(number, spec)| {
                spec.mistake().map(|what| Mistake::new(format!("partition_specs[{number}].format"), what))
            })
            .collect()
    }
}

impl PartitionSpec {
    fn mistake(&self) -> Option<String> {
        match (self.interpreter, &self.format) {
            (Interpreter::String, _) | (Interpreter::Static, Some(_)) => None,
            (Interpreter::Static, None) => Some("a static partition has its value in `format`".to_owned()),
            (Interpreter::Seconds | Interpreter::Milliseconds, None) => Some("a time needs a `format`".to_owned()),
            (Interpreter::Seconds | Interpreter::Milliseconds, Some(format)) => {
                JavaTime::new(format).err().map(|error| format!("`{format}` is no pattern for a time: {error}"))
            }
        }
    }
}

/// One partition, ready to be read.
#[derive(Debug)]
pub struct Reader {
    name: Arc<str>,
    sources: Vec<Path>,
    how: How,
}

#[derive(Debug)]
enum How {
    Text(StringFormat),
    Time { unit: Unit, step_ms: i64, pattern: JavaTime },
    Static(String),
}

impl Operation for PartitionOperation {
    type State = Vec<Reader>;

    fn state(&self, _: &BuildCx<'_>) -> Result<Vec<Reader>, BuildError> {
        self.partition_specs.iter().map(Reader::new).collect()
    }

    fn perform(&self, readers: &mut Vec<Reader>, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let mut partitions = std::mem::take(&mut event.facts.partitions);
        partitions.clear();
        for reader in readers {
            partitions.push((Arc::clone(&reader.name), reader.read(event)?));
        }
        event.facts.partitions = partitions;
        Ok(Outcome::Pass)
    }
}

impl Reader {
    fn new(spec: &PartitionSpec) -> Result<Self, BuildError> {
        let time = |unit| {
            let pattern = JavaTime::new(spec.format.as_deref().unwrap_or_default());
            let pattern =
                pattern.map_err(|error| BuildError::new(format!("the format of `{}`: {error}", spec.name)))?;
            let step_ms = i64::try_from(spec.seconds_to_round.get()).unwrap_or_default() * 1000;
            Ok(How::Time { unit, step_ms, pattern })
        };
        let how = match spec.interpreter {
            Interpreter::String => How::Text(spec.string_format),
            Interpreter::Milliseconds => time(Unit::Milliseconds)?,
            Interpreter::Seconds => time(Unit::Seconds)?,
            Interpreter::Static => How::Static(spec.format.clone().unwrap_or_default()),
        };
        let sources = field::sources(&spec.sources)?;
        Ok(Self { name: spec.name.as_str().into(), sources, how })
    }

    fn read(&mut self, event: &Event<'_>) -> Result<Option<String>, Fault> {
        let text = self.sources.iter().find_map(|path| field::text(&event.payload, path));
        match &mut self.how {
            How::Static(value) => Ok(Some(value.clone())),
            How::Text(letters) => {
                let text = text.ok_or(Fault::new("a partition has no value"))?;
                Ok(Some(match letters {
                    StringFormat::None => text.into_owned(),
                    StringFormat::ToLower => text.to_lowercase(),
                    StringFormat::ToUpper => text.to_uppercase(),
                }))
            }
            How::Time { unit, step_ms, pattern } => {
                let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
                let ms = epoch::read(&text, *unit).ok_or(Fault::new("a partition is not a time"))?;
                let down = if *step_ms > 0 { ms.rem_euclid(*step_ms) } else { 0 };
                Ok(Some(pattern.write(ms - down).to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::perform};

    fn partitions(specs: &str, event: &str) -> Result<String, &'static str> {
        let operation: PartitionOperation =
            serde_json::from_str(&format!(r#"{{"partition_specs":[{specs}]}}"#)).unwrap();
        let mut facts = Facts { partitions: vec![("old".into(), None)], ..Facts::default() };
        perform(&operation, &mut facts, event).map_err(|fault| fault.reason)?.unwrap();
        let each = facts.partitions().map(|(name, value)| format!("{name}={}", value.unwrap_or("null")));
        Ok(each.collect::<Vec<_>>().join("/"))
    }

    #[test]
    fn texts_come_from_the_first_field_that_has_one() {
        let spec = r#"{"name":"h","sources":["$.a","$.b"],"string_format":"TOUPPER"}"#;
        assert_eq!(partitions(spec, r#"{"a":null,"b":"x"}"#).as_deref(), Ok("h=X"));
        assert_eq!(partitions(spec, r#"{"a":5.0}"#).as_deref(), Ok("h=5.0"));
        assert_eq!(partitions(spec, "{}"), Err("a partition has no value"));
    }

    #[test]
    fn times_are_brought_down_and_written_by_their_pattern() {
        let spec = r#"{"name":"t","format":"HH:mm:ss","interpreter":"SECONDS","sources":["t"],"seconds_to_round":300}"#;
        assert_eq!(partitions(spec, r#"{"t":1484802359}"#).as_deref(), Ok("t=05:05:00"));
        assert_eq!(partitions(spec, r#"{"t":"1484802299"}"#).as_deref(), Ok("t=05:00:00"));
        assert_eq!(partitions(spec, "{}").as_deref(), Ok("t=null"));
        for event in [r#"{"t":12345}"#, r#"{"t":"x"}"#] {
            assert_eq!(partitions(spec, event), Err("a partition is not a time"));
        }
    }

    #[test]
    fn partitions_keep_their_order_and_replace_older_ones() {
        let specs = r#"{"name":"b","interpreter":"STATIC","format":"X","string_format":"TOLOWER"},{"name":"a","sources":["$.a"]}"#;
        assert_eq!(partitions(specs, r#"{"a":"v"}"#).as_deref(), Ok("b=X/a=v"));
    }

    #[test]
    fn a_format_that_is_missing_or_none_is_a_mistake() {
        let mistakes = |spec: &str| {
            let text = format!(r#"{{"partition_specs":[{{"name":"ok"}},{spec}]}}"#);
            serde_json::from_str::<PartitionOperation>(&text).unwrap().check()
        };
        for spec in [
            r#"{"name":"t","interpreter":"SECONDS"}"#,
            r#"{"name":"t","interpreter":"STATIC"}"#,
            r#"{"name":"t","interpreter":"MILLISECONDS","format":"yyyyT"}"#,
        ] {
            assert_eq!(mistakes(spec)[0].setting, "partition_specs[1].format", "{spec}");
        }
        assert!(mistakes(r#"{"name":"t","interpreter":"SECONDS","format":"yyyy"}"#).is_empty());
    }
}
