//! Lines of an input.

use crate::arena::Arena;
use std::ops::Range;

/// Goes through the lines of what an [`Arena`] has loaded, without borrowing it.
///
/// A line ends with `\n`, `\r\n` or `\r`, as for Java's `BufferedReader`; what follows the last end is a line if it is
/// not empty. Empty lines are given too.
///
/// ```
/// # use payload::Arena;
/// let mut arena = Arena::new();
/// arena.load_slice(b"one\r\n\ntwo");
/// let (mut lines, mut seen) = (arena.lines(), vec![]);
/// while let Some(line) = lines.next(&arena) {
///     seen.push(line);
/// }
/// assert_eq!(seen, [0..3, 5..5, 6..9]);
/// ```
#[derive(Clone, Debug)]
pub struct Lines {
    at: usize,
}

impl Lines {
    pub(crate) fn new() -> Self {
        Self { at: 0 }
    }

    /// The next line, as a range of what was loaded.
    #[inline]
    pub fn next(&mut self, arena: &Arena) -> Option<Range<usize>> {
        let start = self.at;
        let rest = arena.loaded().get(start..).filter(|rest| !rest.is_empty())?;
        let Some(len) = memchr::memchr2(b'\n', b'\r', rest) else {
            self.at = start + rest.len();
            return Some(start..self.at);
        };
        let end = if rest[len..].starts_with(b"\r\n") { 2 } else { 1 };
        self.at = start + len + end;
        Some(start..start + len)
    }
}
