//! What is not JSON is refused, with its place.

use crate::generate::{self, broken, document};
use payload::Arena;
use proptest::prelude::*;
use serde::de::{Deserialize as _, IgnoredAny};

/// Whether `serde_json` takes a text, by the grammar alone.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut reader = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

proptest! {
    #![proptest_config(generate::config())]

    #[test]
    fn broken_documents_are_judged_as_by_serde_json(text in broken(), noise in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut arena = Arena::new();
        for bytes in [&text, &noise] {
            let ours = arena.parse_slice(bytes);
            prop_assert_eq!(ours.is_ok(), is_json(bytes), "{}", String::from_utf8_lossy(bytes));
            if let Err(error) = ours {
                prop_assert!(error.offset <= bytes.len());
            }
        }
    }

    #[test]
    fn a_truncated_document_is_refused_at_its_end_or_before(document in document(), at: prop::sample::Index) {
        let text = document.text.as_bytes();
        let cut = at.index(text.len());
        let error = Arena::new().parse_slice(&text[..cut]).unwrap_err();
        prop_assert!(error.offset <= cut);
        prop_assert_eq!(error.reason == "the text ends too early", error.offset == cut);
    }
}

#[test]
fn each_rule_of_the_grammar_has_an_error_that_says_where() {
    let mut arena = Arena::new();
    for (text, offset, reason) in [
        ("", 0, "the text ends too early"),
        ("{\"a\":1", 6, "the text ends too early"),
        ("{\"a\":\"b", 7, "the text ends too early"),
        ("{a:1}", 1, "expected a key in double quotes"),
        ("{\"a\" 1}", 5, "expected `:`"),
        ("{\"a\":1 \"b\":2}", 7, "expected `,` or `}`"),
        ("{\"a\":1,}", 7, "expected a key in double quotes"),
        ("[1,,2]", 3, "expected a value"),
        ("[1 2]", 3, "expected `,` or `]`"),
        ("[tru]", 1, "expected a value"),
        ("[01]", 1, "a number that begins with 0"),
        ("[-]", 2, "a number without digits"),
        ("[1.]", 3, "a number without digits after its point"),
        ("[1e+]", 4, "a number without digits in its exponent"),
        ("[\"\\x\"]", 2, "an unknown escape in a string"),
        ("[\"\\u12g4\"]", 2, "an unknown escape in a string"),
        ("[\"\t\"]", 2, "a control character in a string"),
        ("[1] 2", 4, "text after the value"),
        ("\u{feff}[1]", 0, "expected a value"),
    ] {
        let error = arena.parse_slice(text.as_bytes()).unwrap_err();
        assert_eq!((error.offset, error.reason), (offset, reason), "{text:?}");
    }
}
