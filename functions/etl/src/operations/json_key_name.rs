//! `JsonKeyNameOperation`: names that say the type of their value.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault, Outcome},
};
use bon::Builder;
use payload::{Change, Kind, Reach, Rewriter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives every member of the event, and of objects in it, a name in lower case that says the type of its value, so that a search index
/// never meets two types under one name.
///
/// Blanks and dots become `_`. Then follows, by value: a text `__str`, a number with a point `__float`, any other number `__long`, true
/// and false `__bool`, an array `__arr`; an object gets nothing and is gone through itself. What is in arrays stays as it is. Members
/// that are null are left out. An event that has been through once gets a second ending.
///
/// When two members of one object would get the same name, the event fails rather than lose one of the values.
///
/// # Unlike Bender
///
/// - Members whose names collide fail the event, which is counted. (Bender keeps one of them, by chance, and the other is lost.)
/// - Members keep their order. (In Bender it differs from one start to the next.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct JsonKeyNameOperation {}

impl Component for JsonKeyNameOperation {
    const NAME: &'static str = "JsonKeyNameOperation";
    const EXAMPLE: &'static str = "type: JsonKeyNameOperation\n";
}

impl Operation for JsonKeyNameOperation {
    type State = Rewriter;

    fn state(&self, _: &BuildCx<'_>) -> Result<Rewriter, BuildError> {
        // Asked once for each name and kind that turns up, not for each event.
        Ok(Rewriter::new(Reach::Objects, |name, kind| {
            let ending = match kind {
                Kind::Null => return Change::Drop,
                Kind::Object => "",
                Kind::Array => "__arr",
                Kind::String => "__str",
                Kind::Integer => "__long",
                Kind::Float => "__float",
                Kind::Bool => "__bool",
            };
            Change::Rename(name.to_lowercase().replace([' ', '.'], "_") + ending)
        }))
    }

    fn perform(&self, rule: &mut Rewriter, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        event.payload.rewrite(rule)?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_becomes, assert_fails};

    #[test]
    fn names_say_the_type_of_their_value() {
        assert_becomes(
            &JsonKeyNameOperation {},
            r#"{"Foo Bar":"s","n":1e5,"f":1.0,"B":true,"N":null,"A":[{"X Y":1}],"O":{"In.Ner":{"K":"v","n":null}},"E":{}}"#,
            r#"{"foo_bar__str":"s","n__long":1e5,"f__float":1.0,"b__bool":true,"a__arr":[{"X Y":1}],"o":{"in_ner":{"k__str":"v"}},"e":{}}"#,
        );
    }

    #[test]
    fn fails_rather_than_lose_a_value() {
        assert_fails(&JsonKeyNameOperation {}, r#"{"a b":1,"a.b":2}"#, "two members would have the same name");
        assert_becomes(&JsonKeyNameOperation {}, r#"{"a b":1,"a.b":"2"}"#, r#"{"a_b__long":1,"a_b__str":"2"}"#);
    }
}
