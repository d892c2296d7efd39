//! `ConditionalOperation`: what is done to an event depends on the event.
//!
//! Imports: `build`, `codes`, `component`, `config`, `need`.

use super::{BasicFilterOperation, BuildOperation, Guarded, Step, branch};
use crate::{
    build::{BuildCx, BuildError},
    codes,
    component::{Any, Component, Mistake},
    config::OperationConfig,
    need::Need,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes an event through the operations of the first condition that it passes; then it goes on behind this operation.
///
/// An event that passes none of the conditions goes on as it is, or is dropped: see `filter_non_match`. A condition without operations
/// lets its events go on as they are.
///
/// # Unlike Bender
///
/// - A condition without operations lets its events pass. (Bender fails on the first event.)
/// - What fails behind a condition fails alone. (Bender loses all that follows, or hangs until Lambda ends the function.)
/// - Its figures carry its own name. (Bender reports them as those of `ForkOperation`.)
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct ConditionalOperation {
    /// The conditions, of which the first one that an event passes counts.
    #[serde(default)]
    #[builder(default)]
    pub conditions: Vec<Condition>,
    /// Whether events that pass none of the conditions are dropped.
    #[serde(default)]
    #[builder(default)]
    pub filter_non_match: bool,
}

/// A condition, and what is done to the events that pass it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A filter: `RegexFilterOperation`, whose `exclude` is `true` unless said otherwise, `SampleOperation` or `BasicFilterOperation`.
    #[builder(into)]
    #[schemars(extend("x-filter" = true))]
    pub condition: OperationConfig,
    /// The steps, in order.
    #[serde(default)]
    #[builder(default)]
    pub operations: Vec<OperationConfig>,
}

impl Component for ConditionalOperation {
    const NAME: &'static str = "ConditionalOperation";
    const EXAMPLE: &'static str = "type: ConditionalOperation\nconditions:\n- condition:\n    type: RegexFilterOperation\n    path: $.level\n    \
                                   regex: error|fatal\n    exclude: false\n  operations:\n  - type: FlattenOperation\n";

    fn needs(&self) -> Vec<Need> {
        let all = self.conditions.iter().flat_map(|one| [&one.condition].into_iter().chain(&one.operations));
        all.flat_map(Any::needs).collect()
    }

    fn check(&self) -> Vec<Mistake> {
        let mut mistakes = vec![];
        let mut taken = false;
        for (number, Condition { condition, .. }) in self.conditions.iter().enumerate() {
            let setting = format!("conditions[{number}].condition");
            if !condition.is_filter() {
                let message = format!("`{}` is no filter, so it cannot be a condition", condition.name());
                let help = "use `RegexFilterOperation`, and put what changes events among the `operations`";
                mistakes.push(Mistake { code: codes::NOT_A_FILTER, ..Mistake::new(setting, message).help(help) });
            } else if taken {
                let message = "no event gets here: an earlier condition lets all of them pass";
                let help = "put the condition that lets everything pass last";
                mistakes.push(Mistake { code: codes::NEVER, ..Mistake::new(setting, message).help(help) });
            }
            taken |= condition.name() == BasicFilterOperation::NAME && condition.raw_json()["pass"] == true;
        }
        mistakes
    }
}

impl BuildOperation for ConditionalOperation {
    fn build(&self, cx: &BuildCx<'_>) -> Result<Step, BuildError> {
        let built = |one: &Condition| {
            let name = one.condition.name();
            match one.condition.build(cx).map_err(|error| error.of(name))? {
                Step::Perform(filter) if one.condition.is_filter() => {
                    Ok(Guarded { name, filter, branch: branch(&one.operations, cx)? })
                }
                _ => Err(BuildError::new(format!("`{name}` is no filter, so it cannot be a condition")).of(Self::NAME)),
            }
        };
        let branches = self.conditions.iter().map(built).collect::<Result<_, _>>()?;
        Ok(Step::Choose { branches, drop_others: self.filter_non_match })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::FlattenOperation;

    fn conditional(conditions: Vec<OperationConfig>) -> ConditionalOperation {
        let conditions = conditions.into_iter().map(|one| Condition::builder().condition(one).build()).collect();
        ConditionalOperation::builder().conditions(conditions).build()
    }

    #[test]
    fn only_a_filter_can_be_a_condition() {
        let flatten = FlattenOperation::builder().build();
        let mistakes = conditional(vec![BasicFilterOperation { pass: false }.into(), flatten.into()]).check();
        assert_eq!(
            (mistakes.len(), mistakes[0].code, &*mistakes[0].setting),
            (1, codes::NOT_A_FILTER, "conditions[1].condition")
        );
    }

    #[test]
    fn nothing_stands_behind_a_condition_that_lets_everything_pass() {
        let all = |pass: &[bool]| conditional(pass.iter().map(|&pass| BasicFilterOperation { pass }.into()).collect());
        assert_eq!(all(&[false, true]).check(), []);
        let mistakes = all(&[true, false, true]).check();
        let found: Vec<_> = mistakes.iter().map(|mistake| (mistake.code, &*mistake.setting)).collect();
        assert_eq!(found, [(codes::NEVER, "conditions[1].condition"), (codes::NEVER, "conditions[2].condition")]);
    }
}
