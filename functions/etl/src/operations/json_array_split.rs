//! `JsonArraySplitOperation`: one event for each element of an array.
//!
//! Imports: `build`, `component`, `field`, `payload`.

use super::{BuildOperation, Step};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    field,
};
use bon::Builder;
use payload::Name;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Makes one event of each element of an array, such as each record of a CloudTrail file.
///
/// An event keeps where it came from, its arrival and its time; its SHA-1 is that of the element. An event without an array at the path
/// fails, and so does one whose array has an element that is no object; one with an empty array is dropped.
///
/// # Unlike Bender
///
/// - The events know their Kinesis record or S3 object. (Bender's forget it, and behind `KinesisWrapper` or `S3Wrapper` nothing is
///   delivered.)
/// - Each event has a copy of the fields to keep. (Bender shares one, so that a later operation changes it once for each event.)
/// - A partition without a value stays one. (In Bender it drops the event.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct JsonArraySplitOperation {
    /// Path of the array: `$.Records`. A path that may lead to several values (`$..Records[*]`) gives an event for each that it finds.
    #[builder(into)]
    #[schemars(extend("format" = "paths"))]
    pub path: String,
    /// Names of fields at the top of the source event. Every event gets a copy of each, behind its own members; null where the source
    /// event has none.
    #[serde(default)]
    #[builder(default)]
    pub fields_to_keep: Vec<String>,
}

impl Component for JsonArraySplitOperation {
    const NAME: &'static str = "JsonArraySplitOperation";
    const EXAMPLE: &'static str =
        "type: JsonArraySplitOperation\npath: $.logEvents\nfields_to_keep: [owner, logGroup, logStream]\n";
}

impl BuildOperation for JsonArraySplitOperation {
    fn build(&self, _: &BuildCx<'_>) -> Result<Step, BuildError> {
        let path = field::places(&self.path).map_err(|error| error.of(Self::NAME))?;
        Ok(Step::Split { path, keep: self.fields_to_keep.iter().map(|name| Name::new(name)).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cx, no_assets};

    #[test]
    fn it_is_a_split_of_its_path() {
        let operation = JsonArraySplitOperation::builder().path("Records").fields_to_keep(vec!["owner".into()]).build();
        let Ok(Step::Split { path, keep }) = operation.build(&cx(&no_assets())) else { panic!("a split") };
        assert_eq!((path.as_str(), keep[0].as_str()), ("Records", "owner"));
    }
}
