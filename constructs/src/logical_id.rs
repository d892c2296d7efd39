//! Logical ids: from the path of a construct to the name of its resource in the template.
//!
//! AWS CDK's published rule, so that a stack that moves here from there keeps its resources: the readable parts of the path,
//! and eight hexadecimal digits of its hash. An id hangs on nothing but the path, so it stays when code moves.
//!
//! Imports: nothing.

use md5::{Digest as _, Md5};
use std::fmt::Write as _;

/// The readable part is cut here.
const MOST_READABLE: usize = 240;
/// CloudFormation's own bound.
const MOST: usize = 255;

/// The logical id of the resource at `path` (ids below the stack); `None` when nothing of it would remain.
///
/// `Default` is left out altogether, `Resource` of the readable part only. A single id stands as it is, without a hash. An id
/// that ends the one before it is not repeated in the readable part.
pub(crate) fn logical_id<S: AsRef<str>>(path: &[S]) -> Option<String> {
    let ids: Vec<String> = path.iter().map(|id| id.as_ref().replace('/', "--")).filter(|id| id != "Default").collect();
    if let [only] = &ids[..] {
        let readable = readable(only);
        if readable.len() <= MOST {
            return Some(readable).filter(|id| !id.is_empty());
        }
    }
    if ids.is_empty() {
        return None;
    }
    let mut human = String::new();
    let mut before: Option<&str> = None;
    for id in &ids {
        if before.is_some_and(|before| before.ends_with(id.as_str())) {
            continue;
        }
        before = Some(id);
        if id != "Resource" {
            human.push_str(&readable(id));
        }
    }
    human.truncate(MOST_READABLE);
    for byte in Md5::digest(ids.join("/")).iter().take(4) {
        let _ = write!(human, "{byte:02X}");
    }
    Some(human)
}

fn readable(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::logical_id;
    use serde_json::Value as Json;
    use std::fs;
    use std::path::Path;

    #[test]
    fn ids_are_those_that_cdk_gives() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/cdk/logical-ids.json");
        let Ok(text) = fs::read_to_string(&file) else {
            return eprintln!("skipped: {} is not there", file.display());
        };
        let observed: Vec<Json> = serde_json::from_str(&text).unwrap();
        assert!(observed.len() > 50, "only {} pairs", observed.len());
        for pair in observed {
            let path: Vec<&str> = pair["path"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
            assert_eq!(logical_id(&path).as_deref(), pair["id"].as_str(), "{path:?}");
        }
    }

    #[test]
    fn an_id_is_readable_and_ends_in_a_hash_of_its_path() {
        assert_eq!(logical_id(&["Bucket"]).unwrap(), "Bucket");
        let id = logical_id(&["Search", "Domain", "Resource"]).unwrap();
        assert!(id.starts_with("SearchDomain") && id.len() == "SearchDomain".len() + 8, "{id}");
        assert_ne!(id, logical_id(&["SearchDomain", "Resource"]).unwrap(), "the hash tells the paths apart");
        assert!(logical_id(&["x".repeat(300), "y".into()]).unwrap().len() == 248);
    }

    #[test]
    fn a_path_of_which_nothing_remains_has_no_id() {
        assert_eq!(logical_id(&["Default"]), None);
        assert_eq!(logical_id(&["Default", "Default"]), None);
        assert_eq!(logical_id(&["-"]), None);
        assert_eq!(logical_id::<&str>(&[]), None);
    }
}
