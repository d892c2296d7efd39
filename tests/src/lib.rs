//! What holds across rooms: the rig that end-to-end tests stand on, and what they ask it.
//!
//! [`rig::rig`] starts an emulated AWS and a real `OpenSearch` node once for all tests of a process, with a [`front_door`] between
//! them that does what Amazon's does. Where the parts are not there, a test says so and is skipped; with `FLEXO_RIG=required` it
//! fails. `rig/README.md` says what is real and what is not.

pub mod aws;
pub mod client;
pub mod deployable;
pub mod front_door;
pub mod lint;
pub mod opensearch;
pub mod rig;
pub mod sigv4;
pub mod wait;
