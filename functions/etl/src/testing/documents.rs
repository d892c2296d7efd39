//! Events by chance.

use payload::{Arena, Kind, Output, Value};
use proptest::prelude::*;

/// The text of an object, with numbers, escapes and nesting of all kinds; its names are few, so that they repeat.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let numbers =
        ["0", "-1", "1.50", "1e5", "-0.0", "1E400", "123456789012345678901234567890", "0.1000000000000000000001"];
    let texts = [
        "",
        "a",
        "10.1.2.3",
        "ada@example.com",
        "4111 1111 1111 1111",
        "é 😀",
        r"\u0041\n\\",
        r"\ud83d\ude00",
        "  ",
        "{}",
        "[1",
        "200 OK",
    ];
    let leaf = prop_oneof![
        prop::sample::select(numbers.to_vec()).prop_map(str::to_owned),
        prop::sample::select(texts.to_vec()).prop_map(|text| format!("\"{text}\"")),
        prop::sample::select(vec!["null", "true", "false"]).prop_map(str::to_owned),
        "[a-zA-Z0-9@. :-]{0,24}".prop_map(|text| format!("\"{text}\"")),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(" , ")));
        prop_oneof![array, object(inner)]
    });
    object(value)
}

/// The text of an event with its members in the order of their names, everything else byte for byte.
pub(crate) fn sorted(text: &str) -> String {
    fn walk(value: Value<'_>) -> String {
        match value.kind() {
            Kind::Array => format!("[{}]", value.elements().map(walk).collect::<Vec<_>>().join(",")),
            Kind::Object => {
                let mut members: Vec<_> =
                    value.members().map(|(name, value)| format!("{name:?}:{}", walk(value))).collect();
                members.sort();
                format!("{{{}}}", members.join(","))
            }
            _ => {
                let mut out = Output::new();
                value.write_to(&mut out);
                String::from_utf8(out.into_vec()).unwrap()
            }
        }
    }
    walk(Arena::new().parse_slice(text.as_bytes()).unwrap().root())
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["a", "b", "c", "id", "a b", "é", "x.y"]);
    // A name only once: which of two counts is the engine's own law.
    prop::collection::btree_map(names, value, 0..5).prop_map(|members| {
        let members = members.into_iter().map(|(name, value)| format!("\"{name}\": {value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    })
}
