//! An object around an event.

use crate::{
    arena::{Arena, MAX_MADE_DEPTH},
    error::ChangeError,
    name::Name,
    new::New,
    node::{Kind, NIL, Node, narrow},
    payload::Payload,
};
use std::fmt;

/// An object under construction around an event; see [`Payload::wrap`].
pub struct Envelope<'a> {
    arena: &'a mut Arena,
    object: u32,
    last: u32,
    payload: Option<u32>,
    serial: u32,
    depth: u32,
    error: Option<ChangeError>,
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").finish_non_exhaustive()
    }
}

/// Members of envelopes that are the same for many events: they are made once.
#[derive(Default)]
pub struct Fixed {
    /// Their values as JSON, back to back.
    text: Vec<u8>,
    /// Their names, and their values' nodes, which begin in `text`.
    members: Vec<(Name, Node)>,
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl Fixed {
    /// Adds a member whose value is neither object nor array.
    ///
    /// # Errors
    /// Those of [`Payload::set`] about the value; [`WrongKind`](ChangeError::WrongKind).
    pub fn put<'v>(&mut self, name: &Name, value: impl Into<New<'v>>) -> Result<&mut Self, ChangeError> {
        let mut arena = Arena::new();
        let node = arena.new_node(value.into(), 1, &mut 0)?;
        let node = arena.nodes[node as usize];
        if node.is_container() {
            return Err(ChangeError::WrongKind(node.kind));
        }
        let start = narrow(self.text.len());
        self.text.extend_from_slice(&arena.text[node.start as usize..(node.start + node.len) as usize]);
        self.members.push((name.clone(), Node { start, ..node }));
        Ok(self)
    }
}

impl Payload<'_> {
    /// Makes the event a member of a new object, which `fill` fills in order.
    ///
    /// ```
    /// use payload::{Arena, Name, New, Output};
    ///
    /// let (time, id, inner) = (Name::new("timestamp"), Name::new("id"), Name::new("payload"));
    /// let mut arena = Arena::new();
    /// let mut event = arena.parse_slice(br#"{"a":1.50}"#)?;
    /// event.wrap(|envelope| {
    ///     envelope.put(&time, 1_700_000_000_000).put(&id, None::<&str>).put_payload(&inner);
    /// })?;
    /// let mut out = Output::new();
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"timestamp":1700000000000,"id":null,"payload":{"a":1.50}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first error of a value that was put in; `TooDeep`. The event is as it was.
    pub fn wrap(&mut self, fill: impl FnOnce(&mut Envelope<'_>)) -> Result<(), ChangeError> {
        if self.depth >= MAX_MADE_DEPTH {
            return Err(ChangeError::TooDeep);
        }
        self.arena.spend(size_of::<Node>())?;
        let object = self.arena.push(Node::new(Kind::Object));
        let (serial, depth, payload) = (self.arena.new_serial(), self.depth + 1, Some(self.root));
        let mut envelope = Envelope { arena: self.arena, object, last: NIL, payload, serial, depth, error: None };
        fill(&mut envelope);
        let Envelope { depth, error, .. } = envelope;
        if let Some(error) = error {
            return Err(error);
        }
        (self.root, self.depth) = (object, depth);
        Ok(())
    }
}

impl Envelope<'_> {
    /// Adds a member. Of two with one name the last value stays, in the place of the first.
    pub fn put<'v>(&mut self, name: &Name, value: impl Into<New<'v>>) -> &mut Self {
        match self.arena.new_node(value.into(), 1, &mut self.depth) {
            Ok(node) => self.link(name, node),
            Err(error) => _ = self.error.get_or_insert(error),
        }
        self
    }

    /// Adds members that were made once; like so many [`put`](Self::put).
    ///
    /// ```
    /// use payload::{Arena, Fixed, Name, Output};
    ///
    /// let mut fixed = Fixed::default();
    /// fixed.put(&Name::new("function"), "etl")?.put(&Name::new("time"), 5)?;
    /// let (mut arena, mut out) = (Arena::new(), Output::new());
    /// for text in ["{}", r#"{"a":1}"#] {
    ///     let mut event = arena.parse_slice(text.as_bytes())?;
    ///     event.wrap(|envelope| _ = envelope.put_fixed(&fixed).put_payload(&Name::new("payload")))?;
    ///     event.write_to(&mut out);
    /// }
    /// let expected = r#"{"function":"etl","time":5,"payload":{}}{"function":"etl","time":5,"payload":{"a":1}}"#;
    /// assert_eq!(&*out, expected.as_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn put_fixed(&mut self, fixed: &Fixed) -> &mut Self {
        let Fixed { text, members } = fixed;
        if let Err(error) = self.arena.spend(text.len() + size_of_val(&members[..])) {
            self.error.get_or_insert(error);
            return self;
        }
        let base = narrow(self.arena.text.len());
        self.arena.text.extend_from_slice(text);
        for (name, node) in members {
            let node = self.arena.push(Node { start: base + node.start, ..*node });
            self.link(name, node);
        }
        self
    }

    /// Adds the event itself; once.
    pub fn put_payload(&mut self, name: &Name) -> &mut Self {
        if let Some(payload) = self.payload.take() {
            // Through a node of its own: should the envelope fail, the event is as it was.
            let payload = self.arena.nodes[payload as usize];
            let node = self.arena.push(payload);
            self.link(name, node);
        }
        self
    }

    fn link(&mut self, name: &Name, node: u32) {
        let key = name.intern(&mut self.arena.keys);
        if let Some(before) = self.arena.keys.stamp(key, self.serial, node) {
            let value = self.arena.nodes[node as usize];
            self.arena.nodes[before as usize].assign(value);
            return;
        }
        let entry = &mut self.arena.nodes[node as usize];
        (entry.key, entry.next) = (key, NIL);
        self.arena.link(self.object, self.last, node);
        self.last = node;
    }
}
