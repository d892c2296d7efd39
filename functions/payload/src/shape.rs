//! A tree of the key paths seen so far. Logs repeat themselves: the member that followed last time most likely follows
//! again, so it is tried first with one comparison, and no key is scanned or hashed.

use crate::{
    keys::{Keys, Seeded, Stamp, seeded},
    node::{NIL, narrow},
    scan,
};
use hashbrown::HashTable;
use std::hash::BuildHasher as _;

/// Past this many the tree is learned afresh with the next event.
const MAX_SHAPES: usize = 1 << 17;

pub(crate) struct Shape {
    /// The first 32 bytes of the key and its closing quote.
    head: [u8; 32],
    len: u32,
    pub key: u32,
    parent: u32,
    /// Shape of the first member, and of the member that followed this one, last time.
    pub first: u32,
    pub next: u32,
    /// Shape of the elements, where the value is an array.
    element: u32,
    pub stamp: Stamp,
}

pub(crate) struct Shapes {
    pub list: Vec<Shape>,
    index: HashTable<u32>,
    hasher: Seeded,
}

impl Shapes {
    pub(crate) fn new() -> Self {
        let mut shapes = Self { list: vec![], index: HashTable::new(), hasher: seeded() };
        shapes.add(NIL, NIL, b"");
        shapes
    }

    pub(crate) fn is_full(&self) -> bool {
        self.list.len() > MAX_SHAPES
    }

    pub(crate) fn capacity(&self) -> usize {
        self.list.capacity() * size_of::<Shape>() + self.index.capacity() * 4
    }

    fn add(&mut self, parent: u32, key: u32, raw: &[u8]) -> u32 {
        let mut head = [0; 32];
        for (to, from) in head.iter_mut().zip(raw.iter().chain(b"\"")) {
            *to = *from;
        }
        let len = narrow(raw.len() + 1);
        let stamp = Stamp::default();
        self.list.push(Shape { head, len, key, parent, first: NIL, next: NIL, element: NIL, stamp });
        narrow(self.list.len() - 1)
    }

    /// If the text at `at` (after the opening quote) is the key of `shape`: the position after its closing quote.
    #[inline(always)]
    pub(crate) fn matches(&self, shape: u32, keys: &Keys, text: &[u8], at: usize) -> Option<usize> {
        let shape = self.list.get(shape as usize)?;
        let len = shape.len as usize;
        if !scan::same_head(text, at, &shape.head, len.min(32)) {
            return None;
        }
        if len > 32 {
            let rest = keys.raw(shape.key).get(32..).unwrap_or_default();
            if !text[at + 32..].starts_with(rest) || text[at + len - 1] != b'"' {
                return None;
            }
        }
        Some(at + len)
    }

    pub(crate) fn member(&mut self, parent: u32, key: u32, keys: &Keys) -> u32 {
        let hash = self.hasher.hash_one((parent, key));
        let list = &self.list;
        let same = |&id: &u32| list[id as usize].parent == parent && list[id as usize].key == key;
        if let Some(&id) = self.index.find(hash, same) {
            return id;
        }
        let id = self.add(parent, key, keys.raw(key));
        let (list, hasher) = (&self.list, &self.hasher);
        let rehash = |&id: &u32| hasher.hash_one((list[id as usize].parent, list[id as usize].key));
        self.index.insert_unique(hash, id, rehash);
        id
    }

    pub(crate) fn element(&mut self, parent: u32) -> u32 {
        if self.list[parent as usize].element == NIL {
            let id = self.add(parent, NIL, b"");
            self.list[parent as usize].element = id;
        }
        self.list[parent as usize].element
    }
}
