//! Times in events and in names: reading what logs write, and writing what Java's patterns ask for.
//!
//! A time is milliseconds since 1970, in UTC.
//!
//! Imports: `config`.

pub mod epoch;
pub mod iso8601;
pub mod java;
