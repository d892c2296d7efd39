//! What is kept from event to event: the buffers, and what was learned about keys.

use crate::{
    error::{ChangeError, JsonError},
    keys::Keys,
    lenient,
    lines::Lines,
    node::{NIL, Node, narrow},
    parse::{MAX_DEPTH, Parser},
    payload::Payload,
    scan::{self, PAD},
    shape::Shapes,
};
use std::{fmt, ops::Range};

/// Bytes of an input that can be parsed: positions in it, and in what operations add, fit into 32 bits.
const MAX_INPUT: usize = 2 << 30;
const NOT_UTF8: &str = "not UTF-8";
const TOO_LARGE: &str = "an input of more than 2 GiB";

/// How deep operations may nest what they make: values put into values, envelopes around envelopes.
pub const MAX_MADE_DEPTH: u32 = 2 * MAX_DEPTH;

/// What one event may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that operations may make of one event, beyond its own: new values, copies, new keys. Flattening, for
    /// one, can make keys whose length is the square of what came in. The default is 64 MiB, the most 1 GiB.
    pub made: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { made: 64 << 20 }
    }
}

/// The memory that events live in. One per thread; every parse begins it afresh without giving memory back, so a
/// running pipeline allocates nothing.
///
/// An input is loaded, then parsed as a whole or in parts. There is one [`Payload`] at a time, and it borrows the
/// arena:
///
/// ```
/// use payload::{Arena, Output};
///
/// let mut arena = Arena::new();
/// let mut out = Output::new();
/// arena.load_slice(b"{\"a\": 1.50}\n{\"a\": 2}\n");
/// let mut lines = arena.lines();
/// while let Some(line) = lines.next(&arena) {
///     let payload = arena.parse(line)?;
///     payload.write_to(&mut out);
///     out.push(b'\n');
/// }
/// assert_eq!(&*out, b"{\"a\":1.50}\n{\"a\":2}\n");
/// # Ok::<(), payload::JsonError>(())
/// ```
pub struct Arena {
    /// The loaded input, padding, then whatever operations add.
    pub(crate) text: Vec<u8>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) keys: Keys,
    pub(crate) shapes: Shapes,
    serial: u32,
    loaded: usize,
    utf8: bool,
    limits: Limits,
    /// Bytes made of the event so far.
    made: usize,
}

/// A state of the buffers to go back to.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    nodes: usize,
    text: usize,
    made: usize,
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Arena {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (loaded, nodes) = (self.loaded, self.nodes.len());
        f.debug_struct("Arena").field("loaded", &loaded).field("nodes", &nodes).finish_non_exhaustive()
    }
}

impl Arena {
    /// An arena with the default [`Limits`].
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    /// An arena with limits of your own.
    pub fn with_limits(limits: Limits) -> Self {
        let limits = Limits { made: limits.made.min(1 << 30) };
        let (keys, shapes) = (Keys::new(), Shapes::new());
        Self { text: vec![0; PAD], nodes: vec![], keys, shapes, serial: 0, loaded: 0, utf8: true, limits, made: 0 }
    }

    /// Lets `fill` put an input (a whole object, many lines) straight into the arena, in place of the last one. The
    /// returned value is `fill`'s.
    ///
    /// The buffer it is given is empty and keeps its memory from input to input. Inputs of more than 2 GiB cannot be
    /// parsed.
    pub fn load<T>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        self.nodes.clear();
        self.text.clear();
        let result = fill(&mut self.text);
        self.loaded = self.text.len();
        self.utf8 = self.loaded <= MAX_INPUT && simdutf8::basic::from_utf8(&self.text).is_ok();
        // Some room for what operations add: a vector that grows by itself doubles, and a large input is large enough.
        self.text.reserve_exact(PAD + self.loaded / 16);
        self.text.extend_from_slice(&[0; PAD]);
        result
    }

    /// Loads a copy of `input`.
    pub fn load_slice(&mut self, input: &[u8]) {
        self.load(|text| text.extend_from_slice(input));
    }

    /// What was loaded last, as it came.
    pub fn loaded(&self) -> &[u8] {
        &self.text[..self.loaded]
    }

    /// The range of all that was loaded.
    pub fn whole(&self) -> Range<usize> {
        0..self.loaded
    }

    /// A cursor over the lines of what was loaded.
    pub fn lines(&self) -> Lines {
        Lines::new()
    }

    /// Parses the one JSON value in a part of what was loaded: strictly, RFC 8259. Offsets in errors count from the
    /// beginning of that part.
    ///
    /// # Errors
    /// What is not JSON, not UTF-8, nested deeper than [`MAX_DEPTH`], or larger than 2 GiB.
    pub fn parse(&mut self, range: Range<usize>) -> Result<Payload<'_>, JsonError> {
        self.begin(&range)?;
        let start = range.start;
        match self.strict(range, MAX_DEPTH) {
            Ok(root) => Ok(Payload::new(self, root)),
            Err(error) => Err(JsonError { offset: error.offset.saturating_sub(start), ..error }),
        }
    }

    /// Loads and parses one JSON text.
    ///
    /// ```
    /// # use payload::Arena;
    /// let mut arena = Arena::new();
    /// assert_eq!(arena.parse_slice(b"[1,]").unwrap_err().offset, 3);
    /// assert!(arena.parse_slice(b"[1]").is_ok());
    /// ```
    pub fn parse_slice(&mut self, json: &[u8]) -> Result<Payload<'_>, JsonError> {
        self.load_slice(json);
        self.parse(self.whole())
    }

    /// Like [`Arena::parse`], but what is not JSON is read again as Gson's lenient reader does, which Bender uses:
    /// single quotes, names and values without quotes, comments, `;` for `,`, `=` and `=>` for `:`, a byte order mark.
    /// `NaN`, `01`, `.5` become strings. Text behind the value is refused.
    ///
    /// ```
    /// # use payload::{Arena, Output};
    /// let mut arena = Arena::new();
    /// arena.load_slice(b"{'a'=01; b => [1,,2] /* ... */}");
    /// let mut out = Output::new();
    /// arena.parse_lenient(arena.whole())?.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"a":"01","b":[1,null,2]}"#);
    /// # Ok::<(), payload::JsonError>(())
    /// ```
    ///
    /// # Errors
    /// What Gson refuses too, with the place where the lenient reader stopped; also the bounds of [`Arena::parse`]. What
    /// is not strict JSON may have 256 MiB.
    pub fn parse_lenient(&mut self, range: Range<usize>) -> Result<Payload<'_>, JsonError> {
        self.begin(&range)?;
        let root = if let Ok(root) = self.strict(range.clone(), MAX_DEPTH) {
            root
        } else {
            let strict = lenient::to_strict(&self.text[range])?;
            self.append(&strict, MAX_DEPTH)?
        };
        Ok(Payload::new(self, root))
    }

    /// Bytes of memory that the arena holds on to.
    pub fn capacity(&self) -> usize {
        let tape = self.nodes.capacity() * size_of::<Node>();
        self.text.capacity() + tape + self.keys.capacity() + self.shapes.capacity()
    }

    /// Gives back memory beyond `bytes` for the text and as much for the tape, after an unusually large input.
    pub fn trim(&mut self, bytes: usize) {
        self.nodes.clear();
        self.text.clear();
        self.text.shrink_to(bytes.max(PAD));
        self.text.resize(PAD, 0);
        self.nodes.shrink_to(bytes / size_of::<Node>());
        self.loaded = 0;
    }

    /// Begins a new event: forgets the last one, checks that `range` may be parsed.
    pub(crate) fn begin(&mut self, range: &Range<usize>) -> Result<(), JsonError> {
        self.restart();
        let Range { start, end } = *range;
        let refuse = |reason| Err(JsonError { offset: 0, reason });
        if self.loaded > MAX_INPUT {
            return refuse(TOO_LARGE);
        }
        if start > end || end > self.loaded {
            return refuse("not a range of the loaded input");
        }
        if self.utf8 {
            let cut = |at: usize| self.text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
            return if cut(start) || cut(end) { refuse(NOT_UTF8) } else { Ok(()) };
        }
        match std::str::from_utf8(&self.text[start..end]) {
            Ok(_) => Ok(()),
            Err(error) => Err(JsonError { offset: error.valid_up_to(), reason: NOT_UTF8 }),
        }
    }

    /// Forgets the last event, and what was learned if that has become too much.
    pub(crate) fn restart(&mut self) {
        if self.keys.is_full() || self.serial > u32::MAX / 2 {
            (self.keys, self.shapes, self.serial) = (Keys::new(), Shapes::new(), 0);
        } else if self.shapes.is_full() {
            self.shapes = Shapes::new();
        }
        self.nodes.clear();
        self.text.truncate(self.loaded + PAD);
        self.made = 0;
    }

    /// Parses all of `text[range]`, no deeper than `depth`. Offsets in errors count from the beginning of the text.
    fn strict(&mut self, range: Range<usize>, depth: u32) -> Result<u32, JsonError> {
        let Range { start, end } = range;
        let (root, after) = self.tape(scan::skip_space(&self.text, start).min(end), end, depth)?;
        let after = scan::skip_space(&self.text, after);
        if after < end { Err(JsonError { offset: after, reason: "text after the value" }) } else { Ok(root) }
    }

    /// Parses the value that begins at `at` and ends before `end`, no deeper than `depth`: its node, and where it ends.
    pub(crate) fn tape(&mut self, at: usize, end: usize, depth: u32) -> Result<(u32, usize), JsonError> {
        // What follows may belong to another record. A zero ends every scan, so it ends this one.
        let next = std::mem::replace(&mut self.text[end], 0);
        let root = self.nodes.len();
        let mut parser = Parser {
            text: &self.text,
            nodes: &mut self.nodes,
            keys: &mut self.keys,
            shapes: &mut self.shapes,
            serial: &mut self.serial,
            blemishes: 0,
            nulls: 0,
            error: JsonError { offset: 0, reason: "" },
        };
        let result = parser.root(at, depth);
        let error = parser.error;
        self.text[end] = next;
        if let Ok(after) = result {
            return Ok((narrow(root), after));
        }
        self.nodes.truncate(root);
        Err(error.before(end))
    }

    /// Puts JSON text behind the text and parses it, no deeper than `depth`. Offsets in errors count from its
    /// beginning.
    pub(crate) fn append(&mut self, json: &[u8], depth: u32) -> Result<u32, JsonError> {
        let start = self.text.len();
        if json.len() > MAX_INPUT {
            return Err(JsonError { offset: 0, reason: TOO_LARGE });
        }
        self.text.extend_from_slice(json);
        let end = self.text.len();
        self.text.extend_from_slice(&[0; PAD]);
        let result = self.strict(start..end, depth);
        result.map_err(|error| {
            self.text.truncate(start);
            JsonError { offset: error.offset - start, ..error }
        })
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { nodes: self.nodes.len(), text: self.text.len(), made: self.made }
    }

    pub(crate) fn release(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.text.truncate(mark.text);
        self.made = mark.made;
    }

    /// Counts bytes that an operation is about to make of the event.
    #[inline(always)]
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), ChangeError> {
        self.made = self.made.saturating_add(bytes);
        if self.made > self.limits.made { Err(ChangeError::TooLarge) } else { Ok(()) }
    }

    pub(crate) fn new_serial(&mut self) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        self.serial
    }

    pub(crate) fn push(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        narrow(self.nodes.len() - 1)
    }

    /// A copy of a value and everything in it; the text is shared. `depth` is how deep the copy will lie; `deepest`
    /// is raised to where its innermost container will.
    pub(crate) fn copy_node(&mut self, node: u32, depth: u32, deepest: &mut u32) -> Result<u32, ChangeError> {
        self.spend(size_of::<Node>())?;
        let mut copy = self.nodes[node as usize];
        let mut from = copy.child;
        let container = copy.is_container();
        copy.next = NIL;
        copy.child = NIL;
        let to = self.push(copy);
        if !container {
            return Ok(to);
        }
        let depth = depth + 1;
        if depth > MAX_MADE_DEPTH {
            return Err(ChangeError::TooDeep);
        }
        *deepest = depth.max(*deepest);
        let mut last = NIL;
        while from != NIL {
            let child = self.copy_node(from, depth, deepest)?;
            match last {
                NIL => self.nodes[to as usize].child = child,
                last => self.nodes[last as usize].next = child,
            }
            last = child;
            from = self.nodes[from as usize].next;
        }
        Ok(to)
    }
}
