//! Events of which only some fields stay.

use crate::{
    arena::Arena,
    find,
    node::{NIL, VERBATIM},
    path::Path,
    payload::Payload,
};

impl Payload<'_> {
    /// Takes out all but the values at these paths and the containers that they are in.
    ///
    /// A container on the way to no value goes too. Of an array, elements that do not stay leave no gap. The event itself always stays,
    /// if need be without members.
    ///
    /// ```
    /// # use payload::{Arena, Output, Path};
    /// let (mut arena, mut out) = (Arena::new(), Output::new());
    /// let mut event = arena.parse_slice(br#"{"a": {"b": 1, "c": 2}, "d": {"e": 3}, "f": [1.50]}"#)?;
    /// event.keep(&[Path::new("$.a.b")?, Path::new("$.d.x")?, Path::new("f")?]);
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"a":{"b":1},"f":[1.50]}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn keep(&mut self, paths: &[Path]) {
        let mut kept = vec![];
        for path in paths {
            if path.is_definite() {
                kept.extend(self.get(path).map(|value| value.node));
            } else {
                kept.extend(find::all(self.arena, self.root, &path.steps));
            }
        }
        kept.sort_unstable();
        if kept.binary_search(&self.root).is_err() {
            self.arena.prune(self.root, &kept);
        }
    }
}

/// What is left of a container.
struct Left {
    something: bool,
    /// Whether all of it is.
    all: bool,
}

impl Arena {
    fn prune(&mut self, container: u32, kept: &[u32]) -> Left {
        let mut left = Left { something: false, all: true };
        let (mut last, mut child) = (NIL, self.nodes[container as usize].child);
        while child != NIL {
            let node = self.nodes[child as usize];
            let inside = if kept.binary_search(&child).is_ok() {
                Left { something: true, all: true }
            } else if node.is_container() {
                self.prune(child, kept)
            } else {
                Left { something: false, all: false }
            };
            if inside.something {
                last = child;
            } else {
                self.link(container, last, node.next);
            }
            left.something |= inside.something;
            left.all &= inside.something && inside.all;
            child = node.next;
        }
        if !left.all {
            self.nodes[container as usize].flags &= !VERBATIM;
        }
        left
    }
}
