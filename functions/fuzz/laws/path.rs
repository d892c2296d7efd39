//! Paths: what one finds lies within the document, what it changes stays JSON. The first line is the path, what follows the document.

use super::kit;
use payload::{Arena, Kind, Output, Path, Payload};
use std::collections::BTreeSet;

pub(crate) fn hold(bytes: &[u8]) {
    let Some((text, document)) = kit::two(bytes) else { return };
    let path = match Path::new(text) {
        Ok(path) => path,
        Err(error) => return assert!(text.is_char_boundary(error.offset), "{error}"),
    };
    assert_eq!(Path::new(path.as_str()).as_ref(), Ok(&path));
    let mut arena = Arena::new();
    let Ok(event) = arena.parse_slice(document) else { return };

    let mut all = vec![];
    kit::each(event.root(), &mut |value| all.push(kit::json(value)));
    let found: Vec<String> = event.find_all(&path).into_iter().map(kit::json).collect();
    assert!(found.len() <= all.len(), "a value is found once");
    assert!(!path.is_definite() || found.len() <= 1, "a definite path leads to one value");
    assert_eq!(event.get(&path).map(kit::json).as_ref(), found.first());
    assert!(event.root().length(&path).is_none_or(|length| length < all.len()), "it counts what there is");
    let all: BTreeSet<String> = all.into_iter().collect();
    assert!(found.iter().all(|value| all.contains(value)), "what is found is in the document");
    for (name, value) in event.root().members() {
        // Of a name that no Rust string can hold there is no path.
        if !name.contains('\u{fffd}') {
            let member = event.get(&Path::member(&name)).map(kit::json);
            assert_eq!(member, Some(kit::json(value)));
        }
    }

    changed(document, |event| {
        if event.set(&path, "x").is_ok() {
            assert!(event.find_all(&path).len() <= found.len().max(1));
            if path.is_definite() {
                assert_eq!(event.get_str(&path).as_deref(), Some("x"));
            }
        }
    });
    changed(document, |event| {
        let there = event.find_all(&path).len();
        if let Ok(removed) = event.remove(&path) {
            // The event itself may be found, by `$..[?(@)]`, and stays.
            assert!(if removed { there > 0 } else { there < 2 });
            // Behind an index the next element takes its place.
            assert!(!path.is_definite() || text.contains('[') || event.get(&path).is_none());
        }
    });
    changed(document, |event| {
        let to = Path::member("copy");
        if event.copy_value(&path, &to).is_ok() {
            assert!(event.get(&to).is_some());
        }
    });
    changed(document, |event| {
        let _ = event.rename(&path, &payload::Name::new("other"));
    });
    changed(document, |event| {
        if event.promote(&path).is_ok() {
            assert_eq!(kit::json(event.root()), found[0]);
        }
    });
}

/// What is written after a change reads as JSON that is written the same.
fn changed(document: &[u8], change: impl FnOnce(&mut Payload<'_>)) {
    let (mut arena, mut again) = (Arena::new(), Arena::new());
    let mut event = arena.parse_slice(document).expect("it was read before");
    change(&mut event);
    let mut out = Output::new();
    event.write_to(&mut out);
    let written = out.into_vec();
    match again.parse_slice(&written) {
        Ok(read) => assert_eq!(kit::json(read.root()).as_bytes(), written),
        // A copy may be nested deeper than what is read.
        Err(error) => assert!(event.kind() != Kind::String && error.reason.contains("deep"), "{error}"),
    }
}
