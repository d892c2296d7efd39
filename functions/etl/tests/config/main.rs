//! What holds of configs, seen from another crate.

mod corpus;
mod defects;
mod kit;
mod mistakes;
mod reading;
mod reference;
