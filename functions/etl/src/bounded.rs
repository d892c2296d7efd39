//! Whole numbers that carry their limits.
//!
//! Imports: nothing.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{borrow::Cow, fmt};

/// A whole number from `MIN` to `MAX`. The one type gives the check, the schema and the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// A literal, checked by the compiler: `Bounded::of::<5>()`.
    pub const fn of<const N: u64>() -> Self {
        const { assert!(MIN <= N && N <= MAX, "the number is out of bounds") }
        Self(N)
    }
    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
    /// The number, for lengths and counts. Saturates where a `usize` is smaller.
    pub fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A number that is outside its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given} is out of bounds; give a number from {min} to {max}")]
pub struct OutOfBounds {
    given: u64,
    min: u64,
    max: u64,
}

impl<const MIN: u64, const MAX: u64> TryFrom<u64> for Bounded<MIN, MAX> {
    type Error = OutOfBounds;
    fn try_from(given: u64) -> Result<Self, OutOfBounds> {
        if (MIN..=MAX).contains(&given) { Ok(Self(given)) } else { Err(OutOfBounds { given, min: MIN, max: MAX }) }
    }
}
impl<const MIN: u64, const MAX: u64> fmt::Display for Bounded<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u64::deserialize(deserializer)?.try_into().map_err(de::Error::custom)
    }
}
impl<const MIN: u64, const MAX: u64> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("From{MIN}To{MAX}").into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_its_limits_is_refused_with_both_limits() {
        assert_eq!(Bounded::<1, 500>::of::<500>().get(), 500);
        let error = serde_json::from_str::<Bounded<1, 500>>("501").unwrap_err().to_string();
        assert_eq!(error, "501 is out of bounds; give a number from 1 to 500");
        assert_eq!(
            Bounded::<1, 500>::try_from(0).unwrap_err().to_string(),
            "0 is out of bounds; give a number from 1 to 500"
        );
    }
}
