//! Resource types, and what `Ref` and `Fn::GetAtt` of a resource are made from.

use crate::schema::Schema;
use crate::value::{IntoJson, Intrinsic, Value};
use serde_json::json;
use std::fmt;
use std::marker::PhantomData;

/// One resource as CloudFormation knows it: complete, with all its required properties.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a complete resource",
    label = "a required property is not set",
    note = "a `MissingX` in the type is the required property `X`: call its method"
)]
pub trait Resource: IntoJson {
    /// Its type: name, constraints, attributes.
    const TYPE: &'static ResourceType;
    /// What `Ref` gives: an [`Arn`](crate::Arn) where AWS says so, else text.
    type Ref;
}

/// What is known of a resource type beside its Rust type: for checks, and for templates from elsewhere.
#[derive(Debug)]
pub struct ResourceType {
    /// `AWS::SQS::Queue`.
    pub name: &'static str,
    /// What its properties may be.
    pub schema: &'static Schema,
    /// What `Fn::GetAtt` can ask for; `*` stands for any further name.
    pub attributes: &'static [&'static str],
    /// Paths of properties (`VpcConfig/SubnetIds`, `Rules/*/Name`) whose change replaces the resource.
    pub create_only: &'static [&'static str],
    /// Paths of properties whose change may replace the resource.
    pub conditional_create_only: &'static [&'static str],
    /// What names one resource among all of its type: properties or attributes.
    pub primary_identifier: &'static [&'static str],
}

/// Whether a change of a property replaces the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Replacement {
    /// It is updated in place.
    No,
    /// It hangs on the values, or on which part of the property changes.
    Maybe,
    /// It is created anew, and the old one is deleted.
    Yes,
}

impl ResourceType {
    /// Whether a change at this path (`["VpcConfig", "SubnetIds", "0"]`) replaces the resource.
    pub fn replacement(&self, path: &[&str]) -> Replacement {
        let of = |known: &&str, whole: Replacement| {
            let mut steps = known.split('/').filter(|step| *step != "*");
            let mut given = path.iter().filter(|step| !step.bytes().all(|b| b.is_ascii_digit()));
            loop {
                match (steps.next(), given.next()) {
                    (None, _) => return whole,
                    // Something below what changes replaces, but perhaps not what did change.
                    (Some(_), None) => return Replacement::Maybe,
                    (Some(step), Some(given)) if step == *given => {}
                    _ => return Replacement::No,
                }
            }
        };
        let always = self.create_only.iter().map(|known| of(known, Replacement::Yes));
        let sometimes = self.conditional_create_only.iter().map(|known| of(known, Replacement::Maybe));
        always.chain(sometimes).max().unwrap_or(Replacement::No)
    }

    /// AWS's page of this type.
    pub fn documentation(&self) -> String {
        let page = self.name.trim_start_matches("AWS::").replace("::", "-").to_ascii_lowercase();
        format!("https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-{page}.html")
    }

    /// Whether `Fn::GetAtt` can ask for this attribute.
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attributes.iter().any(|known| match known.strip_suffix('*') {
            Some(stem) => name.len() > stem.len() && name.starts_with(stem),
            None => *known == name,
        })
    }
}

/// A resource that stands in a template: what `Ref` and `Fn::GetAtt` are made from. Cheap to clone; it owns nothing.
pub struct Ref<R> {
    id: String,
    of: PhantomData<fn() -> R>,
}

impl<R> Ref<R> {
    /// Takes the word of the caller that the resource of this logical id is an `R`.
    pub fn new(logical_id: impl Into<String>) -> Self {
        Self { id: logical_id.into(), of: PhantomData }
    }

    /// The name of the resource within its template.
    pub fn logical_id(&self) -> &str {
        &self.id
    }

    /// `Fn::GetAtt`, for attributes that have no method.
    pub fn attribute<T>(&self, name: &str) -> Value<T> {
        Value::Later(Intrinsic::raw(json!({"Fn::GetAtt": [self.id, name]})))
    }
}

impl<R: Resource> Ref<R> {
    /// `Ref`: the name, id, URL or ARN, as AWS's page of the resource says.
    pub fn ref_(&self) -> Value<R::Ref> {
        Value::Later(crate::intrinsic::reference(&self.id))
    }
}

impl<R> Clone for Ref<R> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone())
    }
}

impl<R> fmt::Debug for Ref<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ref").field(&self.id).finish()
    }
}

impl<R> PartialEq for Ref<R> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A property that may or may not be given: `queue.maybe(key, Queue::kms_master_key_id)`.
pub trait Maybe: Sized {
    /// Sets the property when there is a value for it.
    #[must_use]
    fn maybe<V>(self, value: Option<V>, set: impl FnOnce(Self, V) -> Self) -> Self {
        match value {
            Some(value) => set(self, value),
            None => self,
        }
    }
}

impl<T: IntoJson> Maybe for T {}

/// A required property has been given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set;
