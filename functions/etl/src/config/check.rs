//! What no component can see by itself: whether the parts fit together. Sound parts are checked even when others are not.

use super::{
    ANYTHING, PipelineConfig,
    read::sound,
    tree::{Kind, Node, Path},
};
use crate::{
    codes,
    component::Component as _,
    handlers::BuildHandler,
    operations::{BasicFilterOperation, BuildOperation},
    problem::{Problem, Span},
    registry::{InRoom, Registry},
    transports::BuildTransport,
    wrappers::BuildWrapper,
};
use std::{fmt, sync::Arc};

pub(super) fn all(registry: &Registry, tree: &Node, problems: &mut Vec<Problem>) {
    let mut check = Check { registry, tree, problems };
    check.wrapper_fits_handler(tree, &Path::Root);
    check.exits();
    check.answer();
    check.sources();
    check.tests();
}

struct Check<'a> {
    registry: &'a Registry,
    tree: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Check<'a> {
    /// A component, if it is sound, and where its type stands.
    fn component<B: InRoom + ?Sized>(&self, holder: &Node, path: &Path<'_>, key: &str) -> Option<(Arc<B>, Span)> {
        let node = holder.get(key).filter(|node| sound(node, &path.key(key), self.problems))?;
        let component = self.registry.reading(|| B::room(self.registry).read(node)).ok()?;
        Some((component, node.get("type")?.at.clone()))
    }

    fn wrapper_fits_handler(&mut self, holder: &Node, path: &Path<'_>) {
        let handler = self.component::<dyn BuildHandler>(self.tree, &Path::Root, "handler");
        let wrapper = self.component::<dyn BuildWrapper>(holder, path, "wrapper");
        let (Some((handler, handler_at)), Some((wrapper, at))) = (handler, wrapper) else { return };
        let gives = handler.gives();
        if wrapper.reads().is_some_and(|reads| reads != gives) {
            let message = format!("`{}` cannot wrap what `{}` gives ({gives:?})", wrapper.name(), handler.name());
            let problem = Problem::new(codes::WRAPPER_ORIGIN, path.key("wrapper"), at, message);
            let help = "use `BasicWrapper` or `PassthroughWrapper`, which wrap anything";
            self.problems.push(problem.help(help).also(Some(handler_at), "the handler"));
        }
    }

    /// `transport`, or `transports`, with a wrapper and a serializer for each.
    fn exits(&mut self) {
        let root = Path::Root;
        let place = |key: &str| {
            self.tree.member(key).filter(|(_, node)| node.kind != Kind::Null).map(|(key, _)| key.at.clone())
        };
        let list = root.key("transports");
        match (place("transport"), place("transports")) {
            (Some(one), Some(several)) => {
                let message = "`transport` and `transports` both say where events go";
                let problem = Problem::new(codes::GIVEN_TWICE, list, several, message);
                self.problems.push(problem.help("keep one of the two").also(Some(one), "the other"));
            }
            (_, None) if matches!(self.tree.kind, Kind::Map(_)) => {
                for key in ["wrapper", "serializer", "transport"] {
                    self.is_there(self.tree, &root, key, None);
                }
            }
            _ => {}
        }
        let entries = self.tree.get("transports").map(Node::items).unwrap_or_default();
        let mut earlier = vec![];
        for (i, entry) in entries.iter().enumerate().filter(|(_, entry)| matches!(entry.kind, Kind::Map(_))) {
            let path = list.item(i);
            self.name_is_its_own(entry, &path, &earlier, "another transport has this name");
            self.wrapper_fits_handler(entry, &path);
            self.can_be_a_condition(entry, &path);
            for key in ["wrapper", "serializer"] {
                if self.tree.get(key).is_none_or(|node| node.kind == Kind::Null) && !self.misspelt(root, key) {
                    self.is_there(entry, &path, key, Some("transports"));
                }
            }
            earlier.push((entry, path.to_string()));
        }
    }

    /// A handler that must answer for its records, and the transport that is the answer, go together.
    fn answer(&mut self) {
        let Some((handler, handler_at)) = self.component::<dyn BuildHandler>(self.tree, &Path::Root, "handler") else {
            return;
        };
        let (root, list) = (Path::Root, Path::Root.key("transports"));
        let entries = self.tree.get("transports").map(Node::items).unwrap_or_default();
        let several = entries.iter().enumerate().map(|(i, entry)| (entry, list.item(i)));
        if let Some((letters, at)) = self.component::<dyn BuildTransport>(self.tree, &root, "dead_letter")
            && letters.is_answer()
        {
            let message = format!("`{}` is an answer about events and takes no dead letters", letters.name());
            let problem = Problem::new(codes::NO_ANSWER, root.key("dead_letter"), at, message);
            self.problems.push(problem.help("use a transport that sends events somewhere"));
        }
        let (mut answer, mut other, mut unknown) = (None, None, false);
        for (holder, path) in [(self.tree, root)].into_iter().chain(several) {
            if holder.get("transport").is_none() {
                continue;
            }
            let Some((transport, at)) = self.component::<dyn BuildTransport>(holder, &path, "transport") else {
                unknown = true;
                continue;
            };
            let path = path.key("transport");
            if !transport.is_answer() {
                other.get_or_insert((at, path.to_string(), transport.name()));
            } else if !handler.wants_answers() {
                let message =
                    format!("`{}` is the answer to a handler that `{}` is not", transport.name(), handler.name());
                let problem = Problem::new(codes::NO_ANSWER, path, at, message);
                let help = "use `FirehoseTransformHandler`, or a transport that sends events somewhere";
                self.problems.push(problem.help(help).also(Some(handler_at.clone()), "the handler"));
            } else if let Some(first) = &answer {
                let message = "an invocation has one answer";
                let problem = Problem::new(codes::NO_ANSWER, path, at, message);
                self.problems.push(problem.help("keep one of the two").also(Some(Span::clone(first)), "the other"));
            } else {
                answer = Some(at);
            }
        }
        if let (true, None, Some((at, path, name)), false) = (handler.wants_answers(), answer, other, unknown) {
            let message =
                format!("`{}` must answer with what becomes of the records, and `{name}` is no answer", handler.name());
            let problem = Problem::new(codes::NO_ANSWER, path, at, message);
            let help = "use `FirehoseTransform`; in a list of `transports`, beside others";
            self.problems.push(problem.help(help).also(Some(handler_at), "the handler"));
        }
    }

    /// Reports what is missing and not just misspelt. `beside`: of what it may also stand beside.
    fn is_there(&mut self, holder: &Node, path: &Path<'_>, key: &str, beside: Option<&str>) {
        let given = holder.get(key);
        if given.is_some_and(|given| given.kind != Kind::Null) || self.misspelt(path, key) {
            return;
        }
        let at = given.or(holder.get("name")).map_or(0..0, |node| node.at.clone());
        let help = match (beside, key) {
            (Some(list), _) => format!("add one here, or beside `{list}` for all of them"),
            (None, "transport") => "add `transport: …`, or `transports: …` for more than one".to_owned(),
            (None, _) => {
                let about = PipelineConfig::schema()["properties"][key]["description"].as_str().unwrap_or_default();
                format!("add `{key}: …`. {}", about.split(';').next().unwrap_or_default().trim_end_matches('.')) + "."
            }
        };
        let message = format!("`{key}` is missing");
        self.problems.push(Problem::new(codes::MISSING, path.key(key), at, message).help(help));
    }

    fn can_be_a_condition(&mut self, entry: &Node, path: &Path<'_>) {
        let Some((when, at)) = self.component::<dyn BuildOperation>(entry, path, "when") else { return };
        let path = path.key("when");
        if !when.is_filter() {
            let message = format!("`{}` is no filter, so it cannot say which events a transport gets", when.name());
            let help = "use `RegexFilterOperation`, and put what changes events among the `operations`";
            self.problems.push(Problem::new(codes::NOT_A_FILTER, path, at, message).help(help));
        } else if when.name() == BasicFilterOperation::NAME && when.raw_json()["pass"] != true {
            let message = "no event goes to this transport: the condition lets nothing pass";
            let help = "set `pass: true`, or take the transport away";
            self.problems.push(Problem::new(codes::NEVER, path, at, message).help(help));
        }
    }

    fn sources(&mut self) {
        let sources = self.tree.get("sources").map(Node::items).unwrap_or_default();
        let (root, mut earlier) = (Path::Root, vec![]);
        let list = root.key("sources");
        for (i, source) in sources.iter().enumerate() {
            let path = list.item(i);
            self.name_is_its_own(source, &path, &earlier, "another source has this name");
            self.can_get_an_event(source, &path, &earlier);
            for key in ["deserializer", "operations"] {
                self.stands_once(source, &path, key);
            }
            earlier.push((source, path.to_string()));
        }
    }

    fn tests(&mut self) {
        let root = Path::Root;
        let list = root.key("tests");
        let cases = self.tree.get("tests").map(Node::items).unwrap_or_default();
        let sources = self.tree.get("sources").map(Node::items).unwrap_or_default();
        let names: Vec<&str> = sources.iter().filter_map(|source| source.get("name")?.as_str()).collect();
        let mut earlier = vec![];
        for (i, case) in cases.iter().enumerate() {
            let path = list.item(i);
            self.name_is_its_own(case, &path, &earlier, "another test has this name");
            earlier.push((case, path.to_string()));
            if let Some((node, now)) = case.get("now").and_then(|now| Some((now, now.as_str()?)))
                && now.parse::<jiff::Timestamp>().is_err()
            {
                let message = "`now` is no time";
                let problem = Problem::new(codes::FORM, path.key("now"), node.at.clone(), message).given(now);
                self.problems.push(problem.help("write it as RFC 3339 does: `2026-01-01T00:00:00Z`"));
            }
            if let Some((node, source)) = case.get("source").and_then(|source| Some((source, source.as_str()?)))
                && !names.contains(&source)
            {
                let message = "no source has this name";
                let problem = Problem::new(codes::NOT_ALLOWED, path.key("source"), node.at.clone(), message);
                self.problems.push(problem.given(source).allowed(names.iter().map(|name| format!("`{name}`"))));
            }
        }
    }

    fn name_is_its_own(&mut self, source: &Node, path: &Path<'_>, earlier: &[(&'a Node, String)], message: &str) {
        let name = |source: &'a Node| Some((source.get("name")?.as_str()?, source.get("name")?.at.clone()));
        let Some(own) = source.get("name") else { return };
        let first = earlier.iter().filter_map(|(e, _)| name(e)).find(|(name, _)| Some(*name) == own.as_str());
        if let Some((_, first)) = first {
            let problem = Problem::new(codes::SAME_NAME, path.key("name"), own.at.clone(), message);
            self.problems.push(problem.help("give it a name of its own").also(Some(first), "first here"));
        }
    }

    fn can_get_an_event(&mut self, source: &Node, path: &Path<'_>, earlier: &[(&Node, String)]) {
        // What is no text, or may be meant by another key, is reported already.
        let regex = |source: &Node, path: &str| match source.get("source_regex") {
            Some(node) => node.as_str().map(str::to_owned),
            None => (!self.misspelt(path, "source_regex")).then(|| ANYTHING.to_owned()),
        };
        let place = |source: &Node| source.get("source_regex").or(source.get("name")).map(|n| n.at.clone());
        let Some(own) = regex(source, &path.to_string()) else { return };
        let taken = earlier.iter().find(|(e, path)| regex(e, path).is_some_and(|r| r == own || r == ANYTHING));
        let Some((first, _)) = taken else { return };
        let message = "an earlier source takes all that this one matches";
        let at = place(source).unwrap_or(0..0);
        let problem = Problem::new(codes::SAME_REGEX, path.key("source_regex"), at, message);
        let help = "put the more particular `source_regex` first, or give this source another one";
        self.problems.push(problem.help(help).also(place(first), "takes it"));
    }

    /// Whether some key at a place is probably a misspelt `key`.
    fn misspelt(&self, path: impl fmt::Display, key: &str) -> bool {
        let (path, help) = (path.to_string(), format!("did you mean `{key}`?"));
        let inside =
            |p: &Problem| path.is_empty() || p.path.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'));
        let hit = |p: &Problem| p.code == codes::UNKNOWN_KEY && p.help.as_ref() == Some(&help) && inside(p);
        self.problems.iter().any(hit)
    }

    fn stands_once(&mut self, source: &Node, path: &Path<'_>, key: &str) {
        let given = |holder: &Node| {
            holder.member(key).filter(|(_, node)| node.kind != Kind::Null).map(|(key, _)| key.at.clone())
        };
        let (in_source, beside) = (given(source), given(self.tree));
        let problem = match (in_source, beside) {
            (Some(at), Some(beside)) => {
                let message = format!("`{key}` stands in this source and beside `sources`");
                let problem = Problem::new(codes::GIVEN_TWICE, path.key(key), at, message);
                problem.help("keep one of the two").also(Some(beside), "for all sources")
            }
            (None, None) if key == "deserializer" && source.get("name").is_some() && !self.misspelt(path, key) => {
                let at = source.get("name").map_or(source.at.clone(), |n| n.at.clone());
                Problem::new(codes::MISSING, path.key(key), at, "the source has no `deserializer`")
                    .help("add one here, or beside `sources` for all of them")
            }
            _ => return,
        };
        self.problems.push(problem);
    }
}
