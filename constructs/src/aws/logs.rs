//! CloudWatch Logs: log groups. None without an end.
//!
//! Imports: `aws`, `cfn`, `iam`, `tree`.

use super::iam::RoleHandle;
use crate::{
    iam::Statement,
    tree::{Construct, DeletionPolicy, Scope, UpdateReplacePolicy},
};
use cfn::{Arn, IntoValue, Value, logs};

/// A log group whose lines are removed after some days. It goes with the stack.
#[derive(Clone, Debug, bon::Builder)]
pub struct LogGroup {
    /// Its name; made by CloudFormation if it is not given. A service may ask for one that begins in a certain way.
    #[builder(with = |name: impl IntoValue<String>| name.into_value())]
    name: Option<Value<String>>,
    /// 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1,096, 1,827 … days.
    #[builder(with = |days: impl IntoValue<i64>| days.into_value())]
    retention_days: Value<i64>,
}

/// A log group of this stack.
#[derive(Clone, Debug)]
pub struct LogGroupHandle {
    name: Value<String>,
    arn: Value<Arn<logs::LogGroup>>,
}

impl Construct for LogGroup {
    type Handle = LogGroupHandle;

    fn build(self, scope: &mut Scope<'_>) -> LogGroupHandle {
        use cfn::Maybe as _;
        let properties = logs::LogGroup::new()
            .retention_in_days(self.retention_days)
            .maybe(self.name, logs::LogGroup::log_group_name);
        let group = scope.add("Resource", properties);
        // Said, so that nobody has to know what CloudFormation does by default.
        scope
            .options(&group)
            .deletion_policy(DeletionPolicy::Delete)
            .update_replace_policy(UpdateReplacePolicy::Delete);
        LogGroupHandle { name: group.ref_(), arn: group.arn() }
    }
}

impl LogGroupHandle {
    /// Its name.
    pub fn name(&self) -> Value<String> {
        self.name.clone()
    }

    /// Its ARN, with `:*` at the end as CloudFormation gives it: the group's streams.
    pub fn arn(&self) -> Value<Arn<logs::LogGroup>> {
        self.arn.clone()
    }

    /// Lets `role` write lines.
    pub fn grant_write(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        role.allow(
            scope,
            Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"]).on([self.arn.clone().into_text()]),
        );
    }
}
