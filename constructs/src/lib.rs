//! Infrastructure as Rust: typed constructs that become CloudFormation templates.
//!
//! ```text
//! patterns   L3  whole answers: a pipeline's function with its trigger, permissions, alarms
//!    │
//!   aws      L2  what we mean: safe defaults, handles, grants, metrics
//!    │
//!   tree         apps, stacks, constructs, ids; policies, parameters, problems
//!    │
//!   cfn      L1  resources as CloudFormation spells them, generated
//! ```
//!
//! Each layer uses those below it, and a stack may use all of them. The module names the layer: `aws::…`, `cfn::s3::Bucket`.
//!
//! ```
//! use constructs::{Output, Stack, cfn::sqs};
//!
//! let mut stack = Stack::new("example");
//! let mut scope = stack.scope();
//! let queue = scope.add("Queue", sqs::Queue::new().visibility_timeout(60));
//! scope.options(&queue).retain();
//! scope.output("QueueUrl", Output::new(queue.ref_()).description("where to send"));
//! let template = stack.synth().template().expect("nothing is wrong with it");
//! assert!(template.to_json().contains("AWS::SQS::Queue"));
//! ```

pub mod asset;
pub mod aws;
mod check;
pub mod codes;
pub mod iam;
mod logical_id;
pub mod patterns;
pub mod problem;
mod reference;
pub mod template;
mod text;
pub mod tree;

pub use cfn;
pub use check::check_template;
pub use problem::{Code, Problem, Severity};
pub use template::{
    Condition, ConditionHandle, Mapping, MappingHandle, Output, Parameter, ParameterHandle, Rule, Template,
};
pub use text::{Text, json_text};
pub use tree::{App, Construct, DeletionPolicy, Options, Scope, Stack, Synthesis, Untyped, UpdateReplacePolicy};
