//! The elements of an array in a document that is too big for a tape.
//!
//! Two passes: the first checks all of the document, without a tape, and finds the array; so a document that is broken
//! at its end gives an error before its first element, not after its last. The second parses one element at a time.

use crate::{
    arena::Arena,
    error::{ChangeError, JsonError},
    escape,
    name::Name,
    node::{Kind, Node, VERBATIM},
    parse::{MAX_DEPTH, TOO_DEEP},
    path::{Path, Step},
    payload::Payload,
    scan::{self, skip_space},
};
use std::{fmt, ops::Range};

/// The elements of an array as events, one at a time; see [`Arena::elements`].
pub struct Elements<'a> {
    arena: &'a mut Arena,
    /// Where the document is.
    start: usize,
    end: usize,
    /// Where the next element begins.
    at: usize,
    left: usize,
    all_objects: bool,
    keep: &'a [Name],
    kept: Vec<Option<Range<usize>>>,
}

impl fmt::Debug for Elements<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elements").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Arena {
    /// One event for each element of the array at `path` in the JSON document that is in a part of what was loaded:
    /// what [`Arena::parse`] and [`Payload::split`] would give, with a tape of one element. So `{"Records": [...]}` of
    /// 100 MB takes 100 MB and not twice or ten times that.
    ///
    /// All of the document is checked first, and costs a second pass over its bytes: for small documents, parsing and
    /// splitting is quicker. `path` may lead through members only.
    ///
    /// ```
    /// use payload::{Arena, Output, Path};
    ///
    /// let mut arena = Arena::new();
    /// arena.load_slice(br#"{"v": 1, "Records": [{"a": 1}, {"a": 2}], "more": {}}"#);
    /// let mut out = Output::new();
    /// let mut elements = arena.elements(arena.whole(), &Path::new("$.Records")?, &[])?;
    /// while let Some(event) = elements.next()? {
    ///     event.write_to(&mut out);
    /// }
    /// assert_eq!(&*out, br#"{"a":1}{"a":2}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Json`](ChangeError::Json) wherever the document is not JSON; [`Missing`](ChangeError::Missing),
    /// [`WrongKind`](ChangeError::WrongKind); [`WrongPath`](ChangeError::WrongPath) for a path with indices, `*` or `..`.
    pub fn elements<'a>(
        &'a mut self,
        range: Range<usize>,
        path: &Path,
        keep: &'a [Name],
    ) -> Result<Elements<'a>, ChangeError> {
        if path.is_length() {
            return Err(ChangeError::WrongPath);
        }
        let steps = path.steps.iter().map(|step| match step {
            Step::Key(name) => Ok(name),
            _ => Err(ChangeError::WrongPath),
        });
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        self.begin(&range)?;
        let Range { start, end } = range;
        let mut skim = Skim { text: &[], keep, kept: vec![None; keep.len()], found: Found::Nothing };
        let next = std::mem::replace(&mut self.text[end], 0);
        skim.text = &self.text;
        let result = skim.document(start, end, &steps);
        let Skim { kept, found, .. } = skim;
        self.text[end] = next;
        result.map_err(|error| relative(error, start, end))?;
        match found {
            Found::Nothing => Err(ChangeError::Missing),
            Found::Other(kind) => Err(ChangeError::WrongKind(kind)),
            Found::Array { at, len, all_objects } => {
                Ok(Elements { arena: self, start, end, at, left: len, all_objects, keep, kept })
            }
        }
    }
}

fn relative(error: JsonError, start: usize, end: usize) -> JsonError {
    let error = error.before(end);
    JsonError { offset: error.offset - start, ..error }
}

impl Elements<'_> {
    /// How many elements are left.
    pub fn len(&self) -> usize {
        self.left
    }

    /// Whether no element is left.
    pub fn is_empty(&self) -> bool {
        self.left == 0
    }

    /// Whether every element is an object.
    pub fn all_objects(&self) -> bool {
        self.all_objects
    }

    /// The next element. What the one before it took is free again. Kept members are put into objects only.
    ///
    /// # Errors
    /// [`TooLarge`](ChangeError::TooLarge) if the kept members are; the element after it can be asked for.
    #[expect(clippy::should_implement_trait, reason = "each event borrows the one arena")]
    pub fn next(&mut self) -> Result<Option<Payload<'_>>, ChangeError> {
        self.arena.restart();
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let (root, after) = self.tape(self.at..self.end)?;
        let after = skip_space(&self.arena.text, after);
        self.at = if self.arena.text[after] == b',' { skip_space(&self.arena.text, after + 1) } else { after };
        if self.arena.nodes[root as usize].kind == Kind::Object && !self.keep.is_empty() {
            self.arena.nodes[root as usize].flags &= !VERBATIM;
            for (name, range) in self.keep.iter().zip(0..) {
                let before = self.arena.nodes.len();
                let member = match self.kept.get(range).cloned().flatten() {
                    Some(range) => self.tape(range)?.0,
                    None => self.arena.null_node(),
                };
                self.arena.spend((self.arena.nodes.len() - before) * size_of::<Node>())?;
                let key = name.intern(&mut self.arena.keys);
                self.arena.insert(root, key, member);
            }
        }
        Ok(Some(Payload::new(self.arena, root)))
    }

    /// Parses the value at the beginning of `range`: its node, and where it ends.
    fn tape(&mut self, range: Range<usize>) -> Result<(u32, usize), ChangeError> {
        self.arena.tape(range.start, range.end, MAX_DEPTH).map_err(|error| {
            self.left = 0;
            relative(error, self.start, self.end).into()
        })
    }
}

enum Found {
    Nothing,
    Other(Kind),
    /// Where its first element begins.
    Array {
        at: usize,
        len: usize,
        all_objects: bool,
    },
}

/// The first pass.
struct Skim<'a> {
    text: &'a [u8],
    keep: &'a [Name],
    kept: Vec<Option<Range<usize>>>,
    found: Found,
}

impl Skim<'_> {
    fn document(&mut self, start: usize, end: usize, steps: &[&Name]) -> Result<(), JsonError> {
        let at = self.find(skip_space(self.text, start), steps, MAX_DEPTH)?;
        let at = skip_space(self.text, at);
        if at < end { Err(JsonError { offset: at, reason: "text after the value" }) } else { Ok(()) }
    }

    /// Goes over the value at `at` and notes what is at `steps` in it. Of repeated names the last one counts.
    fn find(&mut self, at: usize, steps: &[&Name], room: u32) -> Result<usize, JsonError> {
        self.found = Found::Nothing;
        let Some((name, deeper)) = steps.split_first() else { return self.array(at, room) };
        if self.text[at] != b'{' {
            return skip(self.text, at, room);
        }
        let Some(inner) = room.checked_sub(1) else { return Err(JsonError { offset: at, reason: TOO_DEEP }) };
        let mut at = skip_space(self.text, at + 1);
        if self.text[at] == b'}' {
            return Ok(at + 1);
        }
        loop {
            let (key, value) = key(self.text, at)?;
            let raw = &self.text[key];
            let canonical = raw.contains(&b'\\').then(|| escape::canonical(raw));
            let raw = canonical.as_deref().unwrap_or(raw);
            let end = if raw == name.raw() { self.find(value, deeper, inner)? } else { skip(self.text, value, inner)? };
            if room == MAX_DEPTH {
                for (_, kept) in self.keep.iter().zip(&mut self.kept).filter(|(name, _)| name.raw() == raw) {
                    *kept = Some(value..end);
                }
            }
            at = skip_space(self.text, end);
            match self.text[at] {
                b',' => at = skip_space(self.text, at + 1),
                b'}' => return Ok(at + 1),
                _ => return Err(JsonError { offset: at, reason: "expected `,` or `}`" }),
            }
        }
    }

    /// Goes over the value that the path leads to.
    fn array(&mut self, at: usize, room: u32) -> Result<usize, JsonError> {
        if self.text[at] != b'[' {
            let end = skip(self.text, at, room)?;
            let kind = match self.text[at] {
                b'{' => Kind::Object,
                b'"' => Kind::String,
                b't' | b'f' => Kind::Bool,
                b'n' => Kind::Null,
                _ => scan::number(self.text, at)?.1,
            };
            self.found = Found::Other(kind);
            return Ok(end);
        }
        let Some(inner) = room.checked_sub(1) else { return Err(JsonError { offset: at, reason: TOO_DEEP }) };
        let first = skip_space(self.text, at + 1);
        let (mut at, mut len, mut all_objects) = (first, 0, true);
        if self.text[at] != b']' {
            loop {
                all_objects &= self.text[at] == b'{';
                len += 1;
                at = skip_space(self.text, skip(self.text, at, inner)?);
                match self.text[at] {
                    b',' => at = skip_space(self.text, at + 1),
                    b']' => break,
                    _ => return Err(JsonError { offset: at, reason: "expected `,` or `]`" }),
                }
            }
        }
        self.found = Found::Array { at: first, len, all_objects };
        Ok(at + 1)
    }
}

/// The key at `at`, without its quotes, and where its value begins.
#[inline(always)]
fn key(text: &[u8], at: usize) -> Result<(Range<usize>, usize), JsonError> {
    if text[at] != b'"' {
        return Err(JsonError { offset: at, reason: "expected a key in double quotes" });
    }
    let end = string(text, at)?;
    let colon = skip_space(text, end);
    if text[colon] != b':' {
        return Err(JsonError { offset: colon, reason: "expected `:`" });
    }
    Ok((at + 1..end - 1, skip_space(text, colon + 1)))
}

#[inline(always)]
fn string(text: &[u8], at: usize) -> Result<usize, JsonError> {
    let end = scan::string_stop(text, at + 1);
    Ok(if text[end] == b'"' { end } else { scan::string_end(text, end)? } + 1)
}

/// The containers around a place: one bit for each, set for an object.
struct Around {
    bits: [u64; MAX_DEPTH as usize / 64],
    depth: u32,
}

impl Around {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.depth as usize / 64, 1 << (self.depth % 64));
        self.bits[word] = if object { self.bits[word] | bit } else { self.bits[word] & !bit };
        self.depth += 1;
    }

    fn object(&self) -> bool {
        let innermost = self.depth - 1;
        self.bits[innermost as usize / 64] >> (innermost % 64) & 1 == 1
    }
}

/// Checks the value at `at`, no deeper than `room` (at most [`MAX_DEPTH`]); where it ends.
fn skip(text: &[u8], mut at: usize, room: u32) -> Result<usize, JsonError> {
    let mut around = Around { bits: [0; MAX_DEPTH as usize / 64], depth: 0 };
    loop {
        match text[at] {
            b'"' => at = string(text, at)?,
            open @ (b'{' | b'[') => {
                let object = open == b'{';
                if around.depth == room {
                    return Err(JsonError { offset: at, reason: TOO_DEEP });
                }
                let inside = skip_space(text, at + 1);
                if text[inside] == if object { b'}' } else { b']' } {
                    at = inside + 1;
                } else {
                    around.push(object);
                    at = if object { key(text, inside)?.1 } else { inside };
                    continue;
                }
            }
            b'-' | b'0'..=b'9' => at = scan::number(text, at)?.0,
            _ => match scan::literal(text, at) {
                Some((end, _)) => at = end,
                None => return Err(JsonError { offset: at, reason: "expected a value" }),
            },
        }
        // A value has ended: so may those around it.
        loop {
            if around.depth == 0 {
                return Ok(at);
            }
            at = skip_space(text, at);
            match (text[at], around.object()) {
                (b',', true) => {
                    at = key(text, skip_space(text, at + 1))?.1;
                    break;
                }
                (b',', false) => {
                    at = skip_space(text, at + 1);
                    break;
                }
                (b'}', true) | (b']', false) => {
                    around.depth -= 1;
                    at += 1;
                }
                (_, true) => return Err(JsonError { offset: at, reason: "expected `,` or `}`" }),
                (_, false) => return Err(JsonError { offset: at, reason: "expected `,` or `]`" }),
            }
        }
    }
}
