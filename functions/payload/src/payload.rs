//! One event: reading, changing, writing.

use crate::{
    arena::{Arena, MAX_MADE_DEPTH},
    error::ChangeError,
    find,
    name::Name,
    new::New,
    node::{Kind, NIL, Node, VERBATIM},
    parse::MAX_DEPTH,
    path::{Path, Step},
    value::Value,
    write::{Output, Style},
};
use std::{borrow::Cow, fmt};

/// One event in an [`Arena`].
///
/// Strings, numbers and untouched containers are written with the bytes they came with. Of repeated names in one
/// object the last value counts, in the place of the first, as in Bender.
///
/// ```
/// use payload::{Arena, ChangeError, Kind, Output, Path};
///
/// let mut arena = Arena::new();
/// let mut event = arena.parse_slice(br#"{"user": {"id": 1.50}, "n": 5}"#)?;
/// event.set(&Path::new("$.user.name").unwrap(), "Ada")?;
/// assert_eq!(event.set(&Path::new("$.nobody.name").unwrap(), "Ada"), Err(ChangeError::MissingParent));
/// assert_eq!(event.set(&Path::new("$.n.name").unwrap(), "Ada"), Err(ChangeError::WrongParent(Kind::Integer)));
///
/// let mut out = Output::new();
/// event.write_to(&mut out);
/// assert_eq!(&*out, br#"{"user":{"id":1.50,"name":"Ada"},"n":5}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Payload<'a> {
    pub(crate) arena: &'a mut Arena,
    pub(crate) root: u32,
    /// No container lies deeper than this.
    pub(crate) depth: u32,
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({:?})", self.kind())
    }
}

impl<'a> Payload<'a> {
    pub(crate) fn new(arena: &'a mut Arena, root: u32) -> Self {
        Self { arena, root, depth: MAX_DEPTH }
    }
}

impl Payload<'_> {
    /// The event as a value, to be read.
    pub fn root(&self) -> Value<'_> {
        Value { arena: self.arena, node: self.root }
    }

    /// What the event is; an object, mostly.
    pub fn kind(&self) -> Kind {
        self.root().kind()
    }

    /// The value at the path. If the path is not [definite](Path::is_definite), the first one found.
    #[inline]
    pub fn get(&self, path: &Path) -> Option<Value<'_>> {
        self.root().get(path)
    }

    /// All values at the path, in the order in which they stand in the event.
    pub fn find_all(&self, path: &Path) -> Vec<Value<'_>> {
        self.root().find_all(path)
    }

    /// The text of the string at the path, unescaped.
    pub fn get_str(&self, path: &Path) -> Option<Cow<'_, str>> {
        self.get(path)?.as_str()
    }

    /// The number at the path, as it was written.
    pub fn number_text(&self, path: &Path) -> Option<&str> {
        self.get(path)?.number_text()
    }

    /// Appends the event as compact JSON.
    #[inline]
    pub fn write_to(&self, out: &mut Output) {
        out.value(self.arena, &self.arena.nodes[self.root as usize]);
    }

    /// Appends the event as compact JSON in a certain style.
    pub fn write_as(&self, style: Style, out: &mut Output) {
        out.styled(style, self.arena, &self.arena.nodes[self.root as usize]);
    }

    /// The event's bytes as they came, if they are compact and nothing changed.
    pub fn verbatim(&self) -> Option<&[u8]> {
        let node = &self.arena.nodes[self.root as usize];
        let text = &self.arena.text[node.start as usize..(node.start + node.len) as usize];
        (node.flags & VERBATIM != 0 || !node.is_container()).then_some(text)
    }

    /// All that the event's arena has loaded, as it came: the event's own line and its neighbours'.
    pub fn loaded(&self) -> &[u8] {
        self.arena.loaded()
    }

    /// Puts a value at the path; a missing last name is added to the end of its object. Where the path is not
    /// definite, every value found is replaced, and nothing is added.
    ///
    /// # Errors
    /// [`MissingParent`](ChangeError::MissingParent), [`WrongParent`](ChangeError::WrongParent); [`Missing`]
    /// for an index past the end or a path that finds nothing; `Json`, `NotFinite`, `TooDeep`, `TooLarge` of the new
    /// value.
    ///
    /// [`Missing`]: ChangeError::Missing
    pub fn set<'v>(&mut self, path: &Path, value: impl Into<New<'v>>) -> Result<(), ChangeError> {
        let places = self.places(path)?;
        let mut deepest = self.depth;
        let value = self.arena.new_node(value.into(), self.depth_of(path), &mut deepest)?;
        self.put(path, &places, value, deepest)
    }

    /// Whether [`Payload::set`] finds a place for a value at the path.
    ///
    /// # Errors
    /// The one that it would give.
    pub fn can_set(&self, path: &Path) -> Result<(), ChangeError> {
        self.places(path).map(drop)
    }

    /// Puts a copy of the value at `from` to `to`, like [`Payload::set`]. Where `from` is not definite, the copy is an
    /// array of all that was found, as in Bender.
    ///
    /// ```
    /// # use payload::{Arena, Output, Path};
    /// let mut arena = Arena::new();
    /// let mut event = arena.parse_slice(br#"{"a": [{"k": 1}, {"k": 2}]}"#)?;
    /// event.copy_value(&Path::new("$.a[*].k").unwrap(), &Path::new("$.all").unwrap())?;
    /// assert_eq!(event.get(&Path::new("$.all").unwrap()).unwrap().to_text(), "[1,2]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Missing`](ChangeError::Missing) if there is nothing at `from`; otherwise those of [`Payload::set`].
    pub fn copy_value(&mut self, from: &Path, to: &Path) -> Result<(), ChangeError> {
        let places = self.places(to)?;
        let mut deepest = self.depth;
        let depth = self.depth_of(to);
        let value = if from.is_definite() {
            let value = self.get(from).ok_or(ChangeError::Missing)?.node;
            self.arena.copy_node(value, depth, &mut deepest)?
        } else {
            self.gather(from, depth, &mut deepest)?
        };
        self.put(to, &places, value, deepest)
    }

    /// An array of copies of all that an indefinite path finds.
    pub(crate) fn gather(&mut self, path: &Path, depth: u32, deepest: &mut u32) -> Result<u32, ChangeError> {
        if path.is_length() {
            return Err(ChangeError::WrongPath);
        }
        let array = self.arena.push(Node::new(Kind::Array));
        let mut last = NIL;
        for found in find::all(self.arena, self.root, &path.steps) {
            let copy = self.arena.copy_node(found, depth + 1, deepest)?;
            self.arena.link(array, last, copy);
            last = copy;
        }
        if last == NIL { Err(ChangeError::Missing) } else { Ok(array) }
    }

    /// Takes out what is at the path; whether there was anything. Where a path such as `$..[?(@.a)]` finds the event itself, that stays.
    ///
    /// # Errors
    /// [`WrongParent`](ChangeError::WrongParent) if what would hold it is neither object nor array. Of `$`: `WrongPath`.
    pub fn remove(&mut self, path: &Path) -> Result<bool, ChangeError> {
        let Some((last, parents)) = path.steps.split_last() else { return Err(ChangeError::WrongPath) };
        if path.is_length() {
            return Err(ChangeError::WrongPath);
        }
        if !path.is_definite() {
            let mut gone = find::all(self.arena, self.root, &path.steps);
            gone.sort_unstable();
            return Ok(!gone.is_empty() && self.arena.detach_all(self.root, &gone));
        }
        let parent = match self.descend(parents) {
            Ok(parent) => parent,
            Err(ChangeError::MissingParent) => return Ok(false),
            Err(error) => return Err(error),
        };
        let inside = Value { arena: self.arena, node: parent };
        fits(inside.kind(), last)?;
        let Some(gone) = inside.step(last).map(|value| value.node) else { return Ok(false) };
        self.arena.detach(parent, gone);
        self.touch(parents);
        Ok(true)
    }

    /// Gives the member at the path another name, in the same place. Another member that had that name is taken out.
    ///
    /// # Errors
    /// `Missing`, `MissingParent`, `WrongParent`; `WrongPath` if the path does not end in a name.
    pub fn rename(&mut self, path: &Path, name: &Name) -> Result<(), ChangeError> {
        let (Some((Step::Key(old), parents)), true) = (path.steps.split_last(), path.is_definite()) else {
            return Err(ChangeError::WrongPath);
        };
        let parent = self.descend(parents)?;
        let inside = Value { arena: self.arena, node: parent };
        if inside.kind() != Kind::Object {
            return Err(ChangeError::WrongParent(inside.kind()));
        }
        let node = inside.member(old).ok_or(ChangeError::Missing)?.node;
        match inside.member(name).map(|value| value.node) {
            Some(same) if same == node => return Ok(()),
            Some(other) => self.arena.detach(parent, other),
            None => {}
        }
        self.arena.nodes[node as usize].key = name.intern(&mut self.arena.keys);
        self.touch(parents);
        Ok(())
    }

    /// Makes the value at the path the whole event.
    ///
    /// # Errors
    /// `Missing`; `WrongPath` if the path is not definite.
    pub fn promote(&mut self, path: &Path) -> Result<(), ChangeError> {
        if !path.is_definite() {
            return Err(ChangeError::WrongPath);
        }
        self.root = self.get(path).ok_or(ChangeError::Missing)?.node;
        Ok(())
    }

    /// Another event with the same content, to be changed and written while this one waits. Neither sees what happens
    /// to the other.
    ///
    /// The copy's memory is free again when this event's is: with the next parse, or the next element of a split.
    ///
    /// # Errors
    /// [`TooLarge`](ChangeError::TooLarge) past [`Limits::made`](crate::Limits::made).
    pub fn copy(&mut self) -> Result<Payload<'_>, ChangeError> {
        let mut depth = 0;
        let root = self.arena.copy_node(self.root, 0, &mut depth)?;
        Ok(Payload { arena: self.arena, root, depth })
    }

    /// How many containers lie around a value at the path.
    fn depth_of(&self, path: &Path) -> u32 {
        if path.is_definite() { u32::try_from(path.steps.len()).unwrap_or(u32::MAX) } else { self.depth }
    }

    /// Where `set` is to put a value: the parent for a definite path, else what is to be replaced.
    fn places(&self, path: &Path) -> Result<Vec<u32>, ChangeError> {
        if path.is_length() {
            return Err(ChangeError::WrongPath);
        }
        if !path.is_definite() {
            let found = find::all(self.arena, self.root, &path.steps);
            return if found.is_empty() { Err(ChangeError::Missing) } else { Ok(found) };
        }
        if let Some((last, parents)) = path.steps.split_last() {
            let parent = Value { arena: self.arena, node: self.descend(parents)? };
            fits(parent.kind(), last)?;
            if matches!(last, Step::Index(_)) && parent.step(last).is_none() {
                return Err(ChangeError::Missing);
            }
        }
        Ok(vec![])
    }

    fn put(&mut self, path: &Path, places: &[u32], value: u32, deepest: u32) -> Result<(), ChangeError> {
        if !path.is_definite() {
            return self.replace_all(places, value, deepest);
        }
        let Some((last, parents)) = path.steps.split_last() else {
            (self.root, self.depth) = (value, deepest);
            return Ok(());
        };
        let parent = self.descend(parents)?;
        if let Step::Key(name) = last {
            let key = name.intern(&mut self.arena.keys);
            self.arena.insert(parent, key, value);
        } else {
            let found = Value { arena: self.arena, node: parent }.step(last).ok_or(ChangeError::Missing)?.node;
            let value = self.arena.nodes[value as usize];
            self.arena.nodes[found as usize].assign(value);
        }
        self.touch(parents);
        self.depth = deepest;
        Ok(())
    }

    /// Each place gets a value of its own.
    fn replace_all(&mut self, places: &[u32], value: u32, mut deepest: u32) -> Result<(), ChangeError> {
        let depth = self.depth;
        for &place in places {
            let copy = self.arena.copy_node(value, depth, &mut deepest)?;
            let copy = self.arena.nodes[copy as usize];
            self.arena.nodes[place as usize].assign(copy);
        }
        self.arena.touch_all(self.root);
        self.depth = deepest.min(MAX_MADE_DEPTH);
        Ok(())
    }

    /// The container that the steps of a definite path lead to.
    pub(crate) fn descend(&self, steps: &[Step]) -> Result<u32, ChangeError> {
        let mut value = self.root();
        for step in steps {
            fits(value.kind(), step)?;
            value = value.step(step).ok_or(ChangeError::MissingParent)?;
        }
        Ok(value.node)
    }

    /// Notes that the container at the end of `steps` changed.
    pub(crate) fn touch(&mut self, steps: &[Step]) {
        let mut node = self.root;
        self.arena.nodes[node as usize].flags &= !VERBATIM;
        for step in steps {
            match (Value { arena: self.arena, node }).step(step) {
                Some(value) => node = value.node,
                None => return,
            }
            self.arena.nodes[node as usize].flags &= !VERBATIM;
        }
    }
}

/// Whether a value of this kind can hold what the step leads to.
fn fits(kind: Kind, step: &Step) -> Result<(), ChangeError> {
    match (step, kind) {
        (Step::Key(_), Kind::Object) | (Step::Index(_), Kind::Array) => Ok(()),
        _ => Err(ChangeError::WrongParent(kind)),
    }
}

impl Arena {
    /// Makes `node` the child of `parent` that follows `last`.
    #[inline(always)]
    pub(crate) fn link(&mut self, parent: u32, last: u32, node: u32) {
        match last {
            NIL => self.nodes[parent as usize].child = node,
            last => self.nodes[last as usize].next = node,
        }
    }

    /// Puts a value under a key of an object, at the end if the key is new.
    pub(crate) fn insert(&mut self, object: u32, key: u32, value: u32) {
        let (mut last, mut child) = (NIL, self.nodes[object as usize].child);
        while child != NIL {
            if self.nodes[child as usize].key == key {
                let value = self.nodes[value as usize];
                self.nodes[child as usize].assign(value);
                return;
            }
            (last, child) = (child, self.nodes[child as usize].next);
        }
        let entry = &mut self.nodes[value as usize];
        (entry.key, entry.next) = (key, NIL);
        self.link(object, last, value);
    }

    /// Takes a child out of its container.
    fn detach(&mut self, parent: u32, gone: u32) {
        let after = self.nodes[gone as usize].next;
        let (mut last, mut child) = (NIL, self.nodes[parent as usize].child);
        while child != gone && child != NIL {
            (last, child) = (child, self.nodes[child as usize].next);
        }
        self.link(parent, last, after);
    }

    /// Takes out all of `gone` (sorted) from inside `container`; whether there was any.
    fn detach_all(&mut self, container: u32, gone: &[u32]) -> bool {
        let (mut last, mut child) = (NIL, self.nodes[container as usize].child);
        let mut changed = false;
        while child != NIL {
            let node = self.nodes[child as usize];
            if gone.binary_search(&child).is_ok() {
                self.link(container, last, node.next);
                changed = true;
            } else {
                changed |= node.is_container() && self.detach_all(child, gone);
                last = child;
            }
            child = node.next;
        }
        if changed {
            self.nodes[container as usize].flags &= !VERBATIM;
        }
        changed
    }

    /// Notes that any container in `node` may have changed.
    pub(crate) fn touch_all(&mut self, node: u32) {
        self.nodes[node as usize].flags &= !VERBATIM;
        let mut child = self.nodes[node as usize].child;
        while child != NIL {
            self.touch_all(child);
            child = self.nodes[child as usize].next;
        }
    }
}
