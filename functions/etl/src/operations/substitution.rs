//! `SubstitutionOperation`: values that are put into an event.
//!
//! Imports: `build`, `codes`, `component`, `event`, `field`, `need`, `substitutions`.

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    codes,
    component::{Any, Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    need::Need,
    substitutions::{self, Keys, Place, RunSubstitution, SubstitutionConfig},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts values into the event: fields of it, fixed texts, parts of texts, facts about the event and the invocation. What there is, is in
/// [substitutions](substitutions.md).
///
/// The substitutions are done in order, and each sees what those before it did. When one fails, the event does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct SubstitutionOperation {
    /// What to put in.
    pub substitutions: Vec<SubstitutionConfig>,
}

impl Component for SubstitutionOperation {
    const NAME: &'static str = "SubstitutionOperation";
    const EXAMPLE: &'static str = "type: SubstitutionOperation\nsubstitutions:\n- type: StaticSubstitution\n  key: environment\n  value: production\n- type: FieldSubstitution\n  \
                                   key: host\n  src_fields: [$.hostname, $.HOST]\n  fail_src_not_found: false\n";

    fn needs(&self) -> Vec<Need> {
        self.substitutions.iter().flat_map(Any::needs).collect()
    }

    /// Keys are paths here, and names in a `NestedSubstitution`, so it is not for the substitutions to say what is wrong with them.
    fn check(&self) -> Vec<Mistake> {
        let mut mistakes = vec![];
        for (number, substitution) in self.substitutions.iter().enumerate() {
            for (setting, key) in substitution.keys() {
                if let Some(flaw) = field::mistake_of_places(key) {
                    let setting = format!("substitutions[{number}].{setting}");
                    let message = format!("`{key}` cannot be a key: {}", flaw.message);
                    mistakes.push(Mistake { code: codes::FORM, help: flaw.help, ..Mistake::new(setting, message) });
                }
            }
        }
        mistakes
    }
}

impl Operation for SubstitutionOperation {
    type State = Vec<Box<dyn RunSubstitution>>;

    fn state(&self, cx: &BuildCx<'_>) -> Result<Self::State, BuildError> {
        substitutions::build(&self.substitutions, cx, Keys::Paths)
    }

    fn perform(&self, substitutions: &mut Self::State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        for substitution in substitutions {
            substitution.substitute(event, &mut Place::Event)?;
        }
        Ok(Outcome::Pass)
    }

    fn wants_hash(&self) -> bool {
        self.substitutions.iter().any(|one| one.wants_hash())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::substitutions::{NestedSubstitution, StaticSubstitution};

    #[test]
    fn a_key_is_a_path_in_an_event_and_a_name_in_an_object() {
        let fixed = |key: &str| StaticSubstitution::builder().key(key).value("x").build();
        let nested = NestedSubstitution::builder().key("n").substitutions(vec![fixed("a[").into()]).build();
        let operation = SubstitutionOperation { substitutions: vec![nested.into(), fixed("a[").into()] };
        let mistakes = operation.check();
        assert_eq!((mistakes.len(), &*mistakes[0].setting), (1, "substitutions[1].key"));
    }
}
