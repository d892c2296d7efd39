//! Objects on the way to a value.

use crate::{
    arena::MAX_MADE_DEPTH,
    error::ChangeError,
    name::Name,
    node::{Kind, Node},
    path::{Path, Step},
    payload::Payload,
    value::Value,
};

impl Path {
    /// The name that a member at this path must get to be at `other`, if a [rename](Payload::rename) is all it takes.
    ///
    /// ```
    /// # use payload::Path;
    /// let [a, b, c] = ["$.x.a", "$.x.b", "$.y.a"].map(|path| Path::new(path).unwrap());
    /// assert_eq!(a.name_at(&b).map(|name| name.as_str()), Some("b"));
    /// assert_eq!(a.name_at(&c).map(|name| name.as_str()), None);
    /// ```
    pub fn name_at<'o>(&self, other: &'o Self) -> Option<&'o Name> {
        match (self.steps.split_last()?, other.steps.split_last()?) {
            ((Step::Key(_), from), (Step::Key(name), to)) if from == to && self.is_definite() => Some(name),
            _ => None,
        }
    }
}

impl Payload<'_> {
    /// Makes the objects that are missing on the way to a definite path, so that a value can be [set](Payload::set) there.
    ///
    /// ```
    /// # use payload::{Arena, Output, Path};
    /// let (mut arena, mut out) = (Arena::new(), Output::new());
    /// let mut event = arena.parse_slice(br#"{"a": {}}"#)?;
    /// let path = Path::new("$.a.b.c")?;
    /// event.make_way(&path)?;
    /// event.set(&path, 1)?;
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"a":{"b":{"c":1}}}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`WrongParent`](ChangeError::WrongParent) where something else is on the way; `TooDeep`, `TooLarge`; `MissingParent` for an element
    /// that is not there. `WrongPath` if the path is not definite.
    pub fn make_way(&mut self, path: &Path) -> Result<(), ChangeError> {
        if !path.is_definite() {
            return Err(ChangeError::WrongPath);
        }
        for at in 1..path.steps.len() {
            let (steps, _) = path.steps.split_at(at);
            let Some((last, parents)) = steps.split_last() else { continue };
            let parent = self.descend(parents)?;
            let inside = Value { arena: self.arena, node: parent };
            match last {
                Step::Key(name) if inside.kind() == Kind::Object => {
                    if inside.member(name).is_some() {
                        continue;
                    }
                    let depth = u32::try_from(at).unwrap_or(u32::MAX);
                    if depth >= MAX_MADE_DEPTH {
                        return Err(ChangeError::TooDeep);
                    }
                    self.arena.spend(size_of::<Node>())?;
                    let key = name.intern(&mut self.arena.keys);
                    let object = self.arena.push(Node::new(Kind::Object));
                    self.arena.insert(parent, key, object);
                    self.touch(parents);
                    self.depth = self.depth.max(depth + 1);
                }
                // What is on the way says so itself.
                _ => _ = self.descend(steps)?,
            }
        }
        Ok(())
    }
}
