//! KMS: keys of our own, where AWS's own key does not do.
//!
//! Imports: `aws`, `cfn`, `iam`, `template`, `tree`.

use super::iam::RoleHandle;
use crate::{
    iam::{Principal, Statement},
    template::ConditionHandle,
    tree::{Construct, Scope},
};
use cfn::{Arn, IntoValue, Ref, Value, intrinsic, kms};

/// A symmetric key that is rotated every year and retained when the stack goes: what it encrypted stays readable.
///
/// The account may grant its use by IAM, as AWS's default key policy has it; services are admitted one by one by
/// [`KeyHandle::admit`], each for this account's resources only.
#[derive(Clone, Debug, bon::Builder)]
pub struct Key {
    /// What the key is for.
    #[builder(into)]
    description: String,
}

/// A service that the policy of a key must admit, because it acts without a role of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// S3, which tells an encrypted topic or queue of new objects.
    S3,
    /// CloudWatch, which tells an encrypted topic of an alarm.
    CloudWatch,
    /// SNS, which delivers to an encrypted queue.
    Sns,
    /// EventBridge, whose rules deliver to an encrypted queue.
    EventBridge,
    /// CloudWatch Logs.
    Logs,
}

impl Service {
    /// Its principal.
    pub(super) const fn principal(self) -> &'static str {
        match self {
            Self::S3 => "s3.amazonaws.com",
            Self::CloudWatch => "cloudwatch.amazonaws.com",
            Self::Sns => "sns.amazonaws.com",
            Self::EventBridge => "events.amazonaws.com",
            Self::Logs => "logs.amazonaws.com",
        }
    }
}

/// A key of this stack, or one that stands already.
#[derive(Clone, Debug)]
pub struct KeyHandle {
    arn: Value<Arn<kms::Key>>,
    /// None when it is not of this stack.
    key: Option<Ref<kms::Key>>,
    /// Whether there is such a key at all.
    only_if: Option<ConditionHandle>,
}

impl Construct for Key {
    type Handle = KeyHandle;

    fn build(self, scope: &mut Scope<'_>) -> KeyHandle {
        let key =
            scope.add("Resource", kms::Key::new().description(self.description.as_str()).enable_key_rotation(true));
        scope.options(&key).retain();
        let account = Statement::allow(["kms:*"]).sid("AccountByIam").by(Principal::this_account()).on(["*"]);
        scope.allow_on(&key, account);
        KeyHandle { arn: key.arn(), key: Some(key), only_if: scope.holds_if().cloned() }
    }
}

impl KeyHandle {
    /// What a parameter matches that holds a key's ARN, or nothing.
    pub const ARN_OR_NOTHING: &str = "|arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+";

    /// A key that stands already. Its policy must admit what it is used for here.
    pub fn from_arn(arn: impl IntoValue<Arn<kms::Key>>) -> Self {
        Self { arn: arn.into_value(), key: None, only_if: None }
    }

    /// The same key, of which nothing is granted but where this holds: for one that an operator may name or not.
    #[must_use]
    pub fn only_if(self, condition: &ConditionHandle) -> Self {
        Self { only_if: Some(condition.clone()), ..self }
    }

    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<kms::Key>> {
        self.arn.clone()
    }

    /// Lets a service use it for resources of this account. Of a key that is not of this stack, its owner must do that.
    pub fn admit(&self, scope: &mut Scope<'_>, service: Service) {
        if let Some(key) = &self.key {
            let statement = Statement::allow(["kms:Decrypt", "kms:GenerateDataKey*"])
                .by(Principal::service(service.principal()))
                .on(["*"])
                .when("StringEquals", "aws:SourceAccount", intrinsic::account_id());
            scope.allow_on(key, statement);
        }
    }

    /// Lets `role` decrypt.
    pub fn grant_decrypt(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        self.grant(scope, role, &["kms:Decrypt"]);
    }

    /// Lets `role` encrypt. S3's multipart uploads and SNS need `kms:Decrypt` for it, too.
    pub fn grant_encrypt(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        self.grant(scope, role, &["kms:Decrypt", "kms:GenerateDataKey*"]);
    }

    fn grant(&self, scope: &mut Scope<'_>, role: &RoleHandle, actions: &[&str]) {
        let statement = Statement::allow(actions.iter().copied()).on([self.arn.clone()]);
        role.allow(scope, self.only_if.iter().fold(statement, Statement::only_if));
    }
}
