//! `GenericJson`: a JSON object.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::{Deserializer, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::Fault,
    field,
};
use bon::Builder;
use payload::{ChangeError, Kind, New, Path, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NO_OBJECT: Fault = Fault::new("the event is not a JSON object");

/// Reads a JSON object.
///
/// What is not strict JSON is read again as Gson's lenient reader does, as in Bender: single quotes, names without quotes, comments; `01`
/// and `NaN` become strings. Of equal keys the last one counts. Numbers keep their digits. Anything but an object fails.
///
/// # Unlike Bender
///
/// - A field of `nested_field_configs` that is no text stays as it is. (In Bender an object, null or a list there loses the event and all
///   behind it.)
/// - An event with anything but an object at `root_node_override_path` fails alone. (Bender loses all behind it, too.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct GenericJson {
    /// Fields whose text holds a JSON object itself.
    #[serde(default)]
    #[builder(default)]
    pub nested_field_configs: Vec<NestedField>,
    /// Path of the object that becomes the event, such as `$.detail`. An event without an object there fails. (Bender ends the
    /// invocation without a word when there is a text or a list: a defect, mended.)
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub root_node_override_path: Option<String>,
}

/// A field whose text holds a JSON object, perhaps after some other text.
///
/// The object begins with the first `{` and must reach to the end of the text. Where there is none, the field stays as it is, also when it
/// is no text at all. (Bender ends the invocation without a word when it is an object, a list or null: a defect, mended.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct NestedField {
    /// The field's name, at the top of the event. Not a path.
    #[builder(into)]
    pub field: String,
    /// Name of the field that gets the text before the object. Without it that text is dropped.
    #[builder(into)]
    pub prefix_field: Option<String>,
}

impl Component for GenericJson {
    const NAME: &'static str = "GenericJson";
    const EXAMPLE: &'static str =
        "type: GenericJson\nnested_field_configs:\n- field: MESSAGE\n  prefix_field: MESSAGE_PREFIX\n";
}

/// The paths, read once.
#[derive(Debug)]
pub struct State {
    nested: Vec<(Path, Option<Path>)>,
    root: Option<Path>,
    text: String,
}

impl Deserializer for GenericJson {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let nested = self.nested_field_configs.iter();
        Ok(State {
            nested: nested.map(|n| (Path::member(&n.field), n.prefix_field.as_deref().map(Path::member))).collect(),
            root: self.root_node_override_path.as_deref().map(field::path).transpose()?,
            text: String::new(),
        })
    }

    fn read<'a>(&self, state: &mut State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        let mut payload = raw.parse_lenient()?;
        if payload.kind() != Kind::Object {
            return Err(NO_OBJECT.into());
        }
        for (field, prefix) in &state.nested {
            nested(&mut payload, field, prefix.as_ref(), &mut state.text)?;
        }
        if let Some(root) = &state.root {
            if payload.get(root).is_none_or(|value| value.kind() != Kind::Object) {
                return Err(Fault::new("there is no object at root_node_override_path").into());
            }
            payload.promote(root)?;
        }
        Ok(payload)
    }

    fn is_plain_json(&self) -> bool {
        self.nested_field_configs.is_empty() && self.root_node_override_path.is_none()
    }
}

fn nested(payload: &mut Payload<'_>, field: &Path, prefix: Option<&Path>, text: &mut String) -> Result<(), Fault> {
    let Some(value) = payload.get_str(field) else { return Ok(()) };
    let Some(brace) = value.find('{') else { return Ok(()) };
    text.clear();
    text.push_str(&value);
    drop(value);
    let (before, object) = text.split_at(brace);
    match payload.set(field, New::Lenient(object)) {
        Ok(()) => {}
        Err(ChangeError::Json(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if let Some(prefix) = prefix {
        payload.set(prefix, before)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread};

    fn message() -> GenericJson {
        let field = NestedField::builder().field("M").prefix_field("P").build();
        GenericJson::builder().nested_field_configs(vec![field]).build()
    }

    #[test]
    fn a_nested_object_takes_the_place_of_its_text() {
        assert_read(&message(), r#"{"M":"{\"a\":1.50}","x":1}"#, r#"{"M":{"a":1.50},"x":1,"P":""}"#);
        assert_read(&message(), r#"{"M":"took \"long\" {a:'b'}"}"#, r#"{"M":{"a":"b"},"P":"took \"long\" "}"#);
    }

    #[test]
    fn a_field_without_a_whole_object_stays_as_it_is() {
        for text in [
            r#"{"M":"plain"}"#,
            r#"{"M":"{\"a\":"}"#,
            r#"{"M":"{\"a\":1} {\"b\":2}"}"#,
            r#"{"M":{"a":1}}"#,
            r#"{"M":[1,2]}"#,
            r#"{"M":null}"#,
            r#"{"M":5}"#,
        ] {
            assert_read(&message(), text, text);
        }
    }

    #[test]
    fn an_object_inside_can_become_the_event() {
        let detail = GenericJson::builder().root_node_override_path("$.detail").build();
        assert_read(&detail, r#"{"v":"0","detail":{"a":1}}"#, r#"{"a":1}"#);
        for text in [r#"{"v":"0"}"#, r#"{"detail":null}"#, r#"{"detail":[1]}"#, r#"{"detail":"x"}"#] {
            assert_unread(&detail, text, "there is no object at root_node_override_path");
        }
    }

    #[test]
    fn anything_but_an_object_fails() {
        for text in ["[1]", "5", "null", "\"x\""] {
            assert_unread(&GenericJson::builder().build(), text, "the event is not a JSON object");
        }
    }
}
