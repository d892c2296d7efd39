//! What a schema says a value must satisfy.

use crate::model::{Group, Limits};
use serde_json::Value as Json;

pub(crate) fn limits(schema: &Json) -> Limits {
    let int = |k: &str| schema[k].as_u64();
    let length = match schema["type"].as_str().unwrap_or_default() {
        "array" => (int("minItems"), int("maxItems")),
        "object" => (int("minProperties"), int("maxProperties")),
        _ => (int("minLength"), int("maxLength")),
    };
    let allowed: Vec<&Json> = list(&schema["enum"]).iter().chain(schema.get("const")).collect();
    let keys = schema["patternProperties"].as_object().filter(|p| p.len() == 1).and_then(|p| p.keys().next());
    Limits {
        pattern: schema["pattern"].as_str().map(pattern),
        length,
        range: (schema["minimum"].as_f64(), schema["maximum"].as_f64()),
        words: allowed.iter().filter_map(|a| a.as_str()).map(str::to_owned).collect(),
        numbers: allowed.iter().filter_map(|a| a.as_i64()).collect(),
        keys: keys.map(|k| pattern(k)).filter(|k| !["", ".*", "^.*$"].contains(&k.as_str())),
        unique: schema["uniqueItems"] == true,
    }
}

/// An ECMA pattern as Rust's engines take it: `[` inside a class is text there and opens a nested class here, and so do
/// `&&`, `--` and `~~` mean something here only.
fn pattern(ecma: &str) -> String {
    let mut out = String::new();
    let (mut class, mut escaped) = (false, false);
    for c in ecma.chars() {
        let opens = class && !escaped;
        match c {
            '[' if opens => out.push('\\'),
            '&' | '~' | '-' if opens && out.ends_with(c) => out.push('\\'),
            _ => {}
        }
        class = match c {
            '[' if !escaped => true,
            ']' if !escaped => false,
            _ => class,
        };
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

pub(crate) fn groups(schema: &Json, known: &[&str], union: bool) -> Vec<Group> {
    let keys = |v: &Json| -> Vec<String> {
        list(v).iter().filter_map(Json::as_str).filter(|k| known.contains(k)).map(str::to_owned).collect()
    };
    let branches = |k: &str| -> Option<Vec<String>> {
        let all: Vec<Vec<String>> = list(&schema[k]).iter().map(|b| keys(&b["required"])).collect();
        (all.len() > 1 && all.iter().all(|b| b.len() == 1)).then(|| all.concat())
    };
    let mut out = vec![];
    if union {
        out.push(Group::OneOf(known.iter().map(|k| (*k).to_owned()).collect()));
    } else {
        out.extend(branches("anyOf").map(Group::AnyOf));
        out.extend(branches("oneOf").map(Group::OneOf));
    }
    out.extend(Some(keys(&schema["requiredOr"])).filter(|k| !k.is_empty()).map(Group::AnyOf));
    out.extend(Some(keys(&schema["requiredXor"])).filter(|k| !k.is_empty()).map(Group::OneOf));
    for (key, rule) in [
        ("dependentExcluded", Group::Without as fn(_, _) -> _),
        ("dependentRequired", Group::With),
        ("dependencies", Group::With),
    ] {
        for (property, others) in schema[key].as_object().into_iter().flatten() {
            if known.contains(&property.as_str()) && !keys(others).is_empty() {
                out.push(rule(property.clone(), keys(others)));
            }
        }
    }
    out
}

/// The items of an array; none for anything else.
pub(crate) fn list(value: &Json) -> &[Json] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn an_ecma_class_means_the_same_in_rust() {
        assert_eq!(pattern(r"^[a-z[]+$"), r"^[a-z\[]+$");
        assert_eq!(pattern(r"[\[a]"), r"[\[a]");
        assert_eq!(pattern(r"\[[x]"), r"\[[x]");
        assert_eq!(pattern("[a--z&&]"), r"[a-\-z&\&]");
    }
}
