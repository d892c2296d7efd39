//! Problems: what the author of a stack can mend, told all at once.
//!
//! Imports: nothing.

use serde_json::{Value as Json, json};
use std::fmt;

/// A kind of problem. Its id is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `CFN003`
    pub id: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is refused, and the ways out.
    pub explain: &'static str,
}

/// Whether a template can be deployed all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot: no template is given out.
    Error,
    /// It can, but look at it.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Something that the author of a stack can mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// Whether a template can be had all the same.
    pub severity: Severity,
    /// The construct, as stack and ids joined by slashes.
    pub path: String,
    /// What is there, and what may be: with the names and values of this case.
    pub message: String,
    /// What to do; empty when the message says it.
    pub help: String,
}

impl Problem {
    /// An error without help.
    pub fn new(code: Code, path: impl Into<String>, message: impl Into<String>) -> Self {
        let (path, message) = (path.into(), message.into());
        Self { code, severity: Severity::Error, path, message, help: String::new() }
    }

    /// What to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: help.into(), ..self }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// For machines: `code`, `severity`, `path`, `message`, `help`.
    pub fn to_json(&self) -> Json {
        json!({
            "code": self.code.id,
            "severity": self.severity.to_string(),
            "path": self.path,
            "message": self.message,
            "help": self.help,
        })
    }
}

/// `error[CFN003] at stack/Construct: message`, and the help on a line of its own.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] at {}: {}", self.severity, self.code.id, self.path, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.help) }
    }
}

/// The name among `known` that was probably meant.
pub(crate) fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |name: &'a str| {
        let distance = strsim::damerau_levenshtein(&given.to_lowercase(), &name.to_lowercase());
        (distance * 3 <= given.chars().count().max(3)).then_some((distance, name))
    };
    known.into_iter().filter_map(near).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::{Problem, nearest};
    use crate::codes;

    #[test]
    fn a_problem_is_printed_with_code_place_and_way_out() {
        let problem = Problem::new(codes::DUPLICATE_ID, "logs/Queue", "two constructs have this id").help("rename one");
        assert_eq!(problem.to_string(), "error[CFN001] at logs/Queue: two constructs have this id\n  help: rename one");
        assert!(problem.warning().to_string().starts_with("warning[CFN001]"));
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        assert_eq!(nearest("VisibilityTimeot", ["QueueName", "VisibilityTimeout"]), Some("VisibilityTimeout"));
        assert_eq!(nearest("visibilitytimeout", ["VisibilityTimeout"]), Some("VisibilityTimeout"));
        assert_eq!(nearest("Colour", ["QueueName", "VisibilityTimeout"]), None);
    }
}
