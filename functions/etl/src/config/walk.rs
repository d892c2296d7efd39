//! One walk of the tree against the schemas that the types give: it finds every mistake, each with its place.
//!
//! It knows the part of JSON Schema that schemars writes, and no more. It also settles what the text of a variable is
//! read as, as only the schema can tell. What single values must be is in [`super::values`].

use super::{
    bender,
    tree::{Key, Kind, Node, Path, Unknown},
};
use crate::{
    codes::{self, Code},
    component::ALIAS,
    late::LATE,
    problem::{Problem, Span, nearest, quoted},
    region,
    registry::Registry,
};
use regex::Regex;
use serde_json::Value;
use std::{collections::BTreeMap, slice};

pub(super) struct Walk<'a> {
    pub(super) registry: &'a Registry,
    pub(super) text: &'a str,
    pub(super) problems: Vec<Problem>,
    /// Patterns of schemas, each compiled once.
    pub(super) patterns: BTreeMap<&'a str, Option<Regex>>,
}

/// A schema, and the document that its `$ref`s are in.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) schema: &'a Value,
    root: &'a Value,
}

impl<'a> Asked<'a> {
    pub(super) fn all_of(root: &'a Value) -> Self {
        Self { schema: root, root }
    }
    fn part(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }
    pub(super) fn list(self, word: &str) -> &'a [Value] {
        self.schema[word].as_array().map_or(&[], Vec::as_slice)
    }
    /// The types it takes; none when it takes any.
    pub(super) fn types(self) -> Types<'a> {
        match &self.schema["type"] {
            Value::Array(types) => Types(types),
            Value::Null => Types(&[]),
            one => Types(slice::from_ref(one)),
        }
    }
}

/// Names of JSON's types.
#[derive(Clone, Copy)]
pub(super) struct Types<'a>(pub(super) &'a [Value]);

impl Types<'_> {
    pub(super) fn has(self, name: &str) -> bool {
        self.0.iter().any(|t| t == name)
    }
    fn takes(self, kind: &Kind) -> bool {
        self.0.is_empty()
            || match kind {
                Kind::Null => self.has("null"),
                Kind::Bool(_) => self.has("boolean"),
                Kind::Number(_) => self.has("number") || self.has("integer"),
                Kind::Text(_) => self.has("string"),
                Kind::List(_) => self.has("array"),
                Kind::Map(_) => self.has("object"),
            }
    }
}

/// A map in which one key says what the others are.
struct Tagged<'n> {
    tag: &'n str,
    /// What a message calls it.
    what: &'n str,
    names: &'n dyn Fn() -> Vec<&'n str>,
}

impl<'a> Walk<'a> {
    /// `holder` is where to point at what is not there: the key that holds the value.
    pub(super) fn check(&mut self, node: &mut Node, path: &Path<'_>, asked: Asked<'a>, holder: &Span) {
        if matches!(&node.kind, Kind::Text(text) if text.unknown == Some(Unknown::Missing)) {
            return; // its variable is reported already
        }
        if let Some(target) = asked.schema["$ref"].as_str() {
            return self.referred(node, path, asked, target.rsplit('/').next().unwrap_or_default(), holder);
        }
        let forms: Vec<&Value> = asked.list("oneOf").iter().chain(asked.list("anyOf")).collect();
        if !forms.is_empty() {
            return self.one_of(node, path, asked, &forms, holder);
        }
        let types = asked.types();
        settle_variable(node, types);
        let later = matches!(&node.kind, Kind::Text(text) if text.unknown == Some(Unknown::Later));
        if later && self.comes_late(node, path, asked) {
            return;
        }
        match &mut node.kind {
            kind if !types.takes(kind) => self.wrong_type(node, path, types, holder),
            Kind::Map(_) => self.map(node, path, asked, None, holder),
            Kind::List(items) => {
                let length = items.len();
                for (i, item) in items.iter_mut().enumerate() {
                    let at = item.at.clone();
                    self.check(item, &path.item(i), asked.part(&asked.schema["items"]), &at);
                }
                self.length(node, path, asked, ("minItems", "maxItems", "items"), length, holder);
            }
            Kind::Number(raw) => {
                let raw = raw.clone();
                self.number(node, path, asked, &raw);
            }
            Kind::Text(text) => {
                let value = text.value.clone();
                self.text(node, path, asked, &value, holder);
            }
            Kind::Null | Kind::Bool(_) => {}
        }
    }

    /// A part of the document's own, or a room.
    fn referred(&mut self, node: &mut Node, path: &Path<'_>, asked: Asked<'a>, name: &str, holder: &Span) {
        let registry = self.registry;
        if let Some(schema) = asked.root["$defs"].get(name) {
            self.check(node, path, asked.part(schema), holder);
        } else if let Some((_, key, room)) = registry.rooms().into_iter().find(|(_, key, _)| *key == name) {
            node.room = Some(key);
            let find = |name: &str| registry.declared(key, name).map(|declared| Asked::all_of(declared.schema()));
            self.tagged(node, path, &Tagged { tag: "type", what: key, names: &|| room.names() }, &find, holder);
        }
    }

    pub(super) fn problem(
        &mut self,
        code: &'static Code,
        node: &Node,
        path: &Path<'_>,
        message: String,
    ) -> &mut Problem {
        let written = self.text.get(node.at.clone()).unwrap_or_default();
        let given = match &node.kind {
            Kind::Map(_) => "a map",
            Kind::List(_) => "a list",
            Kind::Null if written.is_empty() => "nothing",
            // As written: never the value of a variable, which may be a secret.
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => written,
        };
        let mut problem = Problem::new(code, path, node.at.clone(), message).also(node.used.clone(), "used here");
        if !given.is_empty() {
            problem = problem.given(given);
        }
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// A value that is known only when the function starts. Whether nothing more can be said of it.
    fn comes_late(&mut self, node: &Node, path: &Path<'_>, asked: Asked<'_>) -> bool {
        let types = asked.types();
        let whole = node.as_str().and_then(super::variables::only_held).is_some();
        let late = asked.schema[LATE] == true;
        let format = asked.schema["format"].as_str();
        let free = (types.0.is_empty() || types.has("string"))
            && asked.list("enum").is_empty()
            // Other forms are only looked at when the function starts.
            && format != Some(region::FORMAT);
        if late && whole || !late && free {
            return true;
        }
        let (message, help) = if late {
            (format!("{} is made of a variable and more", path.name()), "bind the whole of it to one variable")
        } else {
            (format!("{} must be known when the template is made", path.name()), "write the value itself")
        };
        self.problem(codes::NOT_LATE, node, path, message).help = Some(help.to_owned());
        true
    }

    fn one_of(&mut self, node: &mut Node, path: &Path<'_>, asked: Asked<'a>, forms: &[&'a Value], holder: &Span) {
        let null = |form: &Value| form["type"] == "null" || form.get("const").is_some_and(Value::is_null);
        if node.kind == Kind::Null && forms.iter().any(|f| null(f)) {
            return;
        }
        let forms: Vec<&Value> = forms.iter().copied().filter(|f| !null(f)).collect();
        if let [form] = forms[..] {
            return self.check(node, path, asked.part(form), holder);
        }
        // An enum's words: with doc comments each is a `const`, without they are one `enum`.
        let words = |form: &&'a Value| match (form.get("const"), form["enum"].as_array()) {
            (Some(word), _) => Some(slice::from_ref(word)),
            (None, words) => words.map(Vec::as_slice),
        };
        if let Some(words) = forms.iter().map(words).collect::<Option<Vec<_>>>() {
            return self.one_word(node, path, &words.concat());
        }
        let tag = |form: &'a Value| {
            form["properties"].as_object()?.iter().find_map(|(key, v)| Some((key.as_str(), v["const"].as_str()?)))
        };
        let tags: Vec<(&str, &str)> = forms.iter().filter_map(|f| tag(f)).collect();
        if let (Some((key, _)), true) = (tags.first(), tags.len() == forms.len()) {
            let names: Vec<&str> = tags.iter().map(|(_, name)| *name).collect();
            let find = |name: &str| names.iter().position(|n| *n == name).map(|i| asked.part(forms[i]));
            return self.tagged(
                node,
                path,
                &Tagged { tag: key, what: "form", names: &|| names.clone() },
                &find,
                holder,
            );
        }
        // No sign which one is meant: the form with the fewest mistakes is.
        let before = self.problems.len();
        let best = forms.iter().min_by_key(|form| {
            self.check(&mut node.clone(), path, asked.part(form), holder);
            self.problems.drain(before..).count()
        });
        if let Some(form) = best {
            self.check(node, path, asked.part(form), holder);
        }
    }

    fn tagged(
        &mut self,
        node: &mut Node,
        path: &Path<'_>,
        Tagged { tag, what, names }: &Tagged<'_>,
        find: &dyn Fn(&str) -> Option<Asked<'a>>,
        holder: &Span,
    ) {
        if !matches!(node.kind, Kind::Map(_)) {
            return self.wrong_type(node, path, Types(&["object".into()]), holder);
        }
        let Some(name) = node.get(tag) else {
            let message = format!("`{tag}` is missing; it says which {what} this is");
            let problem = Problem::new(codes::MISSING, path.key(tag), head(node, holder), message);
            return self.problems.push(problem.allowed(quoted(names())));
        };
        let Kind::Text(word) = &name.kind else {
            return self.wrong_type(&name.clone(), &path.key(tag), Types(&["string".into()]), holder);
        };
        match find(&word.value) {
            Some(asked) => self.map(node, path, asked, Some(tag), holder),
            // It may be the value of a variable, so the message does not repeat it.
            None if word.unknown == Some(Unknown::Missing) => {}
            None => {
                let message = match word.variables {
                    0 => format!("no {what} is called `{}`", word.value),
                    _ => format!("no {what} is called what the variable says"),
                };
                let help = match nearest(&word.value, names()) {
                    _ if word.variables > 0 => None,
                    _ if bender::has(&word.value) => Some("use another one: Bender's is not here".to_owned()),
                    name => name.map(|name| format!("did you mean `{name}`?")),
                };
                let problem = self.problem(codes::UNKNOWN_TYPE, name, &path.key(tag), message);
                (problem.allowed, problem.help) = (quoted(names()), help);
            }
        }
    }

    fn map(&mut self, node: &mut Node, path: &Path<'_>, asked: Asked<'a>, tag: Option<&str>, holder: &Span) {
        let head = head(node, holder);
        let used = node.used.clone();
        let Kind::Map(members) = &mut node.kind else { return };
        let known = asked.schema["properties"].as_object();
        let others = asked.schema.get("additionalProperties");
        other_names(members, known);
        let required = asked.list("required").iter().filter_map(Value::as_str);
        let missing: Vec<&str> =
            required.filter(|name| tag != Some(name) && members.iter().all(|(key, _)| key.name != *name)).collect();
        let unknown = |key: &str| tag != Some(key) && !known.is_some_and(|known| known.contains_key(key));
        // What may stand there still: for the few keys that are not known.
        let free: Vec<&str> = if members.iter().any(|(key, _)| unknown(&key.name)) {
            let known = known.into_iter().flat_map(|k| k.keys()).map(String::as_str);
            known.filter(|k| members.iter().all(|(key, _)| key.name != *k) && tag != Some(*k)).collect()
        } else {
            vec![]
        };
        let mut meant = vec![];
        for (key, child) in members {
            let path = path.key(&key.name);
            match (known.and_then(|k| k.get(&key.name)), others) {
                (None, _) if tag == Some(&key.name) => {}
                (Some(schema), _) | (None, Some(schema @ Value::Object(_))) => {
                    self.check(child, &path, asked.part(schema), &key.at);
                }
                (None, Some(Value::Bool(false))) => {
                    let suggestion = nearest(&key.name, free.iter().copied());
                    meant.extend(suggestion);
                    let message = format!("there is no setting `{}` here", key.name);
                    let problem = Problem::new(codes::UNKNOWN_KEY, path, key.at.clone(), message)
                        .given(&key.name)
                        .allowed(quoted(free.iter().copied()))
                        .also(used.clone(), "used here");
                    self.problems.push(match suggestion {
                        Some(name) => problem.help(format!("did you mean `{name}`?")),
                        None => problem.help("take it away"),
                    });
                }
                (None, _) => {}
            }
        }
        for name in missing {
            // A misspelt key is one mistake, not two.
            if !meant.contains(&name) {
                let message = format!("`{name}` is missing");
                let problem = Problem::new(codes::MISSING, path.key(name), head.clone(), message);
                let about = asked.schema["properties"][name]["description"].as_str().unwrap_or_default();
                let help = format!("add `{name}: …`. {}", about.lines().next().unwrap_or_default());
                self.problems.push(problem.help(help.trim_end()).also(used.clone(), "used here"));
            }
        }
    }
}

/// Gives settings that are written by their other name the one that they have.
fn other_names(members: &mut [(Key, Node)], known: Option<&serde_json::Map<String, Value>>) {
    let Some(known) = known else { return };
    for i in 0..members.len() {
        let other = &members[i].0.name;
        let named = || known.iter().find(|(_, setting)| setting[ALIAS] == **other).map(|(name, _)| name);
        let Some(name) = (if known.contains_key(other) { None } else { named() }) else { continue };
        // Both at once are one too many: the other name is then unknown.
        if members.iter().all(|(key, _)| key.name != *name) {
            members[i].0.name.clone_from(name);
        }
    }
}

/// Where to point at what a map lacks: its `type`, or the key that holds it.
fn head(node: &Node, holder: &Span) -> Span {
    node.get("type").map_or(holder, |t| &t.at).clone()
}

/// A variable's text where a number or boolean is wanted is read as one.
fn settle_variable(node: &mut Node, types: Types<'_>) {
    let Kind::Text(text) = &node.kind else { return };
    if text.variables == 0 || text.unknown.is_some() || types.has("string") {
        return;
    }
    let number = types.has("number") || types.has("integer");
    match text.value.as_str() {
        "true" if types.has("boolean") => node.kind = Kind::Bool(true),
        "false" if types.has("boolean") => node.kind = Kind::Bool(false),
        n if number && serde_json::from_str::<f64>(n).is_ok() => node.kind = Kind::Number(n.to_owned()),
        _ => {}
    }
}
