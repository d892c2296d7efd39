//! Policies: who may do what to which resource.
//!
//! A grant is one [`Statement`]. [`Scope::allow`](crate::tree::Scope::allow) gathers those of a role into one `AWS::IAM::Policy`
//! below the role's path; [`Scope::allow_on`](crate::tree::Scope::allow_on) those of a resource into its resource policy. In
//! both, statements that differ in their actions only become one, equal ones become one, and the order is that of their text.
//!
//! Imports: `cfn`, `template`.

use crate::template::ConditionHandle;
use cfn::{IntoJson as _, IntoValue, Json, Members, Ref, Resource, Value, intrinsic};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a statement gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It gives.
    Allow,
    /// It takes, whatever else gives.
    Deny,
}

/// Who a resource's policy, or a role's trust, speaks of.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// A service of AWS: `sns.amazonaws.com`.
    Service(String),
    /// An account, role or user, by its ARN; an account also by its id.
    Aws(Value<String>),
    /// An identity provider.
    Federated(Value<String>),
    /// Everyone. Wants a condition, or `Deny`.
    Anyone,
}

impl Principal {
    /// A service of AWS: `sns.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Self::Service(name.to_owned())
    }

    /// An account, role or user, by its ARN; an account also by its id.
    pub fn aws(arn: impl IntoValue<String>) -> Self {
        Self::Aws(arn.into_value())
    }

    /// The account that the stack is deployed to: what its IAM policies say then counts.
    pub fn this_account() -> Self {
        Self::Aws(intrinsic::sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:root"))
    }

    fn parts(&self) -> Option<(&'static str, Json)> {
        match self {
            Self::Service(name) => Some(("Service", name.as_str().into())),
            Self::Aws(arn) => Some(("AWS", arn.clone().into_json())),
            Self::Federated(provider) => Some(("Federated", provider.clone().into_json())),
            Self::Anyone => None,
        }
    }
}

/// One statement of a policy.
///
/// ```
/// # use constructs::{cfn, iam::{Principal, Statement}};
/// let topic: cfn::Ref<cfn::sns::Topic> = cfn::Ref::new("Topic");
/// let publish = Statement::allow(["sns:Publish"])
///     .on([topic.ref_()])
///     .by(Principal::service("s3.amazonaws.com"))
///     .when("StringEquals", "aws:SourceAccount", cfn::intrinsic::account_id());
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a statement means nothing until it is added to a policy"]
pub struct Statement {
    sid: Option<String>,
    effect: Effect,
    principals: Vec<Principal>,
    actions: BTreeSet<String>,
    resources: Vec<Json>,
    conditions: BTreeMap<String, BTreeMap<String, Json>>,
    only_if: Option<ConditionHandle>,
}

impl Statement {
    /// Gives these actions: `sqs:SendMessage`.
    pub fn allow<S: Into<String>>(actions: impl IntoIterator<Item = S>) -> Self {
        Self::new(Effect::Allow, actions)
    }

    /// Takes these actions, whatever else gives them.
    pub fn deny<S: Into<String>>(actions: impl IntoIterator<Item = S>) -> Self {
        Self::new(Effect::Deny, actions)
    }

    fn new<S: Into<String>>(effect: Effect, actions: impl IntoIterator<Item = S>) -> Self {
        Self {
            sid: None,
            effect,
            principals: vec![],
            actions: actions.into_iter().map(Into::into).collect(),
            resources: vec![],
            conditions: BTreeMap::new(),
            only_if: None,
        }
    }

    /// On these resources, by ARN; `"*"` where an action knows no resource.
    pub fn on<V: IntoValue<String>>(mut self, resources: impl IntoIterator<Item = V>) -> Self {
        self.resources.extend(resources.into_iter().map(|arn| arn.into_value().into_json()));
        self
    }

    /// By this principal; again for a further one. Not in a role's policy: there it is the role.
    pub fn by(mut self, principal: Principal) -> Self {
        self.principals.push(principal);
        self
    }

    /// Only when `key` compares so: `when("StringEquals", "aws:SourceAccount", account)`. Again for a further condition.
    pub fn when(mut self, operator: &str, key: &str, value: impl IntoValue<Json>) -> Self {
        self.conditions.entry(operator.to_owned()).or_default().insert(key.to_owned(), value.into_value().into_json());
        self
    }

    /// Only where a condition of the template holds: else the policy is without it.
    pub fn only_if(mut self, condition: &ConditionHandle) -> Self {
        self.only_if = Some(condition.clone());
        self
    }

    pub(crate) fn holds_if(&self) -> Option<&ConditionHandle> {
        self.only_if.as_ref()
    }

    /// A name: letters and digits. A named statement is not joined with others.
    pub fn sid(mut self, sid: &str) -> Self {
        self.sid = Some(sid.to_owned());
        self
    }

    /// The actions, sorted.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(String::as_str)
    }

    /// What IAM would refuse about it, in the policy of a role or of a resource.
    pub(crate) fn mistake(&self, of_role: bool) -> Option<&'static str> {
        match () {
            () if self.actions.is_empty() => Some("it has no actions"),
            () if of_role && !self.principals.is_empty() => Some("it has a principal, which is the role itself"),
            () if of_role && self.resources.is_empty() => Some("it has no resources"),
            () if !of_role && self.principals.is_empty() => Some("it has no principal"),
            () => None,
        }
    }

    /// Everything but the actions: statements that agree in it can be one.
    fn rest(&self) -> Json {
        let mut out = Members::new();
        if let Some(sid) = &self.sid {
            out.insert("Sid".into(), sid.as_str().into());
        }
        out.insert("Effect".into(), if self.effect == Effect::Allow { "Allow" } else { "Deny" }.into());
        if self.principals.contains(&Principal::Anyone) {
            out.insert("Principal".into(), "*".into());
        } else if !self.principals.is_empty() {
            let mut kinds: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
            for (kind, who) in self.principals.iter().filter_map(Principal::parts) {
                kinds.entry(kind).or_default().push(who);
            }
            let kinds: Members = kinds.into_iter().map(|(k, who)| (k.to_owned(), one_or_all(who))).collect();
            out.insert("Principal".into(), kinds.into());
        }
        if !self.resources.is_empty() {
            out.insert("Resource".into(), one_or_all(self.resources.clone()));
        }
        if !self.conditions.is_empty() {
            out.insert("Condition".into(), json!(self.conditions));
        }
        Json::Object(out)
    }

    fn into_json(self) -> Json {
        let only_if = self.only_if.clone();
        let mut out = self.rest();
        if let Json::Object(members) = &mut out {
            members.insert("Action".into(), one_or_all(self.actions.into_iter().map(Json::from).collect()));
        }
        match only_if {
            Some(condition) => condition.if_::<Json>(out, intrinsic::no_value()).into_json(),
            None => out,
        }
    }
}

/// Sorted, none twice; one alone without a list around it.
fn one_or_all(items: Vec<Json>) -> Json {
    let mut items: Vec<(String, Json)> = items.into_iter().map(|item| (item.to_string(), item)).collect();
    items.sort_by(|a, b| a.0.cmp(&b.0));
    items.dedup();
    let mut items: Vec<Json> = items.into_iter().map(|(_, item)| item).collect();
    match items.pop() {
        Some(only) if items.is_empty() => only,
        Some(last) => {
            items.push(last);
            Json::Array(items)
        }
        None => Json::Array(vec![]),
    }
}

/// A policy: a list of statements.
///
/// Goes wherever a property wants a policy as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// A policy of these statements, in this order.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: statements.into_iter().collect() }
    }

    /// The trust of a role that this service may take: `lambda.amazonaws.com`.
    pub fn assumed_by(service: &str) -> Self {
        Self::new([Statement::allow(["sts:AssumeRole"]).by(Principal::service(service))])
    }

    /// Adds a statement.
    pub fn push(&mut self, statement: Statement) {
        self.statements.push(statement);
    }

    /// Statements that differ in actions only become one; then sorted by their text.
    pub(crate) fn merged(statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut merged: BTreeMap<(String, Option<String>), Statement> = BTreeMap::new();
        for statement in statements {
            let only_if = statement.only_if.as_ref().map(|condition| condition.name().to_owned());
            let alike = (statement.rest().to_string(), only_if);
            match merged.get_mut(&alike) {
                Some(same) => same.actions.extend(statement.actions),
                None => drop(merged.insert(alike, statement)),
            }
        }
        Self { statements: merged.into_values().collect() }
    }
}

impl IntoValue<Json> for PolicyDocument {
    fn into_value(self) -> Value<Json> {
        let statements: Vec<Json> = self.statements.into_iter().map(Statement::into_json).collect();
        Value::Known(json!({"Version": "2012-10-17", "Statement": statements}))
    }
}

/// A resource that can have a policy of its own, and how CloudFormation wants it.
pub trait PolicyTarget: Resource {
    /// Where the policy goes.
    const CARRIER: Carrier;
}

/// Where the policy of a resource goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Into a resource of its own, which names the target.
    Resource {
        /// `AWS::S3::BucketPolicy`
        type_name: &'static str,
        /// The property that names the target.
        target: &'static str,
        /// What the property wants.
        by: TargetBy,
        /// The property that holds the policy.
        document: &'static str,
    },
    /// Into a property of the target itself.
    Property(&'static str),
}

/// How a policy names its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetBy {
    /// `Ref`
    Ref,
    /// A list of one `Ref`.
    RefInList,
    /// `Fn::GetAtt` of `Arn`.
    Arn,
}

impl PolicyTarget for cfn::s3::Bucket {
    const CARRIER: Carrier = Carrier::Resource {
        type_name: "AWS::S3::BucketPolicy",
        target: "Bucket",
        by: TargetBy::Ref,
        document: "PolicyDocument",
    };
}

impl PolicyTarget for cfn::sns::Topic {
    const CARRIER: Carrier = Carrier::Resource {
        type_name: "AWS::SNS::TopicPolicy",
        target: "Topics",
        by: TargetBy::RefInList,
        document: "PolicyDocument",
    };
}

impl PolicyTarget for cfn::sqs::Queue {
    const CARRIER: Carrier = Carrier::Resource {
        type_name: "AWS::SQS::QueuePolicy",
        target: "Queues",
        by: TargetBy::RefInList,
        document: "PolicyDocument",
    };
}

impl PolicyTarget for cfn::kinesis::Stream {
    const CARRIER: Carrier = Carrier::Resource {
        type_name: "AWS::Kinesis::ResourcePolicy",
        target: "ResourceArn",
        by: TargetBy::Arn,
        document: "ResourcePolicy",
    };
}

impl PolicyTarget for cfn::kms::Key {
    const CARRIER: Carrier = Carrier::Property("KeyPolicy");
}

impl PolicyTarget for cfn::opensearchservice::Domain {
    const CARRIER: Carrier = Carrier::Property("AccessPolicies");
}

impl TargetBy {
    pub(crate) fn name(self, logical_id: &str) -> Json {
        match self {
            Self::Ref => json!({"Ref": logical_id}),
            Self::RefInList => json!([{"Ref": logical_id}]),
            Self::Arn => json!({"Fn::GetAtt": [logical_id, "Arn"]}),
        }
    }
}

/// The policy that holds the grants of a role.
pub(crate) fn grants_of(role: &Ref<cfn::iam::Role>, name: &str, statements: Vec<Statement>) -> cfn::iam::Policy {
    cfn::iam::Policy::new().policy_name(name).roles([role.ref_()]).policy_document(PolicyDocument::merged(statements))
}

#[cfg(test)]
mod tests {
    use super::{PolicyDocument, Principal, Statement};
    use cfn::{IntoValue as _, Json, Ref, intrinsic, sqs};
    use serde_json::json;

    fn document(policy: PolicyDocument) -> Json {
        let json = json!(policy.into_value());
        json["Statement"].clone()
    }

    #[test]
    fn a_statement_is_what_iam_reads() {
        let queue: Ref<sqs::Queue> = Ref::new("Queue");
        let statement = Statement::allow(["sqs:SendMessage"])
            .sid("FromTopics")
            .on([queue.arn()])
            .by(Principal::service("sns.amazonaws.com"))
            .by(Principal::this_account())
            .when("ArnLike", "aws:SourceArn", "arn:*")
            .when("StringEquals", "aws:SourceAccount", intrinsic::account_id());
        let expected = json!([{
            "Sid": "FromTopics",
            "Effect": "Allow",
            "Principal": {
                "AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"},
                "Service": "sns.amazonaws.com",
            },
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
            "Condition": {
                "ArnLike": {"aws:SourceArn": "arn:*"},
                "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
            },
        }]);
        assert_eq!(document(PolicyDocument::new([statement])), expected);
    }

    #[test]
    fn grants_are_joined_sorted_and_none_is_twice() {
        let grants = || {
            vec![
                Statement::allow(["s3:PutObject"]).on(["b", "a"]),
                Statement::allow(["kms:Decrypt"]).on(["k"]),
                Statement::allow(["s3:GetObject", "s3:PutObject"]).on(["a", "b", "a"]),
                Statement::deny(["s3:GetObject"]).on(["a", "b"]),
            ]
        };
        let expected = json!([
            {"Effect": "Allow", "Resource": "k", "Action": "kms:Decrypt"},
            {"Effect": "Allow", "Resource": ["a", "b"], "Action": ["s3:GetObject", "s3:PutObject"]},
            {"Effect": "Deny", "Resource": ["a", "b"], "Action": "s3:GetObject"},
        ]);
        assert_eq!(document(PolicyDocument::merged(grants())), expected);
        let backwards = grants().into_iter().rev();
        assert_eq!(document(PolicyDocument::merged(backwards)), expected, "whatever the order of the grants");
    }

    #[test]
    fn a_statement_that_iam_refuses_is_known() {
        let nothing: [&str; 0] = [];
        assert!(Statement::allow(nothing).on(["*"]).mistake(true).is_some());
        assert!(Statement::allow(["a:b"]).mistake(true).is_some());
        assert!(Statement::allow(["a:b"]).on(["*"]).mistake(true).is_none());
        assert!(Statement::allow(["a:b"]).on(["*"]).by(Principal::Anyone).mistake(true).is_some());
        assert!(Statement::allow(["a:b"]).on(["*"]).mistake(false).is_some());
        assert!(Statement::deny(["a:b"]).on(["*"]).by(Principal::Anyone).mistake(false).is_none());
    }
}
