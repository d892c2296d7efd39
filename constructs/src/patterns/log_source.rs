//! A log source: files that a service of AWS writes to a bucket, made searchable.
//!
//! Imports: `asset`, `aws`, `cfn`, `etl`, `text`, `tree`.

use super::{
    bindings::Bindings,
    etl_function::{EtlFunction, EtlHandle, Indices},
    search::SearchHandle,
    trigger::Trigger,
};
use crate::{
    asset::FunctionCode,
    aws::{
        kms::{KeyHandle, Service},
        s3::{Bucket, BucketHandle, KeyFilter, Lifecycle},
        sns::{Topic, TopicHandle},
    },
    tree::{Construct, Scope},
};
use cfn::{Json, Value};
use etl::config::PipelineConfig;

/// Where a service puts its files.
#[derive(Clone, Debug)]
pub struct FileLayout {
    /// What the keys of its log files begin with, and those of other files (digests) do not.
    pub prefix: Value<String>,
    /// What they end with.
    pub suffix: &'static str,
}

/// Bucket, topic, function: each new file of a service is read, and its events are in a search domain within a minute.
///
/// The bucket tells a topic, not the function: others may listen, too.
#[derive(Clone, Debug, bon::Builder)]
pub struct LogSource {
    /// Where the files are.
    files: FileLayout,
    /// What is done to their events.
    pipeline: PipelineConfig,
    /// What the names in the pipeline stand for.
    names: Bindings,
    /// Where the events go.
    search: SearchHandle,
    /// Patterns of the indices they go to.
    index_patterns: Vec<&'static str>,
    /// The template of these indices.
    index_template: Json,
    /// Code of the function `etl`.
    code: FunctionCode,
    /// What the function does.
    #[builder(into)]
    description: String,
    /// What becomes of the files as they age.
    lifecycle: Option<Lifecycle>,
    /// Encrypts the topic.
    key: KeyHandle,
    /// How many days logs are kept.
    log_retention_days: Value<i64>,
    /// Who is told when it fails.
    alarms: TopicHandle,
}

/// A log source of this stack.
#[derive(Clone, Debug)]
pub struct LogSourceHandle {
    /// Where the service puts its files; it must be admitted.
    pub bucket: BucketHandle,
    /// What is told of each file.
    pub topic: TopicHandle,
    /// What reads them.
    pub etl: EtlHandle,
}

impl Construct for LogSource {
    type Handle = LogSourceHandle;

    fn build(self, scope: &mut Scope<'_>) -> LogSourceHandle {
        let topic = scope.add("Topic", Topic::builder().key(self.key).build());
        topic.admit(scope, Service::S3);
        let filter =
            KeyFilter { prefix: self.files.prefix.clone(), suffix: Value::Known(self.files.suffix.to_owned()) };
        let bucket = Bucket::builder().notify(&topic, filter).maybe_lifecycle(self.lifecycle).build();
        let bucket = scope.add("Bucket", bucket);
        let trigger = Trigger::Sns { topic: topic.clone(), bucket: bucket.clone(), prefix: self.files.prefix };
        let indices = Indices { search: self.search, patterns: self.index_patterns, template: self.index_template };
        let etl = scope.add(
            "Etl",
            EtlFunction::builder()
                .pipeline(self.pipeline)
                .names(self.names)
                .trigger(trigger)
                .indices(indices)
                .code(self.code)
                .description(self.description)
                .log_retention_days(self.log_retention_days)
                .alarms(self.alarms)
                .build(),
        );
        LogSourceHandle { bucket, topic, etl }
    }
}
