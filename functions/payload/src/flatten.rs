//! Nested members to one flat object.

use crate::{
    arena::Arena,
    error::ChangeError,
    escape,
    keys::{Seeded, seeded},
    node::{Kind, NIL, Node},
    payload::Payload,
    rewrite::Collision,
};
use hashbrown::HashTable;
use std::{fmt, hash::BuildHasher as _};

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
    hasher: Seeded,
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
    /// Bytes of names, not yet counted: in deep objects their lengths add up to the square of what came in.
    made: usize,
}

impl Flat {
    fn pay(&mut self, arena: &mut Arena) -> Result<(), ChangeError> {
        arena.spend(std::mem::take(&mut self.made))
    }
}

const NONE: Joined = Joined { prefix: NIL, key: NIL, flat: NIL };

impl Flattener {
    /// A flattener that joins names with `separator` and fails on collisions.
    pub fn new(separator: &str) -> Self {
        let mut raw = vec![];
        escape::escape_into(separator, &mut raw);
        let (slots, hasher) = (vec![NONE; SLOTS], seeded());
        Self { separator: raw, collision: Collision::Fail, tag: 0, slots, all: HashTable::new(), hasher }
    }

    /// Says what happens when two members would get the same name: `{"a.b": 1, "a": {"b": 2}}`.
    #[must_use]
    pub fn on_collision(self, collision: Collision) -> Self {
        Self { collision, ..self }
    }

    #[inline(always)]
    fn key(&mut self, arena: &mut Arena, prefix: u32, key: u32, flat: &mut Flat) -> Result<u32, ChangeError> {
        let slot = (prefix.wrapping_mul(0x9e37_79b1) ^ key.wrapping_mul(0x85eb_ca77)) >> 16;
        let slot = slot as usize % SLOTS;
        match self.slots[slot] {
            joined if joined.prefix == prefix && joined.key == key => Ok(joined.flat),
            _ => self.find(arena, prefix, key, slot, flat),
        }
    }

    #[inline(never)]
    fn find(
        &mut self,
        arena: &mut Arena,
        prefix: u32,
        key: u32,
        slot: usize,
        flat: &mut Flat,
    ) -> Result<u32, ChangeError> {
        let hash = self.hasher.hash_one((prefix, key));
        let known = self.all.find(hash, |joined| joined.prefix == prefix && joined.key == key);
        let joined = if let Some(joined) = known {
            *joined
        } else {
            flat.pay(arena)?;
            let joined = Joined { prefix, key, flat: self.join(arena, prefix, key) };
            let hasher = &self.hasher;
            self.all.insert_unique(hash, joined, |joined| hasher.hash_one((joined.prefix, joined.key)));
            joined
        };
        self.slots[slot] = joined;
        Ok(joined.flat)
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
            let key = if prefix == NIL && !array { step } else { self.key(arena, prefix, step, flat)? };
            flat.made += arena.keys.written_len(key);
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
            flattener.all = HashTable::new();
        }
        let root = self.arena.nodes[self.root as usize];
        if !root.is_container() {
            return Ok(());
        }
        let mut flat = Flat { serial: self.arena.new_serial(), first: NIL, last: NIL, made: 0 };
        let result = flattener.walk(self.arena, root, NIL, &mut flat).and_then(|()| flat.pay(self.arena));
        if let Err(error) = result {
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
