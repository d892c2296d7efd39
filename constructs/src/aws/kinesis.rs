//! Kinesis: data streams.
//!
//! Imports: `aws`, `cfn`, `iam`, `tree`.

use super::{cloudwatch::Metric, iam::RoleHandle};
use crate::{
    iam::Statement,
    tree::{Construct, Scope},
};
use cfn::{
    Arn, IntoValue, Value,
    kinesis::{self, stream},
};

/// A stream, on demand and encrypted with AWS's key for Kinesis (`alias/aws/kinesis`), retained when the stack goes.
///
/// On demand, AWS adds and removes shards: 200 MB/s or 200,000 records a second without a word to anybody, 4 MB/s to begin with.
#[derive(Clone, Debug, bon::Builder)]
pub struct Stream {
    /// How long records are kept: 24 to 8,760 hours. An outage of what reads them may last that long without loss.
    #[builder(default = Value::Known(24), with = |hours: impl IntoValue<i64>| hours.into_value())]
    retention_hours: Value<i64>,
}

/// A stream of this stack.
#[derive(Clone, Debug)]
pub struct StreamHandle {
    arn: Value<Arn<kinesis::Stream>>,
    name: Value<String>,
}

impl Construct for Stream {
    type Handle = StreamHandle;

    fn build(self, scope: &mut Scope<'_>) -> StreamHandle {
        let properties = kinesis::Stream::new()
            .retention_period_hours(self.retention_hours)
            .stream_mode_details(
                stream::StreamModeDetails::new().stream_mode(stream::StreamModeDetailsStreamMode::OnDemand),
            )
            .stream_encryption(
                stream::StreamEncryption::new()
                    .encryption_type(stream::StreamEncryptionEncryptionType::Kms)
                    .key_id("alias/aws/kinesis"),
            );
        let stream = scope.add("Resource", properties);
        scope.options(&stream).retain();
        StreamHandle { arn: stream.arn(), name: stream.ref_() }
    }
}

impl StreamHandle {
    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<kinesis::Stream>> {
        self.arn.clone()
    }

    /// Its name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Lets `role` read records. AWS's key for Kinesis needs no grant: its policy admits the account by way of the service.
    pub fn grant_read(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        let actions = [
            "kinesis:DescribeStream",
            "kinesis:DescribeStreamSummary",
            "kinesis:GetRecords",
            "kinesis:GetShardIterator",
            "kinesis:ListShards",
        ];
        role.allow(scope, Statement::allow(actions).on([self.arn.clone().into_text()]));
    }

    /// Lets `role` put records.
    pub fn grant_write(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        role.allow(
            scope,
            Statement::allow(["kinesis:PutRecord", "kinesis:PutRecords"]).on([self.arn.clone().into_text()]),
        );
    }

    /// Records that were refused because a shard had too much to do.
    pub fn metric_write_throttled(&self) -> Metric {
        Metric::new("AWS/Kinesis", "WriteProvisionedThroughputExceeded", "Sum").of("StreamName", self.name.clone())
    }
}
