//! Pipelines: what is read, what is done to it, where it goes.
//!
//! Pure: no AWS SDK, no async runtime, no clock, no environment, no network, no files, no printing. The far side is
//! reached through ports.

pub mod asset;
pub mod bounded;
pub mod build;
pub mod codes;
pub mod component;
pub mod config;
pub mod dead_letter;
pub mod deserializers;
pub mod document_id;
pub mod event;
mod field;
pub mod handlers;
pub mod late;
pub mod need;
pub mod number;
pub mod operations;
pub mod pattern;
pub mod pipeline;
pub mod ports;
pub mod problem;
pub mod reference;
pub mod region;
pub mod registry;
pub mod reporters;
pub mod serializers;
pub mod substitutions;
pub mod testing;
pub mod time;
pub mod transports;
pub mod typed;
pub mod wrappers;
