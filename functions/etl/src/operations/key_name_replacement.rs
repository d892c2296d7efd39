//! `KeyNameReplacementOperation`: names that match are changed, or their members dropped.
//!
//! Imports: `build`, `component`, `config`, `event`, `pattern`, `payload`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    config::variables,
    event::{Event, Fault, Outcome},
    pattern::{Pattern, PatternError, Replacement},
};
use bon::Builder;
use payload::{Change, Reach, Rewriter};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Changes every name that an expression finds something in, or drops such members: in the event, in objects in it, and in whatever
/// arrays hold.
///
/// When two members of one object would get the same name, the event fails rather than lose one of the values. A member that is null
/// keeps its null; the serializer leaves nulls out.
///
/// # Unlike Bender
///
/// - Members whose names collide fail the event, which is counted. (Bender keeps one of them, by chance, and the other is lost.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct KeyNameReplacementOperation {
    /// What is looked for anywhere in a name.
    pub regex: Pattern,
    /// What every match becomes: nothing if it is left out. `$1` and `${name}` are what a group of the expression holds, `\$` is a dollar.
    #[serde(default)]
    #[builder(default, into)]
    pub replacement: String,
    /// Whether members whose name matches are dropped, with all that is in them.
    #[serde(default)]
    #[builder(default)]
    pub drop: bool,
}

impl KeyNameReplacementOperation {
    /// None while the expression or the replacement is not known.
    fn read(&self) -> Option<Result<Replacement, PatternError>> {
        let names = self.regex.group_names().filter(|_| !variables::holds(&self.replacement))?;
        Some(Replacement::new(&self.replacement, &names))
    }
}

impl Component for KeyNameReplacementOperation {
    const NAME: &'static str = "KeyNameReplacementOperation";
    const EXAMPLE: &'static str = "type: KeyNameReplacementOperation\nregex: '[^a-zA-Z0-9_]+'\nreplacement: _\n";

    fn check(&self) -> Vec<Mistake> {
        let error = self.read().and_then(Result::err);
        error
            .map(|error| Mistake { help: error.help, ..Mistake::new("replacement", error.message) })
            .into_iter()
            .collect()
    }
}

/// A rule for names, and whether the expression gave up on one of them.
#[derive(Debug)]
pub struct Rule {
    rewriter: Rewriter,
    exhausted: Arc<AtomicBool>,
}

impl Operation for KeyNameReplacementOperation {
    type State = Rule;

    fn state(&self, _: &BuildCx<'_>) -> Result<Rule, BuildError> {
        let replacement = self.read().unwrap_or_else(|| Replacement::new("", &[]));
        let replacement = replacement.map_err(|error| BuildError::new(error.message))?;
        let (regex, drop, exhausted) = (self.regex.clone(), self.drop, Arc::new(AtomicBool::new(false)));
        let gave_up = Arc::clone(&exhausted);
        // Asked once for each name that turns up, not for each event.
        let rewriter = Rewriter::new(Reach::All, move |name, _| match regex.replace_all(name, &replacement) {
            Ok(Some(_)) if drop => Change::Drop,
            Ok(Some(new)) => Change::Rename(new),
            Ok(None) => Change::Keep,
            Err(_) => {
                gave_up.store(true, Ordering::Relaxed);
                Change::Keep
            }
        });
        Ok(Rule { rewriter, exhausted })
    }

    fn perform(&self, rule: &mut Rule, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let rewritten = event.payload.rewrite(&mut rule.rewriter);
        if rule.exhausted.swap(false, Ordering::Relaxed) {
            // What was decided of that name was no decision: it is to be asked for again.
            rule.rewriter.forget();
            return Err(Fault::new("the regular expression takes too many steps on a name"));
        }
        rewritten?;
        Ok(Outcome::Pass)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_becomes, assert_fails};

    fn replace(regex: &str, with: &str) -> KeyNameReplacementOperation {
        KeyNameReplacementOperation::builder().regex(Pattern::new(regex).unwrap()).replacement(with).build()
    }

    #[test]
    fn names_change_at_every_depth() {
        assert_becomes(
            &replace("[^a-z]", "_"),
            r#"{"foo-bar":1.50,"a.b":{"c d":[{"e-f":1},[{"g-h":2}]]},"ok":1,"x-null":null}"#,
            r#"{"foo_bar":1.50,"a_b":{"c_d":[{"e_f":1},[{"g_h":2}]]},"ok":1,"x_null":null}"#,
        );
        assert_becomes(&replace("^(?<first>.)_", "${first}"), r#"{"a_b":1,"x":2}"#, r#"{"ab":1,"x":2}"#);
    }

    #[test]
    fn members_whose_name_matches_can_be_dropped() {
        let operation = KeyNameReplacementOperation { drop: true, ..replace("secret", "") };
        assert_becomes(
            &operation,
            r#"{"secret_a":1,"keep":{"secret":{"x":1},"k":1},"arr":[{"my_secret":1,"z":2}]}"#,
            r#"{"keep":{"k":1},"arr":[{"z":2}]}"#,
        );
    }

    #[test]
    fn an_event_fails_rather_than_lose_a_value() {
        assert_fails(&replace("[.-]", "_"), r#"{"a.b":1,"a-b":2}"#, "two members would have the same name");
    }

    #[test]
    fn an_event_fails_whenever_the_expression_gives_up_on_one_of_its_names() {
        let operation = replace(r"((x+)\2?)+y", "");
        let mut state = operation.state(&crate::testing::cx(&crate::testing::no_assets())).unwrap();
        let mut arena = payload::Arena::new();
        let mut facts = crate::event::Facts::default();
        for _ in 0..2 {
            let text = format!(r#"{{"{}":1}}"#, "x".repeat(60));
            let mut event = Event { payload: arena.parse_slice(text.as_bytes()).unwrap(), facts: &mut facts };
            assert_eq!(
                operation.perform(&mut state, &mut event).unwrap_err().reason,
                "the regular expression takes too many steps on a name"
            );
        }
        let mut event = Event { payload: arena.parse_slice(br#"{"xxy":1}"#).unwrap(), facts: &mut facts };
        assert_eq!(operation.perform(&mut state, &mut event), Ok(Outcome::Pass));
    }

    #[test]
    fn a_replacement_of_a_group_that_is_not_there_is_refused() {
        let mistakes = replace("(a)", "$2").check();
        assert_eq!((mistakes.len(), &*mistakes[0].setting), (1, "replacement"));
        assert_eq!(replace("(a)", "$1").check(), []);
    }
}
