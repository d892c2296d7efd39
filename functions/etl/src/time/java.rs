//! Times written by a Java pattern: `yyyy-MM-dd`, `YYYY.MM.dd'T'HH`.
//!
//! The letters are those of Joda's `DateTimeFormat`, which Bender uses, in English and UTC:
//!
//! | letter | writes | example |
//! | --- | --- | --- |
//! | `y`, `Y` | year; `yy` its last two digits | 2026, 26 |
//! | `x`, `w`, `e` | year, number and day of the week (ISO 8601: from Monday, 1) | 2026, 48, 1 |
//! | `M` | month; `MMM`, `MMMM` as text | 11, Nov, November |
//! | `d`, `D` | day of the month, of the year | 23, 327 |
//! | `E` | day of the week as text; `EEEE` in full | Mon, Monday |
//! | `H`, `k` | hour of the day from 0, from 1 | 0, 24 |
//! | `K`, `h` | hour of the half day from 0, from 1 | 0, 12 |
//! | `a` | half of the day | AM |
//! | `m`, `s`, `S` | minute, second, fraction of the second | 30, 05, 480 |
//! | `G`, `C` | era, century | AD, 20 |
//! | `z`, `Z`, `ZZ`, `ZZZ` | zone | UTC, +0000, +00:00, UTC |
//!
//! A letter written several times asks for at least as many digits. Other letters are refused; text goes into quotes (`'T'`), and a
//! quote is written `''`.

use crate::config::{format::Flaw, variables};
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use std::fmt::Write as _;

/// What is wrong with a pattern, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub struct PatternError {
    /// The byte of the pattern, from 0.
    pub at: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Text(String),
    Field(char, usize),
}

/// A pattern, read once. It remembers what it wrote last: the next event mostly lies in the same hour or day.
#[derive(Clone, Debug)]
pub struct JavaTime {
    steps: Vec<Step>,
    /// How long what it writes stays the same, in milliseconds; a divisor of the day.
    grain: i64,
    /// The stretch of that length, counted from 1970, that `last` is right for.
    stretch: Option<i64>,
    last: String,
}

/// How often a letter may be written in a row.
const MOST_DIGITS: usize = 1000;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

impl JavaTime {
    /// Reads a pattern.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let mut steps: Vec<Step> = vec![];
        let text = |steps: &mut Vec<Step>, character: char| match steps.last_mut() {
            Some(Step::Text(text)) => text.push(character),
            _ => steps.push(Step::Text(character.into())),
        };
        let mut characters = pattern.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' if characters.next_if(|next| next.1 == '\'').is_some() => text(&mut steps, '\''),
                '\'' => loop {
                    match characters.next() {
                        Some((_, '\'')) if characters.next_if(|next| next.1 == '\'').is_some() => {
                            text(&mut steps, '\'');
                        }
                        Some((_, '\'')) => break,
                        Some((_, quoted)) => text(&mut steps, quoted),
                        None => return Err(PatternError { at, reason: "the quote has no end" }),
                    }
                },
                'G' | 'C' | 'Y' | 'x' | 'w' | 'e' | 'E' | 'y' | 'D' | 'M' | 'd' | 'a' | 'K' | 'h' | 'H' | 'k' | 'm'
                | 's' | 'S' | 'z' | 'Z' => {
                    let mut count = 1;
                    while characters.next_if(|next| next.1 == character).is_some() {
                        count += 1;
                    }
                    if count > MOST_DIGITS {
                        return Err(PatternError { at, reason: "no part of a time has so many digits" });
                    }
                    steps.push(Step::Field(character, count));
                }
                letter if letter.is_ascii_alphabetic() => {
                    return Err(PatternError {
                        at,
                        reason: "this letter stands for no part of a time; text goes into quotes",
                    });
                }
                plain => text(&mut steps, plain),
            }
        }
        let grain = steps.iter().map(|step| match step {
            Step::Field('S', _) => 1,
            Step::Field('s', _) => 1000,
            Step::Field('m', _) => 60_000,
            Step::Field('H' | 'k' | 'K' | 'h' | 'a', _) => 3_600_000,
            _ => DAY,
        });
        Ok(Self { grain: grain.min().unwrap_or(DAY), steps, stretch: None, last: String::new() })
    }

    /// The time as the pattern asks for it. `ms` is milliseconds since 1970; a time past the year 9999 is written as the last one of it.
    pub fn write(&mut self, ms: i64) -> &str {
        let stretch = Some(ms.div_euclid(self.grain));
        if self.stretch != stretch {
            self.stretch = stretch;
            self.last.clear();
            let time = Timestamp::from_millisecond(ms).unwrap_or(if ms < 0 { Timestamp::MIN } else { Timestamp::MAX });
            let time = Offset::UTC.to_datetime(time);
            for step in &self.steps {
                match step {
                    Step::Text(text) => self.last.push_str(text),
                    Step::Field(letter, count) => field(&mut self.last, *letter, *count, time),
                }
            }
        }
        &self.last
    }
}

/// What is wrong with a pattern, for the reader of configs.
pub(crate) fn mistake(pattern: &str) -> Option<Flaw> {
    let error = if variables::holds(pattern) { return None } else { JavaTime::new(pattern).err()? };
    Some(Flaw { at: Some(error.at), message: error.reason.to_owned(), help: None })
}

fn field(out: &mut String, letter: char, count: usize, time: DateTime) {
    let (date, hour) = (time.date(), i64::from(time.hour()));
    let number = match letter {
        'y' | 'Y' | 'x' => {
            let year = if letter == 'x' { date.iso_week_date().year() } else { date.year() };
            return if count == 2 {
                digits(out, i64::from(year).rem_euclid(100), 2);
            } else {
                digits(out, year.into(), count);
            };
        }
        'C' => i64::from(date.year()).div_euclid(100),
        'w' => date.iso_week_date().week().into(),
        'e' => date.weekday().to_monday_one_offset().into(),
        'M' if count < 3 => date.month().into(),
        'd' => date.day().into(),
        'D' => date.day_of_year().into(),
        'H' => hour,
        'k' => (hour + 23) % 24 + 1,
        'K' => hour % 12,
        'h' => (hour + 11) % 12 + 1,
        'm' => time.minute().into(),
        's' => time.second().into(),
        'S' => return fraction(out, count, time.millisecond()),
        _ => return out.push_str(&text(letter, count, time)),
    };
    digits(out, number, count);
}

fn digits(out: &mut String, number: i64, least: usize) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number:0least$}");
}

/// As many digits of the second's fraction; past the third they are zeros.
fn fraction(out: &mut String, count: usize, millis: i16) {
    let millis = format!("{millis:03}");
    out.extend(millis.chars().chain(std::iter::repeat('0')).take(count));
}

fn text(letter: char, count: usize, time: DateTime) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let of = |names: &[&str], number: i8, short: bool| {
        let name = usize::try_from(number).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
        name.chars().take(if short { 3 } else { name.len() }).collect::<String>()
    };
    match letter {
        'M' => of(&MONTHS, time.month() - 1, count == 3),
        'E' => of(&DAYS, time.date().weekday().to_monday_zero_offset(), count < 4),
        'a' => (if time.hour() < 12 { "AM" } else { "PM" }).into(),
        'G' => (if time.year() > 0 { "AD" } else { "BC" }).into(),
        'z' if count > 3 => "Coordinated Universal Time".into(),
        'Z' if count == 1 => "+0000".into(),
        'Z' if count == 2 => "+00:00".into(),
        _ => "UTC".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pattern: &str, ms: i64) -> String {
        JavaTime::new(pattern).unwrap().write(ms).to_owned()
    }

    #[test]
    fn every_letter_writes_what_joda_writes() {
        let ms = 1_700_000_000_123;
        assert_eq!(
            written("yyyy/DDD 'w'ww e E MMM a hh:mm:ss.SSS Z ZZ", ms),
            "2023/318 w46 2 Tue Nov PM 10:13:20.123 +0000 +00:00"
        );
        assert_eq!(written("YYYY.MM.dd'T'HH", ms), "2023.11.14T22");
        assert_eq!(
            written("yy y yyyyy xxxx MMMM EEEE M d H k K h S SS SSSSS", ms),
            "23 2023 02023 2023 November Tuesday 11 14 22 22 10 10 1 12 12300"
        );
        assert_eq!(written("G C z zzzz ZZZ '''o''clock' ''", 0), "AD 19 UTC Coordinated Universal Time UTC 'o'clock '");
        assert_eq!(written("HH kk KK hh a", 0), "00 24 00 12 AM");
        assert_eq!(written("xxxx-'W'ww-e", 1_609_459_200_000), "2020-W53-5", "2021-01-01 is in the last week of 2020");
    }

    #[test]
    fn a_letter_that_means_nothing_is_refused_with_its_place() {
        assert_eq!(JavaTime::new("yyyy-MM-ddTHH").unwrap_err().at, 10);
        assert_eq!(JavaTime::new(&"y".repeat(100_000)).unwrap_err().at, 0, "more than can be written");
        assert_eq!(JavaTime::new("é yyyy 'open").unwrap_err(), PatternError { at: 8, reason: "the quote has no end" });
    }

    #[test]
    fn what_was_written_last_is_used_only_while_it_is_right() {
        let mut hourly = JavaTime::new("yyyy-MM-dd HH").unwrap();
        assert_eq!(hourly.write(1_700_002_799_999), "2023-11-14 22");
        assert_eq!(hourly.write(1_700_002_800_000), "2023-11-14 23");
        assert_eq!(hourly.write(1_700_002_799_999), "2023-11-14 22");
        assert_eq!(hourly.write(-1), "1969-12-31 23");
        assert_eq!(hourly.write(i64::MAX), "9999-12-30 22");
    }

    proptest::proptest! {
        #[test]
        fn the_same_time_is_written_the_same_whatever_was_before(a in -10_i64..2_000_000_000_000, step in 0_i64..100_000_000) {
            let mut pattern = JavaTime::new("yyyy-MM-dd'T'HH:mm").unwrap();
            pattern.write(a);
            let after = pattern.write(a + step).to_owned();
            proptest::prop_assert_eq!(after, written("yyyy-MM-dd'T'HH:mm", a + step));
        }

        #[test]
        fn any_pattern_is_read_or_refused(pattern in ".{0,20}", ms: i64) {
            if let Ok(mut pattern) = JavaTime::new(&pattern) {
                pattern.write(ms);
            }
        }
    }
}
