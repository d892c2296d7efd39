//! Patches: where a schema says less, or other, than AWS's documentation.
//!
//! `patches/<type>.json` is a list of `{reason, patch}`; `patch` is an RFC 7386 merge patch of the schema. Beside the schema's own
//! words a patch may set: `format: "AWS::X::Y.Arn"` (whose ARN a text is), `additionalAttributes` (pointers of properties that
//! `Fn::GetAtt` takes although they can be written), `attributePatterns` (attribute names with `*`), `refReturns: "text"`
//! (where `Ref` is not the primary identifier).

use serde_json::{Map, Value as Json};

/// Applies a file's patches in their order.
pub(crate) fn apply(schema: &mut Json, patches: &Json) -> Result<(), String> {
    let patches = patches.as_array().ok_or("a list of {reason, patch} is wanted")?;
    for patch in patches {
        if !patch["reason"].is_string() {
            return Err("a patch without a reason".into());
        }
        merge(schema, &patch["patch"]);
    }
    Ok(())
}

/// RFC 7386.
pub(crate) fn merge(target: &mut Json, patch: &Json) {
    let Json::Object(members) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Json::Object(Map::new());
    }
    let Json::Object(object) = target else { return };
    for (key, value) in members {
        if value.is_null() {
            object.shift_remove(key);
        } else {
            merge(object.entry(key.clone()).or_insert(Json::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use serde_json::json;

    #[test]
    fn a_patch_adds_replaces_and_removes() {
        let mut schema = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut schema, &json!({"a": {"b": null, "e": {"f": null, "g": 3}}, "d": "x"}));
        assert_eq!(schema, json!({"a": {"c": 2, "e": {"g": 3}}, "d": "x"}));
    }
}
