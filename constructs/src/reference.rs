//! What a piece of a template refers to: found, and renamed.
//!
//! Imports: `cfn`.

use cfn::Json;
use cfn::constraint::function;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A name of something else in the template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reference {
    /// A resource or parameter.
    Ref(String),
    /// A resource's attribute.
    GetAtt(String, String),
    /// A mapping.
    Mapping(String),
    /// A condition.
    Condition(String),
}

/// A reference, and where it stands: property names and positions, joined by dots.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Found {
    pub reference: Reference,
    pub place: String,
    /// It stands in a branch of `Fn::If`, so it may not be there in the end.
    pub conditional: bool,
}

/// All references in `value`. `place` is where the value itself stands.
pub(crate) fn references(value: &Json, place: &str) -> Vec<Found> {
    let mut walk = Walk { found: vec![] };
    walk.value(value, place, false);
    walk.found
}

struct Walk {
    found: Vec<Found>,
}

impl Walk {
    fn say(&mut self, reference: Reference, place: &str, conditional: bool) {
        self.found.push(Found { reference, place: place.to_owned(), conditional });
    }

    fn value(&mut self, value: &Json, place: &str, conditional: bool) {
        match (function(value), value) {
            (Some((name, argument)), _) => self.call(name, argument, place, conditional),
            (None, Json::Object(members)) => {
                for (name, value) in members {
                    self.value(value, &step(place, name), conditional);
                }
            }
            (None, Json::Array(items)) => {
                for (at, item) in items.iter().enumerate() {
                    self.value(item, &step(place, &at.to_string()), conditional);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, name: &str, argument: &Json, place: &str, conditional: bool) {
        let items = argument.as_array().map_or(&[][..], Vec::as_slice);
        match (name, argument, items) {
            ("Ref", Json::String(id), _) => self.say(Reference::Ref(id.clone()), place, conditional),
            ("Fn::GetAtt", Json::String(text), _) => {
                let (id, attribute) = text.split_once('.').unwrap_or((text, ""));
                self.say(Reference::GetAtt(id.to_owned(), attribute.to_owned()), place, conditional);
            }
            ("Fn::GetAtt", _, [Json::String(id), attribute]) => match attribute {
                Json::String(attribute) => {
                    self.say(Reference::GetAtt(id.clone(), attribute.clone()), place, conditional);
                }
                computed => {
                    self.say(Reference::Ref(id.clone()), place, conditional);
                    self.value(computed, place, conditional);
                }
            },
            ("Fn::Sub", Json::String(text), _) => self.sub(text, &[], place, conditional),
            ("Fn::Sub", _, [Json::String(text), own]) => {
                let own = own.as_object();
                let names: Vec<&str> = own.into_iter().flat_map(|own| own.keys().map(String::as_str)).collect();
                self.sub(text, &names, place, conditional);
                for value in own.into_iter().flat_map(|own| own.values()) {
                    self.value(value, place, conditional);
                }
            }
            ("Fn::FindInMap", _, [Json::String(map), keys @ ..]) => {
                self.say(Reference::Mapping(map.clone()), place, conditional);
                for key in keys {
                    self.value(key, place, conditional);
                }
            }
            ("Fn::If", _, [Json::String(condition), branches @ ..]) => {
                self.say(Reference::Condition(condition.clone()), place, conditional);
                for branch in branches {
                    self.value(branch, place, true);
                }
            }
            _ => self.value(argument, place, conditional),
        }
    }

    fn sub(&mut self, text: &str, own: &[&str], place: &str, conditional: bool) {
        for part in parts(text) {
            match part {
                Part::Name(name) if !own.contains(&name) => {
                    let reference = match name.split_once('.') {
                        Some((id, attribute)) => Reference::GetAtt(id.to_owned(), attribute.to_owned()),
                        None => Reference::Ref(name.to_owned()),
                    };
                    self.say(reference, place, conditional);
                }
                _ => {}
            }
        }
    }
}

fn step(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}

/// A part of an `Fn::Sub` text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Part<'a> {
    /// As it stands; `${!x}` included.
    Text(&'a str),
    /// The name in `${…}`.
    Name(&'a str),
}

/// Cuts the text of an `Fn::Sub`.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let (mut out, mut rest) = (vec![], text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after_name)) = after.split_once('}') else { break };
        if name.starts_with('!') {
            let end = rest.len() - after_name.len();
            out.extend(rest.get(..end).map(Part::Text));
        } else {
            out.push(Part::Text(before));
            out.push(Part::Name(name.trim()));
        }
        rest = after_name;
    }
    out.push(Part::Text(rest));
    out.retain(|part| *part != Part::Text(""));
    out
}

/// Gives resources other logical ids, wherever `value` refers to them.
pub(crate) fn rename(value: &mut Json, names: &BTreeMap<String, String>) {
    let called = function(value).map(|(name, _)| name.to_owned());
    match (called.as_deref(), value) {
        (Some(name), Json::Object(members)) => {
            for argument in members.values_mut() {
                rename_in(name, argument, names);
            }
        }
        (_, Json::Object(members)) => members.values_mut().for_each(|value| rename(value, names)),
        (_, Json::Array(items)) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

fn rename_in(function: &str, argument: &mut Json, names: &BTreeMap<String, String>) {
    let renamed = |name: &str| -> Option<String> {
        let (id, attribute) = name.split_once('.').map_or((name, None), |(id, attribute)| (id, Some(attribute)));
        let id = names.get(id)?;
        Some(attribute.map_or_else(|| id.clone(), |attribute| format!("{id}.{attribute}")))
    };
    match (function, argument) {
        ("Ref" | "Fn::GetAtt", Json::String(text)) => *text = renamed(text).unwrap_or_else(|| text.clone()),
        ("Fn::Sub", Json::String(text)) => *text = rename_text(text, &[], renamed),
        (_, Json::Array(items)) => {
            let own: Vec<String> =
                items.get(1).and_then(Json::as_object).into_iter().flat_map(|o| o.keys().cloned()).collect();
            match (function, items.first_mut()) {
                ("Fn::GetAtt", Some(Json::String(id))) => *id = renamed(id).unwrap_or_else(|| id.clone()),
                ("Fn::Sub", Some(Json::String(text))) => *text = rename_text(text, &own, renamed),
                _ => {}
            }
            for item in items {
                rename(item, names);
            }
        }
        (_, argument) => rename(argument, names),
    }
}

fn rename_text(text: &str, own: &[String], renamed: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    for part in parts(text) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Name(name) => {
                let new = if own.iter().any(|own| own == name) { None } else { renamed(name) };
                let _ = write!(out, "${{{}}}", new.as_deref().unwrap_or(name));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Part, Reference, parts, references, rename};
    use serde_json::json;
    use std::collections::BTreeMap;

    #[test]
    fn every_function_that_names_something_is_understood() {
        let value = json!({
            "A": {"Ref": "Queue"},
            "B": {"Fn::GetAtt": ["Role", "Arn"]},
            "C": {"Fn::GetAtt": "Stack.Outputs.Url"},
            "D": [{"Fn::Sub": "${Topic} ${!literal} ${Key.Arn} ${AWS::Region}"}],
            "E": {"Fn::Sub": ["${own}/${Bucket}", {"own": {"Ref": "Deep"}}]},
            "F": {"Fn::If": ["Prod", {"Fn::FindInMap": ["Sizes", {"Ref": "Size"}, "x"]}, {"Ref": "AWS::NoValue"}]},
        });
        let found = references(&value, "Properties");
        let of = |text: &str| Reference::Ref(text.into());
        let att = |id: &str, name: &str| Reference::GetAtt(id.into(), name.into());
        let expected = [
            (of("Queue"), "Properties.A", false),
            (att("Role", "Arn"), "Properties.B", false),
            (att("Stack", "Outputs.Url"), "Properties.C", false),
            (of("Topic"), "Properties.D.0", false),
            (att("Key", "Arn"), "Properties.D.0", false),
            (of("AWS::Region"), "Properties.D.0", false),
            (of("Bucket"), "Properties.E", false),
            (of("Deep"), "Properties.E", false),
            (Reference::Condition("Prod".into()), "Properties.F", false),
            (Reference::Mapping("Sizes".into()), "Properties.F", true),
            (of("Size"), "Properties.F", true),
            (of("AWS::NoValue"), "Properties.F", true),
        ];
        let found: Vec<_> = found.iter().map(|f| (f.reference.clone(), f.place.as_str(), f.conditional)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_renamed_resource_is_renamed_wherever_it_is_named() {
        let mut value = json!([
            {"Ref": "Old"}, {"Ref": "Older"}, {"Fn::GetAtt": ["Old", "Arn"]}, {"Fn::GetAtt": "Old.Arn"},
            {"Fn::Sub": "${Old}-${Old.Arn}-${!Old}-Old"}, {"Fn::Sub": ["${Old} ${x}", {"x": {"Ref": "Old"}}]},
            {"Fn::Sub": ["${Old}", {"Old": "own"}]}, {"Fn::Join": ["", [{"Ref": "Old"}, "Old"]]}, "Old",
        ]);
        rename(&mut value, &BTreeMap::from([("Old".to_owned(), "New".to_owned())]));
        let expected = json!([
            {"Ref": "New"}, {"Ref": "Older"}, {"Fn::GetAtt": ["New", "Arn"]}, {"Fn::GetAtt": "New.Arn"},
            {"Fn::Sub": "${New}-${New.Arn}-${!Old}-Old"}, {"Fn::Sub": ["${New} ${x}", {"x": {"Ref": "New"}}]},
            {"Fn::Sub": ["${Old}", {"Old": "own"}]}, {"Fn::Join": ["", [{"Ref": "New"}, "Old"]]}, "Old",
        ]);
        assert_eq!(value, expected);
    }

    #[test]
    fn a_text_that_never_closes_is_text() {
        assert_eq!(parts("a${b"), [Part::Text("a${b")]);
        assert_eq!(parts("x${!y}${z}"), [Part::Text("x${!y}"), Part::Name("z")]);
    }
}
