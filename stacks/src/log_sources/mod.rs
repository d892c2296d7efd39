//! Log sources: what a service of AWS writes, and how it becomes searchable. One file is one kind of log.
//!
//! *To add one*: a file here that says where the files are, what is done to their events (a [`PipelineConfig`]) and how they are
//! indexed; then compose it in a stack by `patterns::LogSource`.
//!
//! [`PipelineConfig`]: etl::config::PipelineConfig
//!
//! Imports: `constructs`, `etl`.

pub mod cloudtrail;
