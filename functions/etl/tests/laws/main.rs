//! What holds of every component that is registered, on whatever comes: every event is accounted for, nothing panics, the same input gives
//! the same bytes, numbers keep their text.
//!
//! The components are those of the registry and their configs their own examples, so a new one is under the laws as soon as it is there.
//! What needs more than an example (an invocation for a handler, an envelope's place) fails for a component that has none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test cannot unwrap, it fails for")]

mod events;
mod handlers;
mod kit;
mod letters;
mod operations;
mod reporters;
mod transports;
mod wrappers;

/// Deserializers have theirs in `tests/deserializers.rs`, and by fuzzing.
#[test]
fn every_room_has_its_laws() {
    let registry = etl::registry::Registry::default();
    let mut rooms = registry.rooms().map(|(_, key, _)| key);
    rooms.sort_unstable();
    let known =
        ["deserializer", "handler", "operation", "reporter", "serializer", "substitution", "transport", "wrapper"];
    assert_eq!(rooms, known);
}
