//! Calls of AWS's services, standard output and files.

use super::{
    clients,
    far_side::{FarSide, Say},
    runtime,
};
use bytes::Bytes;
use etl::ports::{Answer, Call, Calls as _, Metric, ObjectAddress};
use etl_adapters::calls::AwsCalls;
use std::{
    fs,
    sync::mpsc,
    thread::available_parallelism,
    time::{Duration, Instant},
};

fn call(endpoint: &str, call: Call, limit: Duration) -> Answer {
    let calls = AwsCalls::new(runtime(), clients(endpoint));
    let (tell, answers) = mpsc::channel();
    calls.start(7, call, limit, &tell);
    let (ticket, answer) = answers.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(ticket, 7);
    answer
}

pub(crate) fn quick(far: &FarSide, wanted: Call) -> Answer {
    call(&far.address, wanted, Duration::from_secs(15))
}

fn batch() -> Call {
    Call::PutRecordBatch {
        stream: "archive".to_owned(),
        region: None,
        records: vec![Bytes::from_static(b"one\n"), Bytes::from_static(b"\xff"), Bytes::from_static(b"three\n")],
    }
}

fn refused(code: &str, status: u16) -> Answer {
    Answer::Refused { code: code.to_owned(), status: Some(status) }
}

#[test]
fn each_record_that_firehose_did_not_take_has_its_code() {
    let far = FarSide::new(|_, _| {
        Say::json(
            200,
            r#"{"FailedPutCount":1,"RequestResponses":[{"RecordId":"a"},
            {"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."},{"RecordId":"c"}]}"#,
        )
    });
    let answer = quick(&far, batch());
    assert_eq!(answer, Answer::Records(vec![None, Some("ServiceUnavailableException".to_owned()), None]));
    let asked = far.asked();
    assert_eq!(asked[0].header("x-amz-target"), Some("Firehose_20150804.PutRecordBatch"));
    assert!(asked[0].header("authorization").unwrap().contains("/eu-west-1/firehose/aws4_request"));
    let body: serde_json::Value = serde_json::from_slice(&asked[0].body).unwrap();
    assert_eq!(body["DeliveryStreamName"], "archive");
    assert_eq!(body["Records"][1]["Data"], "/w==");
}

#[test]
fn a_refused_call_has_its_code_and_is_not_repeated() {
    for (status, body, code) in [
        (
            400,
            r#"{"__type":"com.amazonaws.firehose#ResourceNotFoundException","message":"x"}"#,
            "ResourceNotFoundException",
        ),
        (400, r#"{"__type":"ThrottlingException","message":"x"}"#, "ThrottlingException"),
        (500, r#"{"__type":"InternalFailure"}"#, "InternalFailure"),
        (503, "<html>", "HTTP 503"),
    ] {
        let far = FarSide::new(move |_, _| Say::json(status, body));
        assert_eq!(quick(&far, batch()), refused(code, status));
        assert_eq!(far.asked().len(), 1);
    }
}

#[test]
fn a_connection_found_dead_is_tried_once_more() {
    let far = FarSide::new(|_, nth| match nth {
        0 => Say::Close,
        _ => Say::json(200, r#"{"FailedPutCount":0,"RequestResponses":[{"RecordId":"a"},{},{}]}"#),
    });
    assert_eq!(quick(&far, batch()), Answer::Records(vec![None; 3]));
    let far = FarSide::new(|_, _| Say::Close);
    assert!(matches!(quick(&far, batch()), Answer::Silence(_)));
    assert_eq!(far.asked().len(), 2);
}

#[test]
fn a_call_ends_with_its_time_limit() {
    let far = FarSide::new(|_, _| Say::Wait);
    let begun = Instant::now();
    let answer = call(&far.address, batch(), Duration::from_millis(400));
    assert_eq!(answer, Answer::Silence("timed out".to_owned()));
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn nobody_there_is_silence() {
    let answer = call("http://127.0.0.1:1", batch(), Duration::from_secs(15));
    assert_eq!(answer, Answer::Silence("Connection refused (os error 111)".to_owned()));
}

fn address() -> ObjectAddress {
    ObjectAddress {
        bucket: "logs".to_owned(),
        key: "a b/ü+1.gz".to_owned(),
        region: None,
        content_type: Some("application/gzip".to_owned()),
    }
}

#[test]
fn an_object_is_put_whole_under_its_key_with_a_checksum() {
    let far = FarSide::new(|_, _| Say::This(200, vec![("etag", "\"e\"".to_owned())], vec![]));
    assert_eq!(quick(&far, Call::PutObject { to: address(), body: Bytes::from_static(b"body") }), Answer::Done(None));
    let asked = far.asked();
    assert_eq!(asked[0].line(), "PUT /logs/a%20b/%C3%BC%2B1.gz?x-id=PutObject");
    assert_eq!(asked[0].text(), "body");
    assert_eq!(asked[0].header("content-type"), Some("application/gzip"));
    assert!(asked[0].header("x-amz-checksum-crc32").is_some());
}

#[test]
fn an_object_in_parts_gives_the_upload_s_id_and_the_parts_etags() {
    let far = FarSide::new(|asked, _| match asked.method.as_str() {
        "POST" if asked.target.contains("uploads") => {
            Say::json(200, "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>")
        }
        "PUT" => Say::This(200, vec![("etag", "\"e1\"".to_owned())], vec![]),
        "DELETE" => Say::This(204, vec![], vec![]),
        // S3 begins to answer before it knows, so an error may follow a 200.
        _ if asked.text().contains("e2") => Say::json(200, "<Error><Code>InternalError</Code></Error>"),
        _ => Say::json(200, "<CompleteMultipartUploadResult/>"),
    });
    let upload_id = "u-1".to_owned();
    assert_eq!(quick(&far, Call::CreateUpload { to: address() }), Answer::Done(Some("u-1".to_owned())));
    let part = |number| Call::UploadPart {
        to: address(),
        upload_id: upload_id.clone(),
        number,
        body: Bytes::from_static(b"part"),
    };
    assert_eq!(quick(&far, part(2)), Answer::Done(Some("\"e1\"".to_owned())));
    assert!(matches!(quick(&far, part(10_001)), Answer::Refused { status: None, .. }));
    let complete = |etag: &str| {
        let etags = vec!["\"e0\"".to_owned(), etag.to_owned()];
        quick(&far, Call::CompleteUpload { to: address(), upload_id: upload_id.clone(), etags })
    };
    assert_eq!(complete("\"e1\""), Answer::Done(None));
    assert_eq!(complete("\"e2\""), refused("InternalError", 200));
    assert_eq!(quick(&far, Call::AbortUpload { to: address(), upload_id: upload_id.clone() }), Answer::Done(None));
    let asked = far.asked();
    assert!(
        asked[1].target.contains("partNumber=2") && asked[1].target.contains("uploadId=u-1"),
        "{}",
        asked[1].target
    );
    assert!(asked[2].text().contains("<PartNumber>2</PartNumber>"), "{}", asked[2].text());
}

#[test]
fn metrics_go_out_with_their_dimensions_and_unit_none() {
    let far = FarSide::new(|_, _| Say::This(200, vec![("smithy-protocol", "rpc-v2-cbor".to_owned())], vec![0xa0]));
    let metric = Metric {
        name: "success.count".to_owned(),
        dimensions: vec![("class".to_owned(), "Json".to_owned())],
        value: 3,
        time_ms: 1_763_900_000_000,
    };
    let region = Some("us-east-1".to_owned());
    let answer = quick(&far, Call::PutMetricData { namespace: "Bender".to_owned(), region, metrics: vec![metric] });
    assert_eq!(answer, Answer::Done(None));
    let asked = far.asked();
    assert!(asked[0].header("authorization").unwrap().contains("/us-east-1/monitoring/aws4_request"));
    let body = asked[0].text();
    for part in ["Bender", "success.count", "class", "Json", "None"] {
        assert!(body.contains(part), "{part}");
    }
}

#[test]
fn a_message_is_published_in_the_topic_s_region() {
    let far = FarSide::new(|_, _| Say::json(200, "<PublishResponse><PublishResult/></PublishResponse>"));
    let topic_arn = "arn:aws:sns:us-west-2:111122223333:failures".to_owned();
    let publish = Call::Publish { topic_arn, subject: "s".to_owned(), message: "m & n".to_owned() };
    assert_eq!(quick(&far, publish), Answer::Done(None));
    let asked = far.asked();
    assert!(asked[0].header("authorization").unwrap().contains("/us-west-2/sns/aws4_request"));
    assert!(asked[0].text().contains("Message=m%20%26%20n"), "{}", asked[0].text());
}

#[test]
fn a_file_is_replaced_first_and_then_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out").to_str().unwrap().to_owned();
    fs::write(&path, "of the invocation before").unwrap();
    let append = |path: &str, truncate, body| Call::Append { path: path.to_owned(), truncate, body: Bytes::from(body) };
    let far = FarSide::new(|_, _| Say::Close);
    assert_eq!(quick(&far, append(&path, true, "one\n")), Answer::Done(None));
    assert_eq!(quick(&far, append(&path, false, "two\n")), Answer::Done(None));
    assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    let nowhere = quick(&far, append("/nowhere/out", false, "x"));
    assert_eq!(nowhere, Answer::Refused { code: "entity not found".to_owned(), status: None });
}

#[test]
fn work_is_done_beside_on_every_core_but_one_and_what_no_core_is_free_for_at_once() {
    let calls = AwsCalls::new(runtime(), clients("http://127.0.0.1:1"));
    let cores = available_parallelism().unwrap().get();
    let (tell, answers) = mpsc::channel();
    let (go_on, locked): (Vec<_>, Vec<_>) = (1..cores).map(|_| mpsc::channel::<()>()).unzip();
    for (ticket, wait) in (0..).zip(locked) {
        let work = Box::new(move || wait.recv().map(|()| Bytes::from_static(b"beside")).unwrap_or_default());
        assert_eq!(calls.work(ticket, work, &tell), None);
    }
    let here = calls.work(99, Box::new(|| Bytes::from_static(b"here")), &tell);
    assert_eq!(here.as_deref(), Some(&b"here"[..]));
    for (ticket, go_on) in (0..).zip(go_on) {
        go_on.send(()).unwrap();
        let answer = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!(answer, (ticket, Answer::Worked(Bytes::from_static(b"beside"))));
    }
}

#[test]
fn work_that_ends_early_is_answered_too() {
    let calls = AwsCalls::new(runtime(), clients("http://127.0.0.1:1"));
    let (tell, answers) = mpsc::channel();
    let work = || -> Bytes { panic!("on purpose") };
    if available_parallelism().unwrap().get() > 1 {
        assert_eq!(calls.work(7, Box::new(work), &tell), None);
        let (ticket, answer) = answers.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(ticket == 7 && matches!(answer, Answer::Silence(_)), "{answer:?}");
    }
}
