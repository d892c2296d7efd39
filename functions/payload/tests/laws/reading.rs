//! What is read is what was written, and what is not touched is not changed.

use crate::{
    generate::{self, Document, document, value},
    model::{Tree, quoted, tree, tree_of_json, written},
};
use payload::{Arena, Change, Kind, Name, Output, Path, Reach, Rewriter, Value};
use proptest::prelude::*;

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn a_document_is_read_as_it_says(document in value()) {
        let mut arena = Arena::new();
        let payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        // Values, order of members, the very bytes of numbers.
        prop_assert_eq!(Tree::of(payload.root()), document.tree.meaning());
    }

    #[test]
    fn a_document_is_written_compact_and_says_the_same(document in value()) {
        let mut arena = Arena::new();
        let payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        let json = written(&payload);
        prop_assert!(!json.contains(['\n', '\r', '\t']));
        prop_assert_eq!(tree_of_json(&json), document.tree.meaning());
        prop_assert!(payload.verbatim().is_none_or(|text| text == json.as_bytes()));
    }

    #[test]
    fn a_compact_document_without_repeated_names_is_written_byte_for_byte(document in value()) {
        let json = document.tree.meaning().json();
        let mut arena = Arena::new();
        let payload = arena.parse_slice(json.as_bytes()).unwrap();
        prop_assert_eq!(payload.verbatim(), Some(json.as_bytes()));
        prop_assert_eq!(written(&payload), json);
    }

    #[test]
    fn a_copy_and_its_original_do_not_see_each_other(document in document()) {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        let before = written(&payload);
        let no_strings = |_: &str, kind| if kind == Kind::String { Change::Drop } else { Change::Keep };
        let mut copy = payload.copy().unwrap();
        prop_assert_eq!(written(&copy), before.clone());
        copy.rewrite(&mut Rewriter::new(Reach::All, no_strings)).unwrap();
        copy.set(&Path::member("new"), 1).unwrap();
        prop_assert_eq!(written(&payload), before);
    }

    #[test]
    fn what_an_arena_learned_changes_nothing(documents in prop::collection::vec(document(), 1..3)) {
        let mut arena = Arena::new();
        for document in documents.iter().chain(&documents) {
            let payload = arena.parse_slice(document.text.as_bytes()).unwrap();
            prop_assert_eq!(tree(&payload), document.tree.meaning());
        }
    }

    #[test]
    fn lines_of_one_buffer_do_not_see_each_other(documents in prop::collection::vec(document(), 1..4), crlf: bool) {
        let one_line = |document: &Document| document.text.replace(['\n', '\r'], " ");
        let lines: Vec<_> = documents.iter().map(one_line).collect();
        let mut arena = Arena::new();
        arena.load_slice(lines.join(if crlf { "\r\n" } else { "\n" }).as_bytes());
        let (mut cursor, mut seen) = (arena.lines(), 0);
        while let Some(line) = cursor.next(&arena) {
            prop_assert_eq!(&arena.loaded()[line.clone()], lines[seen].as_bytes());
            prop_assert_eq!(tree(&arena.parse(line).unwrap()), documents[seen].tree.meaning());
            seen += 1;
        }
        prop_assert_eq!(seen, lines.len());
    }
}

#[test]
fn numbers_and_strings_keep_their_bytes_through_changes() {
    let text = r#"{"n": [1.50, 1e5, -0, 123456789012345678901234567890, 1E+2], "s": "\/\u0041\ud800é", "x": 1}"#;
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(text.as_bytes()).unwrap();
    payload.set(&Path::new("x").unwrap(), 2.5).unwrap();
    let expected = r#"{"n":[1.50,1e5,-0,123456789012345678901234567890,1E+2],"s":"\/\u0041\ud800é","x":2.5}"#;
    assert_eq!(written(&payload), expected);
    assert_eq!(payload.number_text(&Path::new("n[0]").unwrap()), Some("1.50"));
    assert_eq!(payload.get_str(&Path::new("s").unwrap()).as_deref(), Some("/A\u{fffd}é"));
}

#[test]
fn a_number_is_a_float_by_its_point_alone() {
    let mut arena = Arena::new();
    let payload = arena.parse_slice(b"[1, 1e5, 1.0, -0.5e3]").unwrap();
    let kinds: Vec<_> = payload.root().elements().map(Value::kind).collect();
    assert_eq!(kinds, [Kind::Integer, Kind::Integer, Kind::Float, Kind::Float]);
}

#[test]
fn names_are_equal_when_their_texts_are() {
    let mut arena = Arena::new();
    let payload = arena.parse_slice(br#"{"\u0061": 1, "b": 2, "a": 3, "\ud800": 4, "\uD800": 5}"#).unwrap();
    assert_eq!(written(&payload), r#"{"a":3,"b":2,"\ud800":5}"#);
    assert_eq!(written(&arena.parse_slice(br#"[{"a":1,"a":2}]"#).unwrap()), r#"[{"a":2}]"#);
    let payload = arena.parse_slice(br#"{"\u0061": 1, "b": 2, "a": 3}"#).unwrap();
    assert_eq!(payload.root().member(&Name::new("a")).unwrap().number_text(), Some("3"));
}

#[test]
fn lines_end_as_in_java() {
    let mut arena = Arena::new();
    for (text, expected) in
        [("", vec![]), ("a", vec!["a"]), ("a\n", vec!["a"]), ("\n\na\r\nb\rc", vec!["", "", "a", "b", "c"])]
    {
        arena.load_slice(text.as_bytes());
        let (mut lines, mut seen) = (arena.lines(), vec![]);
        while let Some(line) = lines.next(&arena) {
            seen.push(std::str::from_utf8(&arena.loaded()[line]).unwrap());
        }
        assert_eq!(seen, expected, "{text:?}");
    }
}

#[test]
fn a_part_of_the_input_ends_where_it_ends() {
    let mut arena = Arena::new();
    arena.load_slice("[1,2]]tru\"é\"12".as_bytes());
    assert!(arena.parse(0..5).is_ok());
    assert_eq!(arena.parse(0..6).unwrap_err().offset, 5);
    // What follows would complete the value, but belongs to another record.
    for (range, offset) in [(0..4, 4), (6..9, 0), (9..11, 0), (3..3, 0)] {
        assert_eq!(arena.parse(range.clone()).unwrap_err().offset, offset, "{range:?}");
    }
    assert_eq!(written(&arena.parse(13..14).unwrap()), "1");
    for no_range in [usize::MAX..usize::MAX, 5..99] {
        assert!(arena.parse(no_range).is_err());
    }
    #[expect(clippy::reversed_empty_ranges, reason = "that is the point")]
    let reversed = 3..2;
    assert!(arena.parse(reversed).is_err());
}

#[test]
fn bytes_that_are_not_utf8_are_an_error_with_their_place() {
    let mut arena = Arena::new();
    arena.load_slice(b"{\"a\":1}\n{\"a\":\"\xff\"}\n\xc3\xa9");
    assert!(arena.parse(0..7).is_ok(), "another line's bytes are no concern");
    for lenient in [false, true] {
        let result = if lenient { arena.parse_lenient(8..17) } else { arena.parse(8..17) };
        let error = result.unwrap_err();
        assert_eq!((error.offset, error.reason), (6, "not UTF-8"));
    }
    arena.load_slice("\"é\"".as_bytes());
    assert_eq!(arena.parse(0..2).unwrap_err().reason, "not UTF-8", "a character is not cut in two");
}

#[test]
fn nothing_shows_an_event_by_debug() {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(br#"{"secret":[{"secret":"secret"}]}"#).unwrap();
    let (all, keep) = (Path::new("$..*").unwrap(), [Name::new("k")]);
    let mut shown = vec![format!("{payload:?} {:?} {:?}", payload.root(), payload.find_all(&all))];
    shown.push(format!("{:?}", payload.split(&Path::new("$[*]").unwrap(), &keep).unwrap()));
    shown.push(format!("{arena:?} {:?}", payload::New::Text("secret")));
    let mut out = Output::new();
    out.extend_from_slice(b"secret");
    shown.push(format!("{out:?} {:?}", arena.parse_slice(b"{\"a\":secret}").unwrap_err()));
    arena.load_slice(br#"["secret"]"#);
    shown.push(format!("{:?}", arena.elements(arena.whole(), &Path::new("$").unwrap(), &keep).unwrap()));
    let shown = shown.concat();
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn the_text_of_a_value_is_its_string_or_its_json() {
    let mut arena = Arena::new();
    let payload = arena.parse_slice(br#"{"a": ["\n", 1.0, null, true, {"b" : 2}]}"#).unwrap();
    let texts: Vec<_> = payload.find_all(&Path::new("a[*]").unwrap()).into_iter().map(Value::to_text).collect();
    assert_eq!(texts, ["\n", "1.0", "null", "true", r#"{"b":2}"#]);
    assert_eq!(payload.root().to_text(), format!(r#"{{"a":[{},1.0,null,true,{{"b":2}}]}}"#, quoted("\n")));
}
