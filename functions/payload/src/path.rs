//! Compiled paths: `$.a.b[0]['x.y']`, or bare `a.b`; and those that may find many values: `$.a[*].b`, `$..b`.

use crate::name::Name;
use std::fmt;

const ALLOWED: &str =
    "a path is `$` or a name, then any of `.name`, `['name']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `.*`, `..`";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(Name),
    /// Counts from the end if negative.
    Index(i64),
    /// `*`: every member or element.
    Every,
    /// `[from:to]`: elements of an array, `to` not included.
    Slice(Option<i64>, Option<i64>),
    /// `..`: the value itself and all values in it.
    Deep,
}

/// Where a value is in a payload, in the notation of the `JsonPath` library that Bender uses (jayway 2.4).
///
/// | written | means |
/// | --- | --- |
/// | `$.a.b`, `a.b`, `$['a']['b']` | the member `b` of the member `a` |
/// | `$['a.b']`, `$["a b"]` | a member whose name has dots or blanks; `\'` is a quote in it |
/// | `$.a[0]`, `$.a[-1]` | an element, counted from 0, or from the end |
/// | `$.a[*]`, `$.a.*` | all elements or members |
/// | `$.a[1:3]`, `$.a[1:]`, `$.a[-2:]` | some elements |
/// | `$..b` | every member `b`, at any depth |
/// | `$` | the whole event |
///
/// The last but one three may find any number of values: such a path is not [definite](Path::is_definite), and costs
/// a walk through the event. Filters (`[?(...)]`), lists of names and functions (`length()`) are not supported.
///
/// ```
/// use payload::Path;
///
/// assert!(Path::new("userIdentity.arn")?.is_definite());
/// assert_eq!(Path::new("$.a[?(@.b)]").unwrap_err().offset, 4);
/// # Ok::<(), payload::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Path {
    text: Box<str>,
    pub(crate) steps: Box<[Step]>,
    definite: bool,
}

/// Why a text is not a path, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathError {
    /// The byte of the path's text that cannot be read.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} ({ALLOWED})", self.reason, self.offset)
    }
}

impl std::error::Error for PathError {}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({})", self.text)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Path {
    type Err = PathError;

    fn from_str(path: &str) -> Result<Self, PathError> {
        Self::new(path)
    }
}

impl Path {
    /// Reads a path.
    pub fn new(path: &str) -> Result<Self, PathError> {
        let mut reader = Reader { path, at: 0 };
        let mut steps = vec![];
        if path.starts_with('$') {
            reader.at = 1;
        } else {
            steps.push(reader.name_or_star()?);
        }
        while reader.at < path.len() {
            reader.step(&mut steps)?;
        }
        Ok(Self::from_steps(path, steps))
    }

    /// The member of the event that has this name, whatever characters are in it.
    pub fn member(name: &str) -> Self {
        let text = format!("$['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
        Self::from_steps(&text, vec![Step::Key(Name::new(name))])
    }

    fn from_steps(text: &str, steps: Vec<Step>) -> Self {
        let definite = steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)));
        Self { text: text.into(), steps: steps.into(), definite }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path leads to one value at most: it has no `*`, no `..` and no range.
    pub fn is_definite(&self) -> bool {
        self.definite
    }

    /// Whether the path is `$`, the whole event.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }
}

impl Path {
    /// Whether two definite paths may lead to one value, or one of them into what the other leads to.
    ///
    /// ```
    /// # use payload::Path;
    /// let overlaps = |a: &str, b: &str| Path::new(a).unwrap().overlaps(&Path::new(b).unwrap());
    /// assert!(overlaps("a", "$['a']") && overlaps("$.a", "$.a.b[0]") && overlaps("$.a[-1]", "$.a[0]"));
    /// assert!(!overlaps("$.a.b", "$.a.c") && !overlaps("$.a[0]", "$.a[1]"));
    /// ```
    pub fn overlaps(&self, other: &Self) -> bool {
        let same = |(a, b): (&Step, &Step)| match (a, b) {
            // How long the array is, only an event can tell.
            (Step::Index(a), Step::Index(b)) => a == b || (*a < 0) != (*b < 0),
            _ => a == b,
        };
        self.is_definite() && other.is_definite() && self.steps.iter().zip(&other.steps).all(same)
    }
}

struct Reader<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.path[self.at..]
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn error<T>(&self, reason: &'static str) -> Result<T, PathError> {
        Err(PathError { offset: self.at, reason })
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        if self.take("..") {
            steps.push(Step::Deep);
            steps.push(if self.take("[") { self.bracket()? } else { self.name_or_star()? });
        } else if self.take(".") {
            // `$.['a']` is read as `$['a']`, as jayway does.
            steps.push(if self.take("[") { self.bracket()? } else { self.name_or_star()? });
        } else if self.take("[") {
            steps.push(self.bracket()?);
        } else {
            return self.error("expected `.` or `[`");
        }
        Ok(())
    }

    fn name_or_star(&mut self) -> Result<Step, PathError> {
        let rest = self.rest();
        let name = &rest[..rest.find(['.', '[']).unwrap_or(rest.len())];
        if name == "*" {
            self.at += 1;
            return Ok(Step::Every);
        }
        if name.is_empty() {
            return self.error("expected a name");
        }
        if let Some(bad) = name.find([' ', '(', ')', '*', ']', '\'', '"']) {
            self.at += bad;
            return self.error("a name with this character is written `['name']`; functions are not supported");
        }
        self.at += name.len();
        Ok(Step::Key(Name::new(name)))
    }

    /// What stands behind a `[`.
    fn bracket(&mut self) -> Result<Step, PathError> {
        let step = if self.take("'") {
            self.quoted('\'')?
        } else if self.take("\"") {
            self.quoted('"')?
        } else if self.take("*") {
            Step::Every
        } else if self.take("?") {
            self.at -= 1;
            return self.error("filters are not supported");
        } else {
            self.numbers()?
        };
        if self.take("]") { Ok(step) } else { self.error("expected `]`") }
    }

    fn quoted(&mut self, quote: char) -> Result<Step, PathError> {
        let mut name = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.at += at + 1;
                return Ok(Step::Key(Name::new(&name)));
            }
            match character {
                '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
                plain => name.push(plain),
            }
        }
        self.error("the quoted name has no end")
    }

    fn numbers(&mut self) -> Result<Step, PathError> {
        let from = self.number()?;
        if self.take(":") {
            return Ok(Step::Slice(from, self.number()?));
        }
        from.map_or_else(|| self.error("expected a number, a quoted name or `*`"), |index| Ok(Step::Index(index)))
    }

    fn number(&mut self) -> Result<Option<i64>, PathError> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with('-'));
        let len = sign + rest[sign..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - sign);
        if len == 0 {
            return Ok(None);
        }
        let Ok(number) = rest[..len].parse() else { return self.error("this is not a number that can count elements") };
        self.at += len;
        Ok(Some(number))
    }
}
