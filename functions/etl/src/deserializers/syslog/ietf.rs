//! The form of RFC 5424: `1 timestamp host app proc msg [structured data] message`.
//!
//! Imports: `event`, `payload`.

use super::{Names, add};
use crate::event::Fault;
use indexmap::IndexMap;
use jiff::civil::Date;
use payload::{ChangeError, Maker, New};

const ENDS_EARLY: Fault = Fault::new("not syslog: the message ends within its header");
const BAD_TIMESTAMP: Fault = Fault::new("not syslog: the timestamp is not one of RFC 3339");
const BAD_NAME: Fault = Fault::new("not syslog: a name in the header is not of printable ASCII");
const BAD_DATA: Fault = Fault::new("not syslog: the structured data is broken");

/// The version behind the priority, and what is behind its blank.
pub(super) fn version(text: &str) -> Option<(u16, &str)> {
    let (version, rest) = text.split_once(' ')?;
    let sound = version.len() <= 3 && version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    Some((version.parse().ok().filter(|_| sound)?, rest))
}

pub(super) fn read(text: &str, names: &Names, event: &mut Maker<'_>) -> Result<(), Fault> {
    let mut rest = text;
    for (name, is_timestamp) in [
        (&names.timestamp, true),
        (&names.hostname, false),
        (&names.app_name, false),
        (&names.proc_id, false),
        (&names.msg_id, false),
    ] {
        let (word, behind) = rest.split_once(' ').ok_or(ENDS_EARLY)?;
        rest = behind;
        match word {
            "-" => {}
            _ if is_timestamp && !self::is_timestamp(word) => return Err(BAD_TIMESTAMP),
            _ if !is_printable(word) => return Err(BAD_NAME),
            _ => add(event, name, Some(word))?,
        }
    }
    let rest = if let Some(rest) = rest.strip_prefix('-') {
        rest
    } else {
        let (elements, rest) = structured_data(rest).ok_or(BAD_DATA)?;
        write(&elements, names, event)?;
        rest
    };
    let message = match rest.strip_prefix(' ') {
        Some(message) => message.strip_prefix('\u{feff}').unwrap_or(message),
        None if rest.is_empty() => rest,
        None => return Err(BAD_DATA),
    };
    add(event, &names.message, Some(message).filter(|message| !message.is_empty()))?;
    Ok(())
}

fn write(elements: &Elements<'_>, names: &Names, event: &mut Maker<'_>) -> Result<(), ChangeError> {
    event.open(&names.structured_data)?;
    for (id, values) in elements {
        event.open_named(id)?;
        for (name, values) in values {
            match &values[..] {
                [value] => event.add_named(name, value)?,
                values => event.add_named(name, New::Json(&serde_json::Value::from(values).to_string()))?,
            }
        }
        event.close();
    }
    event.close();
    Ok(())
}

fn is_printable(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic())
}

type Elements<'t> = IndexMap<&'t str, IndexMap<&'t str, Vec<String>>>;

/// `[id name="value" …][…]`, and what is behind it.
fn structured_data(text: &str) -> Option<(Elements<'_>, &str)> {
    let mut elements = Elements::new();
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix('[') {
        let (id, behind) = inside.split_at(inside.find([' ', ']'])?);
        let values = elements.entry(sd_name(id)?).or_default();
        rest = behind;
        while let Some(pair) = rest.strip_prefix(' ') {
            let (name, quoted) = pair.split_once("=\"")?;
            let (value, behind) = value(quoted)?;
            values.entry(sd_name(name)?).or_default().push(value);
            rest = behind;
        }
        rest = rest.strip_prefix(']')?;
    }
    (!elements.is_empty()).then_some((elements, rest))
}

fn sd_name(name: &str) -> Option<&str> {
    (is_printable(name) && !name.contains(['=', ']', '"'])).then_some(name)
}

/// A value up to its quote. `"`, `\` and `]` are escaped in it; another backslash is one.
fn value(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\', ']'])?;
        out.push_str(&rest[..at]);
        let (stop, behind) = rest[at..].split_at(1);
        match stop {
            "\"" => return Some((out, behind)),
            "]" => return None,
            _ => {
                let escaped = behind.starts_with(['"', '\\', ']']);
                let (text, behind) = if escaped { behind.split_at(1) } else { ("\\", behind) };
                out.push_str(text);
                rest = behind;
            }
        }
    }
}

/// Whether a text is a timestamp as RFC 5424 has it: RFC 3339 with `T` and `Z` in capitals, up to nine digits of a second.
pub(super) fn is_timestamp(text: &str) -> bool {
    fn number(text: &str, range: std::ops::Range<usize>) -> Option<i16> {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    }
    let clock = |at: usize, most: i16| number(text, at..at + 2).is_some_and(|number| number <= most);
    let marks = [(4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":")];
    if !marks.iter().all(|(at, mark)| text.get(*at..at + 1) == Some(*mark)) {
        return false;
    }
    let small = |at: usize| number(text, at..at + 2).and_then(|number| i8::try_from(number).ok());
    let date = number(text, 0..4).zip(small(5)).zip(small(8));
    let is_date = date.is_some_and(|((year, month), day)| Date::new(year, month, day).is_ok());
    if !is_date || !clock(11, 23) || !clock(14, 59) || !clock(17, 59) {
        return false;
    }
    let Some(rest) = text.get(19..) else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if !(1..=9).contains(&(fraction.len() - zone.len())) {
                return false;
            }
            zone
        }
        None => rest,
    };
    let at = text.len() - zone.len();
    zone == "Z"
        || zone.len() == 6
            && zone.starts_with(['+', '-'])
            && zone.get(3..4) == Some(":")
            && clock(at + 1, 23)
            && clock(at + 4, 59)
}
