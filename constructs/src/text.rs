//! Text with intrinsics in it, built from parts: nothing to escape, nothing to forget.
//!
//! Imports: `cfn`, `reference`.

use crate::reference::{Part as SubPart, parts};
use cfn::constraint::function;
use cfn::{IntoJson as _, IntoValue, Intrinsic, Json, Value, intrinsic};
use serde_json::json;
use std::fmt::Write as _;

/// Text made of literals and values. Becomes plain text, `Fn::Sub` or `Fn::Join`, whichever is simplest.
///
/// ```
/// # use constructs::{Text, cfn};
/// let queue: cfn::Ref<cfn::sqs::Queue> = cfn::Ref::new("Queue");
/// let text = Text::new().text("costs ${5}: ").value(queue.arn());
/// let value = cfn::IntoValue::<String>::into_value(text);
/// assert_eq!(serde_json::json!(value), serde_json::json!({"Fn::Sub": "costs ${!5}: ${Queue.Arn}"}));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(String),
    /// An intrinsic.
    Later(Json),
}

impl Text {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text as it stands; `${` in it is only text.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.literal(text);
        self
    }

    /// Adds a value.
    #[must_use]
    pub fn value(mut self, value: impl IntoValue<String>) -> Self {
        self.json(value.into_value().into_json());
        self
    }

    fn literal(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(last)) => last.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    /// Adds a value; texts that are made of parts themselves are taken apart.
    fn json(&mut self, value: Json) {
        match (function(&value), &value) {
            (None, Json::String(text)) => self.literal(&text.clone()),
            (Some(("Fn::Sub", Json::String(text))), _) => {
                for part in parts(text) {
                    match part {
                        SubPart::Text(text) => self.literal(&text.replace("${!", "${")),
                        SubPart::Name(name) => self.parts.push(Part::Later(named(name))),
                    }
                }
            }
            (Some(("Fn::Join", Json::Array(arguments))), _) => match &arguments[..] {
                [Json::String(delimiter), Json::Array(items)] => {
                    for (at, item) in items.iter().enumerate() {
                        if at > 0 {
                            self.literal(delimiter);
                        }
                        self.json(item.clone());
                    }
                }
                _ => self.parts.push(Part::Later(value)),
            },
            _ => self.parts.push(Part::Later(value)),
        }
    }

    fn into_value(self) -> Value<String> {
        let mut sub = String::new();
        let mut all_named = true;
        for part in &self.parts {
            match part {
                Part::Literal(text) => match escaped(text) {
                    Some(text) => sub.push_str(&text),
                    None => all_named = false,
                },
                Part::Later(later) => match name_of(later) {
                    Some(name) => drop(write!(sub, "${{{name}}}")),
                    None => all_named = false,
                },
            }
        }
        match &self.parts[..] {
            [] => Value::Known(String::new()),
            [Part::Literal(text)] => Value::Known(text.clone()),
            [Part::Later(only)] => Value::Later(Intrinsic::raw(only.clone())),
            _ if all_named => intrinsic::sub(&sub),
            _ => {
                let items: Vec<Json> = self.parts.into_iter().map(Part::into_json).collect();
                Value::Later(Intrinsic::raw(json!({"Fn::Join": ["", items]})))
            }
        }
    }
}

impl Part {
    fn into_json(self) -> Json {
        match self {
            Self::Literal(text) => text.into(),
            Self::Later(later) => later,
        }
    }
}

impl IntoValue<String> for Text {
    fn into_value(self) -> Value<String> {
        Text::into_value(self)
    }
}

/// JSON as text, with intrinsics anywhere in it: a dashboard's body, a policy that a property wants as text.
///
/// An intrinsic stands between quotes: what it becomes must need no escaping in JSON (names, ARNs and numbers do not).
pub fn json_text(json: &Json) -> Value<String> {
    let mut text = Text::new();
    write(&mut text, json);
    text.into_value()
}

fn write(text: &mut Text, json: &Json) {
    match json {
        _ if function(json).is_some() => {
            text.literal("\"");
            text.json(json.clone());
            text.literal("\"");
        }
        Json::Array(items) => {
            text.literal("[");
            for (at, item) in items.iter().enumerate() {
                text.literal(if at > 0 { "," } else { "" });
                write(text, item);
            }
            text.literal("]");
        }
        Json::Object(members) => {
            text.literal("{");
            for (at, (name, value)) in members.iter().enumerate() {
                text.literal(if at > 0 { "," } else { "" });
                text.literal(&Json::from(name.as_str()).to_string());
                text.literal(":");
                write(text, value);
            }
            text.literal("}");
        }
        scalar => text.literal(&scalar.to_string()),
    }
}

fn named(name: &str) -> Json {
    match name.split_once('.') {
        Some((id, attribute)) => json!({"Fn::GetAtt": [id, attribute]}),
        None => json!({"Ref": name}),
    }
}

/// How `Fn::Sub` names this value, if it can.
fn name_of(later: &Json) -> Option<String> {
    match function(later)? {
        ("Ref", Json::String(id)) => Some(id.clone()),
        ("Fn::GetAtt", Json::Array(arguments)) => match &arguments[..] {
            [Json::String(id), Json::String(attribute)] => Some(format!("{id}.{attribute}")),
            _ => None,
        },
        _ => None,
    }
}

/// Text as `Fn::Sub` wants it; `None` when a `${` in it has no end of its own, which `Fn::Sub` cannot say.
fn escaped(text: &str) -> Option<String> {
    let mut pieces = text.split("${");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.try_fold(first, |out, piece| piece.contains('}').then(|| format!("{out}${{!{piece}")))
}

#[cfg(test)]
mod tests {
    use super::{Text, json_text};
    use cfn::{Ref, intrinsic, list, sqs};
    use serde_json::json;

    fn queue() -> Ref<sqs::Queue> {
        Ref::new("Queue")
    }

    #[test]
    fn text_alone_stays_text_and_a_value_alone_stays_itself() {
        assert_eq!(json!(Text::new().text("a ${b}").text("c").into_value()), json!("a ${b}c"));
        assert_eq!(json!(Text::new().value(queue().ref_()).into_value()), json!({"Ref": "Queue"}));
        assert_eq!(json!(Text::new().into_value()), json!(""));
    }

    #[test]
    fn what_a_sub_cannot_say_is_joined() {
        let open = Text::new().text("open ${ ").value(queue().ref_()).into_value();
        assert_eq!(json!(open), json!({"Fn::Join": ["", ["open ${ ", {"Ref": "Queue"}]]}));
        let imported = Text::new().text("x").value(intrinsic::import_value("y")).into_value();
        assert_eq!(json!(imported), json!({"Fn::Join": ["", ["x", {"Fn::ImportValue": "y"}]]}));
    }

    #[test]
    fn parts_that_have_parts_become_one_text() {
        let arn = intrinsic::sub("arn:${AWS::Partition}:${!x}");
        let path = intrinsic::join("/", list![queue().arn(), "*"]);
        let text = Text::new().value(arn).text(" and ").value(path).into_value();
        assert_eq!(json!(text), json!({"Fn::Sub": "arn:${AWS::Partition}:${!x} and ${Queue.Arn}/*"}));
    }

    #[test]
    fn json_with_intrinsics_becomes_text_that_is_json_again() {
        let body = json!({"widgets": [{"metric": ["AWS/SQS", queue().ref_(), 1, true, null, "${a}\"b\""]}], "é": 1.5});
        let expected = r#"{"widgets":[{"metric":["AWS/SQS","${Queue}",1,true,null,"${!a}\"b\""]}],"é":1.5}"#;
        assert_eq!(json!(json_text(&body)), json!({"Fn::Sub": expected}));
        assert_eq!(json!(json_text(&json!({"a": "${b}"}))), json!(r#"{"a":"${b}"}"#));
    }
}
