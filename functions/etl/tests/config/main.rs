//! What holds of configs, seen from another crate.

mod corpus;
mod kit;
mod mistakes;
mod reading;
mod reference;
