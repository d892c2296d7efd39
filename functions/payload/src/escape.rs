//! JSON string escapes, both ways.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends `text` escaped for JSON, without quotes.
pub(crate) fn escape_into(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        let (escape, len) = escaped(byte);
        out.extend_from_slice(&escape[..len]);
    }
    out.extend_from_slice(&bytes[from..]);
}

/// The escape of a quote, a backslash or a control byte, and its length.
pub(crate) fn escaped(byte: u8) -> ([u8; 6], usize) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => return (unicode(u16::from(byte)), 6),
    };
    ([b'\\', short, 0, 0, 0, 0], 2)
}

/// `\uXXXX`.
pub(crate) fn unicode(unit: u16) -> [u8; 6] {
    let digit = |shift: u16| HEX[usize::from(unit >> shift & 15)];
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}

/// The four hexadecimal digits at the beginning of `raw`.
pub(crate) fn hex4(raw: &[u8]) -> Option<u16> {
    let digits = raw.first_chunk::<4>()?;
    digits.iter().try_fold(0, |unit, &digit| {
        let value = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(value).ok()?)
    })
}

/// Calls `piece` with every run of plain text, every unescaped character, and every lone surrogate (as `Err`). Of a
/// string that is not JSON it gives what it can.
pub(crate) fn pieces(raw: &[u8], mut piece: impl FnMut(Result<&[u8], u16>)) {
    let mut rest = raw;
    while let Some(run) = memchr::memchr(b'\\', rest) {
        piece(Ok(&rest[..run]));
        let Some((&escape, after)) = rest[run + 1..].split_first() else { return };
        rest = after;
        let simple = match escape {
            b'n' => b"\n",
            b'r' => b"\r",
            b't' => b"\t",
            b'b' => b"\x08",
            b'f' => b"\x0c",
            b'"' => b"\"",
            b'\\' => b"\\",
            b'/' => b"/",
            _ => {
                let Some(unit) = hex4(rest) else { return };
                rest = &rest[4..];
                let low = rest.strip_prefix(b"\\u").and_then(hex4);
                let mut buffer = [0; 4];
                let pair = char::decode_utf16([unit].into_iter().chain(low)).next();
                match pair {
                    Some(Ok(character)) => {
                        if character.len_utf16() == 2 {
                            rest = &rest[6..];
                        }
                        piece(Ok(character.encode_utf8(&mut buffer).as_bytes()));
                    }
                    _ => piece(Err(unit)),
                }
                continue;
            }
        };
        piece(Ok(simple));
    }
    piece(Ok(rest));
}

/// The text that an escaped string (without its quotes) stands for. A lone surrogate becomes U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> Cow<'_, str> {
    if memchr::memchr(b'\\', raw).is_none() {
        return String::from_utf8_lossy(raw); // borrowed: the text was validated when it was loaded
    }
    let mut out = Vec::with_capacity(raw.len());
    pieces(raw, |piece| out.extend_from_slice(piece.unwrap_or("\u{fffd}".as_bytes())));
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// One spelling for every way to escape the same text, so that equal keys are equal bytes.
pub(crate) fn canonical(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    pieces(raw, |piece| match piece {
        Ok(text) => escape_into(&String::from_utf8_lossy(text), &mut out),
        Err(surrogate) => out.extend_from_slice(&unicode(surrogate)),
    });
    out
}
