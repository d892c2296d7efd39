//! Data Firehose: streams that carry records to where they are kept.
//!
//! Imports: `aws`, `cfn`, `iam`, `tree`.

use super::{
    cloudwatch::Metric,
    iam::{Role, RoleHandle},
    lambda::FunctionHandle,
    logs::LogGroup,
    s3::BucketHandle,
};
use crate::{
    iam::Statement,
    tree::{Construct, Scope},
};
use cfn::{
    Arn, IntoValue, Maybe as _, Value, intrinsic,
    kinesisfirehose::{self as firehose, delivery_stream as ds},
};

/// A delivery stream that takes records by direct put and keeps them in a bucket: gzipped, under the hour they came in,
/// encrypted on the way with a key of AWS's own.
///
/// Firehose waits until it has so much or has waited so long, whichever is first. What it cannot write goes below `errors/`.
#[derive(Clone, Debug, bon::Builder)]
pub struct DeliveryStream {
    /// The bucket that keeps the records.
    bucket: BucketHandle,
    /// What the keys begin with, without a slash at the end; `year=…/month=…/day=…/hour=…/` in UTC follows.
    #[builder(into)]
    prefix: String,
    /// How much it gathers: 1 to 128 MiB.
    #[builder(default = Value::Known(64), with = |mib: impl IntoValue<i64>| mib.into_value())]
    buffer_mib: Value<i64>,
    /// How long it gathers: 0 to 900 seconds.
    #[builder(default = Value::Known(300), with = |seconds: impl IntoValue<i64>| seconds.into_value())]
    buffer_seconds: Value<i64>,
    /// How many days its error log is kept; a number that CloudWatch Logs knows.
    #[builder(default = Value::Known(30), with = |days: impl IntoValue<i64>| days.into_value())]
    log_retention_days: Value<i64>,
    /// A function that each batch of records is sent to first: it answers for each whether it is kept, changed, dropped or failed
    /// (`FirehoseTransformHandler`). What failed goes below `errors/`, too. Its timeout is 300 seconds at most.
    #[builder(with = |function: &FunctionHandle| function.clone())]
    transform: Option<FunctionHandle>,
}

/// A delivery stream of this stack.
#[derive(Clone, Debug)]
pub struct DeliveryStreamHandle {
    arn: Value<Arn<firehose::DeliveryStream>>,
    name: Value<String>,
}

impl Construct for DeliveryStream {
    type Handle = DeliveryStreamHandle;

    fn build(self, scope: &mut Scope<'_>) -> DeliveryStreamHandle {
        let role = scope.add(
            "Role",
            Role::builder().when("sts:ExternalId", intrinsic::account_id()).service("firehose.amazonaws.com").build(),
        );
        // Write, not delete and not read: AWS's example policy gives more than Firehose uses.
        self.bucket.grant_write(scope, &role, "");
        role.allow(
            scope,
            Statement::allow(["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"])
                .on([self.bucket.arn().into_text()]),
        );
        let log = scope.add("Log", LogGroup::builder().retention_days(self.log_retention_days).build());
        log.grant_write(scope, &role);
        let stream =
            scope.add("LogStream", cfn::logs::LogStream::new().log_group_name(log.name()).log_stream_name("delivery"));
        let processing = self.transform.map(|function| {
            role.allow(
                scope,
                Statement::allow(["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"])
                    .on([function.alias_arn().into_text()]),
            );
            let parameter = ds::ProcessorParameter::new()
                .parameter_name(ds::ProcessorParameterParameterName::LambdaArn)
                .parameter_value(function.alias_arn());
            let processor = ds::Processor::new().type_(ds::ProcessorType::Lambda).parameters([parameter]);
            ds::ProcessingConfiguration::new().enabled(true).processors([processor])
        });
        let prefix = self.prefix;
        let destination = ds::ExtendedS3DestinationConfiguration::new()
            .bucket_arn(self.bucket.arn())
            .role_arn(role.arn())
            .buffering_hints(ds::BufferingHints::new().size_in_mbs(self.buffer_mib).interval_in_seconds(self.buffer_seconds))
            .compression_format(ds::ExtendedS3DestinationConfigurationCompressionFormat::Gzip)
            .prefix(format!("{prefix}/year=!{{timestamp:yyyy}}/month=!{{timestamp:MM}}/day=!{{timestamp:dd}}/hour=!{{timestamp:HH}}/"))
            .error_output_prefix(format!("errors/{prefix}/!{{firehose:error-output-type}}/!{{timestamp:yyyy/MM/dd}}/"))
            .cloud_watch_logging_options(
                ds::CloudWatchLoggingOptions::new().enabled(true).log_group_name(log.name()).log_stream_name(stream.ref_()),
            )
            .maybe(processing, ds::ExtendedS3DestinationConfiguration::processing_configuration);
        let delivery = scope.add(
            "Resource",
            firehose::DeliveryStream::new()
                .delivery_stream_type(ds::DeliveryStreamType::DirectPut)
                .delivery_stream_encryption_configuration_input(
                    ds::DeliveryStreamEncryptionConfigurationInput::new()
                        .key_type(ds::DeliveryStreamEncryptionConfigurationInputKeyType::AwsOwnedCmk),
                )
                .extended_s3_destination_configuration(destination),
        );
        role.before(scope, &delivery);
        DeliveryStreamHandle { arn: delivery.arn(), name: delivery.ref_() }
    }
}

impl DeliveryStreamHandle {
    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<firehose::DeliveryStream>> {
        self.arn.clone()
    }

    /// Its name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Lets `role` put records, one or many, into this stream and no other.
    pub fn grant_put(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        role.allow(
            scope,
            Statement::allow(["firehose:PutRecord", "firehose:PutRecordBatch"]).on([self.arn.clone().into_text()]),
        );
    }

    /// Age of the oldest record that is not in the bucket yet, in seconds.
    pub fn metric_freshness(&self) -> Metric {
        Metric::new("AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum").of("DeliveryStreamName", self.name.clone())
    }

    /// Calls that were refused because the stream had too much to do.
    pub fn metric_throttled(&self) -> Metric {
        Metric::new("AWS/Firehose", "ThrottledRecords", "Sum").of("DeliveryStreamName", self.name.clone())
    }
}
