//! Which of the known facts a substitution writes: `includes`, then `excludes`.
//!
//! Imports: nothing.

/// The facts that are selected, in the order of `known`.
pub(super) fn selected(known: &[&'static str], includes: &[String], excludes: &[String]) -> Vec<&'static str> {
    let has = |list: &[String], name: &str| list.iter().any(|one| one == name);
    let wanted = |name: &&str| (includes.is_empty() || has(includes, name)) && !has(excludes, name);
    known.iter().copied().filter(wanted).collect()
}
