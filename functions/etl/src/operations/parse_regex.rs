//! `ParseRegexOperation`: the named groups of a regular expression, as members of the event.
//!
//! Imports: `build`, `component`, `event`, `field`, `pattern`, `payload`, `typed`.

use super::{OnFailure, Operation};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    pattern::{Exhausted, Groups, Pattern},
    typed::FieldType,
};
use bon::Builder;
use payload::{New, Path, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const NO_MATCH: Fault = Fault::new("the field does not match the regex");
const EXHAUSTED: Fault = Fault::new("the regex takes too many steps on the field");

/// Looks for a regular expression in a field, and makes each of its named groups a member of the event.
///
/// The expression is Java's and is looked for anywhere in the text: begin it with `^` and end it with `$` to match the whole. A group that has
/// no part in the match is null (a BOOLEAN: false). A member that is there already is replaced. A field that is missing or null is passed
/// over; a number, true and false are read as they are written, an object or array as compact JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct ParseRegexOperation {
    /// Path of the field: `$.message`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub field: String,
    /// The expression, with at least one named group: `(?<status>\d{3})`. Java's names are letters and digits.
    pub regex: Pattern,
    /// Groups whose member is to have another type than STRING, or another name than the group's.
    #[serde(default)]
    #[builder(default)]
    pub fields: Vec<GroupField>,
    /// Path of an object that is made of the groups, in place of what is there. Without it they become members at the top of the event.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub target: Option<String>,
    /// What becomes of an event whose field does not match, or whose NUMBER is none.
    #[serde(default = "OnFailure::fail")]
    #[builder(default = OnFailure::Fail)]
    pub on_failure: OnFailure,
}

/// What a group becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct GroupField {
    /// The group's name.
    #[builder(into)]
    pub group: String,
    /// The member's name; by default the group's.
    #[builder(into)]
    pub name: Option<String>,
    /// What its text is read as.
    #[serde(default)]
    #[builder(default)]
    pub r#type: FieldType,
}

impl Component for ParseRegexOperation {
    const NAME: &'static str = "ParseRegexOperation";
    const EXAMPLE: &'static str = "type: ParseRegexOperation
field: $.message
regex: '^(?<client>\\S+) \"(?<request>[^\"]*)\" (?<status>\\d{3})'
fields:
- {group: client, name: client_ip}
- {group: status, type: NUMBER}
on_failure: KEEP
";

    fn check(&self) -> Vec<Mistake> {
        let Some(names) = self.regex.group_names() else { return vec![] };
        let names: Vec<_> = names.into_iter().flatten().collect();
        if names.is_empty() {
            let mistake = Mistake::new("regex", "the expression has no named group, so nothing would come of it");
            return vec![mistake.help("name what is to become a member: `(?<status>\\d{3})`")];
        }
        let unknown = self.fields.iter().enumerate().filter(|(_, field)| !names.contains(&&*field.group));
        let mistake = |(number, field): (usize, &GroupField)| {
            let message = format!("the expression has no group `{}`", field.group);
            Mistake::new(format!("fields[{number}].group"), message)
                .help(format!("its groups are `{}`", names.join("`, `")))
        };
        unknown.map(mistake).collect()
    }
}

/// What is used again for each event.
#[derive(Debug)]
pub struct State {
    field: Path,
    target: Option<Path>,
    /// Number of the group, path of the member, and its type.
    members: Vec<(usize, Path, FieldType)>,
    groups: Groups,
    text: String,
    digits: String,
}

impl Operation for ParseRegexOperation {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let member = |(number, group): (usize, Option<&str>)| {
            let group = group?;
            let field = self.fields.iter().find(|field| field.group == group);
            let name = field.and_then(|field| field.name.as_deref()).unwrap_or(group);
            Some(self.path_of(name).map(|path| (number, path, field.map(|field| field.r#type).unwrap_or_default())))
        };
        let names = self.regex.group_names().unwrap_or_default();
        Ok(State {
            field: field::path(&self.field)?,
            target: self.target.as_deref().map(field::path).transpose()?,
            members: names.into_iter().enumerate().filter_map(member).collect::<Result<_, _>>()?,
            groups: Groups::default(),
            text: String::new(),
            digits: String::new(),
        })
    }

    fn perform(&self, state: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        state.text.clear();
        match field::text(&event.payload, &state.field) {
            Some(text) => state.text.push_str(&text),
            None => return Ok(Outcome::Pass),
        }
        match self.regex.find_groups(&state.text, 0, &mut state.groups) {
            Ok(true) => {}
            Ok(false) => return self.on_failure.outcome(NO_MATCH),
            Err(Exhausted) => return self.on_failure.outcome(EXHAUSTED),
        }
        match state.add_to(&mut event.payload) {
            Ok(()) => Ok(Outcome::Pass),
            Err(fault) => self.on_failure.outcome(fault),
        }
    }
}

impl ParseRegexOperation {
    fn path_of(&self, name: &str) -> Result<Path, BuildError> {
        let member = Path::member(name);
        match &self.target {
            None => Ok(member),
            Some(target) => field::path(&format!("{target}{}", member.as_str().trim_start_matches('$'))),
        }
    }
}

impl State {
    /// Nothing is added when one of the groups cannot be read.
    fn add_to(&mut self, payload: &mut Payload<'_>) -> Result<(), Fault> {
        let Self { target, members, groups, text, digits, .. } = self;
        for (group, _, of) in &*members {
            of.value(groups.text(*group, text), digits)?;
        }
        if let Some(target) = target {
            field::put(payload, target, New::Json("{}"))?;
        }
        for (group, path, of) in &*members {
            payload.set(path, of.value(groups.text(*group, text), digits)?)?;
        }
        Ok(())
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

    fn parse(regex: &str, fields: &str, target: Option<&str>, on_failure: OnFailure) -> ParseRegexOperation {
        ParseRegexOperation {
            field: "m".to_owned(),
            regex: Pattern::new(regex).unwrap(),
            fields: serde_json::from_str(fields).unwrap(),
            target: target.map(str::to_owned),
            on_failure,
        }
    }

    const LINE: &str = r"(?<user>\w+) (?<status>\d+|-)(?: (?<cached>\w+))?";
    const TYPES: &str =
        r#"[{"group":"status","type":"NUMBER"},{"group":"cached","name":"was cached","type":"BOOLEAN"}]"#;

    #[test]
    fn named_groups_become_members_of_their_types() {
        let top = parse(LINE, TYPES, None, OnFailure::Fail);
        assert_becomes(
            &top,
            r#"{"user":1,"m":"> ada 200 TRUE"}"#,
            r#"{"user":"ada","m":"> ada 200 TRUE","status":200,"was cached":true}"#,
        );
        let inside = parse(LINE, TYPES, Some("$.a.b"), OnFailure::Fail);
        let made = r#"{"m":"ada 200","a":{"b":{"user":"ada","status":200,"was cached":false}}}"#;
        assert_becomes(&inside, r#"{"m":"ada 200"}"#, made);
        assert_becomes(&inside, made, made);
        assert_becomes(
            &parse("(?<y>.{4})(?<m>..)?", "[]", None, OnFailure::Fail),
            r#"{"m":20245}"#,
            r#"{"m":null,"y":"2024"}"#,
        );
        assert_becomes(&top, r#"{"m":null}"#, r#"{"m":null}"#);
    }

    #[test]
    fn what_becomes_of_a_field_that_does_not_match_is_a_setting() {
        let number = "the text of a NUMBER field is not a number";
        for (text, reason) in [(r#"{"m":"?"}"#, "the field does not match the regex"), (r#"{"m":"ada -"}"#, number)] {
            assert_fails(&parse(LINE, TYPES, Some("$.a.b"), OnFailure::Fail), text, reason);
            assert_becomes(&parse(LINE, TYPES, Some("$.a.b"), OnFailure::Keep), text, text);
            let drop = parse(LINE, TYPES, None, OnFailure::Drop);
            assert_eq!(perform(&drop, &mut Facts::default(), text), Ok(Err(reason)));
        }
        let endless = format!(r#"{{"m":"{}"}}"#, "a".repeat(60));
        assert_becomes(&parse(r"(?<a>(a+)\2?)+b", "[]", None, OnFailure::Keep), &endless, &endless);
    }

    #[test]
    fn an_expression_without_the_groups_that_are_asked_for_is_refused() {
        assert_eq!(parse("(a)", "[]", None, OnFailure::Fail).check()[0].setting, "regex");
        let [mistake] = &parse("(?<a>.)(?<b>.)", r#"[{"group":"c"}]"#, None, OnFailure::Fail).check()[..] else {
            panic!()
        };
        assert_eq!((&*mistake.setting, mistake.help.as_deref()), ("fields[0].group", Some("its groups are `a`, `b`")));
    }

    proptest! {
        /// Under `KEEP` an event has all that it had, and at most the groups more.
        #[test]
        fn nothing_but_the_groups_changes(text in document()) {
            let operation = ParseRegexOperation { field: "a".to_owned(), ..parse(r"(?<new>\w)", "[]", None, OnFailure::Keep) };
            let delete = DeleteFieldOperation::builder().key_field("new").build();
            let made = perform(&operation, &mut Facts::default(), &text).unwrap().unwrap();
            let without = perform(&delete, &mut Facts::default(), &made).unwrap().unwrap();
            prop_assert_eq!(sorted(&without), sorted(&text));
        }
    }
}
