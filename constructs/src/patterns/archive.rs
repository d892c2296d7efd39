//! A bucket that keeps everything, filled through Firehose.
//!
//! Imports: `aws`, `cfn`, `template`, `tree`.

use crate::{
    aws::{
        cloudwatch::Alarm,
        firehose::{DeliveryStream, DeliveryStreamHandle},
        s3::{Bucket, BucketHandle, Lifecycle},
        sns::TopicHandle,
    },
    template::{Condition, Parameter},
    tree::{Construct, Scope},
};
use cfn::{Value, intrinsic};

/// Events on their way to a bucket, gathered into gzipped objects by the hour in which they came.
///
/// Its parameters: how much and how long Firehose gathers, when objects become cheap to keep and when they go.
#[derive(Clone, Debug, bon::Builder)]
pub struct Archive {
    /// What the keys begin with.
    #[builder(into)]
    prefix: String,
    /// How many days logs are kept.
    log_retention_days: Value<i64>,
    /// Who is told when records do not reach the bucket.
    alarms: TopicHandle,
}

/// An archive of this stack.
#[derive(Clone, Debug)]
pub struct ArchiveHandle {
    /// What takes the records.
    pub stream: DeliveryStreamHandle,
    /// What keeps them.
    pub bucket: BucketHandle,
}

impl Construct for Archive {
    type Handle = ArchiveHandle;

    fn build(self, scope: &mut Scope<'_>) -> ArchiveHandle {
        let mut number = |name: &str, least: i64, most: i64, default: i64, description: &str| {
            let parameter = Parameter::number().min_value(least).max_value(most).default_value(default);
            scope.parameter(name, parameter.description(description).group("Archive"))
        };
        let size =
            number("ArchiveBufferMiB", 1, 128, 64, "How much is gathered for one object, before gzip: 1 to 128 MiB.");
        let age =
            number("ArchiveBufferSeconds", 60, 900, 240, "How long records are gathered at most: 60 to 900 seconds.");
        let cheap =
            number("ArchiveInfrequentAfterDays", 30, 3_650, 30, "After how many days objects are kept as rarely read.");
        let gone = number("ArchiveExpireAfterDays", 0, 36_500, 0, "After how many days objects are removed; 0: never.");
        let expires = scope.condition("ArchiveExpires", Condition::not(Condition::equals(gone.text(), "0")));
        let lifecycle = Lifecycle::builder()
            .infrequent_after(cheap.number())
            .expire_after(expires.if_(gone.number(), intrinsic::no_value()))
            .build();
        let bucket = scope.add("Bucket", Bucket::builder().lifecycle(lifecycle).build());
        let stream = scope.add(
            "Stream",
            DeliveryStream::builder()
                .bucket(bucket.clone())
                .prefix(self.prefix)
                .buffer_mib(size.number())
                .buffer_seconds(age.number())
                .log_retention_days(self.log_retention_days)
                .build(),
        );
        let late = Alarm::builder()
            .metric(stream.metric_freshness())
            .description(
                "Records wait for the archive's bucket for over half an hour. Look into the delivery stream's log.",
            )
            .above(1_800)
            .period_seconds(300)
            .periods(2)
            .topic(self.alarms)
            .build();
        scope.add("LateAlarm", late);
        ArchiveHandle { stream, bucket }
    }
}
