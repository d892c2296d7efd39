//! Events by chance: nested, with escapes, halves of surrogates, numbers that no machine holds, names that are empty or stand twice, and
//! some that are no JSON or no object.

use proptest::prelude::*;

/// The names in the paths of a config, and what else is a word in it if there are none.
pub(crate) fn names(text: &str) -> Vec<String> {
    let words = |text: &str, also: &str| {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || also.contains(c);
        text.split(|c| !inside(c)).next().unwrap_or_default().to_owned()
    };
    let paths = text.split("$.").skip(1).map(|path| words(path.trim_start_matches('.'), "."));
    let steps: Vec<_> = paths.flat_map(|path| path.split('.').map(str::to_owned).collect::<Vec<_>>()).collect();
    let all = if steps.is_empty() { text.split([' ', '\n']).map(|text| words(text, "")).collect() } else { steps };
    all.into_iter().filter(|name| !name.is_empty()).collect()
}

/// JSON texts, with names that an operation looks for and values that are hard on some.
pub(crate) fn json(names: Vec<String>) -> impl Strategy<Value = String> {
    let odd = ["a.b", "A", "é", "", "k\\\"q", "\\ud800", "__x"].map(str::to_owned);
    let name = prop::sample::select([names.clone(), odd.to_vec()].concat());
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]),
        prop::sample::select(vec![
            "0",
            "-0",
            "1.50",
            "1e5",
            "12345678901234567890123",
            "0.1e-7",
            "1700000000",
            "1700000000123"
        ]),
        prop::sample::select(vec![
            r#""""#,
            r#""error""#,
            r#""%C3%A9+%zz""#,
            r#""10.1.2.3, x""#,
            r#""2026-11-23T10:30:05Z""#,
            r#""{\"a\":1.50}""#,
            r#""user=bob id=42""#,
            r#""\ud800\u0000\"""#,
            r#""4111 1111 1111 1111 ada@example.org""#,
        ]),
    ];
    let leaf = leaf.prop_map(str::to_owned).boxed();
    let value = leaf.clone().prop_recursive(4, 24, 4, move |inner| {
        let member = (name.clone(), inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            3 => prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            1 => prop::collection::vec(inner, 1..3).prop_map(|elements| format!(r#"[{{"e":{}}}]"#, elements.join(r#"},{"e":"#))),
        ]
    });
    // An event that has all that is looked for, more often than not.
    let looked_for = prop::collection::vec(prop_oneof![leaf, value.clone()], names.len()).prop_map(move |values| {
        let members = names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    });
    // Up to what can be read, with room for an envelope, and beyond.
    let deep = (prop_oneof![1..500_usize, Just(513)], prop::sample::select(vec![("[", "]"), ("{\"a\":", "}")]));
    let deep = deep.prop_map(|(depth, (open, close))| {
        format!("{{\"a\":{}\"{depth}\"{}}}", open.repeat(depth), close.repeat(depth))
    });
    prop_oneof![24 => looked_for, 14 => value, 1 => deep, 1 => Just("{\"a\":".to_owned())]
}

/// Some of them, without a name in mind.
pub(crate) fn records() -> impl Strategy<Value = Vec<String>> {
    let names = ["a", "b", "id", "message"].map(str::to_owned).to_vec();
    prop::collection::vec(json(names), 1..6)
}
