//! Regular expressions are Java's: held against what `java.util.regex` of JDK 25 says.
//!
//! `java_regex.json` has patterns, texts, and for each pair 1 when `find()` is true, plus 2 when `matches()` is; a pattern
//! that Java does not compile is `refused`. It was written by a program that asks the JDK.

use etl::pattern::{Exhausted, Groups, Pattern, WholePattern};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Observed {
    texts: Vec<String>,
    patterns: Vec<(String, String)>,
}

/// What Java takes and we do not, on purpose.
const REFUSED: [&str; 17] = [
    "(?U)\\w",
    "(?u)a",
    "(?d)a",
    "\\G",
    "\\X",
    "\\N{LATIN SMALL LETTER A}",
    "\\p{InGreek}",
    "\\p{javaLowerCase}",
    "\\8",
    "a{2}{3}",
    "[a&&b]",
    "[a-z&&b-d]",
    "[^a&&[b]]",
    "(?i)\\p{Lower}",
    "(?i)(a)\\1",
    "[a-z&&]",
    "[&&a]",
];
/// What we take and Java does not.
const TAKEN: [&str; 1] = ["(?P<name>a)"];

#[test]
fn patterns_match_what_javas_match() {
    let observed: Observed = serde_json::from_str(include_str!("java_regex.json")).unwrap();
    let (mut wrong, mut refused) = (vec![], vec![]);
    for (pattern, verdicts) in &observed.patterns {
        let java_refuses = verdicts == "refused";
        let (find, whole) = match (Pattern::new(pattern), WholePattern::new(pattern)) {
            (Ok(find), Ok(whole)) => (find, whole),
            (find, whole) => {
                assert_eq!(find.is_err(), whole.is_err(), "{pattern}");
                if !java_refuses {
                    refused.push(pattern.as_str());
                }
                continue;
            }
        };
        if java_refuses {
            if !TAKEN.contains(&pattern.as_str()) {
                wrong.push(format!("{pattern:?} is taken, and Java refuses it"));
            }
            continue;
        }
        for (text, verdict) in observed.texts.iter().zip(verdicts.bytes()) {
            let ours = (find.is_match(text.as_bytes()), whole.is_match(text.as_bytes()));
            let java = (Ok((verdict - b'0') & 1 == 1), Ok((verdict - b'0') & 2 == 2));
            if ours != java {
                wrong.push(format!("{pattern:?} on {text:?}: {ours:?}, Java {java:?}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(refused, REFUSED);
}

#[test]
fn what_cannot_be_used_is_refused_at_its_place() {
    for (pattern, at, message) in [
        ("ab(c", 2, "the group is not closed"),
        ("ab)c", 2, "`)` closes no group"),
        ("[a", 0, "the class is not closed"),
        ("é*+*", 4, "`*` repeats what is repeated already"),
        ("a|*", 2, "`*` repeats nothing"),
        ("(?:a{3,2})", 4, "`{` begins no repetition"),
        ("x\\y", 1, "`\\y` means nothing"),
        ("x\\G", 1, "`\\G` is not supported"),
        ("[z-a]", 2, "the range ends before it begins"),
        ("(?i)\\p{Lu}", 4, "`\\p{Lu}` that ignores case is not supported"),
        ("(?<n>a)(?<n>b)", 7, "there are two groups called `n`"),
        ("a{1000}{2}", 7, "`{` repeats what is repeated already"),
    ] {
        let error = Pattern::new(pattern).unwrap_err();
        assert_eq!((error.at, error.message.as_str()), (at, message), "{pattern}");
    }
    assert_eq!(Pattern::new("(?=a)(?:)*").unwrap_err().message, "Target of repeat operator is invalid");
    assert!(Pattern::new("((((a{99}){99}){99}){99})").unwrap_err().message.contains("too large"));
    assert!(Pattern::new(&"(".repeat(100_000)).unwrap_err().message.contains("nested"));
    assert!(Pattern::new(&"[".repeat(100_000)).unwrap_err().message.contains("nested"));
}

#[test]
fn going_back_and_forth_too_often_is_an_error_and_not_a_wait() {
    let text = "a".repeat(60);
    assert_eq!(Pattern::new("((a+)\\2?)+b").unwrap().is_match(text.as_bytes()), Err(Exhausted));
    // What needs no going back is linear, whatever it looks like.
    assert_eq!(Pattern::new("(a+)+b").unwrap().is_match(text.as_bytes()), Ok(false));
}

/// Records of streams often end in a line end, and `$` also matches before it.
#[test]
fn a_line_end_at_the_end_of_a_long_text_costs_no_more_than_the_text() {
    let line = "ab ".repeat(100_000);
    for expression in [".*TRACE.*$", "ERROR$", "[a-z]+ERROR$", "(a|b| )*ERROR$", "^(\\S+) (\\S+)(.*)$"] {
        let (find, whole) = (Pattern::new(expression).unwrap(), WholePattern::new(expression).unwrap());
        for begin in ["", "a line\r\n"] {
            for (end, error) in [("\n", "ERROR\n"), ("\r\n", "ERROR\r\n"), ("\u{85}", "ERROR\u{2028}")] {
                let (plain, error) = (format!("{begin}{line}{end}"), format!("{begin}{line}{error}"));
                assert!(
                    find.is_match(plain.as_bytes()).is_ok() && whole.is_match(plain.as_bytes()).is_ok(),
                    "{expression}"
                );
                let wanted = expression.contains("ERROR$") && !expression.starts_with("[a-z]+");
                if wanted {
                    assert_eq!(find.is_match(error.as_bytes()), Ok(true), "{expression}");
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_match_no_character() {
    assert_eq!(WholePattern::new("a.b").unwrap().is_match(b"a\xffb"), Ok(false));
    assert_eq!(Pattern::new("b$").unwrap().is_match(b"\xff\xffb\n"), Ok(true));
}

/// The expression for the engine that goes back and forth, which reads `$` exactly: something to look behind for makes it take that one.
/// It refuses to repeat what matches nothing.
fn exact(expression: &str) -> Option<Pattern> {
    Pattern::new(&format!("(?<!\u{1})(?:{expression})")).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_dollar_is_the_same_in_all_ways_to_look_for_it(
        expression in r"(a|b|\||\$|\$|\(|\)|\*|\?|\.|\\s|\\n|\\r|\(\?s:|\\b|\\z|\\Z|\^|\[\^a\]){1,10}",
        text in r"[ab\n\r\u0085]{0,5}[\n\r\u0085\u2028]",
    ) {
        if let (Ok(find), Ok(whole)) = (Pattern::new(&expression), WholePattern::new(&expression)) {
            let (mut ours, mut right) = (Groups::default(), Groups::default());
            let (Some(exact), Some(entire)) = (exact(&expression), exact(&format!("\\A(?:{expression})\\z"))) else { return Ok(()) };
            let found = exact.find_groups(&text, 0, &mut right);
            prop_assume!(found.is_ok());
            prop_assert_eq!(find.is_match(text.as_bytes()), found);
            prop_assert_eq!(find.find_groups(&text, 0, &mut ours), found);
            for group in 0..=find.group_count() {
                prop_assert_eq!(ours.span(group), right.span(group), "group {}", group);
            }
            let matches = entire.find_groups(&text, 0, &mut right);
            prop_assert_eq!(whole.is_match(text.as_bytes()), matches);
            prop_assert_eq!(whole.find_groups(&text, 0, &mut ours), matches);
            for group in 0..=whole.group_count() {
                prop_assert_eq!(ours.span(group), right.span(group), "whole, group {}", group);
            }
        }
    }

    /// No text makes the translator panic, and a place that it names is in the text.
    #[test]
    fn whatever_the_expression_is_it_is_taken_or_refused(text in r"([ab0é.^$*+?|()\[\]{}\\,<>=!:&-]|\\[dDwWsSbBpPQEkRxuc0-9]|\(\?[<=!:>imsx-]){0,12}") {
        match Pattern::new(&text) {
            Ok(pattern) => prop_assert!(matches!(pattern.is_match("aé b0\n".as_bytes()), Ok(_) | Err(Exhausted))),
            Err(error) => prop_assert!(error.at <= text.len() && text.is_char_boundary(error.at), "{}", error.at),
        }
    }
}
