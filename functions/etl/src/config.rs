//! The config of a pipeline.
mod bender;
pub(crate) mod tree;
pub mod variables;
