//! From what a pipeline needs to what its role may do: each need becomes one statement, on one resource.
//!
//! Imports: `aws`, `cfn`, `codes`, `etl`, `iam`, `template`, `text`, `tree`.

use super::bindings::{Bindings, Resource};
use crate::{
    Text,
    aws::{iam::RoleHandle, kms::KeyHandle, lambda::FunctionHandle},
    codes,
    iam::Statement,
    template::{Condition, ConditionHandle},
    tree::Scope,
};
use cfn::{IntoValue as _, Value, intrinsic};
use etl::{
    late::Late,
    need::{Need, Target},
    region::Region,
};

/// Who is granted what a pipeline needs, and what the needs speak of.
pub(super) struct Grantee<'a> {
    /// The function that runs the pipeline.
    pub(super) function: &'a FunctionHandle,
    /// What the names in the config stand for.
    pub(super) names: &'a Bindings,
    /// The keys of ciphertexts in the config.
    pub(super) decrypts_with: &'a [KeyHandle],
}

/// Grants all that the pipeline needs, and tells of what cannot be granted. Where another pipeline may run instead, what only one of
/// the two needs is granted only where that one runs.
pub(super) fn grant(
    scope: &mut Scope<'_>,
    to: &Grantee<'_>,
    needs: &[Need],
    instead: Option<&(ConditionHandle, Vec<Need>)>,
) {
    let decrypts = |needs: &[Need]| needs.iter().any(|need| need.on == Target::KmsKey);
    if !to.decrypts_with.is_empty() && !decrypts(needs) && !instead.is_some_and(|(_, others)| decrypts(others)) {
        scope.problem(
            codes::NEED,
            "the pipeline is given a key to decrypt with, and its config has no ciphertext",
            "leave out `decrypt_with`",
        );
    }
    let Some((when, others)) = instead else { return grant_all(scope, to, needs) };
    let (both, only): (Vec<Need>, Vec<Need>) = needs.iter().cloned().partition(|need| others.contains(need));
    let others: Vec<Need> = others.iter().filter(|need| !both.contains(need)).cloned().collect();
    grant_all(scope, to, &both);
    grant_all(&mut scope.only_if(when), to, &others);
    if !only.is_empty() {
        let otherwise = scope.condition(&format!("Not{}", when.name()), Condition::not(when.holds()));
        grant_all(&mut scope.only_if(&otherwise), to, &only);
    }
}

fn grant_all(scope: &mut Scope<'_>, to: &Grantee<'_>, needs: &[Need]) {
    let role = to.function.role();
    for need in needs {
        match (&need.on, to.decrypts_with) {
            (Target::KmsKey, []) => scope.problem(
                codes::NEED,
                format!(
                    "the pipeline needs {}, and a ciphertext does not say which key made it",
                    need.actions.join(", ")
                ),
                "name the key where the function is built: `decrypt_with(vec![key])`",
            ),
            (Target::KmsKey, keys) => keys.iter().for_each(|key| key.grant_decrypt(scope, role)),
            _ => match statement(need, to) {
                Ok(statement) => {
                    role.allow(scope, statement);
                    keys(scope, role, need, to.names);
                }
                Err(what) => scope.problem(
                    codes::NEED,
                    format!("the pipeline needs {}, and {what}", need.actions.join(", ")),
                    "bind the resource's handle and put what `bind` gives into the config",
                ),
            },
        }
    }
}

fn statement(need: &Need, to: &Grantee<'_>) -> Result<Statement, String> {
    let names = to.names;
    let allow = Statement::allow(need.actions.iter().copied());
    let arn = |name: &Late<String>,
               of: &dyn Fn(&Resource) -> Option<Value<String>>,
               by_name: &dyn Fn(&str) -> Option<Value<String>>| match name {
        Late::Now(name) => by_name(name).ok_or_else(|| "its ARN cannot be told from the name in the config".to_owned()),
        Late::Env(name) => match names.get(name).map(|bound| of(&bound.resource)) {
            Some(Some(arn)) => Ok(arn),
            Some(None) => Err(format!("`<{name}>` is bound to something else")),
            None => Err(format!("nothing is bound to `<{name}>`")),
        },
    };
    Ok(match &need.on {
        Target::DeliveryStream(name) => allow.on([arn(
            name,
            &|resource| match resource {
                Resource::DeliveryStream(stream) => Some(stream.arn().into_text()),
                _ => None,
            },
            &|name| Some(here("firehose", &format!("deliverystream/{name}"))),
        )?]),
        Target::Objects { bucket, prefix } => {
            let bucket = arn(
                bucket,
                &|resource| match resource {
                    Resource::Bucket(bucket) => Some(bucket.arn().into_text()),
                    _ => None,
                },
                &|name| Some(intrinsic::sub(&format!("arn:${{AWS::Partition}}:s3:::{name}"))),
            )?;
            let objects: Value<String> = Text::new().value(bucket).text("/").text(prefix).text("*").into_value();
            allow.on([objects])
        }
        Target::Object(address) => allow.on([arn(
            address,
            &|resource| match resource {
                Resource::Object(object, _) => Some(object.clone()),
                _ => None,
            },
            &|address| {
                let object = Text::new().text("arn:").value(intrinsic::partition()).text(":s3:::");
                Some(object.text(address.strip_prefix("s3://")?).into_value())
            },
        )?]),
        Target::Domain { host, path } => {
            let domain = arn(
                host,
                &|resource| match resource {
                    Resource::Domain(domain) => Some(domain.arn().into_text()),
                    _ => None,
                },
                &|host| Some(here("es", &format!("domain/{}", domain_name(host)?))),
            )?;
            let path: Value<String> = Text::new().value(domain).text(path).into_value();
            allow.on([path])
        }
        Target::Metrics { namespace } => {
            allow.on(["*"]).when("StringEquals", "cloudwatch:namespace", namespace.as_str())
        }
        Target::Topic(topic) => allow.on([arn(
            topic,
            &|resource| match resource {
                Resource::Topic(topic) => Some(topic.arn().into_text()),
                _ => None,
            },
            &|arn| Some(Value::Known(arn.to_owned())),
        )?]),
        Target::Stream { name, region } => allow.on([arn(
            name,
            &|resource| match resource {
                Resource::Stream(stream) => Some(stream.arn().into_text()),
                _ => None,
            },
            &|name| in_region("kinesis", region.as_ref(), &format!("stream/{name}")),
        )?]),
        Target::Queue(url) => allow.on([arn(
            url,
            &|resource| match resource {
                Resource::Queue(queue) => Some(queue.arn().into_text()),
                _ => None,
            },
            &queue_arn,
        )?]),
        Target::Parameter { name, region } => allow.on([arn(name, &|_| None, &|name| {
            known_arn(name).or_else(|| in_region("ssm", region.as_ref(), &parameter(name)))
        })?]),
        // Behind its name, a secret's ARN has six characters that nobody can foretell.
        Target::Secret { id, region } => allow.on([arn(id, &|_| None, &|id| {
            known_arn(id).or_else(|| in_region("secretsmanager", region.as_ref(), &format!("secret:{id}-??????")))
        })?]),
        Target::Key(key) => allow.on([arn(
            key,
            &|resource| match resource {
                Resource::Key(key) => Some(key.arn().into_text()),
                _ => None,
            },
            &|arn| Some(Value::Known(arn.to_owned())),
        )?]),
        // AWS keeps tags of functions, and not of their versions and aliases.
        Target::FunctionTags => allow.on([to.function.arn().into_text()]),
        Target::KmsKey => return Err("a ciphertext does not say which key made it".into()),
    })
}

/// What lies in an encrypted bucket or topic needs the key, too.
fn keys(scope: &mut Scope<'_>, role: &RoleHandle, need: &Need, names: &Bindings) {
    let (Target::Objects { bucket: name, .. } | Target::Object(name) | Target::Topic(name)) = &need.on else { return };
    let reads = need.actions.iter().all(|action| action.contains(":Get"));
    match name.env().and_then(|name| names.get(name)).map(|bound| &bound.resource) {
        Some(Resource::Bucket(bucket)) => bucket.grant_key(scope, role, reads),
        Some(Resource::Object(_, Some(key))) => key.grant_decrypt(scope, role),
        Some(Resource::Topic(topic)) => topic.grant_key(scope, role),
        _ => {}
    }
}

/// A resource of this account and region.
fn here(service: &str, resource: &str) -> Value<String> {
    intrinsic::sub(&format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"))
}

/// The slash that most names begin with stands once.
fn parameter(name: &str) -> String {
    format!("parameter/{}", name.trim_start_matches('/'))
}

fn known_arn(name: &str) -> Option<Value<String>> {
    name.starts_with("arn:").then(|| Value::Known(name.to_owned()))
}

/// A resource of this account; without a region, of this one.
fn in_region(service: &str, region: Option<&Late<Region>>, resource: &str) -> Option<Value<String>> {
    match region {
        None => Some(here(service, resource)),
        Some(region) => {
            let region = region.now()?;
            Some(intrinsic::sub(&format!("arn:${{AWS::Partition}}:{service}:{region}:${{AWS::AccountId}}:{resource}")))
        }
    }
}

/// `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`: a queue by its URL.
fn queue_arn(url: &str) -> Option<Value<String>> {
    let (host, path) = url.strip_prefix("https://sqs.")?.split_once('/')?;
    let region = host.split('.').next()?;
    let (account, name) = path.split_once('/')?;
    Some(intrinsic::sub(&format!("arn:${{AWS::Partition}}:sqs:{region}:{account}:{name}")))
}

/// `search-NAME-HASH.REGION.es.amazonaws.com`: a domain's name by its endpoint.
fn domain_name(host: &str) -> Option<&str> {
    let label = host.split('.').next()?;
    let name = label.strip_prefix("search-").or_else(|| label.strip_prefix("vpc-"))?;
    let (name, hash) = name.rsplit_once('-')?;
    (hash.len() == 26 && host.contains(".es.amazonaws.com")).then_some(name)
}
