//! Reading: text to tree, variables, the walk, serde, checks between components.
//!
//! JSON becomes a tree without places first, which is quick. Only when something is wrong is the text read again with
//! places. When the walk finds nothing, serde builds the whole; when it does, or serde refuses, each component without a
//! mistake is tried by itself, inner ones first, so that all who refuse are heard.

use super::{
    LANGUAGE, PipelineConfig, bender, check, load,
    tree::{Kind, Node, Path, ReadError, Unknown},
    variables::{self, Variables},
    walk::{Asked, Walk},
};
use crate::{
    codes,
    problem::{Problem, Report, Span},
    registry::{Registry, Sample},
};
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) fn read(
    registry: &Registry,
    file: &str,
    text: &str,
    variables: Variables<'_>,
) -> Result<PipelineConfig, Report> {
    let named_json = file.rsplit('.').next().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let report = |problems| Report::new(file, text, problems);
    let mut without_places = None;
    if named_json || text.trim_start().starts_with('{') {
        match load::json(text).map(|tree| read_tree(registry, text, tree, vec![], variables)) {
            Ok(Ok(config)) => return Ok(config),
            Ok(Err(problems)) => without_places = Some(problems),
            Err(problem) if named_json => return Err(report(vec![*problem])),
            Err(_) => {}
        }
    }
    match load::placed(text) {
        Ok((tree, problems)) => read_tree(registry, text, tree, problems, variables).map_err(report),
        // What is JSON but no YAML: better without places than not at all.
        Err(problem) => Err(report(without_places.unwrap_or_else(|| vec![*problem]))),
    }
}

fn read_tree(
    registry: &Registry,
    text: &str,
    mut tree: Node,
    mut problems: Vec<Problem>,
    variables: Variables<'_>,
) -> Result<PipelineConfig, Vec<Problem>> {
    if let Some(problem) = too_new(&tree) {
        // What else is wrong follows from it.
        return Err(vec![problem]);
    }
    let benders = tree.get("version").is_none();
    tree.each(&Path::Root, &mut |path, node| prepare(path, node, variables, benders, &mut problems));
    let mut walk = Walk { registry, text, problems, patterns: BTreeMap::new() };
    walk.check(&mut tree, &Path::Root, Asked::all_of(PipelineConfig::schema()), &(0..0));
    let mut problems = walk.problems;

    let config = if problems.is_empty() { Some(registry.typed::<PipelineConfig>(&tree)) } else { None };
    if !matches!(config, Some(Ok(_))) {
        try_each(registry, &tree, &Path::Root, &mut problems);
        // What no component of its own refuses, the config as a whole does.
        if let (Some(Err(error)), true) = (&config, problems.is_empty()) {
            let at = error.at.clone().unwrap_or(0..0);
            problems.push(Problem::new(codes::REFUSED, "", at, variables::written_text(&error.message)));
        }
    }
    check::all(registry, &tree, &mut problems);
    match config {
        Some(Ok(config)) if problems.is_empty() => Ok(config),
        _ => Err(problems),
    }
}

fn too_new(tree: &Node) -> Option<Problem> {
    let (_, node) = tree.member("version")?;
    let Kind::Number(raw) = &node.kind else { return None };
    let version: f64 = raw.parse().ok()?;
    if version <= f64::from(LANGUAGE) {
        return None;
    }
    let message =
        format!("the config is written in version {raw} of its language, this program reads up to {LANGUAGE}");
    let help = "deploy the function from the revision that the config is from";
    Some(Problem::new(codes::TOO_NEW, "version", node.at.clone(), message).help(help))
}

/// What needs no schema: keys written twice, and variables.
fn prepare(path: &Path<'_>, node: &mut Node, variables: Variables<'_>, benders: bool, problems: &mut Vec<Problem>) {
    match &mut node.kind {
        Kind::Map(members) => {
            let mut seen: BTreeMap<&str, &Span> = BTreeMap::new();
            for (i, (key, _)) in members.iter().enumerate() {
                // Most maps are small.
                let first = match members.len() {
                    0..16 => members[..i].iter().find(|(k, _)| k.name == key.name).map(|(k, _)| &k.at),
                    _ => seen.insert(&key.name, &key.at),
                };
                if let Some(first) = first {
                    let message = format!("`{}` is written twice; only one can hold", key.name);
                    problems.push(
                        Problem::new(codes::DUPLICATE_KEY, path.key(&key.name), key.at.clone(), message)
                            .help("take one of the two away")
                            .also(Some(first.clone()), "first here"),
                    );
                }
            }
        }
        // Events are what they are.
        Kind::Text(_) if path.is_below("tests") => {}
        Kind::Text(text) if text.value.contains(['<', '\\']) => {
            if let Some(expression) = bender::template(&text.value) {
                let message = format!("`{expression}` is a template expression, and only `<NAME>` is replaced");
                let help = "write the variants as configs of their own, and comments with `#`";
                text.unknown = Some(Unknown::Missing);
                problems.push(Problem::new(codes::TEMPLATE, path, node.at.clone(), message).help(help));
                return;
            }
            for name in variables::put_in(text, variables, benders) {
                let (message, way) = match variables {
                    Variables::From(_) => (format!("the environment has no `{name}`"), "set the variable"),
                    Variables::Bound(_) => (format!("nothing is bound to `{name}`"), "bind the name to a value"),
                };
                let help = format!("{way}, or write `\\<{name}>` if none is meant");
                problems.push(Problem::new(codes::NO_VARIABLE, path, node.at.clone(), message).help(help));
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) => {}
    }
}

/// When a config cannot be built as a whole: each component by itself, inner ones first.
fn try_each(registry: &Registry, node: &Node, path: &Path<'_>, problems: &mut Vec<Problem>) {
    match &node.kind {
        Kind::List(items) => {
            for (i, item) in items.iter().enumerate() {
                try_each(registry, item, &path.item(i), problems);
            }
        }
        Kind::Map(members) => {
            for (key, node) in members {
                try_each(registry, node, &path.key(&key.name), problems);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
    }
    let Some(room) = node.room else { return };
    if sound(node, path, problems) {
        if let Err(error) = registry.sample(room, node) {
            refused(node, path, error, problems);
        }
        return;
    }
    // What is wrong inside it does not keep it from saying what it has against the rest.
    let mut whole = node.clone();
    let mut places = vec![];
    stand_in(&mut whole, path, problems, &mut places);
    let below = |place: &str| places.iter().any(|at| is_at_or_below(place, at));
    let here = path.to_string();
    if whole.has_unknown(Unknown::Missing) || problems.iter().any(|p| is_at_or_below(&p.path, &here) && !below(&p.path))
    {
        return;
    }
    if let Err(mut error) = registry.sample(room, &whole) {
        error.mistakes.retain(|mistake| !below(&format!("{here}.{}", mistake.setting)));
        if !error.mistakes.is_empty() {
            refused(node, path, error, problems);
        }
    }
}

/// Puts a component that nobody objects to in the place of each one inside that is not sound.
fn stand_in(node: &mut Node, path: &Path<'_>, problems: &[Problem], places: &mut Vec<String>) {
    match &mut node.kind {
        Kind::List(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                stand_in_for(item, &path.item(i), problems, places);
            }
        }
        Kind::Map(members) => {
            for (key, node) in members {
                stand_in_for(node, &path.key(&key.name), problems, places);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
    }
}

fn stand_in_for(node: &mut Node, path: &Path<'_>, problems: &[Problem], places: &mut Vec<String>) {
    let other = match node.room {
        Some("operation") => json!({ "type": "BasicFilterOperation" }),
        Some("substitution") => json!({ "type": "StaticSubstitution", "key": "key", "value": "value" }),
        _ => return stand_in(node, path, problems, places),
    };
    if !sound(node, path, problems)
        && let Ok(other) = serde_json::from_value::<Node>(other)
    {
        places.push(path.to_string());
        node.kind = other.kind;
    }
}

/// Whether nothing at a place or below it is wrong so far.
pub(super) fn sound(node: &Node, path: &Path<'_>, problems: &[Problem]) -> bool {
    let path = path.to_string();
    !node.has_unknown(Unknown::Missing) && !problems.iter().any(|p| is_at_or_below(&p.path, &path))
}

fn is_at_or_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn refused(node: &Node, path: &Path<'_>, error: ReadError, problems: &mut Vec<Problem>) {
    let kind = node.get("type").map_or(&node.at, |t| &t.at);
    if error.mistakes.is_empty() {
        let at = error.at.filter(|at| *at != node.at).unwrap_or_else(|| kind.clone());
        let name = node.get("type").and_then(Node::as_str).unwrap_or_default();
        let message = format!("`{name}` refuses its settings: {}", variables::written_text(&error.message));
        problems.push(Problem::new(codes::REFUSED, path, at, message).also(node.used.clone(), "used here"));
    }
    for mistake in error.mistakes {
        let at = place_below(node, &mistake.setting).unwrap_or_else(|| kind.clone());
        let path = match mistake.setting.as_str() {
            "" => path.to_string(),
            setting => format!("{path}.{setting}"),
        };
        let mut problem = Problem::new(mistake.code, path, at, mistake.message).also(node.used.clone(), "used here");
        problem.help = mistake.help;
        problems.push(problem);
    }
}

/// Where a setting stands: `conditions[1].condition`.
fn place_below(node: &Node, setting: &str) -> Option<Span> {
    let mut at = None;
    let mut node = node;
    for step in setting.split(['.', '[']).filter(|step| !step.is_empty()) {
        let holder;
        (holder, node) = match step.strip_suffix(']').and_then(|n| n.parse::<usize>().ok()) {
            Some(index) => (None, node.items().get(index)?),
            None => node.member(step).map(|(key, node)| (Some(key.at.clone()), node))?,
        };
        at = if node.at.is_empty() { holder.or(at) } else { Some(node.at.clone()) };
    }
    at
}

/// A document as it is written, variables and all. None if it is none.
pub(crate) fn document(text: &str) -> Option<Value> {
    let (tree, _) = load::placed(text).ok()?;
    Value::deserialize(&tree).ok()
}

/// Whether an example is that of an operation which only decides what passes.
pub(crate) fn is_filter(registry: &Registry, example: &str) -> bool {
    let read = |tree: &Node| registry.reading(|| registry.operations.read(tree)).map_err(|_| vec![]);
    by_itself(registry, "operation", example, read).is_ok_and(|operation| operation.is_filter())
}

/// Reads one component by itself, its variables taken as bound. `room` is what schemas call it.
pub(crate) fn component(registry: &Registry, room: &str, text: &str) -> Result<Sample, Report> {
    by_itself(registry, room, text, |tree| {
        registry.sample(room, tree).map_err(|error| {
            let mut problems = vec![];
            refused(tree, &Path::Root, error, &mut problems);
            problems
        })
    })
}

fn by_itself<T>(
    registry: &Registry,
    room: &str,
    text: &str,
    make: impl FnOnce(&Node) -> Result<T, Vec<Problem>>,
) -> Result<T, Report> {
    let report = |problems| Report::new(room, text, problems);
    let (mut tree, mut problems) = load::placed(text).map_err(|problem| report(vec![*problem]))?;
    let mut names = vec![];
    tree.clone().each(&Path::Root, &mut |_, node| {
        if let Kind::Text(text) = &mut node.kind {
            names.extend(variables::put_in(text, Variables::Bound(&[]), false));
        }
    });
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bound = Variables::Bound(&names);
    tree.each(&Path::Root, &mut |path, node| prepare(path, node, bound, false, &mut problems));
    let asked = json!({ "$ref": format!("#/$defs/{room}") });
    let mut walk = Walk { registry, text, problems, patterns: BTreeMap::new() };
    walk.check(&mut tree, &Path::Root, Asked::all_of(&asked), &(0..0));
    let problems = walk.problems;
    if problems.is_empty() { make(&tree).map_err(report) } else { Err(report(problems)) }
}
