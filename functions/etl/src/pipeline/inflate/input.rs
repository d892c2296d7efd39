//! What is read from the far side and not yet used.
//!
//! Imports: nothing.

use std::io::{self, BufRead, Read};

/// Read at once from the far side. A request's buffers are small; ours is large, so that inflating is one long run.
const CHUNK: usize = 4 << 20;

/// Bytes of the far side. Its failure is kept, apart from what is wrong with the bytes, and looks like their end.
pub(super) struct Input<R> {
    reader: R,
    /// Read and not yet used: from `at` on.
    buffer: Vec<u8>,
    at: usize,
    pub(super) ended: bool,
    /// Why the reader gives no more, if it should.
    pub(super) broken_off: Option<io::Error>,
}

impl<R: Read> Input<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![], at: 0, ended: false, broken_off: None }
    }

    pub(super) fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    pub(super) fn used(&mut self, count: usize) {
        self.at = (self.at + count).min(self.buffer.len());
    }

    /// Reads until there are `count` bytes, or no more.
    pub(super) fn need(&mut self, count: usize) {
        while self.rest().len() < count && !self.ended {
            self.refill();
        }
    }

    pub(super) fn refill(&mut self) {
        self.buffer.drain(..self.at);
        self.at = 0;
        let had = self.buffer.len();
        // What came before a connection broke is used first.
        let result = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer);
        self.broken_off = result.err();
        self.ended = self.buffer.len() - had < CHUNK || self.broken_off.is_some();
    }

    /// Appends up to `limit` bytes of the far side as they are; whether there were any.
    pub(super) fn copy(&mut self, out: &mut Vec<u8>, limit: usize) -> bool {
        if !self.rest().is_empty() {
            out.extend_from_slice(self.rest());
            self.at = self.buffer.len();
            return true;
        }
        let had = out.len();
        if let Err(error) = self.reader.by_ref().take(limit as u64).read_to_end(out) {
            self.broken_off = Some(error);
            return false;
        }
        out.len() > had
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() && !self.ended {
            self.refill();
        }
        Ok(self.rest())
    }
    fn consume(&mut self, count: usize) {
        self.used(count);
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.used(count);
        Ok(count)
    }
}
