//! Writing as Gson does: nulls left out, HTML characters escaped or not.
//!
//! Most events have neither, so text is looked at 16 bytes at a time and copied whole wherever nothing is found.

use crate::{
    arena::Arena,
    escape::{self, unicode},
    node::{ESCAPED, Kind, NIL, NO_NULLS, Node, VERBATIM},
    scan,
    write::{Output, Style},
};
use std::ops::Range;

/// A walk over one event.
struct Walk<'a> {
    arena: &'a Arena,
    out: &'a mut Output,
    html: bool,
    /// The outermost container whose text is known: looking for what needs a change goes on to its end, as what follows in it is
    /// asked about next. So each byte is looked at about once, in long runs.
    around: Range<usize>,
    /// Text in which nothing needs a change. Behind it something does, or the container ends.
    plain: Range<usize>,
}

impl Output {
    pub(crate) fn styled(&mut self, style: Style, arena: &Arena, node: &Node) {
        let html = match style {
            Style::Plain => return self.value(arena, node),
            Style::Gson => true,
            Style::GsonText => false,
        };
        Walk { arena, out: self, html, around: 0..0, plain: 0..0 }.value(node);
    }
}

impl Walk<'_> {
    fn value(&mut self, node: &Node) {
        match node.kind {
            Kind::Object | Kind::Array => {
                let text = node.start as usize..(node.start + node.len) as usize;
                if !self.around.contains(&text.start) {
                    self.around = text.clone();
                }
                let untouched = node.flags & (VERBATIM | NO_NULLS) == VERBATIM | NO_NULLS;
                if untouched && self.is_plain(text) {
                    self.out.put(&self.arena.text, (node.start, node.len));
                } else {
                    self.container(node);
                }
            }
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
                let raw = self.arena.keys.raw(entry.key);
                spell(raw, 0, raw.len(), self.html, self.out);
                self.out.push(b':');
            } else {
                self.out.put(&self.arena.keys.bytes, self.arena.keys.spans[entry.key as usize]);
            }
            self.value(entry);
        }
        self.out.bracket(object, begin);
    }

    /// Whether nothing in this part of the text may be written otherwise.
    #[inline(always)]
    fn is_plain(&mut self, text: Range<usize>) -> bool {
        if text.end <= self.plain.end && text.start >= self.plain.start {
            return true;
        }
        // Neither behind what is known, nor from where the container has ended.
        if (self.plain.start..self.plain.end).contains(&text.start) && self.plain.end < self.around.end {
            return false;
        }
        let until = if self.around.contains(&text.start) { self.around.end.max(text.end) } else { text.end };
        self.plain = text.start..scan::html_stop(&self.arena.text, text.start, until, self.html);
        text.end <= self.plain.end
    }

    #[inline(always)]
    fn string(&mut self, node: &Node) {
        let (start, len) = (node.start as usize, node.len as usize);
        if node.flags & ESCAPED != 0 || !scan::is_plain(&self.arena.text, start, len, self.html) {
            spell(&self.arena.text, start + 1, start + len - 1, self.html, self.out);
        } else {
            self.out.put(&self.arena.text, (node.start, node.len));
        }
    }
}

/// Appends a string as Gson spells it; its JSON text, without quotes, is `text[start..end]`.
fn spell(text: &[u8], start: usize, end: usize, html: bool, out: &mut Output) {
    out.push(b'"');
    let (mut from, mut at) = (start, start);
    loop {
        at = scan::html_stop(text, at, end, html);
        let rest = text.get(at..end).unwrap_or_default();
        let (escape, len) = match rest {
            [] => break,
            // These escapes are Gson's own.
            [b'\\', b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f', ..] => {
                at += 2;
                continue;
            }
            // Any other is not needed, or spelled in another way; rare enough that what follows may take longer.
            [b'\\', ..] => {
                out.part(text, from, at);
                escape::pieces(rest, |piece| match piece {
                    Ok(text) => spell_text(text, html, out),
                    Err(surrogate) => out.extend_from_slice(&unicode(surrogate)),
                });
                return out.push(b'"');
            }
            [0xe2, ..] => {
                let Some(escape) = separator(rest) else {
                    at += 1;
                    continue;
                };
                (escape, 3)
            }
            [byte, ..] => (unicode(u16::from(*byte)), 1),
        };
        out.part(text, from, at);
        out.extend_from_slice(&escape);
        at += len;
        from = at;
    }
    out.part(text, from, end);
    out.push(b'"');
}

/// The escape of a line or paragraph separator: plain characters to JSON, line ends to JavaScript.
fn separator(text: &[u8]) -> Option<[u8; 6]> {
    match text {
        [0xe2, 0x80, 0xa8, ..] => Some(unicode(0x2028)),
        [0xe2, 0x80, 0xa9, ..] => Some(unicode(0x2029)),
        _ => None,
    }
}

/// Appends unescaped text, escaped as Gson does.
fn spell_text(text: &[u8], html: bool, out: &mut Output) {
    let mut from = 0;
    for (at, &byte) in text.iter().enumerate() {
        let ((escape, escape_len), len) = match byte {
            b'<' | b'>' | b'&' | b'=' | b'\'' if html => ((unicode(u16::from(byte)), 6), 1),
            0xe2 => match separator(&text[at..]) {
                Some(escape) => ((escape, 6), 3),
                None => continue,
            },
            b'"' | b'\\' | 0..0x20 => (escape::escaped(byte), 1),
            _ => continue,
        };
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(&escape[..escape_len]);
        from = at + len;
    }
    out.extend_from_slice(&text[from..]);
}
