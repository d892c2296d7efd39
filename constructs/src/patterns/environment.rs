//! A pipeline's config in a function's environment: a constant, readable in the template, so in its diff.
//!
//! What is known only at deployment is a variable of its own beside it. Lambda allows 4 KiB of names and values together, counted
//! when the stack stands: intrinsics count with the longest text that they can become.
//!
//! Imports: `cfn`, `codes`, `template`, `tree`.

use super::{
    bindings::Bindings,
    config::{PlacedConfig, sha256},
};
use crate::{codes, template::ConditionHandle, tree::Scope};
use cfn::{Json, Value};
use std::{collections::BTreeMap, io::Write as _};

/// The variable that holds the config.
const CONFIG: &str = "BENDER_CONFIG_INLINE";

/// The variable that says where a config is instead.
const ELSEWHERE: &str = "BENDER_CONFIG";

/// The variable that says what the config there must be, by its SHA-256.
const PINNED: &str = "BENDER_CONFIG_SHA256";

/// Lambda's limit on names and values together, in bytes.
const LIMIT: usize = 4_096;

/// A function's environment.
pub(super) struct Environment {
    pub(super) variables: BTreeMap<String, Value<String>>,
    /// Configs to be read by people, when those in the environment are compressed. Metadata, by name.
    pub(super) copies: BTreeMap<String, Json>,
}

/// A config as the template has it.
pub(super) enum Written<'a> {
    /// Compact JSON.
    Constant(&'a str),
    /// One where the condition holds, else the other.
    Either(&'a ConditionHandle, &'a str, &'a str),
    /// Where it is, and what it must be.
    Elsewhere(&'a PlacedConfig),
}

/// Puts a config and the names that it uses into an environment.
pub(super) fn environment(scope: &mut Scope<'_>, config: &Written<'_>, names: &Bindings) -> Environment {
    let mut variables: BTreeMap<String, Value<String>> =
        names.iter().map(|(name, bound)| (name.to_owned(), bound.value.clone())).collect();
    let taken: usize = names.iter().map(|(name, bound)| name.len() + longest(&bound.value, bound.longest)).sum();
    let left = LIMIT.saturating_sub(taken + CONFIG.len());
    let mut copies = BTreeMap::new();
    let mut fit = |config: &str, copy_as: String| {
        let (text, copy) = fitting(scope, config, left);
        copies.extend(copy.map(|copy| (copy_as, copy)));
        text
    };
    match config {
        Written::Constant(config) => {
            variables.insert(CONFIG.to_owned(), Value::Known(fit(config, CONFIG.to_owned())));
        }
        Written::Either(when, other, config) => {
            let other = fit(other, format!("{CONFIG}_{}", when.name()));
            let either = when.if_(other, fit(config, CONFIG.to_owned()));
            variables.insert(CONFIG.to_owned(), either);
        }
        Written::Elsewhere(placed) => {
            variables.insert(ELSEWHERE.to_owned(), placed.address());
            variables.insert(PINNED.to_owned(), Value::Known(sha256(&placed.text)));
            // To be read in the template's diff, as a constant is.
            copies.insert(ELSEWHERE.to_owned(), placed.text.as_str().into());
        }
    }
    Environment { variables, copies }
}

/// A config as it fits into `left` bytes, and a copy for people if they could not read it there.
fn fitting(scope: &mut Scope<'_>, config: &str, left: usize) -> (String, Option<Json>) {
    if config.contains("{{resolve:") {
        scope.problem(
            codes::SECRET_IN_CONFIG,
            "the pipeline's config holds `{{resolve:`, which CloudFormation would replace by the secret itself",
            "name the secret by reference, and let the function read it when it starts",
        );
    }
    let (text, copy) = if config.len() <= left {
        (config.to_owned(), None)
    } else {
        (compressed(config), serde_json::from_str(config).ok())
    };
    if text.len() > left {
        scope.problem(
            codes::ENVIRONMENT,
            format!(
                "the pipeline's config takes {} bytes, compressed {}; of Lambda's {LIMIT} bytes of environment {left} are left",
                config.len(),
                text.len(),
            ),
            "shorten it, or put it into an object and name that by `BENDER_CONFIG` (`s3://bucket/key`)",
        );
    }
    (text, copy)
}

/// Settings that hold what nobody else may know, and the header that does.
const SECRETS: [&str; 5] = ["password", "auth_token", "token", "api_key", "authorization"];

/// Refuses a config that spells a secret out: who may read the template or look at the function would know it.
pub(super) fn no_secret_is_spelt_out(scope: &mut Scope<'_>, config: &str) {
    let Ok(config) = serde_json::from_str::<Json>(config) else { return };
    let mut left = vec![(String::new(), &config)];
    while let Some((path, value)) = left.pop() {
        let spelt_out = value["type"] == "StringValue" && value["value"].as_str().is_some_and(|text| !is_a_name(text));
        let setting = path.rsplit('.').next().unwrap_or_default();
        if spelt_out && SECRETS.iter().any(|secret| setting.eq_ignore_ascii_case(secret)) {
            scope.problem(
                codes::SECRET_IN_CONFIG,
                format!("`{path}` of the pipeline's config is spelt out, and the config stands in the template"),
                "name the secret by reference (`SsmValue`, `SecretsManagerValue`) or put what KMS made of it (`KmsValue`)",
            );
        }
        let under = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        match value {
            Json::Object(members) => left.extend(members.iter().rev().map(|(key, value)| (under(key), value))),
            Json::Array(items) => {
                left.extend(items.iter().enumerate().rev().map(|(at, item)| (format!("{path}[{at}]"), item)));
            }
            _ => {}
        }
    }
}

/// Whether all of it is the name of a value that the template does not have.
fn is_a_name(text: &str) -> bool {
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).is_some_and(|name| !name.contains(['<', '>']))
}

fn longest(value: &Value<String>, bound: usize) -> usize {
    value.known().map_or(bound, String::len)
}

/// gzip, then base64. The same bytes for the same text: no time and no name in the header.
fn compressed(text: &str) -> String {
    let mut gzip = flate2::GzBuilder::new().mtime(0).write(Vec::new(), flate2::Compression::best());
    let written = gzip.write_all(text.as_bytes()).and_then(|()| gzip.finish());
    // Writing into memory does not fail.
    base64_simd::STANDARD.encode_to_string(written.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{CONFIG, Written, environment, no_secret_is_spelt_out};
    use crate::{
        patterns::{Bindings, Bound},
        template::ConditionHandle,
        tree::Stack,
    };
    use cfn::Value;
    use serde_json::json;
    use std::io::Read as _;

    fn known(variables: &std::collections::BTreeMap<String, Value<String>>) -> String {
        variables[CONFIG].known().cloned().unwrap()
    }

    #[test]
    fn a_short_config_is_readable() {
        let mut stack = Stack::new("s");
        let environment = environment(&mut stack.scope(), &Written::Constant("{\"a\":1}"), &Bindings::new());
        assert_eq!(known(&environment.variables), "{\"a\":1}");
        assert!(environment.copies.is_empty());
    }

    #[test]
    fn a_long_one_is_compressed_and_stays_readable_in_the_metadata() {
        let mut stack = Stack::new("s");
        let config = format!("{{\"a\":\"{}\"}}", "long ".repeat(1_000));
        let environment = environment(&mut stack.scope(), &Written::Constant(&config), &Bindings::new());
        let gzip = base64_simd::STANDARD.decode_to_vec(known(&environment.variables)).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, config);
        assert_eq!(environment.copies[CONFIG].to_string(), config);
        assert!(stack.synth().problems.is_empty());
    }

    #[test]
    fn of_two_configs_each_must_fit_by_itself() {
        let mut stack = Stack::new("s");
        let long = format!("{{\"a\":\"{}\"}}", "long ".repeat(1_000));
        let when = ConditionHandle::new("Long");
        let environment = environment(&mut stack.scope(), &Written::Either(&when, &long, "{}"), &Bindings::new());
        let value = json!(environment.variables[CONFIG]);
        assert_eq!((&value["Fn::If"][0], &value["Fn::If"][2]), (&json!("Long"), &json!("{}")));
        assert_eq!(environment.copies["BENDER_CONFIG_INLINE_Long"].to_string(), long);
        assert_eq!(environment.copies.len(), 1);
    }

    #[test]
    fn one_that_does_not_fit_is_told_with_the_bytes_that_are_left() {
        let mut stack = Stack::new("s");
        // Digits of a product: nothing that gzip could shorten enough.
        let noise: String =
            (0..6_000_u64).map(|n| char::from(b'a' + u8::try_from(n.pow(3) % 7_919 % 26).unwrap())).collect();
        let mut names = Bindings::new();
        let later = cfn::intrinsic::reference("AWS::StackName");
        let _: etl::late::Late<String> = names.bind("HOST", Bound::text(later, 3_000));
        environment(&mut stack.scope(), &Written::Constant(&format!("\"{noise}\"")), &names);
        let problems = stack.synth().problems;
        assert_eq!(problems[0].code.id, "CFN052");
        assert!(problems[0].message.contains("of environment 1072 are left"), "{}", problems[0].message);
    }

    #[test]
    fn a_secret_that_is_spelt_out_is_refused_with_its_place() {
        let told = |config: &serde_json::Value| {
            let mut stack = Stack::new("s");
            no_secret_is_spelt_out(&mut stack.scope(), &config.to_string());
            stack.synth().problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
        };
        let text = |value: &str| json!({"type": "StringValue", "value": value});
        let transports = json!({"transports": [{"transport": {
            "auth_token": text("hunter2"),
            "auth_config": {"username": text("me"), "password": text("hunter2")},
            "http_headers": {"Authorization": text("Bearer hunter2"), "X-Team": text("logs")},
        }}]});
        let told_of = told(&transports);
        for place in ["auth_token", "auth_config.password", "http_headers.Authorization"] {
            let place = format!("`transports[0].transport.{place}`");
            assert!(told_of.iter().any(|message| message.starts_with(&place)), "{place}: {told_of:?}");
        }
        assert_eq!(told_of.len(), 3);
        assert!(!told_of.concat().contains("hunter2"));
        assert!(told(&json!({"transport": {"token": text("<TOKEN>"), "api_key": {"type": "SsmValue"}}})).is_empty());
    }

    #[test]
    fn a_secret_is_not_resolved_into_the_environment() {
        let mut stack = Stack::new("s");
        environment(&mut stack.scope(), &Written::Constant("\"{{resolve:ssm-secure:token}}\""), &Bindings::new());
        assert_eq!(stack.synth().problems[0].code.id, "CFN053");
    }
}
