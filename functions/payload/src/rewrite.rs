//! Renaming and dropping members by name and kind, everywhere in a payload.

use crate::{
    arena::Arena,
    error::ChangeError,
    node::{Kind, NIL, VERBATIM},
    payload::Payload,
};
use std::fmt;

/// What becomes of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    Keep,
    /// It is taken out, with all that is in it.
    Drop,
    /// It gets this name, in the same place.
    Rename(String),
}

/// How deep a rewrite goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Objects in objects; arrays are left alone.
    Objects,
    /// Objects in objects, and those that are elements of an array; arrays in arrays are left alone.
    Elements,
    /// Everything.
    All,
}

/// What happens when two members of one object would get the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collision {
    /// [`ChangeError::Collision`]: better no event than one with a value less.
    Fail,
    /// The last value stays, in the place of the first: what Gson's objects do.
    LastWins,
}

type Rule = Box<dyn FnMut(&str, Kind) -> Change + Send>;

/// A rule for members, and what it has decided so far.
///
/// The rule is asked once for each name and kind that turns up, not for each event: it must not depend on anything
/// else. A name that holds half of a surrogate pair is shown to it with U+FFFD in its place; unless the rule renames
/// it, it stays as it was.
pub struct Rewriter {
    rule: Rule,
    reach: Reach,
    collision: Collision,
    tag: u32,
    /// By key, then kind: 0 unknown, 1 drop, otherwise the new key plus 2.
    decided: Vec<[u32; 8]>,
}

impl fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (reach, collision) = (self.reach, self.collision);
        f.debug_struct("Rewriter").field("reach", &reach).field("collision", &collision).finish_non_exhaustive()
    }
}

impl Rewriter {
    /// A rewriter that fails on collisions.
    pub fn new(reach: Reach, rule: impl FnMut(&str, Kind) -> Change + Send + 'static) -> Self {
        Self { rule: Box::new(rule), reach, collision: Collision::Fail, tag: 0, decided: vec![] }
    }

    /// Says what happens when two members would get the same name.
    #[must_use]
    pub fn on_collision(self, collision: Collision) -> Self {
        Self { collision, ..self }
    }

    /// Forgets what the rule has decided, so that it is asked again.
    pub fn forget(&mut self) {
        self.decided = vec![];
    }

    #[inline(always)]
    fn decide(&mut self, arena: &mut Arena, key: u32, kind: Kind) -> u32 {
        match self.decided.get(key as usize) {
            Some(row) if row[kind as usize] != 0 => row[kind as usize],
            _ => self.ask(arena, key, kind),
        }
    }

    #[inline(never)]
    fn ask(&mut self, arena: &mut Arena, key: u32, kind: Kind) -> u32 {
        if self.decided.len() <= key as usize {
            self.decided.resize(key as usize + 64, [0; 8]);
        }
        let change = (self.rule)(&arena.keys.text(key), kind);
        let decision = match change {
            Change::Keep => key + 2,
            Change::Drop => 1,
            Change::Rename(text) => arena.keys.intern_text(&text) + 2,
        };
        self.decided[key as usize][kind as usize] = decision;
        decision
    }

    /// Whether anything changed in a container.
    fn walk(&mut self, arena: &mut Arena, container: u32) -> Result<bool, ChangeError> {
        let object = arena.nodes[container as usize].kind == Kind::Object;
        let (mut changed, nested) = if object { self.rename(arena, container)? } else { (false, true) };
        // Only now what lies inside: it uses the same stamps.
        let arrays = if object { self.reach != Reach::Objects } else { self.reach == Reach::All };
        let mut child = if nested { arena.nodes[container as usize].child } else { NIL };
        while child != NIL {
            let entry = arena.nodes[child as usize];
            if entry.child != NIL && (entry.kind == Kind::Object || arrays) {
                changed |= self.walk(arena, child)?;
            }
            child = entry.next;
        }
        if changed {
            arena.nodes[container as usize].flags &= !VERBATIM;
        }
        Ok(changed)
    }

    /// Whether any member of this object changed, and whether any has something in it.
    #[inline(always)]
    fn rename(&mut self, arena: &mut Arena, object: u32) -> Result<(bool, bool), ChangeError> {
        let serial = arena.new_serial();
        let (mut changed, mut nested, mut made) = (false, false, 0);
        let (mut child, mut first, mut last) = (arena.nodes[object as usize].child, NIL, NIL);
        while child != NIL {
            let member = arena.nodes[child as usize];
            let decision = self.decide(arena, member.key, member.kind);
            if decision == 1 {
                changed = true;
                child = member.next;
                continue;
            }
            nested |= member.child != NIL;
            let key = decision - 2;
            if key != member.key {
                changed = true;
                made += arena.keys.written_len(key);
            }
            if let Some(before) = arena.keys.stamp(key, serial, child) {
                if self.collision == Collision::Fail {
                    return Err(ChangeError::Collision);
                }
                arena.nodes[before as usize].assign(member);
            } else {
                arena.nodes[child as usize].key = key;
                match last {
                    NIL => first = child,
                    last => arena.nodes[last as usize].next = child,
                }
                last = child;
            }
            child = member.next;
        }
        arena.nodes[object as usize].child = first;
        if last != NIL {
            arena.nodes[last as usize].next = NIL;
        }
        arena.spend(made)?;
        Ok((changed, nested))
    }
}

impl Payload<'_> {
    /// Applies a rule to every member within its reach. All names change at once: a member that gets the old name of
    /// another is no collision if that one gets a new name.
    ///
    /// ```
    /// use payload::{Arena, Change, ChangeError, Collision, Kind, Output, Reach, Rewriter};
    ///
    /// let lower = |key: &str, kind| match kind {
    ///     Kind::Null => Change::Drop,
    ///     _ => Change::Rename(key.to_lowercase()),
    /// };
    /// let mut arena = Arena::new();
    /// let text = br#"{"ID":1,"X":null,"id":{"A":2}}"#;
    /// let mut event = arena.parse_slice(text)?;
    /// assert_eq!(event.rewrite(&mut Rewriter::new(Reach::All, lower)), Err(ChangeError::Collision));
    ///
    /// let mut event = arena.parse_slice(text)?;
    /// event.rewrite(&mut Rewriter::new(Reach::All, lower).on_collision(Collision::LastWins))?;
    /// let mut out = Output::new();
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"id":{"a":2}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Collision`](ChangeError::Collision), [`TooLarge`](ChangeError::TooLarge). The event is used up then: it is
    /// `null`.
    pub fn rewrite(&mut self, rewriter: &mut Rewriter) -> Result<(), ChangeError> {
        if rewriter.tag != self.arena.keys.tag {
            rewriter.tag = self.arena.keys.tag;
            rewriter.decided = vec![];
        }
        let result = match self.kind() {
            Kind::Object => rewriter.walk(self.arena, self.root),
            Kind::Array if rewriter.reach != Reach::Objects => rewriter.walk(self.arena, self.root),
            _ => Ok(false),
        };
        if result.is_err() {
            self.root = self.arena.null_node();
        }
        result.map(|_| ())
    }
}
