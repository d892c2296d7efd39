//! Records that go back in the answer.

use crate::parts::{Gate, Take, config, pipeline};
use base64_simd::STANDARD;
use etl::{
    config::{NamedTransport, PipelineConfig},
    event::{Context, Stage},
    handlers::FirehoseTransformHandler,
    operations::JsonArraySplitOperation,
    pipeline::{Environment, Invoked, Pipeline},
    ports::Answer,
    testing::{Reply, World},
    transports::FirehoseTransform,
};
use serde_json::{Value, json};

/// An invocation with these records; their ids are `r0`, `r1`, ….
fn records<R: AsRef<[u8]>>(records: &[R]) -> Vec<u8> {
    let record = |(number, data): (usize, &R)| {
        let data = STANDARD.encode_to_string(data.as_ref());
        json!({"recordId": format!("r{number}"), "approximateArrivalTimestamp": 1_795_449_598_000_i64, "data": data})
    };
    let records: Vec<_> = records.iter().enumerate().map(record).collect();
    let arn = "arn:aws:firehose:us-east-1:1:deliverystream/d";
    json!({"invocationId": "i", "deliveryStreamArn": arn, "region": "us-east-1", "records": records})
        .to_string()
        .into_bytes()
}

fn transform(handler: FirehoseTransformHandler, append_newline: bool) -> PipelineConfig {
    let split = JsonArraySplitOperation::builder().path("$.all").build();
    let mut config = config(handler, vec![split.into(), Gate {}.into()], Take::default());
    config.transport = Some(FirehoseTransform::builder().append_newline(append_newline).build().into());
    config
}

fn invoke(config: &PipelineConfig, invocation: &[u8]) -> Invoked {
    let world = World::new();
    let invoked = pipeline(&world, config).invoke(invocation, &Context::default());
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    assert!(world.calls.made().is_empty(), "the answer is the only way out");
    invoked
}

/// Of each record its result, what was made of it, and its keys.
fn answered(invoked: &Invoked) -> Vec<(String, String, Value)> {
    let records = invoked.answer.as_ref().unwrap()["records"].as_array().unwrap();
    let of = |(number, record): (usize, &Value)| {
        assert_eq!(record["recordId"], format!("r{number}"));
        let data = STANDARD.decode_to_vec(record["data"].as_str().unwrap_or_default()).unwrap();
        let result = record["result"].as_str().unwrap().to_owned();
        (result, String::from_utf8(data).unwrap(), record["metadata"]["partitionKeys"].clone())
    };
    records.iter().enumerate().map(of).collect()
}

fn is(result: &str, data: &str, keys: Value) -> (String, String, Value) {
    (result.to_owned(), data.to_owned(), keys)
}

#[test]
fn each_record_is_answered_with_what_became_of_it() {
    let given = [
        r#"{"all":[{"a":1},{"do":"drop"},{"a":2}]}"#,
        r#"{"all":[{"a":3,"p":"x"}]}"#,
        r#"{"all":[{"do":"drop"}]}"#,
        r#"{"all":[]}"#,
        "{",
        r#"{"all":[{"a":4},{"do":"fail"}]}"#,
        r#"{"all":[{"a":5,"p":"x"},{"a":6,"p":"y"}]}"#,
    ];
    let (failed, dropped) = (is("ProcessingFailed", "", Value::Null), is("Dropped", "", Value::Null));
    for (append, one) in [(true, "{\"a\":1}\n{\"a\":2}\n"), (false, "{\"a\":1}\n{\"a\":2}")] {
        let config = transform(FirehoseTransformHandler::builder().build(), append);
        let invoked = invoke(&config, &records(&given));
        let end = if append { "\n" } else { "" };
        let right = [
            is("Ok", one, Value::Null),
            is("Ok", &format!(r#"{{"a":3,"p":"x"}}{end}"#), json!({"p": "x"})),
            dropped.clone(),
            dropped.clone(),
            failed.clone(),
            failed.clone(),
            failed.clone(),
        ];
        assert_eq!(answered(&invoked), right);
        assert_eq!(invoked.ledger.delivered, 3, "what is not in the answer is not delivered");
        let of_others =
            invoked.ledger.failed.iter().find(|f| f.reason == "something else of its record failed").unwrap();
        assert_eq!((of_others.stage, of_others.count), (Stage::Transport, 2));
    }
}

#[test]
fn an_answer_is_never_larger_than_lambda_takes() {
    let large = |number: usize| format!(r#"{{"all":[{{"n":{number},"x":"{}"}}]}}"#, "x".repeat(1_500_000));
    let mut given: Vec<_> = (0..5).map(large).collect();
    given.push(r#"{"all":[{"a":1}]}"#.to_owned());
    given.push(format!(r#"{{"all":[{{"a":1}},{{"x":"{}"}}]}}"#, "x".repeat(1_500_000)));
    let invoked = invoke(&transform(FirehoseTransformHandler::builder().build(), true), &records(&given));
    let results: Vec<_> = answered(&invoked).into_iter().map(|(result, ..)| result).collect();
    let (good, bad) = ("Ok", "ProcessingFailed");
    assert_eq!(results, [good, good, good, bad, bad, good, bad], "the others are kept by Firehose as they were");
    assert!(invoked.answer.unwrap().to_string().len() <= 6 << 20);
    let reasons: Vec<_> = invoked.ledger.failed.iter().map(|f| (&*f.reason, f.count)).collect();
    assert_eq!(reasons, [("something else of its record failed", 1), ("the answer is full", 3)]);
}

#[test]
fn a_large_batch_that_fails_as_a_whole_is_kept_by_firehose_and_not_tried_again() {
    let invoked = invoke(&transform(FirehoseTransformHandler::builder().build(), true), &records(&["{"; 30]));
    assert!(answered(&invoked).iter().all(|(result, ..)| result == "ProcessingFailed"));
}

#[test]
fn an_outage_of_another_transport_fails_the_invocation_or_the_records() {
    for fails in [true, false] {
        let world = World::new();
        world.calls.answer(|_| Reply::Now(Answer::Silence("timeout".into())));
        let mut config = transform(FirehoseTransformHandler::builder().fail_on_exception(fails).build(), true);
        let answer = NamedTransport::builder().name("answer").transport(FirehoseTransform::builder().build()).build();
        let copy = Take { retries: Some(0), ..Take::default() };
        config.transports = vec![answer, NamedTransport::builder().name("copy").transport(copy).build()];
        config.transport = None;
        let mut pipeline = Pipeline::new(&config, Environment::default(), world.ports()).unwrap();
        let invoked = pipeline.invoke(&records(&[r#"{"all":[{"a":1}]}"#]), &Context::default());
        assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
        if fails {
            assert!(invoked.answer.is_err());
        } else {
            assert_eq!(answered(&invoked), [is("ProcessingFailed", "", Value::Null)]);
        }
    }
}
