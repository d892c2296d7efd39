//! Transports against an emulated AWS that enforces IAM, and against a real node of `OpenSearch`: the protocols, the permissions that
//! they take, certificates, and both ways to say who we are.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{fs, sync::Arc, sync::mpsc, thread, time::Duration};

use aws_config::Region;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use etl::{
    pipeline::{Environment, Invoked, Pipeline},
    ports::Ports,
    testing::{World, relay, relayed},
};
use etl_adapters::{
    aws::{Clients, loader},
    calls::AwsCalls,
};
use serde_json::{Value, json};
use tests::{
    aws::Aws,
    rig::{Rig, rig},
    wait::until,
};
use tokio::runtime::{Builder, Handle};

const MINUTE: Duration = Duration::from_mins(1);

/// A runtime that another thread drives, as in the function.
fn driven() -> Handle {
    let (tell, handle) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        tell.send(runtime.handle().clone()).unwrap();
        runtime.block_on(std::future::pending::<()>());
    });
    handle.recv().unwrap()
}

/// What the function would read from its environment, with the keys of this session.
fn calls(rig: &Rig, session: &Aws) -> AwsCalls {
    let variable = |name: &str| session.variable(name).to_owned();
    let token = Some(variable("AWS_SESSION_TOKEN")).filter(|token| !token.is_empty());
    let keys = Credentials::new(variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), token, None, "rig");
    let loader = loader()
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .endpoint_url(variable("AWS_ENDPOINT_URL"));
    let sdk = Builder::new_current_thread().enable_all().build().unwrap().block_on(loader.load());
    AwsCalls::new(driven(), Arc::new(Clients::new(sdk, true))).trusting(&fs::read(&rig.ca).unwrap()).unwrap()
}

fn records() -> Vec<String> {
    (0..3).map(|id| format!(r#"{{"id":{id}}}"#)).collect()
}

/// One invocation with these records. Time goes on only between repetitions.
fn deliver(calls: AwsCalls, transport: &str, records: &[String]) -> Invoked {
    let ports = Ports { calls: Arc::new(calls), ..World::new().ports() };
    let mut pipeline = Pipeline::new(&relay("", transport, ""), Environment::default(), ports).unwrap();
    relayed(&mut pipeline, records)
}

#[track_caller]
fn assert_delivered(invoked: &Invoked) {
    assert_eq!((invoked.ledger.all_failed(), invoked.handed_back), (0, 0), "{:?}", invoked.ledger);
}

/// A session of a role that may do this and nothing else.
fn session(rig: &Rig, name: &str, actions: &[&str], resource: &str) -> Aws {
    let statements = json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }]);
    let role = rig.aws.create_role("/transports/", name, &statements).unwrap();
    rig.aws.assume(&role).unwrap()
}

/// What lies in a queue.
fn messages(aws: &Aws, url: &str, count: usize) -> Vec<String> {
    let mut all: Vec<String> = vec![];
    until("the messages", MINUTE, || {
        let got = aws.run(&["sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10"]).unwrap();
        let bodies = got["Messages"].as_array().into_iter().flatten();
        all.extend(bodies.map(|message| message["Body"].as_str().unwrap().to_owned()));
        (all.len() >= count).then_some(())
    });
    all.sort();
    all
}

fn queue(aws: &Aws, name: &str) -> String {
    let made = aws.run(&["sqs", "create-queue", "--queue-name", name]).unwrap();
    made["QueueUrl"].as_str().unwrap().to_owned()
}

#[test]
fn messages_reach_queues_and_topics_of_who_may_send_and_of_nobody_else() {
    let Some(rig) = rig() else { return };
    let url = queue(&rig.aws, "transports-queue");
    let transport = format!("type: SQS, queue_url: \"{url}\"");
    let arn = "arn:aws:sqs:us-east-1:000000000000:transports-queue";
    // A batch is `sqs:SendMessage` to AWS, and its own action to the emulator; so it is with `sns:Publish`.
    let writer = session(rig, "sqs-writer", &["sqs:SendMessage", "sqs:SendMessageBatch"], arn);
    assert_delivered(&deliver(calls(rig, &writer), &transport, &records()));
    assert_eq!(messages(&rig.aws, &url, 3), records());

    let topic = rig.aws.run(&["sns", "create-topic", "--name", "transports-topic"]).unwrap();
    let topic = topic["TopicArn"].as_str().unwrap();
    let url = queue(&rig.aws, "transports-of-topic");
    let endpoint = "arn:aws:sqs:us-east-1:000000000000:transports-of-topic";
    let admitted = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "Service": "sns.amazonaws.com" }, "Action": "sqs:SendMessage", "Resource": endpoint },
    ]});
    let attributes = json!({ "Policy": admitted.to_string() }).to_string();
    rig.aws.run(&["sqs", "set-queue-attributes", "--queue-url", &url, "--attributes", &attributes]).unwrap();
    let subscribe =
        ["sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", endpoint];
    rig.aws.run(&[&subscribe[..], &["--attributes", "RawMessageDelivery=true"]].concat()).unwrap();
    let publisher = session(rig, "sns-writer", &["sns:Publish", "sns:PublishBatch"], topic);
    assert_delivered(&deliver(calls(rig, &publisher), &format!("type: SNS, topic_arn: \"{topic}\""), &records()));
    assert_eq!(messages(&rig.aws, &url, 3), records());

    let refused = deliver(calls(rig, &publisher), &transport, &records());
    assert_eq!((refused.ledger.delivered, refused.handed_back), (0, 3));
    assert_eq!(refused.ledger.failed[0].reason, "permission refused");
}

#[test]
fn records_reach_streams_and_delivery_streams() {
    let Some(rig) = rig() else { return };
    let aws = &rig.aws;
    aws.run(&["kinesis", "create-stream", "--stream-name", "transports-stream", "--shard-count", "1"]).unwrap();
    aws.run(&["kinesis", "wait", "stream-exists", "--stream-name", "transports-stream"]).unwrap();
    let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/transports-stream";
    let writer = session(rig, "kinesis-writer", &["kinesis:PutRecords"], arn);
    let transport = "type: Kinesis, stream_name: transports-stream, partition_key: $.id";
    assert_delivered(&deliver(calls(rig, &writer), transport, &records()));
    let of = ["--stream-name", "transports-stream", "--shard-id", "shardId-000000000000"];
    let iterator = [&["kinesis", "get-shard-iterator", "--shard-iterator-type", "TRIM_HORIZON"], &of[..]].concat();
    let iterator = aws.run(&iterator).unwrap();
    let iterator = iterator["ShardIterator"].as_str().unwrap();
    let got = aws.run(&["kinesis", "get-records", "--shard-iterator", iterator]).unwrap();
    let record = |record: &Value| {
        let data = base64_simd::STANDARD.decode_to_vec(record["Data"].as_str().unwrap()).unwrap();
        format!("{} {}", record["PartitionKey"].as_str().unwrap(), String::from_utf8(data).unwrap())
    };
    let got: Vec<_> = got["Records"].as_array().unwrap().iter().map(record).collect();
    assert_eq!(got, [0, 1, 2].map(|id| format!(r#"{id} {{"id":{id}}}"#)));

    aws.run(&["s3api", "create-bucket", "--bucket", "transports-archive"]).unwrap();
    let role =
        aws.create_role("/transports/", "archiver", &json!([{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }]));
    let to = format!("RoleARN={},BucketARN=arn:aws:s3:::transports-archive", role.unwrap());
    let create = ["firehose", "create-delivery-stream", "--delivery-stream-name", "transports-archive"];
    aws.run(&[&create[..], &["--extended-s3-destination-configuration", &to]].concat()).unwrap();
    let arn = "arn:aws:firehose:us-east-1:000000000000:deliverystream/transports-archive";
    let writer = session(rig, "firehose-writer", &["firehose:PutRecordBatch"], arn);
    assert_delivered(&deliver(calls(rig, &writer), "type: Firehose, stream_name: transports-archive", &records()));
    let key = until("the archive", MINUTE, || aws.keys("transports-archive").unwrap().pop());
    let archived = String::from_utf8(aws.object("transports-archive", &key).unwrap()).unwrap();
    assert_eq!(archived.lines().collect::<Vec<_>>(), records());
}

#[test]
fn objects_are_there_whole_packed_as_their_names_say_and_large_ones_in_parts() {
    let Some(rig) = rig() else { return };
    rig.aws.run(&["s3api", "create-bucket", "--bucket", "transports-objects"]).unwrap();
    let arn = "arn:aws:s3:::transports-objects/*";
    let writer = session(rig, "s3-writer", &["s3:PutObject", "s3:AbortMultipartUpload"], arn);
    let text = records().join("\n") + "\n";
    let pad = "x".repeat(3 << 20);
    let large: Vec<_> = (0..5).map(|id| format!(r#"{{"id":{id},"pad":"{pad}"}}"#)).collect();
    for (compression, suffix, kind, magic) in [
        ("bzip2", ".bz2", "application/x-bzip2", &b"BZh"[..]),
        ("gzip", ".gz", "application/gzip", b"\x1f\x8b"),
        ("zstd", ".zst", "application/zstd", b"\x28\xb5\x2f\xfd"),
        ("none", "", "", b"{"),
    ] {
        let transport =
            format!("type: S3, bucket_name: transports-objects, base_path: {compression}, compression: {compression}");
        assert_delivered(&deliver(calls(rig, &writer), &transport, &records()));
        let key = format!("{compression}/request{suffix}");
        let object = rig.aws.object("transports-objects", &key).unwrap();
        assert!(object.starts_with(magic), "{compression}");
        let head = rig.aws.run(&["s3api", "head-object", "--bucket", "transports-objects", "--key", &key]).unwrap();
        assert!(kind.is_empty() || head["ContentType"] == kind, "{head}");
        assert!(head["ContentEncoding"].as_str().is_none_or(str::is_empty), "{head}");
        if compression == "gzip" {
            assert_eq!(std::io::read_to_string(flate2::read::MultiGzDecoder::new(&object[..])).unwrap(), text);
        }
    }
    let transport = "type: S3, bucket_name: transports-objects, base_path: large, compression: none";
    assert_delivered(&deliver(calls(rig, &writer), transport, &large));
    let object = String::from_utf8(rig.aws.object("transports-objects", "large/request").unwrap()).unwrap();
    assert!(object.lines().eq(&large), "{} bytes", object.len());
}

#[test]
fn documents_reach_the_node_by_password_and_by_signature_and_it_says_which_it_never_takes() {
    let Some(rig) = rig() else { return };
    let password = |password: &str| {
        format!(
            "auth_config: {{type: UserPassAuth, username: admin, password: {{type: StringValue, value: {password}}}}}"
        )
    };
    let at_node = format!("hostname: localhost, port: {}", rig.node_port);
    let transport = |index: &str, rest: &str| {
        format!("type: OpenSearch, index: {index}, use_gzip: true, document_id: $.id, {rest}")
    };
    let with = |word: &str| transport("transports-password", &format!("{at_node}, {}", password(word)));
    assert_delivered(&deliver(calls(rig, &rig.aws), &with("admin"), &records()));
    let ids: Vec<_> = rig.node.documents("transports-password").unwrap().into_keys().collect();
    assert_eq!(ids, [0, 1, 2].map(|id| format!("transports-password/{id}")));
    let refused = deliver(calls(rig, &rig.aws), &with("wrong"), &records());
    assert_eq!((refused.handed_back, &*refused.ledger.failed[0].reason), (3, "credentials refused"));

    // A text where the index has a number is refused for good, alone.
    let mut mixed = records();
    mixed.push(r#"{"id":"text"}"#.to_owned());
    let invoked = deliver(calls(rig, &rig.aws), &with("admin"), &mixed);
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed(), invoked.handed_back), (3, 1, 0));
    assert_eq!(invoked.ledger.failed[0].reason, "mapping refused");
    assert_eq!(rig.node.count("transports-password").unwrap(), 3, "the same documents again");

    let security =
        json!({ "Enabled": true, "MasterUserOptions": { "MasterUserARN": "arn:aws:iam::000000000000:role/nobody" } });
    let create = ["opensearch", "create-domain", "--domain-name", "transports", "--engine-version", "OpenSearch_2.19"];
    let made = rig.aws.run(&[&create[..], &["--advanced-security-options", &security.to_string()]].concat()).unwrap();
    let arn = format!("{}/*", made["DomainStatus"]["ARN"].as_str().unwrap());
    let statements = json!([{ "Effect": "Allow", "Action": "es:ESHttpPost", "Resource": arn }]);
    let role = rig.aws.create_role("/transports/", "es-writer", &statements).unwrap();
    rig.node.map_role("transports", &role, "transports-signed").unwrap();
    let writer = rig.aws.assume(&role).unwrap();
    let at_door = format!("hostname: {}, port: 443, auth_config: {{type: UrlSigningAuth, service: es}}", rig.endpoint);
    assert_delivered(&deliver(calls(rig, &writer), &transport("transports-signed", &at_door), &records()));
    assert_eq!(rig.node.count("transports-signed").unwrap(), 3);
}
