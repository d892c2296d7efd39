//! What a pipeline must be allowed to do, as its components say it.
//!
//! A component states its needs; the construct that deploys the pipeline turns each into one IAM statement on one resource.
//! So nobody writes permissions for a pipeline by hand.
//!
//! Imports: `late`, `region`.

use crate::{late::Late, region::Region};

/// One permission that a component cannot work without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// IAM actions, such as `firehose:PutRecordBatch`.
    pub actions: &'static [&'static str],
    /// What they are allowed on.
    pub on: Target,
}

/// The resource of a [`Need`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A Firehose delivery stream, by its name.
    DeliveryStream(Late<String>),
    /// Objects of a bucket whose keys begin with `prefix`; an empty prefix means all.
    Objects {
        /// The bucket's name.
        bucket: Late<String>,
        /// What their keys begin with.
        prefix: String,
    },
    /// One object of a bucket, by its address: `s3://bucket/key`.
    Object(Late<String>),
    /// A path of an OpenSearch domain.
    Domain {
        /// The host name of the domain's endpoint.
        host: Late<String>,
        /// The path, with its leading `/`.
        path: String,
    },
    /// `CloudWatch` metrics of one namespace. IAM knows no resource for them: the namespace is a condition.
    Metrics {
        /// The namespace.
        namespace: String,
    },
    /// An SNS topic, by its ARN.
    Topic(Late<String>),
    /// A Kinesis stream.
    Stream {
        /// Its name.
        name: Late<String>,
        /// Its region; none: the function's own.
        region: Option<Late<Region>>,
    },
    /// An SQS queue, by its URL.
    Queue(Late<String>),
    /// A parameter of Systems Manager.
    Parameter {
        /// Its name or ARN.
        name: Late<String>,
        /// Its region; none: the function's own.
        region: Option<Late<Region>>,
    },
    /// A secret of Secrets Manager.
    Secret {
        /// Its name or ARN.
        id: Late<String>,
        /// Its region; none: the function's own.
        region: Option<Late<Region>>,
    },
    /// A KMS key, by its ARN.
    Key(Late<String>),
    /// The tags of the function itself.
    FunctionTags,
    /// The KMS key that made a ciphertext of the config. Its ciphertext does not say which: the construct must be told.
    KmsKey,
}
