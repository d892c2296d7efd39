//! What a change does to a resource: updated, replaced, and what becomes of the data in it.

use std::collections::{BTreeMap, BTreeSet};

use constructs::cfn::ResourceType;
use constructs::cfn::resource::Replacement;
use serde_json::{Map, Value};

use super::compare::{self, Change, Path, Step, is_call};
use super::{Action, Data, MemberChange, ResourceDiff};

/// Resource types that keep something which nobody can make again from the template.
const KEEPS_DATA: &[&str] = &[
    "AWS::CloudTrail::EventDataStore",
    "AWS::DynamoDB::Table",
    "AWS::Events::Archive",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::Logs::LogStream",
    "AWS::OpenSearchServerless::Collection",
    "AWS::OpenSearchService::Domain",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
];

/// How one resource changes; `None` when it does not.
pub fn resource(id: &str, before: Option<&Value>, after: Option<&Value>) -> Option<ResourceDiff> {
    let text = |resource: &Value, member: &str| resource[member].as_str().unwrap_or_default().to_owned();
    let (action, kind, changes) = match (before, after) {
        (None, None) => return None,
        (None, Some(new)) => (Action::Add, text(new, "Type"), Vec::new()),
        (Some(old), None) => (Action::Remove, text(old, "Type"), Vec::new()),
        (Some(old), Some(new)) => {
            let kind = text(new, "Type");
            let changes: Vec<MemberChange> = compare::changes(&Path::default(), old, new)
                .into_iter()
                .map(|change| MemberChange { effect: effect(&kind, &change), change, because_of: None })
                .collect();
            (changes.iter().map(|change| change.effect).max()?, kind, changes)
        }
    };
    let data = fate(&kind, action, before, after);
    Some(ResourceDiff { logical_id: id.to_owned(), kind, action, data, changes })
}

/// What becomes of the data of a resource that goes away. CloudFormation reads the `DeletionPolicy` of a resource
/// that is removed where it last stood, the `UpdateReplacePolicy` of one that is replaced in the new template.
fn fate(kind: &str, action: Action, before: Option<&Value>, after: Option<&Value>) -> Option<Data> {
    let policy = match action {
        Action::Remove => &before?["DeletionPolicy"],
        Action::Replace | Action::MayReplace => &after?["UpdateReplacePolicy"],
        _ => return None,
    };
    match policy.as_str() {
        _ if !KEEPS_DATA.contains(&kind) => None,
        Some("Retain" | "RetainExceptOnCreate") => Some(Data::Retained),
        Some("Snapshot") => Some(Data::Snapshot),
        _ => Some(Data::Deleted),
    }
}

fn effect(kind: &str, change: &Change) -> Action {
    match change.path.0.split_first() {
        Some((Step::Member(member), steps)) if member == "Properties" => {
            let Some(known) = constructs::cfn::resource_type(kind) else { return Action::Unknown };
            // A list's items have no say in it.
            let path: Vec<&str> = steps.iter().map_while(Step::name).filter(|name| !name.is_empty()).collect();
            let both = [&change.before, &change.after].into_iter().flatten();
            let replacement = both.map(|value| replacement(known, &path, value)).max().unwrap_or(Replacement::No);
            match replacement {
                Replacement::No => Action::Update,
                Replacement::Maybe => Action::MayReplace,
                Replacement::Yes => Action::Replace,
            }
        }
        Some((Step::Member(member), _)) if member == "Type" => Action::Refuse,
        // A resource with a condition comes or goes with it.
        Some((Step::Member(member), _)) if member == "Condition" => Action::Update,
        _ => Action::Annotate,
    }
}

/// What it does to the resource that `value` comes, goes or changes there: as much as the weightiest property in it.
fn replacement(known: &ResourceType, path: &[&str], value: &Value) -> Replacement {
    let at = known.replacement(path);
    // Only where something below may replace does it matter what is there.
    if at != Replacement::Maybe {
        return at;
    }
    let below = match value {
        Value::Object(members) if is_call(members) => match members.get("Fn::If").and_then(Value::as_array) {
            Some(branches) => branches.iter().skip(1).map(|branch| replacement(known, path, branch)).max(),
            None => None,
        },
        Value::Object(members) => {
            members.iter().map(|(name, member)| replacement(known, &[path, &[name]].concat(), member)).max()
        }
        Value::Array(items) => items.iter().map(|item| replacement(known, path, item)).max(),
        _ => None,
    };
    below.unwrap_or(at)
}

/// A replaced resource has a new name and new attributes, so what refers to it changes too, and may in turn be
/// replaced; until nothing more follows.
pub fn follow_replacements(list: &mut Vec<ResourceDiff>, old: &Map<String, Value>, new: &Map<String, Value>) {
    let stays = |id: &String| old.contains_key(id);
    // A replacement that becomes certain on the way is followed once more.
    let mut followed: BTreeSet<(String, bool)> = BTreeSet::new();
    loop {
        let next = list
            .iter()
            .filter(|r| matches!(r.action, Action::Replace | Action::MayReplace))
            .map(|r| (r.logical_id.clone(), r.action == Action::Replace))
            .find(|replaced| !followed.contains(replaced));
        let Some((target, certain)) = next else { break };
        for (id, resource) in new.iter().filter(|(id, _)| **id != target && stays(id)) {
            let mut places = BTreeMap::new();
            references(&resource["Properties"], &target, &Path::default().member("Properties"), &mut places);
            for (path, value) in places {
                follow(list, id, resource, (&target, certain), &path, &value);
            }
        }
        followed.insert((target, certain));
    }
    list.sort_by(|a, b| a.logical_id.cmp(&b.logical_id));
}

fn follow(
    list: &mut Vec<ResourceDiff>,
    id: &str,
    resource: &Value,
    (target, certain): (&str, bool),
    path: &Path,
    value: &Value,
) {
    let at = list.iter().position(|diff| diff.logical_id == id).unwrap_or_else(|| {
        list.push(ResourceDiff {
            logical_id: id.to_owned(),
            kind: resource["Type"].as_str().unwrap_or_default().to_owned(),
            action: Action::Annotate,
            data: None,
            changes: Vec::new(),
        });
        list.len() - 1
    });
    let Some(diff) = list.get_mut(at) else { return };
    let change = Change { path: path.clone(), before: Some(value.clone()), after: Some(value.clone()) };
    let effect = match effect(&diff.kind, &change) {
        Action::Replace if !certain => Action::MayReplace,
        effect => effect,
    };
    // What the template itself changes there, or around it, is said already.
    if diff.changes.iter().any(|known| known.because_of.is_none() && path.0.starts_with(&known.change.path.0)) {
        return;
    }
    match diff.changes.iter_mut().find(|change| change.change.path == *path) {
        Some(known) => known.effect = known.effect.max(effect),
        None => diff.changes.push(MemberChange { change, effect, because_of: Some(target.to_owned()) }),
    }
    diff.action = diff.action.max(effect);
    diff.data = fate(&diff.kind, diff.action, None, Some(resource));
}

/// The values that read the name or an attribute of `target`, with their places; a call of an intrinsic is one value.
fn references(value: &Value, target: &str, path: &Path, places: &mut BTreeMap<Path, Value>) {
    match value {
        Value::Object(members) if is_call(members) && reads(value, target) => {
            places.insert(path.clone(), value.clone());
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, member)| references(member, target, &path.member(name), places));
        }
        Value::Array(items) => {
            let at = |at| path.then(Step::Item(at));
            items.iter().enumerate().for_each(|(n, item)| references(item, target, &at(n), places));
        }
        _ => {}
    }
}

fn reads(value: &Value, target: &str) -> bool {
    let is_of = |text: &str| text == target || text.strip_prefix(target).is_some_and(|rest| rest.starts_with('.'));
    match value {
        Value::Array(items) => items.iter().any(|item| reads(item, target)),
        Value::Object(members) => members.iter().any(|(name, argument)| match (name.as_str(), argument) {
            ("Ref", Value::String(of)) => of == target,
            ("Fn::GetAtt", Value::String(of)) => is_of(of),
            ("Fn::GetAtt", Value::Array(of)) => of.first().is_some_and(|of| of == target),
            ("Fn::Sub", argument) => {
                let text = argument.as_str().or_else(|| argument[0].as_str()).unwrap_or_default();
                text.split("${").skip(1).any(|rest| rest.split('}').next().is_some_and(is_of))
                    || reads(argument, target)
            }
            (_, argument) => reads(argument, target),
        }),
        _ => false,
    }
}
