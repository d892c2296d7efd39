//! `Text`: a line as it is.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::{Deserializer, EMPTY, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
};
use bon::Builder;
use payload::{Name, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads a text as one field, whatever is in it.
///
/// Empty texts are dropped. Bytes that are not UTF-8 are read as U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// The field that holds the text. Not a path.
    #[serde(default = "message")]
    #[builder(default = message(), into)]
    pub field: String,
}

fn message() -> String {
    "message".to_owned()
}

impl Component for Text {
    const NAME: &'static str = "Text";
    const EXAMPLE: &'static str = "type: Text\nfield: line\n";
}

impl Deserializer for Text {
    type State = (Name, String);

    fn state(&self, _: &BuildCx<'_>) -> Result<Self::State, BuildError> {
        Ok((Name::new(&self.field), String::new()))
    }

    fn read<'a>(&self, (field, text): &mut Self::State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        raw.text(text);
        if text.is_empty() {
            return Err(EMPTY);
        }
        let mut event = raw.arena.make()?;
        event.add(field, &*text)?;
        Ok(event.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread};

    #[test]
    fn a_line_is_a_field() {
        let text = Text::builder().build();
        assert_read(&text, "a \"b\"\t\\ é", r#"{"message": "a \"b\"\t\\ é"}"#);
        assert_read(&Text::builder().field("a.b").build(), "{}", r#"{"a.b": "{}"}"#);
        assert_unread(&text, "", "empty line");
    }
}
