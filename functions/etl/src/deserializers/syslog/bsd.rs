//! The form that RFC 3164 describes, as it is met: `Oct 11 22:14:15 host tag[pid]: message`.
//!
//! Imports: `event`, `payload`.

use super::{Names, add, ietf};
use crate::event::Fault;
use payload::Maker;

const NO_TIMESTAMP: Fault = Fault::new("not syslog: no timestamp");

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

pub(super) fn read(text: &str, names: &Names, event: &mut Maker<'_>) -> Result<(), Fault> {
    let (timestamp, rest) = timestamp(text).ok_or(NO_TIMESTAMP)?;
    let rest = rest.trim_start_matches(' ');
    let (hostname, tag, message) = if let Some((tag, message)) = tagged(rest) {
        (None, Some(tag), message)
    } else {
        let (hostname, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let tagged = tagged(rest);
        (Some(hostname), tagged.map(|(tag, _)| tag), tagged.map_or(rest, |(_, message)| message))
    };
    add(event, &names.timestamp, Some(timestamp))?;
    add(event, &names.hostname, hostname.filter(|name| !name.is_empty()))?;
    add(event, &names.app_name, tag.map(|tag| tag.name))?;
    add(event, &names.proc_id, tag.and_then(|tag| tag.process))?;
    add(event, &names.message, Some(message).filter(|message| !message.is_empty()))?;
    Ok(())
}

#[derive(Clone, Copy)]
struct Tag<'t> {
    name: &'t str,
    process: Option<&'t str>,
}

/// `tag: `, `tag[pid]: `, and what is behind it.
fn tagged(text: &str) -> Option<(Tag<'_>, &str)> {
    let end = text.find([' ', '[', ':'])?;
    let (name, rest) = text.split_at(end);
    let (process, rest) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (process, rest) = rest.split_once(']')?;
            (Some(process), rest)
        }
        None => (None, rest),
    };
    let message = rest.strip_prefix(':')?;
    let message = if message.is_empty() { message } else { message.strip_prefix(' ')? };
    (!name.is_empty() && process.is_none_or(|process| !process.contains(' ')))
        .then_some((Tag { name, process }, message))
}

/// The timestamp that a text begins with, and what is behind it.
fn timestamp(text: &str) -> Option<(&str, &str)> {
    let first = text.split(' ').next()?;
    if ietf::is_timestamp(first) {
        return text.split_at_checked(first.len());
    }
    let month = text.get(..3).filter(|month| MONTHS.contains(month))?;
    let after = |at: usize| text.get(at..).map(|rest| rest.len() - rest.trim_start_matches(' ').len());
    let word = |at: usize| text.get(at..).and_then(|rest| rest.split(' ').next());
    let day = month.len() + after(month.len()).filter(|blanks| (1..=2).contains(blanks))?;
    let days = word(day).filter(|day| (1..=2).contains(&day.len()) && is_at_most(day, 31))?;
    let mut at = day + days.len() + 1;
    if let Some(year) = word(at).filter(|year| year.len() == 4 && is_at_most(year, 9999)) {
        at += year.len() + 1;
    }
    let time = word(at)?;
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = seconds.split(':');
    let sound =
        [23, 59, 60].iter().all(|most| parts.next().is_some_and(|part| part.len() == 2 && is_at_most(part, *most)));
    let sound = sound && parts.next().is_none() && !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    if sound { text.split_at_checked(at + time.len()) } else { None }
}

fn is_at_most(digits: &str, most: u32) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse().is_ok_and(|number: u32| number <= most)
}
