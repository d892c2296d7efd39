//! What only Gson's lenient reader takes.

use crate::{
    generate::{self, broken, document},
    grammar::is_json,
    model::{tree, written},
};
use payload::{Arena, Kind, New, Path};
use proptest::prelude::*;

fn read(text: &str) -> Result<String, payload::JsonError> {
    let mut arena = Arena::new();
    arena.load_slice(text.as_bytes());
    arena.parse_lenient(arena.whole()).map(|payload| written(&payload))
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn json_is_read_as_by_the_strict_parser(document in document()) {
        let mut arena = Arena::new();
        arena.load_slice(document.text.as_bytes());
        prop_assert_eq!(tree(&arena.parse_lenient(arena.whole()).unwrap()), document.tree.meaning());
        // The slow path says the same: a comment sends it there.
        let text = format!("/* */{}", document.text);
        arena.load_slice(text.as_bytes());
        prop_assert_eq!(tree(&arena.parse_lenient(arena.whole()).unwrap()), document.tree.meaning());
    }

    #[test]
    fn whatever_it_takes_becomes_json(broken in broken(), noise in "[\\[\\]{}'\"a1:=>;,/*#\\\\ \n\u{0}é-]{0,30}") {
        let mut arena = Arena::new();
        for text in [&broken, noise.as_bytes()] {
            arena.load_slice(text);
            match arena.parse_lenient(arena.whole()) {
                Ok(payload) => prop_assert!(is_json(written(&payload).as_bytes())),
                Err(error) => prop_assert!(error.offset <= text.len() && !is_json(text)),
            }
        }
    }
}

#[test]
fn every_habit_of_gson_is_known() {
    for (text, expected) in [
        ("{'single':'it\\'s \"'}", r#"{"single":"it's \""}"#),
        ("{unquoted:word, b-c: d.e}", r#"{"unquoted":"word","b-c":"d.e"}"#),
        ("{/* a */a:1, // b\nb:2 # c\n}", r#"{"a":1,"b":2}"#),
        ("{a=1;b=>2}", r#"{"a":1,"b":2}"#),
        ("\u{feff}{\"bom\":1}", r#"{"bom":1}"#),
        (")]}'\n{a:1}", r#"{"a":1}"#),
        (
            "[NaN,-Infinity,01,.5,+1,0x10,tru,1.,1e,-]",
            r#"["NaN","-Infinity","01",".5","+1","0x10","tru","1.","1e","-"]"#,
        ),
        ("[TRUE,False,nUlL,-0,1E5,1.50 ;]", "[true,false,null,-0,1E5,1.50,null]"),
        ("[1,,2]", "[1,null,2]"),
        ("[,]", "[null,null]"),
        ("{a:1,a:2}", r#"{"a":2}"#),
        ("['tab\there\nand\\\nthere']", r#"["tab\there\nand\nthere"]"#),
        ("['\\ud800\\u0041\\/']", r#"["\ud800\u0041\/"]"#),
        ("[a\"b'c]", r#"["a\"b'c"]"#),
        ("  'root' ", r#""root""#),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text:?}");
    }
}

#[test]
fn what_gson_refuses_is_refused_with_its_place() {
    for (text, offset, reason) in [
        ("", 0, "the text ends too early"),
        ("# a comment", 11, "the text ends too early"),
        ("{a:two words}", 7, "expected `,` or `}`"),
        ("{a:1} trailing", 6, "text after the value"),
        ("{a:1} // end", 6, "text after the value"),
        ("{a:1,}", 5, "expected a name"),
        ("{a:;}", 3, "expected a value"),
        ("{a}", 2, "expected `:`"),
        ("{a:1", 4, "the text ends too early"),
        ("['a", 3, "the text ends too early"),
        ("['\\x']", 2, "an unknown escape in a string"),
        ("[/* a", 1, "a comment without an end"),
        ("[/]", 1, "expected a value"),
        ("[a\\b]", 2, "expected `,` or `]`"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!((error.offset, error.reason), (offset, reason), "{text:?}");
    }
}

#[test]
fn a_lenient_text_in_a_field_can_be_put_in_its_place() {
    let mut arena = Arena::new();
    let mut payload = arena.parse_slice(br#"{"m":"x {a:b}","n":1}"#).unwrap();
    let path = Path::new("m").unwrap();
    let text = payload.get_str(&path).unwrap().into_owned();
    payload.set(&path, New::Lenient(&text[2..])).unwrap();
    assert_eq!(payload.get(&path).unwrap().kind(), Kind::Object);
    assert_eq!(written(&payload), r#"{"m":{"a":"b"},"n":1}"#);
}
