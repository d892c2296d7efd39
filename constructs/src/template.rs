//! Templates, and what stands in them beside resources.
//!
//! Imports: `cfn`, `codes`, `problem`.

mod condition;
mod parameter;
mod rule;

pub use condition::{Condition, ConditionHandle, Mapping, MappingHandle, Output};
pub(crate) use parameter::alphanumeric;
pub use parameter::{Parameter, ParameterHandle};
pub use rule::Rule;

use cfn::Json;
use std::collections::BTreeMap;

/// A CloudFormation template: the same stack gives the same bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    json: Json,
    tags: BTreeMap<String, String>,
}

impl Template {
    pub(crate) fn new(json: Json, tags: BTreeMap<String, String>) -> Self {
        Self { json, tags }
    }

    /// As text: two spaces of indentation, a newline at the end. This is what limits count.
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.json)
    }

    /// As a value.
    pub fn as_json(&self) -> &Json {
        &self.json
    }

    /// The tags that the stack is deployed with; no part of the template's text.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// The resources of a type: logical id, and the resource with its `Properties`.
    pub fn resources_of<'a>(&'a self, type_name: &'a str) -> impl Iterator<Item = (&'a str, &'a Json)> {
        let all = self.json.get("Resources").and_then(Json::as_object).into_iter().flatten();
        all.filter(move |(_, resource)| resource.get("Type").is_some_and(|t| t == type_name))
            .map(|(id, r)| (id.as_str(), r))
    }
}
