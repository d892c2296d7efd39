//! What is written in place of what an expression finds: Java's `Matcher.replaceAll`.

use super::{Exhausted, Groups, JavaRegex, PatternError};

/// What is written in place of what an expression finds. In Java's notation: `$1` and `${name}` are what a group of the expression
/// holds, nothing if it took no part; `\` takes the character behind it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

impl Replacement {
    /// Reads a replacement for an expression with these groups.
    ///
    /// # Errors
    /// What Java would refuse: a group that the expression does not have, a `$` or `\` with nothing behind it.
    pub fn new(text: &str, group_names: &[Option<&str>]) -> Result<Self, PatternError> {
        let mut parts = vec![];
        let mut plain = String::new();
        let mut at = 0;
        let refuse =
            |at: usize, message: String, help: &str| Err(PatternError { at, message, help: Some(help.to_owned()) });
        while let Some(c) = text[at..].chars().next() {
            let begin = at;
            at += c.len_utf8();
            match c {
                '\\' => {
                    let Some(next) = text[at..].chars().next() else {
                        return refuse(
                            begin,
                            "nothing follows the last `\\`".to_owned(),
                            "write `\\\\` for the character",
                        );
                    };
                    at += next.len_utf8();
                    plain.push(next);
                }
                '$' => {
                    let Some((group, length)) = group(&text[at..], group_names) else {
                        let has = groups(group_names);
                        let message = format!("`$` is followed by no group of the expression, which has {has}");
                        return refuse(begin, message, "write `$1` or `${name}`, or `\\$` for the character");
                    };
                    at += length;
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Group(group));
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

/// The group that a text begins with, and how many bytes its name or number takes.
fn group(text: &str, names: &[Option<&str>]) -> Option<(usize, usize)> {
    if let Some(inside) = text.strip_prefix('{') {
        let (name, _) = inside.split_once('}')?;
        return Some((names.iter().position(|known| *known == Some(name))?, name.len() + 2));
    }
    // As many digits as make the number of a group that there is.
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=digits).rev().find_map(|length| {
        let number = text[..length].parse::<usize>().ok().filter(|number| *number < names.len())?;
        Some((number, length))
    })
}

fn groups(names: &[Option<&str>]) -> String {
    let quoted: Vec<_> = names.iter().flatten().map(|name| format!("`{name}`")).collect();
    match (names.len().saturating_sub(1), quoted.is_empty()) {
        (0, _) => "none".to_owned(),
        (count, true) => format!("{count}, without names"),
        (count, false) => format!("{count}: {}", quoted.join(", ")),
    }
}

impl<const WHOLE: bool> JavaRegex<WHOLE> {
    /// The text with every match replaced. None if there is no match.
    ///
    /// # Errors
    /// As [`JavaRegex::is_match`].
    pub fn replace_all(&self, text: &str, with: &Replacement) -> Result<Option<String>, Exhausted> {
        let mut groups = Groups::default();
        let (mut out, mut copied, mut from) = (String::new(), 0, 0);
        let mut any = false;
        while self.find_groups(text, from, &mut groups)? {
            let Some(found) = groups.span(0) else { break };
            // Looked for among bytes, nothing is also found inside a character.
            if !text.is_char_boundary(found.start) {
                from = text.ceil_char_boundary(found.start);
                continue;
            }
            any = true;
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            for part in &with.0 {
                out.push_str(match part {
                    Part::Text(text) => text,
                    Part::Group(group) => groups.text(*group, text).unwrap_or_default(),
                });
            }
            copied = found.end;
            // Behind an empty match Java goes on one character later.
            from = if found.is_empty() { text.ceil_char_boundary(found.end + 1).max(found.end + 1) } else { found.end };
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(any.then_some(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn replaced(regex: &str, with: &str, text: &str) -> Result<String, String> {
        let regex = Pattern::new(regex).unwrap();
        let with = Replacement::new(with, &regex.group_names().unwrap()).map_err(|error| error.message)?;
        Ok(regex.replace_all(text, &with).unwrap().unwrap_or_else(|| text.to_owned()))
    }

    #[test]
    fn it_is_written_as_java_writes_it() {
        for (regex, with, text, expected) in [
            ("[^a-z]", "_", "foo-bar.baz", "foo_bar_baz"),
            ("(a)(?<b>b)?", "<$1${b}$0>", "ab-a", "<abab>-<aa>"),
            ("(a)", "$11", "a", "a1"),
            ("a*", "-", "aab", "--b-"),
            ("x*", "-", "é", "-é-"),
            ("x*", "-", "", "-"),
            (".", r"\$\\", "é", r"$\"),
            ("z", "q", "abc", "abc"),
            (r"(?<=\.)(\w)", "[$1]", "a.b.c", "a.[b].[c]"),
        ] {
            assert_eq!(replaced(regex, with, text).as_deref(), Ok(expected), "{regex} {with} {text}");
        }
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for (with, message) in [
            ("a\\", "nothing follows the last `\\`"),
            ("$", "`$` is followed by no group of the expression, which has 1: `x`"),
            ("$2", "`$` is followed by no group of the expression, which has 1: `x`"),
            ("${y}", "`$` is followed by no group of the expression, which has 1: `x`"),
            ("$é", "`$` is followed by no group of the expression, which has 1: `x`"),
        ] {
            assert_eq!(replaced("(?<x>a)", with, "a"), Err(message.to_owned()), "{with}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_replacement_or_refused_and_nothing_else_of_a_text_changes(
            with in r"[$\\{}0-9a-zé]{0,8}", text in "[a-cé😀]{0,12}",
        ) {
            let regex = Pattern::new("(?<a>b)|(c*)").unwrap();
            if let Ok(with) = Replacement::new(&with, &regex.group_names().unwrap()) {
                regex.replace_all(&text, &with).unwrap();
            }
            let same = Replacement::new("$0", &regex.group_names().unwrap()).unwrap();
            proptest::prop_assert_eq!(regex.replace_all(&text, &same).unwrap().unwrap_or_else(|| text.clone()), text);
        }
    }
}
