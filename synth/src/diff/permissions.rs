//! Who may do what, before and after: every statement of every policy, taken apart to one action on one resource.
//!
//! It reads what is written, and does not evaluate: a statement that another one already grants still counts.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::compare::canonical;

/// One action on one resource, allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Permission {
    /// Who: the principal that the statement names, or the resource that the policy is part of.
    pub who: String,
    /// `Allow` or `Deny`.
    pub effect: String,
    /// The action: `s3:GetObject`; `all but s3:*` for a `NotAction`.
    pub action: String,
    /// On what.
    pub resource: String,
    /// Under which condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.effect == "Deny" { "may not" } else { "may" };
        write!(f, "{} {word} {} on {}", self.who, self.action, self.resource)?;
        match &self.condition {
            Some(condition) => write!(f, " if {condition}"),
            None => Ok(()),
        }
    }
}

/// What is widened and what is narrowed, each sorted.
pub fn compare(old: &Map<String, Value>, new: &Map<String, Value>) -> (Vec<Permission>, Vec<Permission>) {
    let (old, new) = (all(old), all(new));
    let is_denial = |p: &&Permission| p.effect == "Deny";
    let collect = |come: &BTreeSet<Permission>, gone: &BTreeSet<Permission>| {
        let allowed = come.difference(gone).filter(|p| !is_denial(p));
        let no_longer_denied = gone.difference(come).filter(is_denial);
        allowed.chain(no_longer_denied).cloned().collect()
    };
    (collect(&new, &old), collect(&old, &new))
}

fn all(resources: &Map<String, Value>) -> BTreeSet<Permission> {
    let mut found = BTreeSet::new();
    for (id, resource) in resources {
        let properties = &resource["Properties"];
        match resource["Type"].as_str() {
            Some("AWS::Lambda::Permission") => {
                let mut condition = Map::new();
                for name in ["SourceArn", "SourceAccount", "PrincipalOrgID", "EventSourceToken"] {
                    if let Some(value) = properties.get(name) {
                        condition.insert(name.to_owned(), value.clone());
                    }
                }
                found.insert(Permission {
                    who: shown(&properties["Principal"]),
                    effect: "Allow".to_owned(),
                    action: shown(&properties["Action"]),
                    resource: shown(&properties["FunctionName"]),
                    condition: (!condition.is_empty()).then(|| shown(&Value::Object(condition))),
                });
            }
            kind => {
                let holder = match kind {
                    Some("AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy") => {
                        holder(id, properties)
                    }
                    _ => id.clone(),
                };
                for policy in list(&properties["ManagedPolicyArns"]) {
                    found.insert(Permission {
                        who: holder.clone(),
                        effect: "Allow".to_owned(),
                        action: "everything".to_owned(),
                        resource: format!("what the policy {} says", shown(policy)),
                        condition: None,
                    });
                }
                documents(properties, &holder, &mut found);
            }
        }
    }
    found
}

/// The roles, users and groups that a policy is attached to; the policy itself when to none.
fn holder(id: &str, properties: &Value) -> String {
    let names: Vec<String> = ["Roles", "RoleName", "Users", "Groups"]
        .iter()
        .flat_map(|member| list(&properties[*member]))
        .map(shown)
        .collect();
    if names.is_empty() { id.to_owned() } else { names.join(", ") }
}

/// Policy documents at any depth: whatever has a `Statement`.
fn documents(value: &Value, holder: &str, found: &mut BTreeSet<Permission>) {
    match value {
        Value::Object(members) => {
            for statement in members.get("Statement").into_iter().flat_map(list) {
                statements(statement, holder, found);
            }
            members.values().for_each(|member| documents(member, holder, found));
        }
        Value::Array(items) => items.iter().for_each(|item| documents(item, holder, found)),
        _ => {}
    }
}

fn statements(statement: &Value, holder: &str, found: &mut BTreeSet<Permission>) {
    let Some(effect) = statement["Effect"].as_str() else { return };
    let either = |name: &str, not: &str, none: &str| -> Vec<String> {
        let plain = list(&statement[name]).map(shown);
        let texts: Vec<String> = plain.chain(list(&statement[not]).map(|v| format!("all but {}", shown(v)))).collect();
        if texts.is_empty() { vec![none.to_owned()] } else { texts }
    };
    let who = principals(&statement["Principal"])
        .or_else(|| Some(principals(&statement["NotPrincipal"])?.iter().map(|who| format!("all but {who}")).collect()))
        .unwrap_or_else(|| vec![holder.to_owned()]);
    let condition = statement.get("Condition").map(shown);
    let actions = either("Action", "NotAction", "nothing");
    // A trust policy and a key's policy speak of what they are attached to.
    let resources = either("Resource", "NotResource", holder);
    for who in &who {
        for action in &actions {
            for resource in &resources {
                found.insert(Permission {
                    who: who.clone(),
                    effect: effect.to_owned(),
                    action: action.clone(),
                    resource: resource.clone(),
                    condition: condition.clone(),
                });
            }
        }
    }
}

fn principals(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Null => None,
        Value::Object(kinds) if !kinds.keys().any(|name| name.starts_with("Fn::") || name == "Ref") => {
            Some(kinds.values().flat_map(list).map(shown).collect())
        }
        other => Some(list(other).map(shown).collect()),
    }
}

/// The items of a list, or the one value in its place; none for null.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let (items, one) = match value {
        Value::Array(items) => (items.as_slice(), None),
        Value::Null => (&[][..], None),
        one => (&[][..], Some(one)),
    };
    items.iter().chain(one)
}

/// A value as one reads it: `${Bucket.Arn}/*` for what is joined from intrinsics, JSON where it is more than that.
pub fn shown(value: &Value) -> String {
    plain(value).unwrap_or_else(|| canonical(value))
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(members) if members.len() == 1 => {
            let (name, argument) = members.iter().next()?;
            match (name.as_str(), argument) {
                ("Ref" | "Fn::GetAtt", Value::String(of)) => Some(format!("${{{of}}}")),
                ("Fn::GetAtt", Value::Array(of)) => {
                    let names: Option<Vec<&str>> = of.iter().map(Value::as_str).collect();
                    Some(format!("${{{}}}", names?.join(".")))
                }
                ("Fn::Sub", Value::String(text)) => Some(text.clone()),
                ("Fn::Join", Value::Array(of)) => {
                    let (Some(Value::String(between)), Some(Value::Array(parts))) = (of.first(), of.get(1)) else {
                        return None;
                    };
                    Some(parts.iter().map(plain).collect::<Option<Vec<_>>>()?.join(between))
                }
                _ => None,
            }
        }
        _ => None,
    }
}
