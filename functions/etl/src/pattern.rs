//! Settings that are regular expressions. They are Java's, as in Bender; [`java`] says how they are read, [`groups`] what their groups
//! hold, [`replacement`] what is written in place of what they find.
//!
//! Imports: `config`, `late`.

mod groups;
mod java;
mod replacement;

pub use groups::Groups;
pub use replacement::Replacement;

use crate::{
    config::{format::Flaw, variables},
    late::EnvName,
};
use java::{Engine, Translated};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr, sync::OnceLock};

/// Steps back that one match may take before it is given up: some milliseconds.
const BACKTRACK_LIMIT: usize = 100_000;

/// A regular expression that is looked for anywhere in a text, as Java's `Matcher.find` does.
pub type Pattern = JavaRegex<false>;

/// A regular expression that must match the whole of a text, as Java's `Matcher.matches` does.
pub type WholePattern = JavaRegex<true>;

/// A [`WholePattern`] whose `.` is any character, line ends too: Java's `DOTALL`.
pub type WholeTextPattern = JavaRegex<true, true>;

/// A regular expression as Java reads it, compiled. See [`Pattern`], [`WholePattern`] and [`WholeTextPattern`].
#[derive(Clone)]
pub struct JavaRegex<const WHOLE: bool, const DOTALL: bool = false> {
    text: String,
    program: Program,
}

#[derive(Clone)]
enum Program {
    /// `.*` as a whole, on texts without a line end: matches what has none.
    AnyLine,
    /// Linear in the text. With a `$`, texts that end in a line end are another matter.
    Linear { fast: regex::bytes::Regex, at_line_end: Option<Box<LineEnd>> },
    /// Look-around, back references, possessive quantifiers.
    Backtracking(Box<fancy_regex::Regex>),
    /// A variable is in it whose value is not known yet. Only a stack has such a pattern, and a stack runs none.
    Late,
}

/// What else matches an expression with a `$`, which also matches before a line end at the end of a text. Made when such a text turns up.
#[derive(Clone, Debug, Default)]
struct LineEnd {
    /// Whether nothing comes behind a `$`: it then matches at the end of the text, or at that of the text without its last line end.
    last: bool,
    /// For texts whose only line end is the last one.
    one_line: OnceLock<Option<regex::bytes::Regex>>,
    /// For all others.
    exact: OnceLock<Option<fancy_regex::Regex>>,
}

/// How an expression is looked for in a text.
enum Way<'r> {
    /// In the whole text.
    Linear(&'r regex::bytes::Regex),
    /// In the whole text, and in its first bytes as if there were no more. If both match, the one that begins first counts.
    Both(&'r regex::bytes::Regex, usize, &'r LineEnd),
    Backtracking(&'r fancy_regex::Regex),
}

/// A text on which a regular expression goes back and forth too often. One event's fault, not the config's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression takes too many steps on this text")]
pub struct Exhausted;

/// Why a text is no regular expression here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// The byte of the expression that cannot be read.
    pub at: usize,
    /// What is wrong there.
    pub message: String,
    /// The way out, if there is one.
    pub help: Option<String>,
}

impl<const WHOLE: bool, const DOTALL: bool> JavaRegex<WHOLE, DOTALL> {
    /// Reads and compiles an expression.
    ///
    /// # Errors
    /// What Java would refuse, and the few constructs that would silently mean something else here.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let program = match text {
            _ if variables::holds(text) => Program::Late,
            ".*" if WHOLE && !DOTALL => Program::AnyLine,
            _ => compile(text, WHOLE, DOTALL)?,
        };
        Ok(Self { text: text.to_owned(), program })
    }
    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// Whether it matches. Bytes that are not UTF-8 match no character.
    ///
    /// # Errors
    /// When the expression needs to go back and forth, and does so too often on this text.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, Exhausted> {
        match &self.program {
            Program::AnyLine => Ok(!WHOLE || !has_line_end(text)),
            Program::Linear { fast, at_line_end } => match self.way(fast, at_line_end.as_deref(), text)? {
                Way::Linear(regex) => Ok(regex.is_match(text)),
                Way::Both(regex, end, _) => Ok(regex.is_match(text) || regex.is_match(&text[..end])),
                Way::Backtracking(regex) => backtrack(regex, text),
            },
            Program::Backtracking(regex) => backtrack(regex, text),
            Program::Late => Ok(false),
        }
    }
    /// How a linear expression is looked for: linearly too where a text ends in a line end, as records of streams mostly do.
    fn way<'r>(
        &self,
        fast: &'r regex::bytes::Regex,
        at_line_end: Option<&'r LineEnd>,
        text: &[u8],
    ) -> Result<Way<'r>, Exhausted> {
        let (Some(line_end), Some(end)) = (at_line_end, last_line_end(text)) else { return Ok(Way::Linear(fast)) };
        if line_end.last && WHOLE {
            // What matches as a whole reaches the end, whatever is there.
            return Ok(Way::Linear(fast));
        }
        if text[end..].is_ascii()
            && memchr::memchr2(b'\n', b'\r', &text[..end]).is_none()
            && let Some(regex) = line_end.one_line.get_or_init(|| self.one_line())
        {
            return Ok(Way::Linear(regex));
        }
        if line_end.last {
            return Ok(Way::Both(fast, end, line_end));
        }
        self.exact(line_end).map(Way::Backtracking)
    }
    fn one_line(&self) -> Option<regex::bytes::Regex> {
        let translated = java::translate(&self.text, Engine::OneLine, DOTALL).ok()?;
        regex::bytes::Regex::new(&anchored(&translated, WHOLE)).ok()
    }
    fn exact<'r>(&self, line_end: &'r LineEnd) -> Result<&'r fancy_regex::Regex, Exhausted> {
        let translated = || java::translate(&self.text, Engine::Backtracking, DOTALL).ok();
        line_end.exact.get_or_init(|| fancy(&translated()?, WHOLE).ok()).as_ref().ok_or(Exhausted)
    }
}

impl WholePattern {
    pub(crate) fn anything() -> Self {
        Self { text: ".*".to_owned(), program: Program::AnyLine }
    }
}

/// Java's line ends: `\n`, `\r`, U+0085, U+2028, U+2029.
fn has_line_end(text: &[u8]) -> bool {
    memchr::memchr2(b'\n', b'\r', text).is_some()
        || memchr::memmem::find(text, b"\xc2\x85").is_some()
        || memchr::memmem::find_iter(text, b"\xe2\x80").any(|at| matches!(text.get(at + 2), Some(0xa8 | 0xa9)))
}
/// Where the line end at the end of a text begins, if there is one.
fn last_line_end(text: &[u8]) -> Option<usize> {
    let ends = [&b"\r\n"[..], b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9"];
    ends.iter().find(|end| text.ends_with(end)).map(|end| text.len() - end.len())
}

fn backtrack(regex: &fancy_regex::Regex, text: &[u8]) -> Result<bool, Exhausted> {
    regex.is_match(&*String::from_utf8_lossy(text)).map_err(|_| Exhausted)
}

fn compile(text: &str, whole: bool, all: bool) -> Result<Program, PatternError> {
    let refused = |message: String| PatternError { at: 0, message, help: None };
    let translated = java::translate(text, Engine::Linear, all)?;
    if translated.engine == Engine::Backtracking {
        let translated = java::translate(text, Engine::Backtracking, all)?;
        return fancy(&translated, whole).map(|regex| Program::Backtracking(Box::new(regex))).map_err(|error| {
            match *error {
                // Its place is one in the translation, which nobody has written.
                fancy_regex::Error::ParseError(_, error) => refused(error.to_string()),
                error => refused(error.to_string()),
            }
        });
    }
    let last = translated.ends_last;
    let at_line_end = translated.has_end.then(|| Box::new(LineEnd { last, ..LineEnd::default() }));
    let fast = regex::bytes::Regex::new(&anchored(&translated, whole)).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => refused("it becomes too large when its repetitions are written out".into()),
        error => refused(error.to_string()),
    })?;
    Ok(Program::Linear { fast, at_line_end })
}

fn fancy(translated: &Translated, whole: bool) -> Result<fancy_regex::Regex, Box<fancy_regex::Error>> {
    let mut builder = fancy_regex::RegexBuilder::new(&anchored(translated, whole));
    builder.backtrack_limit(BACKTRACK_LIMIT).build().map_err(Box::new)
}

fn anchored(translated: &Translated, whole: bool) -> String {
    if whole { format!("\\A(?:{})\\z", translated.text) } else { translated.text.clone() }
}

/// What is wrong with an expression, for the reader of configs.
pub(crate) fn mistake(text: &str) -> Option<Flaw> {
    let error = if variables::holds(text) { return None } else { check(text).err()? };
    Some(Flaw { at: Some(error.at), message: error.message, help: error.help })
}

/// Whether an expression can be used, without the cost of compiling it where that is not needed to tell.
fn check(text: &str) -> Result<(), PatternError> {
    let translated = java::translate(text, Engine::Linear, false)?;
    match translated.engine {
        Engine::Backtracking => compile(text, false, false).map(drop),
        Engine::Linear | Engine::OneLine => {
            regex_syntax::parse(&translated.text).map(drop).map_err(|error| PatternError {
                at: 0,
                message: error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
                help: None,
            })
        }
    }
}

/// What a variable says that a stack binds: the ARN of a stream, say.
impl<const WHOLE: bool, const DOTALL: bool> From<EnvName> for JavaRegex<WHOLE, DOTALL> {
    fn from(name: EnvName) -> Self {
        Self { text: variables::held(name.as_str()), program: Program::Late }
    }
}
impl<const WHOLE: bool, const DOTALL: bool> FromStr for JavaRegex<WHOLE, DOTALL> {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::new(text)
    }
}
impl<const WHOLE: bool, const DOTALL: bool> PartialEq for JavaRegex<WHOLE, DOTALL> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}
impl<const WHOLE: bool, const DOTALL: bool> fmt::Debug for JavaRegex<WHOLE, DOTALL> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.text)
    }
}
impl<const WHOLE: bool, const DOTALL: bool> Serialize for JavaRegex<WHOLE, DOTALL> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
impl<'de, const WHOLE: bool, const DOTALL: bool> Deserialize<'de> for JavaRegex<WHOLE, DOTALL> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
impl<const WHOLE: bool, const DOTALL: bool> JsonSchema for JavaRegex<WHOLE, DOTALL> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }
    /// The reader checks what `format` says.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "regex" })
    }
}
