//! Many events out of one.

use crate::{
    arena::{Arena, Mark},
    error::ChangeError,
    name::Name,
    node::{Kind, NIL, VERBATIM},
    path::Path,
    payload::Payload,
};
use std::fmt;

/// The elements of an array as events, one at a time. What an event added is forgotten when the next one is asked
/// for.
pub struct Split<'a> {
    arena: &'a mut Arena,
    /// The first of the kept members, untouched copies on the tape.
    kept: u32,
    next: u32,
    mark: Mark,
    depth: u32,
}

impl fmt::Debug for Split<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Split").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// Copies of one event, one at a time. What was made of a copy is forgotten when the next one is asked for.
pub struct Copies<'a> {
    arena: &'a mut Arena,
    root: u32,
    mark: Mark,
}

impl fmt::Debug for Copies<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Copies").finish_non_exhaustive()
    }
}

impl Copies<'_> {
    /// Another event with the same content. The event that it is a copy of does not see what happens to it.
    ///
    /// # Errors
    /// [`TooLarge`](ChangeError::TooLarge) past [`Limits::made`](crate::Limits::made).
    #[expect(clippy::should_implement_trait, reason = "each event borrows the one arena")]
    pub fn next(&mut self) -> Result<Payload<'_>, ChangeError> {
        self.arena.release(self.mark);
        let mut depth = 0;
        let root = self.arena.copy_node(self.root, 0, &mut depth)?;
        Ok(Payload { arena: self.arena, root, depth })
    }
}

impl Drop for Copies<'_> {
    fn drop(&mut self) {
        self.arena.release(self.mark);
    }
}

impl Payload<'_> {
    /// As many copies of the event as are asked for, to be worked on one after the other while this one waits.
    ///
    /// ```
    /// # use payload::{Arena, Output, Path};
    /// let mut arena = Arena::new();
    /// let mut event = arena.parse_slice(br#"{"a": 1}"#)?;
    /// let mut copies = event.copies();
    /// for number in 0..2_i64 {
    ///     let mut copy = copies.next()?;
    ///     copy.set(&Path::new("b")?, number)?;
    ///     assert_eq!(copy.root().to_text(), format!(r#"{{"a":1,"b":{number}}}"#));
    /// }
    /// drop(copies);
    /// assert_eq!(event.root().to_text(), r#"{"a":1}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn copies(&mut self) -> Copies<'_> {
        let mark = self.arena.mark();
        Copies { arena: self.arena, root: self.root, mark }
    }

    /// One event for each element of the array at the path; nothing is parsed again. Each gets copies of its own of
    /// the top-level members `keep`, put in under the same names; one that is missing is null, as in Bender.
    ///
    /// The source event is used up: it is `null` from here on. A path that is not [definite](Path::is_definite) gives
    /// an event for each value found.
    ///
    /// Splits nest: each event is worked on, split further, written, before the next one is asked for.
    ///
    /// ```
    /// use payload::{Arena, ChangeError, Name, Output, Path, Payload};
    ///
    /// struct Event<'a> {
    ///     payload: Payload<'a>,
    ///     origin: &'a str,
    /// }
    ///
    /// /// What a pipeline does: a split hands each event it makes to the rest of the steps, depth first.
    /// fn run(splits: &[Path], event: &mut Event<'_>, out: &mut Output) -> Result<(), ChangeError> {
    ///     let Some((path, rest)) = splits.split_first() else {
    ///         let number = out.iter().filter(|&&byte| byte == b'\n').count();
    ///         event.payload.set(&Path::new("$.k.number").unwrap(), number as i64)?;
    ///         event.payload.set(&Path::new("$.k.origin").unwrap(), event.origin)?;
    ///         event.payload.write_to(out);
    ///         out.push(b'\n');
    ///         return Ok(());
    ///     };
    ///     let mut split = event.payload.split(path, &[Name::new("k")])?;
    ///     while let Some(payload) = split.next()? {
    ///         run(rest, &mut Event { payload, origin: event.origin }, out)?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// let mut arena = Arena::new();
    /// let mut out = Output::new();
    /// let text = br#"{"k":{},"days":[{"hours":[{"a":1},{"a":2}]},{"hours":[{"a":3}]}]}"#;
    /// let splits = [Path::new("$.days")?, Path::new("$.hours")?];
    /// run(&splits, &mut Event { payload: arena.parse_slice(text)?, origin: "log" }, &mut out)?;
    /// // The kept `k` is each event's own: no event sees what another one put into it.
    /// let expected = [
    ///     r#"{"a":1,"k":{"number":0,"origin":"log"}}"#,
    ///     r#"{"a":2,"k":{"number":1,"origin":"log"}}"#,
    ///     r#"{"a":3,"k":{"number":2,"origin":"log"}}"#,
    /// ];
    /// assert!(std::str::from_utf8(&out)?.lines().eq(expected));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Missing`](ChangeError::Missing); [`WrongKind`](ChangeError::WrongKind) if it is no array; `TooLarge`. The
    /// event is as it was.
    pub fn split(&mut self, path: &Path, keep: &[Name]) -> Result<Split<'_>, ChangeError> {
        let mut depth = self.depth;
        let array = if path.is_definite() {
            let value = self.get(path).ok_or(ChangeError::Missing)?;
            if value.kind() != Kind::Array {
                return Err(ChangeError::WrongKind(value.kind()));
            }
            value.node
        } else {
            self.gather(path, 0, &mut depth)?
        };
        // Copied before any element is changed: a kept member may hold the array itself.
        let (mut kept, mut last) = (NIL, NIL);
        for name in keep {
            let copy = match self.root().member(name).map(|value| value.node) {
                Some(node) => self.arena.copy_node(node, 1, &mut depth)?,
                None => self.arena.null_node(),
            };
            self.arena.nodes[copy as usize].key = name.intern(&mut self.arena.keys);
            match last {
                NIL => kept = copy,
                last => self.arena.nodes[last as usize].next = copy,
            }
            last = copy;
        }
        self.root = self.arena.null_node();
        let next = self.arena.nodes[array as usize].child;
        let mark = self.arena.mark();
        Ok(Split { arena: self.arena, kept, next, mark, depth })
    }
}

impl Split<'_> {
    /// How many elements are left.
    pub fn len(&self) -> usize {
        self.rest().count()
    }

    /// Whether no element is left.
    pub fn is_empty(&self) -> bool {
        self.next == NIL
    }

    /// Whether every element that is left is an object.
    pub fn all_objects(&self) -> bool {
        self.rest().all(|kind| kind == Kind::Object)
    }

    fn rest(&self) -> impl Iterator<Item = Kind> {
        let nodes = &self.arena.nodes;
        let first = nodes.get(self.next as usize);
        std::iter::successors(first, |node| nodes.get(node.next as usize)).map(|node| node.kind)
    }

    /// The next element. Kept members are put into objects only.
    ///
    /// # Errors
    /// [`TooLarge`](ChangeError::TooLarge) if the kept members are; the element after it can be asked for.
    #[expect(clippy::should_implement_trait, reason = "each event borrows the one arena")]
    pub fn next(&mut self) -> Result<Option<Payload<'_>>, ChangeError> {
        self.arena.release(self.mark);
        if self.next == NIL {
            return Ok(None);
        }
        let root = self.next;
        self.next = self.arena.nodes[root as usize].next;
        if self.kept != NIL && self.arena.nodes[root as usize].kind == Kind::Object {
            self.arena.nodes[root as usize].flags &= !VERBATIM;
            let mut kept = self.kept;
            while kept != NIL {
                let (key, next) = (self.arena.nodes[kept as usize].key, self.arena.nodes[kept as usize].next);
                let copy = self.arena.copy_node(kept, 1, &mut self.depth)?;
                self.arena.insert(root, key, copy);
                kept = next;
            }
        }
        Ok(Some(Payload { arena: self.arena, root, depth: self.depth }))
    }
}
