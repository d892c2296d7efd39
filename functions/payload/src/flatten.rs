//! Nested members to one flat object.

use crate::{
    arena::Arena,
    error::ChangeError,
    escape,
    node::{Kind, NIL, Node},
    payload::Payload,
    rewrite::Collision,
};
use hashbrown::HashTable;
use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
};

const SLOTS: usize = 2048;
/// Past this many joined keys they are joined afresh.
const MAX_JOINED: usize = 1 << 17;
/// Set in a key number to mean "the element at this index". There are fewer keys and fewer elements than this.
const INDEX: u32 = 1 << 31;

/// A prefix, what follows it, and the key that both make.
#[derive(Clone, Copy)]
struct Joined {
    prefix: u32,
    key: u32,
    flat: u32,
}

/// Flattening with one separator, and the flat keys it has made so far: each prefix and key are joined once, not once
/// for each event.
pub struct Flattener {
    separator: Vec<u8>,
    collision: Collision,
    tag: u32,
    /// The last that fell on each slot.
    slots: Vec<Joined>,
    all: HashTable<Joined>,
    hasher: RandomState,
}

impl fmt::Debug for Flattener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flattener").field("collision", &self.collision).finish_non_exhaustive()
    }
}

/// The list under construction.
struct Flat {
    serial: u32,
    first: u32,
    last: u32,
}

const NONE: Joined = Joined { prefix: NIL, key: NIL, flat: NIL };

impl Flattener {
    /// A flattener that joins names with `separator` and fails on collisions.
    pub fn new(separator: &str) -> Self {
        let mut raw = vec![];
        escape::escape_into(separator, &mut raw);
        let (slots, hasher) = (vec![NONE; SLOTS], RandomState::new());
        Self { separator: raw, collision: Collision::Fail, tag: 0, slots, all: HashTable::new(), hasher }
    }

    /// Says what happens when two members would get the same name: `{"a.b": 1, "a": {"b": 2}}`.
    #[must_use]
    pub fn on_collision(self, collision: Collision) -> Self {
        Self { collision, ..self }
    }

    #[inline(always)]
    fn key(&mut self, arena: &mut Arena, prefix: u32, key: u32) -> u32 {
        let slot = (prefix.wrapping_mul(0x9e37_79b1) ^ key.wrapping_mul(0x85eb_ca77)) >> 16;
        let slot = slot as usize % SLOTS;
        match self.slots[slot] {
            joined if joined.prefix == prefix && joined.key == key => joined.flat,
            _ => self.find(arena, prefix, key, slot),
        }
    }

    #[inline(never)]
    fn find(&mut self, arena: &mut Arena, prefix: u32, key: u32, slot: usize) -> u32 {
        let hash = self.hasher.hash_one((prefix, key));
        let known = self.all.find(hash, |joined| joined.prefix == prefix && joined.key == key);
        let joined = known.copied().unwrap_or_else(|| {
            let joined = Joined { prefix, key, flat: self.join(arena, prefix, key) };
            let hasher = &self.hasher;
            self.all.insert_unique(hash, joined, |joined| hasher.hash_one((joined.prefix, joined.key)));
            joined
        });
        self.slots[slot] = joined;
        joined.flat
    }

    fn join(&self, arena: &mut Arena, prefix: u32, key: u32) -> u32 {
        let mut raw = vec![];
        if prefix != NIL {
            raw.extend_from_slice(arena.keys.raw(prefix));
            raw.extend_from_slice(&self.separator);
        }
        match key & INDEX {
            0 => raw.extend_from_slice(arena.keys.raw(key)),
            _ => raw.extend_from_slice(itoa::Buffer::new().format((key & !INDEX) + 1).as_bytes()),
        }
        arena.keys.intern(&raw)
    }

    fn walk(&mut self, arena: &mut Arena, container: Node, prefix: u32, flat: &mut Flat) -> Result<(), ChangeError> {
        let array = container.kind == Kind::Array;
        let (mut child, mut index) = (container.child, 0);
        while child != NIL {
            let node = arena.nodes[child as usize];
            let step = if array { INDEX | index } else { node.key };
            let key = if prefix == NIL && !array { step } else { self.key(arena, prefix, step) };
            // Long names in deep objects: the names' lengths add up to the square of what came in.
            arena.spend(arena.keys.written_len(key))?;
            if node.is_container() {
                self.walk(arena, node, key, flat)?;
            } else if let Some(first) = arena.keys.stamp(key, flat.serial, child) {
                if self.collision == Collision::Fail {
                    return Err(ChangeError::Collision);
                }
                arena.nodes[first as usize].assign(node);
            } else {
                arena.nodes[child as usize].key = key;
                match flat.last {
                    NIL => flat.first = child,
                    last => arena.nodes[last as usize].next = child,
                }
                flat.last = child;
            }
            child = node.next;
            index += 1;
        }
        Ok(())
    }
}

impl Payload<'_> {
    /// Makes the event one flat object: the names of nested members are joined, elements count from 1, empty
    /// containers vanish, as in Bender.
    ///
    /// ```
    /// # use payload::{Arena, Flattener, Output};
    /// let mut arena = Arena::new();
    /// let mut event = arena.parse_slice(br#"{"a":{"b":[5,{"c":6}]},"d":{}}"#)?;
    /// event.flatten(&mut Flattener::new("."))?;
    /// let mut out = Output::new();
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"a.b.1":5,"a.b.2.c":6}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Collision`](ChangeError::Collision), [`TooLarge`](ChangeError::TooLarge). The event is used up then: it is
    /// `null`.
    pub fn flatten(&mut self, flattener: &mut Flattener) -> Result<(), ChangeError> {
        if flattener.tag != self.arena.keys.tag || flattener.all.len() > MAX_JOINED {
            flattener.tag = self.arena.keys.tag;
            flattener.slots.fill(NONE);
            flattener.all.clear();
        }
        let root = self.arena.nodes[self.root as usize];
        if !root.is_container() {
            return Ok(());
        }
        let mut flat = Flat { serial: self.arena.new_serial(), first: NIL, last: NIL };
        if let Err(error) = flattener.walk(self.arena, root, NIL, &mut flat) {
            self.root = self.arena.null_node();
            return Err(error);
        }
        if flat.last != NIL {
            self.arena.nodes[flat.last as usize].next = NIL;
        }
        let root = &mut self.arena.nodes[self.root as usize];
        *root = Node { child: flat.first, kind: Kind::Object, flags: 0, ..*root };
        Ok(())
    }
}
