//! Records and objects, good and bad.

use crate::parts::{Elementwise, Gate, Take, config, goes_on_at, kinesis, lines, pipeline, s3, within};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    event::{Context, Stage, hash_text, sha1_hex},
    handlers::{KinesisHandler, S3Handler, SNSS3Handler},
    operations::JsonArraySplitOperation,
    pattern::{Pattern, WholePattern},
    pipeline::{Bounds, Invoked},
    ports::{Call, Level, ObjectError},
    serializers::Json,
    testing::World,
    wrappers::{BasicWrapper, PassthroughWrapper},
};
use flate2::{Compression, write::GzEncoder};
use std::{io::Write as _, time::Duration};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// All lines that were sent, in order.
fn sent(world: &World) -> Vec<String> {
    let calls = world.calls.made();
    let records = calls.iter().flat_map(|call| match call {
        Call::PutRecordBatch { records, .. } => lines(records),
        call => panic!("{call:?}"),
    });
    records.collect()
}

/// Why events failed, and how many for each reason.
fn failed(invoked: &Invoked) -> Vec<(Stage, &str, u64)> {
    assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
    invoked.ledger.failed.iter().map(|failed| (failed.stage, &*failed.reason, failed.count)).collect()
}

/// An invocation that announces one object.
fn object(key: &str, content: Vec<u8>) -> (World, Invoked) {
    let world = World::new();
    world.objects.put("b", key, Ok(content));
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &config).invoke(&s3(&[key]), &Context::default());
    (world, invoked)
}

#[test]
fn an_object_gives_an_event_for_each_line_whether_it_ends_in_one_or_not() {
    for text in ["{\"a\":1}\n{\"a\":2}", "{\"a\":1}\r\n{\"a\":2}\r\n"] {
        let (world, invoked) = object("k.log", text.into());
        assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#]);
        assert_eq!(invoked.answer, Ok(serde_json::Value::Null));
    }
    let (_, invoked) = object("k.log", vec![]);
    assert_eq!((invoked.ledger.received, invoked.answer.is_ok()), (0, true), "an empty object has no events");
}

#[test]
fn gzip_is_inflated_by_its_name_or_its_look_and_every_member_is_read() {
    let members = [gzip(b"{\"a\":1}\n{\"a\""), gzip(b":2}\n")].concat();
    for key in ["k.json.gz", "k.json"] {
        let (world, _) = object(key, members.clone());
        assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#], "{key}");
    }
}

#[test]
fn what_is_no_gzip_under_a_name_that_says_so_fails_and_the_invocation_succeeds() {
    let (world, invoked) = object("k.gz", b"{\"a\":1}\n".to_vec());
    assert_eq!(failed(&invoked), [(Stage::Source, "not gzip", 1)]);
    assert!(invoked.answer.is_ok() && sent(&world).is_empty());
}

#[test]
fn what_was_read_of_a_truncated_gzip_counts_and_the_object_fails_with_a_reason() {
    let mut text: Vec<u8> =
        (0..3000_u32).flat_map(|n| format!("{{\"a\":{}}}\n", n * n % 10_007).into_bytes()).collect();
    let whole = 3000;
    text.extend_from_slice(b"{\"a\":0}\n");
    let mut gz = gzip(&text);
    gz.truncate(gz.len() / 2);
    let (world, invoked) = object("k.gz", gz);
    let delivered = invoked.ledger.delivered;
    assert!((whole / 4..whole).contains(&delivered), "{delivered} of {whole}");
    assert_eq!(sent(&world).len() as u64, delivered);
    assert_eq!(failed(&invoked), [(Stage::Source, "gzip ends early", 1)], "and no half of a line");
    assert!(invoked.answer.is_ok(), "it will never be longer");
}

#[test]
fn one_document_of_many_megabytes_is_split_element_by_element_with_the_same_results() {
    let element = |n: usize| format!(r#"{{"n":{n},"x":"{}","none":null}}"#, "y".repeat(n % 2500));
    let all: Vec<_> = (0..4000).map(element).collect();
    let document = |all: &[String]| format!(r#"{{"owner":"o","all":[{}]}}"#, all.join(","));
    assert!(document(&all).len() > 4 << 20);
    let split = JsonArraySplitOperation::builder().path("$.all").fields_to_keep(vec!["owner".into()]).build();
    let take = Take { event_bytes: 10_000, ..Take::default() };
    let with_hash = PipelineConfig::builder()
        .handler(S3Handler::builder().build())
        .sources(vec![
            Source::builder()
                .name("all")
                .deserializer(GenericJson::builder().build())
                .operations(vec![split.into()])
                .build(),
        ])
        .wrapper(BasicWrapper {})
        .serializer(Json::builder().build())
        .transport(take)
        .build();
    let run = |objects: Vec<String>| {
        let world = World::new();
        world.objects.put("b", "k", Ok(objects.join("\n").into_bytes()));
        let invoked = pipeline(&world, &with_hash).invoke(&s3(&["k"]), &Context::default());
        assert_eq!((invoked.ledger.delivered, invoked.ledger.balances()), (4000, true));
        sent(&world)
    };
    let large = run(vec![document(&all)]);
    let small = run(all.chunks(100).map(document).collect());
    assert_eq!(large, small);
    assert!(large[5].contains(r#""owner":"o""#) && large[5].contains("sha1_hash"), "{}", large[5]);
}

#[test]
fn memory_follows_the_element_when_a_large_document_is_split_first() {
    let world = World::new();
    let split = JsonArraySplitOperation::builder().path("$.all").build();
    let mut ours = config(KinesisHandler::builder().build(), vec![split.into()], Take::default());
    ours.sources[0].deserializer = Some(Elementwise {}.into());
    let mut pipeline = pipeline(&world, &ours);
    let mut run = pipeline.begin(&Context::default());
    let document = |pad: usize| format!(r#"{{"pad":"{}","all":[{{"n":1}},{{"n":2}}]}}"#, "x".repeat(pad));
    run.record(document(5 << 20).as_bytes());
    run.record(document(10).as_bytes());
    let invoked = run.finish();
    assert_eq!((invoked.ledger.received, invoked.ledger.born, invoked.ledger.delivered), (2, 1, 2));
    assert_eq!(failed(&invoked), [(Stage::Deserializer, "laid out as a whole", 1)], "a small one is");
}

#[test]
fn bad_text_fails_alone_with_a_reason_and_without_its_content() {
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let records: Vec<Vec<u8>> = vec![
        b"{\"a\":1}".to_vec(),
        b"{\"secret\":".to_vec(),
        b"{\"secret\":\"\xff\xfe\"}".to_vec(),
        format!("{{\"secret\":{deep}}}").into_bytes(),
        b"".to_vec(),
        b"{\"a\":2}".to_vec(),
    ];
    let world = World::new();
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records), &Context::default());
    assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!((goes_on_at(&invoked), invoked.ledger.received, invoked.ledger.all_failed()), (None, 6, 4));
    let reasons = failed(&invoked);
    assert!(reasons.contains(&(Stage::Deserializer, "not UTF-8", 1)), "{reasons:?}");
    assert_eq!(
        reasons.iter().filter(|(stage, ..)| *stage == Stage::Deserializer).map(|(.., count)| count).sum::<u64>(),
        4
    );
    for (_, line) in world.log.lines() {
        assert!(!line.contains("secret") && !line.contains("[["), "{line}");
    }
}

#[test]
fn a_record_of_20_mb_fails_alone_when_the_transport_does_not_take_it() {
    let world = World::new();
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let mut pipeline = pipeline(&world, &config);
    let mut run = pipeline.begin(&Context::default());
    run.record(b"{\"a\":1}");
    run.record(format!("{{\"secret\":\"{}\"}}", "x".repeat(20_000_000)).as_bytes());
    run.record(b"{\"a\":2}");
    let invoked = run.finish();
    assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(failed(&invoked), [(Stage::Transport, "larger than the transport takes", 1)]);
}

#[test]
fn hashes_are_those_that_bender_makes() {
    let hashes = |world: &World| {
        let hash = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap()["sha1_hash"].to_string();
        sent(world).iter().map(hash).map(|hash| hash.trim_matches('"').to_owned()).collect::<Vec<_>>()
    };
    let hash_of = |text: &str| hash_text(&sha1_hex(text.as_bytes())).to_owned();
    let world = World::new();
    let mut ours = config(KinesisHandler::builder().build(), vec![], Take::default());
    ours.wrapper = Some(BasicWrapper {}.into());
    let text = r#"{ "a": 1, "n": null }"#;
    pipeline(&world, &ours).invoke(&kinesis(&[text]), &Context::default());
    assert_eq!(hashes(&world), [hash_of(text)], "the text of an event as it came");

    let world = World::new();
    let split =
        JsonArraySplitOperation::builder().path("$.arr").fields_to_keep(vec!["k".into(), "missing".into()]).build();
    ours.sources[0].operations = vec![split.into()];
    let text = r#"{"k":{"deep":null},"arr":[ {"foo": "<a=b>\u0041", "n":null}, {"foo":1} ]}"#;
    pipeline(&world, &ours).invoke(&kinesis(&[text]), &Context::default());
    let elements = [r#"{"foo":"<a=b>A","k":{},"missing":null}"#, r#"{"foo":1,"k":{},"missing":null}"#];
    assert_eq!(hashes(&world), elements.map(hash_of), "compact, without nulls, with what was kept or is missing");
}

#[test]
fn a_line_or_record_over_the_bound_is_a_fault_of_it_alone_also_when_it_only_inflates_to_that() {
    let bounds = Bounds { event_bytes: 100_000, ..Bounds::default() };
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(200_000));
    let world = World::new();
    world.objects.put("b", "k.gz", Ok(gzip(format!("{{\"a\":1}}\n{large}\n{{\"a\":2}}\n").as_bytes())));
    let ours = config(S3Handler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &ours).with_bounds(bounds).invoke(&s3(&["k.gz"]), &Context::default());
    assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(failed(&invoked), [(Stage::Source, "the line is too long", 1)]);

    let world = World::new();
    let ours = config(KinesisHandler::builder().decompress(true).build(), vec![], Take::default());
    let records = [gzip(b"{\"a\":1}"), gzip(large.as_bytes()), b"no gzip".to_vec(), gzip(b"{\"a\":2}")];
    let invoked = pipeline(&world, &ours).with_bounds(bounds).invoke(&kinesis(&records), &Context::default());
    assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":2}"#]);
    assert_eq!(failed(&invoked), [(Stage::Source, "not gzip", 1), (Stage::Source, "the line is too long", 1)]);
}

#[test]
fn an_object_that_is_gone_fails_alone_and_one_that_may_not_be_read_fails_the_invocation() {
    let world = World::new();
    world.objects.put("b", "there", Ok(b"{\"a\":1}\n".to_vec()));
    world.objects.put("b", "theirs", Err(ObjectError::Denied("AccessDenied".into())));
    world.objects.put("b", "later", Err(ObjectError::Outage("503".into())));
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let mut pipeline = pipeline(&world, &config);
    let invoked = pipeline.invoke(&s3(&["gone", "there"]), &Context::default());
    assert_eq!(failed(&invoked), [(Stage::Source, "object gone", 1)]);
    assert_eq!((sent(&world).len(), invoked.answer.is_ok()), (1, true));
    let invoked = pipeline.invoke(&s3(&["theirs", "there", "later"]), &Context::default());
    assert_eq!(
        failed(&invoked),
        [(Stage::Delivery, "access to the object denied", 1), (Stage::Delivery, "object cannot be read now", 1)]
    );
    assert!(invoked.answer.is_err() && sent(&world).len() == 2, "and the others are worked on all the same");
    assert_eq!(world.objects.opened().iter().filter(|object| **object == "b/later").count(), 3, "it is tried again");
}

#[test]
fn the_key_is_decoded_and_the_version_that_was_announced_is_read() {
    let world = World::new();
    world.objects.put("b", "a dir/=é.log", Ok(b"{}\n".to_vec()));
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let invocation =
        br#"{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"a+dir/%3D%C3%A9.log","versionId":"v7"}}}]}"#;
    let invoked = pipeline(&world, &config).invoke(invocation, &Context::default());
    assert_eq!((world.objects.opened(), invoked.ledger.delivered), (vec!["b/a dir/=é.log?v7".to_owned()], 1));
}

#[test]
fn what_s3_sends_when_notifications_are_set_up_is_answered_with_success() {
    let world = World::new();
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let invocation =
        br#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b"}"#;
    let invoked = pipeline(&world, &config).invoke(invocation, &Context::default());
    assert_eq!(
        (invoked.answer.is_ok(), invoked.ledger.dropped.get("s3:TestEvent"), failed(&invoked).len()),
        (true, Some(&1), 0)
    );
}

#[test]
fn the_first_source_that_matches_takes_each_trigger_for_itself() {
    let source = |name: &str, regex: &str, drop: bool| {
        let gate = if drop { vec![Gate {}.into()] } else { vec![] };
        Source::builder()
            .name(name)
            .source_regex(WholePattern::new(regex).unwrap())
            .deserializer(GenericJson::builder().build())
            .operations(gate)
            .build()
    };
    let config = PipelineConfig::builder()
        .handler(S3Handler::builder().build())
        .sources(vec![source("one", "s3://b/one/.*", true), source("both", "s3://b/(one|two)/.*", false)])
        .wrapper(PassthroughWrapper {})
        .serializer(Json::builder().build())
        .transport(Take::default())
        .build();
    let world = World::new();
    for key in ["one/x", "two/x", "three/x", "one/y"] {
        world.objects.put("b", key, Ok(format!("{{\"do\":\"drop\",\"key\":\"{key}\"}}\n").into_bytes()));
    }
    let invoked =
        pipeline(&world, &config).invoke(&s3(&["one/x", "two/x", "three/x", "one/y", "three/x"]), &Context::default());
    assert_eq!(sent(&world), [r#"{"do":"drop","key":"two/x"}"#], "not the last one's source for all of them");
    let dropped: Vec<_> = invoked.ledger.dropped.iter().map(|(reason, count)| (&**reason, *count)).collect();
    assert_eq!(dropped, [("gate closed", 2), ("no source", 2)]);
    let warnings: Vec<_> = world.log.lines().into_iter().filter(|(level, _)| *level == Level::Warn).collect();
    assert_eq!(
        warnings,
        [(Level::Warn, "no source matches: it is not read trigger=s3://b/three/x".to_owned())],
        "and it is said once"
    );
}

#[test]
fn raw_events_are_dropped_by_texts_and_patterns_before_they_are_read() {
    let source = Source::builder()
        .name("all")
        .contains_strings(vec!["drop me".into()])
        .regex_patterns(vec![Pattern::new(r"x\d+").unwrap()])
        .deserializer(GenericJson::builder().build())
        .build();
    let config =
        PipelineConfig { sources: vec![source], ..config(KinesisHandler::builder().build(), vec![], Take::default()) };
    let world = World::new();
    let records = ["{\"a\":1}", "no JSON drop me", "{\"a\":\"x1\"}", "{\"a\":\"x\"}"];
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records), &Context::default());
    assert_eq!(sent(&world), [r#"{"a":1}"#, r#"{"a":"x"}"#]);
    let dropped: Vec<_> = invoked.ledger.dropped.iter().map(|(reason, count)| (&**reason, *count)).collect();
    assert_eq!(dropped, [("contains_strings", 1), ("regex_patterns", 1)]);
}

#[test]
fn all_messages_of_sns_are_worked_on_and_the_topic_is_told_of_a_failure() {
    let message = |key: &str| String::from_utf8(s3(&[key])).unwrap();
    let record =
        |message: String| serde_json::json!({"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": message}});
    let invocation = serde_json::json!({"Records": [
        record(message("other/x")), record("hello".into()), record(message("logs/x")), record(message("logs/denied")),
    ]});
    let world = World::new();
    world.objects.put("b", "logs/x", Ok(b"{\"a\":1}\n".to_vec()));
    world.objects.put("b", "logs/denied", Err(ObjectError::Denied("AccessDenied".into())));
    let handler = SNSS3Handler::builder()
        .sns_notification_arn("arn:aws:sns:us-east-1:123456789012:t")
        .log_sns_trigger(true)
        .build();
    let mut ours = config(handler, vec![], Take::default());
    ours.sources[0].source_regex = WholePattern::new("s3://b/logs/.*").unwrap();
    let invoked = pipeline(&world, &ours).invoke(invocation.to_string().as_bytes(), &Context::default());
    assert_eq!((invoked.ledger.delivered, invoked.ledger.dropped.get("no source")), (1, Some(&1)));
    assert_eq!(
        failed(&invoked),
        [
            (Stage::Source, "the message is no announcement of S3", 1),
            (Stage::Delivery, "access to the object denied", 1)
        ]
    );
    assert!(invoked.answer.is_err());
    let Some(Call::Publish { topic_arn, subject, message }) = world.calls.made().pop() else { panic!("a notice") };
    assert_eq!(topic_arn, "arn:aws:sns:us-east-1:123456789012:t");
    assert_eq!((&*subject, &*message), ("SNSS3Handler Failed", "other/x,logs/x,logs/denied"));
    assert!(world.log.lines().contains(&(Level::Info, "triggered trigger=s3://b/logs/x".to_owned())));
}

#[test]
fn triggers_that_there_is_no_time_for_are_handed_back_unread() {
    let world = World::new();
    world.objects.put("b", "k", Ok(b"{}\n".to_vec()));
    let config = config(S3Handler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &config).invoke(&s3(&["k"]), &within(Duration::ZERO));
    assert_eq!(failed(&invoked), [(Stage::Delivery, "out of time", 1)]);
    assert!(invoked.answer.is_err() && world.objects.opened().is_empty());
}
