//! The check of properties against the tables: everything that CloudFormation would refuse, all at once.
//!
//! Values that are known only at deployment (intrinsics) pass; both branches of an `Fn::If` are looked into. Text and
//! numbers are taken for one another where CloudFormation converts them (`"60"` for a number, `"true"` for a truth value).

use crate::schema::{Group, Kind, Schema, ValueSchema};
use serde_json::{Map as Members, Value as Json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// One thing that CloudFormation would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which rule is broken.
    pub rule: Rule,
    /// Where, as property names and positions joined by dots: `Tags.0.Key`. Empty for the object itself.
    pub path: String,
    /// What is there, and what may be.
    pub message: String,
    /// For an unknown property or word: all that are known, so that the nearest can be suggested.
    pub known: Vec<&'static str>,
}

/// The rules that a property can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A required property is missing.
    Required,
    /// The type has no such property.
    Unknown,
    /// The value is of another type.
    Type,
    /// The word is not among those known when the schema was pinned. AWS may have added it since: a warning.
    Word,
    /// The text does not match the pattern.
    Pattern,
    /// Text, list or map is too short or too long.
    Length,
    /// The number is too small or too large, or none of those allowed.
    Range,
    /// Two items of a list are equal.
    Unique,
    /// Properties that exclude, or need, one another.
    Group,
}

/// Everything that CloudFormation would refuse about these properties.
pub fn check(schema: &Schema, properties: &Json) -> Vec<Finding> {
    let mut check = Check { found: vec![] };
    check.object(schema, properties, &Path::Root);
    check.found
}

/// Whether this is a call of an intrinsic function, so that its value is not known.
pub fn is_intrinsic(value: &Json) -> bool {
    function(value).is_some()
}

/// The function and the argument of an intrinsic.
pub fn function(value: &Json) -> Option<(&str, &Json)> {
    let members = value.as_object().filter(|o| o.len() == 1)?;
    let (name, argument) = members.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::")).then_some((name.as_str(), argument))
}

/// Where in the properties: a list of steps, on the stack of the walk.
enum Path<'a> {
    Root,
    Step(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        let (before, step) = match self {
            Self::Root => return String::new(),
            Self::Step(before, name) => (before.text(), (*name).to_owned()),
            Self::Item(before, at) => (before.text(), at.to_string()),
        };
        if before.is_empty() { step } else { format!("{before}.{step}") }
    }
}

struct Check {
    found: Vec<Finding>,
}

impl Check {
    fn say(&mut self, rule: Rule, path: &Path<'_>, message: String) {
        self.found.push(Finding { rule, path: path.text(), message, known: vec![] });
    }

    fn say_unknown(&mut self, rule: Rule, path: &Path<'_>, message: String, known: Vec<&'static str>) {
        self.found.push(Finding { rule, path: path.text(), message, known });
    }

    fn object(&mut self, schema: &Schema, value: &Json, path: &Path<'_>) {
        let Some(members) = value.as_object() else {
            return self.say(Rule::Type, path, format!("{} is wanted, {} is given", schema.name, brief(value)));
        };
        for property in schema.properties.iter().filter(|p| p.required && !members.contains_key(p.name)) {
            self.say(Rule::Required, &Path::Step(path, property.name), format!("{} requires it", schema.name));
        }
        for (name, value) in members {
            let path = Path::Step(path, name);
            match schema.property(name) {
                Some(property) => self.value(&property.value, value, &path),
                None if schema.open => {}
                None => {
                    let known = schema.properties.iter().map(|p| p.name).collect();
                    self.say_unknown(Rule::Unknown, &path, format!("{} has no such property", schema.name), known);
                }
            }
        }
        for group in schema.groups {
            if let Some(message) = broken(group, members) {
                self.say(Rule::Group, path, message);
            }
        }
    }

    fn value(&mut self, schema: &ValueSchema, value: &Json, path: &Path<'_>) {
        if let Some((function, argument)) = function(value) {
            if let ("Fn::If", Some([_, then, otherwise])) = (function, argument.as_array().map(Vec::as_slice)) {
                self.value(schema, then, path);
                self.value(schema, otherwise, path);
            }
            return;
        }
        match (schema.kind, value) {
            (Kind::Object(nested), _) => self.object(nested, value, path),
            (Kind::String | Kind::Arn(_), Json::String(text)) => self.text(schema, text, path),
            // CloudFormation converts scalars to text.
            (Kind::String, Json::Number(_) | Json::Bool(_)) | (Kind::Boolean, Json::Bool(_)) | (Kind::Json, _) => {}
            (Kind::Boolean, Json::String(text)) if text == "true" || text == "false" => {}
            (Kind::Integer | Kind::Number, _) => self.number(schema, value, path),
            (Kind::List(items), Json::Array(values)) => {
                self.length(schema, values.len(), "items", path);
                for (at, value) in values.iter().enumerate() {
                    self.value(items, value, &Path::Item(path, at));
                }
                if schema.unique {
                    self.unique(values, path);
                }
            }
            (Kind::Map(items), Json::Object(members)) => {
                self.length(schema, members.len(), "members", path);
                for (name, value) in members {
                    let path = Path::Step(path, name);
                    if !matches(schema.keys, name) {
                        let message = format!("the name `{name}` does not match `{}`", schema.keys);
                        self.say(Rule::Pattern, &path, message);
                    }
                    self.value(items, value, &path);
                }
            }
            (kind, _) => {
                self.say(Rule::Type, path, format!("{} is wanted, {} is given", kind.name(), brief(value)));
            }
        }
    }

    fn text(&mut self, schema: &ValueSchema, text: &str, path: &Path<'_>) {
        self.length(schema, text.chars().count(), "characters", path);
        if !schema.words.is_empty() && !schema.words.contains(&text) {
            let message = format!("`{}` is none of the {} known words", clip(text), schema.words.len());
            self.say_unknown(Rule::Word, path, message, schema.words.to_vec());
        }
        match schema.kind {
            Kind::Arn(of) if !text.starts_with("arn:") && !text.starts_with("{{resolve:") => {
                self.say(Rule::Type, path, format!("the ARN of an {of} is wanted, `{}` is given", clip(text)));
            }
            _ if !text.starts_with("{{resolve:") && !matches(schema.pattern, text) => {
                self.say(Rule::Pattern, path, format!("`{}` does not match `{}`", clip(text), schema.pattern));
            }
            _ => {}
        }
    }

    fn number(&mut self, schema: &ValueSchema, value: &Json, path: &Path<'_>) {
        let number = value.as_f64().or_else(|| value.as_str()?.parse().ok());
        let Some(number) = number.filter(|n| !matches!(schema.kind, Kind::Integer) || n.fract() == 0.0) else {
            let message = format!("{} is wanted, {} is given", schema.kind.name(), brief(value));
            return self.say(Rule::Type, path, message);
        };
        let (least, most) = schema.range;
        if number < least || number > most {
            self.say(Rule::Range, path, format!("{number} is not {}", within(least, most)));
        }
        let text = number.to_string();
        if !schema.numbers.is_empty() && !schema.numbers.iter().any(|allowed| allowed.to_string() == text) {
            let allowed: Vec<String> = schema.numbers.iter().map(i64::to_string).collect();
            self.say(Rule::Range, path, format!("{number} is none of {}", allowed.join(", ")));
        }
    }

    fn length(&mut self, schema: &ValueSchema, length: usize, unit: &str, path: &Path<'_>) {
        let (least, most) = schema.length;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        if length < least || length > most {
            let wanted = match (least, most) {
                (least, u64::MAX) => format!("at least {least}"),
                (0, most) => format!("at most {most}"),
                (least, most) if least == most => format!("exactly {least}"),
                (least, most) => format!("{least} to {most}"),
            };
            self.say(Rule::Length, path, format!("{wanted} {unit} are allowed, {length} are given"));
        }
    }

    fn unique(&mut self, values: &[Json], path: &Path<'_>) {
        for (at, value) in values.iter().enumerate() {
            if let Some(first) = values.iter().take(at).position(|earlier| earlier == value) {
                self.say(Rule::Unique, &Path::Item(path, at), format!("it is the same as item {first}"));
            }
        }
    }
}

fn broken(group: &Group, members: &Members<String, Json>) -> Option<String> {
    let has = |name: &&str| members.contains_key(*name);
    match group {
        Group::AnyOf(names) => (!names.iter().any(has)).then(|| format!("one of {} is required", listed(names))),
        Group::OneOf(names) => {
            let given: Vec<&str> = names.iter().copied().filter(|n| has(n)).collect();
            let said = if given.is_empty() { "none".to_owned() } else { listed(&given) };
            (given.len() != 1).then(|| format!("exactly one of {} is required, {said} is given", listed(names)))
        }
        Group::With(name, others) => {
            let absent: Vec<&str> = others.iter().copied().filter(|n| !has(n)).collect();
            (has(name) && !absent.is_empty()).then(|| format!("`{name}` needs {} beside it", listed(&absent)))
        }
        Group::Without(name, others) => {
            let present: Vec<&str> = others.iter().copied().filter(|n| has(n)).collect();
            (has(name) && !present.is_empty()).then(|| format!("`{name}` excludes {}", listed(&present)))
        }
    }
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

fn within(least: f64, most: f64) -> String {
    match (least.is_finite(), most.is_finite()) {
        (true, true) => format!("within {least} to {most}"),
        (true, false) => format!("{least} or more"),
        _ => format!("{most} or less"),
    }
}

fn clip(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

fn brief(value: &Json) -> String {
    match value {
        Json::Null => "null".into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
        scalar => format!("`{}`", clip(&scalar.to_string())),
    }
}

/// A pattern that is empty, or that our engine does not take, matches everything.
fn matches(pattern: &'static str, text: &str) -> bool {
    // Compiling costs more than a whole resource's check, and templates repeat their types.
    static COMPILED: Mutex<BTreeMap<&'static str, Option<fancy_regex::Regex>>> = Mutex::new(BTreeMap::new());
    if pattern.is_empty() {
        return true;
    }
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| fancy_regex::Regex::new(pattern).ok());
    regex.as_ref().is_none_or(|regex| regex.is_match(text).unwrap_or(true))
}
