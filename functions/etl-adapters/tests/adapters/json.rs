//! Services that are asked by their JSON protocols.

use super::{
    calls::quick,
    far_side::{FarSide, Say},
};
use bytes::Bytes;
use etl::ports::{Answer, Call, Message, Secret, SecretPlace};

#[test]
fn each_record_that_a_stream_did_not_take_has_its_code() {
    let answer = r#"{"FailedRecordCount":1,"Records":[{"SequenceNumber":"1","ShardId":"s"},{"ErrorCode":"ProvisionedThroughputExceededException"}]}"#;
    let far = FarSide::new(move |_, _| Say::json(200, answer));
    let records = vec![("k".to_owned(), Bytes::from_static(b"\xff")), ("l".to_owned(), Bytes::from_static(b"b"))];
    let put = Call::PutRecords { stream: "s".to_owned(), region: Some("us-west-2".to_owned()), records };
    let code = Some("ProvisionedThroughputExceededException".to_owned());
    assert_eq!(quick(&far, put), Answer::Records(vec![None, code]));
    let asked = far.asked();
    assert_eq!(asked[0].header("x-amz-target"), Some("Kinesis_20131202.PutRecords"));
    assert_eq!(asked[0].header("content-type"), Some("application/x-amz-json-1.1"));
    let signed = asked[0].header("authorization").unwrap();
    assert!(signed.contains("/us-west-2/kinesis/aws4_request") && signed.contains("x-amz-target"), "{signed}");
    assert!(asked[0].text().contains(r#"{"PartitionKey":"k","Data":"/w=="}"#), "{}", asked[0].text());
}

#[test]
fn each_message_that_a_queue_did_not_take_has_its_code() {
    let answer = r#"{"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","Code":"InternalError","SenderFault":false}]}"#;
    let far = FarSide::new(move |_, _| Say::json(200, answer));
    let message = |body: &str| Message { body: body.to_owned(), fifo: Some(("g".to_owned(), "d".to_owned())) };
    let queue_url = "https://sqs.eu-west-2.amazonaws.com/1/q.fifo".to_owned();
    let sent = quick(&far, Call::SendMessageBatch { queue_url, messages: vec![message("a"), message("b")] });
    assert_eq!(sent, Answer::Records(vec![None, Some("InternalError".to_owned())]));
    let asked = far.asked();
    assert_eq!(asked[0].header("x-amz-target"), Some("AmazonSQS.SendMessageBatch"));
    assert!(asked[0].header("authorization").unwrap().contains("/eu-west-2/sqs/aws4_request"));
    assert!(asked[0].text().contains(r#""MessageGroupId":"g","MessageDeduplicationId":"d""#));
}

#[test]
fn secrets_come_from_where_they_lie() {
    let far = FarSide::new(|asked, _| match asked.header("x-amz-target").unwrap() {
        "TrentService.Decrypt" => Say::json(200, r#"{"Plaintext":"c2VjcmV0"}"#),
        "AmazonSSM.GetParameter" => Say::json(200, r#"{"Parameter":{"Value":"secret"}}"#),
        _ => Say::json(200, r#"{"SecretString":"secret"}"#),
    });
    for of in [
        SecretPlace::Kms { ciphertext: "AQ==".to_owned(), region: None },
        SecretPlace::Parameter { name: "/p".to_owned(), region: None },
        SecretPlace::Secret { id: "s".to_owned(), region: None },
    ] {
        assert_eq!(quick(&far, Call::Secret(of.clone())), Answer::Secret { of, value: Secret::new("secret") });
    }
}

#[test]
fn a_refusal_has_its_code_without_its_namespace() {
    let far = FarSide::new(|_, _| Say::json(400, r#"{"__type":"com.amazonaws.ssm#ParameterNotFound"}"#));
    let of = SecretPlace::Parameter { name: "/p".to_owned(), region: None };
    let refused = Answer::Refused { code: "ParameterNotFound".to_owned(), status: Some(400) };
    assert_eq!(quick(&far, Call::Secret(of)), refused);
}
