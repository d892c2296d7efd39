//! The function behind the custom resource that prepares an OpenSearch domain: it maps the IAM roles of ETL functions to OpenSearch
//! roles that may write their indices and nothing else, and puts index templates. The properties of the resource, what they mean and
//! what the function needs stand in this package's README.
//!
//! CloudFormation is always answered, or its stack would wait for an hour: whatever goes wrong ends in `FAILED` with a reason.

mod answer;
mod domain;
mod plan;
mod properties;
mod request;

pub use domain::Patience;
use domain::{Domain, Failure};
use etl::ports::{Auth, Level, Log};
use etl_adapters::http::HttpClient;
use plan::Step;
use properties::Properties;
use request::{Kind, Request};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Kept of the function's time for the answer to CloudFormation.
const FOR_THE_ANSWER: Duration = Duration::from_secs(20);

/// What the function works with.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// For the domain and for CloudFormation's answer.
    pub http: &'a HttpClient,
    /// Lines for people.
    pub log: &'a dyn Log,
    /// How the domain is told who asks.
    pub auth: Login<'a>,
    /// How long is waited for what.
    pub patience: Patience,
}

impl std::fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// How the domain is told who asks.
#[derive(Clone, Copy, Debug)]
pub enum Login<'a> {
    /// Signature Version 4 with the function's own role, over HTTPS.
    Role,
    /// In another way, at this address in place of the one in the properties: a node of a test, which reads no signatures.
    At(&'a str, &'a Auth),
}

/// Answers one event of CloudFormation. `time_left`: of this invocation.
///
/// # Errors
/// The event is none of CloudFormation's, or CloudFormation could not be answered: the invocation fails, so that Lambda repeats it.
pub async fn handle(world: World<'_>, event: &Value, time_left: Duration) -> Result<(), String> {
    let end = Instant::now() + time_left;
    let request = Request::read(event)?;
    let outcome = work(world, &request, end - FOR_THE_ANSWER.min(time_left)).await;
    match &outcome {
        Ok(done) => world.log.line(Level::Info, done, &[("requestType", &request.kind)]),
        Err(reason) => world.log.line(Level::Error, reason, &[("requestType", &request.kind)]),
    }
    answer::send(world.http, &request, &outcome, end).await
}

/// Does what is asked; gives what is to be said of it, or the reason for which it cannot be done.
async fn work(world: World<'_>, request: &Request<'_>, end: Instant) -> Result<String, String> {
    let new = Properties::read(request.properties);
    // What cannot be read now could not be read when it was made either, so nothing was.
    if request.kind == Kind::Delete && new.is_err() {
        return Ok("nothing to remove: the properties were never valid".to_owned());
    }
    let new = new?;
    let steps = match request.kind {
        Kind::Create => plan::put(&new),
        Kind::Update => {
            let mut steps = plan::put(&new);
            // Properties of before that cannot be read made nothing that could be removed.
            let old = request.old_properties.and_then(|old| Properties::read(old).ok());
            if let Some(old) = old.filter(|old| old.same_domain(&new)) {
                steps.extend(plan::remove(&old, &new));
            }
            steps
        }
        Kind::Delete => plan::remove(&new, &new.emptied()),
    };
    let own = Auth::SigV4 { service: "es".to_owned(), region: new.region.clone() };
    let (address, auth) = match world.auth {
        Login::Role => (format!("https://{}:{}", new.endpoint, new.port), &own),
        Login::At(address, auth) => (address.to_owned(), auth),
    };
    let mut domain = Domain::new(world.http, address, auth, world.patience, end, request.kind == Kind::Delete);
    match carry_out(&mut domain, &steps).await {
        Ok(()) => Ok(format!("{} steps done", steps.len())),
        Err(Failure::Silent(reason)) if request.kind == Kind::Delete => {
            Ok(format!("the domain is gone, and what was made in it with it ({reason})"))
        }
        Err(failure) if request.kind == Kind::Delete && request.creation_failed() => {
            Ok(format!("the creation had failed; what it may have left could not be removed: {}", failure.reason()))
        }
        Err(failure) => Err(failure.reason().to_owned()),
    }
}

async fn carry_out(domain: &mut Domain<'_>, steps: &[Step]) -> Result<(), Failure> {
    for step in steps {
        domain.carry_out(step).await?;
    }
    Ok(())
}
