//! `ParseJsonOperation`: a text that holds JSON, as the value that it says.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::{OnFailure, Operation};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::{ChangeError, New, Path, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads a field whose text holds JSON, and puts the value in its place or elsewhere.
///
/// Numbers keep their digits. The JSON is strict, blanks around it do not matter, and it may be any value, not only an object. A field that is
/// missing or no text (it may have been read already) is passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct ParseJsonOperation {
    /// Path of the field with the text: `$.message`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub field: String,
    /// Path of the field that gets the value; what it held is replaced, and objects that are missing on the way are made. Without it, the
    /// value takes the place of the text.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub target: Option<String>,
    /// What becomes of an event whose text is not JSON, or whose target cannot hold it.
    #[serde(default = "OnFailure::fail")]
    #[builder(default = OnFailure::Fail)]
    pub on_failure: OnFailure,
}

impl Component for ParseJsonOperation {
    const NAME: &'static str = "ParseJsonOperation";
    const EXAMPLE: &'static str = "type: ParseJsonOperation\nfield: $.message\non_failure: KEEP\n";

    fn check(&self) -> Vec<Mistake> {
        let target = self.target.as_deref().and_then(|target| Path::new(target).ok());
        let (Ok(field), Some(target)) = (Path::new(&self.field), target) else { return vec![] };
        let mistake = || {
            let message = format!("`{target}` and `{field}` are the same field, or one is in the other");
            Mistake::new("target", message).help("leave `target` out to put the value in place of its text")
        };
        field.overlaps(&target).then(mistake).into_iter().collect()
    }
}

/// The paths, read once.
#[derive(Debug)]
pub struct State {
    field: Path,
    target: Option<Path>,
    text: String,
}

impl Operation for ParseJsonOperation {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let target = self.target.as_deref().map(field::path).transpose()?;
        Ok(State { field: field::path(&self.field)?, target, text: String::new() })
    }

    fn perform(&self, State { field, target, text }: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        text.clear();
        match event.payload.get_str(field) {
            Some(json) => text.push_str(&json),
            None => return Ok(Outcome::Pass),
        }
        let result = match target {
            None => event.payload.set(field, New::Json(text)),
            Some(target) => read_to(&mut event.payload, field, target, text),
        };
        match result {
            Ok(()) => Ok(Outcome::Pass),
            Err(error) => self.on_failure.outcome(error),
        }
    }
}

/// The value is read in the text's place first: where that fails, nothing has been made on the way to the target.
fn read_to(payload: &mut Payload<'_>, field: &Path, target: &Path, text: &str) -> Result<(), ChangeError> {
    payload.set(field, New::Json(text))?;
    let moved = payload.make_way(target).and_then(|()| payload.copy_value(field, target));
    payload.set(field, text)?;
    moved
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{assert_becomes, assert_fails, document, perform},
    };
    use proptest::prelude::*;

    fn parse(target: Option<&str>, on_failure: OnFailure) -> ParseJsonOperation {
        ParseJsonOperation { field: "m".to_owned(), target: target.map(str::to_owned), on_failure }
    }

    #[test]
    fn the_value_takes_the_place_of_its_text_or_stands_beside_it() {
        let text = r#"{"m":" {\"a\":1.50,\"b\":\"\\n\"} ","x":1}"#;
        assert_becomes(&parse(None, OnFailure::Fail), text, r#"{"m":{"a":1.50,"b":"\n"},"x":1}"#);
        let beside = r#"{"m":" {\"a\":1.50,\"b\":\"\\n\"} ","x":1,"t":{"v":{"a":1.50,"b":"\n"}}}"#;
        assert_becomes(&parse(Some("$.t.v"), OnFailure::Fail), text, beside);
        assert_becomes(&parse(None, OnFailure::Fail), r#"{"m":"[1e5,\"x\"]"}"#, r#"{"m":[1e5,"x"]}"#);
    }

    #[test]
    fn what_is_no_text_is_passed_over() {
        for text in [r#"{"m":{"a":1}}"#, r#"{"m":5}"#, r#"{"m":null}"#, "{}"] {
            assert_becomes(&parse(Some("$.t.v"), OnFailure::Fail), text, text);
        }
    }

    #[test]
    fn what_becomes_of_a_text_that_is_not_json_is_a_setting() {
        for text in [r#"{"m":"plain"}"#, r#"{"m":""}"#, r#"{"m":"{'a':1}"}"#, r#"{"m":"1 2"}"#] {
            for target in [None, Some("$.t.v")] {
                assert!(perform(&parse(target, OnFailure::Fail), &mut Facts::default(), text).is_err(), "{text}");
                assert_becomes(&parse(target, OnFailure::Keep), text, text);
                let dropped = perform(&parse(target, OnFailure::Drop), &mut Facts::default(), text).unwrap();
                assert!(dropped.is_err(), "{text}");
            }
        }
        let no_room = r#"{"m":"1","t":2}"#;
        assert_becomes(&parse(Some("$.t.v"), OnFailure::Keep), no_room, no_room);
        assert_fails(
            &parse(Some("$.t.v"), OnFailure::Fail),
            no_room,
            "the path leads through a value that cannot hold it",
        );
    }

    #[test]
    fn a_target_is_another_field() {
        for (target, wrong) in [("m", 1), ("$.m.x", 1), ("$.x.m", 0)] {
            assert_eq!(parse(Some(target), OnFailure::Fail).check().len(), wrong, "{target}");
        }
    }

    proptest! {
        /// Whatever a document says, it says the same when it was a text in another one, digit by digit.
        #[test]
        fn a_document_comes_out_of_its_text_as_it_went_in(inner in document()) {
            let outer = serde_json::json!({ "m": inner }).to_string();
            let read = perform(&parse(None, OnFailure::Fail), &mut Facts::default(), &outer).unwrap().unwrap();
            let compact = perform(&super::super::KeepFieldsOperation { fields: vec!["$".into()] }, &mut Facts::default(), &inner);
            prop_assert_eq!(read, format!("{{\"m\":{}}}", compact.unwrap().unwrap()));
        }
    }
}
