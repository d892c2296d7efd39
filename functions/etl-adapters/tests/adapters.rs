//! The adapters against far sides on loopback that give scripted answers.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

#[path = "adapters/calls.rs"]
mod calls;
#[path = "adapters/delivery.rs"]
mod delivery;
mod far_side;
#[path = "adapters/http.rs"]
mod http;
#[path = "adapters/json.rs"]
mod json;
#[path = "adapters/objects.rs"]
mod objects;
#[path = "adapters/tcp.rs"]
mod tcp;

use aws_config::{Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use etl_adapters::aws::{Clients, loader};
use std::{
    fs,
    path::Path,
    sync::{Arc, mpsc},
    thread,
};
use tokio::runtime::{Builder, Handle};

/// A runtime that another thread drives, as in the function.
fn runtime() -> Handle {
    let (tell, handle) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        tell.send(runtime.handle().clone()).unwrap();
        runtime.block_on(std::future::pending::<()>());
    });
    handle.recv().unwrap()
}

/// What the function would read from its environment, with one endpoint for all services.
fn sdk(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    let loader = loader()
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint);
    Builder::new_current_thread().enable_all().build().unwrap().block_on(loader.load())
}

fn clients(endpoint: &str) -> Arc<Clients> {
    Arc::new(Clients::new(sdk(endpoint), true))
}

/// Answers that a real node gave; none, saying so, where the corpus is not.
fn recorded(name: &str) -> Option<serde_json::Value> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/opensearch-answers");
    let Ok(text) = fs::read(corpus.join(name)) else {
        println!("skipped: {} is not there", corpus.display());
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}
