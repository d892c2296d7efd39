//! From text to tree: YAML by the events of its parser, JSON without places.

use super::tree::{Key, Kind, Node};
use crate::{
    codes,
    problem::{Problem, Span},
};
use granit_parser::{Event, Marker, Parser, ScalarStyle, StrInput, Tag};
use std::{borrow::Cow, collections::BTreeMap};

/// More values than this are no config, but a mistake or an attack. What an alias repeats counts each time.
const MAX_NODES: usize = 20_000;
/// Deeper than this, aliases included, nothing is nested on purpose.
const MAX_DEPTH: usize = 64;

/// Reads JSON without places. That is quick, and enough while nothing is wrong.
pub(super) fn json(text: &str) -> Result<Node, Box<Problem>> {
    let mark = text.len() - text.trim_start_matches('\u{feff}').len();
    serde_json::from_str(&text[mark..]).map_err(|error| {
        let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let at = text.floor_char_boundary((line_start + error.column().saturating_sub(1)).min(text.len()));
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default();
        let message = format!("the config cannot be read as JSON: {reason}");
        Box::new(Problem::new(codes::SYNTAX, "", point(at, text), message))
    })
}

/// Reads YAML, and JSON as the part of YAML that it is, with the place of every key and value.
///
/// The problems are of parts that could be left out; the error is one that ends the reading.
pub(super) fn placed(text: &str) -> Result<(Node, Vec<Problem>), Box<Problem>> {
    let options = granit_parser::options! {
        // A key in JSON may be of any length.
        simple_key_max_lookahead: text.len(),
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    let parser = Parser::new_from_str_with_options(text, options);
    let mut loader = Loader { parser, text, anchors: BTreeMap::new(), nodes: 0, problems: vec![] };
    let mut root = None;
    while let Some((event, at)) = loader.next()? {
        match event {
            Event::DocumentStart(..) if root.is_some() => {
                let message = "there is a second document in the file";
                let help = "keep one config in the file, without `---` between parts";
                loader.problems.push(Problem::new(codes::YAML, "", at, message).help(help));
                break;
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                root = Some(loader.node(event, at, 0)?);
            }
            _ => {}
        }
    }
    match root {
        Some(root) => Ok((root, loader.problems)),
        None => Err(Box::new(Problem::new(codes::SYNTAX, "", 0..0, "the config is empty"))),
    }
}

/// The character at a place, so that there is something to point at.
fn point(at: usize, text: &str) -> Span {
    let width = text.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
    at..at + width
}

struct Loader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    text: &'t str,
    /// Anchored values that are complete.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    problems: Vec<Problem>,
}

impl<'t> Loader<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Box<Problem>> {
        let byte = |marker: &Marker| marker.byte_offset().unwrap_or_default().min(self.text.len());
        match self.parser.next() {
            None => Ok(None),
            Some(Ok((event, at))) => Ok(Some((event, byte(&at.start)..byte(&at.end)))),
            Some(Err(error)) => {
                let message = format!("the config cannot be read: {}", error.info());
                Err(Box::new(Problem::new(codes::SYNTAX, "", point(byte(error.marker()), self.text), message)))
            }
        }
    }

    fn refuse(&mut self, at: Span, message: &str, help: &str) {
        self.problems.push(Problem::new(codes::YAML, "", at, message).help(help));
    }

    /// The value that begins with an event.
    fn node(&mut self, event: Event<'t>, at: Span, depth: usize) -> Result<Node, Box<Problem>> {
        let (node, anchor) = match event {
            Event::Scalar(value, style, anchor, tag) => (self.scalar(value, style, tag.as_deref(), at), anchor),
            Event::SequenceStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), &at);
                let (mut items, mut end) = (vec![], at.end);
                while let Some((event, at)) = self.next()? {
                    if event == Event::SequenceEnd {
                        end = at.end;
                        break;
                    }
                    items.push(self.node(event, at, depth + 1)?);
                }
                (Node::new(Kind::List(items), whole(&at, end)), anchor)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tagged(tag.as_deref(), &at);
                (self.map(at, depth)?, anchor)
            }
            Event::Alias(id) => (self.alias(id, at, depth)?, 0),
            _ => (Node::new(Kind::Null, at), 0),
        };
        self.count(1, &node.at)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, at: &Span) -> Result<(), Box<Problem>> {
        self.nodes += more;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("the config has more than {MAX_NODES} values, those repeated by aliases included");
        Err(Box::new(Problem::new(codes::YAML, "", at.clone(), message).help("write it with fewer aliases")))
    }

    fn map(&mut self, at: Span, depth: usize) -> Result<Node, Box<Problem>> {
        let (mut members, mut bases, mut end) = (vec![], vec![], at.end);
        while let Some((event, key_at)) = self.next()? {
            if event == Event::MappingEnd {
                end = key_at.end;
                break;
            }
            let merges = matches!(&event, Event::Scalar(word, ScalarStyle::Plain, 0, None) if word == "<<");
            let name = match &event {
                Event::Scalar(word, ..) => Some(word.to_string()),
                _ => self.node(event, key_at.clone(), depth + 1)?.as_str().map(str::to_owned),
            };
            let Some((event, value_at)) = self.next()? else { break };
            let value = self.node(event, value_at, depth + 1)?;
            match name {
                _ if merges => bases.push((key_at, value)),
                Some(name) => members.push((Key { name, at: key_at }, value)),
                None => self.refuse(key_at, "a key must be a text", "write a plain word as the key"),
            }
        }
        for (key_at, value) in bases {
            self.merge(&mut members, key_at, value);
        }
        Ok(Node::new(Kind::Map(members), whole(&at, end)))
    }

    /// `<<: *base`: the members that the map does not have itself. Of several bases, the first holds.
    fn merge(&mut self, members: &mut Vec<(Key, Node)>, at: Span, value: Node) {
        let bases = match value.kind {
            Kind::List(bases) => bases,
            _ => vec![value],
        };
        for base in bases {
            let Kind::Map(inherited) = base.kind else {
                self.refuse(at, "`<<` takes in a map, or a list of maps", "write `<<: *name` with the anchor of a map");
                return;
            };
            for (key, mut node) in inherited {
                if members.iter().all(|(own, _)| own.name != key.name) {
                    used_at(&mut node, &at);
                    members.push((key, node));
                }
            }
        }
    }

    fn alias(&mut self, id: usize, at: Span, depth: usize) -> Result<Node, Box<Problem>> {
        let Some(mut node) = self.anchors.get(&id).cloned() else {
            let problem = Problem::new(codes::YAML, "", at, "the alias stands inside the value that it repeats");
            return Err(Box::new(problem.help("write the value out")));
        };
        let (size, height) = extent(&node);
        self.count(size, &at)?;
        if depth + height > MAX_DEPTH {
            let message = format!("the alias makes the config more than {MAX_DEPTH} levels deep");
            return Err(Box::new(Problem::new(codes::YAML, "", at, message).help("write it with fewer aliases")));
        }
        used_at(&mut node, &at);
        Ok(node)
    }

    fn scalar(&mut self, value: Cow<'t, str>, style: ScalarStyle, tag: Option<&Tag>, at: Span) -> Node {
        let text = style != ScalarStyle::Plain || tag.is_some_and(|t| t.is_yaml_core_schema_tag("str"));
        self.tagged(tag, &at);
        let kind = match &*value {
            _ if text => return Node::text(value, at),
            "" | "~" | "null" | "Null" | "NULL" => Kind::Null,
            "true" | "True" | "TRUE" => Kind::Bool(true),
            "false" | "False" | "FALSE" => Kind::Bool(false),
            number if looks_like_a_number(number) => Kind::Number(value.into_owned()),
            _ => return Node::text(value, at),
        };
        Node::new(kind, at)
    }

    fn tagged(&mut self, tag: Option<&Tag>, at: &Span) {
        if tag.is_some_and(Tag::is_custom) {
            self.refuse(at.clone(), "configs have no tags", "take the `!…` away");
        }
    }
}

/// The whole of a flow list or map; a block one has no end to point at.
fn whole(start: &Span, end: usize) -> Span {
    if start.is_empty() { start.clone() } else { start.start..end.max(start.end) }
}

fn used_at(node: &mut Node, at: &Span) {
    node.used = Some(at.clone());
    match &mut node.kind {
        Kind::List(items) => items.iter_mut().for_each(|item| used_at(item, at)),
        Kind::Map(members) => members.iter_mut().for_each(|(_, node)| used_at(node, at)),
        _ => {}
    }
}

/// How many values there are, and how deep they are nested.
fn extent(node: &Node) -> (usize, usize) {
    let of = |parts: &mut dyn Iterator<Item = &Node>| {
        parts.map(extent).fold((1, 1), |(size, height), (s, h)| (size + s, height.max(h + 1)))
    };
    match &node.kind {
        Kind::List(items) => of(&mut items.iter()),
        Kind::Map(members) => of(&mut members.iter().map(|(_, node)| node)),
        _ => (1, 1),
    }
}

/// Whether some reader of YAML takes the plain text for a number. Which number is another question: `0755` and `1_000`
/// are refused later, where a number is wanted and where a text is.
fn looks_like_a_number(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all = |digits: &str, radix| !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix) || c == '_');
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return all(digits, radix);
        }
    }
    if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(&text) {
        return true;
    }
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && (all(whole, 10) || whole.is_empty() && !fraction.is_empty())
        && (all(fraction, 10) || fraction.is_empty())
        && all(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        match placed(text) {
            Err(problem) => problem.message,
            Ok((_, problems)) => problems.first().map(|p| p.message.clone()).unwrap_or_default(),
        }
    }

    #[test]
    fn a_plain_text_is_a_number_when_some_reader_takes_it_for_one() {
        for number in [
            "0", "-1", "+1", "1.10", ".5", "1.", "1e5", "1E-5", "0755", "1_000", "0x1F", "0o7", "0b1", ".inf", "-.inf",
            ".nan",
        ] {
            assert!(looks_like_a_number(number), "{number}");
        }
        for text in
            ["", "-", "1.2.3", "1.2.3.4", "2024-01-01", "e5", "1e", "0x", "x", "_1", ".", "1:30", "10 m", "inf", "nan"]
        {
            assert!(!looks_like_a_number(text), "{text}");
        }
    }

    #[test]
    fn booleans_are_true_and_false_and_nothing_else() {
        let (node, _) = placed("[true, False, yes, no, on, off, y, N, 'true']").unwrap();
        let kinds: Vec<bool> = node.items().iter().map(|n| matches!(n.kind, Kind::Bool(_))).collect();
        assert_eq!(kinds, [true, true, false, false, false, false, false, false, false]);
    }

    #[test]
    fn numbers_keep_their_text() {
        let (node, _) = placed("[1.10, 0755, 123456789012345678901234567890]").unwrap();
        let raw: Vec<&Kind> = node.items().iter().map(|n| &n.kind).collect();
        let number = |text: &str| Kind::Number(text.to_owned());
        assert_eq!(raw, [&number("1.10"), &number("0755"), &number("123456789012345678901234567890")]);
    }

    #[test]
    fn a_merged_map_gives_what_the_map_does_not_have_itself() {
        let (node, problems) = placed("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 9\n").unwrap();
        assert_eq!(problems, []);
        let c = node.get("c").unwrap();
        let number = |key: &str| c.get(key).map(|n| n.kind.clone());
        let want = |n: &str| Some(Kind::Number(n.to_owned()));
        assert_eq!((number("x"), number("y"), number("z")), (want("9"), want("2"), want("4")));
        assert!(c.get("z").unwrap().used.is_some() && c.get("x").unwrap().used.is_none());
    }

    #[test]
    fn an_alias_bomb_stops_at_the_budget_and_not_at_the_memory() {
        let mut laughs = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha, ha]\n".to_owned();
        for pair in ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"] {
            let (from, to) = pair.split_at(1);
            let ten = vec![format!("*{from}"); 10].join(", ");
            laughs.extend([to, ": &", to, " [", &ten, "]\n"]);
        }
        assert!(refusal(&laughs).contains("more than 20000 values"), "{}", refusal(&laughs));
        let deep: Vec<String> = (1..200).map(|n| format!("k{n}: &k{n} [*k{}]", n - 1)).collect();
        assert!(refusal(&format!("k0: &k0 [1]\n{}\n", deep.join("\n"))).contains("levels deep"));
        assert_eq!(refusal("a: &a [*a]"), "the alias stands inside the value that it repeats");
        assert!(refusal(&"[".repeat(10_000)).contains("cannot be read"));
    }

    #[test]
    fn what_configs_do_not_have_of_yaml_is_refused_by_name() {
        assert_eq!(refusal("a: 1\n---\nb: 2\n"), "there is a second document in the file");
        assert_eq!(refusal("a: !secret x\n"), "configs have no tags");
        assert_eq!(refusal("? [a, b]\n: 1\n"), "a key must be a text");
        assert_eq!(refusal("<<: 5\n"), "`<<` takes in a map, or a list of maps");
        assert_eq!(refusal("# nothing\n"), "the config is empty");
        assert_eq!(refusal("a: !!str 5\n"), "");
        assert!(refusal("a: *nowhere\n").contains("unknown anchor"));
    }

    #[test]
    fn json_has_the_same_values_with_and_without_places() {
        fn strip(node: &mut Node) {
            (node.at, node.used) = (0..0, None);
            match &mut node.kind {
                Kind::List(items) => items.iter_mut().for_each(strip),
                Kind::Map(members) => members.iter_mut().for_each(|(key, node)| {
                    key.at = 0..0;
                    strip(node);
                }),
                _ => {}
            }
        }
        let key = "k".repeat(3000);
        let text = format!(
            "{{\n\t\"a\" : [1, -2, true, null, {{}}, []],\r\n\"b\":\"\\u00e9\\ud83d\\ude00\\/\\n\\\"\",\"yes\":\"no\",\"{key}\":1}}"
        );
        let (mut with, problems) = placed(&text).unwrap();
        strip(&mut with);
        assert_eq!((problems, with), (vec![], json(&text).unwrap()));
    }

    #[test]
    fn json_that_is_not_json_is_refused_with_its_place() {
        let problem = json("{\n \"a\": [1,\n  2,]\n}").unwrap_err();
        assert_eq!(problem.message, "the config cannot be read as JSON: trailing comma");
        assert_eq!(problem.at, 16..17);
        assert_eq!(
            json("{\"a\": 1").unwrap_err().message,
            "the config cannot be read as JSON: EOF while parsing an object"
        );
    }
}
