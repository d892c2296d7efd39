//! Settings that say where in an event something is. There are three formats of them: `path` leads to one field, `paths` may lead to
//! several, to be changed; `json-path` may also be what is only read: a length.
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
    read(path, Leads::ToOne)
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

/// Reads a path that may lead to several fields, all of which are meant.
pub(crate) fn places(path: &str) -> Result<Path, BuildError> {
    read(path, Leads::ToMany)
}

/// Reads a path of whatever kind, to be looked up by [`text`] or [`json`].
pub(crate) fn source(path: &str) -> Result<Path, BuildError> {
    read(path, Leads::Anywhere)
}

/// Reads several of them.
pub(crate) fn sources(paths: &[String]) -> Result<Vec<Path>, BuildError> {
    paths.iter().map(|text| source(text)).collect()
}

/// The first path at which there is something, and not null. A path that may lead to many fields always finds something: a list,
/// which may be empty.
pub(crate) fn first<'p>(payload: &Payload<'_>, paths: &'p [Path]) -> Option<&'p Path> {
    paths.iter().find(|path| is_there(payload, path))
}

fn is_there(payload: &Payload<'_>, path: &Path) -> bool {
    if path.is_length() {
        return payload.root().length(path).is_some();
    }
    !path.is_definite() || !payload.get(path).is_none_or(Value::is_null)
}

/// What is at a path, as a text: a string as it is, anything else as compact JSON, a list of all that was found where there may be
/// several. None if it is missing or null.
pub(crate) fn text<'p>(payload: &'p Payload<'_>, path: &Path) -> Option<Cow<'p, str>> {
    if !path.is_definite() && is_there(payload, path) {
        return Some(String::from_utf8_lossy(&json(payload, path)).into_owned().into());
    }
    payload.get(path).filter(|value| !value.is_null()).map(Value::to_text)
}

/// What is at a path, as compact JSON, a list of all that was found where there may be several. Null if it is missing.
pub(crate) fn json(payload: &Payload<'_>, path: &Path) -> Vec<u8> {
    let mut out = Output::new();
    if path.is_definite() {
        match payload.get(path) {
            Some(value) => value.write_to(&mut out),
            None => out.extend_from_slice(b"null"),
        }
    } else if path.is_length() {
        let length = payload.root().length(path);
        out.extend_from_slice(length.map_or("null".to_owned(), |length| length.to_string()).as_bytes());
    } else {
        let mut next = b'[';
        for value in payload.find_all(path) {
            out.push(std::mem::replace(&mut next, b','));
            value.write_to(&mut out);
        }
        out.extend_from_slice(if next == b'[' { b"[]" } else { b"]" });
    }
    out.into_vec()
}

/// Where a path may lead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leads {
    ToOne,
    ToMany,
    Anywhere,
}

impl Leads {
    /// Why a path does not lead there: what it is, and the way out.
    fn refuse(self, path: &Path) -> Option<(&'static str, &'static str)> {
        match self {
            Self::ToOne if !path.is_definite() => {
                let help = "give the path of one field, without `*`, `..`, a range, a list, a filter or `length()`";
                Some(("may lead to several fields", help))
            }
            Self::ToMany if path.is_length() => {
                Some(("is a length, which stands nowhere in an event", "take `.length()` away"))
            }
            _ => None,
        }
    }
}

fn read(path: &str, leads: Leads) -> Result<Path, BuildError> {
    let read = Path::new(path).map_err(|error| BuildError::new(format!("`{path}` is no path: {error}")))?;
    match leads.refuse(&read) {
        None => Ok(read),
        Some((what, _)) => Err(BuildError::new(format!("`{path}` {what}"))),
    }
}

/// What is wrong with the path of one field, for the reader of configs.
pub(crate) fn mistake(path: &str) -> Option<Flaw> {
    flaw(path, Leads::ToOne)
}

/// What is wrong with a path that may lead to several fields.
pub(crate) fn mistake_of_places(path: &str) -> Option<Flaw> {
    flaw(path, Leads::ToMany)
}

/// What is wrong with a path of whatever kind.
pub(crate) fn mistake_of_source(path: &str) -> Option<Flaw> {
    flaw(path, Leads::Anywhere)
}

fn flaw(path: &str, leads: Leads) -> Option<Flaw> {
    if variables::holds(path) {
        return None;
    }
    match Path::new(path) {
        Ok(read) => leads.refuse(&read).map(|(what, help)| Flaw {
            at: ["..", "*", ":", "?", ",", ".length()"].iter().find_map(|mark| path.find(mark)),
            message: format!("the path {what}"),
            help: Some(help.to_owned()),
        }),
        Err(error) => Some(Flaw { at: Some(error.offset), message: error.to_string(), help: None }),
    }
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

    #[test]
    fn what_is_changed_may_be_many_fields_and_what_is_read_may_be_a_length() {
        for many in ["$.a[*]", "$..a", "$.a[1:]", "$.a[0,1]", "$.a[?(@.b == 1)]"] {
            assert!(mistake(many).is_some() && mistake_of_places(many).is_none() && source(many).is_ok(), "{many}");
        }
        assert_eq!(mistake_of_places("$.a.length()").unwrap().at, Some(3));
        assert_eq!(mistake_of_source("$.a.length()"), None);
        assert_eq!(mistake_of_source("$.[bad").unwrap().at, Some(3));
    }

    #[test]
    fn what_is_found_is_a_list_where_there_may_be_several() {
        let mut arena = payload::Arena::new();
        let payload = arena.parse_slice(br#"{"a":[{"k":1.50},{"k":"x"}],"n":null}"#).unwrap();
        let text = |path: &str| text(&payload, &Path::new(path).unwrap()).map(Cow::into_owned);
        for (path, expected) in [
            ("$.a[*].k", Some(r#"[1.50,"x"]"#)),
            ("$.a[?(@.k == 'x')].k", Some(r#"["x"]"#)),
            ("$..z", Some("[]")),
            ("$.a[1].k", Some("x")),
            ("$.a.length()", Some("2")),
            ("$.n.length()", None),
            ("$.n", None),
        ] {
            assert_eq!(text(path).as_deref(), expected, "{path}");
        }
    }
}
