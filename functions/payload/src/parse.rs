//! Strict RFC 8259 parser: text to tape, in one pass.
//!
//! A zero follows the text that is parsed (see [`scan::PAD`]), and no token of JSON holds one: so nothing here asks
//! whether the text has ended.

use crate::{
    error::JsonError,
    escape,
    keys::Keys,
    node::{ESCAPED, Kind, NIL, NO_NULLS, Node, VERBATIM, narrow},
    scan,
    shape::Shapes,
};

/// How many containers inside containers an input may have. A deeper one is an error: recursion over it would end the
/// process, not the event.
pub const MAX_DEPTH: u32 = 512;

pub(crate) const TOO_DEEP: &str = "nested deeper than 512 levels";

pub(crate) struct Parser<'a> {
    pub text: &'a [u8],
    pub nodes: &'a mut Vec<Node>,
    pub keys: &'a mut Keys,
    pub shapes: &'a mut Shapes,
    pub serial: &'a mut u32,
    /// White space and repeated keys met so far: what keeps a container from being copied verbatim.
    pub blemishes: usize,
    /// Nulls met so far.
    pub nulls: usize,
    pub error: JsonError,
}

/// Marks a failure whose details lie in `Parser::error`, so that results fit in registers.
pub(crate) struct Failed;
type Step = Result<usize, Failed>;

impl Parser<'_> {
    /// Parses the one value that begins at `at`; its node is the first one pushed. Gives where the value ends.
    pub(crate) fn root(&mut self, at: usize, depth: u32) -> Step {
        self.value(at, NIL, 0, depth)
    }

    #[cold]
    fn fail(&mut self, offset: usize, reason: &'static str) -> Step {
        self.refuse(JsonError { offset, reason })
    }

    #[cold]
    fn refuse(&mut self, error: JsonError) -> Step {
        self.error = error;
        Err(Failed)
    }

    #[inline(always)]
    pub(crate) fn space(&mut self, at: usize) -> usize {
        if self.text[at] > b' ' {
            return at;
        }
        let after = scan::skip_space(self.text, at);
        self.blemishes += after - at;
        after
    }

    #[inline(always)]
    fn push(&mut self, key: u32, kind: Kind, start: usize, end: usize, flags: u8) {
        let (start, len) = (narrow(start), narrow(end - start));
        self.nodes.push(Node { key, start, len, next: NIL, child: NIL, kind, flags });
    }

    #[inline(always)]
    fn value(&mut self, at: usize, key: u32, shape: u32, depth: u32) -> Step {
        match self.text[at] {
            b'"' => {
                let mut end = scan::string_stop(self.text, at + 1);
                let mut flags = 0;
                if self.text[end] != b'"' {
                    end = self.string_end(end)?;
                    flags = ESCAPED;
                }
                self.push(key, Kind::String, at, end + 1, flags);
                Ok(end + 1)
            }
            b'{' => self.object(at, key, shape, depth),
            b'[' => self.array(at, key, shape, depth),
            b'-' | b'0'..=b'9' => match scan::number(self.text, at) {
                Ok((end, kind)) => {
                    self.push(key, kind, at, end, 0);
                    Ok(end)
                }
                Err(error) => self.refuse(error),
            },
            _ => match scan::literal(self.text, at) {
                Some((end, kind)) => {
                    self.nulls += usize::from(kind == Kind::Null);
                    self.push(key, kind, at, end, 0);
                    Ok(end)
                }
                None => self.fail(at, "expected a value"),
            },
        }
    }

    #[cold]
    fn string_end(&mut self, at: usize) -> Step {
        scan::string_end(self.text, at).or_else(|error| self.refuse(error))
    }

    /// Ends the container pushed as `node`.
    #[inline(always)]
    fn close(&mut self, node: usize, start: usize, end: usize, child: u32, before: (usize, usize)) -> usize {
        let verbatim = if self.blemishes == before.0 { VERBATIM } else { 0 };
        let flags = if self.nulls == before.1 { verbatim | NO_NULLS } else { verbatim };
        let node = &mut self.nodes[node];
        node.len = narrow(end - start);
        node.child = child;
        node.flags = flags;
        end
    }

    #[inline(never)]
    fn array(&mut self, start: usize, key: u32, shape: u32, depth: u32) -> Step {
        let (node, before) = (self.nodes.len(), (self.blemishes, self.nulls));
        self.push(key, Kind::Array, start, start, 0);
        let Some(depth) = depth.checked_sub(1) else { return self.fail(start, TOO_DEEP) };
        let mut at = self.space(start + 1);
        if self.text[at] == b']' {
            return Ok(self.close(node, start, at + 1, NIL, before));
        }
        let shape = self.shapes.element(shape);
        let mut last = NIL;
        loop {
            let new = narrow(self.nodes.len());
            at = self.value(at, NIL, shape, depth)?;
            if last != NIL {
                self.nodes[last as usize].next = new;
            }
            last = new;
            at = self.space(at);
            match self.text[at] {
                b',' => at = self.space(at + 1),
                b']' => return Ok(self.close(node, start, at + 1, narrow(node) + 1, before)),
                _ => return self.fail(at, "expected `,` or `]`"),
            }
        }
    }

    #[inline(never)]
    fn object(&mut self, start: usize, key: u32, shape: u32, depth: u32) -> Step {
        let (node, before) = (self.nodes.len(), (self.blemishes, self.nulls));
        self.push(key, Kind::Object, start, start, 0);
        let Some(depth) = depth.checked_sub(1) else { return self.fail(start, TOO_DEEP) };
        let mut at = self.space(start + 1);
        if self.text[at] == b'}' {
            return Ok(self.close(node, start, at + 1, NIL, before));
        }
        *self.serial = self.serial.wrapping_add(1);
        let serial = *self.serial;
        let (mut last, mut previous) = (NIL, NIL);
        let mut guess = self.shapes.list[shape as usize].first;
        loop {
            if self.text[at] != b'"' {
                return self.fail(at, "expected a key in double quotes");
            }
            let member;
            if let Some(end) = self.shapes.matches(guess, self.keys, self.text, at + 1) {
                (member, at) = (guess, end);
            } else {
                (member, at) = self.unexpected_key(at, shape, previous)?;
            }
            at = self.space(at);
            if self.text[at] != b':' {
                return self.fail(at, "expected `:`");
            }
            at = self.space(at + 1);
            let new = narrow(self.nodes.len());
            let entry = &mut self.shapes.list[member as usize];
            let (key, stamp) = (entry.key, entry.stamp);
            guess = entry.next;
            if stamp.serial != serial {
                entry.stamp.serial = serial;
                entry.stamp.node = new;
            }
            at = self.value(at, key, member, depth)?;
            if stamp.serial == serial {
                // A repeated key: the last value wins, in the first one's place.
                self.blemishes += 1;
                let value = self.nodes[new as usize];
                self.nodes[stamp.node as usize].assign(value);
            } else {
                if last != NIL {
                    self.nodes[last as usize].next = new;
                }
                last = new;
            }
            previous = member;
            at = self.space(at);
            match self.text[at] {
                b',' => at = self.space(at + 1),
                b'}' => return Ok(self.close(node, start, at + 1, narrow(node) + 1, before)),
                _ => return self.fail(at, "expected `,` or `}`"),
            }
        }
    }

    /// Finds or makes the shape of the key at `at`, and expects it here the next time.
    #[inline(never)]
    fn unexpected_key(&mut self, at: usize, parent: u32, before: u32) -> Result<(u32, usize), Failed> {
        let mut end = scan::string_stop(self.text, at + 1);
        let key = if self.text[end] == b'"' {
            self.keys.intern(&self.text[at + 1..end])
        } else {
            end = self.string_end(end)?;
            self.keys.intern(&escape::canonical(&self.text[at + 1..end]))
        };
        let member = self.shapes.member(parent, key, self.keys);
        match before {
            NIL => self.shapes.list[parent as usize].first = member,
            before => self.shapes.list[before as usize].next = member,
        }
        Ok((member, end + 1))
    }
}
