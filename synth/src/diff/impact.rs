//! What a change does to a resource: updated, replaced, and what becomes of the data in it.

use std::collections::{BTreeMap, BTreeSet};

use cfn::ResourceType;
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

/// Where the registry's schemas say less than AWS's page of the property, or nothing.
const BEYOND_THE_SCHEMAS: &[(&str, &str, Action)] = &[
    // The catalog is part of what a database is called; the page says Replacement.
    ("AWS::Glue::Database", "CatalogId", Action::Replace),
    // The consumer group is fixed at creation, the rest of it is not.
    ("AWS::Lambda::EventSourceMapping", "AmazonManagedKafkaEventSourceConfig", Action::MayReplace),
    ("AWS::Lambda::EventSourceMapping", "SelfManagedKafkaEventSourceConfig", Action::MayReplace),
    // The page says Replacement; newer resource handlers switch it on in place.
    ("AWS::S3::Bucket", "ObjectLockEnabled", Action::MayReplace),
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
    let mut steps = change.path.0.iter();
    match steps.next() {
        Some(Step::Member(member)) if member == "Properties" => {
            let known = cfn::resource_type(kind);
            match change.path.0.get(1..) {
                // All the properties come or go at once.
                None | Some([]) => [&change.before, &change.after]
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_object)
                    .flatten()
                    .map(|(name, value)| property(kind, known, &[Step::Member(name.clone())], [Some(value), None]))
                    .max()
                    .unwrap_or(Action::Update),
                Some(steps) => property(kind, known, steps, [change.before.as_ref(), change.after.as_ref()]),
            }
        }
        Some(Step::Member(member)) if member == "Type" => Action::Refuse,
        // A resource with a condition comes or goes with it.
        Some(Step::Member(member)) if member == "Condition" => Action::Update,
        _ => Action::Annotate,
    }
}

/// What a change at `steps` below `Properties` does; `values` are what stands there before and after.
fn property(kind: &str, known: Option<&ResourceType>, steps: &[Step], values: [Option<&Value>; 2]) -> Action {
    let Some(known) = known else { return Action::Unknown };
    let hits = |paths: &[&str]| paths.iter().any(|path| touches(path, steps, values));
    if hits(known.create_only) {
        return Action::Replace;
    }
    if hits(known.conditional_create_only) {
        return Action::MayReplace;
    }
    BEYOND_THE_SCHEMAS
        .iter()
        .filter(|(of, path, _)| *of == kind && touches(path, steps, values))
        .map(|(_, _, action)| *action)
        .max()
        .unwrap_or(Action::Update)
}

/// Whether a change at `steps` concerns the property `path` (`VpcConfig/SubnetIds`, `Rules/*/Name`): it is there or
/// inside of it, or what comes or goes there holds it.
fn touches(path: &str, steps: &[Step], values: [Option<&Value>; 2]) -> bool {
    let mut wanted: Vec<&str> = path.split('/').collect();
    for step in steps {
        let Some(name) = wanted.first() else { return true };
        let fits = match step {
            Step::Member(member) => name == member || *name == "*",
            Step::Item(_) | Step::Keyed(_) => {
                // Schemas write the items of a list as `*`, or not at all.
                if *name != "*" {
                    continue;
                }
                true
            }
            Step::Text => true,
        };
        if !fits {
            return false;
        }
        wanted.remove(0);
    }
    wanted.is_empty() || values.into_iter().flatten().any(|value| holds(value, &wanted))
}

fn holds(value: &Value, path: &[&str]) -> bool {
    match (path, value) {
        ([], _) => true,
        (["*", rest @ ..], Value::Array(items)) => items.iter().any(|item| holds(item, rest)),
        (["*", rest @ ..], Value::Object(members)) => members.values().any(|member| holds(member, rest)),
        // The branches of a condition, each of which may be the value.
        (_, Value::Object(members)) if is_call(members) => members.values().any(|argument| holds(argument, path)),
        (_, Value::Array(items)) => items.iter().any(|item| holds(item, path)),
        ([name, rest @ ..], Value::Object(members)) => members.get(*name).is_some_and(|member| holds(member, rest)),
        // Not what the schema says: nothing of the kind is in it.
        _ => false,
    }
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
    match diff.changes.iter_mut().find(|change| change.change.path == *path) {
        // What the template itself changes there is said already.
        Some(known) if known.because_of.is_none() => return,
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
