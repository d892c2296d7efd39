//! Numbers as Java's programs read them from text: what is taken for one is one of JSON's.

use etl::number;
use payload::{Arena, Kind};

pub(crate) fn hold(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let mut out = String::new();
    if !number::read(text, &mut out) {
        return;
    }
    let mut arena = Arena::new();
    let kind = arena.parse_slice(out.as_bytes()).map(|number| number.kind());
    assert!(matches!(kind, Ok(Kind::Integer | Kind::Float)), "{out}");
    // A short whole number is written as it is.
    if let Ok(plain) = text.parse::<i64>()
        && plain.to_string() == text
    {
        assert_eq!(out, text);
    }
}
