//! Texts that are read as a value of a type: the groups of a regular expression, the fields of a line.
//!
//! Imports: `event`, `number`, `payload`.

use crate::{event::Fault, number};
use bon::Builder;
use payload::{Maker, Name, New};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text cannot be read as [`FieldType::Number`].
pub const NOT_A_NUMBER: Fault = Fault::new("the text of a NUMBER field is not a number");

/// What a text is read as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldType {
    /// The text as it is.
    #[default]
    String,
    /// A number, as Java's commons-lang reads it: `010` is octal, `0x1F` hexadecimal, `7L`, `1.5f` and `1d` are numbers too. A text
    /// that is no number, such as an empty one or `-`, fails the event. (Bender loses all events after it too: a defect, mended.)
    Number,
    /// True if the text is `true` in capital or small letters; false for anything else.
    Boolean,
}

impl FieldType {
    /// The value that a text holds; `scratch` is for its digits. Where there is no text it is null, as a boolean false.
    ///
    /// # Errors
    /// [`NOT_A_NUMBER`].
    pub fn value<'v>(self, text: Option<&'v str>, scratch: &'v mut String) -> Result<New<'v>, Fault> {
        match (self, text) {
            (Self::Boolean, text) => Ok(New::Bool(text.is_some_and(|text| text.eq_ignore_ascii_case("true")))),
            (_, None) => Ok(New::Null),
            (Self::String, Some(text)) => Ok(New::Text(text)),
            (Self::Number, Some(text)) if number::read(text, scratch) => Ok(New::Number(scratch)),
            (Self::Number, Some(_)) => Err(NOT_A_NUMBER),
        }
    }
}

/// A field that a text is read into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name. Not a path. Of two fields of one name the last one counts.
    #[builder(into)]
    pub name: String,
    /// What its text is read as.
    #[serde(default)]
    #[builder(default)]
    pub r#type: FieldType,
}

/// Fields with what is kept between events.
#[derive(Debug)]
pub(crate) struct Fields {
    fields: Vec<(Name, FieldType)>,
    number: String,
}

impl Fields {
    pub(crate) fn new(fields: &[Field]) -> Self {
        let fields = fields.iter().map(|field| (Name::new(&field.name), field.r#type));
        Self { fields: fields.collect(), number: String::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Adds a field to an event; a number that there is no field of adds nothing.
    pub(crate) fn add(&mut self, event: &mut Maker<'_>, field: usize, text: Option<&str>) -> Result<(), Fault> {
        let Some((name, of)) = self.fields.get(field) else { return Ok(()) };
        Ok(event.add(name, of.value(text, &mut self.number)?)?)
    }

    /// Adds a field that is null.
    pub(crate) fn add_null(&self, event: &mut Maker<'_>, field: usize) -> Result<(), Fault> {
        let Some((name, _)) = self.fields.get(field) else { return Ok(()) };
        Ok(event.add(name, New::Null)?)
    }
}
