//! L3: whole answers. Only this room knows pipelines.
//!
//! | pattern | what it becomes |
//! | --- | --- |
//! | [`EtlFunction`] | a function that runs a pipeline: role, permissions, log, version, alias, failure queue, trigger, alarms |
//! | [`Search`] | an OpenSearch domain, and a function that sets up what is inside it |
//! | [`Archive`] | a bucket that keeps everything, filled through Firehose |
//! | [`LogSource`] | files that AWS writes to a bucket, to documents in a search domain |
//! | [`ExistingFiles`] | a bucket and a topic that an operator may name in place of those that a log source makes |
//! | [`AlarmTopic`] | where alarms go |
//!
//! *To add one*: a file here, a `mod` and a `pub use` line below.
//!
//! Imports: `asset`, `aws`, `codes`, `template`, `text`, `tree`.

mod alarm_topic;
mod archive;
mod bindings;
mod config;
mod environment;
mod etl_function;
mod existing_files;
mod log_source;
mod permissions;
mod search;
mod trigger;

pub use alarm_topic::AlarmTopic;
pub use archive::{Archive, ArchiveHandle};
pub use bindings::{Bindings, Bound};
pub use config::{Config, PlacedConfig};
pub use etl_function::{EtlFunction, EtlHandle, Indices, Instead};
pub use existing_files::ExistingFiles;
pub use log_source::{FileLayout, LogSource, LogSourceHandle};
pub use search::{Search, SearchHandle};
pub use trigger::{Queueing, Trigger};
