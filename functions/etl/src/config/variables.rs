//! `<NAME>`: values of the environment, put in after parsing, so a value can never change the document.
//!
//! A `<` that does not begin a `<NAME>` is itself; `\<` always is. So are the group names of regular expressions:
//! `(?<name>`, `(?P<name>`, `\k<name>`. That needs no schema: nothing else writes a variable after `(?`.
//!
//! When a stack reads a config, values are not known yet. A variable then stays in the text as a *held* name, between two
//! code points that no text has, until the config is written again.

use super::{
    bender,
    tree::{Joint, Text, Unknown},
};
use serde_json::Value;

/// What is known of the variables when a config is read.
#[derive(Clone, Copy)]
pub enum Variables<'a> {
    /// Their values: the environment of a function or of a command.
    From(&'a dyn Fn(&str) -> Option<String>),
    /// Only which names will be given: a stack has bound them. What is not among them is an error.
    Bound(&'a [&'a str]),
}

impl std::fmt::Debug for Variables<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // Never a value.
            Self::From(_) => f.write_str("From(…)"),
            Self::Bound(names) => f.debug_tuple("Bound").field(names).finish(),
        }
    }
}

/// Begins and ends a held name. Noncharacters: Unicode keeps them out of texts for good.
const HELD: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// A name that is held until the config is written.
pub(crate) fn held(name: &str) -> String {
    format!("{}{name}{}", HELD[0], HELD[1])
}
/// The name, if the text is a held name and nothing else.
pub(crate) fn only_held(text: &str) -> Option<&str> {
    text.strip_prefix(HELD[0])?.strip_suffix(HELD[1]).filter(|name| is_name(name))
}
/// Whether any name is held in the text.
pub(crate) fn holds(text: &str) -> bool {
    text.contains(HELD[0])
}

/// Whether this is a variable's name: letters, digits, `_`.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether a `<` behind this text belongs to a group of a regular expression.
fn opens_group(before: &str) -> bool {
    before.ends_with("(?") || before.ends_with("(?P") || before.ends_with("\\k")
}

/// The name and length of the variable that `text` begins with, `<` included.
fn variable(text: &str) -> Option<(&str, usize)> {
    let (name, _) = text.strip_prefix('<')?.split_once('>')?;
    is_name(name).then_some((name, name.len() + 2))
}

/// Puts the values in. The names that nobody gives come back.
///
/// `benders` says that the text is written for Bender's template engine, where more than `<` is escaped by a backslash.
pub(crate) fn put_in(text: &mut Text, variables: Variables<'_>, benders: bool) -> Vec<String> {
    let original = std::mem::take(&mut text.value);
    let (mut out, mut joints, mut missing) = (String::with_capacity(original.len()), vec![], vec![]);
    let (mut count, mut unknown, mut at) = (0, None, 0);
    while let Some(found) = original[at..].find(['<', '\\']).map(|n| at + n) {
        out.push_str(&original[at..found]);
        let (here, rest) = (out.len(), &original[found..]);
        if let Some((escaped, length)) = bender::escape(rest, benders) {
            out.push(escaped);
            at = found + length;
        } else if let Some((name, length)) = variable(rest).filter(|_| !opens_group(&original[..found])) {
            count += 1;
            at = found + length;
            match variables {
                Variables::From(lookup) => match lookup(name) {
                    Some(value) => out.push_str(&value),
                    None => missing.push(name.to_owned()),
                },
                Variables::Bound(names) if names.contains(&name) => {
                    out.push_str(&held(name));
                    unknown = Some(Unknown::Later);
                }
                Variables::Bound(_) => missing.push(name.to_owned()),
            }
        } else {
            out.push_str(&rest[..1]);
            at = found + 1;
            continue;
        }
        joints.push(Joint { here: here..out.len(), before: found..at });
    }
    out.push_str(&original[at..]);
    if !missing.is_empty() {
        unknown = Some(Unknown::Missing);
    }
    *text = Text { value: out, joints, variables: count, unknown };
    missing
}

/// A value as the text of a config shows it: held names as `<NAME>`, and what only looks like one escaped.
pub(crate) fn written(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains(['<', HELD[0]]) => written_text(&text).into(),
        Value::Array(items) => items.into_iter().map(written).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (key, written(value))).collect(),
        other => other,
    }
}

pub(crate) fn written_text(text: &str) -> String {
    let (mut out, mut at) = (String::with_capacity(text.len() + 1), 0);
    while let Some(found) = text[at..].find(['<', HELD[0]]).map(|n| at + n) {
        out.push_str(&text[at..found]);
        let rest = &text[found..];
        let name = rest.strip_prefix(HELD[0]).and_then(|r| r.split_once(HELD[1])).map(|(name, _)| name);
        if let Some(name) = name {
            out.push('<');
            out.push_str(name);
            out.push('>');
            at = found + name.len() + HELD[0].len_utf8() + HELD[1].len_utf8();
            continue;
        }
        // Behind a backslash or where a variable would begin, it must be said that it is itself.
        if rest.starts_with('<') && (out.ends_with('\\') || variable(rest).is_some() && !opens_group(&out)) {
            out.push('\\');
        }
        let width = rest.chars().next().map_or(1, char::len_utf8);
        out.push_str(&rest[..width]);
        at = found + width;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(value: &str) -> Text {
        Text { value: value.to_owned(), ..Text::default() }
    }
    /// `A` is `1<B>`; nothing else is given.
    fn with_a(value: &str, benders: bool) -> (String, Vec<String>) {
        let mut text = text(value);
        let missing = put_in(&mut text, Variables::From(&|name| (name == "A").then(|| "1<B>".to_owned())), benders);
        (text.value, missing)
    }

    #[test]
    fn only_a_name_in_angle_brackets_is_a_variable() {
        for (given, want) in [
            ("x<A>y", "x1<B>y"), // a value is not looked at again
            ("\\<A>", "<A>"),
            ("(?<A>.)(?P<A>.)\\k<A>", "(?<A>.)(?P<A>.)\\k<A>"),
            ("(?\\<A>.)", "(?<A>.)"),
            ("/bulk?<A>", "/bulk?1<B>"),
            ("(?<=a)(?<!b) a < b <> <-A> <A", "(?<=a)(?<!b) a < b <> <-A> <A"),
            ("\\d\\\\d\\}", "\\d\\\\d\\}"),
        ] {
            assert_eq!(with_a(given, false), (want.to_owned(), vec![]), "{given}");
        }
        assert_eq!(with_a("<X><A><Y>", false).1, ["X", "Y"]);
    }

    #[test]
    fn a_text_for_bender_loses_the_backslashes_that_its_templates_take() {
        for (given, want) in [
            (r"a \< b > c \\d \d \} } { {{x}} $y #z", r"a < b > c \d \d } } { {{x}} $y #z"),
            (r"\<(\d{1,3})>(-|(?:\[.*?(?\<!\\\)\])+)", r"<(\d{1,3})>(-|(?:\[.*?(?<!\\)\])+)"),
            (r"\\<A>", r"\1<B>"),
        ] {
            assert_eq!(with_a(given, true), (want.to_owned(), vec![]), "{given}");
        }
    }

    #[test]
    fn a_name_that_is_bound_is_held_until_it_is_written() {
        let mut given = text("a-<A>-<B>");
        assert_eq!(put_in(&mut given, Variables::Bound(&["A"]), false), ["B"]);
        assert_eq!(given.unknown, Some(Unknown::Missing));
        let mut given = text("<A>");
        assert_eq!(put_in(&mut given, Variables::Bound(&["A"]), false), Vec::<String>::new());
        assert_eq!((only_held(&given.value), given.unknown), (Some("A"), Some(Unknown::Later)));
        assert_eq!(written_text(&given.value), "<A>");
        assert_eq!(only_held("<A>"), None);
    }

    #[test]
    fn the_environment_is_never_printed() {
        let shown = format!("{:?} {:?}", Variables::From(&|_| Some("secret".to_owned())), Variables::Bound(&["A"]));
        assert_eq!(shown, r#"From(…) Bound(["A"])"#);
    }

    proptest! {
        /// Whatever text a value is, written and read again it is the same, and nobody asks for a variable.
        #[test]
        fn a_written_text_reads_as_itself(value in r"[ab<>\\?(Pk:!_=1]{0,16}") {
            let mut read = text(&written_text(&value));
            prop_assert_eq!(put_in(&mut read, Variables::Bound(&[]), false), Vec::<String>::new());
            prop_assert_eq!(read.value, value);
        }

        /// Bound names come through reading and writing.
        #[test]
        fn a_held_name_reads_as_itself(before in r"[a<>\\]{0,4}", after in r"[a<>\\]{0,4}") {
            let value = format!("{before}{}{after}", held("N"));
            let written = written_text(&value);
            // Behind a backslash a `<` would be literal; such a text cannot be written.
            prop_assume!(!before.ends_with('\\'));
            let mut read = text(&written);
            prop_assert_eq!(put_in(&mut read, Variables::Bound(&["N"]), false), Vec::<String>::new());
            prop_assert_eq!(read.value, value);
        }
    }
}
