//! Amazon Data Firehose.

use crate::aws::{refused, twice_if_broken};
use aws_sdk_firehose::{Client, primitives::Blob, types::Record};
use bytes::Bytes;
use etl::ports::Answer;

/// `PutRecordBatch`: an error's code for each record that was not taken.
pub(super) async fn put_record_batch(client: &Client, stream: &str, records: Vec<Bytes>) -> Answer {
    let records: Result<Vec<Record>, _> =
        records.into_iter().map(|data| Record::builder().data(Blob::new(Vec::from(data))).build()).collect();
    let records = match records {
        Ok(records) => records,
        Err(e) => return Answer::Refused { code: e.to_string(), status: None },
    };
    let request = client.put_record_batch().delivery_stream_name(stream).set_records(Some(records));
    match twice_if_broken(|| request.clone().send()).await {
        Ok(answer) => {
            let codes = answer.request_responses.into_iter().map(|record| record.error_code);
            Answer::Records(codes.collect())
        }
        Err(e) => refused(&e),
    }
}
