//! IAM: roles that services take on for us.
//!
//! Imports: `cfn`, `iam`, `tree`.

use crate::{
    iam::{PolicyDocument, Principal, Statement},
    tree::{Construct, Scope},
};
use cfn::{Arn, Ref, Value, iam};

/// A role that one service may take on. What it may do comes from the `grant_…` methods of handles, each on its own resources.
#[derive(Clone, Debug, bon::Builder)]
pub struct Role {
    /// What else must hold: a key, and what it must be equal to.
    #[builder(field)]
    conditions: Vec<(&'static str, Value<String>)>,
    /// The service, such as `lambda.amazonaws.com`.
    service: &'static str,
}

impl<S: role_builder::State> RoleBuilder<S> {
    /// Only when `key` (`sts:ExternalId`) equals `value`.
    pub fn when(mut self, key: &'static str, value: Value<String>) -> Self {
        self.conditions.push((key, value));
        self
    }
}

/// A role of this stack.
#[derive(Clone, Debug)]
pub struct RoleHandle {
    role: Ref<iam::Role>,
}

impl Construct for Role {
    type Handle = RoleHandle;

    fn build(self, scope: &mut Scope<'_>) -> RoleHandle {
        let trust = Statement::allow(["sts:AssumeRole"]).by(Principal::service(self.service));
        let trust = self.conditions.into_iter().fold(trust, |all, (key, value)| all.when("StringEquals", key, value));
        let role = iam::Role::new().assume_role_policy_document(PolicyDocument::new([trust]));
        RoleHandle { role: scope.add("Resource", role) }
    }
}

impl RoleHandle {
    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<iam::Role>> {
        self.role.arn()
    }

    /// Adds a statement to what it may do. Prefer the `grant_…` methods of handles.
    pub fn allow(&self, scope: &mut Scope<'_>, statement: Statement) {
        scope.allow(&self.role, statement);
    }

    /// Makes a resource wait until the role may do all that it was granted.
    pub fn before<R>(&self, scope: &mut Scope<'_>, resource: &Ref<R>) {
        scope.options(resource).depends_on_grants_of(&self.role);
    }
}
