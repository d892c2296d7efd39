//! The Lambda function that prepares an OpenSearch domain: see [`functions::opensearch_setup`].

use etl::ports::Clock as _;
use etl_adapters::{aws, clock::SystemClock, http::HttpClient, log::JsonLog};
use functions::opensearch_setup::{Login, Patience, World, handle};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = &HttpClient::new(aws::loader().load().await);
    let (clock, log) = (&SystemClock::default(), &JsonLog::default());
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        log.begin(&event.context.request_id);
        let left = i64::try_from(event.context.deadline).unwrap_or(i64::MAX) - clock.now_ms();
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        let world = World { http, log, auth: Login::Role, patience: Patience::default() };
        handle(world, &event.payload, left).await.map_err(Error::from)
    }))
    .await
}
