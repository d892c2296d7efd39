//! The real binary of the ETL function, served by a Runtime API and an AWS of the test's own.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../etl-adapters/tests/far_side/mod.rs"]
#[expect(dead_code, unused_imports, reason = "another package's tests use the rest of it")]
mod far_side;

use far_side::{Asked, FarSide, Say};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, SystemTime},
};

const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:etl";

/// A sandbox: the function's process, what is handed to it, and what it answers. All far sides have one address.
struct Sandbox {
    child: Child,
    events: Sender<(String, String)>,
    answers: Receiver<(String, Value)>,
    far: Arc<FarSide>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Sandbox {
    /// `aws`: what AWS says to a request, and to the how manieth of all.
    fn new(variables: &[(&str, &str)], aws: impl Fn(&Asked, usize) -> Say + Send + Sync + 'static) -> Self {
        let (events, queue) = channel::<(String, String)>();
        let (tell, answers) = channel();
        let (queue, tell) = (Mutex::new(queue), Mutex::new(tell));
        let far = FarSide::new(move |asked, nth| match asked.target.strip_prefix("/2018-06-01/runtime/") {
            None => aws(asked, nth),
            Some("invocation/next") => match queue.lock().unwrap().recv() {
                Ok((event, arn)) => next(&event, arn),
                Err(_) => Say::Close,
            },
            Some(path) => {
                let body = serde_json::from_slice(&asked.body).unwrap_or_default();
                tell.lock().unwrap().send((path.rsplit('/').next().unwrap().to_owned(), body)).unwrap();
                Say::json(202, "{}")
            }
        });
        let host = far.address.trim_start_matches("http://");
        let mut child = Command::new(env!("CARGO_BIN_EXE_etl"))
            .env_clear()
            .envs([("AWS_LAMBDA_RUNTIME_API", host), ("AWS_ENDPOINT_URL", &far.address), ("AWS_REGION", "eu-west-1")])
            .envs([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "etl"), ("AWS_LAMBDA_FUNCTION_VERSION", "7")])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/etl")])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (out, all) = (child.stdout.take().unwrap(), Arc::clone(&lines));
        thread::spawn(move || BufReader::new(out).lines().for_each(|line| all.lock().unwrap().push(line.unwrap())));
        Self { child, events, answers, far: Arc::new(far), lines }
    }

    /// `response` or `error`, with its body.
    fn invoke_as(&self, event: &Value, arn: &str) -> (String, Value) {
        self.events.send((event.to_string(), arn.to_owned())).unwrap();
        self.answers.recv_timeout(Duration::from_mins(1)).unwrap()
    }

    fn invoke(&self, event: &Value) -> (String, Value) {
        self.invoke_as(event, ARN)
    }

    /// What the function asked of AWS until now.
    fn asked(&self) -> Vec<Asked> {
        self.far.asked().into_iter().filter(|asked| !asked.target.starts_with("/2018")).collect()
    }

    /// The lines of standard output until now, once there is one with this in it.
    fn lines_with(&self, part: &str) -> Vec<String> {
        for _ in 0..500 {
            let lines = self.lines.lock().unwrap().clone();
            if lines.iter().any(|line| line.contains(part)) {
                return lines;
            }
            thread::sleep(Duration::from_millis(10));
        }
        unreachable!("no line with {part} in {:#?}", self.lines.lock().unwrap())
    }
}

/// An event as the Runtime API hands it over, with four seconds for it.
fn next(event: &str, arn: String) -> Say {
    #[expect(clippy::disallowed_methods, reason = "the function compares it with its own clock")]
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let headers = vec![
        ("lambda-runtime-aws-request-id", "r-1".to_owned()),
        ("lambda-runtime-deadline-ms", (now.as_millis() + 4000).to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
    ];
    Say::This(200, headers, event.as_bytes().to_owned())
}

fn kinesis(records: &[&str]) -> Value {
    let record = |(n, data): (usize, &&str)| {
        json!({
            "eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "eventVersion": "1.0", "awsRegion": "eu-west-1",
            "eventID": format!("shardId-000000000000:{n}"), "invokeIdentityArn": "arn:aws:iam::111122223333:role/etl",
            "eventSourceARN": "arn:aws:kinesis:eu-west-1:111122223333:stream/events",
            "kinesis": {
                "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": format!("4959{n}"),
                "data": base64_simd::STANDARD.encode_to_string(data), "approximateArrivalTimestamp": 1_763_900_000.5,
            },
        })
    };
    json!({"Records": records.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn config(handler: &str, transport: &Value) -> Value {
    json!({
        "handler": {"type": handler},
        "sources": [{
            "name": "Events", "source_regex": ".*", "deserializer": {"type": "GenericJson"},
            "operations": [{"type": "JsonReplaceKVOperation", "key": "foo", "value": "<NEW_VALUE>"}],
        }],
        "wrapper": {"type": "PassthroughWrapper"}, "serializer": {"type": "Json"}, "transport": transport,
    })
}

fn firehose() -> Value {
    json!({"type": "Firehose", "stream_name": "<STREAM>", "firehose_buffer": "SIMPLE"})
}

/// The data of each record of a `PutRecordBatch`.
fn records(asked: &Asked) -> Vec<String> {
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body["DeliveryStreamName"], "archive");
    let text = |record: &Value| {
        let data = base64_simd::STANDARD.decode_to_vec(record["Data"].as_str().unwrap()).unwrap();
        String::from_utf8(data).unwrap()
    };
    body["Records"].as_array().unwrap().iter().map(text).collect()
}

/// Firehose, which does not take records that contain "bad".
fn picky(asked: &Asked, _: usize) -> Say {
    let answers: Vec<Value> = records(asked)
        .iter()
        .map(|record| {
            let taken = json!({"RecordId": "a"});
            let refused = json!({"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."});
            if record.contains("bad") { refused } else { taken }
        })
        .collect();
    let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
    Say::json(200, &json!({"FailedPutCount": failed, "RequestResponses": answers}).to_string())
}

fn to_firehose() -> Sandbox {
    let config = config("KinesisHandler", &firehose()).to_string();
    Sandbox::new(&[("BENDER_CONFIG_INLINE", &config), ("STREAM", "archive"), ("NEW_VALUE", "new")], picky)
}

#[test]
fn records_of_a_stream_are_worked_on_and_delivered() {
    let sandbox = to_firehose();
    let answer = sandbox.invoke(&kinesis(&[r#"{"foo":"old","n":1.10}"#, r#"{"bar":2}"#]));
    assert_eq!(answer, ("response".to_owned(), json!({"batchItemFailures": []})));
    let delivered: String = sandbox.asked().iter().flat_map(records).collect();
    assert!(delivered.contains(r#"{"foo":"new","n":1.10}"#) && delivered.contains(r#"{"bar":2}"#), "{delivered}");
    // The pipeline is kept.
    assert_eq!(sandbox.invoke(&kinesis(&["{}"])).0, "response");
    let lines = sandbox.lines_with("the pipeline is ready");
    assert_eq!(lines.iter().filter(|line| line.contains("the pipeline is ready")).count(), 1);
    for line in lines {
        let line: Value = serde_json::from_str(&line).unwrap();
        assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
    }
}

#[test]
fn what_is_not_taken_in_time_is_handed_back_to_the_stream() {
    let sandbox = to_firehose();
    let (kind, answer) = sandbox.invoke(&kinesis(&["{\"n\":1}", "{\"n\":\"bad\"}", "{\"n\":3}"]));
    // One call takes all three; Firehose has the first and the third of them.
    assert_eq!((kind.as_str(), &answer["batchItemFailures"]), ("response", &json!([{"itemIdentifier": "49591"}])));
    let asked = sandbox.asked();
    assert!(asked.len() > 1, "it was not tried again");
    assert!(
        records(asked.last().unwrap()).iter().all(|record| record.contains("bad")),
        "what was taken was sent again"
    );
}

#[test]
fn a_failure_is_an_error_of_the_function_so_that_lambda_repeats_it() {
    let config = config("S3Handler", &firehose()).to_string();
    let variables = [("BENDER_CONFIG_INLINE", config.as_str()), ("STREAM", "archive"), ("NEW_VALUE", "new")];
    let sandbox = Sandbox::new(&variables, |asked, nth| match asked.method.as_str() {
        "GET" => Say::This(200, vec![("etag", "\"e\"".to_owned())], b"{\"n\":\"bad\"}\n".to_vec()),
        _ => picky(asked, nth),
    });
    let event = json!({"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-1", "eventTime": "2026-11-23T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0", "configurationId": "c", "bucket": {"name": "logs", "arn": "arn:aws:s3:::logs"},
            "object": {"key": "a+b.json", "size": 12, "sequencer": "0A"},
        },
    }]});
    let (kind, answer) = sandbox.invoke(&event);
    assert_eq!((kind.as_str(), &answer["errorType"]), ("error", &json!("Delivery")), "{answer}");
    let message = answer["errorMessage"].as_str().unwrap();
    assert!(message.contains("could not be delivered") && !message.contains("bad"), "{message}");
    assert_eq!(sandbox.asked()[0].line(), "GET /logs/a%20b.json?x-id=GetObject");
    assert!(sandbox.lines_with("could not be delivered").iter().all(|line| !line.contains("bad")));
    let (kind, answer) = sandbox.invoke(&json!({"nothing": "of ours"}));
    assert_eq!(kind, "error", "{answer}");
}

#[test]
fn a_config_with_mistakes_logs_all_of_them_and_fails_each_invocation_shortly() {
    let mut config = config("KinesisHandler", &json!({"type": "Firehos", "stream_name": "x"}));
    config["wrapper"]["typ"] = json!(1);
    config["sources"][0]["operations"][0]["value"] = Value::Null;
    config["sources"][0]["source_regex"] = json!("(");
    let sandbox = Sandbox::new(&[("BENDER_CONFIG_INLINE", &config.to_string())], |_, _| Say::Close);
    for _ in 0..2 {
        let (kind, answer) = sandbox.invoke(&kinesis(&["{}"]));
        assert_eq!((kind.as_str(), &answer["errorType"]), ("error", &json!("Config")));
        let message = answer["errorMessage"].as_str().unwrap();
        assert!(message.contains("mistakes, all in the log; the first: BENDER_CONFIG_INLINE:1:"), "{message}");
        assert!(message.len() < 400, "{message}");
    }
    let lines = sandbox.lines_with("Firehos");
    let codes: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["code"].clone()).collect();
    assert!(lines.len() >= 3 && codes.iter().all(|code| code.as_str().unwrap().starts_with("ETL")), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("Firehose")), "no suggestion: {lines:#?}");
}

#[test]
fn a_variable_that_nothing_gives_is_named() {
    let config = config("KinesisHandler", &firehose()).to_string();
    let sandbox = Sandbox::new(&[("BENDER_CONFIG_INLINE", &config), ("STREAM", "archive")], |_, _| Say::Close);
    let (_, answer) = sandbox.invoke(&kinesis(&["{}"]));
    assert!(answer["errorMessage"].as_str().unwrap().contains("NEW_VALUE"), "{answer}");
}

#[test]
fn a_config_in_s3_is_read_before_the_first_event_and_again_after_an_outage() {
    let config = config("KinesisHandler", &firehose()).to_string();
    let variables = [("BENDER_CONFIG", "s3://configs/etl.json"), ("STREAM", "archive"), ("NEW_VALUE", "new")];
    let sandbox = Sandbox::new(&variables, move |asked, nth| match asked.method.as_str() {
        "GET" if nth < 1 => Say::json(503, "<Error><Code>SlowDown</Code></Error>"),
        "GET" => Say::This(200, vec![("etag", "\"e\"".to_owned())], config.as_bytes().to_owned()),
        _ => picky(asked, nth),
    });
    assert_eq!(sandbox.invoke(&kinesis(&["{}"])).0, "response");
    let order: Vec<String> = sandbox.far.asked().iter().map(|asked| asked.target.clone()).take(3).collect();
    let object = "/configs/etl.json?x-id=GetObject";
    assert_eq!(order, [object, "/2018-06-01/runtime/invocation/next", object]);
    sandbox.lines_with("the config `s3://configs/etl.json` cannot be read: cannot read now (SlowDown)");
}

#[test]
fn the_functions_own_tags_are_tags_of_its_metrics_and_nothing_fails_without_leave_to_read_them() {
    let mut config = config("KinesisHandler", &firehose());
    config["handler"]["include_function_tags"] = json!(true);
    config["reporters"] = json!([{"type": "DataDog"}]);
    let config = config.to_string();
    let variables = [("BENDER_CONFIG_INLINE", config.as_str()), ("STREAM", "archive"), ("NEW_VALUE", "new")];
    for (status, body, tag) in [(200, r#"{"Tags":{"team":"logs"}}"#, true), (403, "{}", false)] {
        let sandbox = Sandbox::new(&variables, move |asked, nth| match asked.method.as_str() {
            "GET" => Say::json(status, body),
            _ => picky(asked, nth),
        });
        // Tags are the function's, whatever alias it is invoked by.
        assert_eq!(sandbox.invoke_as(&kinesis(&["{}"]), &format!("{ARN}:live")).0, "response");
        let asked = sandbox.asked();
        assert_eq!(asked[0].line(), format!("GET /2017-03-31/tags/{}", ARN.replace(':', "%3A")));
        assert!(asked[0].header("authorization").unwrap().contains("/eu-west-1/lambda/aws4_request"), "{asked:?}");
        let lines = sandbox.lines_with("MONITORING|");
        assert_eq!(
            lines.iter().any(|line| line.starts_with("MONITORING|") && line.contains("team:logs")),
            tag,
            "{lines:#?}"
        );
        let told = lines.iter().any(|line| line.contains("metrics go without the function's tags"));
        assert_eq!(told, !tag, "{lines:#?}");
    }
}

#[test]
fn a_config_in_a_parameter_is_decrypted_and_refused_if_it_is_not_the_one_that_was_pinned() {
    let config = config("KinesisHandler", &firehose()).to_string();
    let pinned = Sha256::digest(&config).iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    let aws = move |asked: &Asked, nth| match asked.header("x-amz-target") {
        Some("AmazonSSM.GetParameter") => {
            let asked: Value = serde_json::from_slice(&asked.body).unwrap();
            assert_eq!(asked, json!({"Name": "/flexo/orders", "WithDecryption": true}));
            Say::json(200, &json!({"Parameter": {"Name": "/flexo/orders", "Value": config}}).to_string())
        }
        _ => picky(asked, nth),
    };
    let place = ("BENDER_CONFIG", "ssm:///flexo/orders");
    let variables = [place, ("BENDER_CONFIG_SHA256", &pinned), ("STREAM", "archive"), ("NEW_VALUE", "new")];
    let sandbox = Sandbox::new(&variables, aws.clone());
    assert_eq!(sandbox.invoke(&kinesis(&[r#"{"foo":"old"}"#])).0, "response");
    let asked = sandbox.asked();
    assert_eq!(records(&asked[1]), ["{\"foo\":\"new\"}\n"]);
    let sandbox = Sandbox::new(&[place, ("BENDER_CONFIG_SHA256", "00")], aws);
    let (_, answer) = sandbox.invoke(&kinesis(&["{}"]));
    let message = answer["errorMessage"].as_str().unwrap();
    assert!(message.contains("`ssm:///flexo/orders` is not the one that this version"), "{answer}");
}

#[test]
fn a_packaged_config_is_chosen_by_the_alias() {
    let package = tempfile::tempdir().unwrap();
    fs::create_dir(package.path().join("config")).unwrap();
    let file = |name: &str, stream: &str| {
        let transport = json!({"type": "Firehose", "stream_name": stream});
        fs::write(package.path().join("config").join(name), config("KinesisHandler", &transport).to_string()).unwrap();
    };
    file("prod.json", "for-prod");
    file("$LATEST.json", "for-latest");
    let variables = [("LAMBDA_TASK_ROOT", package.path().to_str().unwrap()), ("NEW_VALUE", "new")];
    let sandbox = Sandbox::new(&variables, |_, _| Say::json(200, r#"{"FailedPutCount":0,"RequestResponses":[{}]}"#));
    for alias in [":prod", "", ":prod"] {
        assert_eq!(sandbox.invoke_as(&kinesis(&["{}"]), &format!("{ARN}{alias}")).0, "response");
    }
    let streams: Vec<Value> = sandbox
        .asked()
        .iter()
        .map(|asked| serde_json::from_slice::<Value>(&asked.body).unwrap()["DeliveryStreamName"].clone())
        .collect();
    assert_eq!(streams, ["for-prod", "for-latest", "for-prod"]);
    let (_, answer) = sandbox.invoke_as(&kinesis(&["{}"]), &format!("{ARN}:stage"));
    assert!(answer["errorMessage"].as_str().unwrap().contains("invoked as `stage`"), "{answer}");
    // And goes on.
    assert_eq!(sandbox.invoke_as(&kinesis(&["{}"]), &format!("{ARN}:prod")).0, "response");
}
