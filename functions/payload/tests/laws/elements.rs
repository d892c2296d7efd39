//! Element by element is what the whole document gives.

use crate::{
    generate::{self, broken, document, eventful, value},
    grammar::is_json,
    model::{tree, written},
};
use payload::{Arena, ChangeError, Kind, Name, Path};
use proptest::prelude::*;

type Events = Result<Vec<String>, ChangeError>;

fn by_elements(arena: &mut Arena, text: &[u8], path: &Path, keep: &[Name]) -> Events {
    arena.load(|buffer| buffer.extend([b"[1]\n", text, b"\n]}"].concat()));
    let mut elements = arena.elements(4..4 + text.len(), path, keep)?;
    let mut events = vec![];
    while let Some(mut event) = elements.next()? {
        events.push(written(&event));
        tree(&event);
        let _ = event.set(&Path::member("k"), "changed");
    }
    assert!(elements.is_empty());
    Ok(events)
}

fn by_split(arena: &mut Arena, text: &[u8], path: &Path, keep: &[Name]) -> Events {
    let mut payload = arena.parse_slice(text)?;
    let mut split = payload.split(path, keep)?;
    let mut events = vec![];
    while let Some(event) = split.next()? {
        events.push(written(&event));
    }
    Ok(events)
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn elements_are_those_of_a_split(document in prop_oneof![value(), eventful()], broken in broken(), pick in 0..5usize) {
        let path = Path::new(["$", "a", "b", "a.b", "a.a.b"][pick]).unwrap();
        let keep = [Name::new("k"), Name::new("a"), Name::new("none")];
        let mut arena = Arena::new();
        for text in [document.text.as_bytes(), &broken] {
            for keep in [&keep[..], &[]] {
                let ours = by_elements(&mut arena, text, &path, keep);
                prop_assert_eq!(&ours, &by_split(&mut arena, text, &path, keep));
                prop_assert_eq!(matches!(ours, Err(ChangeError::Json(_))), !is_json(text));
            }
        }
    }

    #[test]
    fn records_are_found_wherever_they_stand(before in document(), list in prop::collection::vec(value(), 0..6), after in value()) {
        let texts: Vec<_> = list.iter().map(|element| &*element.text).collect();
        let text = format!(
            "{{\"before\":{},\"Records\":[1],\"Rec\\u006frds\" : [ {} ],\"after\":{}}}", before.text, texts.join(" , "), after.text
        );
        let (path, keep) = (Path::new("$.Records").unwrap(), [Name::new("after"), Name::new("Records")]);
        let mut arena = Arena::new();
        arena.load_slice(text.as_bytes());
        let elements = arena.elements(arena.whole(), &path, &keep).unwrap();
        prop_assert_eq!(elements.len(), list.len());
        prop_assert_eq!(elements.all_objects(), list.iter().all(|element| element.tree.kind() == Kind::Object));
        let ours = by_elements(&mut arena, text.as_bytes(), &path, &keep).unwrap();
        prop_assert_eq!(ours, by_split(&mut arena, text.as_bytes(), &path, &keep).unwrap());
    }
}

#[test]
fn a_document_broken_behind_the_array_gives_an_error_before_its_first_element() {
    let mut arena = Arena::new();
    let path = Path::new("$.Records").unwrap();
    let mut offset = |text: &[u8]| match by_elements(&mut arena, text, &path, &[]) {
        Err(ChangeError::Json(error)) => error.offset,
        other => panic!("{other:?}"),
    };
    assert_eq!(offset(br#"{"Records":[{},{}],"x":01}"#), 23);
    assert_eq!(offset(br#"{"Records":[{},{}]"#), 18);
    assert_eq!(offset(br#"{"Records":[{},{}]} x"#), 20);
    assert_eq!(offset(b"{\"Records\":[{},{}],\"x\":\"\xff\"}"), 24);
}

#[test]
fn of_repeated_names_the_last_one_counts() {
    let mut arena = Arena::new();
    let path = Path::new("a.b").unwrap();
    for (text, expected) in [
        (&br#"{"a":{"b":[1]},"a":{"b":[2]}}"#[..], Ok(vec!["2".to_owned()])),
        (br#"{"a":{"b":[1],"b":null}}"#, Err(ChangeError::WrongKind(Kind::Null))),
        (br#"{"a":{"b":[1]},"a":5}"#, Err(ChangeError::Missing)),
        (br#"{"a":{"b":[1]},"a":{}}"#, Err(ChangeError::Missing)),
    ] {
        assert_eq!(by_elements(&mut arena, text, &path, &[]), expected);
        assert_eq!(by_split(&mut arena, text, &path, &[]), expected);
    }
}

#[test]
fn paths_that_are_not_members_only_are_refused() {
    let mut arena = Arena::new();
    for path in ["$.a[0]", "$..a", "a.*"] {
        assert_eq!(by_elements(&mut arena, b"{}", &Path::new(path).unwrap(), &[]), Err(ChangeError::WrongPath));
    }
}

#[test]
fn elements_can_be_split_further() {
    let mut arena = Arena::new();
    arena.load_slice(br#"{"days":[{"hours":[{"a":1},{"a":2}]},{"hours":[{"a":3}]}]}"#);
    let (days, hours, keep) = (Path::new("days").unwrap(), Path::new("hours").unwrap(), []);
    let mut seen = vec![];
    let mut elements = arena.elements(arena.whole(), &days, &keep).unwrap();
    while let Some(mut day) = elements.next().unwrap() {
        let mut split = day.split(&hours, &[]).unwrap();
        while let Some(hour) = split.next().unwrap() {
            seen.push(written(&hour));
        }
    }
    assert_eq!(seen, [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]);
}
