//! Paths as users of Bender write them.

use crate::model::written;
use payload::{Arena, Path, Value};

const TEXT: &str = r#"{"a":{"b":"v","a.b":1},"arr":[{"k":1},{"k":2},{"z":3}],"o":{"x y":null,"k":{"k":5}},"it's":6}"#;

fn found(path: &str) -> Vec<String> {
    let mut arena = Arena::new();
    let payload = arena.parse_slice(TEXT.as_bytes()).unwrap();
    let path = Path::new(path).unwrap();
    let all = payload.find_all(&path);
    assert_eq!(payload.get(&path).map(Value::to_text), all.first().copied().map(Value::to_text));
    assert!(!path.is_definite() || all.len() <= 1);
    all.into_iter().map(|value| value.to_text().into_owned()).collect()
}

#[test]
fn every_notation_finds_its_values() {
    for path in ["$.a.b", "a.b", "$['a']['b']", "$[\"a\"].b", "$.['a'].b", "a['b']"] {
        assert_eq!(found(path), ["v"], "{path}");
    }
    assert_eq!(found("$"), [TEXT]);
    assert_eq!(found("$.a['a.b']"), ["1"]);
    assert_eq!(found(r"$['it\'s']"), ["6"]);
    assert_eq!(found("$.o['x y']"), ["null"]);
    assert_eq!(found("arr[0].k"), ["1"]);
    assert_eq!(found("$.arr[-1].z"), ["3"]);
    for nothing in ["$.arr[3]", "$.arr[-4]", "$.arr.k", "$.a[0]", "$.missing.x", "$.arr[1].z", "$.a.b.c", "$.a[*].x"] {
        assert!(found(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn a_path_may_find_many_values_each_of_them_once() {
    for path in ["$.arr[*].k", "$.arr.*.k", "arr[*]['k']", "$.arr[0:2].k", "$.arr[:2].k", "$.arr[-3:-1].k", "$.arr..k"]
    {
        assert_eq!(found(path), ["1", "2"], "{path}");
    }
    assert_eq!(found("$.arr[1:].*"), ["2", "3"]);
    assert_eq!(found("$..k"), ["1", "2", r#"{"k":5}"#, "5"]);
    assert_eq!(found("$..k..k"), ["5"]);
    assert_eq!(found("$..['z']"), ["3"]);
    assert_eq!(found("$..[2]"), [r#"{"z":3}"#]);
    assert_eq!(found("*.b"), ["v"]);
    assert_eq!(found("$..*").len(), 15);
    assert_eq!(found("$..*..*").len(), 11, "all but the members of the event itself");
}

#[test]
fn an_indefinite_path_changes_all_that_it_finds() {
    let changed = |change: &dyn Fn(&mut payload::Payload<'_>)| {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(br#"{"a":[{"k":{"k":1}},2],"k":3}"#).unwrap();
        change(&mut payload);
        written(&payload)
    };
    let path = |text| Path::new(text).unwrap();
    assert_eq!(changed(&|p| p.set(&path("$.a[*]"), "S").unwrap()), r#"{"a":["S","S"],"k":3}"#);
    assert_eq!(changed(&|p| p.set(&path("$..k"), true).unwrap()), r#"{"a":[{"k":true},2],"k":true}"#);
    assert_eq!(changed(&|p| assert!(p.remove(&path("$..k")).unwrap())), r#"{"a":[{},2]}"#);
    assert_eq!(changed(&|p| assert!(!p.remove(&path("$..z")).unwrap())), r#"{"a":[{"k":{"k":1}},2],"k":3}"#);
    let all = changed(&|p| p.copy_value(&path("$..k"), &path("all")).unwrap());
    assert_eq!(all, r#"{"a":[{"k":{"k":1}},2],"k":3,"all":[3,{"k":1},1]}"#);
}

#[test]
fn a_split_takes_what_an_indefinite_path_finds() {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(br#"{"a":[{"r":[{"x":1}]},{"r":[{"x":2},{"r":3}]}]}"#).unwrap();
    let (mut split, mut seen) = (payload.split(&Path::new("$..r").unwrap(), &[]).unwrap(), vec![]);
    while let Some(mut event) = split.next().unwrap() {
        let _ = event.set(&Path::new("$[1].r").unwrap(), "changed");
        seen.push(written(&event));
    }
    assert_eq!(seen, [r#"[{"x":1}]"#, r#"[{"x":2},{"r":"changed"}]"#, "3"]);
}

#[test]
fn an_error_says_where_and_what_is_allowed() {
    for (path, offset) in [
        ("", 0),
        ("$.", 2),
        ("$a", 1),
        ("$.a..", 5),
        ("$.a b", 3),
        ("$[", 2),
        ("$[x]", 2),
        ("$['a", 3),
        ("$['a'", 5),
        ("$.a[1", 5),
        ("$.a[?(@.k > 1)]", 4),
        ("$.a.length()", 10),
        ("$['a','b']", 5),
        ("$.a[99999999999999999999]", 4),
        ("$.a[-]", 4),
        ("a]", 1),
        ("$.a[*", 5),
        ("$.é.", 5),
    ] {
        let error = Path::new(path).unwrap_err();
        assert_eq!(error.offset, offset, "{path:?}: {error}");
        assert!(error.to_string().contains("`['name']`"), "{error}");
    }
}

#[test]
fn a_name_becomes_a_path_whatever_is_in_it() {
    for name in ["a", "a.b", "it's", r"back\slash", "x y", "$", "", "[0]", "*"] {
        let path = Path::member(name);
        assert!(path.is_definite());
        assert_eq!(Path::new(path.as_str()).unwrap(), path, "{name}");
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(b"{}").unwrap();
        payload.set(&path, 1).unwrap();
        assert_eq!(payload.root().members().next().unwrap().0, name);
    }
}
