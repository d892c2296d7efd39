//! Events that are not read but made: of the parts of a line that is not JSON.

use crate::{
    MAX_DEPTH,
    arena::Arena,
    error::{ChangeError, JsonError},
    keys::Stamp,
    name::Name,
    new::New,
    node::{Kind, NIL, Node},
    payload::Payload,
};
use std::fmt;

/// An event that is being made, member by member.
///
/// Of equal names in one object the last value wins, in the first one's place, as when JSON is parsed.
///
/// ```
/// use payload::{Arena, Name, New, Output};
///
/// let (mut arena, mut out) = (Arena::new(), Output::new());
/// let mut maker = arena.make()?;
/// maker.add(&Name::new("host"), "a\tb")?;
/// maker.open(&Name::new("user"))?;
/// maker.add_named("id", New::Number("1.50"))?;
/// maker.close();
/// maker.finish().write_to(&mut out);
/// assert_eq!(&*out, br#"{"host":"a\tb","user":{"id":1.50}}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Maker<'a> {
    arena: &'a mut Arena,
    root: u32,
    /// How deep the deepest container may lie.
    deepest: u32,
    here: Object,
    /// The objects around it, outermost first.
    around: Vec<Object>,
    /// Stamps of the objects around that one inside has overwritten, with how deep it was.
    overwritten: Vec<(usize, u32, Stamp)>,
}

#[derive(Clone, Copy)]
struct Object {
    node: u32,
    last: u32,
    serial: u32,
}

impl fmt::Debug for Maker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Maker").field("depth", &self.around.len()).finish_non_exhaustive()
    }
}

impl Arena {
    /// Begins an event that is made: an object without members. What was loaded stays; the last event is forgotten.
    ///
    /// # Errors
    /// When more than 2 GiB are loaded.
    pub fn make(&mut self) -> Result<Maker<'_>, JsonError> {
        self.begin(&(0..0))?;
        let (root, serial) = (self.push(Node::new(Kind::Object)), self.new_serial());
        let here = Object { node: root, last: NIL, serial };
        Ok(Maker { arena: self, root, deepest: MAX_DEPTH, here, around: vec![], overwritten: vec![] })
    }
}

impl<'a> Maker<'a> {
    /// Adds a member whose name is known beforehand.
    ///
    /// # Errors
    /// Those of [`Payload::set`] about the value.
    pub fn add<'v>(&mut self, name: &Name, value: impl Into<New<'v>>) -> Result<(), ChangeError> {
        let key = name.intern(&mut self.arena.keys);
        self.put(key, value.into())
    }

    /// Adds a member whose name was met in the data.
    ///
    /// # Errors
    /// Those of [`Payload::set`] about the value.
    pub fn add_named<'v>(&mut self, name: &str, value: impl Into<New<'v>>) -> Result<(), ChangeError> {
        self.arena.spend(name.len())?;
        let key = self.arena.keys.intern_text(name);
        self.put(key, value.into())
    }

    /// Adds a member that is an object, to which members are added until [`Maker::close`].
    ///
    /// # Errors
    /// Past [`MAX_DEPTH`] and [`Limits`](crate::Limits).
    pub fn open(&mut self, name: &Name) -> Result<(), ChangeError> {
        let key = name.intern(&mut self.arena.keys);
        self.begin(key)
    }

    /// Like [`Maker::open`], with a name that was met in the data.
    ///
    /// # Errors
    /// Those of [`Maker::open`].
    pub fn open_named(&mut self, name: &str) -> Result<(), ChangeError> {
        self.arena.spend(name.len())?;
        let key = self.arena.keys.intern_text(name);
        self.begin(key)
    }

    /// Ends the object that was opened last, if there is one.
    pub fn close(&mut self) {
        let Some(outer) = self.around.pop() else { return };
        while let Some((depth, key, stamp)) = self.overwritten.pop_if(|(depth, ..)| *depth > self.around.len()) {
            debug_assert_eq!(depth, self.around.len() + 1, "an object inside has restored its own");
            self.arena.keys.restore(key, stamp);
        }
        self.here = outer;
    }

    /// The event, with whatever objects are still open.
    pub fn finish(self) -> Payload<'a> {
        Payload { arena: self.arena, root: self.root, depth: self.deepest }
    }

    fn put(&mut self, key: u32, value: New<'_>) -> Result<(), ChangeError> {
        let depth = u32::try_from(self.around.len() + 1).unwrap_or(u32::MAX);
        let node = self.arena.new_node(value, depth, &mut self.deepest)?;
        self.link(key, node);
        Ok(())
    }

    fn begin(&mut self, key: u32) -> Result<(), ChangeError> {
        if self.around.len() + 2 > MAX_DEPTH as usize {
            return Err(ChangeError::TooDeep);
        }
        self.arena.spend(size_of::<Node>())?;
        let (node, serial) = (self.arena.push(Node::new(Kind::Object)), self.arena.new_serial());
        let node = self.link(key, node);
        self.around.push(self.here);
        self.here = Object { node, last: NIL, serial };
        Ok(())
    }

    /// Makes a node the member of the object in hand; where it stands in the end.
    fn link(&mut self, key: u32, node: u32) -> u32 {
        let before = self.arena.keys.stamp_of(key);
        if let Some(first) = self.arena.keys.stamp(key, self.here.serial, node) {
            let value = self.arena.nodes[node as usize];
            self.arena.nodes[first as usize].assign(value);
            return first;
        }
        if self.around.iter().any(|object| object.serial == before.serial) {
            self.overwritten.push((self.around.len(), key, before));
        }
        self.arena.nodes[node as usize].key = key;
        self.arena.link(self.here.node, self.here.last, node);
        self.here.last = node;
        node
    }
}
