//! What holds of the payload engine, whatever the input: it agrees with `serde_json` and with a slow model of its own
//! operations, refuses what is not JSON, and keeps its bounds.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "what helps a test may end it, and say that it is skipped"
)]

mod bounds;
mod changes;
mod corpus;
mod editing;
mod elements;
mod generate;
mod grammar;
mod gson;
mod lenient;
mod making;
mod model;
mod paths;
mod reading;
