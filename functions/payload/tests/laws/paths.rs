//! Paths as users of Bender write them.

use crate::model::written;
use payload::{Arena, Path, Value};
use proptest::prelude::*;

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

/// What a path finds in the event is not looked for again for each of many elements: that would take minutes here.
#[test]
fn a_filter_that_looks_into_a_large_event_looks_once() {
    let members: Vec<_> = (0..100_000).map(|n| format!(r#""k{n}":{n},"#)).collect();
    let elements: Vec<_> = (0..100_000).map(|n| format!(r#"{{"k":{n}}}"#)).collect();
    let text = format!(r#"{{{}"least":99999,"a":[{}]}}"#, members.concat(), elements.join(","));
    let mut arena = Arena::new();
    let payload = arena.parse_slice(text.as_bytes()).unwrap();
    for path in ["$.a[?(@.k >= $.least)].k", "$.a[?(@.k == $.least || @.k >= $.a.length())].k"] {
        let all = payload.find_all(&Path::new(path).unwrap());
        assert_eq!(all.into_iter().map(Value::to_text).collect::<Vec<_>>(), ["99999"]);
    }
}

#[test]
fn a_filter_takes_the_elements_that_it_accepts() {
    for (filter, expected) in [
        ("@.k > 1", vec![r#"{"k":2}"#]),
        ("@.k>=1&&@.k<2.5", vec![r#"{"k":1}"#, r#"{"k":2}"#]),
        ("@.k == 1 || @['z'] == 3", vec![r#"{"k":1}"#, r#"{"z":3}"#]),
        ("@.k == '1'", vec![r#"{"k":1}"#]),
        ("@.k != 1", vec![r#"{"k":2}"#, r#"{"z":3}"#]),
        ("!@.k", vec![r#"{"z":3}"#]),
        ("!(@.k == 1 || @.z)", vec![r#"{"k":2}"#]),
        ("@.k in [2, 'x', null]", vec![r#"{"k":2}"#]),
        ("@.k nin [2]", vec![r#"{"k":1}"#, r#"{"z":3}"#]),
        ("@.k == $.arr[1].k", vec![r#"{"k":2}"#]),
        ("@.length() == 1 && @.k <= 1e0", vec![r#"{"k":1}"#]),
        ("@.k == null || @.k == 'b' || @.k < 'x' || @.k == true", vec![]),
    ] {
        assert_eq!(found(&format!("$.arr[?({filter})]")), expected, "{filter}");
    }
    assert_eq!(found("$.arr[?(@.k)].k"), ["1", "2"]);
    assert_eq!(found("$.o[?(@.k)]['x y']"), ["null"], "an object is looked at itself");
    assert_eq!(found("$..[?(@.k == 2)]"), [r#"{"k":2}"#], "and once only");
    assert_eq!(found("$.arr[2,0,2,7,-3].*"), ["3", "1"]);
    assert_eq!(found("$.a[?(@.b)]"), [r#"{"b":"v","a.b":1}"#]);
    assert!(found("$.a.b[?(@.b)]").is_empty());
}

#[test]
fn a_length_is_read_and_nothing_else() {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(TEXT.as_bytes()).unwrap();
    let length = |path: &str| payload.root().length(&Path::new(path).unwrap());
    assert_eq!(["$.arr.length()", "$.a.length()", "$.length()"].map(length), [Some(3), Some(2), Some(4)]);
    assert_eq!(["$.a.b.length()", "$.x.length()", "$.arr"].map(length), [None; 3]);
    let path = Path::new("$.arr.length()").unwrap();
    assert!(path.is_length() && !path.is_definite() && payload.get(&path).is_none());
    let wrong = Err(payload::ChangeError::WrongPath);
    assert_eq!(payload.set(&path, 1), wrong);
    assert_eq!(payload.copy_value(&Path::new("a").unwrap(), &path), wrong);
    assert_eq!(payload.copy_value(&path, &Path::new("a").unwrap()), wrong);
    assert_eq!(payload.remove(&path), Err(payload::ChangeError::WrongPath));
    assert!(payload.split(&path, &[]).is_err());
    assert_eq!(written(&payload), TEXT);
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
        ("$.a[?(@.k =~ /x/)]", 10),
        ("$.a[?(@.k size 1)]", 10),
        ("$.a[?(@..k == 1)]", 10),
        ("$.a[?(@.k[?(@.x)])]", 11),
        ("$.a[?(1)]", 7),
        ("$.a[?(@.k == )]", 13),
        ("$.a[?(@.k]", 9),
        ("$.a[?]", 5),
        ("$.a[?(@.k in 1)]", 13),
        ("$.a[0,]", 6),
        ("$.a.length().b", 12),
        ("$.a[*].length()", 15),
        ("$.a.min()", 7),
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

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No text makes the reader panic, a place that it names is in the text, and no path makes a search or a change panic.
    #[test]
    fn any_text_is_a_path_or_refused(
        text in r"(\$|@|\.|\.\.|\[|\]|\?|\(|\)|\*|,|:|-|!|&&|\|\||==|<|>=|=~| in | nin |'|[\x22]|\\|[akoé 0-3]|arr|length\(\)|null|@\.k|\$\.a|\[\?\(|\)\]){0,14}",
    ) {
        match Path::new(&text) {
            Err(error) => prop_assert!(error.offset <= text.len() && text.is_char_boundary(error.offset), "{}", error),
            Ok(path) => {
                prop_assert_eq!(path.as_str(), &text);
                let mut arena = Arena::new();
                let mut payload = arena.parse_slice(TEXT.as_bytes()).unwrap();
                let found = payload.find_all(&path).len();
                prop_assert!(!path.is_definite() || found <= 1);
                prop_assert_eq!(payload.get(&path).is_some(), found > 0);
                let _ = payload.root().length(&path);
                let _ = payload.copy_value(&path, &Path::member("copy"));
                let _ = payload.set(&path, "new");
                let _ = payload.remove(&path);
                prop_assert!(serde_json::from_str::<serde_json::Value>(&written(&payload)).is_ok());
            }
        }
    }
}

#[test]
fn filters_are_nested_within_bounds() {
    let nested = |depth: usize| format!("$.a[?({}@.k{})]", "(".repeat(depth), ")".repeat(depth));
    assert!(Path::new(&nested(20)).is_ok());
    for text in [nested(100_000), format!("$.a[?({}@.k)]", "!".repeat(100_000))] {
        assert_eq!(Path::new(&text).unwrap_err().reason, "the filter is nested too deep");
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
