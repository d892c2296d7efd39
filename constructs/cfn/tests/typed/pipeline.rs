//! A pipeline of twenty resources, as a user of the layer writes it.

use crate::Template;
use cfn::{Maybe as _, Tag, Value, intrinsic as fns, list, map};
use cfn::{cloudformation, cloudwatch, dynamodb, events, iam, kinesis, kinesisfirehose as firehose, kms, lambda, logs};
use cfn::{opensearchservice as opensearch, pipes, s3, sns, sqs, ssm};
use serde_json::json;

#[expect(clippy::too_many_lines, reason = "one template, read from top to bottom beside the one written by hand")]
pub(crate) fn pipeline(t: &mut Template) {
    let key = t.add(
        "Key",
        kms::Key::new().enable_key_rotation(true).key_policy(json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": fns::sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root")}, "Action": "kms:*", "Resource": "*"}],
        })),
    );
    let bucket = {
        use s3::bucket::*;
        let encryption = ServerSideEncryptionByDefault::new()
            .sse_algorithm(ServerSideEncryptionByDefaultSSEAlgorithm::AwsKms)
            .kms_master_key_id(key.arn());
        let expiry = Rule::new()
            .status(RuleStatus::Enabled)
            .expiration_in_days(365)
            .transitions([Transition::new().storage_class(TransitionStorageClass::StandardIa).transition_in_days(30)]);
        t.add(
            "Bucket",
            s3::Bucket::new()
                .bucket_encryption(
                    BucketEncryption::new().server_side_encryption_configuration([ServerSideEncryptionRule::new()
                        .server_side_encryption_by_default(encryption)
                        .bucket_key_enabled(true)]),
                )
                .lifecycle_configuration(LifecycleConfiguration::new().rules([expiry]))
                .versioning_configuration(VersioningConfiguration::new().status(VersioningConfigurationStatus::Enabled))
                .logging_configuration(LoggingConfiguration::new().log_file_prefix("access/").target_object_key_format(
                    TargetObjectKeyFormat::partitioned_prefix(
                        PartitionedPrefix::new().partition_date_source(PartitionedPrefixPartitionDateSource::EventTime),
                    ),
                ))
                .tags([Tag::new("team", "logs"), Tag::new("stack", fns::reference("AWS::StackName"))]),
        )
    };
    let role = t.add(
        "Role",
        iam::Role::new()
            .assume_role_policy_document(json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": {"Service": ["firehose.amazonaws.com", "lambda.amazonaws.com", "pipes.amazonaws.com"]}, "Action": "sts:AssumeRole"}],
            }))
            .policies([iam::role::Policy::new().policy_name("write").policy_document(json!({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": fns::join("/", list![bucket.arn(), "*"])}],
            }))]),
    );
    let stream = {
        use kinesis::stream::*;
        t.add(
            "Stream",
            kinesis::Stream::new()
                .retention_period_hours(48)
                .stream_mode_details(StreamModeDetails::new().stream_mode(StreamModeDetailsStreamMode::OnDemand))
                .stream_encryption(
                    StreamEncryption::new().encryption_type(StreamEncryptionEncryptionType::Kms).key_id(key.ref_()),
                ),
        )
    };
    {
        use firehose::delivery_stream::*;
        let mappings = OpenXJsonSerDe::new().column_to_json_key_mappings([("ts", "timestamp")]).case_insensitive(true);
        t.add(
            "Delivery",
            firehose::DeliveryStream::new()
                .delivery_stream_type(DeliveryStreamType::KinesisStreamAsSource)
                .kinesis_stream_source_configuration(
                    KinesisStreamSourceConfiguration::new().kinesis_stream_arn(stream.arn()).role_arn(role.arn()),
                )
                .extended_s3_destination_configuration(
                    ExtendedS3DestinationConfiguration::new()
                        .bucket_arn(bucket.arn())
                        .role_arn(role.arn())
                        .buffering_hints(BufferingHints::new().interval_in_seconds(60).size_in_mbs(64))
                        .compression_format(ExtendedS3DestinationConfigurationCompressionFormat::Uncompressed)
                        .data_format_conversion_configuration(
                            DataFormatConversionConfiguration::new().enabled(false).input_format_configuration(
                                InputFormatConfiguration::new()
                                    .deserializer(Deserializer::new().openx_json_serde(mappings)),
                            ),
                        ),
                ),
        );
    }
    let topic = t.add("Topic", sns::Topic::new().display_name("alarms").kms_master_key_id(key.ref_()));
    let dead =
        t.add("DeadLetters", sqs::Queue::new().message_retention_period(1_209_600).kms_master_key_id(key.ref_()));
    let queue = t.add(
        "Queue",
        sqs::Queue::new()
            .visibility_timeout(360)
            .redrive_policy(json!({"deadLetterTargetArn": dead.arn(), "maxReceiveCount": 5})),
    );
    t.add(
        "Subscription",
        sns::Subscription::new()
            .protocol("sqs")
            .topic_arn(topic.ref_())
            .endpoint(queue.arn())
            .raw_message_delivery(true)
            .filter_policy(json!({"severity": ["error"]})),
    );
    let function = {
        use lambda::function::*;
        t.add(
            "Function",
            lambda::Function::new()
                .code(Code::new().s3_bucket(bucket.ref_()).s3_key("etl.zip"))
                .role(role.arn())
                .runtime(Runtime::ProvidedAl2023)
                .handler("bootstrap")
                .architectures([ArchitecturesItem::Arm64])
                .memory_size(512)
                .timeout(60)
                .environment(Environment::new().variables(map! { "INDEX" => "events-", "QUEUE" => queue.ref_() }))
                .tracing_config(TracingConfig::new().mode(TracingConfigMode::Active)),
        )
    };
    {
        use lambda::event_source_mapping::*;
        t.add(
            "Trigger",
            lambda::EventSourceMapping::new()
                .function_name(function.ref_())
                .event_source_arn(stream.arn())
                .starting_position("TRIM_HORIZON")
                .batch_size(500)
                .function_response_types([FunctionResponseTypesItem::ReportBatchItemFailures])
                .destination_config(DestinationConfig::new().on_failure(OnFailure::new().destination(dead.arn())))
                .maybe(Some(10), EventSourceMapping::parallelization_factor),
        );
    }
    let group = t.add("LogGroup", logs::LogGroup::new().log_group_name("/flexo/search").retention_in_days(90));
    {
        use logs::metric_filter::*;
        t.add(
            "MetricFilter",
            logs::MetricFilter::new()
                .log_group_name(group.ref_())
                .filter_pattern("{ $.level = \"error\" }")
                .metric_transformations([MetricTransformation::new()
                    .metric_name("Errors")
                    .metric_namespace("Flexo")
                    .metric_value("1")
                    .unit(MetricTransformationUnit::Count)
                    .dimensions([Dimension::new().key("stage").value("$.stage")])]),
        );
    }
    {
        use opensearch::domain::*;
        t.add(
            "Search",
            opensearch::Domain::new()
                .engine_version("OpenSearch_2.19")
                .cluster_config(
                    ClusterConfig::new()
                        .instance_type("r7g.large.search")
                        .instance_count(3)
                        .zone_awareness_enabled(true)
                        .zone_awareness_config(ZoneAwarenessConfig::new().availability_zone_count(3)),
                )
                .ebs_options(EBSOptions::new().ebs_enabled(true).volume_size(100).volume_type("gp3"))
                .encryption_at_rest_options(EncryptionAtRestOptions::new().enabled(true).kms_key_id(key.ref_()))
                .node_to_node_encryption_options(NodeToNodeEncryptionOptions::new().enabled(true))
                .domain_endpoint_options(
                    DomainEndpointOptions::new().enforce_https(true).tls_security_policy("Policy-Min-TLS-1-2-2019-07"),
                )
                .log_publishing_options([(
                    "ES_APPLICATION_LOGS",
                    LogPublishingOption::new().cloud_watch_logs_log_group_arn(group.arn()).enabled(true),
                )])
                .advanced_options([("rest.action.multi.allow_explicit_index", "true")]),
        );
    }
    {
        use cloudwatch::alarm::*;
        let metric = Metric::new()
            .namespace("AWS/Lambda")
            .metric_name("Errors")
            .dimensions([Dimension::new().name("FunctionName").value(function.ref_())]);
        t.add(
            "Alarm",
            cloudwatch::Alarm::new()
                .comparison_operator(ComparisonOperator::GreaterThanThreshold)
                .evaluation_periods(1)
                .threshold(0)
                .treat_missing_data(TreatMissingData::NotBreaching)
                .alarm_actions([topic.ref_()])
                .metrics([MetricDataQuery::new()
                    .id("errors")
                    .metric_stat(MetricStat::new().metric(metric).period(60).stat("Sum").unit(MetricStatUnit::Count))]),
        );
    }
    {
        use events::rule::*;
        t.add(
            "Rule",
            events::Rule::new()
                .event_pattern(json!({"source": ["aws.s3"], "detail-type": ["Object Created"]}))
                .state(State::Enabled)
                .targets([Target::new()
                    .id("queue")
                    .arn(queue.arn())
                    .input_transformer(
                        InputTransformer::new()
                            .input_template("\"<key>\"")
                            .input_paths_map([("key", "$.detail.object.key")]),
                    )
                    .dead_letter_config(DeadLetterConfig::new().arn(dead.arn()))]),
        );
    }
    {
        use pipes::pipe::*;
        t.add(
            "Pipe",
            pipes::Pipe::new()
                .role_arn(role.arn())
                .source(stream.arn())
                .target(queue.arn())
                .source_parameters(
                    PipeSourceParameters::new()
                        .kinesis_stream_parameters(
                            PipeSourceKinesisStreamParameters::new()
                                .starting_position(KinesisStreamStartPosition::Latest),
                        )
                        .filter_criteria(
                            FilterCriteria::new()
                                .filters([Filter::new().pattern("{\"data\":{\"level\":[\"error\"]}}")]),
                        ),
                )
                .tags([("team", "logs")]),
        );
    }
    {
        use dynamodb::table::*;
        t.add(
            "Table",
            dynamodb::Table::new()
                .key_schema([KeySchemaItem::new().attribute_name("id").key_type("HASH")])
                .attribute_definitions([AttributeDefinition::new()
                    .attribute_name("id")
                    .attribute_type(AttributeDefinitionAttributeType::S)])
                .billing_mode(BillingMode::PayPerRequest)
                .sse_specification(
                    SSESpecification::new()
                        .sse_enabled(true)
                        .sse_type(SSESpecificationSSEType::Kms)
                        .kms_master_key_id(key.ref_()),
                ),
        );
    }
    t.add(
        "Setting",
        ssm::Parameter::new().type_(ssm::parameter::Type::String).value(queue.ref_()).tags([("team", "logs")]),
    );
    t.add(
        "Setup",
        cloudformation::CustomResource::new()
            .service_token(function.arn())
            .with("Index", json!({"name": "events", "shards": 3}))
            .with("Zones", Value::Known(json!(fns::get_azs("")))),
    );
}
