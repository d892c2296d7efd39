//! Settings that say where in an event a field is: texts of the format `path`.
//!
//! Imports: `build`, `config`, `payload`.

use crate::{
    build::BuildError,
    config::{format::Flaw, variables},
};
use payload::{ChangeError, New, Output, Path, Payload, Value};
use std::borrow::Cow;

/// Reads the path of one field.
pub(crate) fn path(path: &str) -> Result<Path, BuildError> {
    match Path::new(path) {
        Ok(read) if read.is_definite() => Ok(read),
        Ok(_) => Err(BuildError::new(format!("`{path}` {MANY}"))),
        Err(error) => Err(BuildError::new(format!("`{path}` is no path: {error}"))),
    }
}

/// Reads a path that may lead to several fields.
pub(crate) fn any_path(path: &str) -> Result<Path, BuildError> {
    Path::new(path).map_err(|error| BuildError::new(format!("`{path}` is no path: {error}")))
}

/// Puts a value at a path and makes the objects that are missing on the way.
pub(crate) fn put<'v>(payload: &mut Payload<'_>, path: &Path, value: impl Into<New<'v>>) -> Result<(), ChangeError> {
    payload.make_way(path)?;
    payload.set(path, value)
}

/// Reads the paths of several fields.
pub(crate) fn paths(paths: &[String]) -> Result<Vec<Path>, BuildError> {
    paths.iter().map(|text| path(text)).collect()
}

/// The first path at which there is something, and not null.
pub(crate) fn first<'p>(payload: &Payload<'_>, paths: &'p [Path]) -> Option<&'p Path> {
    paths.iter().find(|path| !payload.get(path).is_none_or(Value::is_null))
}

/// What is at a path, as a text: a string as it is, anything else as compact JSON. None if it is missing or null.
pub(crate) fn text<'p>(payload: &'p Payload<'_>, path: &Path) -> Option<Cow<'p, str>> {
    payload.get(path).filter(|value| !value.is_null()).map(Value::to_text)
}

/// What is at a path, as compact JSON; null if it is missing.
pub(crate) fn json(payload: &Payload<'_>, path: &Path) -> Vec<u8> {
    let mut out = Output::new();
    match payload.get(path) {
        Some(value) => value.write_to(&mut out),
        None => out.extend_from_slice(b"null"),
    }
    out.into_vec()
}

const MANY: &str = "may lead to several fields";

/// What is wrong with a path, for the reader of configs.
pub(crate) fn mistake(path: &str) -> Option<Flaw> {
    if variables::holds(path) {
        return None;
    }
    match Path::new(path) {
        Ok(read) if read.is_definite() => None,
        Ok(_) => Some(Flaw {
            at: path.find("..").or_else(|| path.find(['*', ':'])),
            message: format!("the path {MANY}"),
            help: Some("give the path of one field, without `*`, `..` or a range".to_owned()),
        }),
        Err(error) => Some(Flaw { at: Some(error.offset), message: error.to_string(), help: None }),
    }
}

/// What is wrong with a path that may lead to several fields, for the reader of configs.
pub(crate) fn any_mistake(path: &str) -> Option<Flaw> {
    if variables::holds(path) {
        return None;
    }
    let error = Path::new(path).err()?;
    Some(Flaw { at: Some(error.offset), message: error.to_string(), help: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_field() {
        assert_eq!(mistake("$.a['b.c'][0]"), None);
        assert_eq!(path("a").unwrap().as_str(), "a");
        for (wrong, at) in [("", 0), ("$.a[", 4), ("$.a..b", 3), ("$.a[*]", 4)] {
            assert_eq!(mistake(wrong).unwrap().at, Some(at), "{wrong}");
            assert!(path(wrong).unwrap_err().message.starts_with(&format!("`{wrong}` ")));
        }
    }
}
