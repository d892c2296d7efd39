//! The machine's clock.

use etl::ports::Clock;
use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};

/// The time of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    begun: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { begun: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        #[expect(clippy::disallowed_methods, reason = "this is the clock that all others ask")]
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        // Before 1970 and after the year 292 million there is no log to tell the time for.
        since.map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.begun.elapsed()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_later_than_when_this_was_written_and_goes_on() {
        let clock = SystemClock::default();
        assert!(clock.now_ms() > 1_760_000_000_000);
        let before = clock.monotonic();
        clock.sleep(Duration::from_millis(2));
        assert!(clock.monotonic() >= before + Duration::from_millis(2));
    }
}
