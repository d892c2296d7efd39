//! What can be said of a resource beside its properties, and after it was added.
//!
//! Imports: `cfn`, `codes`, `problem`, `template`.

use super::Stack;
use crate::codes;
use crate::problem::Problem;
use crate::template::ConditionHandle;
use cfn::{Json, Members, Ref};
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a resource that is no longer in the template, or whose stack is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// It is deleted, with what is in it.
    Delete,
    /// It stays, and belongs to nobody.
    Retain,
    /// It stays, but for a resource that was created in the very operation that failed.
    RetainExceptOnCreate,
    /// A snapshot is taken first (only where the type has snapshots).
    Snapshot,
}

/// What becomes of the old resource when a change replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateReplacePolicy {
    /// It is deleted, with what is in it.
    Delete,
    /// It stays, and belongs to nobody.
    Retain,
    /// A snapshot is taken first (only where the type has snapshots).
    Snapshot,
}

/// A resource's members beside type and properties.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) condition: Option<String>,
    pub(super) depends_on: BTreeSet<Dependency>,
    pub(super) deletion_policy: Option<DeletionPolicy>,
    pub(super) update_replace_policy: Option<UpdateReplacePolicy>,
    pub(super) update_policy: Option<Json>,
    pub(super) creation_policy: Option<Json>,
    pub(super) metadata: BTreeMap<String, Json>,
    pub(super) logical_id: Option<String>,
}

/// What must be there before a resource is created.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependency {
    Resource(String),
    /// The policy that holds the grants of this role.
    GrantsOf(String),
    /// The policy of this resource.
    PolicyOf(String),
}

/// What can be said of a resource after it was added. Each method gives the options back, so they chain.
#[derive(Debug)]
pub struct Options<'a> {
    pub(super) stack: &'a mut Stack,
    pub(super) id: String,
}

impl Options<'_> {
    fn with(&mut self, change: impl FnOnce(&mut Attributes)) -> &mut Self {
        // An unknown id was told of when the options were asked for.
        if let Some(entry) = self.stack.resources.get_mut(&self.id) {
            change(&mut entry.attributes);
        }
        self
    }

    /// Creates it after another resource. Needed only where no property refers to that; what a reference implies is left out
    /// of the template.
    pub fn depends_on<R>(&mut self, other: &Ref<R>) -> &mut Self {
        let other = Dependency::Resource(other.logical_id().to_owned());
        self.with(|a| a.depends_on.extend([other]))
    }

    /// Creates it after the policy with the grants of `role`: for what tries the role's permissions when it is created, as an
    /// event source mapping does. Nothing when the role has no grants in the end.
    pub fn depends_on_grants_of(&mut self, role: &Ref<cfn::iam::Role>) -> &mut Self {
        let grants = Dependency::GrantsOf(role.logical_id().to_owned());
        self.with(|a| a.depends_on.extend([grants]))
    }

    /// Creates it after the policy of `target`: a trail after its bucket's policy, a notification after its topic's.
    pub fn depends_on_policy_of<R>(&mut self, target: &Ref<R>) -> &mut Self {
        let policy = Dependency::PolicyOf(target.logical_id().to_owned());
        self.with(|a| a.depends_on.extend([policy]))
    }

    /// What becomes of it when it leaves the stack.
    pub fn deletion_policy(&mut self, policy: DeletionPolicy) -> &mut Self {
        self.with(|a| a.deletion_policy = Some(policy))
    }

    /// What becomes of the old one when a change replaces it.
    pub fn update_replace_policy(&mut self, policy: UpdateReplacePolicy) -> &mut Self {
        self.with(|a| a.update_replace_policy = Some(policy))
    }

    /// Keeps it and what is in it, whatever becomes of the stack: both policies are `Retain`.
    pub fn retain(&mut self) -> &mut Self {
        self.deletion_policy(DeletionPolicy::Retain).update_replace_policy(UpdateReplacePolicy::Retain)
    }

    /// How CloudFormation updates it: of groups, aliases, OpenSearch domains.
    pub fn update_policy(&mut self, policy: Json) -> &mut Self {
        self.with(|a| a.update_policy = Some(policy))
    }

    /// What CloudFormation waits for before it calls it created.
    pub fn creation_policy(&mut self, policy: Json) -> &mut Self {
        self.with(|a| a.creation_policy = Some(policy))
    }

    /// Something to be read in the template; CloudFormation does nothing with it.
    pub fn metadata(&mut self, key: &str, value: Json) -> &mut Self {
        self.with(|a| a.metadata.extend([(key.to_owned(), value)]))
    }

    /// Only where this holds. What refers to it must then be so, too.
    pub fn condition(&mut self, condition: &ConditionHandle) -> &mut Self {
        self.with(|a| a.condition = Some(condition.name().to_owned()))
    }

    /// Another name within the template: for a resource that moves in the code and must stay in the account.
    pub fn override_logical_id(&mut self, id: &str) -> &mut Self {
        self.with(|a| a.logical_id = Some(id.to_owned()))
    }

    /// Sets any property by its path: names and positions joined by dots (`VpcConfig.SubnetIds.0`). Objects on the way are made
    /// where they are missing; `null` removes the property. The result is checked like every property.
    pub fn override_property(&mut self, path: &str, value: Json) -> &mut Self {
        let Some(entry) = self.stack.resources.get_mut(&self.id) else { return self };
        let steps: Vec<&str> = path.split('.').collect();
        if let Err(at) = put(&mut entry.properties, &steps, value) {
            let message = format!("`{path}` cannot be overridden: there is no way through `{at}`");
            let place = entry.path.clone();
            self.stack.problems.push(Problem::new(codes::NO_SUCH_OVERRIDE, self.stack.place(&place), message));
        }
        self
    }

    /// Adds an item to the end of a list, by the list's path as of [`Options::override_property`]. The list is made where it is
    /// missing.
    pub fn append_property(&mut self, path: &str, item: Json) -> &mut Self {
        let pointer = format!("/{}", path.replace('.', "/"));
        let known = self.stack.resources.get(&self.id).and_then(|entry| entry.properties.pointer(&pointer));
        let mut items = known.and_then(Json::as_array).cloned().unwrap_or_default();
        items.push(item);
        self.override_property(path, Json::Array(items))
    }
}

/// The step that led nowhere is the error.
fn put<'p>(target: &mut Json, steps: &[&'p str], value: Json) -> Result<(), &'p str> {
    let [step, rest @ ..] = steps else {
        *target = value;
        return Ok(());
    };
    if cfn::constraint::is_intrinsic(target) {
        return Err(step);
    }
    match target {
        Json::Object(members) if rest.is_empty() && value.is_null() => {
            members.shift_remove(*step);
            Ok(())
        }
        Json::Object(members) => {
            let next = members.entry((*step).to_owned()).or_insert_with(|| Json::Object(Members::new()));
            put(next, rest, value)
        }
        Json::Array(items) => {
            let at: Option<usize> = step.parse().ok().filter(|at| *at < items.len());
            match at {
                Some(at) if rest.is_empty() && value.is_null() => {
                    items.remove(at);
                    Ok(())
                }
                Some(at) => items.get_mut(at).map_or(Err(*step), |item| put(item, rest, value)),
                None => Err(step),
            }
        }
        _ => Err(step),
    }
}

impl DeletionPolicy {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::RetainExceptOnCreate => "RetainExceptOnCreate",
            Self::Snapshot => "Snapshot",
        }
    }
}

impl UpdateReplacePolicy {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Retain => "Retain",
            Self::Snapshot => "Snapshot",
        }
    }
}
