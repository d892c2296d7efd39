//! What ties a pipeline's names to the resources of a stack.
//!
//! A value that is known only when the stack stands (a domain's endpoint, a stream's name) is `<NAME>` in a pipeline's config, and
//! `NAME` is a variable of the function's environment that holds the intrinsic. Binding a handle makes both, and remembers the
//! resource, so that the permissions of the pipeline end at it.
//!
//! Imports: `aws`, `cfn`, `etl`, `text`.

use crate::{
    Text,
    aws::{
        firehose::DeliveryStreamHandle, kinesis::StreamHandle, kms::KeyHandle, opensearch::DomainHandle,
        s3::BucketHandle, sns::TopicHandle, sqs::QueueHandle,
    },
};
use cfn::{IntoValue, Value, intrinsic};
use etl::late::{EnvName, Late};
use std::collections::BTreeMap;

/// What a name of a pipeline stands for.
#[derive(Clone, Debug)]
pub struct Bound {
    pub(super) value: Value<String>,
    pub(super) resource: Resource,
    /// The longest that the value can be when the stack stands, in bytes: Lambda counts it.
    pub(super) longest: usize,
}

/// The resource behind a name.
#[derive(Clone, Debug)]
pub(super) enum Resource {
    Bucket(BucketHandle),
    DeliveryStream(DeliveryStreamHandle),
    Domain(DomainHandle),
    Key(KeyHandle),
    /// An object of a bucket, by its ARN, and the key that encrypts it.
    Object(Value<String>, Option<KeyHandle>),
    Queue(QueueHandle),
    Stream(StreamHandle),
    Topic(TopicHandle),
    /// None of ours: a parameter, a text.
    None,
}

/// A domain's endpoint.
impl From<&DomainHandle> for Bound {
    fn from(domain: &DomainHandle) -> Self {
        // `search-` or `vpc-`, 28 of a name, 26 of a hash, the region, `es.amazonaws.com.cn`.
        Self { value: domain.endpoint(), resource: Resource::Domain(domain.clone()), longest: 112 }
    }
}

/// A delivery stream's name.
impl From<&DeliveryStreamHandle> for Bound {
    fn from(stream: &DeliveryStreamHandle) -> Self {
        Self { value: stream.name(), resource: Resource::DeliveryStream(stream.clone()), longest: 64 }
    }
}

/// A bucket's name.
impl From<&BucketHandle> for Bound {
    fn from(bucket: &BucketHandle) -> Self {
        Self { value: bucket.name(), resource: Resource::Bucket(bucket.clone()), longest: 63 }
    }
}

/// A topic's ARN.
impl From<&TopicHandle> for Bound {
    fn from(topic: &TopicHandle) -> Self {
        Self { value: topic.arn().into_text(), resource: Resource::Topic(topic.clone()), longest: 320 }
    }
}

/// A stream's name.
impl From<&StreamHandle> for Bound {
    fn from(stream: &StreamHandle) -> Self {
        Self { value: stream.name(), resource: Resource::Stream(stream.clone()), longest: 128 }
    }
}

/// A queue's URL.
impl From<&QueueHandle> for Bound {
    fn from(queue: &QueueHandle) -> Self {
        // `https://sqs.`, the region, `.amazonaws.com.cn/`, the account, 80 of a name.
        Self { value: queue.url(), resource: Resource::Queue(queue.clone()), longest: 140 }
    }
}

/// A key's ARN.
impl From<&KeyHandle> for Bound {
    fn from(key: &KeyHandle) -> Self {
        Self { value: key.arn().into_text(), resource: Resource::Key(key.clone()), longest: 100 }
    }
}

impl Bound {
    /// The address of an object (`s3://bucket/key`) that is named when the stack is deployed, `longest` bytes at most. Where a key of
    /// yours encrypts it, [say so](Self::encrypted_by).
    pub fn object(address: impl IntoValue<String>, longest: usize) -> Self {
        let value = address.into_value();
        let path = intrinsic::select::<String>(1, intrinsic::split("s3://", value.clone()));
        let arn = Text::new().text("arn:").value(intrinsic::partition()).text(":s3:::").value(path);
        Self { value, resource: Resource::Object(arn.into_value(), None), longest }
    }

    /// The same object, encrypted by a KMS key of yours: the function may then decrypt with it. Of other things the key is known.
    #[must_use]
    pub fn encrypted_by(mut self, key: &KeyHandle) -> Self {
        if let Resource::Object(_, by) = &mut self.resource {
            *by = Some(key.clone());
        }
        self
    }

    /// A parameter or another text of the stack, `longest` bytes at most. No permission comes of it.
    pub fn text(value: impl IntoValue<String>, longest: usize) -> Self {
        Self { value: value.into_value(), resource: Resource::None, longest }
    }
}

/// The names of one pipeline.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    names: BTreeMap<EnvName, Bound>,
    refused: Vec<String>,
}

impl Bindings {
    /// No names yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a name, of letters, digits and `_`, and gives what stands for it in a config. A name that is none is told at synth.
    ///
    /// ```
    /// # use constructs::patterns::{Bindings, Bound};
    /// let mut names = Bindings::new();
    /// let host: etl::late::Late<String> = names.bind("HOST", Bound::text("localhost", 9));
    /// assert_eq!(host.to_string(), "<HOST>");
    /// ```
    ///
    /// # Panics
    /// Never: the name that it falls back to is one.
    pub fn bind<T>(&mut self, name: &str, what: impl Into<Bound>) -> Late<T> {
        let usable = EnvName::new(name).unwrap_or_else(|| {
            self.refused.push(name.to_owned());
            EnvName::new("REFUSED").expect("it consists of letters")
        });
        self.names.insert(usable.clone(), what.into());
        Late::Env(usable)
    }

    /// The names that are none.
    pub(super) fn refused(&self) -> &[String] {
        &self.refused
    }

    pub(super) fn get(&self, name: &EnvName) -> Option<&Bound> {
        self.names.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Bound)> {
        self.names.iter().map(|(name, bound)| (name.as_str(), bound))
    }
}
