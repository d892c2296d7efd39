//! What single values must be: types, words, ranges, lengths, forms.

use super::{
    format,
    tree::{Kind, Node, Path},
    walk::{Asked, Types, Walk},
};
use crate::{
    codes,
    problem::{Span, nearest, quoted},
};
use serde_json::Value;

impl<'a> Walk<'a> {
    pub(super) fn wrong_type(&mut self, node: &Node, path: &Path<'_>, types: Types<'_>, holder: &Span) {
        let wanted: Vec<&str> = types.0.iter().filter_map(Value::as_str).filter(|t| *t != "null").map(noun).collect();
        let at = if node.at.is_empty() { holder.clone() } else { node.at.clone() };
        let raw = self.text.get(node.at.clone()).unwrap_or_default();
        let help = match &node.kind {
            Kind::Number(_) | Kind::Bool(_) if types.has("string") => Some(format!("put it in quotes: \"{raw}\"")),
            Kind::Text(t) if t.variables > 0 => Some("look at the variable's value: it must read as one".to_owned()),
            Kind::Text(t) if serde_json::from_str::<f64>(&t.value).is_ok() && !types.has("boolean") => {
                Some(format!("leave the quotes away: {}", t.value))
            }
            Kind::Text(t) if types.has("boolean") => match t.value.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
                "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
                _ => None,
            },
            _ => None,
        };
        let message = format!("{} must be {}", path.name(), wanted.join(" or "));
        let problem = self.problem(codes::WRONG_TYPE, node, path, message);
        (problem.at, problem.allowed, problem.help) = (at, wanted.into_iter().map(str::to_owned).collect(), help);
    }

    pub(super) fn text(&mut self, node: &Node, path: &Path<'_>, asked: Asked<'a>, value: &str, holder: &Span) {
        let words = asked.list("enum");
        if !words.is_empty() {
            self.one_word_of(node, path, words, value);
        }
        let limits = ("minLength", "maxLength", "characters");
        if !self.length(node, path, asked, limits, value.chars().count(), holder) {
            self.form(node, path, asked, value);
        }
    }

    pub(super) fn one_word(&mut self, node: &Node, path: &Path<'_>, allowed: &[Value]) {
        let text = match &node.kind {
            Kind::Text(t) if t.unknown.is_some() => {
                let message = format!("{} must be known when the template is made", path.name());
                let problem = self.problem(codes::NOT_LATE, node, path, message);
                problem.help = Some("write the value itself".to_owned());
                return;
            }
            Kind::Text(t) => t.value.clone(),
            Kind::Number(raw) => raw.clone(),
            Kind::Bool(_) | Kind::Null | Kind::List(_) | Kind::Map(_) => String::new(),
        };
        self.one_word_of(node, path, allowed, &text);
    }

    fn one_word_of(&mut self, node: &Node, path: &Path<'_>, allowed: &[Value], value: &str) {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        if allowed.iter().any(|a| text(a) == value) {
            return;
        }
        let names: Vec<String> = allowed.iter().filter(|a| !a.is_null()).map(text).collect();
        let known = !matches!(&node.kind, Kind::Text(t) if t.variables > 0);
        let suggestion = nearest(value, names.iter().map(String::as_str)).filter(|_| known);
        let help = suggestion.map(|n| format!("did you mean `{n}`?"));
        let message = format!("{} is not one of the values allowed", path.name());
        let problem = self.problem(codes::NOT_ALLOWED, node, path, message);
        (problem.allowed, problem.help) = (quoted(names.iter().map(String::as_str)), help);
    }

    pub(super) fn number(&mut self, node: &Node, path: &Path<'_>, asked: Asked<'_>, raw: &str) {
        let types = asked.types();
        let Ok(n) = serde_json::from_str::<f64>(raw) else {
            let help = "write it in decimal, without a leading zero, a plus or `_`";
            let message = format!("{} is a number written in a way that readers take differently", path.name());
            self.problem(codes::WRONG_TYPE, node, path, message).help = Some(help.into());
            return;
        };
        if types.has("integer") && !types.has("number") && raw.contains(['.', 'e', 'E']) {
            return self.wrong_type(node, path, types, &node.at);
        }
        let limit = |word: &str| asked.schema[word].as_f64();
        let least = limit("minimum");
        let most = limit("maximum").or(match asked.schema["format"].as_str() {
            Some("uint8") => Some(f64::from(u8::MAX)),
            Some("uint16") => Some(f64::from(u16::MAX)),
            Some("uint32") => Some(f64::from(u32::MAX)),
            Some("int32") => Some(f64::from(i32::MAX)),
            Some("uint64" | "uint") => Some(1.8e19),
            Some("int64" | "int") => Some(9.2e18),
            _ => None,
        });
        let (above, below) = (limit("exclusiveMinimum"), limit("exclusiveMaximum"));
        let outside = least.is_some_and(|l| n < l)
            || most.is_some_and(|l| n > l)
            || above.is_some_and(|l| n <= l)
            || below.is_some_and(|l| n >= l);
        if outside {
            let words = [("at least", least), ("more than", above), ("at most", most), ("less than", below)];
            let words: Vec<String> = words.iter().filter_map(|(w, l)| Some(format!("{w} {}", (*l)?))).collect();
            let message = format!("{} must be {}", path.name(), words.join(" and "));
            self.problem(codes::OUT_OF_RANGE, node, path, message).allowed = vec![words.join(" and ")];
        }
    }

    /// Whether there was something to say.
    pub(super) fn length(
        &mut self,
        node: &Node,
        path: &Path<'_>,
        asked: Asked<'_>,
        (min, max, unit): (&str, &str, &str),
        length: usize,
        holder: &Span,
    ) -> bool {
        let (least, most) = (asked.schema[min].as_u64(), asked.schema[max].as_u64());
        let length = length as u64;
        if least.is_none_or(|l| length >= l) && most.is_none_or(|l| length <= l) {
            return false;
        }
        let wanted = match (least, most) {
            (Some(least), Some(most)) => format!("{least} to {most} {unit}"),
            (Some(1), None) => format!("1 {} or more", unit.trim_end_matches('s')),
            (Some(least), None) => format!("{least} {unit} or more"),
            (None, most) => format!("{} {unit} or less", most.unwrap_or_default()),
        };
        let message = format!("{} must have {wanted}, not {length}", path.name());
        let problem = self.problem(codes::LENGTH, node, path, message);
        problem.allowed = vec![wanted];
        if matches!(node.kind, Kind::List(_)) {
            problem.at = holder.clone();
        }
        true
    }

    /// The form of a text: `pattern` and `format`.
    fn form(&mut self, node: &Node, path: &Path<'_>, asked: Asked<'a>, value: &str) {
        if let Some(pattern) = asked.schema["pattern"].as_str() {
            let compiled = self.patterns.entry(pattern).or_insert_with(|| regex::Regex::new(pattern).ok());
            if compiled.as_ref().is_some_and(|regex| !regex.is_match(value)) {
                let message = format!("{} does not have the form asked for", path.name());
                self.problem(codes::FORM, node, path, message).allowed = vec![format!("texts like {pattern}")];
            }
        }
        let Some(format) = asked.schema["format"].as_str().and_then(format::find) else { return };
        if let Some(mistake) = (format.mistake)(value) {
            // What is wrong may be a part of a variable's value, which no message tells.
            let why = match &node.kind {
                Kind::Text(text) if text.variables > 0 => "with the values of its variables put in".to_owned(),
                _ => mistake.message,
            };
            let message = format!("{} is not {}: {why}", path.name(), format.noun);
            let at = mistake.at.map(|at| node.place_of(at, self.text));
            let problem = self.problem(format.code, node, path, message);
            problem.help = mistake.help;
            if let Some(at) = at {
                (problem.at, problem.given) = (at, None);
            }
        }
    }
}

/// What a person calls a type of JSON.
pub(crate) fn noun(kind: &str) -> &str {
    match kind {
        "boolean" => "true or false",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}
