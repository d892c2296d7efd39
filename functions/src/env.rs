//! The environment: read once, here and nowhere else. (The AWS SDK reads its own variables.)

use etl::event::Context;
use std::{collections::BTreeMap, env, fmt};

/// The environment's variables. Those that are no UTF-8 are left out.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Env(BTreeMap<String, String>);

/// Names only: values may be secrets.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Env {
    /// The environment of this process.
    pub(crate) fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(env::vars_os().filter_map(text).collect())
    }

    /// A variable's value, also an empty one.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A variable that an empty value leaves unset.
    pub(crate) fn set(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Where the function's package lies.
    pub(crate) fn package(&self) -> &str {
        self.set("LAMBDA_TASK_ROOT").unwrap_or(".")
    }

    /// Whether S3 is asked for buckets in paths: where its endpoint is not AWS's, whose names a bucket could go before.
    pub(crate) fn path_style(&self) -> bool {
        self.set("AWS_ENDPOINT_URL_S3").or_else(|| self.set("AWS_ENDPOINT_URL")).is_some()
    }

    /// What Lambda says of an invocation, in headers and environment.
    pub(crate) fn context(&self, lambda: &lambda_runtime::Context) -> Context {
        let text = |name| self.set(name).map(str::to_owned);
        Context {
            function_name: text("AWS_LAMBDA_FUNCTION_NAME"),
            function_version: text("AWS_LAMBDA_FUNCTION_VERSION"),
            invoked_function_arn: Some(lambda.invoked_function_arn.clone()),
            aws_request_id: Some(lambda.request_id.clone()),
            log_group_name: text("AWS_LAMBDA_LOG_GROUP_NAME"),
            log_stream_name: text("AWS_LAMBDA_LOG_STREAM_NAME"),
            deadline_ms: i64::try_from(lambda.deadline).ok(),
            ..Context::default()
        }
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Env {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
