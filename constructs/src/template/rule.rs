//! Rules: what parameters must satisfy together.
//!
//! Imports: `cfn`, `codes`, `problem`, `template`.

use super::Condition;
use crate::{codes, problem::Problem};
use cfn::{Json, Members};
use serde_json::json;

/// What the parameters of a deployment must satisfy, beyond what each says of itself. CloudFormation asks before it changes
/// anything, and says the description of what does not hold.
///
/// It is evaluated before conditions are, so it is made of [`Condition::Equals`], `And`, `Or` and `Not` of parameters alone. Add it
/// with [`Scope::rule`](crate::tree::Scope::rule).
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a rule is not in the template until it is added"]
pub struct Rule {
    when: Option<Condition>,
    assertions: Vec<(Condition, String)>,
}

impl Rule {
    /// A rule that holds always.
    pub fn always() -> Self {
        Self { when: None, assertions: vec![] }
    }

    /// A rule for deployments where this holds.
    pub fn when(condition: Condition) -> Self {
        Self { when: Some(condition), assertions: vec![] }
    }

    /// What must be so, and what an operator is told when it is not.
    pub fn assert(mut self, condition: Condition, description: &str) -> Self {
        self.assertions.push((condition, description.to_owned()));
        self
    }

    pub(crate) fn to_json(&self) -> Json {
        let assertion =
            |(condition, text): &(Condition, String)| json!({"Assert": condition.to_json(), "AssertDescription": text});
        let mut out = Members::new();
        if let Some(when) = &self.when {
            out.insert("RuleCondition".into(), when.to_json());
        }
        out.insert("Assertions".into(), self.assertions.iter().map(assertion).collect());
        Json::Object(out)
    }

    /// What CloudFormation would refuse.
    pub(crate) fn check(&self, name: &str, path: &str) -> Vec<Problem> {
        let all = || self.when.iter().chain(self.assertions.iter().map(|(condition, _)| condition));
        let mut out: Vec<Problem> = all().flat_map(|condition| condition.check(name, path)).collect();
        let mut say =
            |message: &str| out.push(Problem::new(codes::CONDITION, path, format!("rule `{name}`: {message}")));
        if self.assertions.is_empty() {
            say("it asserts nothing");
        }
        if all().any(Condition::names_another) {
            say("it names a condition of the template; rules are evaluated before conditions are, so write it out");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::Rule;
    use crate::template::{Condition, ConditionHandle};
    use serde_json::json;

    #[test]
    fn a_rule_is_what_cloudformation_reads() {
        let rule = Rule::when(Condition::equals("a", "b")).assert(Condition::not(Condition::equals("c", "d")), "say c");
        let expected = json!({
            "RuleCondition": {"Fn::Equals": ["a", "b"]},
            "Assertions": [{"Assert": {"Fn::Not": [{"Fn::Equals": ["c", "d"]}]}, "AssertDescription": "say c"}],
        });
        assert_eq!(rule.to_json(), expected);
        assert!(rule.check("Rule", "s").is_empty());
    }

    #[test]
    fn a_rule_that_asserts_nothing_or_names_a_condition_is_refused() {
        let named = Condition::or([Condition::equals("a", "b"), ConditionHandle::new("C").holds()]);
        let said: Vec<String> = Rule::when(named).check("Rule", "s").into_iter().map(|p| p.message).collect();
        assert!(
            said.len() == 2 && said[0].contains("asserts nothing") && said[1].contains("names a condition"),
            "{said:?}"
        );
    }
}
