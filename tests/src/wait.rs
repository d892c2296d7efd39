//! Waiting for what happens on its own.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Asks every quarter of a second until `ask` gives a value.
///
/// # Panics
/// When `limit` has passed, with `what` was waited for.
#[track_caller]
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = ask() {
            return value;
        }
        assert!(begun.elapsed() < limit, "waited {} s for {what}", limit.as_secs());
        thread::sleep(Duration::from_millis(250));
    }
}
