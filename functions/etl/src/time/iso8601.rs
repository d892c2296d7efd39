//! Times as ISO 8601 writes them, in the forms that Bender's parser (Joda's `dateTimeParser`) takes.
//!
//! | part | forms |
//! | --- | --- |
//! | date | `2026`, `2026-11`, `2026-11-23`; `2026-327` (day of the year); `2026-W48`, `2026-W48-1` (week) |
//! | time | after a `T`: `10`, `10:30`, `10:30:05`, each with a fraction after `.` or `,` |
//! | offset | `Z`, `+02`, `+02:00`, `+0200`, `-08:00:00`; none means UTC |

use jiff::{
    Timestamp,
    civil::{Date, DateTime, ISOWeekDate, Time, Weekday},
    tz::Offset,
};

/// Reads a time: milliseconds since 1970. None if the text is no such time, or the day or hour does not exist.
///
/// Without an offset it is UTC.
pub fn read(text: &str) -> Option<i64> {
    plain(text.as_bytes()).or_else(|| any(text))
}

/// The form that nearly all logs write: `2026-11-23T10:30:05Z`, with or without a fraction.
fn plain(text: &[u8]) -> Option<i64> {
    let (stamp, rest) = text.split_first_chunk::<19>()?;
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', i0, i1, b':', s0, s1] = *stamp else {
        return None;
    };
    let (fraction, [b'Z']) = rest.split_at_checked(rest.len().wrapping_sub(1))? else { return None };
    let millis = match fraction {
        [] => 0,
        [b'.', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            digits.iter().chain(b"000").take(3).fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
        }
        _ => return None,
    };
    let two = |tens, ones| i8::try_from(number(&[tens, ones])?).ok();
    let year = i16::try_from(number(&[y0, y1, y2, y3])?).ok()?;
    let date = Date::new(year, two(m0, m1)?, two(d0, d1)?).ok()?;
    let time = Time::new(two(h0, h1)?, two(i0, i1)?, two(s0, s1)?, 0).ok()?;
    since_1970(date.to_datetime(time), Offset::UTC).map(|ms| ms + millis)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))
}

fn since_1970(civil: DateTime, offset: Offset) -> Option<i64> {
    offset.to_timestamp(civil).ok().map(Timestamp::as_millisecond)
}

fn any(text: &str) -> Option<i64> {
    let mut rest = Rest(text.as_bytes());
    let date = rest.date()?;
    let mut nanoseconds = 0;
    let mut offset = Offset::UTC;
    if rest.take(b"Tt").is_some() {
        nanoseconds = rest.time()?;
        offset = rest.offset()?;
    }
    if !rest.0.is_empty() {
        return None;
    }
    let midnight = since_1970(date.to_datetime(Time::midnight()), offset)?;
    Some(midnight + nanoseconds / 1_000_000)
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, any: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        any.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }

    /// Up to `most` digits.
    fn digits(&mut self, most: usize) -> &'a [u8] {
        let len = self.0.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(len);
        self.0 = rest;
        digits
    }

    /// One or two digits, less than `end`.
    fn two(&mut self, end: u32) -> Option<i64> {
        let digits = self.digits(2);
        number(digits).filter(|value| !digits.is_empty() && *value < end).map(i64::from)
    }

    fn date(&mut self) -> Option<Date> {
        let sign = if self.take(b"+-") == Some(b'-') { -1 } else { 1 };
        let digits = self.digits(9);
        let year = i16::try_from(number(digits).filter(|_| !digits.is_empty())?).ok()? * sign;
        if self.take(b"-").is_none() {
            return Date::new(year, 1, 1).ok();
        }
        if self.take(b"Ww").is_some() {
            let week = i8::try_from(self.two(54)?).ok()?;
            let day = match self.take(b"-") {
                Some(_) => Weekday::from_monday_one_offset(i8::try_from(self.two(8)?).ok()?).ok()?,
                None => Weekday::Monday,
            };
            return ISOWeekDate::new(year, week, day).ok().map(ISOWeekDate::date);
        }
        let digits = self.digits(3);
        if digits.len() == 3 {
            let day = i16::try_from(number(digits)?).ok()?;
            return Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok();
        }
        let month = i8::try_from(number(digits).filter(|_| !digits.is_empty())?).ok()?;
        let day = match self.take(b"-") {
            Some(_) => i8::try_from(self.two(32)?).ok()?,
            None => 1,
        };
        Date::new(year, month, day).ok()
    }

    /// Hours, minutes and seconds as nanoseconds of the day. Nothing at all is midnight.
    fn time(&mut self) -> Option<i64> {
        let mut sum = 0;
        for (end, unit) in [(24, 3_600_000_000_000), (60, 60_000_000_000), (60, 1_000_000_000)] {
            if unit == 3_600_000_000_000 {
                if !self.0.first().is_some_and(u8::is_ascii_digit) {
                    return Some(0);
                }
            } else if self.take(b":").is_none() {
                break;
            }
            sum += self.two(end)? * unit;
            if self.take(b".,").is_some() {
                return Some(sum + self.fraction(unit)?);
            }
        }
        Some(sum)
    }

    /// A fraction of `unit`; digits past the ninth do not count.
    fn fraction(&mut self, unit: i64) -> Option<i64> {
        let digits = self.digits(9);
        let value = i64::from(number(digits).filter(|_| !digits.is_empty())?);
        while !self.digits(9).is_empty() {}
        let mut scale = 1;
        for _ in digits {
            scale *= 10;
        }
        i64::try_from(i128::from(value) * i128::from(unit) / scale).ok()
    }

    fn offset(&mut self) -> Option<Offset> {
        let Some(sign) = self.take(b"Zz+-") else { return Some(Offset::UTC) };
        let sign = match sign {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(Offset::UTC),
        };
        let mut seconds = self.two(24)? * 3600;
        for unit in [60, 1] {
            if self.take(b":").is_none() && self.0.is_empty() {
                break;
            }
            seconds += self.two(60)? * unit;
        }
        Offset::from_seconds(i32::try_from(sign * seconds).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read_the_same_on_both_ways() {
        for text in [
            "2020-05-04T10:45:01Z",
            "2020-05-04T10:45:01.480Z",
            "2020-02-29T23:59:59.999999999Z",
            "2026-11-23T00:00:00.1Z",
        ] {
            assert!(plain(text.as_bytes()).is_some(), "{text}");
            assert_eq!(plain(text.as_bytes()), any(text), "{text}");
        }
        assert_eq!(read("2020-05-04T10:45:01.480Z"), Some(1_588_589_101_480));
    }

    #[test]
    fn parts_may_be_left_out_and_no_offset_is_utc() {
        let day = read("2020-05-04T00:00:00Z");
        for text in [
            "2020-05-04",
            "2020-05-04T",
            "2020-05-04T00",
            "2020-05-04T00:00",
            "2020-W19-1",
            "2020-125",
            "2020-5-4",
            "2020-W19",
        ] {
            assert_eq!(read(text), day, "{text}");
        }
        assert_eq!(read("2020-05"), read("2020-05-01T00:00:00Z"));
        assert_eq!(read("2020"), read("2020-01-01T00:00:00Z"));
    }

    #[test]
    fn offsets_and_fractions_have_several_forms() {
        let noon = read("2026-11-23T12:00:00Z");
        for text in
            ["2026-11-23T14:00:00+02:00", "2026-11-23T14:00:00+02", "2026-11-23T04:00:00-0800", "2026-11-23t12:00:00z"]
        {
            assert_eq!(read(text), noon, "{text}");
        }
        let half = read("2026-11-23T12:30:00Z");
        assert_eq!(read("2026-11-23T12,5Z"), half);
        assert_eq!(read("2026-11-23T12.50000000000000000000Z"), half);
        assert_eq!(read("2026-11-23T12:29.75"), read("2026-11-23T12:29:45Z"));
        assert_eq!(read("2026-11-23T12:00:00,5Z"), noon.map(|ms| ms + 500));
    }

    #[test]
    fn days_and_hours_that_do_not_exist_are_refused() {
        for text in [
            "",
            "yesterday",
            "T10:00Z",
            "20200504T104501Z",
            "2020-02-30T00:00:00Z",
            "2020-05-04T24:00:00Z",
            "2020-05-04T10:60:00Z",
            "2020-05-04T10:45:60Z",
            "2026-11-23 12:00:00",
            "2020-13",
            "2020-W54",
            "2020-366T",
            "2019-366",
            "2020-05-04T10:45:01.Z",
            "2020-05-04T10:45:01Z ",
            "2020-05-04T10:45:01+25:00",
            "+12026-01-01T00:00:00Z",
            "2020-",
            "2020-05-04T10:",
            "é",
        ] {
            if text == "2020-366T" {
                assert!(read(text).is_some(), "2020 is a leap year");
            } else {
                assert_eq!(read(text), None, "{text}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}", near in "[0-9TWZ:.,+-]{0,32}") {
            let (_, _) = (read(&text), read(&near));
        }

        #[test]
        fn what_jiff_prints_is_read(ms in -62_000_000_000_000_i64..250_000_000_000_000) {
            let text = jiff::Timestamp::from_millisecond(ms).unwrap().to_string();
            proptest::prop_assert_eq!(read(&text), Some(ms));
        }
    }
}
