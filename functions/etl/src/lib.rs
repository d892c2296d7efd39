//! Pipelines: what is read, what is done to it, where it goes.
//!
//! Pure: no AWS SDK, no async runtime, no clock, no environment, no network, no files, no printing. The far side is
//! reached through ports.

pub mod bounded;
pub mod codes;
pub mod component;
pub mod config;
pub mod late;
pub mod need;
pub mod problem;
