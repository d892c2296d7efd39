//! CloudFormation's intrinsic functions.
//!
//! Each gives a [`Value`] of the type that the function makes; where that hangs on the template (`Ref` of a parameter, an
//! import), an [`Intrinsic`], which fits a property of any type. What a resource has to offer is better asked of its
//! [`Ref`](crate::Ref): `queue.ref_()`, `queue.arn()`.

use crate::value::{IntoJson, IntoValue, Intrinsic, List, Members, Value};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

fn call(name: &str, argument: Json) -> Intrinsic {
    Intrinsic::raw(Json::Object(Members::from_iter([(name.to_owned(), argument)])))
}

/// `Ref` of a parameter, a pseudo parameter (`AWS::Region`) or a resource, by its logical id.
pub fn reference(id: &str) -> Intrinsic {
    call("Ref", id.into())
}

/// `AWS::AccountId`: the account that the stack is deployed to.
pub fn account_id() -> Value<String> {
    Value::Later(reference("AWS::AccountId"))
}

/// `AWS::Region`: the region that the stack is deployed to.
pub fn region() -> Value<String> {
    Value::Later(reference("AWS::Region"))
}

/// `AWS::Partition`: `aws`, `aws-cn`, `aws-us-gov` …
pub fn partition() -> Value<String> {
    Value::Later(reference("AWS::Partition"))
}

/// `AWS::StackName`: the name that the stack is deployed under.
pub fn stack_name() -> Value<String> {
    Value::Later(reference("AWS::StackName"))
}

/// `AWS::StackId`: the ARN of the deployed stack.
pub fn stack_id() -> Value<String> {
    Value::Later(reference("AWS::StackId"))
}

/// `AWS::URLSuffix`: `amazonaws.com`, `amazonaws.com.cn` …
pub fn url_suffix() -> Value<String> {
    Value::Later(reference("AWS::URLSuffix"))
}

/// `AWS::NoValue`: the property as if it had not been written. Of use in a branch of [`if_`].
pub fn no_value() -> Intrinsic {
    reference("AWS::NoValue")
}

/// `Fn::GetAtt` by names. Prefer the typed attributes of a [`Ref`](crate::Ref).
pub fn get_att(id: &str, attribute: &str) -> Intrinsic {
    call("Fn::GetAtt", json!([id, attribute]))
}

/// `Fn::Sub`: `${Name}` and `${Name.Attribute}` are put in; `${!Name}` stands for the text `${Name}`.
pub fn sub(text: &str) -> Value<String> {
    Value::Later(call("Fn::Sub", text.into()))
}

/// `Fn::Sub` with names of its own.
pub fn sub_with<K: Into<String>, V: IntoValue<String>, const N: usize>(
    text: &str,
    names: [(K, V); N],
) -> Value<String> {
    let names: BTreeMap<String, Value<String>> = names.into_iter().map(|(k, v)| (k.into(), v.into_value())).collect();
    Value::Later(call("Fn::Sub", json!([text, names.into_json()])))
}

/// `Fn::Join`.
pub fn join(delimiter: &str, items: impl IntoValue<Vec<Value<String>>>) -> Value<String> {
    Value::Later(call("Fn::Join", json!([delimiter, items.into_value().into_json()])))
}

/// `Fn::If`: one value or the other, by a condition of the template.
pub fn if_<T>(condition: &str, then: impl IntoValue<T>, otherwise: impl IntoValue<T>) -> Value<T>
where
    Value<T>: IntoJson,
{
    let branches = json!([condition, then.into_value().into_json(), otherwise.into_value().into_json()]);
    Value::Later(call("Fn::If", branches))
}

/// `Fn::FindInMap`: what a mapping of the template holds under two keys.
pub fn find_in_map(map: &str, first: impl IntoValue<String>, second: impl IntoValue<String>) -> Intrinsic {
    call("Fn::FindInMap", json!([map, first.into_value().into_json(), second.into_value().into_json()]))
}

/// `Fn::ImportValue`: an export of another stack.
pub fn import_value(name: impl IntoValue<String>) -> Intrinsic {
    call("Fn::ImportValue", name.into_value().into_json())
}

/// `Fn::Select`: one item of a list, counted from zero.
pub fn select<T>(index: usize, items: impl IntoValue<Vec<Value<T>>>) -> Value<T>
where
    List<T>: IntoJson,
{
    Value::Later(call("Fn::Select", json!([index, items.into_value().into_json()])))
}

/// `Fn::Split`: text, cut at each delimiter.
pub fn split(delimiter: &str, text: impl IntoValue<String>) -> List<String> {
    Value::Later(call("Fn::Split", json!([delimiter, text.into_value().into_json()])))
}

/// `Fn::GetAZs`: the availability zones of a region; of the stack's own for the empty text.
pub fn get_azs(region: impl IntoValue<String>) -> List<String> {
    Value::Later(call("Fn::GetAZs", region.into_value().into_json()))
}

/// `Fn::Base64`.
pub fn base64(text: impl IntoValue<String>) -> Value<String> {
    Value::Later(call("Fn::Base64", text.into_value().into_json()))
}

/// `Fn::Cidr`: `count` address blocks of `bits` host bits out of `block`.
pub fn cidr(block: impl IntoValue<String>, count: i64, bits: i64) -> List<String> {
    Value::Later(call("Fn::Cidr", json!([block.into_value().into_json(), count, bits])))
}
