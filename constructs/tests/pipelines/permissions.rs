//! A config, and all that its function may do because of it.

use crate::{kinesis, stack, stack_that_decrypts};
use cfn::{Arn, Value};
use constructs::{
    Scope,
    aws::{
        kinesis::Stream,
        kms::{Key, KeyHandle},
        s3::{Bucket, KeyFilter},
        sns::Topic,
        sqs::Queue,
    },
    patterns::{Bindings, Bound, Trigger},
};
use etl::{
    config::{PipelineConfig, Variables},
    late::Late,
    registry::Registry,
};
use std::collections::BTreeSet;

/// Resources of the stack, by the names that the configs below have for them.
const NAMES: [&str; 6] = ["BUCKET", "KEY", "QUEUE", "STREAM", "TABLE", "TOPIC"];

fn bind(scope: &mut Scope<'_>, names: &mut Bindings) {
    let key = scope.add("OwnKey", Key::builder().description("what is delivered").build());
    let bucket = scope.add("Kept", Bucket::builder().key(key.clone()).build());
    let topic = scope.add("Told", Topic::builder().key(key.clone()).build());
    let queue = scope.add("Work", Queue::builder().build());
    let stream = scope.add("Onward", Stream::builder().build());
    let of_table: Value<Arn<cfn::kms::Key>> = Value::Known(Arn::new("arn:aws:kms:eu-west-1:111122223333:key/of-table"));
    let table = Bound::object("s3://tables/hosts.csv", 21).encrypted_by(&KeyHandle::from_arn(of_table));
    let _: [Late<String>; 6] = [
        names.bind("BUCKET", &bucket),
        names.bind("KEY", &key),
        names.bind("QUEUE", &queue),
        names.bind("STREAM", &stream),
        names.bind("TABLE", table),
        names.bind("TOPIC", &topic),
    ];
}

/// A config with these members; those that it lacks need nothing.
fn config(members: &str) -> PipelineConfig {
    let mut text = String::from(members);
    let others = [
        ("handler:", "handler: {type: KinesisHandler}"),
        ("sources:", "sources: [{name: a, deserializer: {type: GenericJson}}]"),
        ("wrapper:", "wrapper: {type: PassthroughWrapper}"),
        ("serializer:", "serializer: {type: Json}"),
        ("transport:", "transport: {type: DevNull}"),
    ];
    for (name, other) in others {
        if !members.lines().any(|line| line.starts_with(name)) {
            text = format!("{text}\n{other}");
        }
    }
    let read = PipelineConfig::read(&Registry::default(), "a.yaml", &text, Variables::Bound(&NAMES));
    read.map_err(|report| report.to_string()).expect("a config")
}

fn granted(config: PipelineConfig) -> BTreeSet<(String, String)> {
    let reads_objects = config.handler.reads_objects();
    let trigger = |scope: &mut Scope<'_>| {
        if !reads_objects {
            return kinesis(scope);
        }
        let any = || Value::Known(String::new());
        let bucket = scope.add("In", Bucket::builder().build());
        Trigger::S3 { bucket, filter: KeyFilter { prefix: any(), suffix: any() } }
    };
    let (template, problems) = stack(trigger, move |scope, names| {
        bind(scope, names);
        config
    });
    assert_eq!(problems, [""; 0]);
    crate::granted(&template)
}

/// What the function may do because of these members: without them it may not.
fn because_of(members: &str) -> String {
    let config = config(members);
    let handler = format!("handler: {{type: {}}}", config.handler.name());
    let without = granted(self::config(&handler));
    let all = granted(config);
    let own: Vec<String> = all.difference(&without).map(|(action, on)| format!("    {action} on {on}\n")).collect();
    format!("{members}\n{}", own.concat())
}

#[test]
fn each_config_has_the_permissions_that_it_needs_and_no_other() {
    let secret = |place: &str| {
        format!("transport: {{type: Splunk, hostname: splunk.example, port: 8088, auth_token: {{type: {place}}}}}")
    };
    let lookup = |file: &str| {
        format!(
            "operations: [{{type: LookupOperation, field: $.host, file: {file}, key: host, target: $.info}}]\nsources: [{{name: a, deserializer: {{type: GenericJson}}}}]"
        )
    };
    let cases = [
        "transport: {type: Kinesis, stream_name: <STREAM>}".to_owned(),
        "transport: {type: Kinesis, stream_name: onward, region: us-east-1}".to_owned(),
        "transport: {type: SQS, queue_url: <QUEUE>}".to_owned(),
        "transport: {type: SQS, queue_url: \"https://sqs.eu-west-1.amazonaws.com/111122223333/work\"}".to_owned(),
        "transport: {type: SNS, topic_arn: <TOPIC>}".to_owned(),
        "transport: {type: SNS, topic_arn: \"arn:aws:sns:eu-west-1:111122223333:told\"}".to_owned(),
        "transport: {type: Firehose, stream_name: archive}".to_owned(),
        "transport: {type: S3, bucket_name: <BUCKET>, base_path: logs/app}".to_owned(),
        "transport: {type: S3, bucket_name: kept, base_path: /logs/app/}".to_owned(),
        "transport: {type: ElasticSearch, hostname: search-logs-abcdefghijklmnopqrstuvwxyz.eu-west-1.es.amazonaws.com, index: logs, auth_config: {type: UrlSigningAuth, service: es}}".to_owned(),
        "dead_letter: {type: SQS, queue_url: <QUEUE>}".to_owned(),
        "reporters: [{type: Cloudwatch, namespace: flexo}]".to_owned(),
        "reporters: [{type: CloudWatchEmbeddedMetrics}, {type: DataDog}]".to_owned(),
        secret("SsmValue, name: /flexo/token"),
        secret("SsmValue, name: /flexo/token, key_arn: <KEY>"),
        secret("SecretsManagerValue, secret_id: flexo/token, key_arn: \"arn:aws:kms:eu-west-1:111122223333:key/of-secret\""),
        lookup("hosts.csv"),
        lookup("s3://tables/hosts.csv"),
        lookup("<TABLE>, format: CSV"),
        "operations: [{type: GeoIpOperation, src_field_name: $.ip, geo_lite_db: s3://places/city.mmdb}]\nsources: [{name: a, deserializer: {type: GenericJson}}]".to_owned(),
        "handler: {type: KinesisHandler, include_function_tags: true}".to_owned(),
        "handler: {type: S3Handler, include_function_tags: true, sns_notification_arn: <TOPIC>}".to_owned(),
    ];
    insta::assert_snapshot!(cases.map(|case| because_of(&case)).join("\n"));
}

#[test]
fn a_ciphertext_is_decrypted_by_the_key_that_is_named_where_the_function_is_built() {
    let secret = "transport: {type: Splunk, hostname: splunk.example, auth_token: {type: KmsValue, value: AQ==}}";
    let (_, problems) = stack(kinesis, |_, _| config(secret));
    assert!(
        problems.iter().any(|p| p.starts_with("error[CFN050]") && p.contains("decrypt_with(vec![key])")),
        "{problems:#?}"
    );
    let arn: Value<Arn<cfn::kms::Key>> = Value::Known(Arn::new("arn:aws:kms:eu-west-1:111122223333:key/of-token"));
    let key = vec![KeyHandle::from_arn(arn)];
    let (template, problems) = stack_that_decrypts(kinesis, |_, _| config(secret), key.clone());
    assert_eq!(problems, [""; 0]);
    let decrypts = ("kms:Decrypt".to_owned(), "\"arn:aws:kms:eu-west-1:111122223333:key/of-token\"".to_owned());
    assert!(crate::granted(&template).contains(&decrypts), "{:?}", crate::granted(&template));
    let (_, problems) = stack_that_decrypts(kinesis, |_, _| config(""), key);
    assert!(problems.iter().any(|p| p.contains("its config has no ciphertext")), "{problems:#?}");
}
