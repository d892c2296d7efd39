//! From a stack to its template.
//!
//! Imports: `cfn`, `check`, `codes`, `iam`, `logical_id`, `problem`, `reference`, `template`.

use super::options::{Attributes, Dependency};
use super::{Entry, Stack};
use crate::check;
use crate::codes;
use crate::iam::{Carrier, PolicyDocument, grants_of};
use crate::logical_id::logical_id;
use crate::problem::{Problem, Severity};
use crate::reference::{Reference, references, rename};
use crate::template::{Template, alphanumeric};
use cfn::{IntoJson as _, IntoValue as _, Json, Members, Ref, Resource as _};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What a stack becomes, and all that is to be said of it.
#[derive(Clone, Debug)]
pub struct Synthesis {
    template: Template,
    /// Errors first; within each, by construct.
    pub problems: Vec<Problem>,
}

impl Synthesis {
    /// The template, when there is no error; warnings do not keep it back.
    pub fn template(self) -> Result<Template, Vec<Problem>> {
        let refused = self.problems.iter().any(|p| p.severity == Severity::Error);
        if refused { Err(self.problems) } else { Ok(self.template) }
    }

    /// The template even when there are errors: to look at, not to deploy.
    pub fn draft(&self) -> &Template {
        &self.template
    }
}

impl Stack {
    /// Writes the template and checks all that can be checked before a deployment.
    pub fn synth(&self) -> Synthesis {
        let mut stack = self.clone();
        let policies = stack.write_policies();
        stack.resolve_dependencies(&policies);
        let overridden = stack.overridden_ids();
        let template = stack.template(&overridden);
        let place =
            |(id, entry): (&String, &Entry)| (overridden.get(id).unwrap_or(id).clone(), stack.place(&entry.path));
        let places: BTreeMap<String, String> = stack.resources.iter().map(place).collect();
        let mut problems = stack.problems.clone();
        problems.extend(check::template(&stack.name, template.as_json(), &places));
        problems.sort_by(|a, b| (a.severity, &a.path).cmp(&(b.severity, &b.path)));
        Synthesis { template, problems }
    }

    /// Makes resources of gathered grants and policies. Gives the logical ids of the policies, by what they belong to.
    fn write_policies(&mut self) -> BTreeMap<Dependency, String> {
        let mut written = BTreeMap::new();
        for (role, statements) in std::mem::take(&mut self.grants) {
            let Some(path) = self.below(&role, "DefaultPolicy") else { continue };
            let Some(id) = logical_id(&path) else { continue };
            let policy = grants_of(&Ref::new(role.clone()), &id, statements);
            self.write(&id, path, &role, cfn::iam::Policy::TYPE.name, policy.into_json());
            written.insert(Dependency::GrantsOf(role), id);
        }
        for (target, (carrier, statements)) in std::mem::take(&mut self.policies) {
            let policy = PolicyDocument::merged(statements).into_value().into_json();
            match carrier {
                Carrier::Resource { type_name, target: property, by, document } => {
                    let Some(path) = self.below(&target, "Policy") else { continue };
                    let Some(id) = logical_id(&path) else { continue };
                    self.write(&id, path, &target, type_name, json!({ property: by.name(&target), document: policy }));
                    written.insert(Dependency::PolicyOf(target), id);
                }
                Carrier::Property(property) => {
                    if let Some(entry) = self.resources.get_mut(&target) {
                        append(&mut entry.properties, property, policy);
                    }
                }
            }
        }
        written
    }

    /// The path of a resource that belongs to another: `Role/Resource` -> `Role/DefaultPolicy/Resource`.
    fn below(&self, id: &str, name: &str) -> Option<Vec<String>> {
        let mut path = self.resources.get(id)?.path.clone();
        if path.last().is_some_and(|last| last == "Resource") {
            path.pop();
        }
        path.extend([name.to_owned(), "Resource".to_owned()]);
        Some(path)
    }

    /// Writes a policy. It exists where what it belongs to does.
    fn write(&mut self, id: &str, path: Vec<String>, of: &str, type_name: &str, properties: Json) {
        if let Some(other) = self.resources.get(id) {
            let message = format!("its logical id `{id}` is also that of {}", self.place(&other.path));
            let problem = Problem::new(codes::SAME_LOGICAL_ID, self.place(&path), message);
            self.problems.push(problem.help("the policy of grants has this id; rename the other"));
            return;
        }
        let condition = self.resources.get(of).and_then(|of| of.attributes.condition.clone());
        let attributes = Attributes { condition, ..Attributes::default() };
        let entry = Entry { path, type_name: type_name.to_owned(), properties, attributes };
        self.resources.insert(id.to_owned(), entry);
    }

    /// Turns dependencies into those on resources; those that a reference implies are left out.
    fn resolve_dependencies(&mut self, policies: &BTreeMap<Dependency, String>) {
        for entry in self.resources.values_mut() {
            let implied: BTreeSet<String> = references(&entry.properties, "")
                .into_iter()
                .filter(|found| !found.conditional)
                .filter_map(|found| match found.reference {
                    Reference::Ref(id) | Reference::GetAtt(id, _) => Some(id),
                    Reference::Mapping(_) | Reference::Condition(_) => None,
                })
                .collect();
            let wanted = std::mem::take(&mut entry.attributes.depends_on);
            let ids = wanted.into_iter().filter_map(|wanted| match wanted {
                Dependency::Resource(id) => Some(id),
                other => policies.get(&other).cloned(),
            });
            let needed = ids.filter(|id| !implied.contains(id)).map(Dependency::Resource);
            entry.attributes.depends_on = needed.collect();
        }
    }

    /// Old -> new logical id.
    fn overridden_ids(&mut self) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        for (id, entry) in &self.resources {
            let place = self.place(&entry.path);
            let new = entry.attributes.logical_id.clone();
            if let Some(new) = new.as_ref().filter(|new| !alphanumeric(new)) {
                let message = format!("`{new}` is no logical id");
                let problem = Problem::new(codes::INVALID_ID, place.clone(), message);
                self.problems.push(problem.help("use letters and digits, at most 255"));
            }
            let id_now = new.clone().unwrap_or_else(|| id.clone());
            if let Some(other) = taken.insert(id_now.clone(), place.clone()) {
                let message = format!("its logical id `{id_now}` is also that of {other}");
                self.problems.push(Problem::new(codes::SAME_LOGICAL_ID, place, message).help("override it otherwise"));
            }
            if let Some(new) = new {
                names.insert(id.clone(), new);
            }
        }
        names
    }

    fn template(&self, overridden: &BTreeMap<String, String>) -> Template {
        let named = |mut json: Json| {
            rename(&mut json, overridden);
            json
        };
        let mut resources = BTreeMap::new();
        for (id, entry) in &self.resources {
            resources.insert(overridden.get(id).unwrap_or(id).clone(), named(entry.to_json(overridden)));
        }
        let outputs: BTreeMap<_, _> =
            self.outputs.iter().map(|(name, output)| (name, named(output.to_json()))).collect();
        let parameters: BTreeMap<_, _> = self.parameters.iter().map(|(name, p)| (name, p.to_json())).collect();
        let mappings: BTreeMap<_, _> = self.mappings.iter().map(|(name, m)| (name, m.to_json())).collect();
        let rules: BTreeMap<_, _> = self.rules.iter().map(|(name, r)| (name, r.to_json())).collect();
        let conditions: BTreeMap<_, _> = self.conditions.iter().map(|(name, c)| (name, c.to_json())).collect();
        let mut metadata: BTreeMap<String, Json> =
            self.metadata.iter().map(|(key, value)| (key.clone(), sorted(value.clone()))).collect();
        if let Some(interface) = self.interface() {
            metadata.insert("AWS::CloudFormation::Interface".into(), interface);
        }
        let mut out = Members::new();
        out.insert("AWSTemplateFormatVersion".into(), "2010-09-09".into());
        if !self.description.is_empty() {
            out.insert("Description".into(), self.description.as_str().into());
        }
        for (name, section) in [
            ("Metadata", json!(metadata)),
            ("Parameters", json!(parameters)),
            ("Rules", json!(rules)),
            ("Mappings", json!(mappings)),
            ("Conditions", json!(conditions)),
            ("Resources", json!(resources)),
            ("Outputs", json!(outputs)),
        ] {
            if name == "Resources" || section.as_object().is_some_and(|s| !s.is_empty()) {
                out.insert(name.into(), section);
            }
        }
        Template::new(Json::Object(out), self.tags.clone())
    }

    /// How the console shows the parameters, when any says so.
    fn interface(&self) -> Option<Json> {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut labels = Members::new();
        for (name, parameter) in &self.parameters {
            let (group, label) = parameter.interface();
            if !group.is_empty() {
                groups.entry(group).or_default().push(name);
            }
            if !label.is_empty() {
                labels.insert(name.clone(), json!({"default": label}));
            }
        }
        let group = |(heading, names): (&str, Vec<&str>)| json!({"Label": {"default": heading}, "Parameters": names});
        let groups: Vec<Json> = groups.into_iter().map(group).collect();
        let mut out = Members::new();
        if !groups.is_empty() {
            out.insert("ParameterGroups".into(), groups.into());
        }
        if !labels.is_empty() {
            out.insert("ParameterLabels".into(), labels.into());
        }
        (!out.is_empty()).then_some(Json::Object(out))
    }
}

impl Entry {
    fn to_json(&self, overridden: &BTreeMap<String, String>) -> Json {
        let a = &self.attributes;
        let depends_on: Vec<&str> = a
            .depends_on
            .iter()
            .filter_map(|dependency| match dependency {
                Dependency::Resource(id) => Some(overridden.get(id).unwrap_or(id).as_str()),
                Dependency::GrantsOf(_) | Dependency::PolicyOf(_) => None,
            })
            .collect();
        let mut out = Members::new();
        let mut put = |name: &str, value: Option<Json>| {
            if let Some(value) = value {
                out.insert(name.to_owned(), sorted(value));
            }
        };
        put("Type", Some(self.type_name.as_str().into()));
        put("Condition", a.condition.as_deref().map(Json::from));
        put("DependsOn", Some(json!(depends_on)).filter(|_| !depends_on.is_empty()));
        put("CreationPolicy", a.creation_policy.clone());
        put("UpdatePolicy", a.update_policy.clone());
        put("DeletionPolicy", a.deletion_policy.map(|p| p.name().into()));
        put("UpdateReplacePolicy", a.update_replace_policy.map(|p| p.name().into()));
        put("Metadata", Some(json!(a.metadata)).filter(|_| !a.metadata.is_empty()));
        let empty = self.properties.as_object().is_some_and(Members::is_empty);
        put("Properties", Some(taken(self.properties.clone(), a.condition.as_deref())).filter(|_| !empty));
        Json::Object(out)
    }
}

/// What a choice by `condition` comes to in a resource that is there only where it holds.
fn taken(json: Json, condition: Option<&str>) -> Json {
    let Some(condition) = condition else { return json };
    let chosen = match json.pointer("/Fn::If") {
        Some(Json::Array(choice)) if choice.first().is_some_and(|name| name == condition) => choice.get(1).cloned(),
        _ => None,
    };
    match chosen.unwrap_or(json) {
        Json::Object(members) => {
            members.into_iter().map(|(name, value)| (name, taken(value, Some(condition)))).collect()
        }
        Json::Array(items) => items.into_iter().map(|item| taken(item, Some(condition))).collect(),
        scalar => scalar,
    }
}

/// Members sorted by name at every depth, so that moving a line of code does not change the template.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let members: BTreeMap<String, Json> =
                members.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            Json::Object(members.into_iter().collect())
        }
        Json::Array(items) => items.into_iter().map(sorted).collect(),
        scalar => scalar,
    }
}

/// Adds the statements of a policy to a property that may hold one already.
fn append(properties: &mut Json, property: &str, policy: Json) {
    let Some(members) = properties.as_object_mut() else { return };
    match members.get_mut(property).and_then(|p| p.get_mut("Statement")).and_then(Json::as_array_mut) {
        Some(statements) => {
            if let Some(Json::Array(more)) = policy.get("Statement") {
                statements.extend(more.iter().cloned());
            }
        }
        None => drop(members.insert(property.to_owned(), policy)),
    }
}
