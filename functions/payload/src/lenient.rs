//! JSON as Gson's lenient reader takes it, written as strict JSON. The slow path, after the strict parser refused.
//!
//! It follows `JsonReader` of Gson 2.8 with `setLenient(true)`, and `JsonParser`, which is strict again about what
//! stands behind the value. Unlike it, text that is not UTF-8 is refused, and long numbers stay numbers.

use crate::{
    error::JsonError,
    escape,
    parse::{MAX_DEPTH, TOO_DEEP},
    scan::{self, PAD},
};

/// Bytes of text that are read so: what comes out can be six times as much.
const MAX_TEXT: usize = 256 << 20;

/// Strict JSON that says what `text`, which is UTF-8, says leniently.
pub(crate) fn to_strict(text: &[u8]) -> Result<Vec<u8>, JsonError> {
    if text.len() > MAX_TEXT {
        return Err(JsonError { offset: 0, reason: "not strict JSON, and more than 256 MiB" });
    }
    let mut padded = Vec::with_capacity(text.len() + PAD);
    padded.extend_from_slice(text);
    padded.extend_from_slice(&[0; PAD]);
    let mut reader = Reader { text: &padded, end: text.len(), at: 0, out: Vec::with_capacity(text.len()) };
    if text.starts_with("\u{feff}".as_bytes()) {
        reader.at = 3;
    }
    reader.prefix()?;
    reader.value(MAX_DEPTH)?;
    let after = scan::skip_space(&padded, reader.at);
    if after < text.len() {
        return Err(JsonError { offset: after, reason: "text after the value" });
    }
    Ok(reader.out)
}

struct Reader<'a> {
    text: &'a [u8],
    /// Padding follows.
    end: usize,
    at: usize,
    out: Vec<u8>,
}

/// Whether a byte can be part of a name or value without quotes.
fn is_bare(byte: u8) -> bool {
    !matches!(byte, b'/' | b'\\' | b';' | b'#' | b'=' | b'{' | b'}' | b'[' | b']' | b':' | b',' | b' ')
        && !matches!(byte, b'\t' | 0x0c | b'\r' | b'\n')
}

impl Reader<'_> {
    fn error<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        Err(JsonError { offset: self.at, reason }.before(self.end))
    }

    /// What some web servers put before JSON so that browsers do not run it.
    fn prefix(&mut self) -> Result<(), JsonError> {
        self.space()?;
        if self.text[self.at..self.end].starts_with(b")]}'\n") {
            self.at += 5;
        }
        Ok(())
    }

    /// Skips white space and comments; the byte that follows, if any.
    fn space(&mut self) -> Result<Option<u8>, JsonError> {
        loop {
            self.at = scan::skip_space(self.text, self.at);
            let rest = &self.text[self.at..self.end];
            if rest.starts_with(b"/*") {
                let Some(len) = memchr::memmem::find(&rest[2..], b"*/") else {
                    return self.error("a comment without an end");
                };
                self.at += len + 4;
            } else if rest.starts_with(b"//") || rest.starts_with(b"#") {
                self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            } else {
                return Ok(rest.first().copied());
            }
        }
    }

    fn value(&mut self, depth: u32) -> Result<(), JsonError> {
        match self.space()? {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            _ => self.bare_value(),
        }
    }

    fn inner(&self, depth: u32) -> Result<u32, JsonError> {
        depth.checked_sub(1).map_or_else(|| self.error(TOO_DEEP), Ok)
    }

    fn array(&mut self, depth: u32) -> Result<(), JsonError> {
        let depth = self.inner(depth)?;
        self.at += 1;
        self.out.push(b'[');
        let mut first = true;
        loop {
            match self.space()? {
                Some(b']') if first => break,
                // Nothing where a value should be is null: `[1,,2]`, `[1,]`.
                Some(b']' | b',' | b';') => self.out.extend_from_slice(b"null"),
                _ => self.value(depth)?,
            }
            first = false;
            match self.space()? {
                Some(b']') => break,
                Some(b',' | b';') => self.at += 1,
                _ => return self.error("expected `,` or `]`"),
            }
            self.out.push(b',');
        }
        self.at += 1;
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: u32) -> Result<(), JsonError> {
        let depth = self.inner(depth)?;
        self.at += 1;
        self.out.push(b'{');
        let mut first = true;
        loop {
            match self.space()? {
                Some(b'}') if first => break,
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote)?,
                Some(byte) if is_bare(byte) => {
                    let name = self.bare();
                    self.write(&name);
                }
                _ => return self.error("expected a name"),
            }
            first = false;
            match self.space()? {
                Some(b':') => self.at += 1,
                Some(b'=') => self.at += if self.text[self.at + 1] == b'>' { 2 } else { 1 },
                _ => return self.error("expected `:`"),
            }
            self.out.push(b':');
            self.value(depth)?;
            match self.space()? {
                Some(b'}') => break,
                Some(b',' | b';') => self.at += 1,
                _ => return self.error("expected `,` or `}`"),
            }
            self.out.push(b',');
        }
        self.at += 1;
        self.out.push(b'}');
        Ok(())
    }

    /// What stands here without quotes.
    fn bare(&mut self) -> String {
        let rest = &self.text[self.at..self.end];
        let len = rest.iter().position(|&byte| !is_bare(byte)).unwrap_or(rest.len());
        self.at += len;
        String::from_utf8_lossy(&rest[..len]).into_owned()
    }

    fn bare_value(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let text = self.bare();
        if text.is_empty() {
            return self.error("expected a value");
        }
        let keyword = ["true", "false", "null"].into_iter().find(|keyword| text.eq_ignore_ascii_case(keyword));
        let number = matches!(scan::number(self.text, start), Ok((end, _)) if end == self.at);
        match keyword {
            Some(keyword) => self.out.extend_from_slice(keyword.as_bytes()),
            None if number => self.out.extend_from_slice(text.as_bytes()),
            None => self.write(&text),
        }
        Ok(())
    }

    fn write(&mut self, text: &str) {
        self.out.push(b'"');
        escape::escape_into(text, &mut self.out);
        self.out.push(b'"');
    }

    /// A string in quotes of either kind; it may hold control characters and line breaks.
    fn quoted(&mut self, quote: u8) -> Result<(), JsonError> {
        self.at += 1;
        self.out.push(b'"');
        loop {
            let rest = &self.text[self.at..self.end];
            let len = rest.iter().position(|&byte| byte == quote || byte == b'\\').unwrap_or(rest.len());
            escape::escape_into(&String::from_utf8_lossy(&rest[..len]), &mut self.out);
            self.at += len;
            match rest.get(len) {
                None => return self.error(JsonError::EARLY),
                Some(b'\\') => self.escape()?,
                Some(_) => break,
            }
        }
        self.at += 1;
        self.out.push(b'"');
        Ok(())
    }

    fn escape(&mut self) -> Result<(), JsonError> {
        let rest = &self.text[self.at..self.end];
        let len = match rest.get(1) {
            Some(b'u') if rest.get(2..).is_some_and(|rest| escape::hex4(rest).is_some()) => 6,
            Some(b't' | b'b' | b'n' | b'r' | b'f' | b'"' | b'\\' | b'/') => 2,
            Some(b'\'') => {
                self.out.push(b'\'');
                self.at += 2;
                return Ok(());
            }
            Some(b'\n') => {
                self.out.extend_from_slice(b"\\n");
                self.at += 2;
                return Ok(());
            }
            _ => return self.error("an unknown escape in a string"),
        };
        self.out.extend_from_slice(&rest[..len]);
        self.at += len;
        Ok(())
    }
}
