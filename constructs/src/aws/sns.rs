//! SNS: topics.
//!
//! Imports: `aws`, `cfn`, `iam`, `template`, `tree`.

use super::{
    iam::RoleHandle,
    kms::{KeyHandle, Service},
};
use crate::{
    iam::{Principal, Statement},
    template::ConditionHandle,
    tree::{Construct, Scope},
};
use cfn::{Arn, IntoValue, Ref, Value, intrinsic, sns};

/// An encrypted topic that takes messages over TLS only.
#[derive(Clone, Debug, bon::Builder)]
pub struct Topic {
    /// Encrypts with this key. SNS's own (`alias/aws/sns`) admits neither S3 nor CloudWatch: their messages would be lost
    /// without a word.
    key: KeyHandle,
}

/// A topic of this stack, or one that stands already.
#[derive(Clone, Debug)]
pub struct TopicHandle {
    arn: Value<Arn<sns::Topic>>,
    key: Option<KeyHandle>,
    /// None when it is not of this stack.
    topic: Option<Ref<sns::Topic>>,
}

impl Construct for Topic {
    type Handle = TopicHandle;

    fn build(self, scope: &mut Scope<'_>) -> TopicHandle {
        let topic = scope.add("Resource", sns::Topic::new().kms_master_key_id(self.key.arn()));
        let only_tls = Statement::deny(["sns:Publish"]).sid("OnlyTls").by(Principal::Anyone).on([topic.ref_()]).when(
            "Bool",
            "aws:SecureTransport",
            "false",
        );
        scope.allow_on(&topic, only_tls);
        TopicHandle { arn: topic.ref_(), key: Some(self.key), topic: Some(topic) }
    }
}

impl TopicHandle {
    /// A topic that stands already; its policy and its key must admit what publishes to it.
    pub fn from_arn(arn: impl IntoValue<Arn<sns::Topic>>) -> Self {
        Self { arn: arn.into_value(), key: None, topic: None }
    }

    /// This topic, made only where `made` holds, else another that stands already.
    #[must_use]
    pub fn unless_given(self, made: &ConditionHandle, given: impl IntoValue<Arn<sns::Topic>>) -> Self {
        Self { arn: made.if_(self.arn, given), ..self }
    }

    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<sns::Topic>> {
        self.arn.clone()
    }

    /// Lets a service publish for resources of this account, and use the topic's key for it.
    ///
    /// The bound is the account and not a bucket's ARN: a bucket needs the topic it tells, and a circle cannot be deployed.
    pub fn admit(&self, scope: &mut Scope<'_>, service: Service) {
        if let Some(topic) = &self.topic {
            let statement = Statement::allow(["sns:Publish"])
                .by(Principal::service(service.principal()))
                .on([topic.ref_()])
                .when("StringEquals", "aws:SourceAccount", intrinsic::account_id());
            scope.allow_on(topic, statement);
        }
        if let Some(key) = &self.key {
            key.admit(scope, service);
        }
    }

    /// Makes a resource wait until the topic's policy stands.
    pub(super) fn before<R>(&self, scope: &mut Scope<'_>, resource: &Ref<R>) {
        if let Some(topic) = &self.topic {
            scope.options(resource).depends_on_policy_of(topic);
        }
    }

    /// Lets `role` publish.
    pub fn grant_publish(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        role.allow(scope, Statement::allow(["sns:Publish"]).on([self.arn.clone()]));
        self.grant_key(scope, role);
    }

    /// Lets `role` use the topic's key.
    pub(crate) fn grant_key(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        if let Some(key) = &self.key {
            key.grant_encrypt(scope, role);
        }
    }
}
