//! `MaskOperation`: a text of which only the end can be read.

use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
    operations::Operation,
};
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts `*` in the place of every character of a text but the last ones.
///
/// An event without the field stays as it is, and so does one where the field is no text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaskOperation {
    /// Path of the field: `$.card.number`.
    pub field: String,
    /// How many characters stay.
    #[serde(default)]
    #[schemars(range(max = 8))]
    pub keep: usize,
}

impl Component for MaskOperation {
    const NAME: &'static str = "MaskOperation";
    const EXAMPLE: &'static str = "type: MaskOperation\nfield: $.card.number\nkeep: 4\n";
}

impl Operation for MaskOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Path::new(&self.field).map_err(|error| BuildError::new(format!("field: {error}")))
    }

    fn perform(&self, field: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let masked = event.payload.get(field).and_then(|value| value.as_str().map(|text| mask(&text, self.keep)));
        if let Some(masked) = masked {
            event.payload.set(field, &masked)?;
        }
        Ok(Outcome::Pass)
    }
}

fn mask(text: &str, keep: usize) -> String {
    let hidden = text.chars().count().saturating_sub(keep);
    text.chars().enumerate().map(|(at, character)| if at < hidden { '*' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use etl::testing::assert_becomes;

    #[test]
    fn only_the_end_of_a_text_can_be_read() {
        let mask = MaskOperation { field: "$.card".to_owned(), keep: 4 };
        assert_becomes(&mask, r#"{"card":"4111111111111111"}"#, r#"{"card":"************1111"}"#);
        assert_becomes(&mask, r#"{"card":"111"}"#, r#"{"card":"111"}"#);
        assert_becomes(&mask, r#"{"card":4111}"#, r#"{"card":4111}"#);
        assert_becomes(&mask, r#"{"user":"me"}"#, r#"{"user":"me"}"#);
    }
}
