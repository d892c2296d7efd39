//! Every operation does what the model does.

use crate::{
    generate::{self, Document, eventful, string, value},
    model::{Tree, tree, written},
};
use payload::{Arena, Change, ChangeError, Collision, Flattener, Kind, Name, New, Path, Payload, Reach, Rewriter};
use proptest::prelude::*;

fn path(text: &str) -> Path {
    Path::new(text).unwrap()
}

/// What an operation makes of a document: written and read again.
fn becomes(document: &Document, change: impl FnOnce(&mut Payload<'_>)) -> Tree {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
    change(&mut payload);
    tree(&payload)
}

/// The container at a path of two names, or why there is none.
fn parent<'a>(tree: &'a mut Tree, name: &str) -> Result<&'a mut Tree, ChangeError> {
    match tree.member_mut(name) {
        None => Err(ChangeError::MissingParent),
        Some(parent) if parent.kind() == Kind::Object => Ok(parent),
        Some(parent) => Err(ChangeError::WrongParent(parent.kind())),
    }
}

fn rule(name: &str, kind: Kind) -> Change {
    match kind {
        Kind::Null => Change::Drop,
        _ if name.starts_with("x-") => Change::Keep,
        Kind::Float => Change::Rename(format!("{}__float", name.to_lowercase())),
        _ => Change::Rename(name.to_lowercase().replace([' ', '.'], "_")),
    }
}

const REACHES: [Reach; 3] = [Reach::Objects, Reach::Elements, Reach::All];
const COLLISIONS: [Collision; 2] = [Collision::Fail, Collision::LastWins];

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn set_replaces_or_adds_a_member(document in eventful(), new in value(), text in string()) {
        let text: String = serde_json::from_str(&text).unwrap();
        for (new, tree) in [(New::Json(&new.text), new.tree.meaning()), (New::Text(&text), Tree::text(&text))] {
            let mut expected = document.tree.meaning();
            let result = parent(&mut expected, "a").map(|parent| parent.insert("a.b", tree));
            let ours = becomes(&document, |payload| {
                assert_eq!(payload.set(&path("$.a['a.b']"), new), result);
            });
            prop_assert_eq!(ours, expected);
        }
    }

    #[test]
    fn set_replaces_an_element(document in eventful()) {
        let mut expected = document.tree.meaning();
        let result = match expected.member_mut("b") {
            None => Err(ChangeError::MissingParent),
            Some(Tree::Array(list)) => list.get_mut(1).map(|e| *e = Tree::null()).ok_or(ChangeError::Missing),
            Some(other) => Err(ChangeError::WrongParent(other.kind())),
        };
        let ours = becomes(&document, |payload| assert_eq!(payload.set(&path("b[1]"), New::Null), result));
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn remove_takes_out_a_member(document in eventful()) {
        let mut expected = document.tree.meaning();
        let result = match parent(&mut expected, "a") {
            Ok(parent) => Ok(parent.remove("b").is_some()),
            Err(ChangeError::MissingParent) => Ok(false),
            Err(error) => Err(error),
        };
        let ours = becomes(&document, |payload| assert_eq!(payload.remove(&path("$.a.b")), result));
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn rename_keeps_the_place_and_replaces_another(document in eventful()) {
        let mut expected = document.tree.meaning();
        let Tree::Object(list) = &mut expected else { panic!("an object") };
        let result = if list.iter().any(|member| member.0 == "a") { Ok(()) } else { Err(ChangeError::Missing) };
        if result.is_ok() {
            list.retain(|member| member.0 != "b");
            list.iter_mut().filter(|member| member.0 == "a").for_each(|member| member.0 = "b".into());
        }
        let ours = becomes(&document, |payload| assert_eq!(payload.rename(&path("a"), &Name::new("b")), result));
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn copies_of_values_are_independent(document in eventful()) {
        let mut expected = document.tree.meaning();
        let copied = expected.member("a").cloned();
        if let Some(copy) = copied {
            expected.insert("b", copy.clone());
            expected.insert("a", Tree::text("gone"));
            if copy.kind() == Kind::Object {
                expected.member_mut("b").unwrap().insert("new", Tree::Leaf("true".into()));
            }
        }
        let ours = becomes(&document, |payload| {
            if payload.copy_value(&path("a"), &path("b")).is_ok() {
                payload.set(&path("a"), "gone").unwrap();
                let _ = payload.set(&path("b.new"), true);
            }
        });
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn promote_makes_a_value_the_event(document in eventful()) {
        let expected = document.tree.meaning();
        let inner = expected.member("a").cloned();
        let ours = becomes(&document, |payload| assert_eq!(payload.promote(&path("a")).is_ok(), inner.is_some()));
        prop_assert_eq!(ours, inner.unwrap_or(expected));
    }

    #[test]
    fn rewrite_applies_the_rule_within_its_reach(documents in prop::collection::vec(prop_oneof![value(), eventful()], 1..3)) {
        for (reach, collision) in REACHES.into_iter().flat_map(|reach| COLLISIONS.map(|collision| (reach, collision))) {
            let mut rewriter = Rewriter::new(reach, rule).on_collision(collision);
            let mut arena = Arena::new();
            for (count, document) in documents.iter().enumerate() {
                let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
                let mut expected = document.tree.meaning().rewrite(reach, collision, &rule);
                let mut result = payload.rewrite(&mut rewriter);
                if let (0, Some(once)) = (count, &expected) {
                    expected = once.rewrite(reach, collision, &rule); // and again, on what it left
                    result = payload.rewrite(&mut rewriter);
                }
                prop_assert_eq!(result, if expected.is_some() { Ok(()) } else { Err(ChangeError::Collision) });
                prop_assert_eq!(tree(&payload), expected.unwrap_or_else(Tree::null));
            }
        }
    }

    #[test]
    fn flatten_joins_names(documents in prop::collection::vec(prop_oneof![value(), eventful()], 1..3), separator in "[.\"_]{0,2}") {
        for collision in COLLISIONS {
            let mut flattener = Flattener::new(&separator).on_collision(collision);
            let mut arena = Arena::new();
            for document in &documents {
                let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
                let result = payload.flatten(&mut flattener);
                let meaning = document.tree.meaning();
                if let Tree::Leaf(_) = meaning {
                    prop_assert_eq!(tree(&payload), meaning);
                    continue;
                }
                let expected = meaning.flatten(&separator, collision);
                prop_assert_eq!(result, if expected.is_some() { Ok(()) } else { Err(ChangeError::Collision) });
                prop_assert_eq!(tree(&payload), expected.unwrap_or_else(Tree::null));
            }
        }
    }

    #[test]
    fn an_envelope_holds_the_event_and_what_is_put_in(document in eventful(), text in string()) {
        let text: String = serde_json::from_str(&text).unwrap();
        let ours = becomes(&document, |payload| {
            payload.wrap(|envelope| {
                envelope.put(&Name::new("n"), 5).put(&Name::new("f"), 2.0).put(&Name::new("none"), None::<bool>);
                envelope.put(&Name::new("a"), &text).put_payload(&Name::new("p")).put_payload(&Name::new("q"));
                envelope.put(&Name::new("j"), New::Json("[1e5]")).put(&Name::new("n"), -7);
            }).unwrap();
        });
        let leaf = |text: &str| Tree::Leaf(text.into());
        let expected = Tree::Object(vec![
            ("n".into(), leaf("-7")), ("f".into(), leaf("2.0")), ("none".into(), leaf("null")),
            ("a".into(), Tree::text(&text)), ("p".into(), document.tree.meaning()),
            ("j".into(), Tree::Array(vec![leaf("1e5")])),
        ]);
        prop_assert_eq!(ours, expected);
    }

    #[test]
    fn every_element_of_a_split_is_an_event_of_its_own(elements in prop::collection::vec(value(), 0..5), k in value()) {
        let list: Vec<_> = elements.iter().map(|element| element.text.clone()).collect();
        let text = format!("{{\"k\":{},\"in\":{{\"list\" : [{}]}}}}", k.text, list.join(" ,"));
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
        // Keeping what holds the array itself is no trap.
        let keep = [Name::new("k"), Name::new("in"), Name::new("none")];
        let kept_in = Tree::Object(vec![("list".into(), Tree::Array(elements.iter().map(|e| e.tree.meaning()).collect()))]);
        let mut split = payload.split(&path("$.in.list"), &keep).unwrap();
        prop_assert_eq!(split.len(), elements.len());
        prop_assert_eq!(split.all_objects(), elements.iter().all(|element| element.tree.kind() == Kind::Object));
        for element in &elements {
            let mut event = split.next().unwrap().unwrap();
            let mut expected = element.tree.meaning();
            if expected.kind() == Kind::Object {
                expected.insert("k", k.tree.meaning());
                expected.insert("in", kept_in.clone());
                expected.insert("none", Tree::null());
            }
            prop_assert_eq!(tree(&event), expected);
            // Whatever happens to it, the next one has the kept members as they were.
            event.rewrite(&mut Rewriter::new(Reach::All, |name, _| Change::Rename(format!("{name}!")))).unwrap();
            let _ = event.set(&path("$.k.x"), "changed");
            let _ = event.remove(&path("$['in!']"));
        }
        prop_assert!(split.next().unwrap().is_none());
        prop_assert_eq!(written(&payload), "null", "the source is used up");
    }

    #[test]
    fn random_changes_never_panic(document in prop_oneof![value(), eventful()], steps in prop::collection::vec((0..12u8, 0..8usize, 0..8usize), 1..20)) {
        let paths = ["$", "a", "$.a.b", "b[0]", "$[1]", "$..a", "$.*", "$.b[-1:]"].map(path);
        let (mut flattener, keep) = (Flattener::new("."), [Name::new("a")]);
        let mut rewriter = Rewriter::new(Reach::All, rule).on_collision(Collision::LastWins);
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        for (what, one, other) in steps {
            match what {
                0 => _ = payload.set(&paths[one], "text"),
                1 => _ = payload.set(&paths[one], New::Json(r#"{"a":[{"b":[1]}]}"#)),
                2 | 3 => _ = payload.copy_value(&paths[one], &paths[other]),
                4 => _ = payload.remove(&paths[one]),
                5 => _ = payload.rename(&paths[one], &Name::new("b")),
                6 => _ = payload.promote(&paths[one]),
                7 => _ = payload.rewrite(&mut rewriter),
                8 => _ = payload.flatten(&mut flattener),
                9 => _ = payload.wrap(|envelope| _ = envelope.put_payload(&Name::new("a")).put(&Name::new("b"), one == 0)),
                10 => {
                    let mut copy = payload.copy().unwrap();
                    _ = copy.remove(&paths[one]);
                    tree(&copy);
                }
                _ => {
                    let mut copy = payload.copy().unwrap();
                    if let Ok(mut split) = copy.split(&paths[one], &keep) {
                        while let Some(mut element) = split.next().unwrap() {
                            _ = element.set(&paths[other], 1);
                            tree(&element);
                        }
                    }
                }
            }
            tree(&payload);
        }
    }
}

#[test]
fn a_change_that_fails_leaves_the_event_as_it_was() {
    let text = r#"{"a":{"b":[1]},"n":null}"#;
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
    let json = |offset, reason| Err(ChangeError::Json(payload::JsonError { offset, reason }));
    for (place, value, expected) in [
        ("x.y", New::Null, Err(ChangeError::MissingParent)),
        ("n.y", New::Null, Err(ChangeError::WrongParent(Kind::Null))),
        ("a.b.c", New::Null, Err(ChangeError::WrongParent(Kind::Array))),
        ("a[0]", New::Null, Err(ChangeError::WrongParent(Kind::Object))),
        ("a.b[1]", New::Null, Err(ChangeError::Missing)),
        ("$..z", New::Null, Err(ChangeError::Missing)),
        ("a", New::Float(f64::NAN), Err(ChangeError::NotFinite)),
        ("a", New::Json("{\"x\":01}"), json(5, "a number that begins with 0")),
        ("a", New::Lenient("{x:1"), json(4, "the text ends too early")),
    ] {
        assert_eq!(payload.set(&path(place), value), expected, "{place}");
        assert_eq!(written(&payload), text);
    }
    assert_eq!(payload.copy_value(&path("x"), &path("a")), Err(ChangeError::Missing));
    assert_eq!(payload.promote(&path("$..a")), Err(ChangeError::WrongPath));
    assert_eq!(payload.rename(&path("a.b[0]"), &Name::new("x")), Err(ChangeError::WrongPath));
    assert_eq!(payload.remove(&path("$")), Err(ChangeError::WrongPath));
    assert_eq!(payload.split(&path("a"), &[]).unwrap_err(), ChangeError::WrongKind(Kind::Object));
    let bad = payload.wrap(|envelope| _ = envelope.put_payload(&Name::new("p")).put(&Name::new("f"), f64::INFINITY));
    assert_eq!(bad, Err(ChangeError::NotFinite));
    assert_eq!(written(&payload), text);
}

#[test]
fn an_arena_in_place_of_another_is_noticed_by_what_remembers_keys() {
    let (mut one, mut other) = (Arena::new(), Arena::new());
    let (name, mut flattener) = (path("b.x"), Flattener::new("-"));
    let mut rewriter = Rewriter::new(Reach::All, |name, _| Change::Rename(name.to_uppercase()));
    for _ in 0..3 {
        for (arena, text) in [(&mut one, r#"{"a":{"x":1},"b":{"x":2}}"#), (&mut other, r#"{"b":{"x":2},"a":{"x":1}}"#)]
        {
            let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
            assert_eq!(payload.number_text(&name), Some("2"));
            payload.flatten(&mut flattener).unwrap();
            payload.rewrite(&mut rewriter).unwrap();
            assert_eq!(payload.number_text(&Path::member("A-X")), Some("1"));
            assert_eq!(payload.number_text(&Path::member("B-X")), Some("2"));
        }
    }
}
