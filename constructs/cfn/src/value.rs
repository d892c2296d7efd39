//! A property's value: known now, or an expression that CloudFormation evaluates at deployment.
//!
//! A property of type `T` takes whatever is [`IntoValue<T>`]: a literal, a nested type, a [`Value<T>`] such as
//! `bucket.arn()`, or a function of [`crate::intrinsic`]. An [`Arn<R>`] knows whose ARN it is: it goes wherever text is
//! wanted, but not where the ARN of another type of resource is.

use serde::{Serialize, Serializer};
use serde_json::{Map as JsonMap, Value as Json, json};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// The members of a JSON object; what every generated type is made of.
pub type Members = JsonMap<String, Json>;
/// A list whose items may each be an intrinsic, and so may the whole.
pub type List<T> = Value<Vec<Value<T>>>;
/// A map whose values may each be an intrinsic, and so may the whole.
pub type Map<T> = Value<BTreeMap<String, Value<T>>>;

/// A `T`, or something that becomes one when the template is deployed.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<T> {
    /// Known when the template is written.
    Known(T),
    /// Known when the template is deployed.
    Later(Intrinsic),
}

impl<T> Value<T> {
    /// The value, if it is known already.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Later(_) => None,
        }
    }
}

impl Value<String> {
    /// Says whose ARN this text is: for parameters, imports and text that we did not make from a resource.
    pub fn into_arn<R>(self) -> Value<Arn<R>> {
        match self {
            Self::Known(text) => Value::Known(Arn::new(text)),
            Self::Later(later) => Value::Later(later),
        }
    }
}

impl<R> Value<Arn<R>> {
    /// The ARN as text.
    pub fn into_text(self) -> Value<String> {
        match self {
            Self::Known(arn) => Value::Known(arn.text),
            Self::Later(later) => Value::Later(later),
        }
    }
}

/// `{"Ref": …}` or `{"Fn::…": …}`, made by the functions of [`crate::intrinsic`]. It fits a property of any type.
#[derive(Clone, Debug, PartialEq)]
pub struct Intrinsic(Box<Json>);

impl Intrinsic {
    /// An intrinsic function that [`crate::intrinsic`] does not offer.
    pub fn raw(json: Json) -> Self {
        Self(Box::new(json))
    }

    /// As it stands in the template.
    pub fn as_json(&self) -> &Json {
        &self.0
    }
}

/// The ARN of a resource of type `R`.
pub struct Arn<R> {
    text: String,
    of: PhantomData<fn() -> R>,
}

impl<R> Arn<R> {
    /// Takes the word of the caller that this is the ARN of an `R`.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), of: PhantomData }
    }

    /// The ARN as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<R> Clone for Arn<R> {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl<R> fmt::Debug for Arn<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arn").field(&self.text).finish()
    }
}

impl<R> PartialEq for Arn<R> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The pair that most resources take a list of.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    /// Up to 128 characters; unique within the list.
    pub key: Value<String>,
    /// Up to 256 characters.
    pub value: Value<String>,
}

impl Tag {
    /// A tag.
    pub fn new(key: impl IntoValue<String>, value: impl IntoValue<String>) -> Self {
        Self { key: key.into_value(), value: value.into_value() }
    }
}

/// What may stand as itself. Without this bound `IntoValue<T> for T` would collide with `IntoValue<T> for Intrinsic`.
pub trait Literal {}

macro_rules! literals { ($($t:ty)*) => { $(impl Literal for $t {})* } }
literals! { String bool i64 f64 Json Tag }
impl<R> Literal for Arn<R> {}

/// What a property of type `T` takes. A trait of our own, not `Into`, for the sake of its error message.
#[diagnostic::on_unimplemented(
    message = "a property of type `{T}` does not take `{Self}`",
    label = "not a `{T}`, and no intrinsic",
    note = "a `MissingX` in the type is the required property `X`: call its method",
    note = "properties take a literal, a nested type, `x.ref_()`, an attribute such as `x.arn()`, or `intrinsic::…`",
    note = "an `Arn<X>` is the ARN of an `X`; text that is known to be one becomes it by `into_arn()`"
)]
pub trait IntoValue<T> {
    /// The value.
    fn into_value(self) -> Value<T>;
}

impl<T: Literal> IntoValue<T> for T {
    fn into_value(self) -> Value<T> {
        Value::Known(self)
    }
}

impl<T> IntoValue<T> for Value<T> {
    fn into_value(self) -> Value<T> {
        self
    }
}

impl<T> IntoValue<T> for Intrinsic {
    fn into_value(self) -> Value<T> {
        Value::Later(self)
    }
}

impl IntoValue<Json> for Value<String> {
    fn into_value(self) -> Value<Json> {
        match self {
            Self::Known(text) => Value::Known(text.into()),
            Self::Later(later) => Value::Later(later),
        }
    }
}

impl<R> IntoValue<String> for Value<Arn<R>> {
    fn into_value(self) -> Value<String> {
        self.into_text()
    }
}

impl<R> IntoValue<Json> for Value<Arn<R>> {
    fn into_value(self) -> Value<Json> {
        self.into_text().into_value()
    }
}

impl<R> IntoValue<Arn<R>> for &str {
    fn into_value(self) -> Value<Arn<R>> {
        Value::Known(Arn::new(self))
    }
}

impl<R> IntoValue<Arn<R>> for String {
    fn into_value(self) -> Value<Arn<R>> {
        Value::Known(Arn::new(self))
    }
}

impl<T> IntoValue<Json> for List<T>
where
    Value<T>: IntoJson,
{
    fn into_value(self) -> Value<Json> {
        match self {
            Self::Known(items) => Value::Known(items.into_json()),
            Self::Later(later) => Value::Later(later),
        }
    }
}

macro_rules! also { ($($from:ty => $to:ty;)*) => { $(impl IntoValue<$to> for $from {
    fn into_value(self) -> Value<$to> { Value::Known(self.into()) }
})* } }
also! {
    &str => String; &String => String;
    i32 => i64; u32 => i64; u16 => i64; u8 => i64; i32 => f64;
    &str => Json; String => Json; bool => Json; i32 => Json; i64 => Json;
}

impl<T, S: IntoValue<T>, const N: usize> IntoValue<Vec<Value<T>>> for [S; N] {
    fn into_value(self) -> List<T> {
        Value::Known(self.map(IntoValue::into_value).into())
    }
}

impl<T, S: IntoValue<T>> IntoValue<Vec<Value<T>>> for Vec<S> {
    fn into_value(self) -> List<T> {
        Value::Known(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T, K: Into<String>, S: IntoValue<T>, const N: usize> IntoValue<BTreeMap<String, Value<T>>> for [(K, S); N] {
    fn into_value(self) -> Map<T> {
        Value::Known(self.into_iter().map(|(k, v)| (k.into(), v.into_value())).collect())
    }
}

impl<T, S: IntoValue<T>> IntoValue<BTreeMap<String, Value<T>>> for BTreeMap<String, S> {
    fn into_value(self) -> Map<T> {
        Value::Known(self.into_iter().map(|(k, v)| (k, v.into_value())).collect())
    }
}

/// A list whose items are of different kinds: `list!["a", topic.ref_()]`.
#[macro_export]
macro_rules! list { ($($item:expr),* $(,)?) => {
    $crate::Value::Known(vec![$($crate::IntoValue::into_value($item)),*])
} }

/// A map whose values are of different kinds: `map! { "INDEX" => "events-", "TOPIC" => topic.ref_() }`.
#[macro_export]
macro_rules! map { ($($key:expr => $item:expr),* $(,)?) => {
    $crate::Value::Known(std::collections::BTreeMap::from([
        $((String::from($key), $crate::IntoValue::into_value($item))),*
    ]))
} }

/// What a template holds.
pub trait IntoJson {
    /// The JSON.
    fn into_json(self) -> Json;
}

macro_rules! scalars { ($($t:ty)*) => { $(impl IntoJson for $t { fn into_json(self) -> Json { self.into() } })* } }
scalars! { String bool i64 Json }

impl IntoJson for f64 {
    /// `1`, not `1.0`: as everyone else writes it, so that a template diff stays quiet.
    fn into_json(self) -> Json {
        let text = self.to_string();
        text.parse::<i64>().map_or_else(|_| self.into(), Json::from)
    }
}

impl<R> IntoJson for Arn<R> {
    fn into_json(self) -> Json {
        self.text.into()
    }
}

impl<T: IntoJson> IntoJson for Vec<T> {
    fn into_json(self) -> Json {
        self.into_iter().map(IntoJson::into_json).collect()
    }
}

impl<T: IntoJson> IntoJson for BTreeMap<String, T> {
    fn into_json(self) -> Json {
        self.into_iter().map(|(k, v)| (k, v.into_json())).collect()
    }
}

impl<T: IntoJson> IntoJson for Value<T> {
    fn into_json(self) -> Json {
        match self {
            Self::Known(value) => value.into_json(),
            Self::Later(later) => *later.0,
        }
    }
}

impl IntoJson for Tag {
    fn into_json(self) -> Json {
        json!({"Key": self.key.into_json(), "Value": self.value.into_json()})
    }
}

/// So that a value may stand inside `json!`.
impl<T: IntoJson + Clone> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.clone().into_json().serialize(to)
    }
}

/// So that an intrinsic may stand inside `json!`.
impl Serialize for Intrinsic {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_json().serialize(to)
    }
}
