//! Tape to text: raw spans are copied, keys come ready-made.

use crate::{
    arena::Arena,
    node::{Kind, NIL, Node, VERBATIM, narrow},
};
use std::{fmt, io};

/// Most pieces are shorter: they are copied as this many bytes at once, and the next piece overwrites the surplus.
const BLOCK: usize = 32;

/// How JSON is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Compact; strings and numbers as they came.
    #[default]
    Plain,
    /// As Gson writes it, Bender's serializer: without members that are null, at any depth; `<`, `>`, `&`, `=`, `'`
    /// as `\u003c` and so on, also in names; characters that came escaped without need written as themselves.
    /// Numbers as they came.
    Gson,
    /// The same without its escapes for HTML: the text that Bender makes the SHA-1 of an array's element of.
    GsonText,
}

/// Bytes for a destination. Clearing it keeps the memory, zeroed once, so that whole blocks can be copied into it.
///
/// It reads as a slice of what was written so far, and takes text by `write!`.
#[derive(Default)]
pub struct Output {
    /// Ahead of what was written.
    bytes: Vec<u8>,
    len: usize,
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("len", &self.len).finish_non_exhaustive()
    }
}

impl std::ops::Deref for Output {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl io::Write for Output {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    /// An empty output.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets what was written and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Forgets all behind the first `len` bytes.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// What was written, as a vector.
    pub fn into_vec(mut self) -> Vec<u8> {
        self.bytes.truncate(self.len);
        self.bytes
    }

    /// Bytes of memory that it holds on to.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Appends a byte.
    #[inline(always)]
    pub fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(self.len) {
            Some(to) => {
                *to = byte;
                self.len += 1;
            }
            None => self.extend_from_slice(&[byte]),
        }
    }

    /// Appends bytes.
    #[inline(never)]
    pub fn extend_from_slice(&mut self, piece: &[u8]) {
        let end = self.len + piece.len();
        if self.bytes.len() < end {
            self.bytes.resize((2 * end).max(4096), 0);
        }
        self.bytes[self.len..end].copy_from_slice(piece);
        self.len = end;
    }

    /// Appends a part of `source`.
    #[inline(always)]
    pub(crate) fn put(&mut self, source: &[u8], (start, len): (u32, u32)) {
        let (start, len) = (start as usize, len as usize);
        if len <= BLOCK
            && let Some(from) = source.get(start..start + BLOCK)
            && let Some(to) = self.bytes.get_mut(self.len..self.len + BLOCK)
        {
            to.copy_from_slice(from);
            self.len += len;
        } else {
            self.extend_from_slice(&source[start..start + len]);
        }
    }

    /// Appends `source[from..to]`.
    #[inline(always)]
    pub(crate) fn part(&mut self, source: &[u8], from: usize, to: usize) {
        self.put(source, (narrow(from), narrow(to - from)));
    }

    /// Appends the value as compact JSON.
    #[inline(always)]
    pub(crate) fn value(&mut self, arena: &Arena, node: &Node) {
        if node.is_container() && node.flags & VERBATIM == 0 {
            self.container(arena, node);
        } else {
            self.put(&arena.text, (node.start, node.len));
        }
    }

    fn container(&mut self, arena: &Arena, node: &Node) {
        let object = node.kind == Kind::Object;
        let begin = self.len;
        let mut child = node.child;
        while child != NIL {
            let entry = &arena.nodes[child as usize];
            if object {
                self.put(&arena.keys.bytes, arena.keys.spans[entry.key as usize]);
            } else {
                self.push(b',');
            }
            self.value(arena, entry);
            child = entry.next;
        }
        self.bracket(object, begin);
    }

    /// Puts brackets around what was written since `begin`. Every member came with a comma before it: the first one's
    /// place is the bracket's.
    #[inline(always)]
    pub(crate) fn bracket(&mut self, object: bool, begin: usize) {
        let (open, close) = if object { (b'{', b'}') } else { (b'[', b']') };
        if self.len == begin {
            self.push(open);
        } else {
            self.bytes[begin] = open;
        }
        self.push(close);
    }
}
