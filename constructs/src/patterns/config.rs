//! Where the config of a function is: in its environment, or elsewhere.
//!
//! Imports: `aws`, `cfn`, `codes`, `etl`, `iam`, `text`, `tree`.

use crate::{
    Text,
    aws::{iam::RoleHandle, kms::KeyHandle, s3::BucketHandle},
    codes,
    iam::Statement,
    tree::Scope,
};
use cfn::{IntoValue as _, Value, intrinsic};
use etl::config::PipelineConfig;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// The config of a function.
#[derive(Clone, Debug)]
pub enum Config {
    /// In the function's environment: a constant of the template, readable in its diff.
    Constant(Box<PipelineConfig>),
    /// Elsewhere, because it is too long for an environment or belongs to somebody else.
    Placed(PlacedConfig),
}

impl From<PipelineConfig> for Config {
    fn from(pipeline: PipelineConfig) -> Self {
        Self::Constant(Box::new(pipeline))
    }
}

impl From<PlacedConfig> for Config {
    fn from(placed: PlacedConfig) -> Self {
        Self::Placed(placed)
    }
}

/// A config that a function reads when it starts, and a copy of it that the stack is built with: permissions follow from the copy,
/// and its hash stands on the function, which refuses any other text.
///
/// ```
/// # use constructs::patterns::PlacedConfig;
/// // In a stack: `include_str!("orders.yaml")`.
/// let config = PlacedConfig::in_package("config/orders.yaml", "handler: {type: KinesisHandler} …");
/// ```
#[derive(Clone, Debug)]
pub struct PlacedConfig {
    pub(super) file: String,
    pub(super) text: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Package,
    Bucket(BucketHandle),
    Parameter { path: String, key: Option<KeyHandle> },
}

/// What an advanced parameter holds, in bytes. A standard one holds half of it.
const PARAMETER_BYTES: usize = 8_192;

impl PlacedConfig {
    /// An object of a bucket. Its key is made of the name of `file`, which ends in `.yaml`, `.yml` or `.json`, and of the text's hash: so
    /// a version of the function finds the text that it was made with, also when it is rolled back to. An output of the stack,
    /// `<id>ConfigAddress`, says where the object must be before the function runs.
    pub fn in_bucket(file: &str, text: &str, bucket: &BucketHandle) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), place: Place::Bucket(bucket.clone()) }
    }

    /// A parameter of Systems Manager, below `path` (`/flexo`). Its name is made of the name of `file` and of the text's hash, as in
    /// [a bucket](Self::in_bucket), and an output of the stack says it. `key`: of a `SecureString` that a key of yours encrypts; one that
    /// AWS's own key encrypts needs no permission for that. The text may be of 8,192 bytes, 4,096 in a parameter of the standard tier.
    pub fn in_parameter(file: &str, text: &str, path: &str, key: Option<&KeyHandle>) -> Self {
        let place = Place::Parameter { path: path.trim_matches('/').to_owned(), key: key.cloned() };
        Self { file: file.to_owned(), text: text.to_owned(), place }
    }

    /// A file of the function's package, by its path in it.
    pub fn in_package(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), place: Place::Package }
    }

    /// The name of the file without its folders and its end, with the text's hash; and its end.
    fn name(&self) -> (String, &str) {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, "yaml"));
        let hash = sha256(&self.text);
        (format!("{stem}-{}", hash.get(..16).unwrap_or_default()), kind)
    }

    /// The key of the object: `config/orders-0123456789abcdef.yaml`.
    fn key(&self) -> String {
        let (name, kind) = self.name();
        format!("config/{name}.{kind}")
    }

    /// The name of the parameter: `/flexo/orders-0123456789abcdef`.
    fn parameter(&self, path: &str) -> String {
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        format!("{path}/{}", self.name().0)
    }

    /// As `BENDER_CONFIG` names it.
    pub(super) fn address(&self) -> Value<String> {
        match &self.place {
            Place::Bucket(bucket) => {
                Text::new().text("s3://").value(bucket.name()).text("/").text(&self.key()).into_value()
            }
            Place::Parameter { path, .. } => Value::Known(format!("ssm://{}", self.parameter(path))),
            Place::Package => Value::Known(self.file.clone()),
        }
    }

    /// Lets `role` read it. Whether somebody must put it there.
    pub(super) fn grant_read(&self, scope: &mut Scope<'_>, role: &RoleHandle) -> bool {
        match &self.place {
            Place::Package => return false,
            Place::Bucket(bucket) => bucket.grant_read(scope, role, self.key()),
            Place::Parameter { path, key } => {
                let length = self.text.len();
                if length > PARAMETER_BYTES {
                    scope.problem(
                        codes::ENVIRONMENT,
                        format!("the pipeline's config takes {length} bytes; a parameter holds {PARAMETER_BYTES}"),
                        "put it into a bucket: `PlacedConfig::in_bucket`",
                    );
                }
                let name = format!("parameter{}", self.parameter(path));
                let arn =
                    intrinsic::sub(&format!("arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:{name}"));
                role.allow(scope, Statement::allow(["ssm:GetParameter"]).on([arn]));
                if let Some(key) = key {
                    key.grant_decrypt(scope, role);
                }
            }
        }
        true
    }
}

/// In hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    let mut hash = String::new();
    for byte in Sha256::digest(text) {
        // Writing into a text does not fail.
        let _ = write!(hash, "{byte:02x}");
    }
    hash
}
