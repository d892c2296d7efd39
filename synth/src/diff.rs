//! What a deployment would change: two templates, compared as CloudFormation would act on them.
//!
//! A pure function over two JSON documents. Resources are matched by logical id, as CloudFormation does; what a changed property
//! does to its resource comes from the tables of [`constructs::cfn`]; a resource that is replaced changes every property that refers to it.
//!
//! Not here: where the templates come from (see [`crate::commands::diff`]) and parameters' values, which no template knows.

pub mod compare;
pub mod impact;
pub mod permissions;
pub mod render;

use std::collections::BTreeSet;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub use compare::{Change, Path};
pub use permissions::Permission;

/// What changes from one template to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Resources that are added, removed or changed, sorted by logical id.
    pub resources: Vec<ResourceDiff>,
    /// Everything else of the template: `Parameters`, `Outputs`, `Conditions` and so on, sorted by path.
    pub sections: Vec<Change>,
    /// What somebody may do afterwards and could not do before (a denial that goes away included).
    pub widened: Vec<Permission>,
    /// What somebody may no longer do.
    pub narrowed: Vec<Permission>,
}

/// One resource that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceDiff {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type: the new one, where there is one.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happens to it.
    pub action: Action,
    /// What happens to the data that it keeps, when it goes away or may go away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Its members that change; none when the resource is added or removed as a whole.
    pub changes: Vec<MemberChange>,
}

/// What happens to a resource; what comes later wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing at all: only what the template says about it (`Metadata`, `DependsOn`, policies).
    Annotate,
    /// It is changed in place.
    Update,
    /// It is changed, but the type is not in our tables: whether by replacing it is not known.
    Unknown,
    /// It is replaced by a new one, depending on the values.
    MayReplace,
    /// It is replaced by a new one.
    Replace,
    /// CloudFormation refuses the change: a logical id cannot change its type.
    Refuse,
    /// It comes into being.
    Add,
    /// It goes out of the stack.
    Remove,
}

/// The fate of what a resource keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    /// The resource stays in the account, outside the stack.
    Retained,
    /// A snapshot stays.
    Snapshot,
    /// It is deleted with the resource. (A bucket that is not empty makes the deployment fail instead.)
    Deleted,
}

/// A member of a resource that changes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberChange {
    /// The member and its values.
    #[serde(flatten)]
    pub change: Change,
    /// What that does to the resource.
    pub effect: Action,
    /// The replaced resource whose new name or attribute this is; the text of the template is the same before and after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because_of: Option<String>,
}

impl Diff {
    /// Whether a deployment would change nothing, not even the template's text about the resources.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.sections.is_empty()
    }

    /// How many resources are added, changed, replaced (or may be) and removed.
    pub fn counts(&self) -> [(&'static str, usize); 4] {
        let count = |actions: &[Action]| self.resources.iter().filter(|r| actions.contains(&r.action)).count();
        [
            ("added", count(&[Action::Add])),
            ("changed", count(&[Action::Annotate, Action::Update, Action::Unknown, Action::Refuse])),
            ("replaced", count(&[Action::Replace, Action::MayReplace])),
            ("removed", count(&[Action::Remove])),
        ]
    }
}

/// The way from `before` to `after`, two templates in JSON.
pub fn diff(before: &Value, after: &Value) -> Diff {
    let empty = Map::new();
    let resources = |template: &Value| template["Resources"].as_object().unwrap_or(&empty).clone();
    let (old, new) = (resources(before), resources(after));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut list: Vec<ResourceDiff> =
        ids.into_iter().filter_map(|id| impact::resource(id, old.get(id), new.get(id))).collect();
    impact::follow_replacements(&mut list, &old, &new);
    let (widened, narrowed) = permissions::compare(&old, &new);
    Diff { resources: list, sections: compare::sections(before, after), widened, narrowed }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
