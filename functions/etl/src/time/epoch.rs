//! Times that are written as a number: of seconds, milliseconds, microseconds or nanoseconds since 1970.
//!
//! How many digits stand before the point says which (Bender's rule): 10 are seconds, 13 milliseconds, 16 microseconds, 19
//! nanoseconds. So times from 2001-09-09 to 2286-11-20 can be told apart, and any other number is no time.

/// What a number without a unit of its own counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds, whose fraction counts.
    Seconds,
    /// Milliseconds; a fraction is cut off.
    Milliseconds,
}

/// Reads a number as a time: milliseconds since 1970.
///
/// The number may have a fraction and an exponent and blanks around it. [`Unit`] matters for its fraction only, as its
/// digits say what it counts. None if it is no number, or has not 10, 13, 16 or 19 digits before the point.
pub fn read(text: &str, unit: Unit) -> Option<i64> {
    let text = text.trim();
    match text.split_once('.') {
        None => plain(text, ""),
        Some((whole, fraction)) if unit == Unit::Seconds => plain(whole, fraction),
        Some((whole, fraction)) => plain(whole, if is_digits(fraction) { "" } else { fraction }),
    }
    .or_else(|| float(text, unit))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits and a fraction: exact, without floating point.
fn plain(whole: &str, fraction: &str) -> Option<i64> {
    let whole = whole.strip_prefix('+').unwrap_or(whole);
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    match whole.trim_start_matches('0').len() {
        10 => {
            let digits = fraction.bytes().chain(*b"000").take(3);
            let thousandths = digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            Some(number * 1000 + thousandths)
        }
        13 => Some(number),
        16 => Some(number / 1000),
        19 => Some(number / 1_000_000),
        _ => None,
    }
}

/// A number with an exponent.
fn float(text: &str, unit: Unit) -> Option<i64> {
    // `f64` would read `inf` and `nan` too.
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| *number >= 1.0 && *number < 1e19)?;
    let (whole, fraction) = (number.trunc(), number.fract());
    let whole = plain(&format!("{whole:.0}"), "")?;
    // Only seconds have a fraction that a millisecond can hold.
    #[expect(clippy::cast_possible_truncation, reason = "less than a thousand")]
    let thousandths = if number < 1e10 && unit == Unit::Seconds { (fraction * 1000.0) as i64 } else { 0 };
    Some(whole + thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_say_what_a_number_counts() {
        for text in
            ["1700000000.123456", "1700000000123", "1700000000123456", "1700000000123456789", " +1700000000.123 "]
        {
            assert_eq!(read(text, Unit::Seconds), Some(1_700_000_000_123), "{text}");
        }
        assert_eq!(read("1700000000", Unit::Milliseconds), Some(1_700_000_000_000));
        assert_eq!(read("1700000000123.9", Unit::Milliseconds), Some(1_700_000_000_123));
        assert_eq!(read("0001700000000", Unit::Seconds), Some(1_700_000_000_000));
        assert_eq!(read("1.7e9", Unit::Seconds), Some(1_700_000_000_000));
        assert_eq!(read("17000000001.25e-1", Unit::Seconds), Some(1_700_000_000_125));
        assert_eq!(read("1793500000.017000", Unit::Seconds), Some(1_793_500_000_017), "no rounding on the way");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in
            ["", " ", ".", "-1", "-1700000000", "170000000", "17000000000", "abc", "inf", "Infinity", "NaN", "0x10"]
        {
            assert_eq!(read(text, Unit::Seconds), None, "{text}");
        }
        for text in ["1e400", "1e30", "99999999999999999999", "1700000000d", "{}", "1.7.0", "9999999999999999999"] {
            assert_eq!(read(text, Unit::Milliseconds), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", digits in "[0-9.eE+-]{0,40}") {
            for text in [text, digits] {
                if let Some(ms) = read(&text, Unit::Seconds) {
                    proptest::prop_assert!((1_000_000_000_000..10_000_000_000_000).contains(&ms));
                }
            }
        }
    }
}
