//! Filters in paths: `[?(@.k > 1 && @.name == 'x')]`.
//!
//! As in jayway: a number is compared with a number and a text with a text; equality also takes a number and a text that reads the same.
//! What is missing is equal to nothing. Numbers are compared as whole numbers of up to 38 digits, else as doubles.

use crate::{
    node::Kind,
    path::{Path, PathError, Reader},
    value::Value,
};
use std::{borrow::Cow, cell::RefCell, cmp::Ordering};

/// Brackets and `!` within each other: more is no filter that somebody wrote.
const MAX_DEPTH: usize = 32;

/// What a value must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
    In(Operand, Vec<Operand>),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operand {
    /// `@…`: in the value that is looked at.
    Here(Path),
    /// `$…`: in the event.
    Root(Path),
    Null,
    Bool(bool),
    Number(String),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// What an operand is.
enum Side<'v> {
    Missing,
    Null,
    Bool(bool),
    Number(Cow<'v, str>),
    Text(Cow<'v, str>),
    /// An object or an array, as it is written.
    Container(Cow<'v, str>),
}

/// The event that a filter is in. What its paths find is looked for once, not for each value: the event may be large.
pub(crate) struct Root<'v> {
    event: Value<'v>,
    found: RefCell<Vec<(&'v Path, Found<'v>)>>,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Found<'v> {
    Nothing,
    Value(Value<'v>),
    Length(usize),
}

impl<'v> Found<'v> {
    fn of(value: Value<'v>, path: &Path) -> Self {
        if path.is_length() {
            value.length(path).map_or(Self::Nothing, Self::Length)
        } else {
            value.get(path).map_or(Self::Nothing, Self::Value)
        }
    }
}

impl<'v> Root<'v> {
    pub(crate) fn new(event: Value<'v>) -> Self {
        Self { event, found: RefCell::default() }
    }

    fn find(&self, path: &'v Path) -> Found<'v> {
        let mut found = self.found.borrow_mut();
        if let Some((_, known)) = found.iter().find(|(known, _)| std::ptr::eq(*known, path)) {
            return *known;
        }
        let new = Found::of(self.event, path);
        found.push((path, new));
        new
    }
}

impl Filter {
    /// Whether a value is what is looked for.
    pub(crate) fn accepts<'v>(&'v self, here: Value<'v>, root: &Root<'v>) -> bool {
        match self {
            Self::Exists(operand) => !matches!(operand.side(here, root), Side::Missing),
            Self::Compare(left, comparison, right) => comparison.holds(&left.side(here, root), &right.side(here, root)),
            Self::In(operand, all) => {
                let side = operand.side(here, root);
                all.iter().any(|one| Comparison::Equal.holds(&side, &one.side(here, root)))
            }
            Self::Not(filter) => !filter.accepts(here, root),
            Self::All(filters) => filters.iter().all(|filter| filter.accepts(here, root)),
            Self::Any(filters) => filters.iter().any(|filter| filter.accepts(here, root)),
        }
    }
}

impl Operand {
    fn side<'v>(&'v self, here: Value<'v>, root: &Root<'v>) -> Side<'v> {
        let found = match self {
            Self::Null => return Side::Null,
            Self::Bool(value) => return Side::Bool(*value),
            Self::Number(number) => return Side::Number(number.into()),
            Self::Text(text) => return Side::Text(text.into()),
            Self::Here(path) => Found::of(here, path),
            Self::Root(path) => root.find(path),
        };
        let value = match found {
            Found::Nothing => return Side::Missing,
            Found::Length(length) => return Side::Number(length.to_string().into()),
            Found::Value(value) => value,
        };
        match value.kind() {
            Kind::Null => Side::Null,
            Kind::Bool => Side::Bool(value.as_bool() == Some(true)),
            Kind::Integer | Kind::Float => Side::Number(value.to_text()),
            Kind::String => Side::Text(value.to_text()),
            Kind::Array | Kind::Object => Side::Container(value.to_text()),
        }
    }
}

impl Comparison {
    fn holds(self, left: &Side<'_>, right: &Side<'_>) -> bool {
        let order = match (left, right) {
            (Side::Number(left), Side::Number(right)) => numbers(left, right),
            (Side::Text(left), Side::Text(right)) => Some(left.cmp(right)),
            _ => None,
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal) || order.is_none() && equal(left, right),
            Self::NotEqual => !Self::Equal.holds(left, right),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

fn equal(left: &Side<'_>, right: &Side<'_>) -> bool {
    match (left, right) {
        (Side::Null, Side::Null) => true,
        (Side::Bool(left), Side::Bool(right)) => left == right,
        (Side::Number(number), Side::Text(text)) => numbers(number, text) == Some(Ordering::Equal),
        (Side::Text(left), Side::Number(right)) | (Side::Container(left), Side::Container(right)) => left == right,
        _ => false,
    }
}

fn numbers(left: &str, right: &str) -> Option<Ordering> {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        return Some(left.cmp(&right));
    }
    left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?)
}

impl Reader<'_> {
    /// What stands between `[?` and `]`.
    pub(crate) fn filter(&mut self) -> Result<Filter, PathError> {
        self.blanks();
        if !self.take("(") {
            return self.error("expected `(`, as in `[?(@.a == 1)]`");
        }
        let filter = self.any(0)?;
        if self.take(")") { Ok(filter) } else { self.error("expected `)`, `&&`, `||` or a comparison") }
    }

    fn any(&mut self, depth: usize) -> Result<Filter, PathError> {
        let mut all = vec![self.all(depth)?];
        while self.take("||") {
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::Any(all) })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, PathError> {
        let mut all = vec![self.one(depth)?];
        while self.take("&&") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, PathError> {
        self.blanks();
        if depth > MAX_DEPTH {
            return self.error("the filter is nested too deep");
        }
        let filter = if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.take("!");
            Filter::Not(Box::new(self.one(depth + 1)?))
        } else if self.take("(") {
            let inner = self.any(depth + 1)?;
            if !self.take(")") {
                return self.error("expected `)`");
            }
            inner
        } else {
            self.comparison()?
        };
        self.blanks();
        Ok(filter)
    }

    fn comparison(&mut self) -> Result<Filter, PathError> {
        let left = self.operand()?;
        self.blanks();
        if self.rest().starts_with("===") || self.rest().starts_with("!==") || self.rest().starts_with("=~") {
            return self.error("of comparisons there are `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `nin`");
        }
        if let Some((_, comparison)) = COMPARISONS.into_iter().find(|(sign, _)| self.take(sign)) {
            self.blanks();
            return Ok(Filter::Compare(left, comparison, self.operand()?));
        }
        for (word, negated) in [("in", false), ("nin", true)] {
            let follows = self.rest().strip_prefix(word).is_some_and(|rest| rest.starts_with([' ', '[']));
            if follows && self.take(word) {
                let all = Filter::In(left, self.literals()?);
                return Ok(if negated { Filter::Not(Box::new(all)) } else { all });
            }
        }
        if self.rest().starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.error("of comparisons there are `==`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `nin`");
        }
        match left {
            Operand::Here(_) | Operand::Root(_) => Ok(Filter::Exists(left)),
            _ => self.error("expected a comparison"),
        }
    }

    fn literals(&mut self) -> Result<Vec<Operand>, PathError> {
        self.blanks();
        if !self.take("[") {
            return self.error("expected `[`, as in `@.a in [1, 'b']`");
        }
        let mut all = vec![];
        loop {
            self.blanks();
            if all.is_empty() && self.take("]") {
                return Ok(all);
            }
            all.push(self.operand()?);
            self.blanks();
            if self.take("]") {
                return Ok(all);
            }
            if !self.take(",") {
                return self.error("expected `,` or `]`");
            }
        }
    }

    fn operand(&mut self) -> Result<Operand, PathError> {
        let rest = self.rest();
        if rest.starts_with(['@', '$']) {
            let here = rest.starts_with('@');
            let path = self.inner_path()?;
            return Ok(if here { Operand::Here(path) } else { Operand::Root(path) });
        }
        for quote in ['\'', '"'] {
            if rest.starts_with(quote) {
                self.at += 1;
                return self.quoted(quote).map(Operand::Text);
            }
        }
        for (word, operand) in [("null", Operand::Null), ("true", Operand::Bool(true)), ("false", Operand::Bool(false))]
        {
            if self.take(word) {
                return Ok(operand);
            }
        }
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = &rest[..end];
        // `f64` reads `+1` and `.5` too, and so does nobody mind.
        if number.parse::<f64>().is_ok() {
            self.at += end;
            return Ok(Operand::Number(number.to_owned()));
        }
        self.error("expected `@`, `$`, a number, a quoted text, `true`, `false` or `null`")
    }

    pub(crate) fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }
}
