//! Where the config of a function is: in its environment, or elsewhere.
//!
//! Imports: `aws`, `cfn`, `etl`, `text`.

use crate::{Text, aws::s3::BucketHandle};
use cfn::{IntoValue as _, Value};
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
    pub(super) bucket: Option<BucketHandle>,
}

impl PlacedConfig {
    /// An object of a bucket. Its key is made of the name of `file`, which ends in `.yaml`, `.yml` or `.json`, and of the text's hash: so
    /// a version of the function finds the text that it was made with, also when it is rolled back to. An output of the stack,
    /// `<id>ConfigAddress`, says where the object must be before the function runs.
    pub fn in_bucket(file: &str, text: &str, bucket: &BucketHandle) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), bucket: Some(bucket.clone()) }
    }

    /// A file of the function's package, by its path in it.
    pub fn in_package(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), bucket: None }
    }

    /// The key of the object: `config/orders-0123456789abcdef.yaml`.
    pub(super) fn key(&self) -> String {
        let name = self.file.rsplit('/').next().unwrap_or_default();
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, "yaml"));
        let hash = sha256(&self.text);
        format!("config/{stem}-{}.{kind}", hash.get(..16).unwrap_or_default())
    }

    /// As `BENDER_CONFIG` names it.
    pub(super) fn address(&self) -> Value<String> {
        match &self.bucket {
            Some(bucket) => Text::new().text("s3://").value(bucket.name()).text("/").text(&self.key()).into_value(),
            None => Value::Known(self.file.clone()),
        }
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
