//! L2: what we mean. One file per service, with the defaults that a careful person would choose.
//!
//! A construct is a struct with a builder; added to a scope it becomes resources and gives a handle. Handles are cheap, own
//! nothing, and carry what others need: names, ARNs, `grant_…`, `metric_…`. Every default that costs safety when it is switched
//! off is a default here: encryption, TLS, private buckets, logs that end, retained data.
//!
//! *To add one*: a file here with the construct and its handle, a `pub mod` line below.
//!
//! Imports: `asset`, `iam`, `template`, `tree`.

pub mod cloudtrail;
pub mod cloudwatch;
pub mod dashboard;
pub mod event_source;
pub mod firehose;
pub mod iam;
pub mod kinesis;
pub mod kms;
pub mod lambda;
pub mod logs;
pub mod opensearch;
pub mod s3;
pub mod sns;
pub mod sqs;
