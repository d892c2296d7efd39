//! The Lambda functions: what their binaries in `src/bin` share and are made of.
//!
//! *To add one*: a file in `src/bin`, a module here for what it does, and a section in this package's README.

mod ask;
mod env;
pub mod etl_function;
pub mod opensearch_setup;
mod place;
mod tags;
