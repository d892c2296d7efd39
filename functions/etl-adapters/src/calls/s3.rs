//! Objects written to Amazon S3, whole or in parts.

use crate::aws::{refused, twice_if_broken};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use etl::ports::{Answer, ObjectAddress};
use std::error::Error;

/// `PutObject`.
pub(super) async fn put(client: &Client, to: &ObjectAddress, body: Bytes) -> Answer {
    let request = || {
        let request = client.put_object().bucket(&to.bucket).key(&to.key);
        request.set_content_type(to.content_type.clone()).body(ByteStream::from(body.clone())).send()
    };
    done(twice_if_broken(request).await, |_| None)
}

/// `CreateMultipartUpload`: gives the upload's id.
pub(super) async fn create_upload(client: &Client, to: &ObjectAddress) -> Answer {
    let request = client.create_multipart_upload().bucket(&to.bucket).key(&to.key);
    let request = request.set_content_type(to.content_type.clone());
    done(twice_if_broken(|| request.clone().send()).await, |made| made.upload_id)
}

/// `UploadPart`: gives the part's `ETag`.
pub(super) async fn upload_part(client: &Client, to: &ObjectAddress, id: &str, number: u32, body: Bytes) -> Answer {
    let Some(number) = part_number(number) else { return bad_part() };
    let request = || {
        let request = client.upload_part().bucket(&to.bucket).key(&to.key).upload_id(id).part_number(number);
        request.body(ByteStream::from(body.clone())).send()
    };
    done(twice_if_broken(request).await, |part| part.e_tag)
}

/// `CompleteMultipartUpload`.
pub(super) async fn complete_upload(client: &Client, to: &ObjectAddress, id: &str, etags: Vec<String>) -> Answer {
    let parts = (1..).zip(etags).map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let request = client.complete_multipart_upload().bucket(&to.bucket).key(&to.key);
    let request = request.upload_id(id).multipart_upload(parts);
    done(twice_if_broken(|| request.clone().send()).await, |_| None)
}

/// `AbortMultipartUpload`: the parts are not kept, nor paid for.
pub(super) async fn abort_upload(client: &Client, to: &ObjectAddress, id: &str) -> Answer {
    let request = client.abort_multipart_upload().bucket(&to.bucket).key(&to.key).upload_id(id);
    done(twice_if_broken(|| request.clone().send()).await, |_| None)
}

fn done<T, E>(answer: Result<T, SdkError<E>>, what: impl FnOnce(T) -> Option<String>) -> Answer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(answer) => Answer::Done(what(answer)),
        Err(e) => refused(&e),
    }
}

fn part_number(number: u32) -> Option<i32> {
    i32::try_from(number).ok().filter(|number| (1..=10_000).contains(number))
}

fn bad_part() -> Answer {
    Answer::Refused { code: "a part's number is from 1 to 10000".to_owned(), status: None }
}
