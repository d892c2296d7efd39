//! What the answers of Elasticsearch and OpenSearch to a bulk request mean.
//!
//! Imports: `transports`.

use super::{UnitVerdict, Verdict};
use serde::Deserialize;
use std::borrow::Cow;

/// Whether any item was refused.
#[derive(Deserialize)]
struct Errors {
    errors: bool,
}

#[derive(Deserialize)]
struct Bulk<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Item<'a> {
    #[serde(borrow)]
    Index(Outcome<'a>),
    #[serde(borrow)]
    Create(Outcome<'a>),
    #[serde(borrow)]
    Update(Outcome<'a>),
    #[serde(borrow)]
    Delete(Outcome<'a>),
}

#[derive(Deserialize)]
struct Outcome<'a> {
    status: u16,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
}

#[derive(Deserialize)]
struct Failure<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

/// What an answer means for a request of so many items.
pub(super) fn judge(status: u16, body: &[u8], items: usize) -> Verdict {
    match status {
        200..=299 => judge_items(body, items),
        // One bad item (an id that is too long, a key that is not known) makes the node refuse all of a request, as a request that is too
        // large does. Halves tell the guilty from its neighbours.
        400 => Verdict::TooLarge("the bulk request was refused"),
        413 => Verdict::TooLarge("the bulk request was too large"),
        401 => Verdict::Denied("credentials refused"),
        403 => Verdict::Denied("permission refused"),
        404 => Verdict::Denied("no bulk interface at bulk_api_path"),
        429 => Verdict::Again("the far side is overloaded"),
        500..=599 => Verdict::Again("the far side failed"),
        _ => Verdict::Denied("the far side answered with an unexpected status"),
    }
}

fn judge_items(body: &[u8], items: usize) -> Verdict {
    match serde_json::from_slice(body) {
        Ok(Errors { errors: false }) => return Verdict::Taken,
        Ok(Errors { errors: true }) => {}
        Err(_) => return Verdict::Again("the answer is no bulk answer"),
    }
    match serde_json::from_slice(body) {
        Ok(Bulk { items: answers }) if answers.len() == items => {
            Verdict::Units(answers.iter().map(Item::judge).collect())
        }
        _ => Verdict::Again("the bulk answer does not fit the request"),
    }
}

impl Item<'_> {
    fn judge(&self) -> UnitVerdict {
        let (outcome, create) = match self {
            Self::Create(outcome) => (outcome, true),
            Self::Index(outcome) | Self::Update(outcome) | Self::Delete(outcome) => (outcome, false),
        };
        let error = outcome.error.as_ref();
        let text = |text: Option<&Option<Cow<'_, str>>>| {
            text.and_then(|text| text.as_deref().map(str::to_owned)).unwrap_or_default()
        };
        match outcome.status {
            200..=299 => UnitVerdict::Taken,
            // It is there already: an earlier delivery made it.
            409 if create => UnitVerdict::Taken,
            // The disk is full. 429 too, but not for a moment only.
            429 if text(error.map(|error| &error.reason)).contains("flood-stage") => {
                UnitVerdict::Again("disk flood stage")
            }
            429 => UnitVerdict::Again("the far side is overloaded"),
            500..=599 => UnitVerdict::Again("the far side failed"),
            _ => UnitVerdict::Refused(why(&text(error.map(|error| &error.kind)))),
        }
    }
}

/// A refusal in our words: the node's would hold content of the document.
fn why(kind: &str) -> &'static str {
    match kind {
        "mapper_parsing_exception"
        | "document_parsing_exception"
        | "strict_dynamic_mapping_exception"
        | "illegal_argument_exception" => "mapping refused",
        "security_exception" => "permission refused",
        "cluster_block_exception" => "index is blocked",
        "index_closed_exception" => "index is closed",
        "index_not_found_exception" => "index is missing",
        "invalid_index_name_exception" => "index name refused",
        "version_conflict_engine_exception" => "version conflict",
        _ => "document refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use UnitVerdict::{Again, Refused, Taken};

    /// What the requests of the captured answers come to. A status stands for a verdict on the whole.
    fn expected(name: &str) -> Option<Verdict> {
        let mapping = || Verdict::Units(vec![Refused("mapping refused")]);
        let one = |reason| Verdict::Units(vec![Refused(reason)]);
        Some(match name {
            "401-no-credentials" | "401-wrong-password" => Verdict::Denied("credentials refused"),
            "403-whole" => Verdict::Denied("permission refused"),
            "403-some-items" => Verdict::Units(vec![Taken, Refused("permission refused")]),
            "429-whole-circuit-breaker" | "429-whole-indexing-pressure" => Verdict::Again("the far side is overloaded"),
            "bulk-created" | "gzip-request" | "gzip-both" => Verdict::Taken,
            "bulk-mixed-filter-path" => Verdict::Units(vec![Taken, Taken, Refused("mapping refused")]),
            "gzip-413" | "whole-413" => Verdict::TooLarge("the bulk request was too large"),
            "item-400-closed" => one("index is closed"),
            "item-400-index-name" => one("index name refused"),
            "item-400-pipeline" => mapping(),
            "item-403-write-block" => one("index is blocked"),
            "item-404-no-auto-create" | "item-404-require-alias" => one("index is missing"),
            "item-429-flood-stage" => Verdict::Units(vec![Again("disk flood stage")]),
            "whole-405-method" | "whole-406-content-type" => {
                Verdict::Denied("the far side answered with an unexpected status")
            }
            name if name.starts_with("whole-400-") => Verdict::TooLarge("the bulk request was refused"),
            _ => return None,
        })
    }

    #[test]
    fn every_captured_answer_is_judged_item_by_item() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/opensearch-answers");
        let Ok(files) = std::fs::read_dir(&folder) else { return println!("skipped: the corpus is not there") };
        let mut judged = 0;
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let case: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let (request, response) = (&case["request"], &case["response"]);
            let Some(status) = response["status"].as_u64() else { continue };
            if !request["path"].as_str().is_some_and(|path| path.contains("_bulk")) {
                continue;
            }
            let body = response["body_text"].as_str().map_or_else(|| response["body"].to_string(), str::to_owned);
            let items = response["body"]["items"].as_array().map_or(1, Vec::len);
            let verdict = judge(u16::try_from(status).unwrap(), body.as_bytes(), items);
            judged += 1;
            if let Some(expected) = expected(&name) {
                assert_eq!(verdict, expected, "{name}");
                continue;
            }
            // The rule of the captures' README, item by item.
            let Verdict::Units(units) = verdict else { panic!("{name}: {verdict:?}") };
            for (unit, item) in units.iter().zip(response["body"]["items"].as_array().unwrap()) {
                let (action, outcome) = item.as_object().unwrap().iter().next().unwrap();
                let right = match outcome["status"].as_u64().unwrap() {
                    200 | 201 => matches!(unit, Taken),
                    409 if action == "create" => matches!(unit, Taken),
                    429 | 500..=599 => matches!(unit, Again(_)),
                    _ => matches!(unit, Refused(_)),
                };
                assert!(right, "{name}: {unit:?} for {outcome}");
            }
        }
        assert!(judged >= 40, "{judged} answers were judged");
    }

    #[test]
    fn an_answer_that_is_none_or_not_ours_says_nothing_of_the_items() {
        for body in [
            "",
            "ok",
            "[]",
            "{}",
            r#"{"errors":true}"#,
            r#"{"errors":true,"items":[]}"#,
            r#"{"errors":true,"items":[{"x":{}}]}"#,
        ] {
            assert!(matches!(judge(200, body.as_bytes(), 1), Verdict::Again(_)), "{body}");
        }
    }

    #[test]
    fn no_refusal_repeats_what_the_node_said_of_the_document() {
        let body = br#"{"errors":true,"items":[{"index":{"status":400,"error":{"type":"secret","reason":"secret"}}}]}"#;
        assert_eq!(judge(200, body, 1), Verdict::Units(vec![Refused("document refused")]));
    }
}
