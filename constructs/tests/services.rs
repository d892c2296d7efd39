//! Each service's construct as the template it becomes: what it must always have.

use cfn::{Value, intrinsic};
use constructs::{
    Scope, Stack,
    asset::FunctionCode,
    aws::{
        cloudtrail::Trail,
        cloudwatch::Alarm,
        dashboard::Dashboard,
        event_source::{BucketTrigger, LogTrigger, QueueTrigger, StreamTrigger, TopicTrigger},
        firehose::DeliveryStream,
        iam::Role,
        kinesis::Stream,
        kms::{Key, Service},
        lambda::Function,
        opensearch::{Domain, Topology},
        s3::{Bucket, BucketHandle, KeyFilter, Lifecycle},
        sns::Topic,
        sqs::Queue,
    },
};
use serde_json::{Value as Json, json};

/// A stack with one of everything.
fn everything() -> Json {
    let mut stack = Stack::new("everything").description("One of everything.");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("topics").build());
    let topic = scope.add("Topic", Topic::builder().key(key.clone()).build());
    topic.admit(&mut scope, Service::S3);
    topic.admit(&mut scope, Service::CloudWatch);
    let filter = || KeyFilter { prefix: Value::Known("AWSLogs/".into()), suffix: Value::Known(".gz".into()) };
    let bucket = scope.add(
        "Bucket",
        Bucket::builder()
            .notify(&topic, filter())
            .lifecycle(Lifecycle::builder().infrequent_after(Value::Known(30)).expire_after(Value::Known(365)).build())
            .build(),
    );
    let trail_name = intrinsic::stack_name();
    bucket.admit_trail(&mut scope, &trail_name);
    scope.add("Trail", Trail::builder().name(trail_name).bucket(bucket.clone()).build());
    let secret = scope.add("SecretBucket", Bucket::builder().key(key.clone()).build());
    let stream = scope.add("Stream", Stream::builder().build());
    let delivery = scope.add("Delivery", DeliveryStream::builder().bucket(secret.clone()).prefix("events").build());
    let queue = scope.add("Queue", Queue::builder().visibility_timeout_seconds(360).build());
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let function = scope.add(
        "Function",
        Function::builder()
            .code(code)
            .description("reads")
            .memory_mib(256)
            .timeout_seconds(60)
            .settings("none")
            .log_retention_days(30)
            .build(),
    );
    delivery.grant_put(&mut scope, function.role());
    secret.grant_read(&mut scope, function.role(), "in/");
    let (batch_size, batching_seconds, enabled) = (Value::Known(100), Value::Known(1), Value::Known(true));
    scope.add(
        "Reads",
        StreamTrigger {
            stream: stream.clone(),
            function: function.clone(),
            batch_size: batch_size.clone(),
            batching_seconds: batching_seconds.clone(),
            enabled: enabled.clone(),
        },
    );
    scope.add(
        "Takes",
        QueueTrigger {
            queue: queue.clone(),
            function: function.clone(),
            batch_size,
            batching_seconds,
            enabled,
            max_concurrency: None,
        },
    );
    scope.add("Hears", TopicTrigger { topic: topic.clone(), function: function.clone() });
    bucket.grant_read(&mut scope, function.role(), "AWSLogs/");
    scope.add("Sees", BucketTrigger { bucket: secret.clone(), function: function.clone(), filter: filter() });
    let master = scope.add("Master", Role::builder().service("lambda.amazonaws.com").build());
    let production = Topology::Production {
        data_type: Value::Known("r7g.large.search".into()),
        data_count: Value::Known(3),
        master_type: Value::Known("m7g.large.search".into()),
        volume_gib: Value::Known(100),
    };
    add_transform(&mut scope, &secret);
    let domain = scope
        .add("Domain", Domain::builder().topology(production).master(master.clone()).log_retention_days(30).build());
    domain.grant_setup(&mut scope, &master);
    let small = Domain::builder().topology(Topology::Small).master(master).log_retention_days(30).build();
    scope.add("SmallDomain", small);
    let metrics = [
        function.metric_errors(),
        function.metric_throttles(),
        function.metric_duration(),
        function.metric_iterator_age(),
        queue.metric_visible(),
        stream.metric_write_throttled(),
        delivery.metric_freshness(),
        delivery.metric_throttled(),
        domain.metric_red(),
        domain.metric_writes_blocked(),
        domain.metric_free_storage(),
    ];
    for (at, metric) in metrics.iter().enumerate() {
        let alarm = Alarm::builder().metric(metric.clone()).description("look").above(1).topic(topic.clone()).build();
        scope.add(&format!("Alarm{at}"), alarm);
    }
    scope.add("Dashboard", Dashboard::builder().graph("all", metrics).build());
    let synthesis = stack.synth();
    assert!(synthesis.problems.iter().all(|p| p.code.id == "CFN014"), "{:#?}", synthesis.problems);
    synthesis.template().expect("only a warning").as_json().clone()
}

/// A delivery stream with a function that transforms its records; it reads the lines of a log group, too.
fn add_transform(scope: &mut Scope<'_>, bucket: &BucketHandle) {
    let transform = Function::builder()
        .code(FunctionCode::of_kind(scope, "Etl"))
        .description("transforms")
        .memory_mib(256)
        .timeout_seconds(60)
        .settings("none")
        .log_retention_days(30)
        .build();
    let transform = scope.add("Transform", transform);
    let shipped = DeliveryStream::builder().bucket(bucket.clone()).prefix("shipped").transform(&transform).build();
    scope.add("Shipped", shipped);
    let group = Value::Known("/aws/rds/instance/orders/error".into());
    scope.add("Lines", LogTrigger { group, pattern: "ERROR".into(), function: transform });
}

/// The resources of a type: logical id and resource. There is at least one.
fn of_type<'t>(template: &'t Json, type_name: &str) -> Vec<(&'t str, &'t Json)> {
    let all = template["Resources"].as_object().expect("resources").iter();
    let found: Vec<_> = all.filter(|(_, r)| r["Type"] == type_name).map(|(id, r)| (id.as_str(), r)).collect();
    assert!(!found.is_empty(), "no {type_name}");
    found
}

/// The statements of a policy.
fn statements(document: &Json) -> &Vec<Json> {
    document["Statement"].as_array().expect("statements")
}

/// What stands at a member that holds one or many.
fn many(member: &Json) -> Vec<&Json> {
    member.as_array().map_or_else(|| vec![member], |items| items.iter().collect())
}

fn depends_on(resource: &Json, id: &str) -> bool {
    many(&resource["DependsOn"]).contains(&&json!(id))
}

#[test]
fn buckets_are_private_encrypted_and_stay() {
    let template = everything();
    for (id, bucket) in of_type(&template, "AWS::S3::Bucket") {
        let properties = &bucket["Properties"];
        let block = properties["PublicAccessBlockConfiguration"].as_object().unwrap();
        assert!(block.len() == 4 && block.values().all(|on| on == true), "{id}");
        let rules = &properties["BucketEncryption"]["ServerSideEncryptionConfiguration"];
        assert!(rules[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"].is_string(), "{id}");
        assert_eq!(
            (&bucket["DeletionPolicy"], &bucket["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain")),
            "{id}"
        );
        let policy = of_type(&template, "AWS::S3::BucketPolicy")
            .into_iter()
            .find(|(_, p)| p["Properties"]["Bucket"]["Ref"] == id);
        let tls = |s: &Json| {
            s["Effect"] == "Deny" && s["Condition"]["Bool"]["aws:SecureTransport"] == "false" && s["Principal"] == "*"
        };
        assert!(statements(&policy.unwrap().1["Properties"]["PolicyDocument"]).iter().any(tls), "{id}");
    }
}

#[test]
fn a_bucket_waits_for_the_policy_of_the_topic_it_tells_and_the_policy_does_not_name_the_bucket() {
    let template = everything();
    let (_, bucket) = of_type(&template, "AWS::S3::Bucket")
        .into_iter()
        .find(|(_, b)| b["Properties"]["NotificationConfiguration"]["TopicConfigurations"].is_array())
        .unwrap();
    let (policy_id, policy) = of_type(&template, "AWS::SNS::TopicPolicy").remove(0);
    assert!(depends_on(bucket, policy_id));
    let s3 = statements(&policy["Properties"]["PolicyDocument"])
        .iter()
        .find(|s| s["Principal"]["Service"].to_string().contains("s3"))
        .unwrap();
    assert_eq!(s3["Condition"], json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}));
}

#[test]
fn a_key_admits_the_services_that_use_it_for_this_account_only() {
    let template = everything();
    let (_, key) = of_type(&template, "AWS::KMS::Key").remove(0);
    let policy = statements(&key["Properties"]["KeyPolicy"]);
    let services = policy.iter().filter(|s| s["Principal"]["Service"] != Json::Null);
    let mut admitted = vec![];
    for statement in services {
        assert_eq!(statement["Condition"]["StringEquals"]["aws:SourceAccount"], json!({"Ref": "AWS::AccountId"}));
        assert_eq!(statement["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey*"]));
        admitted.extend(many(&statement["Principal"]["Service"]).into_iter().map(ToString::to_string));
    }
    admitted.sort();
    assert_eq!(admitted, [r#""cloudwatch.amazonaws.com""#, r#""s3.amazonaws.com""#]);
    assert_eq!(key["Properties"]["EnableKeyRotation"], true);
}

#[test]
fn alarms_watch_one_resource_and_tell_somebody() {
    let template = everything();
    let alarms = of_type(&template, "AWS::CloudWatch::Alarm");
    assert_eq!(alarms.len(), 11);
    for (id, alarm) in alarms {
        let properties = &alarm["Properties"];
        let dimensions = properties["Dimensions"].as_array().unwrap();
        assert!(
            !dimensions.is_empty() && dimensions.iter().all(|d| d["Name"].is_string() && d["Value"].is_object()),
            "{id}"
        );
        assert!(!properties["AlarmActions"].as_array().unwrap().is_empty(), "{id}");
        assert_eq!(properties["TreatMissingData"], "notBreaching", "{id}");
    }
}

#[test]
fn roles_are_granted_no_deletion_and_nothing_on_everything() {
    let template = everything();
    for (id, policy) in of_type(&template, "AWS::IAM::Policy") {
        for statement in statements(&policy["Properties"]["PolicyDocument"]) {
            for action in many(&statement["Action"]) {
                let action = action.as_str().unwrap();
                assert!(!action.ends_with(":*") && !action.starts_with("s3:Delete"), "{id}: {action}");
            }
            assert!(!many(&statement["Resource"]).contains(&&json!("*")), "{id}: {statement}");
        }
    }
}

#[test]
fn reading_objects_includes_listing_so_that_a_missing_one_is_not_a_denied_one() {
    let template = everything();
    let policies = of_type(&template, "AWS::IAM::Policy");
    let all: Vec<&Json> = policies.iter().flat_map(|(_, p)| statements(&p["Properties"]["PolicyDocument"])).collect();
    let may = |action: &str| all.iter().any(|s| many(&s["Action"]).contains(&&json!(action)));
    assert!(may("s3:GetObject") && may("s3:ListBucket"));
    assert!(may("kms:Decrypt"), "of the bucket that has a key");
}

#[test]
fn what_lambda_reads_may_fail_in_part_and_waits_for_the_grants() {
    let template = everything();
    let mappings = of_type(&template, "AWS::Lambda::EventSourceMapping");
    assert_eq!(mappings.len(), 2);
    for (id, mapping) in mappings {
        assert_eq!(mapping["Properties"]["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}");
        assert_eq!(mapping["Properties"]["FunctionName"]["Ref"], of_type(&template, "AWS::Lambda::Alias")[0].0, "{id}");
        let policies = of_type(&template, "AWS::IAM::Policy");
        assert!(policies.iter().any(|(policy, _)| depends_on(mapping, policy)), "{id}");
    }
}

#[test]
fn functions_are_released_by_a_version_that_stays_and_an_alias() {
    let template = everything();
    let (version_id, version) = of_type(&template, "AWS::Lambda::Version").remove(0);
    assert_eq!(version["Properties"]["CodeSha256"], json!({"Ref": "EtlCodeSha256"}));
    assert_eq!((&version["DeletionPolicy"], &version["UpdateReplacePolicy"]), (&json!("Retain"), &json!("Retain")));
    let (_, alias) = of_type(&template, "AWS::Lambda::Alias").remove(0);
    assert_eq!(alias["Properties"]["FunctionVersion"], json!({"Fn::GetAtt": [version_id, "Version"]}));
    let (_, failures) = of_type(&template, "AWS::Lambda::EventInvokeConfig").remove(0);
    assert_eq!(failures["Properties"]["Qualifier"], alias["Properties"]["Name"]);
    assert!(failures["Properties"]["DestinationConfig"]["OnFailure"]["Destination"].is_object());
}

#[test]
fn no_log_is_kept_for_ever_and_every_function_has_its_own() {
    let template = everything();
    for (id, group) in of_type(&template, "AWS::Logs::LogGroup") {
        assert_eq!(group["Properties"]["RetentionInDays"], 30, "{id}");
    }
    for (id, function) in of_type(&template, "AWS::Lambda::Function") {
        assert!(function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"].is_string(), "{id}");
    }
}

#[test]
fn a_domain_is_encrypted_asked_over_tls_and_knows_who_asks() {
    let template = everything();
    for (id, domain) in of_type(&template, "AWS::OpenSearchService::Domain") {
        let properties = &domain["Properties"];
        for on in ["EncryptionAtRestOptions", "NodeToNodeEncryptionOptions", "AdvancedSecurityOptions"] {
            assert_eq!(properties[on]["Enabled"], true, "{id} {on}");
        }
        assert_eq!(properties["DomainEndpointOptions"]["EnforceHTTPS"], true, "{id}");
        assert_eq!(properties["DomainEndpointOptions"]["TLSSecurityPolicy"], "Policy-Min-TLS-1-2-PFS-2023-10", "{id}");
        assert_eq!(domain["UpdatePolicy"], json!({"EnableVersionUpgrade": true}), "{id}");
        assert_eq!(domain["DeletionPolicy"], "Retain", "{id}");
    }
    let production = &of_type(&template, "AWS::OpenSearchService::Domain")[0].1["Properties"]["ClusterConfig"];
    assert_eq!(
        (&production["DedicatedMasterCount"], &production["ZoneAwarenessConfig"]["AvailabilityZoneCount"]),
        (&json!(3), &json!(3))
    );
}

#[test]
fn queues_and_streams_are_encrypted() {
    let template = everything();
    for (id, queue) in of_type(&template, "AWS::SQS::Queue") {
        assert_eq!(queue["Properties"]["SqsManagedSseEnabled"], true, "{id}");
    }
    for (id, stream) in of_type(&template, "AWS::Kinesis::Stream") {
        assert_eq!(stream["Properties"]["StreamEncryption"]["EncryptionType"], "KMS", "{id}");
        assert_eq!(stream["Properties"]["StreamModeDetails"]["StreamMode"], "ON_DEMAND", "{id}");
    }
    for (id, stream) in of_type(&template, "AWS::KinesisFirehose::DeliveryStream") {
        let key = &stream["Properties"]["DeliveryStreamEncryptionConfigurationInput"]["KeyType"];
        assert_eq!(*key, "AWS_OWNED_CMK", "{id}");
    }
}

#[test]
fn a_trail_waits_for_the_bucket_that_admits_it_alone() {
    let template = everything();
    let (_, trail) = of_type(&template, "AWS::CloudTrail::Trail").remove(0);
    let bucket = &trail["Properties"]["S3BucketName"]["Ref"];
    let (policy_id, policy) = of_type(&template, "AWS::S3::BucketPolicy")
        .into_iter()
        .find(|(_, p)| p["Properties"]["Bucket"]["Ref"] == *bucket)
        .unwrap();
    assert!(depends_on(trail, policy_id));
    let admitted = statements(&policy["Properties"]["PolicyDocument"])
        .iter()
        .filter(|s| s["Principal"]["Service"] == "cloudtrail.amazonaws.com");
    let admitted: Vec<_> = admitted.collect();
    assert_eq!(admitted.len(), 2);
    for statement in admitted {
        let arn = statement["Condition"]["StringEquals"]["aws:SourceArn"].to_string();
        assert!(arn.contains(":cloudtrail:") && arn.contains("AWS::StackName"), "{arn}");
    }
    assert_eq!(trail["Properties"]["EnableLogFileValidation"], true);
}

#[test]
fn a_delivery_stream_may_invoke_the_function_that_transforms_its_records_and_no_other() {
    let template = everything();
    let streams = of_type(&template, "AWS::KinesisFirehose::DeliveryStream");
    let (_, stream) = streams.iter().find(|(id, _)| id.starts_with("Shipped")).unwrap();
    let processing = &stream["Properties"]["ExtendedS3DestinationConfiguration"]["ProcessingConfiguration"];
    let alias = processing["Processors"][0]["Parameters"][0]["ParameterValue"].clone();
    assert!(alias["Ref"].as_str().unwrap().starts_with("TransformAlias"), "{processing}");
    let policies = of_type(&template, "AWS::IAM::Policy");
    let (_, policy) = policies.iter().find(|(id, _)| id.starts_with("ShippedRole")).unwrap();
    let invoke = statements(&policy["Properties"]["PolicyDocument"])
        .iter()
        .find(|s| s["Action"].to_string().contains("lambda:InvokeFunction"))
        .unwrap();
    assert_eq!(invoke["Resource"], alias);
    let others = streams.iter().filter(|(id, _)| !id.starts_with("Shipped"));
    assert!(others.into_iter().all(|(_, other)| !other.to_string().contains("ProcessingConfiguration")));
}

#[test]
fn lines_of_one_log_group_invoke_the_function() {
    let template = everything();
    let (_, filter) = of_type(&template, "AWS::Logs::SubscriptionFilter").remove(0);
    assert_eq!(filter["Properties"]["FilterPattern"], "ERROR");
    let permissions = of_type(&template, "AWS::Lambda::Permission");
    let (id, leave) = permissions.iter().find(|(id, _)| id.starts_with("Lines")).unwrap();
    assert_eq!(leave["Properties"]["Principal"], "logs.amazonaws.com");
    let of = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/rds/instance/orders/error:*";
    assert_eq!(leave["Properties"]["SourceArn"], json!({"Fn::Sub": of}));
    assert!(depends_on(filter, id), "CloudWatch Logs tries the function when the filter is made");
}
