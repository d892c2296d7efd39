//! `RenameFieldOperation`: a field under another name, or in another place.
//!
//! Imports: `build`, `component`, `event`, `field`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
};
use bon::Builder;
use payload::{ChangeError, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives a field another name, or moves it to another place.
///
/// Under another name of the same object it stays where it is in order; elsewhere it comes last, and objects that are missing on the way are
/// made. An event without the field stays as it is. A field whose value is null is moved as any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct RenameFieldOperation {
    /// The field: a name at the top of the event, or a path: `$.httpRequest.clientIp`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub from: String,
    /// Where it goes: a name at the top of the event, or a path.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub to: String,
    /// Whether a field that is there already gives way. If not, such an event fails, rather than lose one of the two values.
    #[serde(default)]
    #[builder(default)]
    pub overwrite: bool,
}

impl Component for RenameFieldOperation {
    const NAME: &'static str = "RenameFieldOperation";
    const EXAMPLE: &'static str = "type: RenameFieldOperation\nfrom: $.httpRequest.clientIp\nto: client_ip\n";

    fn check(&self) -> Vec<Mistake> {
        let (Ok(from), Ok(to)) = (Path::new(&self.from), Path::new(&self.to)) else { return vec![] };
        let mistake = || {
            let message = format!("`{to}` and `{from}` are the same field, or one is in the other");
            Mistake::new("to", message).help("move the field to a place that is neither in it nor around it")
        };
        from.overlaps(&to).then(mistake).into_iter().collect()
    }
}

impl Operation for RenameFieldOperation {
    type State = [Path; 2];

    fn state(&self, _: &BuildCx<'_>) -> Result<[Path; 2], BuildError> {
        Ok([field::path(&self.from)?, field::path(&self.to)?])
    }

    fn perform(&self, [from, to]: &mut [Path; 2], event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let payload = &mut event.payload;
        if payload.get(from).is_none() {
            return Ok(Outcome::Pass);
        }
        if !self.overwrite && payload.get(to).is_some() {
            return Err(ChangeError::Collision.into());
        }
        if let Some(name) = from.name_at(to) {
            payload.rename(from, name)?;
        } else {
            payload.make_way(to)?;
            payload.copy_value(from, to)?;
            payload.remove(from)?;
        }
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        operations::DeleteFieldOperation,
        testing::{assert_becomes, assert_fails, document, perform, sorted},
    };
    use proptest::prelude::*;

    fn rename(from: &str, to: &str, overwrite: bool) -> RenameFieldOperation {
        RenameFieldOperation::builder().from(from).to(to).overwrite(overwrite).build()
    }

    #[test]
    fn a_field_gets_another_name_or_another_place() {
        assert_becomes(&rename("a", "b", false), r#"{"x":0,"a":1.50,"y":0}"#, r#"{"x":0,"b":1.50,"y":0}"#);
        assert_becomes(
            &rename("$.a.b", "$.c.d.e", false),
            r#"{"a":{"b":[1.0,null]}}"#,
            r#"{"a":{},"c":{"d":{"e":[1.0,null]}}}"#,
        );
        assert_becomes(&rename("$.a[0]", "first", false), r#"{"a":[1,2]}"#, r#"{"a":[2],"first":1}"#);
        assert_becomes(&rename("a", "b", false), r#"{"A":1}"#, r#"{"A":1}"#);
        assert_becomes(&rename("a", "b", false), r#"{"a":null}"#, r#"{"b":null}"#);
    }

    #[test]
    fn no_value_is_lost_unless_that_is_wanted() {
        assert_fails(&rename("a", "b", false), r#"{"a":1,"b":2}"#, "two members would have the same name");
        assert_fails(
            &rename("a", "$.b.c", false),
            r#"{"a":1,"b":2}"#,
            "the path leads through a value that cannot hold it",
        );
        assert_becomes(&rename("a", "b", true), r#"{"a":1,"b":2}"#, r#"{"b":1}"#);
        assert_becomes(&rename("a", "$.b.c", true), r#"{"a":1,"b":{"c":2}}"#, r#"{"b":{"c":1}}"#);
    }

    #[test]
    fn a_field_cannot_be_moved_into_itself() {
        for (from, to, wrong) in [("a", "$.a", 1), ("$.a", "$.a.b", 1), ("$.a.b", "a", 1), ("$.a.b", "$.a.c", 0)] {
            assert_eq!(rename(from, to, true).check().len(), wrong, "{from} {to}");
        }
    }

    proptest! {
        /// There and back again, an event says what it said.
        #[test]
        fn a_rename_can_be_taken_back(text in document()) {
            for (here, there) in [("a", "new"), ("a", "$.new.way"), ("$.b.a", "new")] {
                let Ok(Ok(moved)) = perform(&rename(here, there, false), &mut Facts::default(), &text) else { continue };
                let Ok(Ok(back)) = perform(&rename(there, here, false), &mut Facts::default(), &moved) else { panic!("{moved}") };
                // The object that was made on the way.
                let delete = DeleteFieldOperation::builder().key_field("new").build();
                let back = perform(&delete, &mut Facts::default(), &back).unwrap().unwrap();
                prop_assert_eq!(sorted(&back), sorted(&text));
            }
        }
    }
}
