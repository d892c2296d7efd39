//! Kinesis Data Streams.

use crate::json_api::{self, KINESIS};
use base64_simd::STANDARD;
use bytes::Bytes;
use etl::ports::Answer;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Record {
    error_code: Option<String>,
}

/// `PutRecords`: an error's code for each record that was not taken.
pub(super) async fn put_records(
    far: super::Far<'_>,
    stream: &str,
    region: Option<&str>,
    records: &[(String, Bytes)],
) -> Answer {
    let record = |(key, data): &(String, Bytes)| json!({"PartitionKey": key, "Data": STANDARD.encode_to_string(data)});
    let records: Vec<Value> = records.iter().map(record).collect();
    let body = json!({"StreamName": stream, "Records": records});
    match json_api::ask::<Put>(far, KINESIS, region, "PutRecords", &body).await {
        Ok(put) => Answer::Records(put.records.into_iter().map(|record| record.error_code).collect()),
        Err(answer) => answer,
    }
}
