//! Times: any pattern is read or refused at its place, and any time is written by it; what is written as ISO 8601 is read again. The first
//! line is the pattern, what follows a text that may be a time.

use super::kit;
use etl::time::{
    epoch::{self, Unit},
    iso8601,
    java::JavaTime,
};

pub(crate) fn hold(bytes: &[u8]) {
    let Some((pattern, rest)) = kit::two(bytes) else { return };
    let text = String::from_utf8_lossy(rest);
    let read = iso8601::read(&text);
    if let Some(ms) = read {
        // A year of nine digits is none.
        assert!((-400_000_000_000_000..=400_000_000_000_000).contains(&ms), "{ms}");
    }
    let seconds = epoch::read(&text, Unit::Seconds);
    let millis = epoch::read(&text, Unit::Milliseconds);
    let any = rest.iter().fold(0_i64, |sum, byte| sum.wrapping_mul(257).wrapping_add(i64::from(*byte)));
    let times = [Some(any), Some(0), Some(i64::MIN), Some(i64::MAX), read, seconds, millis];

    let mut iso = JavaTime::new("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").expect("a pattern");
    // From the first day of the year 0 on, and up to what can be written.
    for ms in times.into_iter().flatten().filter(|ms| (-62_167_219_200_000..253_402_207_200_000).contains(ms)) {
        assert_eq!(iso8601::read(iso.write(ms)), Some(ms));
    }
    match JavaTime::new(pattern) {
        Ok(mut pattern) => {
            for ms in times.into_iter().flatten() {
                let alone = pattern.clone().write(ms).to_owned();
                assert_eq!(pattern.write(ms), alone, "what was before does not matter");
            }
        }
        Err(error) => assert!(pattern.is_char_boundary(error.at), "{error}"),
    }
}
