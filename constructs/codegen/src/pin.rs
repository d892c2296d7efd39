//! Pinning: schemas of the registry, stripped to what code follows from.
//!
//! The source is the directory `cfnlint/data/schemas` of the Python package cfn-lint (MIT-0): `providers/us-east-1.json` maps a
//! type to a hash, `resources/<hash>.json` is its schema.

use crate::Failure;
use serde_json::Value as Json;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::fs;
use std::path::Path;

/// Members of a schema that no code follows from.
const DROPPED: &[&str] = &[
    "$comment",
    "$schema",
    "additionalIdentifiers",
    "additionalProperties",
    "default",
    "deprecatedProperties",
    "description",
    "documentationUrl",
    "examples",
    "handlers",
    "insertionOrder",
    "propertyTransform",
    "relationshipRef",
    "replacementStrategy",
    "resourceLink",
    "sourceUrl",
    "taggable",
    "tagging",
    "title",
    "writeOnlyProperties",
];

/// Writes the schema of `type_name` into `into`.
pub(crate) fn pin(from: &Path, type_name: &str, into: &Path) -> Result<(), Failure> {
    let index = crate::parse(&from.join("providers/us-east-1.json"))?;
    let hash = index[type_name].as_str().ok_or_else(|| format!("{type_name}: the registry has no such type"))?;
    let mut schema = crate::parse(&from.join(format!("resources/{hash}.json")))?;
    strip(&mut schema, true);
    let mut out = vec![];
    // One space of indentation: a person reads the diff of an update.
    let mut to = Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b" "));
    serde::Serialize::serialize(&schema, &mut to)?;
    out.push(b'\n');
    fs::write(into.join(type_name.replace("::", "-") + ".json"), out)?;
    Ok(())
}

/// `keywords`: whether the members are the schema's own words, and not names of properties (one may be called `title`).
fn strip(schema: &mut Json, keywords: bool) {
    match schema {
        Json::Object(members) => {
            if keywords {
                members.retain(|k, v| !DROPPED.contains(&k.as_str()) && (k != "format" || is_arn(v)));
            }
            for (key, value) in members {
                let names = keywords && ["properties", "definitions", "patternProperties"].contains(&key.as_str());
                strip(value, !names);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| strip(item, true)),
        _ => {}
    }
}

/// Of formats, those that say whose ARN it is.
fn is_arn(format: &Json) -> bool {
    format.as_str().is_some_and(|f| f.starts_with("AWS::") && f.ends_with(".Arn"))
}
