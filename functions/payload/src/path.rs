//! Compiled paths: `$.a.b[0]['x.y']`, or bare `a.b`; and those that may find many values: `$.a[*].b`, `$..b`, `$.a[?(@.b > 1)]`.

use crate::{filter::Filter, name::Name};
use std::fmt;

const ALLOWED: &str = "a path is `$` or a name, then any of `.name`, `['name']`, `[0]`, `[-1]`, `[0,2]`, `[1:3]`, `[*]`, `.*`, `..`, \
                       `[?(@.name == 1)]`, at last `.length()`";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(Name),
    /// Counts from the end if negative.
    Index(i64),
    /// `*`: every member or element.
    Every,
    /// `[0,2]`: elements, in this order.
    Indices(Vec<i64>),
    /// `[?(…)]`: elements, or an object itself, that a filter accepts.
    Filter(Box<Filter>),
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
/// | `$.a[0,2]` | these elements |
/// | `$.a[?(@.b > 1)]` | the elements whose `b` is more than 1 |
/// | `$..b` | every member `b`, at any depth |
/// | `$.a.length()` | how many elements or members it has: to be read only |
/// | `$` | the whole event |
///
/// The five from `[*]` to `..` may find any number of values: such a path is not [definite](Path::is_definite), and costs a walk
/// through the event. However it is written, each value is found once, and what is missing is not found as null. (jayway's `..`
/// finds a null for each object without the name.)
///
/// A filter has `==`, `!=`, `<`, `<=`, `>`, `>=`, `in [1, 'b']`, `nin [...]`, `&&`, `||`, `!`, brackets, numbers, quoted texts, `true`, `false`, `null`;
/// `@.b` alone asks whether it is there; `$.x` is in the event. Other comparisons (`=~`), lists of names and other functions are not supported.
///
/// ```
/// use payload::{Arena, Path};
///
/// assert!(Path::new("userIdentity.arn")?.is_definite());
/// let mut arena = Arena::new();
/// let event = arena.parse_slice(br#"{"a":[{"b":1,"n":"x"},{"b":2}],"least":2}"#)?;
/// let found = |path: &str| event.find_all(&Path::new(path).unwrap()).iter().map(|value| value.to_text().into_owned()).collect::<Vec<_>>();
/// assert_eq!(found("$.a[?(@.b >= $.least || @.n in ['y'])]"), [r#"{"b":2}"#]);
/// assert_eq!(found("$.a[?(!@.n)].b"), ["2"]);
/// assert_eq!(Path::new("$.a[?(@.b =~ /x/)]").unwrap_err().offset, 10);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Path {
    text: Box<str>,
    pub(crate) steps: Box<[Step]>,
    definite: bool,
    length: bool,
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
        let mut reader = Reader { path, at: 0, length: false, inside: false };
        let mut steps = vec![];
        if path.starts_with('$') {
            reader.at = 1;
        } else {
            steps.push(reader.name_or_star()?);
        }
        while reader.at < path.len() && !reader.length {
            reader.step(&mut steps)?;
        }
        if reader.at < path.len() {
            return reader.error("`length()` stands at the end of a path");
        }
        reader.finish(path, steps)
    }

    /// The member of the event that has this name, whatever characters are in it.
    pub fn member(name: &str) -> Self {
        let text = format!("$['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
        Self::from_steps(&text, vec![Step::Key(Name::new(name))])
    }

    fn from_steps(text: &str, steps: Vec<Step>) -> Self {
        let definite = steps.iter().all(|step| matches!(step, Step::Key(_) | Step::Index(_)));
        Self { text: text.into(), steps: steps.into(), definite, length: false }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path leads to one value at most: it has no `*`, no `..`, no range, no list and no filter, and is no length.
    pub fn is_definite(&self) -> bool {
        self.definite && !self.length
    }

    /// Whether it is how many values something has, which stands nowhere in an event: it can be [read](crate::Value::length), and
    /// nothing else.
    pub fn is_length(&self) -> bool {
        self.length
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

pub(crate) struct Reader<'a> {
    path: &'a str,
    pub(crate) at: usize,
    /// `length()` was read, which ends a path.
    length: bool,
    /// Whether this is in a filter.
    inside: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn rest(&self) -> &'a str {
        &self.path[self.at..]
    }

    pub(crate) fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    pub(crate) fn error<T>(&self, reason: &'static str) -> Result<T, PathError> {
        Err(PathError { offset: self.at, reason })
    }

    /// The path whose steps were read.
    fn finish(&self, path: &str, steps: Vec<Step>) -> Result<Path, PathError> {
        let path = Path { length: self.length, ..Path::from_steps(path, steps) };
        if self.length && !path.definite {
            return self.error("`length()` is of what a path without `*`, `..`, ranges, lists and filters leads to");
        }
        Ok(path)
    }

    /// A path in a filter: it begins with `@` or `$`, and ends where no further step follows.
    pub(crate) fn inner_path(&mut self) -> Result<Path, PathError> {
        let start = self.at;
        self.at += 1;
        let mut steps = vec![];
        while !self.length && self.rest().starts_with(['.', '[']) {
            self.step(&mut steps)?;
        }
        let path = self.finish(&self.path[start..self.at], steps);
        self.length = false;
        match path? {
            path if path.definite => Ok(path),
            _ => self.error("a path in a filter leads to one value"),
        }
    }

    fn step(&mut self, steps: &mut Vec<Step>) -> Result<(), PathError> {
        if self.take("..") {
            steps.push(Step::Deep);
            steps.push(if self.take("[") { self.bracket()? } else { self.name_or_star()? });
        } else if self.rest().starts_with(".length()") {
            self.at += ".length()".len();
            self.length = true;
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
        // In a filter, a name ends where a comparison may begin.
        let ends: &[char] =
            if self.inside { &['.', '[', ' ', ')', ']', '=', '!', '<', '>', '&', '|', ','] } else { &['.', '['] };
        let name = &rest[..rest.find(ends).unwrap_or(rest.len())];
        if name == "*" {
            self.at += 1;
            return Ok(Step::Every);
        }
        if name.is_empty() {
            return self.error("expected a name");
        }
        if let Some(bad) = name.find([' ', '(', ')', '*', ']', '\'', '"']) {
            self.at += bad;
            return self.error(
                "a name with this character is written `['name']`; the only function is `length()`, at the end",
            );
        }
        self.at += name.len();
        Ok(Step::Key(Name::new(name)))
    }

    /// What stands behind a `[`.
    fn bracket(&mut self) -> Result<Step, PathError> {
        self.blanks();
        let step = if self.take("'") {
            Step::Key(Name::new(&self.quoted('\'')?))
        } else if self.take("\"") {
            Step::Key(Name::new(&self.quoted('"')?))
        } else if self.take("*") {
            Step::Every
        } else if self.take("?") {
            let outer = std::mem::replace(&mut self.inside, true);
            if outer {
                return self.error("a filter has no filters in it");
            }
            let filter = self.filter()?;
            self.inside = false;
            Step::Filter(Box::new(filter))
        } else {
            self.numbers()?
        };
        self.blanks();
        match &step {
            _ if self.take("]") => Ok(step),
            Step::Key(_) if self.rest().starts_with(',') => {
                self.error("lists of names are not supported: write a path for each")
            }
            _ => self.error("expected `]`"),
        }
    }

    /// A text up to its quote; `\` takes the character behind it as it is.
    pub(crate) fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let mut name = String::new();
        let mut characters = self.rest().char_indices();
        while let Some((at, character)) = characters.next() {
            if character == quote {
                self.at += at + 1;
                return Ok(name);
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
        if let (Some(first), true) = (from, self.rest().trim_start().starts_with(',')) {
            let mut all = vec![first];
            loop {
                self.blanks();
                if !self.take(",") {
                    return Ok(Step::Indices(all));
                }
                self.blanks();
                match self.number()? {
                    Some(index) => all.push(index),
                    None => return self.error("expected a number"),
                }
            }
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
