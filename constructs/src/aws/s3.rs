//! S3: buckets.
//!
//! Imports: `aws`, `cfn`, `codes`, `iam`, `template`, `text`, `tree`.

use super::{iam::RoleHandle, kms::KeyHandle, lambda::FunctionHandle, sns::TopicHandle, sqs::QueueHandle};
use crate::{
    Text,
    iam::{Principal, Statement},
    template::ConditionHandle,
    tree::{Construct, Scope},
};
use cfn::{
    Arn, IntoJson as _, IntoValue, Maybe as _, Ref, Value, intrinsic,
    s3::{self, bucket},
};

/// A private bucket: encrypted, versioned, TLS only, retained when the stack goes.
///
/// Public access is blocked, ACLs are off, and an upload that was begun and never finished is removed after seven days.
#[derive(Clone, Debug, bon::Builder)]
pub struct Bucket {
    /// Topics that are told of new objects, each for some of the keys.
    #[builder(field)]
    notifications: Vec<(TopicHandle, KeyFilter)>,
    /// Encrypts with this key instead of S3's own (`AES256`). A bucket key keeps the requests to KMS few.
    key: Option<KeyHandle>,
    /// What becomes of objects as they age. Without it they are kept for ever.
    lifecycle: Option<Lifecycle>,
}

/// Which keys a notification is for.
#[derive(Clone, Debug)]
pub struct KeyFilter {
    /// What a key begins with.
    pub prefix: Value<String>,
    /// What a key ends with.
    pub suffix: Value<String>,
}

/// What becomes of objects as they age. Ages are days since an object was made.
#[derive(Clone, Debug, bon::Builder)]
pub struct Lifecycle {
    /// When objects move to the storage class for what is rarely read (`STANDARD_IA`): 30 at least, AWS's rule.
    infrequent_after: Option<Value<i64>>,
    /// When they are removed. Versions that were replaced go 30 days after that.
    expire_after: Option<Value<i64>>,
}

impl<S: bucket_builder::State> BucketBuilder<S> {
    /// Tells a topic of each new object whose key passes the filter. The topic must [admit](TopicHandle::admit) S3.
    pub fn notify(mut self, topic: &TopicHandle, filter: KeyFilter) -> Self {
        self.notifications.push((topic.clone(), filter));
        self
    }
}

/// A bucket of this stack, or one that stands already.
#[derive(Clone, Debug)]
pub struct BucketHandle {
    arn: Value<Arn<s3::Bucket>>,
    name: Value<String>,
    /// What encrypts its objects, if not S3's own key.
    keys: Vec<KeyHandle>,
    /// None when it is not of this stack.
    bucket: Option<Ref<s3::Bucket>>,
}

impl Construct for Bucket {
    type Handle = BucketHandle;

    fn build(self, scope: &mut Scope<'_>) -> BucketHandle {
        let topics: Vec<_> = self.notifications.iter().map(|(topic, filter)| notification(topic, filter)).collect();
        let properties = s3::Bucket::new()
            .bucket_encryption(encryption(self.key.as_ref()))
            .public_access_block_configuration(
                bucket::PublicAccessBlockConfiguration::new()
                    .block_public_acls(true)
                    .block_public_policy(true)
                    .ignore_public_acls(true)
                    .restrict_public_buckets(true),
            )
            .ownership_controls(
                bucket::OwnershipControls::new().rules([bucket::OwnershipControlsRule::new()
                    .object_ownership(bucket::OwnershipControlsRuleObjectOwnership::BucketOwnerEnforced)]),
            )
            .versioning_configuration(
                bucket::VersioningConfiguration::new().status(bucket::VersioningConfigurationStatus::Enabled),
            )
            .lifecycle_configuration(lifecycle(self.lifecycle))
            .maybe((!topics.is_empty()).then_some(topics), |properties, topics| {
                properties
                    .notification_configuration(bucket::NotificationConfiguration::new().topic_configurations(topics))
            });
        let bucket = scope.add("Resource", properties);
        scope.options(&bucket).retain();
        for (topic, _) in &self.notifications {
            // S3 asks the topic for leave while the bucket is made.
            topic.before(scope, &bucket);
        }
        let only_tls = Statement::deny(["s3:*"])
            .sid("OnlyTls")
            .by(Principal::Anyone)
            .on([bucket.arn().into_text(), below(&bucket.arn(), "")])
            .when("Bool", "aws:SecureTransport", "false");
        scope.allow_on(&bucket, only_tls);
        BucketHandle {
            arn: bucket.arn(),
            name: bucket.ref_(),
            keys: self.key.into_iter().collect(),
            bucket: Some(bucket),
        }
    }
}

fn encryption(key: Option<&KeyHandle>) -> bucket::BucketEncryption {
    use bucket::{ServerSideEncryptionByDefault as Default, ServerSideEncryptionByDefaultSSEAlgorithm as Algorithm};
    let by_default = match key {
        Some(key) => Default::new().sse_algorithm(Algorithm::AwsKms).kms_master_key_id(key.arn()),
        None => Default::new().sse_algorithm(Algorithm::Aes256),
    };
    bucket::BucketEncryption::new().server_side_encryption_configuration([bucket::ServerSideEncryptionRule::new()
        .server_side_encryption_by_default(by_default)
        .bucket_key_enabled(key.is_some())])
}

fn lifecycle(ages: Option<Lifecycle>) -> bucket::LifecycleConfiguration {
    let abandoned = bucket::Rule::new().id("abandoned-uploads").status(bucket::RuleStatus::Enabled);
    let abandoned = abandoned
        .abort_incomplete_multipart_upload(bucket::AbortIncompleteMultipartUpload::new().days_after_initiation(7));
    let mut rules = vec![Value::Known(abandoned)];
    if let Some(Lifecycle { infrequent_after, expire_after }) = ages {
        let aging = bucket::Rule::new()
            .id("age")
            .status(bucket::RuleStatus::Enabled)
            .maybe(infrequent_after, |rule, days| {
                let infrequent = bucket::Transition::new().storage_class(bucket::TransitionStorageClass::StandardIa);
                rule.transitions([infrequent.transition_in_days(days)])
            })
            .maybe(expire_after, |rule, days| {
                rule.expiration_in_days(days)
                    .noncurrent_version_expiration(bucket::NoncurrentVersionExpiration::new().noncurrent_days(30))
            });
        rules.push(Value::Known(aging));
    }
    bucket::LifecycleConfiguration::new().rules(Value::Known(rules))
}

fn notification(topic: &TopicHandle, filter: &KeyFilter) -> Value<bucket::TopicConfiguration> {
    let told = bucket::TopicConfiguration::new().event("s3:ObjectCreated:*").topic(topic.arn());
    Value::Known(told.filter(filter.property()))
}

impl KeyFilter {
    fn property(&self) -> bucket::NotificationFilter {
        let rule = |name: &str, value: &Value<String>| bucket::FilterRule::new().name(name).value(value.clone());
        let rules = [rule("prefix", &self.prefix), rule("suffix", &self.suffix)];
        bucket::NotificationFilter::new().s3_key(bucket::S3KeyFilter::new().rules(rules))
    }
}

/// Objects whose key begins so.
fn below(bucket: &Value<Arn<s3::Bucket>>, prefix: impl IntoValue<String>) -> Value<String> {
    Text::new().value(bucket.clone()).text("/").value(prefix).text("*").into_value()
}

impl BucketHandle {
    /// A bucket that stands already, by its name. Its key, if it has one of its own, must be told for the grants to be enough.
    pub fn from_name(name: impl IntoValue<String>, key: Option<KeyHandle>) -> Self {
        let name = name.into_value();
        let arn = Text::new().text("arn:").value(intrinsic::partition()).text(":s3:::").value(name.clone());
        let arn: Value<String> = arn.into_value();
        Self { arn: arn.into_arn(), name, keys: key.into_iter().collect(), bucket: None }
    }

    /// This bucket, made only where `made` holds, else another that stands already. What is granted is granted on the one that
    /// there is.
    #[must_use]
    pub fn unless_given(self, made: &ConditionHandle, given: Self) -> Self {
        Self {
            arn: made.if_(self.arn, given.arn),
            name: made.if_(self.name, given.name),
            keys: self.keys.into_iter().chain(given.keys).collect(),
            bucket: self.bucket,
        }
    }

    /// Its name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<s3::Bucket>> {
        self.arn.clone()
    }

    /// Makes a resource wait until the bucket's policy stands.
    pub(super) fn before<R>(&self, scope: &mut Scope<'_>, resource: &Ref<R>) {
        if let Some(bucket) = &self.bucket {
            scope.options(resource).depends_on_policy_of(bucket);
        }
    }

    /// Lets one trail of this account write its files: what CloudTrail asks of a bucket, and no other trail may do.
    ///
    /// By the trail's name: the trail waits for this policy, so the policy cannot wait for the trail.
    pub fn admit_trail(&self, scope: &mut Scope<'_>, trail_name: &Value<String>) {
        self.admit_writer(scope, "cloudtrail.amazonaws.com", "aws:SourceArn", &super::cloudtrail::arn_of(trail_name));
    }

    /// Lets AWS's log delivery write files of this account: flow logs, Route 53 Resolver queries, and whatever else AWS calls
    /// vended logs.
    pub fn admit_log_delivery(&self, scope: &mut Scope<'_>) {
        self.admit_writer(scope, "delivery.logs.amazonaws.com", "aws:SourceAccount", &intrinsic::account_id());
    }

    /// What AWS's services ask of a bucket that they write to below `AWSLogs/<account>/`.
    fn admit_writer(&self, scope: &mut Scope<'_>, service: &str, key: &str, only: &Value<String>) {
        let Some(bucket) = &self.bucket else { return };
        let asks = |action: &str| {
            Statement::allow([action]).by(Principal::service(service)).when("StringEquals", key, only.clone())
        };
        let files = Text::new().value(bucket.arn()).text("/AWSLogs/").value(intrinsic::account_id()).text("/*");
        scope.allow_on(bucket, asks("s3:GetBucketAcl").on([bucket.arn()]));
        let write = asks("s3:PutObject").on([files]).when("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control");
        scope.allow_on(bucket, write);
    }

    /// Invokes a function for each new object whose key passes the filter, once `leave` to do so stands.
    pub(super) fn notify_function(
        &self,
        scope: &mut Scope<'_>,
        function: &FunctionHandle,
        filter: &KeyFilter,
        leave: &Ref<cfn::lambda::Permission>,
    ) {
        let Some(bucket) = self.to_notify(scope) else { return };
        let told = bucket::LambdaConfiguration::new()
            .event("s3:ObjectCreated:*")
            .function(function.alias_arn())
            .filter(filter.property());
        scope
            .options(bucket)
            .depends_on(leave)
            .append_property("NotificationConfiguration.LambdaConfigurations", told.into_json());
    }

    /// Tells a queue of each new object whose key passes the filter, once the queue's policy stands. The queue must
    /// [admit](QueueHandle::admit) S3.
    pub(super) fn notify_queue(&self, scope: &mut Scope<'_>, queue: &QueueHandle, filter: &KeyFilter) {
        let Some(bucket) = self.to_notify(scope) else { return };
        let told =
            bucket::QueueConfiguration::new().event("s3:ObjectCreated:*").queue(queue.arn()).filter(filter.property());
        queue.before(scope, bucket);
        scope.options(bucket).append_property("NotificationConfiguration.QueueConfigurations", told.into_json());
    }

    fn to_notify(&self, scope: &mut Scope<'_>) -> Option<&Ref<s3::Bucket>> {
        if self.bucket.is_none() {
            scope.problem(
                crate::codes::FOREIGN_HANDLE,
                "the notifications of a bucket that is not of this stack cannot be changed here",
                "let the bucket tell a topic, and use the topic as trigger",
            );
        }
        self.bucket.as_ref()
    }

    /// Lets `role` read the objects whose keys begin with `prefix`.
    ///
    /// `s3:ListBucket` is part of it: without it S3 answers a missing object with a denial, and nobody can tell the two apart.
    pub fn grant_read(&self, scope: &mut Scope<'_>, role: &RoleHandle, prefix: impl IntoValue<String>) {
        let objects = below(&self.arn, prefix);
        role.allow(scope, Statement::allow(["s3:GetObject", "s3:GetObjectVersion"]).on([objects]));
        role.allow(scope, Statement::allow(["s3:ListBucket"]).on([self.arn.clone()]));
        self.grant_key(scope, role, true);
    }

    /// Lets `role` write objects whose keys begin with `prefix`, and give up an upload that it began. Not delete, not read.
    pub fn grant_write(&self, scope: &mut Scope<'_>, role: &RoleHandle, prefix: impl IntoValue<String>) {
        let objects = below(&self.arn, prefix);
        role.allow(scope, Statement::allow(["s3:AbortMultipartUpload", "s3:PutObject"]).on([objects]));
        self.grant_key(scope, role, false);
    }

    /// Lets `role` use the key of the objects, if the bucket has one of its own.
    pub(crate) fn grant_key(&self, scope: &mut Scope<'_>, role: &RoleHandle, reads: bool) {
        for key in &self.keys {
            if reads { key.grant_decrypt(scope, role) } else { key.grant_encrypt(scope, role) }
        }
    }
}
