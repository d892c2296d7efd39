//! What is wrong with a config, said so that its author can mend it.
//!
//! Imports: `codes`.

use crate::codes::Code;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use std::{fmt, ops::Range};

/// A byte range of the config's text. An empty one at 0 means that no place is known.
pub type Span = Range<usize>;

/// One mistake of a config.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Which kind of mistake it is.
    pub code: &'static Code,
    /// Where in the config: `sources[0].operations[2].regex`. Empty for the config as a whole.
    pub path: String,
    /// Where in the text.
    pub at: Span,
    /// The mistake in one line. Never the value of a variable.
    pub message: String,
    /// What stands at the place, as written: a variable's name, never its value.
    pub given: Option<String>,
    /// What may stand there.
    pub allowed: Vec<String>,
    /// The way out, in one imperative.
    pub help: Option<String>,
    /// Other places that belong to it, with a word on each.
    pub also: Vec<(Span, &'static str)>,
}

impl Problem {
    /// A mistake at a place.
    pub fn new(code: &'static Code, path: impl fmt::Display, at: Span, message: impl Into<String>) -> Self {
        let (path, message) = (path.to_string(), message.into());
        Self { code, path, at, message, given: None, allowed: vec![], help: None, also: vec![] }
    }
    /// Says what stands there.
    #[must_use]
    pub fn given(self, given: impl Into<String>) -> Self {
        Self { given: Some(given.into()), ..self }
    }
    /// Says what may stand there.
    #[must_use]
    pub fn allowed<T: fmt::Display>(self, allowed: impl IntoIterator<Item = T>) -> Self {
        Self { allowed: allowed.into_iter().map(|a| a.to_string()).collect(), ..self }
    }
    /// Says the way out.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
    /// Points at another place, if there is one.
    #[must_use]
    pub fn also(mut self, at: Option<Span>, word: &'static str) -> Self {
        self.also.extend(at.map(|at| (at, word)));
        self
    }
    /// Whether its place in the text is known.
    pub(crate) fn is_placed(&self) -> bool {
        !(self.at.is_empty() && self.at.start == 0)
    }
}

/// All mistakes of one config, in the order of its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The name that the config was read under.
    pub file: String,
    /// Its text, as it was read.
    pub text: String,
    /// The mistakes; never none.
    pub problems: Vec<Problem>,
}

impl Report {
    pub(crate) fn new(file: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        for problem in &mut problems {
            let inside = |at: &Span| text.get(at.clone()).is_some();
            if !inside(&problem.at) {
                problem.at = 0..0;
            }
            problem.also.retain(|(at, _)| inside(at));
        }
        problems.sort_by(|a, b| (a.at.start, a.code.id, &a.path).cmp(&(b.at.start, b.code.id, &b.path)));
        // A mistake behind an anchor is one mistake, however many aliases lead to it.
        problems.dedup_by(|b, a| a.is_placed() && a.at == b.at && a.code == b.code && a.message == b.message);
        Self { file: file.into(), text: text.into(), problems }
    }
    /// Line and column of a problem, both from 1, the column in characters. None when its place is not known.
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        problem.is_placed().then(|| self.line_and_column(problem.at.start))
    }
    fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |n| n + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
    /// As people read it, each mistake with the lines of the text around it; with colours if the renderer has them.
    pub fn render(&self, renderer: &Renderer) -> String {
        let each: Vec<String> = self.problems.iter().map(|p| renderer.render(&[self.group(p)])).collect();
        format!("{}\n\n{} in {}", each.join("\n\n"), self.count(), self.file)
    }
    fn count(&self) -> String {
        if self.problems.len() == 1 { "1 mistake".into() } else { format!("{} mistakes", self.problems.len()) }
    }
    fn group<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let mut primary = AnnotationKind::Primary.span(problem.at.clone());
        let shown = self.text.get(problem.at.clone()).unwrap_or_default();
        let given = problem.given.as_ref().filter(|given| *given != shown);
        if let Some(given) = given {
            primary = primary.label(format!("given: {given}"));
        }
        let also = problem.also.iter().map(|(at, word)| AnnotationKind::Context.span(at.clone()).label(*word));
        let title = Level::ERROR.primary_title(&problem.message).id(problem.code.id);
        let mut group = if problem.is_placed() {
            title.element(Snippet::source(&self.text).path(&self.file).annotation(primary).annotations(also))
        } else {
            Group::with_title(title).element(Level::NOTE.with_name("in").message(&self.file))
        };
        if !problem.path.is_empty() {
            group = group.element(Level::NOTE.with_name("at").message(&problem.path));
        }
        if let (Some(given), false) = (given, problem.is_placed()) {
            group = group.element(Level::NOTE.with_name("given").message(given));
        }
        let allowed = problem.allowed.join(", ");
        if !problem.message.contains(&allowed) {
            group = group.element(Level::NOTE.with_name("allowed").message(allowed));
        }
        if let Some(help) = &problem.help {
            group = group.element(Level::HELP.message(help));
        }
        group
    }
    /// One line for each mistake, as editors and log searches read it: `file:line:column: error[ETL012]: …`.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| {
            let place = match self.position(problem) {
                Some((line, column)) => format!("{}:{line}:{column}", self.file),
                None if problem.path.is_empty() => self.file.clone(),
                None => format!("{}: {}", self.file, problem.path),
            };
            let help = problem.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
            format!("{place}: error[{}]: {}{help}", problem.code.id, problem.message)
        })
    }
}

/// Without colours.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}
impl std::error::Error for Report {}

/// For programs: the mistakes with their places as lines and columns, both from 1.
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let problems: Vec<InReport<'_>> = self.problems.iter().map(|problem| InReport(self, problem)).collect();
        let mut out = serializer.serialize_struct("Report", 2)?;
        out.serialize_field("file", &self.file)?;
        out.serialize_field("problems", &problems)?;
        out.end()
    }
}

struct InReport<'a>(&'a Report, &'a Problem);
impl Serialize for InReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Also {
            line: usize,
            column: usize,
            note: &'static str,
        }
        let Self(report, problem) = self;
        let position = report.position(problem);
        let also: Vec<Also> = problem
            .also
            .iter()
            .map(|(at, note)| {
                let (line, column) = report.line_and_column(at.start);
                Also { line, column, note }
            })
            .collect();
        let mut out = serializer.serialize_struct("Problem", 10)?;
        out.serialize_field("code", problem.code.id)?;
        out.serialize_field("title", problem.code.title)?;
        out.serialize_field("path", &problem.path)?;
        out.serialize_field("line", &position.map(|p| p.0))?;
        out.serialize_field("column", &position.map(|p| p.1))?;
        out.serialize_field("message", &problem.message)?;
        out.serialize_field("given", &problem.given)?;
        out.serialize_field("allowed", &problem.allowed)?;
        out.serialize_field("help", &problem.help)?;
        out.serialize_field("also", &also)?;
        out.end()
    }
}

/// The word that was probably meant: almost the same letters, or one contained in the other.
pub(crate) fn nearest<'a>(word: &str, all: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let word = plain(word);
    let score = |name: &'a str| {
        let name = plain(name);
        let contained = word.len() >= 4 && (name.contains(&word) || name.len() >= 4 && word.contains(&name));
        let distance = strsim::damerau_levenshtein(&word, &name);
        (distance <= name.len().max(word.len()) / 3 || contained).then_some(distance)
    };
    all.into_iter().filter_map(|name| Some((score(name)?, name))).min().map(|(_, name)| name)
}

/// Names of a kind, each in backticks, for a message.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().map(|n| format!("`{n}`")).collect()
}
