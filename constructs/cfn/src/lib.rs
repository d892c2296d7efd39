//! L1: AWS resources as CloudFormation spells them, generated from its schemas; one module per service.
//!
//! A type is built by methods named after its properties. What is required and was not given is part of the type, so the
//! compiler names it; what the compiler cannot see (patterns, lengths, ranges, words) is found by [`check_resource`].
//!
//! ```
//! use cfn::{intrinsic, sns, sqs, Ref, Resource as _};
//!
//! let queue: Ref<sqs::Queue> = Ref::new("Queue");
//! let topic: Ref<sns::Topic> = Ref::new("Topic");
//! let subscription = sns::Subscription::new()
//!     .protocol("sqs")
//!     .topic_arn(topic.ref_())
//!     .endpoint(queue.arn())
//!     .with("FilterPolicy", serde_json::json!({"severity": ["error"]}));
//! assert_eq!(sns::Subscription::TYPE.name, "AWS::SNS::Subscription");
//! ```
//!
//! A required property that is missing does not compile:
//!
//! ```compile_fail,E0277
//! fn complete(resource: impl cfn::Resource) {}
//! complete(cfn::sns::Subscription::new().protocol("sqs"));
//! ```
//!
//! Nor does the ARN of one resource where that of another is wanted:
//!
//! ```compile_fail,E0277
//! let queue: cfn::Ref<cfn::sqs::Queue> = cfn::Ref::new("Queue");
//! let _ = cfn::lambda::Function::new().role(queue.arn());
//! ```
//!
//! To add a resource type: put its schema into `constructs/codegen/schemas` (`cargo run -p codegen -- --pin` says how) and run
//! `cargo run -p codegen`.

pub mod constraint;
pub mod intrinsic;
mod macros;
pub mod resource;
pub mod schema;
mod value;

#[rustfmt::skip]
mod types;
macro_rules! services { ($($name:ident)*) => { $(
    #[rustfmt::skip]
    #[expect(clippy::new_without_default, reason = "a `Default` of a complete type would lack its required properties")]
    pub mod $name;
)* } }
services! {
    cloudformation
    cloudtrail
    cloudwatch
    dynamodb
    ec2
    events
    glue
    iam
    kinesis
    kinesisfirehose
    kms
    lambda
    logs
    opensearchserverless
    opensearchservice
    pipes
    s3
    scheduler
    secretsmanager
    sns
    sqs
    ssm
}

pub use resource::{Maybe, Ref, Replacement, Resource, ResourceType, Set};
pub use serde_json::Value as Json;
pub use types::TYPES;
pub use value::{Arn, IntoJson, IntoValue, Intrinsic, List, Literal, Map, Members, Tag, Value};

/// Everything that generated code stands on.
mod prelude {
    pub(crate) use crate::macros::{object, words};
    pub(crate) use crate::schema::{self, Schema};
    pub(crate) use crate::{
        Arn, IntoJson, IntoValue, Json, Literal, Members, Ref, Resource, ResourceType, Set, Tag, Value,
    };
}

/// The resource type of this name (`AWS::SQS::Queue`), if it is one of ours.
pub fn resource_type(name: &str) -> Option<&'static ResourceType> {
    let at = TYPES.binary_search_by(|t| t.name.cmp(name)).ok()?;
    TYPES.get(at).copied()
}

/// Everything that CloudFormation would refuse about a resource's properties; `None` when the type is not one of ours.
pub fn check_resource(type_name: &str, properties: &Json) -> Option<Vec<constraint::Finding>> {
    resource_type(type_name).map(|known| constraint::check(known.schema, properties))
}
