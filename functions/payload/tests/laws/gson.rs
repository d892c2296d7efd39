//! Writing as Gson does.

use crate::{
    generate::{self, Document, eventful, value},
    model::{Tree, quoted, styled, tree_of_json},
};
use payload::{Arena, Path, Style};
use proptest::prelude::*;

/// Compact JSON in Gson's spelling, a character at a time.
fn spelled(tree: &Tree, style: Style) -> String {
    let html = |json: String| {
        let unit = |character: char| match character {
            '<' | '>' | '&' | '=' | '\'' if style == Style::GsonText => character.to_string(),
            '<' | '>' | '&' | '=' | '\'' | '\u{2028}' | '\u{2029}' => format!("\\u{:04x}", u32::from(character)),
            plain => plain.to_string(),
        };
        json.chars().map(unit).collect::<String>()
    };
    match tree {
        Tree::Leaf(text) => html(text.clone()),
        Tree::Array(list) => {
            format!("[{}]", list.iter().map(|tree| spelled(tree, style)).collect::<Vec<_>>().join(","))
        }
        Tree::Object(list) => {
            let members = list.iter().map(|(name, value)| format!("{}:{}", html(quoted(name)), spelled(value, style)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
    }
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn nulls_are_left_out_and_html_is_escaped_or_not(document in value()) {
        let mut arena = Arena::new();
        let compact = Document { text: document.tree.meaning().json(), ..document.clone() };
        for text in [&document.text, &compact.text] {
            let payload = arena.parse_slice(text.as_bytes()).unwrap();
            for style in [Style::Gson, Style::GsonText] {
                let json = styled(&payload, style);
                prop_assert_eq!(&json, &spelled(&document.tree.meaning().without_nulls(), style));
                prop_assert_eq!(tree_of_json(&json), document.tree.meaning().without_nulls());
            }
        }
    }

    #[test]
    fn changed_documents_too(document in eventful(), new in value()) {
        let mut arena = Arena::new();
        let mut payload = arena.parse_slice(document.text.as_bytes()).unwrap();
        let mut expected = document.tree.meaning();
        expected.insert("<new>", new.tree.meaning());
        payload.set(&Path::member("<new>"), payload::New::Json(&new.text)).unwrap();
        for style in [Style::Gson, Style::GsonText] {
            prop_assert_eq!(styled(&payload, style), spelled(&expected.without_nulls(), style));
        }
    }
}

#[test]
fn gson_spells_what_needs_no_escape_as_itself() {
    let mut arena = Arena::new();
    let payload =
        arena.parse_slice(br#"{"a":"\/\u0041\u003C\uD83D\uDE00\ud800","\u003d":[null,1.50],"n":null}"#).unwrap();
    let expected = r#"{"a":"/A\u003c😀\ud800","\u003d":[null,1.50]}"#;
    assert_eq!(styled(&payload, Style::Gson), expected);
    assert_eq!(styled(&payload, Style::GsonText), r#"{"a":"/A<😀\ud800","=":[null,1.50]}"#);
}

#[test]
fn the_word_null_in_a_text_is_no_null() {
    let mut arena = Arena::new();
    let text = r#"{"a":"null","b":{"null":1},"c":[null]}"#;
    assert_eq!(styled(&arena.parse_slice(text.as_bytes()).unwrap(), Style::Gson), text);
}
