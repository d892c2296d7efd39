//! Two JSON values, compared member by member.
//!
//! A call of an intrinsic function is one value. Lists are matched by what their items are: pairs of `Key` and `Value` by
//! their key, others by the longest common run. Text that is JSON (a pipeline's config in an environment variable, a
//! dashboard's body) is compared as JSON, so that a review shows the setting and not a line of 2,000 characters.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A place that changes, with what was there and what will be; at least one of the two.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Where.
    pub path: Path,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What will be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A place in a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// An item of a list, from 0: of the new list, or of the old one for what is no longer there.
    Item(usize),
    /// The item of a list of pairs that has this `Key`.
    Keyed(String),
    /// Into the JSON that a text holds.
    Text,
}

impl Step {
    /// The name of a member; nothing for an item; none for a way into a text, where names are others'.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Member(name) => Some(name),
            Self::Item(_) | Self::Keyed(_) => Some(""),
            Self::Text => None,
        }
    }
}

impl Path {
    /// The path one step further.
    #[must_use]
    pub fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The path one member further.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.then(Step::Member(name.to_owned()))
    }
}

/// `Environment.Variables.CONFIG > sources[0].name`, `Tags[stage].Value`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for step in &self.0 {
            match step {
                Step::Member(name) if first => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Item(at) => write!(f, "[{at}]")?,
                Step::Keyed(key) => write!(f, "[{key}]")?,
                Step::Text => f.write_str(" > ")?,
            }
            first = *step == Step::Text;
        }
        Ok(())
    }
}

/// The places below `path` where the two differ.
pub fn changes(path: &Path, before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    walk(path, Some(before), Some(after), &mut found);
    found
}

/// Everything of two templates but their resources.
pub fn sections(before: &Value, after: &Value) -> Vec<Change> {
    let empty = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut found = Vec::new();
    for name in names(before, after).filter(|name| *name != "Resources") {
        let path = Path::default().member(name);
        match (before.get(name), after.get(name)) {
            // A section that comes or goes is its entries that come or go.
            (None, Some(Value::Object(new))) => members(&path, &empty, new, &mut found),
            (Some(Value::Object(old)), None) => members(&path, old, &empty, &mut found),
            (old, new) => walk(&path, old, new, &mut found),
        }
    }
    found
}

fn walk(path: &Path, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let at = found.len();
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) if !is_call(old) && !is_call(new) => {
            members(path, old, new, found);
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match (pairs(old), pairs(new)) {
            (Some(old), Some(new)) => by_key(path, &old, &new, found),
            _ => items(path, old, new, found),
        },
        (Some(Value::String(old)), Some(Value::String(new))) => {
            if let (Some(old), Some(new)) = (document(old), document(new)) {
                walk(&path.then(Step::Text), Some(&old), Some(&new), found);
            }
        }
        _ => {}
    }
    // Nothing smaller to point at; also two spellings of one JSON document, which are two texts to CloudFormation.
    if found.len() == at {
        found.push(Change { path: path.clone(), before: before.cloned(), after: after.cloned() });
    }
}

fn members(path: &Path, old: &Map<String, Value>, new: &Map<String, Value>, found: &mut Vec<Change>) {
    for name in names(old, new) {
        walk(&path.member(name), old.get(name), new.get(name), found);
    }
}

/// The names of both, sorted.
fn names<'a>(old: &'a Map<String, Value>, new: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// Whether an object is a call of an intrinsic function, so one value.
pub(super) fn is_call(object: &Map<String, Value>) -> bool {
    object.len() == 1 && object.keys().all(|name| name == "Ref" || name == "Condition" || name.starts_with("Fn::"))
}

/// The items by their `Key`, when each has one of its own: tags, and what looks like them.
fn pairs(list: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let mut pairs = Vec::with_capacity(list.len());
    for item in list {
        let key = item.as_object().filter(|item| item.contains_key("Value"))?.get("Key")?.as_str()?;
        if pairs.iter().any(|(known, _)| *known == key) {
            return None;
        }
        pairs.push((key, item));
    }
    Some(pairs)
}

fn by_key(path: &Path, old: &[(&str, &Value)], new: &[(&str, &Value)], found: &mut Vec<Change>) {
    let mut keys: Vec<&str> = old.iter().chain(new).map(|(key, _)| *key).collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let value_of = |list: &[(&str, &Value)]| list.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).clone());
        let (old, new) = (value_of(old), value_of(new));
        walk(&path.then(Step::Keyed(key.to_owned())), old.as_ref(), new.as_ref(), found);
    }
}

fn items(path: &Path, old: &[Value], new: &[Value], found: &mut Vec<Change>) {
    // `Value` has no order and no hash; its text has both, and equal values of a template have equal texts.
    let texts = |list: &[Value]| list.iter().map(canonical).collect::<Vec<_>>();
    for op in capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new)) {
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        let (gone, come) = (op.old_range(), op.new_range());
        let both = gone.len().min(come.len());
        // Runs that take each other's place are compared item by item; the rest of the longer one is gone or new.
        for (o, n) in gone.clone().zip(come.clone()) {
            walk(&path.then(Step::Item(n)), old.get(o), new.get(n), found);
        }
        for o in gone.skip(both) {
            walk(&path.then(Step::Item(o)), old.get(o), None, found);
        }
        for n in come.skip(both) {
            walk(&path.then(Step::Item(n)), None, new.get(n), found);
        }
    }
}

/// Its text with members sorted.
pub(super) fn canonical(value: &Value) -> String {
    let mut value = value.clone();
    value.sort_all_objects();
    value.to_string()
}

/// The JSON object or list that a text is.
fn document(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn assert_changes(before: &Value, after: &Value, expected: &[&str]) {
        let brief = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
        let found: Vec<String> = changes(&Path::default(), before, after)
            .iter()
            .map(|change| format!("{}: {} => {}", change.path, brief(&change.before), brief(&change.after)))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_smallest_place_that_differs_is_named() {
        assert_changes(
            &json!({"A": {"B": 1, "C": [1, 2]}, "D": "x"}),
            &json!({"A": {"B": 1, "C": [1, 3]}, "E": "x"}),
            &["A.C[1]: 2 => 3", "D: \"x\" => -", "E: - => \"x\""],
        );
    }

    #[test]
    fn a_call_of_an_intrinsic_is_one_value() {
        assert_changes(
            &json!({"Role": {"Fn::GetAtt": ["A", "Arn"]}}),
            &json!({"Role": {"Fn::GetAtt": ["B", "Arn"]}}),
            &[r#"Role: {"Fn::GetAtt":["A","Arn"]} => {"Fn::GetAtt":["B","Arn"]}"#],
        );
    }

    #[test]
    fn an_item_put_before_others_changes_none_of_them() {
        assert_changes(
            &json!({"L": [{"Id": "a"}, {"Id": "b"}]}),
            &json!({"L": [{"Id": "new"}, {"Id": "a"}, {"Id": "b"}]}),
            &[r#"L[0]: - => {"Id":"new"}"#],
        );
    }

    #[test]
    fn tags_are_matched_by_their_key_in_any_order() {
        assert_changes(
            &json!({"Tags": [{"Key": "stage", "Value": "a"}, {"Key": "team", "Value": "x"}]}),
            &json!({"Tags": [{"Key": "team", "Value": "x"}, {"Key": "stage", "Value": "b"}]}),
            &[r#"Tags[stage].Value: "a" => "b""#],
        );
        // A mere change of order is still a change of the template.
        assert_eq!(
            changes(
                &Path::default(),
                &json!([{"Key": "a", "Value": 1}, {"Key": "b", "Value": 1}]),
                &json!([{"Key": "b", "Value": 1}, {"Key": "a", "Value": 1}])
            )
            .len(),
            1
        );
    }

    #[test]
    fn a_config_in_a_text_is_compared_setting_by_setting() {
        assert_changes(
            &json!({"CONFIG": r#"{"sources":[{"name":"a"}],"wrapper":{"type":"X"}}"#}),
            &json!({"CONFIG": r#"{"sources":[{"name":"b"}],"wrapper":{"type":"X"}}"#}),
            &[r#"CONFIG > sources[0].name: "a" => "b""#],
        );
        assert_changes(
            &json!({"CONFIG": r#"{"a":1}"#}),
            &json!({"CONFIG": r#"{"a": 1}"#}),
            &[r#"CONFIG: "{\"a\":1}" => "{\"a\": 1}""#],
        );
        assert_changes(&json!({"T": "{not json"}), &json!({"T": "{}"}), &[r#"T: "{not json" => "{}""#]);
    }

    #[test]
    fn a_section_that_comes_is_its_entries() {
        let found =
            sections(&json!({}), &json!({"Outputs": {"A": {"Value": 1}, "B": {"Value": 2}}, "Resources": {"R": {}}}));
        let paths: Vec<String> = found.iter().map(|change| change.path.to_string()).collect();
        assert_eq!(paths, ["Outputs.A", "Outputs.B"]);
    }
}
