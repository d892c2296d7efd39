//! Values that settings of several transports have when nobody says otherwise. They are Bender's.
//!
//! Imports: `bounded`, `late`.

use crate::{bounded::Bounded, late::Late};

pub(super) fn yes() -> bool {
    true
}

/// The same of a setting that may be an environment's value.
pub(super) fn late_yes() -> Late<bool> {
    true.into()
}

/// Calls at the same time.
pub(super) fn threads() -> Bounded<1, 256> {
    Bounded::of::<5>()
}

/// Milliseconds before the first repetition.
pub(super) fn retry_delay() -> Bounded<1, 60_000> {
    Bounded::of::<1000>()
}
