//! What no component can see by itself: whether the parts fit together. Sound parts are checked even when others are not.

use super::{
    ANYTHING,
    read::sound,
    tree::{Node, Path},
};
use crate::{
    codes,
    handlers::BuildHandler,
    problem::{Problem, Span},
    registry::{InRoom, Registry},
    wrappers::BuildWrapper,
};
use std::{fmt, sync::Arc};

pub(super) fn all(registry: &Registry, tree: &Node, problems: &mut Vec<Problem>) {
    let mut check = Check { registry, tree, problems };
    check.wrapper_fits_handler();
    check.sources();
}

struct Check<'a> {
    registry: &'a Registry,
    tree: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Check<'a> {
    /// A component of the config's first level, if it is sound, and where its type stands.
    fn component<B: InRoom + ?Sized>(&self, key: &str) -> Option<(Arc<B>, Span)> {
        let node = self.tree.get(key).filter(|node| sound(node, &Path::Root.key(key), self.problems))?;
        let component = self.registry.reading(|| B::room(self.registry).read(node)).ok()?;
        Some((component, node.get("type")?.at.clone()))
    }

    fn wrapper_fits_handler(&mut self) {
        let handler = self.component::<dyn BuildHandler>("handler");
        let wrapper = self.component::<dyn BuildWrapper>("wrapper");
        let (Some((handler, handler_at)), Some((wrapper, at))) = (handler, wrapper) else { return };
        let gives = handler.gives();
        if wrapper.reads().is_some_and(|reads| reads != gives) {
            let message = format!("`{}` cannot wrap what `{}` gives ({gives:?})", wrapper.name(), handler.name());
            let problem = Problem::new(codes::WRAPPER_ORIGIN, "wrapper", at, message);
            let help = "use `BasicWrapper` or `PassthroughWrapper`, which wrap anything";
            self.problems.push(problem.help(help).also(Some(handler_at), "the handler"));
        }
    }

    fn sources(&mut self) {
        let sources = self.tree.get("sources").map(Node::items).unwrap_or_default();
        let (root, mut earlier) = (Path::Root, vec![]);
        let list = root.key("sources");
        for (i, source) in sources.iter().enumerate() {
            let path = list.item(i);
            self.name_is_its_own(source, &path, &earlier);
            self.can_get_an_event(source, &path, &earlier);
            for key in ["deserializer", "operations"] {
                self.stands_once(source, &path, key);
            }
            earlier.push((source, path.to_string()));
        }
    }

    fn name_is_its_own(&mut self, source: &Node, path: &Path<'_>, earlier: &[(&'a Node, String)]) {
        let name = |source: &'a Node| Some((source.get("name")?.as_str()?, source.get("name")?.at.clone()));
        let Some(own) = source.get("name") else { return };
        let first = earlier.iter().filter_map(|(e, _)| name(e)).find(|(name, _)| Some(*name) == own.as_str());
        if let Some((_, first)) = first {
            let message = "another source has this name";
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
        let (path, help) = (path.to_string() + ".", format!("did you mean `{key}`?"));
        let hit =
            |p: &Problem| p.code == codes::UNKNOWN_KEY && p.help.as_ref() == Some(&help) && p.path.starts_with(&path);
        self.problems.iter().any(hit)
    }

    fn stands_once(&mut self, source: &Node, path: &Path<'_>, key: &str) {
        let in_source = source.member(key).map(|(key, _)| key.at.clone());
        let beside = self.tree.member(key).map(|(key, _)| key.at.clone());
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
