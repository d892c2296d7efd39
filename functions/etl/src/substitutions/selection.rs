//! Which of the known facts a substitution writes, and how: `includes`, then `excludes`, as one object.
//!
//! Imports: nothing.

use super::Made;
use serde_json::{Map, Value};

/// The facts that are selected, in the order of `known`.
pub(super) fn selected(known: &[&'static str], includes: &[String], excludes: &[String]) -> Vec<&'static str> {
    let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
    let wanted = |name: &&str| (includes.is_empty() || has(includes, name)) && !has(excludes, name);
    known.iter().copied().filter(wanted).collect()
}

/// An object of these facts, as far as they are known.
pub(super) fn object(names: &[&'static str], fact: impl Fn(&str) -> Option<Value>) -> Made<'static> {
    let members = names.iter().filter_map(|name| Some(((*name).to_owned(), fact(name)?)));
    Made::Json(Value::Object(members.collect::<Map<_, _>>()).to_string().into_bytes())
}
