//! What holds of configs, seen from another crate.

mod benders_schema;
mod corpus;
mod defects;
mod kit;
mod mistakes;
mod reading;
mod reference;
