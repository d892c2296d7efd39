//! A model -> the static tables that `cfn::constraint` checks by.

use crate::emit::known_type;
use crate::model::{Group, Kind, Limits, Node, Resource, Struct};
use crate::names;
use std::fmt::Write as _;

pub(crate) fn schema(s: &Struct) -> String {
    let mut out = format!("pub(crate) static {}: Schema = Schema {{\n", names::constant(&s.name));
    let _ = writeln!(out, "    name: {:?},\n    properties: &[", s.aws);
    for f in &s.fields {
        let how = if f.required { "must" } else { "may" };
        let _ = writeln!(out, "        schema::{how}({:?}, {}),", f.aws, node(&f.node));
    }
    out.push_str("    ],\n    groups: &[\n");
    for group in &s.groups {
        let (how, first, others) = match group {
            Group::AnyOf(names) => ("AnyOf", None, names),
            Group::OneOf(names) => ("OneOf", None, names),
            Group::With(name, names) => ("With", Some(name), names),
            Group::Without(name, names) => ("Without", Some(name), names),
        };
        let first = first.map_or_else(String::new, |name| format!("{name:?}, "));
        let _ = writeln!(out, "        schema::Group::{how}({first}&{others:?}),");
    }
    let _ = writeln!(out, "    ],\n    open: {},\n}};\n", s.open);
    out
}

pub(crate) fn resource_type(r: &Resource) -> String {
    let top = r.structs.first().map_or("", |s| &s.name);
    let attributes: Vec<&str> = r.attributes.iter().map(|(name, _)| name.as_str()).collect();
    format!(
        "impl Resource for {top} {{\n    type Ref = {};\n    \
         const TYPE: &'static ResourceType = &ResourceType {{\n        name: {:?},\n        schema: &{},\n        \
         attributes: &{attributes:?},\n        create_only: &{:?},\n        conditional_create_only: &{:?},\n        \
         primary_identifier: &{:?},\n    }};\n}}\n",
        known_type(&r.reference),
        r.aws,
        names::constant(top),
        r.create_only,
        r.conditional_create_only,
        r.primary_identifier,
    )
}

fn node(n: &Node) -> String {
    let Limits { pattern, length, range, words, numbers, keys, unique } = &n.limits;
    let mut out = match &n.kind {
        Kind::String => "schema::STRING".into(),
        Kind::Arn(of) => format!("schema::arn({of:?})"),
        Kind::Integer => "schema::INTEGER".into(),
        Kind::Number => "schema::NUMBER".into(),
        Kind::Boolean => "schema::BOOLEAN".into(),
        Kind::Json => "schema::JSON".into(),
        Kind::Tag => "schema::object(&schema::TAG)".into(),
        Kind::Enum(name) => format!("schema::STRING.words({name}::VALUES)"),
        Kind::Struct(name) => format!("schema::object(&{})", names::constant(name)),
        Kind::List(items) => format!("schema::list(&{})", node(items)),
        Kind::Map(values) => format!("schema::map(&{})", node(values)),
    };
    if let Some(pattern) = pattern {
        let _ = write!(out, ".pattern({})", raw(pattern));
    }
    if *length != (None, None) {
        let most = length.1.map_or_else(|| "u64::MAX".into(), grouped);
        let _ = write!(out, ".length({}, {most})", grouped(length.0.unwrap_or(0)));
    }
    if *range != (None, None) {
        let float = |v: Option<f64>, or: &str| v.map_or_else(|| format!("f64::{or}"), decimal);
        let _ = write!(out, ".range({}, {})", float(range.0, "NEG_INFINITY"), float(range.1, "INFINITY"));
    }
    if !numbers.is_empty() {
        let _ = write!(out, ".numbers(&{numbers:?})");
    }
    if !words.is_empty() && n.kind == Kind::String {
        let _ = write!(out, ".words(&{words:?})");
    }
    if let (Kind::Map(_), Some(keys)) = (&n.kind, keys) {
        let _ = write!(out, ".keys({})", raw(keys));
    }
    if *unique {
        out.push_str(".unique()");
    }
    out
}

/// A raw literal, with as few hashes as do.
fn raw(text: &str) -> String {
    let mut hashes = String::new();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    if text.contains('\\') || text.contains('"') { format!("r{hashes}\"{text}\"{hashes}") } else { format!("{text:?}") }
}

/// `1_209_600`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('_');
        }
        out.push(digit);
    }
    out
}

fn decimal(number: f64) -> String {
    let text = format!("{number:?}");
    let Some((whole, rest)) = text.split_once('.') else { return text };
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    digits.parse().map_or_else(|_| text.clone(), |whole| format!("{sign}{}.{rest}", grouped(whole)))
}
