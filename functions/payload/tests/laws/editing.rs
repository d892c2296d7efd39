//! Keeping some values, replacing others, and making way for new ones.

use crate::{
    generate::{self, eventful},
    model::{Tree, tree},
};
use payload::{Arena, Kind, Output, Path, Payload, Replace};
use proptest::prelude::*;

fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

/// All that is at one of these paths of names, and what it is in.
fn kept(tree: &Tree, paths: &[&[&str]]) -> Option<Tree> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(tree.clone());
    }
    let Tree::Object(members) = tree else { return None };
    let inside = |(name, value): &(String, Tree)| {
        let rest: Vec<_> = paths.iter().filter(|path| path[0] == name).map(|path| &path[1..]).collect();
        Some((name.clone(), kept(value, &rest)?))
    };
    let members: Vec<_> = members.iter().filter_map(inside).collect();
    (!members.is_empty()).then_some(Tree::Object(members))
}

fn shouted(tree: &Tree) -> Tree {
    match tree {
        Tree::Leaf(text) if tree.kind() == Kind::String => Tree::Leaf(text.clone()).said_twice(),
        Tree::Leaf(_) => tree.clone(),
        Tree::Array(list) => Tree::Array(list.iter().map(shouted).collect()),
        Tree::Object(list) => Tree::Object(list.iter().map(|(name, value)| (name.clone(), shouted(value))).collect()),
    }
}

impl Tree {
    fn said_twice(&self) -> Self {
        let Self::Leaf(text) = self else { return self.clone() };
        let text: String = serde_json::from_str(text).unwrap();
        if text.is_empty() { self.clone() } else { Self::text(&text.repeat(2)) }
    }
}

fn twice(value: payload::Value<'_>, text: &mut String) -> bool {
    text.push_str(&value.as_str().unwrap().repeat(2));
    !text.is_empty()
}

fn written(payload: &Payload<'_>) -> String {
    let mut out = Output::new();
    payload.write_to(&mut out);
    String::from_utf8(out.into_vec()).unwrap()
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn what_is_kept_is_as_it_was_and_all_else_is_gone(document in eventful()) {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        payload.keep(&[path("$.a['a.b']"), path("b"), path("$.c.a"), path("$.c.b")]);
        let meaning = document.tree.meaning();
        let expected = kept(&meaning, &[&["a", "a.b"], &["b"], &["c", "a"], &["c", "b"]]);
        let empty = if matches!(meaning, Tree::Array(_)) { Tree::Array(vec![]) } else { Tree::Object(vec![]) };
        prop_assert_eq!(tree(&payload), expected.unwrap_or(empty));
    }

    #[test]
    fn keeping_the_event_or_all_in_it_changes_nothing(document in eventful()) {
        for all in ["$", "$.*", "$..*"] {
            let mut arena = Arena::new();
            let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
            payload.keep(&[path(all)]);
            prop_assert_eq!(tree(&payload), document.tree.meaning(), "{}", all);
        }
    }

    #[test]
    fn every_string_is_asked_about_once_and_nothing_else_changes(document in eventful()) {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        let before = written(&payload);
        let changed = payload.replace(&path("$"), Replace::Strings, twice).unwrap();
        prop_assert_eq!(changed, written(&payload) != before);
        prop_assert_eq!(tree(&payload), shouted(&document.tree.meaning()));
    }

    #[test]
    fn only_what_is_at_the_path_is_replaced(document in eventful()) {
        let mut expected = document.tree.meaning();
        if let Some(value) = expected.member_mut("a") {
            *value = shouted(value);
        }
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        payload.replace(&path("$.a"), Replace::Strings, twice).unwrap();
        prop_assert_eq!(tree(&payload), expected.clone());
        if let Some(value) = expected.member_mut("a") {
            *value = Tree::text("x");
        }
        let put = |_: payload::Value<'_>, text: &mut String| { text.push('x'); true };
        payload.replace(&path("$.a"), Replace::Values, put).unwrap();
        prop_assert_eq!(tree(&payload), expected.clone());
        payload.replace(&path("$.*"), Replace::Values, put).unwrap();
        prop_assert!(payload.root().members().all(|(_, value)| value.as_str().as_deref() == Some("x")));
    }

    #[test]
    fn a_value_can_be_set_where_way_was_made_and_all_else_is_as_it_was(document in eventful()) {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        let new = path("$.a.new.way.x");
        match payload.make_way(&new) {
            Ok(()) => {
                payload.set(&new, 1).unwrap();
                prop_assert_eq!(payload.number_text(&new), Some("1"));
                let had_a = document.tree.meaning().member("a").is_some();
                payload.remove(&path(if had_a { "$.a.new" } else { "$.a" })).unwrap();
            }
            Err(error) => prop_assert!(matches!(error, payload::ChangeError::WrongParent(_)), "{}", error),
        }
        prop_assert_eq!(tree(&payload), document.tree.meaning());
    }
}

#[test]
fn way_is_made_no_deeper_than_events_may_be() {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(b"{}").unwrap();
    let deep = path(&format!("${}", ".a".repeat(5000)));
    assert_eq!(payload.make_way(&deep), Err(payload::ChangeError::TooDeep));
    assert_eq!(payload.make_way(&path("$.a[0].b")), Err(payload::ChangeError::WrongParent(Kind::Object)));
    assert_eq!(payload.make_way(&path("$..a")), Err(payload::ChangeError::WrongPath));
}
