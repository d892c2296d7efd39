//! Lines of an object, a window of whole lines at a time, so that memory follows the line and not the object.
//!
//! A line ends with `\n`, `\r\n` or `\r`, as in Bender.
//!
//! Imports: `event`, `payload`.

use super::inflate::{Inflate, Stop};
use crate::event::Fault;
use payload::{Arena, Lines};
use std::{io::Read, ops::Range};

/// How much is read at once, when lines are short.
pub(super) const WINDOW: usize = 8 << 20;

pub(super) const TOO_LONG: Fault = Fault::new("the line is too long");

/// Lines that are being read.
#[derive(Debug)]
pub(super) struct LineReader<R: Read> {
    bytes: Inflate<R>,
    /// The beginning of a line whose end has not been read.
    carry: Vec<u8>,
    max: usize,
    /// Within a line that is too long.
    skipping: bool,
    stop: Option<Stop>,
    ended: bool,
    lines: Option<Lines>,
    /// Where what is loaded begins in the object.
    base: u64,
    next_base: u64,
}

/// What comes next of an object.
#[derive(Debug)]
pub(super) enum Next {
    /// A line, loaded in the arena, and where it begins in the object.
    Line(Range<usize>, u64),
    /// A line that cannot be read.
    Fault(Fault),
    /// No more, since something is wrong.
    Stop(Stop),
    /// No more.
    End,
}

impl<R: Read> LineReader<R> {
    /// Lines of up to `max` bytes.
    pub(super) fn new(bytes: Inflate<R>, max: usize) -> Self {
        let carry = vec![];
        Self { bytes, carry, max, skipping: false, stop: None, ended: false, lines: None, base: 0, next_base: 0 }
    }

    pub(super) fn next(&mut self, arena: &mut Arena) -> Next {
        loop {
            match self.lines.as_mut().and_then(|lines| lines.next(arena)) {
                Some(range) if range.len() > self.max => return Next::Fault(TOO_LONG),
                Some(range) => {
                    let offset = self.base + range.start as u64;
                    return Next::Line(range, offset);
                }
                None if self.ended => return self.stop.take().map_or(Next::End, Next::Stop),
                None => {}
            }
            arena.load(|text| self.load(text));
            self.lines = Some(arena.lines());
            if self.skipping && arena.loaded().is_empty() && !self.ended {
                return Next::Fault(TOO_LONG);
            }
        }
    }

    /// Loads whole lines: a window full of them, or one that is longer.
    fn load(&mut self, text: &mut Vec<u8>) {
        self.base = self.next_base;
        text.append(&mut self.carry);
        let most = self.max.saturating_add(2);
        let mut enough = WINDOW.max(2 * text.len()).min(most);
        let whole = loop {
            let more = self.bytes.fill(text, enough).unwrap_or_else(|stop| {
                self.stop = Some(stop);
                false
            });
            if self.skipping {
                self.skip(text, more);
            }
            self.ended = !more;
            let whole = if more || self.stop.is_some() { last_end(text) } else { text.len() };
            if whole > 0 || self.ended {
                break whole;
            }
            if text.len() >= most {
                self.skipping = true;
                self.base += text.len() as u64;
                text.clear();
                break 0;
            }
            enough = enough.saturating_mul(2).min(most);
        };
        self.carry.extend_from_slice(&text[whole..]);
        text.truncate(whole);
        self.next_base = self.base + whole as u64;
    }

    /// Passes over the rest of a line that is too long.
    fn skip(&mut self, text: &mut Vec<u8>, more: bool) {
        let end =
            memchr::memchr2(b'\n', b'\r', text).map(|at| at + if text[at..].starts_with(b"\r\n") { 2 } else { 1 });
        let skipped = match end {
            // A `\r` at the very end may be half of an end.
            Some(end) if end < text.len() || !more => end,
            _ if more => text.len().saturating_sub(1),
            _ => text.len(),
        };
        self.skipping = more && end.is_none_or(|end| end > skipped);
        self.base += skipped as u64;
        text.drain(..skipped);
    }
}

/// Where the last whole line ends. The last byte is not looked at: a `\r` there may be half of an end.
fn last_end(text: &[u8]) -> usize {
    let Some((_, before)) = text.split_last() else { return 0 };
    memchr::memrchr2(b'\n', b'\r', before).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::inflate::Format;
    use std::io;

    fn read(object: &[u8], max: usize) -> Vec<String> {
        let mut arena = Arena::new();
        let mut lines = LineReader::new(Inflate::new(object, Format::Detect), max);
        let mut seen = vec![];
        loop {
            match lines.next(&mut arena) {
                Next::Line(range, offset) => {
                    let begin = usize::try_from(offset).unwrap();
                    assert_eq!(
                        &object[begin..begin + range.len()],
                        &arena.loaded()[range.clone()],
                        "the offset is right"
                    );
                    seen.push(String::from_utf8_lossy(&arena.loaded()[range]).into_owned());
                }
                Next::Fault(fault) => seen.push(format!("({})", fault.reason)),
                Next::Stop(_) | Next::End => return seen,
            }
        }
    }

    #[test]
    fn lines_end_as_in_bender_and_the_last_one_needs_no_end() {
        assert_eq!(read(b"one\ntwo\r\n\nthree\rfour", 100), ["one", "two", "", "three", "four"]);
        assert_eq!(read(b"one\n", 100), ["one"]);
        assert!(read(b"", 100).is_empty());
    }

    #[test]
    fn windows_cut_between_lines_only() {
        let text: String = (0..200_000)
            .map(|number| format!("line {number} {}\r\n", "x".repeat(number % 200)))
            .collect::<Vec<_>>()
            .concat();
        assert!(text.len() > 2 * WINDOW);
        let expected: Vec<_> = text.lines().collect();
        assert_eq!(read(text.as_bytes(), 1 << 20), expected);
    }

    #[test]
    fn a_line_longer_than_the_window_is_read_whole() {
        let long = "x".repeat(3 * WINDOW);
        let text = format!("a\n{long}\nb\n");
        assert_eq!(read(text.as_bytes(), 4 * WINDOW), ["a", &long, "b"]);
    }

    #[test]
    fn a_line_that_is_too_long_fails_and_its_neighbours_do_not() {
        for end in ["\n", "\r\n", "\r"] {
            for length in [101, 102, 103, 500, 5000] {
                let text = ["a", &"x".repeat(length), "b", &"y".repeat(100), "c"].join(end);
                let expected = ["a", "(the line is too long)", "b", &"y".repeat(100), "c"];
                assert_eq!(read(text.as_bytes(), 100), expected, "{length} bytes, {end:?}");
            }
        }
        assert_eq!(read("x".repeat(999).as_bytes(), 100), ["(the line is too long)"]);
    }

    #[test]
    fn a_line_that_was_cut_off_is_not_given() {
        struct Breaks<'a>(&'a [u8]);
        impl Read for Breaks<'_> {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                if self.0.is_empty() { Err(io::ErrorKind::ConnectionReset.into()) } else { self.0.read(out) }
            }
        }
        let mut arena = Arena::new();
        let mut lines = LineReader::new(Inflate::new(Breaks(b"whole\ncut o"), Format::Detect), 100);
        assert!(matches!(lines.next(&mut arena), Next::Line(range, 0) if range == (0..5)));
        assert!(matches!(lines.next(&mut arena), Next::Stop(Stop::Outage(_))));
    }
}
