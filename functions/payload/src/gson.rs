//! Writing as Gson does: nulls left out, HTML characters escaped or not.
//!
//! Most events have neither, so text is looked at 16 bytes at a time and copied whole wherever nothing is found.

use crate::{
    arena::Arena,
    escape::{self, unicode},
    node::{ESCAPED, Kind, NIL, Node, VERBATIM},
    scan,
    write::{Output, Style},
};

/// A walk over one event.
struct Walk<'a> {
    arena: &'a Arena,
    out: &'a mut Output,
    html: bool,
    /// A stretch of text in which nothing needs a change; if `stopped`, something behind it may.
    from: usize,
    clean: usize,
    stopped: bool,
}

impl Output {
    pub(crate) fn styled(&mut self, style: Style, arena: &Arena, node: &Node) {
        let html = match style {
            Style::Plain => return self.value(arena, node),
            Style::Gson => true,
            Style::GsonText => false,
        };
        Walk { arena, out: self, html, from: 0, clean: 0, stopped: false }.value(node);
    }
}

impl Walk<'_> {
    fn value(&mut self, node: &Node) {
        match node.kind {
            Kind::Object | Kind::Array if node.flags & VERBATIM == 0 || !self.is_clean(node) => self.container(node),
            Kind::String => self.string(node),
            _ => self.out.put(&self.arena.text, (node.start, node.len)),
        }
    }

    fn container(&mut self, node: &Node) {
        let object = node.kind == Kind::Object;
        let begin = self.out.len();
        let mut child = node.child;
        while child != NIL {
            let entry = &self.arena.nodes[child as usize];
            child = entry.next;
            if !object {
                self.out.push(b',');
            } else if entry.kind == Kind::Null {
                continue;
            } else if self.arena.keys.is_html(entry.key) {
                self.out.push(b',');
                spell(self.arena.keys.raw(entry.key), self.html, self.out);
                self.out.push(b':');
            } else {
                self.out.put(&self.arena.keys.bytes, self.arena.keys.spans[entry.key as usize]);
            }
            self.value(entry);
        }
        self.out.bracket(object, begin);
    }

    /// Whether a container's text can be written as it stands. Containers are asked about from left to right and from
    /// the outside in, so each byte is looked at about once.
    fn is_clean(&mut self, node: &Node) -> bool {
        let (start, end) = (node.start as usize, (node.start + node.len) as usize);
        if !(self.from..=self.clean).contains(&start) {
            (self.from, self.clean, self.stopped) = (start, start, false);
        }
        if end > self.clean && !self.stopped {
            let stop = self.stop(self.clean, end);
            let null = memchr::memmem::find(&self.arena.text[self.clean..stop], b"null");
            self.clean = null.map_or(stop, |null| self.clean + null);
            self.stopped = self.clean < end;
        }
        end <= self.clean
    }

    /// The first byte of `text[start..end]` that may be written otherwise; `end` if there is none.
    #[inline(always)]
    fn stop(&self, start: usize, end: usize) -> usize {
        if self.html {
            return scan::html_stop(&self.arena.text, start, end);
        }
        memchr::memchr2(b'\\', 0xe2, &self.arena.text[start..end]).map_or(end, |at| start + at)
    }

    fn string(&mut self, node: &Node) {
        let (start, end) = (node.start as usize, (node.start + node.len) as usize);
        if node.flags & ESCAPED != 0 || self.stop(start, end) < end {
            spell(self.arena.text.get(start + 1..end - 1).unwrap_or_default(), self.html, self.out);
        } else {
            self.out.put(&self.arena.text, (node.start, node.len));
        }
    }
}

/// Appends a string as Gson spells it; `raw` is its JSON text without quotes.
fn spell(raw: &[u8], html: bool, out: &mut Output) {
    out.push(b'"');
    escape::pieces(raw, |piece| match piece {
        Ok(text) => spell_text(text, html, out),
        Err(surrogate) => out.extend_from_slice(&unicode(surrogate)),
    });
    out.push(b'"');
}

fn spell_text(text: &[u8], html: bool, out: &mut Output) {
    let mut from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let ((escape, escape_len), len) = match byte {
            b'<' | b'>' | b'&' | b'=' | b'\'' if html => ((unicode(u16::from(byte)), 6), 1),
            // Line and paragraph separator: plain characters to JSON, line ends to JavaScript.
            0xe2 if text[at..].starts_with("\u{2028}".as_bytes()) => ((unicode(0x2028), 6), 3),
            0xe2 if text[at..].starts_with("\u{2029}".as_bytes()) => ((unicode(0x2029), 6), 3),
            b'"' | b'\\' | 0..0x20 => (escape::escaped(byte), 1),
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(&escape[..escape_len]);
        from = at + len;
    }
    out.extend_from_slice(&text[from..]);
}
