//! Numbers as Java's programs read them from text, as far as Bender's configs depend on it.
//!
//! The rules are those of `NumberUtils.createNumber` of Apache commons-lang 3.12: a leading `0` is octal, `0x` and `#`
//! are hexadecimal, `L`, `F` and `D` may stand behind, the smallest type that holds the number writes it. (Bender had
//! version 3.4, which rounds numbers of up to seven decimals to single precision: a defect, mended.) Not followed are its
//! accidents with signs, and digits of Java before version 19 that are not the shortest: `1e23` is `1.0E23` here.
//!
//! Imports: nothing.

/// Digits of a hexadecimal or octal number, beyond which it is none.
const MAX_DIGITS: usize = 1000;

/// Writes to `out` how JSON has the number that `text` holds. Whether it holds one.
///
/// Only ASCII digits count.
pub fn read(text: &str, out: &mut String) -> bool {
    out.clear();
    if is_plain(text.as_bytes()) {
        out.push_str(text);
        return true;
    }
    number(text, out).is_some()
}

/// Whole numbers that are written as they are read: nearly all.
fn is_plain(text: &[u8]) -> bool {
    matches!(text, [b'0'] | [b'1'..=b'9', ..] if text.len() <= 18) && text.iter().all(u8::is_ascii_digit)
}

fn number(text: &str, out: &mut String) -> Option<()> {
    if ["0x", "0X", "-0x", "-0X", "#", "-#"].iter().any(|prefix| text.starts_with(prefix)) {
        return whole(text, out);
    }
    let last = text.chars().next_back()?;
    let point = text.find('.');
    let exponent = match (text.find('e'), text.find('E')) {
        (Some(_), Some(_)) => return None,
        (e, capital) => e.or(capital),
    };
    if let (Some(point), Some(exponent)) = (point, exponent)
        && exponent < point
    {
        return None;
    }
    let mantissa = &text[..point.or(exponent).unwrap_or(text.len())];
    let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    // The exponent of a number with a suffix ends before it; a lone `e` at the end is none.
    let exponent_until = |end: usize| exponent.filter(|at| at + 1 < text.len()).and_then(|at| text.get(at + 1..end));
    if !last.is_ascii_digit() && last != '.' {
        let exponent = exponent_until(text.len() - last.len_utf8());
        let digits = &text[..text.len() - last.len_utf8()];
        return match last {
            'l' | 'L' => {
                let unsigned = digits.strip_prefix('-').unwrap_or(digits);
                let sound = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
                if sound && point.is_none() && exponent.is_none() { whole(digits, out) } else { None }
            }
            'f' | 'F' | 'd' | 'D' => {
                let zero = is_zeros(mantissa) && exponent.is_none_or(is_zeros);
                let trimmed = digits.trim_start_matches(|c| c <= ' ');
                let decimal = Decimal::read(trimmed)?;
                if matches!(last, 'f' | 'F') {
                    let float: f32 = trimmed.parse().ok()?;
                    if float.is_finite() && (float != 0.0 || zero) {
                        write_float(&format!("{float:e}"), out);
                        return Some(());
                    }
                }
                let double: f64 = trimmed.parse().ok()?;
                if double.is_finite() && (double != 0.0 || zero) {
                    write_float(&format!("{double:e}"), out);
                    return Some(());
                }
                if trimmed.len() < digits.len() {
                    return None;
                }
                decimal.write(out)
            }
            _ => None,
        };
    }
    let exponent = exponent_until(text.len());
    if point.is_none() && exponent.is_none() {
        return whole(text, out);
    }
    decimal(text, is_zeros(mantissa) && exponent.is_none_or(is_zeros), out)
}

/// A number with a point or an exponent. `zero`: it may be zero in a type that holds few digits.
fn decimal(text: &str, zero: bool, out: &mut String) -> Option<()> {
    let trimmed = trimmed(text);
    let exact = Decimal::read(trimmed)?;
    let (float, double): (f32, f64) = (trimmed.parse().ok()?, trimmed.parse().ok()?);
    let written = format!("{double:e}");
    if float.is_finite() && (float != 0.0 || zero) && format!("{float:e}") == written {
        write_float(&written, out);
        return Some(());
    }
    if trimmed.len() < text.len() {
        return None;
    }
    if double.is_finite() && (double != 0.0 || zero) && Decimal::read(&written).is_some_and(|d| d.equals(&exact)) {
        write_float(&written, out);
        return Some(());
    }
    exact.write(out)
}

/// Java's floating point numbers may have blanks and control characters around them; no other ones.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

fn is_zeros(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'0')
}

/// A whole number: decimal, octal or hexadecimal.
fn whole(text: &str, out: &mut String) -> Option<()> {
    let (minus, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = ["0x", "0X", "#"].iter().find_map(|prefix| digits.strip_prefix(prefix));
    let octal = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    let (digits, radix) = match (hexadecimal, octal) {
        (Some(digits), _) => (digits, 16),
        (None, Some(digits)) => (digits, 8),
        (None, None) => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let begin = out.len();
    if radix == 10 {
        out.push_str(digits);
    } else {
        let digits = digits.trim_start_matches('0');
        if digits.len() > MAX_DIGITS {
            return None;
        }
        match u64::from_str_radix(if digits.is_empty() { "0" } else { digits }, radix) {
            Ok(number) => out.push_str(itoa::Buffer::new().format(number)),
            Err(_) => in_decimal(digits, radix, out),
        }
    }
    if minus && out.get(begin..) != Some("0") {
        out.insert(begin, '-');
    }
    Some(())
}

/// Writes a number of any length that stands in another base.
fn in_decimal(digits: &str, radix: u32, out: &mut String) {
    const LIMB: u64 = 1_000_000_000;
    // Nine decimal digits each, the lowest first.
    let mut limbs: Vec<u64> = vec![];
    for digit in digits.chars().filter_map(|c| c.to_digit(radix)) {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let value = *limb * u64::from(radix) + carry;
            (*limb, carry) = (value % LIMB, value / LIMB);
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut limbs = limbs.iter().rev();
    out.push_str(&limbs.next().unwrap_or(&0).to_string());
    out.extend(limbs.map(|limb| format!("{limb:09}")));
}

/// A decimal number of any precision: Java's `BigDecimal`.
#[derive(Debug)]
struct Decimal {
    minus: bool,
    /// Without leading zeros, unless it is zero.
    digits: String,
    /// Digits behind the point; negative: zeros before it.
    scale: i64,
}

impl Decimal {
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent = exponent.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(exponent);
        let exponent: i64 = exponent.parse::<i32>().ok()?.into();
        let minus = mantissa.starts_with('-');
        let mantissa = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (before, behind) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{before}{behind}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let scale = i64::try_from(behind.len()).ok()? - exponent;
        let digits = digits.trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits }.to_owned();
        i32::try_from(scale).is_ok().then_some(Self { minus, digits, scale })
    }

    /// Whether two are the same number, however they are written.
    fn equals(&self, other: &Self) -> bool {
        let shortest = |number: &Self| {
            let digits = number.digits.trim_end_matches('0').to_owned();
            let zeros = i64::try_from(number.digits.len() - digits.len()).unwrap_or_default();
            (digits, number.scale - zeros)
        };
        let (ours, theirs) = (shortest(self), shortest(other));
        ours.0.is_empty() && theirs.0.is_empty() || self.minus == other.minus && ours == theirs
    }

    /// In plain form, or with an exponent where that would need many zeros.
    fn write(&self, out: &mut String) -> Option<()> {
        let count = i64::try_from(self.digits.len()).ok()?;
        let adjusted = count - 1 - self.scale;
        if self.minus && self.digits != "0" {
            out.push('-');
        }
        if self.scale == 0 {
            out.push_str(&self.digits);
        } else if self.scale > 0 && adjusted >= -6 {
            let before = usize::try_from(count - self.scale).unwrap_or_default();
            let zeros = usize::try_from(self.scale - count).unwrap_or_default();
            out.push_str(if before == 0 { "0" } else { self.digits.get(..before)? });
            out.push('.');
            out.extend(std::iter::repeat_n('0', zeros));
            out.push_str(self.digits.get(before..)?);
        } else {
            let (first, rest) = self.digits.split_at_checked(1)?;
            out.push_str(first);
            if !rest.is_empty() {
                out.extend([".", rest]);
            }
            if adjusted != 0 {
                out.push_str(if adjusted > 0 { "E+" } else { "E" });
                out.push_str(itoa::Buffer::new().format(adjusted));
            }
        }
        Some(())
    }
}

/// Writes a floating point number, given as `d.ddde±n`, as Java does: plain from a thousandth to ten millions.
fn write_float(scientific: &str, out: &mut String) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let minus = mantissa.starts_with('-');
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if minus {
        out.push('-');
    }
    let point = if (-3..7).contains(&exponent) { exponent } else { 0 };
    if point < 0 {
        out.push_str("0.");
        out.extend((1..-point).map(|_| '0'));
        out.push_str(&digits);
    } else {
        let before = usize::try_from(point).unwrap_or_default() + 1;
        let padded = format!("{digits:0<before$}");
        let (whole, part) = padded.split_at(before);
        out.extend([whole, ".", if part.is_empty() { "0" } else { part }]);
    }
    if point != exponent {
        out.push('E');
        out.push_str(itoa::Buffer::new().format(exponent));
    }
}
