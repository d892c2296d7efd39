//! `Regex`: the groups of a regular expression.
//!
//! Imports: `build`, `component`, `event`, `pattern`, `payload`, `typed`.

use super::{Deserializer, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::Fault,
    pattern::{Exhausted, Groups, WholeTextPattern},
    typed::{Field, Fields},
};
use bon::Builder;
use payload::Payload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NO_MATCH: Fault = Fault::new("the text does not match the regex");
const EXHAUSTED: Fault = Fault::new("the regex takes too many steps on this text");

/// Reads a text by a regular expression: each group becomes a field.
///
/// The expression is Java's and must match the whole text, `.` being any character, line ends too; a text that it does not match fails.
/// The first group is the first field's and so on. More groups than fields, or more fields than groups, are passed over. A group that has no
/// part in the match is null (a BOOLEAN: false). Bytes that are not UTF-8 are read as U+FFFD.
///
/// An expression without look-around and back references takes time in proportion to the text, whatever the text is; one that has them
/// is given up after 100,000 steps back, and the event fails.
///
/// # Unlike Bender
///
/// - A NUMBER whose text is none fails its event, alone. (In Bender `-` or an empty text loses the event and all behind it, without a
///   word; both are usual in logs of load balancers.)
/// - No text holds the function up. (Bender goes through all ways to match, however many.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Regex {
    /// The expression. In YAML it stands best between single quotes.
    pub regex: WholeTextPattern,
    /// Name and type of each group, in their order.
    pub fields: Vec<Field>,
    /// Which of two Java libraries Bender takes; here both settings do the same.
    #[serde(default)]
    #[builder(default)]
    pub use_re2j: bool,
}

impl Component for Regex {
    const NAME: &'static str = "Regex";
    const EXAMPLE: &'static str = "type: Regex
regex: '(\\S+) (\\S+) \"([^\"]*)\" (\\d{3}) (\\d+|-)'
fields:
- {name: time, type: STRING}
- {name: client, type: STRING}
- {name: request, type: STRING}
- {name: status, type: NUMBER}
- {name: bytes, type: STRING}
";
}

/// What is used again for each event.
#[derive(Debug)]
pub struct State {
    fields: Fields,
    groups: Groups,
    text: String,
}

impl Deserializer for Regex {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let fields = self.fields.get(..self.regex.group_count()).unwrap_or(&self.fields);
        Ok(State { fields: Fields::new(fields), groups: Groups::default(), text: String::new() })
    }

    fn read<'a>(&self, state: &mut State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        let State { fields, groups, text } = state;
        raw.text(text);
        if !self.regex.find_groups(text, 0, groups).map_err(|Exhausted| EXHAUSTED)? {
            return Err(NO_MATCH.into());
        }
        let mut event = raw.arena.make()?;
        for number in 0..fields.len() {
            fields.add(&mut event, number, groups.text(number + 1, text))?;
        }
        Ok(event.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread};

    fn regex(regex: &str, fields: &str) -> Regex {
        let fields = serde_json::from_str(fields).unwrap();
        Regex::builder().regex(WholeTextPattern::new(regex).unwrap()).fields(fields).build()
    }

    #[test]
    fn groups_become_fields_by_their_place() {
        let fields =
            r#"[{"name": "n", "type": "NUMBER"}, {"name": "b", "type": "BOOLEAN"}, {"name": "s", "type": "STRING"}]"#;
        let three = regex(r"(?:n=(\S*))? ?(?:b=(\S*))? ?(?:s=(.*))?", fields);
        assert_read(&three, "n=0x1F b=TRUE s=x\ny", r#"{"n": 31, "b": true, "s": "x\ny"}"#);
        assert_read(&three, "s=", r#"{"n": null, "b": false, "s": ""}"#);
        assert_unread(&three, "n=- b=no", "the text of a NUMBER field is not a number");
        assert_unread(&three, "x", "the text does not match the regex");
    }

    #[test]
    fn groups_and_fields_may_differ_in_number() {
        let fields = r#"[{"name": "a", "type": "STRING"}, {"name": "b", "type": "STRING"}]"#;
        assert_read(&regex("(.)", fields), "1", r#"{"a": "1"}"#);
        assert_read(&regex("(.)(.)(.)", fields), "123", r#"{"a": "1", "b": "2"}"#);
        assert_read(&regex(".*", fields), "123", "{}");
    }

    #[test]
    fn look_around_and_back_references_are_possible_within_bounds() {
        let fields = r#"[{"name": "a", "type": "STRING"}]"#;
        assert_read(&regex(r"(?=.*!)(.)\1!", fields), "zz!", r#"{"a": "z"}"#);
        assert_unread(&regex(r"((a+)\2?)+b", fields), &"a".repeat(60), "the regex takes too many steps on this text");
    }
}
