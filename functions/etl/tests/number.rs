//! Numbers are read as Java's commons-lang reads them.
//!
//! `java_numbers.json` has texts, and for each what `NumberUtils.createNumber` of version 3.12 makes of it on JDK 17, written
//! by its `toString`; null where it throws. It was written by a program that asks the library.

use etl::{event::Fault, number, typed::FieldType};
use payload::{Arena, Kind, New};
use proptest::prelude::*;

/// Accidents with signs; and floating point numbers that Java before version 19 does not write in the shortest form, which
/// changes their type, too.
const NOT_FOLLOWED: [&str; 9] = [
    "--1",
    "+09",
    "+029496366693740544629042",
    "0x-12345678901234567",
    "0x+12345678901234567",
    "1e23",
    "2e23",
    "53E+8f",
    "-4184599892081.69e+5",
];

#[test]
fn a_text_is_the_number_that_java_reads() {
    let observed: Vec<(String, Option<String>)> = serde_json::from_str(include_str!("java_numbers.json")).unwrap();
    let mut wrong = vec![];
    for (text, java) in &observed {
        let mut ours = String::new();
        let ours = number::read(text, &mut ours).then_some(ours);
        if (ours != *java) != NOT_FOLLOWED.contains(&text.as_str()) {
            wrong.push(format!("{text:?} is {ours:?}, in Java {java:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(observed.len() > 500, "{}", observed.len());
}

#[test]
fn a_number_in_another_base_has_a_bound() {
    let mut out = String::new();
    assert!(number::read(&format!("0x{}", "f".repeat(1000)), &mut out) && out.len() == 1205);
    assert!(!number::read(&format!("0x{}", "f".repeat(1001)), &mut out));
}

#[test]
fn a_type_says_what_no_text_is() {
    let mut scratch = String::new();
    assert!(matches!(FieldType::Boolean.value(None, &mut scratch), Ok(New::Bool(false))));
    assert!(matches!(FieldType::Boolean.value(Some("TRUE"), &mut scratch), Ok(New::Bool(true))));
    assert!(matches!(FieldType::Number.value(None, &mut scratch), Ok(New::Null)));
    assert!(matches!(FieldType::String.value(Some("1"), &mut scratch), Ok(New::Text("1"))));
    let Err(Fault { reason }) = FieldType::Number.value(Some("-"), &mut scratch) else { panic!("no number") };
    assert_eq!(reason, "the text of a NUMBER field is not a number");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// What is read is a number of JSON, and reading it again changes nothing but the form.
    #[test]
    fn whatever_is_read_is_a_number_of_json(text in r"[-+]?[0-9]{0,12}(\.[0-9]{0,12})?([eE][-+]?[0-9]{0,3})?[lLfFdD]?|[-+#0-9a-fxXeE.lLfFdD ]{0,20}|.{0,10}") {
        let (mut once, mut twice) = (String::new(), String::new());
        if number::read(&text, &mut once) {
            let mut arena = Arena::new();
            let kind = arena.parse_slice(once.as_bytes()).map(|number| number.kind());
            prop_assert!(matches!(kind, Ok(Kind::Integer | Kind::Float)), "{once}");
            prop_assert!(number::read(&once, &mut twice), "{once}");
            prop_assert_eq!(once.parse().map(f64::to_bits), twice.parse().map(f64::to_bits));
        }
    }
}
