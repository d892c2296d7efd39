//! Time on this machine, or the time that it is said to be.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, anyhow};
use etl::ports::Clock;

/// The machine's clock. What the date is may be fixed; how long things take is always real.
#[derive(Debug)]
pub struct LocalClock {
    began: Instant,
    now_ms: Option<i64>,
}

impl LocalClock {
    /// A clock that says the date it is, or always the same one: milliseconds since 1970.
    pub fn new(now_ms: Option<i64>) -> Self {
        Self { began: Instant::now(), now_ms }
    }
}

impl Clock for LocalClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.unwrap_or_else(|| {
            #[expect(clippy::disallowed_methods, reason = "this is the clock that everyone else asks")]
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
    }

    fn monotonic(&self) -> Duration {
        self.began.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// Reads a moment: milliseconds since 1970, or RFC 3339.
pub fn moment(text: &str) -> anyhow::Result<i64> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    text.parse::<jiff::Timestamp>()
        .map(jiff::Timestamp::as_millisecond)
        .map_err(|error| anyhow!("{error}"))
        .with_context(|| {
            format!("`{text}` is no moment: give milliseconds since 1970, or RFC 3339 such as 2026-11-23T16:00:00Z")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_milliseconds_or_rfc_3339() {
        assert_eq!(moment("1795449600123").unwrap(), 1_795_449_600_123);
        assert_eq!(moment("-1").unwrap(), -1);
        assert_eq!(moment("2026-11-23T16:00:00.123Z").unwrap(), 1_795_449_600_123);
        assert_eq!(moment("2026-11-23T17:00:00.123+01:00").unwrap(), 1_795_449_600_123);
        for wrong in ["", "today", "2026-11-23", "12345678901234567890123"] {
            assert!(moment(wrong).unwrap_err().to_string().contains("RFC 3339"), "{wrong}");
        }
    }

    #[test]
    fn a_fixed_clock_stands_still_but_time_goes_on() {
        let clock = LocalClock::new(Some(7));
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(2));
        assert_eq!(clock.now_ms(), 7);
        assert!(clock.monotonic() >= before + Duration::from_millis(2));
        assert!(LocalClock::new(None).now_ms() > 1_700_000_000_000);
    }
}
