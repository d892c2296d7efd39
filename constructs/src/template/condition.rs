//! Conditions, mappings and outputs.
//!
//! Imports: `cfn`, `codes`, `problem`.

use crate::codes;
use crate::problem::Problem;
use cfn::{IntoJson, IntoValue, Intrinsic, Json, Members, Value, intrinsic};
use serde_json::json;
use std::collections::BTreeMap;

/// A condition of the template: decided at deployment, by parameters.
///
/// Add it with [`Scope::condition`](crate::tree::Scope::condition).
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `Fn::Equals`
    Equals(Value<String>, Value<String>),
    /// `Fn::And` of 2 to 10.
    And(Vec<Condition>),
    /// `Fn::Or` of 2 to 10.
    Or(Vec<Condition>),
    /// `Fn::Not`
    Not(Box<Condition>),
    /// Another condition of the template.
    Is(ConditionHandle),
}

impl Condition {
    /// Whether two texts are the same.
    pub fn equals(a: impl IntoValue<String>, b: impl IntoValue<String>) -> Self {
        Self::Equals(a.into_value(), b.into_value())
    }

    /// Whether all of 2 to 10 hold.
    pub fn and(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::And(conditions.into_iter().collect())
    }

    /// Whether one of 2 to 10 holds.
    pub fn or(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self::Or(conditions.into_iter().collect())
    }

    /// Whether it does not hold.
    #[expect(clippy::should_implement_trait, reason = "it reads as CloudFormation calls it: `Condition::not(…)`")]
    pub fn not(condition: Condition) -> Self {
        Self::Not(Box::new(condition))
    }

    pub(crate) fn to_json(&self) -> Json {
        let all = |conditions: &[Self]| conditions.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::Equals(a, b) => json!({"Fn::Equals": [a, b]}),
            Self::And(conditions) => json!({"Fn::And": all(conditions)}),
            Self::Or(conditions) => json!({"Fn::Or": all(conditions)}),
            Self::Not(condition) => json!({"Fn::Not": [condition.to_json()]}),
            Self::Is(other) => json!({"Condition": other.name}),
        }
    }

    /// Whether another condition of the template is in it.
    pub(super) fn names_another(&self) -> bool {
        match self {
            Self::Equals(..) => false,
            Self::Is(_) => true,
            Self::Not(condition) => condition.names_another(),
            Self::And(all) | Self::Or(all) => all.iter().any(Self::names_another),
        }
    }

    pub(crate) fn check(&self, name: &str, path: &str) -> Vec<Problem> {
        match self {
            Self::Equals(..) | Self::Is(_) => vec![],
            Self::Not(condition) => condition.check(name, path),
            Self::And(all) | Self::Or(all) => {
                let mut out: Vec<Problem> = all.iter().flat_map(|c| c.check(name, path)).collect();
                if !(2..=10).contains(&all.len()) {
                    let message =
                        format!("condition `{name}`: `And` and `Or` take 2 to 10 conditions, not {}", all.len());
                    out.push(Problem::new(codes::CONDITION, path, message));
                }
                out
            }
        }
    }
}

/// A condition of this stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionHandle {
    name: String,
}

impl ConditionHandle {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For use in another condition.
    pub fn holds(&self) -> Condition {
        Condition::Is(self.clone())
    }

    /// `Fn::If`: one value or the other.
    pub fn if_<T>(&self, then: impl IntoValue<T>, otherwise: impl IntoValue<T>) -> Value<T>
    where
        Value<T>: IntoJson,
    {
        intrinsic::if_(&self.name, then, otherwise)
    }
}

/// A mapping of the template: two keys, one value. Add it with [`Scope::mapping`](crate::tree::Scope::mapping).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    entries: BTreeMap<String, BTreeMap<String, Json>>,
}

impl Mapping {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What stands under two keys: text, a number, a truth value or a list of texts.
    #[must_use]
    pub fn entry(mut self, first: &str, second: &str, value: impl Into<Json>) -> Self {
        self.entries.entry(first.to_owned()).or_default().insert(second.to_owned(), value.into());
        self
    }

    pub(crate) fn to_json(&self) -> Json {
        json!(self.entries)
    }
}

/// A mapping of this stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingHandle {
    name: String,
}

impl MappingHandle {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    /// `Fn::FindInMap`: what stands under two keys.
    pub fn find(&self, first: impl IntoValue<String>, second: impl IntoValue<String>) -> Intrinsic {
        intrinsic::find_in_map(&self.name, first, second)
    }
}

/// What a person, or another stack, needs next. Add it with [`Scope::output`](crate::tree::Scope::output).
#[derive(Clone, Debug, PartialEq)]
#[must_use = "an output is not in the template until it is added"]
pub struct Output {
    value: Value<String>,
    description: String,
    export: Option<Value<String>>,
    condition: Option<String>,
}

impl Output {
    /// An output of this value.
    pub fn new(value: impl IntoValue<String>) -> Self {
        Self { value: value.into_value(), description: String::new(), export: None, condition: None }
    }

    /// What it is.
    pub fn description(self, text: &str) -> Self {
        Self { description: text.to_owned(), ..self }
    }

    /// The name that other stacks of the account and region import it by. Often made of the stack's own name.
    pub fn export(self, name: impl IntoValue<String>) -> Self {
        Self { export: Some(name.into_value()), ..self }
    }

    /// Only where this holds.
    pub fn condition(self, condition: &ConditionHandle) -> Self {
        Self { condition: Some(condition.name.clone()), ..self }
    }

    pub(crate) fn to_json(&self) -> Json {
        let mut out = Members::new();
        if !self.description.is_empty() {
            out.insert("Description".into(), self.description.as_str().into());
        }
        if let Some(condition) = &self.condition {
            out.insert("Condition".into(), condition.as_str().into());
        }
        out.insert("Value".into(), json!(self.value));
        if let Some(name) = &self.export {
            out.insert("Export".into(), json!({"Name": name}));
        }
        Json::Object(out)
    }
}
