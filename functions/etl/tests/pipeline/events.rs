//! What Lambda sends, as others have seen it, to every handler: each reads its own, and refuses what is none of its own, whatever it is.

use crate::parts::{Take, Verbatim, config, kinesis, pipeline, s3};
use etl::{
    config::{HandlerConfig, PipelineConfig, Variables},
    event::Context,
    handlers::{Common, Tag},
    need::{Need, Target},
    registry::Registry,
    testing::World,
    transports::FirehoseTransform,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every handler that there is, with all that its settings open.
const HANDLERS: [&str; 9] = [
    "{type: CloudWatchLogsHandler}",
    "{type: DynamodbHandler}",
    "{type: EventBridgeHandler, payload: detail}",
    "{type: FirehoseTransformHandler}",
    "{type: KinesisHandler}",
    "{type: S3Handler}",
    "{type: SNSHandler}",
    "{type: SNSS3Handler}",
    "{type: SQSHandler}",
];

/// A file, how many events are in it, and how many of them are not what the handler reads.
type Count = (&'static str, u64, u64);

/// Which handler reads which file: how many events are in it, and how many of them are not what the handler reads. What comes in an envelope
/// that a handler knows is told from what is in it event by event.
const READ: &[(&str, &[Count])] = &[
    (
        "CloudWatchLogsHandler",
        &[
            ("cloud-watch-log-event-template", 1, 1),
            ("kinesis-template", 1, 1),
            ("example-cloudwatch_logs-event", 2, 0),
            ("example-kinesis-event-encrypted", 2, 2),
            ("example-kinesis-event", 2, 2),
        ],
    ),
    ("DynamodbHandler", &[("dynamo-stream-event-template", 1, 0), ("example-dynamodb-event", 2, 0)]),
    ("EventBridgeHandler", &[("example-eventbridge-event-obj", 1, 0), ("example-eventbridge-schedule", 1, 0)]),
    ("FirehoseTransformHandler", &[("example-firehose-event", 2, 0), ("example-kinesis-firehose-event", 2, 0)]),
    (
        "KinesisHandler",
        &[("kinesis-template", 1, 0), ("example-kinesis-event-encrypted", 2, 0), ("example-kinesis-event", 2, 0)],
    ),
    ("S3Handler", ANNOUNCEMENTS),
    (
        "SNSHandler",
        &[
            ("sns-template", 1, 0),
            ("example-sns-event-obj", 1, 0),
            ("example-sns-event-pascal-case", 1, 0),
            ("example-sns-event", 1, 0),
        ],
    ),
    ("SNSS3Handler", ANNOUNCEMENTS),
    ("SQSHandler", &[("sqs-template", 1, 0), ("example-sqs-event-obj", 1, 0), ("example-sqs-event", 1, 0)]),
];

const ANNOUNCEMENTS: &[(&str, u64, u64)] = &[
    ("s3-template", 1, 0),
    ("sns-template", 1, 1),
    ("sqs-template", 1, 1),
    ("example-s3-event-with-decoded", 1, 0),
    ("example-s3-event", 1, 0),
    ("example-sns-event-obj", 1, 1),
    ("example-sns-event-pascal-case", 1, 1),
    ("example-sns-event", 1, 1),
    ("example-sqs-event-obj", 1, 1),
    ("example-sqs-event", 1, 1),
];

fn handler(config: &str) -> HandlerConfig {
    let text = format!(
        "{{handler: {config}, sources: [{{name: a, deserializer: {{type: GenericJson}}}}], wrapper: {{type: PassthroughWrapper}}, \
         serializer: {{type: Json}}, transport: {{type: {}}}}}",
        if config.contains("Firehose") { "FirehoseTransform" } else { "DevNull" }
    );
    PipelineConfig::read(&Registry::default(), "a.yaml", &text, Variables::From(&|_| None)).unwrap().handler
}

/// A pipeline that takes every event there is.
fn open(handler: HandlerConfig) -> PipelineConfig {
    let (answers, lines) = (handler.wants_answers(), handler.reads_objects());
    let mut config = config(handler, vec![], Take::default());
    if !lines {
        config.sources[0].deserializer = Some(Verbatim {}.into());
    }
    if answers {
        config.transport = Some(FirehoseTransform::builder().build().into());
    }
    config
}

fn name(handler: &str) -> &str {
    handler.trim_start_matches("{type: ").split([',', '}']).next().unwrap()
}

fn files() -> Option<Vec<(String, Vec<u8>)>> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/lambda-events");
    let mut files: Vec<PathBuf> = vec![];
    for folder in fs::read_dir(&corpus).ok()? {
        files.extend(fs::read_dir(folder.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files.sort();
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().trim_end_matches(".json").to_owned();
    Some(files.iter().map(|file| (name(file), fs::read(file).unwrap())).collect())
}

#[test]
fn the_settings_that_handlers_share_are_read_by_every_one_of_them() {
    for each in HANDLERS {
        let plain = handler(each);
        assert_eq!(plain.common(), Common::new(true, false, &[]), "{each}");
        let settings = "fail_on_exception: false, include_function_tags: true, metric_tags: [{key: team, value: a}]}";
        let all = open(handler(&format!("{}, {settings}", each.trim_end_matches('}'))));
        let tag = Tag { key: "team".to_owned(), value: "a".to_owned() };
        assert_eq!(all.handler.common(), Common::new(false, true, &[tag]), "{each}");
        // Only who is asked for them reads the function's tags.
        let tags = Need { actions: &["lambda:ListTags"], on: Target::FunctionTags };
        assert!(all.needs().contains(&tags) && !open(plain).needs().contains(&tags), "{each}");
        // Bender's four take what has no meaning here.
        if ["Dynamodb", "Kinesis", "{type: S3", "SNSS3"].iter().any(|name| each.contains(name)) {
            handler(&format!("{}, queue_size: 7}}", each.trim_end_matches('}')));
        }
    }
}

#[test]
fn every_handler_is_tried_here() {
    let registry = Registry::default();
    let (.., room) = registry.rooms().into_iter().find(|(_, key, _)| *key == "handler").unwrap();
    assert_eq!(room.names(), HANDLERS.map(name));
}

#[test]
fn every_event_is_read_by_its_own_handler_and_refused_by_the_others() {
    let Some(files) = files() else { return println!("skipped: the corpus is not there") };
    for (text, (known, read)) in HANDLERS.into_iter().zip(READ) {
        assert_eq!(name(text), *known);
        let mut seen = vec![];
        let config = open(handler(text));
        for (file, invocation) in &files {
            let world = World::new();
            for (bucket, key) in [("sourcebucket", "Happy Face.jpg"), ("service-1474780369352-1", "object")] {
                world.objects.put(bucket, key, Ok(b"{}\n".to_vec()));
            }
            let invoked = pipeline(&world, &config).invoke(invocation, &Context::default());
            let ledger = &invoked.ledger;
            assert!(ledger.balances(), "{text} {file}: {ledger:?}");
            if config.handler.read(invocation).is_err() {
                assert!(invoked.answer.is_err() && ledger.received == 0, "{text} {file}");
            } else {
                assert_eq!(ledger.delivered + ledger.all_failed(), ledger.received, "{text} {file}: {ledger:?}");
                assert!(invoked.answer.is_ok(), "{text} {file}: {:?}", invoked.answer);
                seen.push((&**file, ledger.received, ledger.all_failed()));
            }
        }
        assert_eq!(&seen[..], *read, "{known}");
    }
}

/// Invocations of all kinds.
fn samples() -> Vec<Vec<u8>> {
    let message = json!({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}).to_string();
    let envelope = json!({"Type": "Notification", "MessageId": "m", "Message": message}).to_string();
    let ours = [
        json!({"Records": [{"messageId": "1", "body": envelope, "attributes": {"MessageGroupId": "g"}, "eventSourceARN": "a"}]}),
        json!({"Records": [{"Sns": {"MessageId": "m", "TopicArn": "a:b:c:d", "Timestamp": "1970-01-01T00:00:00Z", "Message": message}}]}),
        json!({"id": "1", "source": "aws.s3", "detail-type": "Object Created", "account": "1", "time": "1970-01-01T00:00:00Z",
            "detail": {"bucket": {"name": "b"}, "object": {"key": "k", "version-id": "v"}}}),
        json!({"awslogs": {"data": "H4sIAAAAAAAAAKuuBQBDv6ajAgAAAA=="}}),
        json!({"invocationId": "i", "deliveryStreamArn": "a", "region": "r", "records": [{"recordId": "1", "data": "e30="}]}),
        json!({"Records": [{"eventID": "1", "eventSourceARN": "a", "dynamodb": {"Keys": {"k": {"S": "a"}}, "SequenceNumber": "1",
            "NewImage": {"a": {"M": {"b": {"L": [{"N": "1.5"}, {"B": "AA=="}, {"NULL": true}, {"SS": ["x"]}]}}}}}}]}),
    ];
    let ours = ours.iter().map(|value| value.to_string().into_bytes()).chain([kinesis(&["{}", "{"]), s3(&["k", "l"])]);
    ours.chain(files().into_iter().flatten().map(|(_, invocation)| invocation)).collect()
}

/// A change of an invocation.
#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Cut(usize, usize),
    Twice(usize, usize),
    /// One of its values becomes another one.
    Value(usize, Value),
}

fn change() -> impl Strategy<Value = Change> {
    let value = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!("84mawg==")),
        Just(json!({"Records": [{"body": "x"}]})),
        Just(json!(r#"{"Message":"{\"Message\":\"{}\"}"}"#)),
    ];
    prop_oneof![
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        1 => (any::<usize>(), 0..50_usize).prop_map(|(at, length)| Change::Cut(at, length)),
        1 => (any::<usize>(), 0..50_usize).prop_map(|(at, length)| Change::Twice(at, length)),
        4 => (any::<usize>(), value).prop_map(|(at, value)| Change::Value(at, value)),
    ]
}

impl Change {
    fn apply(self, text: &mut Vec<u8>) {
        let part = |at: usize, length: usize| {
            let begin = at % (text.len() + 1);
            begin..(begin + length).min(text.len())
        };
        match self {
            Self::Byte(at, byte) => {
                let range = part(at, 1);
                text[range].fill(byte);
            }
            Self::Cut(at, length) => {
                text.drain(part(at, length));
            }
            Self::Twice(at, length) => {
                let range = part(at, length);
                text.extend_from_within(range);
            }
            Self::Value(at, new) => {
                let Ok(mut root) = serde_json::from_slice::<Value>(text) else { return };
                let count = count(&root);
                replace(&mut root, &mut (at % count), &new);
                *text = root.to_string().into_bytes();
            }
        }
    }
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(all) => all.iter().map(count).sum(),
        Value::Object(all) => all.values().map(count).sum(),
        _ => 0_usize,
    }
}

/// Puts a value in the place of the `at`th.
fn replace(value: &mut Value, at: &mut usize, new: &Value) -> bool {
    if *at == 0 {
        *value = new.clone();
        return true;
    }
    *at -= 1;
    match value {
        Value::Array(all) => all.iter_mut().any(|value| replace(value, at, new)),
        Value::Object(all) => all.values_mut().any(|value| replace(value, at, new)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_invocation_makes_a_handler_panic_or_lose_an_event(which in any::<prop::sample::Index>(), changes in prop::collection::vec(change(), 0..4)) {
        let samples = samples();
        let mut invocation = which.get(&samples).clone();
        for change in changes {
            change.apply(&mut invocation);
        }
        for text in HANDLERS {
            let config = open(handler(text));
            let world = World::new();
            world.objects.put("b", "k", Ok(b"{}\n".to_vec()));
            let invoked = pipeline(&world, &config).invoke(&invocation, &Context::default());
            prop_assert!(invoked.ledger.balances(), "{text}: {:?}", invoked.ledger);
            if config.handler.read(&invocation).is_err() {
                prop_assert!(invoked.answer.is_err() && invoked.ledger.received == 0, "{text}");
            }
        }
    }
}
