//! Every distinct key text gets a small number, so that comparing, caching and writing keys needs no text.
//!
//! Keys come from strangers, so the table's hash is seeded by the process. Numbers are given in the order in which keys
//! turn up, never in the order of the table.

use crate::{
    escape,
    node::{NIL, narrow},
    scan::{self, PAD},
};
use foldhash::{SharedSeed, fast::SeedableRandomState};
use hashbrown::HashTable;
use std::{
    borrow::Cow,
    hash::{BuildHasher as _, RandomState},
    sync::atomic::{AtomicU32, Ordering},
};

/// Past this many keys, or bytes of keys, the table starts afresh with the next event, so that unbounded key sets
/// cannot fill the memory.
const MAX_KEYS: usize = 1 << 16;
const MAX_BYTES: usize = 16 << 20;

static TAGS: AtomicU32 = AtomicU32::new(1);

/// A quick hash that strangers cannot aim at: its seed is the process's, and from the operating system.
pub(crate) type Seeded = SeedableRandomState;

pub(crate) fn seeded() -> Seeded {
    SeedableRandomState::with_seed(RandomState::new().hash_one(0), SharedSeed::global_random())
}

/// When a key was last seen: in which object, as which node.
#[derive(Clone, Copy, Default)]
pub(crate) struct Stamp {
    pub serial: u32,
    pub node: u32,
}

pub(crate) struct Keys {
    /// `,"key":` of every key, back to back, as it is written.
    pub bytes: Vec<u8>,
    pub spans: Vec<(u32, u32)>,
    stamps: Vec<Stamp>,
    /// Which keys Gson may write otherwise.
    html: Vec<bool>,
    index: HashTable<u32>,
    hasher: Seeded,
    /// Changes whenever numbers are given out anew: whoever caches a number checks it.
    pub tag: u32,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let tag = TAGS.fetch_add(1, Ordering::Relaxed);
        let (hasher, index) = (seeded(), HashTable::new());
        Self { bytes: vec![0; PAD], spans: vec![], stamps: vec![], html: vec![], index, hasher, tag }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.spans.len() > MAX_KEYS || self.bytes.len() > MAX_BYTES
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * 16 + self.index.capacity() * 4
    }

    fn raw_of(bytes: &[u8], (start, len): (u32, u32)) -> &[u8] {
        &bytes[start as usize + 2..(start + len) as usize - 2]
    }

    /// The key as it is escaped in JSON, without quotes.
    pub(crate) fn raw(&self, key: u32) -> &[u8] {
        Self::raw_of(&self.bytes, self.spans[key as usize])
    }

    pub(crate) fn text(&self, key: u32) -> Cow<'_, str> {
        escape::unescape(self.raw(key))
    }

    /// How many bytes the key takes in JSON: itself, its quotes, a colon and a comma.
    #[inline(always)]
    pub(crate) fn written_len(&self, key: u32) -> usize {
        self.spans[key as usize].1 as usize
    }

    /// Whether [`Style::Gson`](crate::Style::Gson) may write the key in another way.
    pub(crate) fn is_html(&self, key: u32) -> bool {
        self.html[key as usize]
    }

    /// Number of a key that is known already; `raw` is canonical.
    pub(crate) fn find(&self, raw: &[u8]) -> Option<u32> {
        self.index.find(self.hasher.hash_one(raw), |&key| self.raw(key) == raw).copied()
    }

    /// Number of a key in canonical spelling.
    pub(crate) fn intern(&mut self, raw: &[u8]) -> u32 {
        if let Some(key) = self.find(raw) {
            return key;
        }
        let key = narrow(self.spans.len());
        let start = self.bytes.len() - PAD;
        self.bytes.truncate(start);
        self.bytes.extend_from_slice(b",\"");
        self.bytes.extend_from_slice(raw);
        self.bytes.extend_from_slice(b"\":");
        self.spans.push((narrow(start), narrow(self.bytes.len() - start)));
        self.bytes.resize(self.bytes.len() + PAD, 0);
        self.stamps.push(Stamp::default());
        self.html.push(raw.iter().any(|&byte| scan::is_html(byte)));
        let (bytes, spans, hasher) = (&self.bytes, &self.spans, &self.hasher);
        let rehash = |&key: &u32| hasher.hash_one(Self::raw_of(bytes, spans[key as usize]));
        self.index.insert_unique(hasher.hash_one(raw), key, rehash);
        key
    }

    pub(crate) fn intern_text(&mut self, text: &str) -> u32 {
        let mut raw = Vec::with_capacity(text.len() + 8);
        escape::escape_into(text, &mut raw);
        self.intern(&raw)
    }

    /// Notes that `node` carries `key` in object `serial`; the node that carried it there before, if any.
    #[inline(always)]
    pub(crate) fn stamp(&mut self, key: u32, serial: u32, node: u32) -> Option<u32> {
        debug_assert_ne!(key, NIL, "elements have no key");
        let stamp = &mut self.stamps[key as usize];
        if stamp.serial == serial {
            return Some(stamp.node);
        }
        *stamp = Stamp { serial, node };
        None
    }

    /// What [`Keys::stamp`] noted last.
    pub(crate) fn stamp_of(&self, key: u32) -> Stamp {
        self.stamps[key as usize]
    }

    /// Notes again what was noted before.
    pub(crate) fn restore(&mut self, key: u32, stamp: Stamp) {
        self.stamps[key as usize] = stamp;
    }
}
