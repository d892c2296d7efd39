//! What is deployed. One file is one stack; [`all`] is the register that the command reads.
//!
//! *To add one*: a file here with a function that gives a [`Stack`], a `pub mod` line, and a line in [`all`].
//!
//! Imports: `constructs`, `etl`.

pub mod cloudtrail;
pub mod events;
pub mod log_sources;
mod operation;
pub mod search;

pub use operation::Size;

use constructs::Stack;

/// Every stack, by name.
pub fn all() -> Vec<Stack> {
    vec![cloudtrail::Cloudtrail::default().stack(), events::Events::default().stack()]
}
