//! Values that give way to texts.

use crate::{
    arena::Arena,
    error::ChangeError,
    find,
    new::New,
    node::{Kind, NIL, VERBATIM},
    path::Path,
    payload::Payload,
    value::Value,
};

/// Which values [`Payload::replace`] asks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replace {
    /// Those at the path, whatever they are.
    Values,
    /// The strings at the path and in what is there. Names are no strings.
    Strings,
}

impl Payload<'_> {
    /// Asks `rule` about each value, and puts the text that it writes in the value's place if it says true. The text is empty when it is
    /// asked. Whether anything changed.
    ///
    /// ```
    /// # use payload::{Arena, Output, Path, Replace};
    /// let (mut arena, mut out) = (Arena::new(), Output::new());
    /// let mut event = arena.parse_slice(br#"{"a": [{"k": 1}, {"k": "x"}], "x": "x"}"#)?;
    /// event.replace(&Path::new("$.a")?, Replace::Strings, |value, text| {
    ///     text.push_str("a string of ");
    ///     text.push_str(&value.as_str().unwrap_or_default().len().to_string());
    ///     true
    /// })?;
    /// event.write_to(&mut out);
    /// assert_eq!(&*out, br#"{"a":[{"k":1},{"k":"a string of 1"}],"x":"x"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`TooLarge`](ChangeError::TooLarge). What was replaced before stays replaced.
    pub fn replace(
        &mut self,
        path: &Path,
        which: Replace,
        mut rule: impl FnMut(Value<'_>, &mut String) -> bool,
    ) -> Result<bool, ChangeError> {
        let mut text = String::new();
        if !path.is_definite() {
            let mut changed = false;
            for found in find::all(self.arena, self.root, &path.steps) {
                changed |= self.arena.replace(found, which, &mut rule, &mut text)?;
            }
            if changed {
                self.arena.touch_all(self.root);
            }
            return Ok(changed);
        }
        let Some(found) = self.get(path).map(|value| value.node) else { return Ok(false) };
        let changed = self.arena.replace(found, which, &mut rule, &mut text)?;
        if let (true, Some((_, parents))) = (changed, path.steps.split_last()) {
            self.touch(parents);
        }
        Ok(changed)
    }
}

impl Arena {
    fn replace(
        &mut self,
        node: u32,
        which: Replace,
        rule: &mut impl FnMut(Value<'_>, &mut String) -> bool,
        text: &mut String,
    ) -> Result<bool, ChangeError> {
        let entry = self.nodes[node as usize];
        if which == Replace::Values || entry.kind == Kind::String {
            text.clear();
            let replaces = rule(Value { arena: self, node }, text);
            if replaces {
                let new = self.new_node(New::Text(text), 0, &mut 0)?;
                let new = self.nodes[new as usize];
                self.nodes[node as usize].assign(new);
            }
            return Ok(replaces);
        }
        let (mut child, mut changed) = (entry.child, false);
        while child != NIL {
            changed |= self.replace(child, which, rule, text)?;
            child = self.nodes[child as usize].next;
        }
        if changed {
            self.nodes[node as usize].flags &= !VERBATIM;
        }
        Ok(changed)
    }
}
