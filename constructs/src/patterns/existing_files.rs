//! Files that are there already, named by the operator.
//!
//! Imports: `aws`, `cfn`, `template`, `tree`.

use super::alarm_topic::TOPIC_ARN;
use crate::{
    aws::{kms::KeyHandle, s3::BucketHandle, sns::TopicHandle},
    template::{Condition, ConditionHandle, Parameter, ParameterHandle, Rule},
    tree::Scope,
};
use cfn::{Value, kms, sns};

/// A bucket that a service writes its files to already, and the topic that the bucket tells of them, as an operator may name them
/// when a stack is deployed. Where nothing is named, the stack makes its own.
///
/// The bucket of another stack, or of another team, has one place for its notifications, which CloudFormation cannot add to from
/// here; so the topic must be there as well.
#[derive(Clone, Debug)]
pub struct ExistingFiles {
    made: ConditionHandle,
    topic: ParameterHandle,
    bucket: ParameterHandle,
    prefix: ParameterHandle,
    key: ParameterHandle,
    key_is_given: ConditionHandle,
}

impl ExistingFiles {
    /// Adds the parameters `<name>TopicArn`, `<name>BucketName` (both or neither), `<name>Prefix` and `<name>KeyArn`. `files` says
    /// what service writes them (`CloudTrail`), `prefix` what their keys begin with where the service has its way.
    pub fn parameters(scope: &mut Scope<'_>, name: &str, files: &str, prefix: &str) -> Self {
        let group = format!("Existing files of {files}");
        let mut parameter = |what: &str, description: String, pattern: &str, constraint: &str, default: &str| {
            scope.parameter(
                &format!("{name}{what}"),
                Parameter::string()
                    .description(&description)
                    .allowed_pattern(pattern)
                    .constraint_description(constraint)
                    .default_value(default)
                    .group(&group),
            )
        };
        let topic = parameter(
            "TopicArn",
            format!(
                "ARN of an existing SNS topic, of this region, that an existing bucket notifies of each new file of {files} (an S3 \
                 event notification). Bucket and topic are made when it is empty."
            ),
            &format!("|{TOPIC_ARN}"),
            "the ARN of an SNS topic, or nothing",
            "",
        );
        let bucket = parameter(
            "BucketName",
            format!("Name of the existing bucket that has the files of {files}; goes with {name}TopicArn."),
            "|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
            "the name of a bucket, or nothing",
            "",
        );
        let prefix = parameter(
            "Prefix",
            "What the keys of the existing bucket's files begin with: only these may be read.".to_owned(),
            "[A-Za-z0-9!_.'()/-]{0,512}",
            "letters, digits and / ! _ . ' ( ) -",
            prefix,
        );
        let key = parameter(
            "KeyArn",
            "ARN of the KMS key that encrypts the existing bucket's files, if they have one. Its policy must let this account \
             decrypt by IAM."
                .to_owned(),
            KeyHandle::ARN_OR_NOTHING,
            "the ARN of a KMS key, or nothing",
            "",
        );
        let empty = |parameter: &ParameterHandle| Condition::equals(parameter.text(), "");
        let given = |parameter: &ParameterHandle| Condition::not(empty(parameter));
        let made = scope.condition(&format!("{name}IsMade"), Condition::or([empty(&topic), empty(&bucket)]));
        let key_is_given = scope.condition(&format!("{name}KeyIsGiven"), given(&key));
        scope.rule(
            &format!("{name}BucketGoesWithTopic"),
            Rule::when(given(&topic))
                .assert(given(&bucket), &format!("{name}TopicArn is given, so {name}BucketName must be, too")),
        );
        scope.rule(
            &format!("{name}TopicGoesWithBucket"),
            Rule::when(Condition::or([given(&bucket), given(&key)])).assert(
                given(&topic),
                &format!("{name}BucketName or {name}KeyArn is given, so {name}TopicArn must be, too"),
            ),
        );
        Self { made, topic, bucket, prefix, key, key_is_given }
    }

    /// Holds where the stack makes bucket and topic of its own.
    pub fn made(&self) -> &ConditionHandle {
        &self.made
    }

    /// The topic: the given one, or `own`, which is made where it must be.
    pub(super) fn topic(&self, own: TopicHandle) -> TopicHandle {
        own.unless_given(&self.made, self.topic.arn::<sns::Topic>())
    }

    /// The bucket: the given one, or `own`, which is made where it must be.
    pub(super) fn bucket(&self, own: BucketHandle) -> BucketHandle {
        let key = KeyHandle::from_arn(self.key.arn::<kms::Key>()).only_if(&self.key_is_given);
        own.unless_given(&self.made, BucketHandle::from_name(self.bucket.text(), Some(key)))
    }

    /// What the keys begin with.
    pub(super) fn prefix(&self, own: Value<String>) -> Value<String> {
        self.made.if_(own, self.prefix.text())
    }
}
