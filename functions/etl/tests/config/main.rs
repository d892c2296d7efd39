//! What holds of configs, seen from another crate.

mod corpus;
mod kit;
mod reading;
mod reference;
