//! What holds of every component that is registered, on whatever comes: every event is accounted for, nothing panics, the same input gives
//! the same bytes, numbers keep their text.
//!
//! The components are those of the registry and their configs their own examples, so a new one is under the laws as soon as it is there.
//! What needs more than an example (an invocation for a handler, an envelope's place) fails for a component that has none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot unwrap, it fails for")]

mod events;
mod handlers;
mod kit;
mod operations;
mod reporters;
mod transports;
mod wrappers;
