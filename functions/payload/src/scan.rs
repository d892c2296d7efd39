//! Finding the bytes that matter, 16 at a time (SSE2 or NEON through `wide`, which is safe to call), and the tokens of
//! JSON that need no tape: white space, strings, numbers.

use crate::{error::JsonError, node::Kind};
use wide::u8x16;

/// Readable bytes that must follow whatever is scanned. They are zeros, and a zero stops every scan: JSON allows it
/// nowhere, neither between tokens nor in strings.
pub(crate) const PAD: usize = 64;

#[inline(always)]
fn block(text: &[u8], at: usize) -> u8x16 {
    let bytes: [u8; 16] = text[at..at + 16].try_into().expect("16 bytes: the padding follows");
    u8x16::new(bytes)
}

/// Position of the first `"`, `\` or control byte at or after `at`.
#[inline(always)]
pub(crate) fn string_stop(text: &[u8], mut at: usize) -> usize {
    loop {
        let x = block(text, at);
        let control = x.simd_eq(x.min(u8x16::splat(0x1f)));
        let stop = x.simd_eq(u8x16::splat(b'"')) | x.simd_eq(u8x16::splat(b'\\')) | control;
        let mask = stop.to_bitmask();
        if mask != 0 {
            return at + mask.trailing_zeros() as usize;
        }
        at += 16;
    }
}

/// What Gson may write otherwise, but for `\`: one of `<>&='`, or a byte that begins a character around U+2028.
#[inline(always)]
fn html(x: u8x16) -> u8x16 {
    let angles = x.simd_eq(x.max(u8x16::splat(b'<')).min(u8x16::splat(b'>')));
    let quotes = (x | u8x16::splat(1)).simd_eq(u8x16::splat(b'\''));
    angles | quotes | x.simd_eq(u8x16::splat(0xe2))
}

/// Whether Gson writes all of `text[start..start + len]`, which holds no `\`, as it stands. `escapes`: whether its escapes for HTML count.
#[inline(always)]
pub(crate) fn is_plain(text: &[u8], start: usize, len: usize, escapes: bool) -> bool {
    if len > 32 || len == 0 || start + 32 > text.len() {
        return html_stop(text, start, start + len, escapes) == start + len;
    }
    let look = |at: usize| {
        let x = block(text, at);
        let found = if escapes { html(x) } else { x.simd_eq(u8x16::splat(0xe2)) };
        found.to_bitmask()
    };
    let found = if len <= 16 { look(start) } else { look(start) | look(start + 16) << 16 };
    found << (32 - len) == 0
}

/// Position of the first byte in `text[at..end]` that Gson may write otherwise: one of `<>&='`, `\`, or one that begins
/// a character around U+2028. `end` if there is none. `escapes`: whether its escapes for HTML count.
#[inline(always)]
pub(crate) fn html_stop(text: &[u8], mut at: usize, end: usize, escapes: bool) -> usize {
    if !escapes {
        let rest = text.get(at..end).unwrap_or_default();
        return memchr::memchr2(b'\\', 0xe2, rest).map_or(end, |stop| at + stop);
    }
    while at < end && at + 16 <= text.len() {
        let x = block(text, at);
        let mask = (html(x) | x.simd_eq(u8x16::splat(b'\\'))).to_bitmask();
        if mask != 0 {
            return end.min(at + mask.trailing_zeros() as usize);
        }
        at += 16;
    }
    let rest = text.get(at..end).unwrap_or_default();
    rest.iter().position(|&byte| is_html(byte)).map_or(end, |stop| at + stop)
}

/// Whether a byte is one of those that [`html_stop`] looks for.
pub(crate) fn is_html(byte: u8) -> bool {
    matches!(byte, b'<' | b'>' | b'&' | b'=' | b'\'' | b'\\' | 0xe2)
}

/// Whether `head` and the text at `at` agree in the first `len` (at most 32) bytes of `head`.
#[inline(always)]
pub(crate) fn same_head(text: &[u8], at: usize, head: &[u8; 32], len: usize) -> bool {
    let unused = 64 - len;
    let low = u64::from(block(head, 0).simd_eq(block(text, at)).to_bitmask());
    if len <= 16 {
        return low << unused == u64::MAX << unused;
    }
    let high = u64::from(block(head, 16).simd_eq(block(text, at + 16)).to_bitmask());
    (low | high << 16) << unused == u64::MAX << unused
}

/// First byte at or after `at` that is not JSON white space.
#[inline(always)]
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while matches!(text[at], b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// Position of the quote that ends the string in which `at` (the first `"`, `\` or control byte) lies.
#[inline(never)]
pub(crate) fn string_end(text: &[u8], mut at: usize) -> Result<usize, JsonError> {
    loop {
        match text[at] {
            b'"' => return Ok(at),
            b'\\' => match text[at + 1] {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
                b'u' if text[at + 2..at + 6].iter().all(u8::is_ascii_hexdigit) => at += 6,
                0 => return Err(JsonError { offset: at + 1, reason: "an unknown escape in a string" }),
                _ => return Err(JsonError { offset: at, reason: "an unknown escape in a string" }),
            },
            _ => return Err(JsonError { offset: at, reason: "a control character in a string" }),
        }
        at = string_stop(text, at);
    }
}

#[inline(always)]
fn digits(text: &[u8], mut at: usize) -> usize {
    while text[at].is_ascii_digit() {
        at += 1;
    }
    at
}

/// End of the number that begins at `start`, and which of the two kinds it is.
#[inline(always)]
pub(crate) fn number(text: &[u8], start: usize) -> Result<(usize, Kind), JsonError> {
    let first = start + usize::from(text[start] == b'-');
    let mut at = digits(text, first);
    let mut kind = Kind::Integer;
    if at == first {
        return Err(JsonError { offset: at, reason: "a number without digits" });
    }
    if text[first] == b'0' && at > first + 1 {
        return Err(JsonError { offset: first, reason: "a number that begins with 0" });
    }
    if text[at] == b'.' {
        kind = Kind::Float;
        let end = digits(text, at + 1);
        if end == at + 1 {
            return Err(JsonError { offset: end, reason: "a number without digits after its point" });
        }
        at = end;
    }
    if matches!(text[at], b'e' | b'E') {
        let exponent = at + 1 + usize::from(matches!(text[at + 1], b'+' | b'-'));
        at = digits(text, exponent);
        if at == exponent {
            return Err(JsonError { offset: at, reason: "a number without digits in its exponent" });
        }
    }
    Ok((at, kind))
}

/// End of `true`, `false` or `null` at `at`.
#[inline(always)]
pub(crate) fn literal(text: &[u8], at: usize) -> Option<(usize, Kind)> {
    match text[at] {
        b't' if text[at + 1..at + 4] == *b"rue" => Some((at + 4, Kind::Bool)),
        b'f' if text[at + 1..at + 5] == *b"alse" => Some((at + 5, Kind::Bool)),
        b'n' if text[at + 1..at + 4] == *b"ull" => Some((at + 4, Kind::Null)),
        _ => None,
    }
}
