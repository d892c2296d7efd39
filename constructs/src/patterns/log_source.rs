//! A log source: files that a service of AWS writes to a bucket, made searchable.
//!
//! Imports: `asset`, `aws`, `cfn`, `etl`, `text`, `tree`.

use super::{
    bindings::Bindings,
    etl_function::{EtlFunction, EtlHandle, Indices, Instead},
    existing_files::ExistingFiles,
    search::SearchHandle,
    trigger::{Queueing, Trigger},
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
    /// What an operator may name in place of bucket and topic.
    existing: Option<ExistingFiles>,
    /// What is done to their events.
    pipeline: PipelineConfig,
    /// What is done to them instead, where an operator has chosen so.
    instead: Option<Instead>,
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
    /// Puts a queue between topic and function: an outage of hours heals by itself.
    queued: Option<Queueing>,
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
        let filter =
            KeyFilter { prefix: self.files.prefix.clone(), suffix: Value::Known(self.files.suffix.to_owned()) };
        let make = |scope: &mut Scope<'_>| {
            let topic = scope.add("Topic", Topic::builder().key(self.key).build());
            topic.admit(scope, Service::S3);
            let bucket = Bucket::builder().notify(&topic, filter).maybe_lifecycle(self.lifecycle).build();
            (topic, scope.add("Bucket", bucket))
        };
        let (topic, bucket, prefix) = match &self.existing {
            None => {
                let (topic, bucket) = make(scope);
                (topic, bucket, self.files.prefix)
            }
            Some(existing) => {
                let (topic, bucket) = make(&mut scope.only_if(existing.made()));
                (existing.topic(topic), existing.bucket(bucket), existing.prefix(self.files.prefix))
            }
        };
        let trigger = Trigger::Sns { topic: topic.clone(), bucket: bucket.clone(), prefix };
        let trigger = match self.queued {
            Some(queueing) => trigger.queued(queueing),
            None => trigger,
        };
        let indices = Indices { search: self.search, patterns: self.index_patterns, template: self.index_template };
        let etl = scope.add(
            "Etl",
            EtlFunction::builder()
                .pipeline(self.pipeline)
                .maybe_instead(self.instead)
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
