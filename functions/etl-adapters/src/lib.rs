//! The ports of a pipeline ([`etl::ports`]) on the AWS SDK, the `opensearch` client and HTTP. Nothing but translation: what is sent
//! and what an answer means is the transports', when it is sent again the pipeline's.
//!
//! Each far side has a file of its own. Calls run on a tokio runtime, whose handle is given; the pipeline that asks runs on a thread
//! of its own and hears of the answers through a channel.
//!
//! *To add one*: a variant of [`etl::ports::Call`], a file in `calls/`, and a line in `calls.rs`.

pub mod aws;
pub mod calls;
pub mod clock;
pub mod http;
mod json_api;
pub mod log;
pub mod objects;
pub mod tcp;
