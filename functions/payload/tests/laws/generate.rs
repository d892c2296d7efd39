//! Documents by chance.

use crate::model::Tree;
use proptest::prelude::*;

/// 100 cases, or more in proportion to the variable `PROPTEST_CASES` (which is 256 where it is not set).
pub(crate) fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig { cases: config.cases * 100 / 256, failure_persistence: None, ..config }
}

/// A document, as text with white space and escapes and as the tree that the text says.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub text: String,
    /// With repeated names.
    pub tree: Tree,
}

fn piece() -> impl Strategy<Value = String> {
    let plain = |text: String| text.replace('\\', "\\\\").replace('"', "\\\"");
    let escapes = [
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\b\\f\\r\\t",
        "\\u0041",
        "\\u00e9",
        "\\uD83D\\uDE00",
        "\\u0000",
        "é",
        "😀",
        "\u{7f}",
        "<a href='x&y'>=",
        "\u{2028}",
        "null",
        "’",
    ];
    prop_oneof![
        6 => "[a-zA-Z0-9_ .:/$-]{0,20}".boxed(),
        1 => "\\PC{0,5}".prop_map(plain).boxed(),
        2 => prop::sample::select(escapes.to_vec()).prop_map(String::from).boxed(),
    ]
}

/// The JSON text of a string.
pub(crate) fn string() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// The JSON text of a name; most repeat, some differ just behind the first 15, 16, 31 or 32 bytes.
fn name() -> impl Strategy<Value = String> {
    let names = [
        "a",
        "A",
        "b",
        "c",
        "a.b",
        "a b",
        "a_b",
        "b.1",
        "1",
        "2",
        "x-amz-id",
        "a__str",
        "",
        "\\u0061",
        "\\u0041",
        "a\\n",
        "a\\u000a",
        "k",
        "thirty-two-bytes-long-is-this-ke",
        "thirty-one-bytes-long-is-this-k",
        "fifteen-bytes-k",
        "sixteen-bytes-ke",
        "a-key-that-is-much-longer-than-what-one-block-of-bytes-can-hold",
        "a-key-that-is-much-longer-than-what-one-block-of-bytes-can-hald",
        "<html>",
    ];
    prop_oneof![
        8 => prop::sample::select(names.to_vec()).prop_map(|name| format!("\"{name}\"")),
        1 => string(),
    ]
}

/// A number, also such as no machine number can hold.
pub(crate) fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| format!("{n:e}")),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?",
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![20 => Just(""), 1 => Just(" "), 1 => Just("\n\t "), 1 => Just("\r\n")]
}

fn leaf() -> impl Strategy<Value = Document> {
    let literals = ["null", "true", "false"].map(String::from);
    let text = prop_oneof![4 => string(), 3 => number(), 2 => prop::sample::select(literals.to_vec())];
    text.prop_map(|text| Document { tree: Tree::Leaf(text.clone()), text })
}

fn array(inner: impl Strategy<Value = Document>) -> impl Strategy<Value = Document> {
    prop::collection::vec((space(), inner, space()), 0..6).prop_map(|list| {
        let text: Vec<_> = list.iter().map(|(a, element, b)| format!("{a}{}{b}", element.text)).collect();
        let tree = Tree::Array(list.into_iter().map(|(_, element, _)| element.tree).collect());
        Document { text: format!("[{}]", text.join(",")), tree }
    })
}

fn object(inner: impl Strategy<Value = Document>) -> impl Strategy<Value = Document> {
    let member = (space(), name(), space(), space(), inner, space());
    prop::collection::vec(member, 0..8).prop_map(|list| {
        let text = list.iter().map(|(a, name, b, c, value, d)| format!("{a}{name}{b}:{c}{}{d}", value.text));
        let text = format!("{{{}}}", text.collect::<Vec<_>>().join(","));
        let member = |name: &str, value: Document| (serde_json::from_str(name).unwrap(), value.tree);
        let tree = list.into_iter().map(|(_, name, _, _, value, _)| member(&name, value)).collect();
        Document { text, tree: Tree::Object(tree) }
    })
}

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = Document> {
    leaf().prop_recursive(6, 50, 6, |inner| prop_oneof![array(inner.clone()), object(inner)])
}

/// An object, as events are.
pub(crate) fn document() -> impl Strategy<Value = Document> {
    object(value())
}

/// An object in which the paths of the tests lead somewhere: `a` holds objects that have `a`, `b` and `a.b`, and `b`
/// holds arrays. Half of them are compact, without repeated names, so that they could be written as they came.
pub(crate) fn eventful() -> impl Strategy<Value = Document> {
    let member = |name: &str, value: &Document| Document {
        text: format!("\"{name}\":{}", value.text),
        tree: Tree::Object(vec![(name.into(), value.tree.clone())]),
    };
    let join = |parts: Vec<Document>| {
        let members = parts.iter().flat_map(|part| match &part.tree {
            Tree::Object(list) => list.clone(),
            _ => vec![],
        });
        let tree = Tree::Object(members.collect());
        // The members of an object, or one member alone.
        let inside =
            |text: &str| text.strip_prefix('{').map_or(text.to_owned(), |text| text[..text.len() - 1].to_owned());
        let texts = parts.iter().map(|part| inside(&part.text)).filter(|text| !text.trim().is_empty());
        Document { text: format!("{{{}}}", texts.collect::<Vec<_>>().join(",")), tree }
    };
    let parts = (document(), document(), value(), value(), array(value()), any::<bool>(), any::<bool>());
    parts.prop_map(move |(outer, inner, one, other, list, first, compact)| {
        let inner = join(vec![member("b", &one), inner, member("a.b", &other)]);
        let (a, b) = (member("a", &inner), member("b", &list));
        let document = join(if first { vec![a, outer, b] } else { vec![outer, b, a] });
        if !compact {
            return document;
        }
        let tree = document.tree.meaning();
        Document { text: tree.json(), tree }
    })
}

/// A document with one byte too many, too few, or another one; mostly no JSON.
pub(crate) fn broken() -> impl Strategy<Value = Vec<u8>> {
    let bytes =
        prop::sample::select(br#" "\{}[],:0e.-+ntf1u/"#.iter().copied().chain([0, 9, 0xff, 0xc3]).collect::<Vec<_>>());
    (document(), any::<prop::sample::Index>(), bytes, 0..4u8).prop_map(|(document, at, byte, how)| {
        let mut text = document.text.into_bytes();
        let at = at.index(text.len());
        match how {
            0 => text[at] = byte,
            1 => text.insert(at, byte),
            2 => _ = text.remove(at),
            _ => text.truncate(at),
        }
        text
    })
}
