//! Writing as Gson does: nulls left out, HTML characters escaped.
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
    /// A stretch of text in which nothing needs a change; if `stopped`, something behind it may.
    from: usize,
    clean: usize,
    stopped: bool,
}

impl Output {
    pub(crate) fn styled(&mut self, style: Style, arena: &Arena, node: &Node) {
        match style {
            Style::Plain => self.value(arena, node),
            Style::Gson => Walk { arena, out: self, from: 0, clean: 0, stopped: false }.value(node),
        }
    }
}

impl Walk<'_> {
    fn value(&mut self, node: &Node) {
        let (start, end) = (node.start as usize, (node.start + node.len) as usize);
        match node.kind {
            Kind::Object | Kind::Array if node.flags & VERBATIM != 0 && self.is_clean(start, end) => {
                self.out.put(&self.arena.text, (node.start, node.len));
            }
            Kind::Object | Kind::Array => self.container(node),
            Kind::String => self.string(node.flags & ESCAPED != 0, start, end),
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
                self.out.extend_from_slice(b",\"");
                escape_html(self.arena.keys.raw(entry.key), self.out);
                self.out.extend_from_slice(b"\":");
            } else {
                self.out.put(&self.arena.keys.bytes, self.arena.keys.spans[entry.key as usize]);
            }
            self.value(entry);
        }
        self.out.bracket(object, begin);
    }

    /// Whether `text[start..end]` can be written as it stands. Containers are asked about from left to right and from
    /// the outside in, so each byte is looked at about once.
    fn is_clean(&mut self, start: usize, end: usize) -> bool {
        if !(self.from..=self.clean).contains(&start) {
            (self.from, self.clean, self.stopped) = (start, start, false);
        }
        if end > self.clean && !self.stopped {
            let stop = scan::html_stop(&self.arena.text, self.clean, end);
            let null = memchr::memmem::find(&self.arena.text[self.clean..stop], b"null");
            self.clean = null.map_or(stop, |null| self.clean + null);
            self.stopped = self.clean < end;
        }
        end <= self.clean
    }

    fn string(&mut self, escaped: bool, start: usize, end: usize) {
        let text = &self.arena.text[start..end];
        if escaped {
            self.out.push(b'"');
            escape_html(&escape::canonical(text.get(1..text.len() - 1).unwrap_or_default()), self.out);
            self.out.push(b'"');
        } else if scan::html_stop(&self.arena.text, start, end) < end {
            escape_html(text, self.out);
        } else {
            self.out.extend_from_slice(text);
        }
    }
}

/// Appends text of a JSON string, with Gson's escapes beyond JSON's own.
fn escape_html(raw: &[u8], out: &mut Output) {
    let mut from = 0;
    for (at, &byte) in raw.iter().enumerate() {
        let (unit, len) = match byte {
            b'<' | b'>' | b'&' | b'=' | b'\'' => (u16::from(byte), 1),
            // Line and paragraph separator: white space to JSON, line ends to JavaScript.
            0xe2 if raw[at..].starts_with(&[0xe2, 0x80, 0xa8]) => (0x2028, 3),
            0xe2 if raw[at..].starts_with(&[0xe2, 0x80, 0xa9]) => (0x2029, 3),
            _ => continue,
        };
        out.extend_from_slice(&raw[from..at]);
        out.extend_from_slice(&unicode(unit));
        from = at + len;
    }
    out.extend_from_slice(&raw[from..]);
}
