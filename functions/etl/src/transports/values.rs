//! Values of settings that may be secret, and how requests say who we are.
//!
//! Imports: `late`, `need`, `ports`, `region`.

use crate::{
    late::Late,
    need::{Need, Target},
    ports::{Secret, SecretPlace},
    region::Region,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value that may be secret.
///
/// A secret that is named by its place is read once in the life of a function, when it is first needed, and again after a far side refused
/// it. It is never logged. While it cannot be read nothing is delivered: events are handed back to the trigger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum ValueConfig {
    /// A text.
    StringValue {
        /// The text; `<NAME>` is the value of an environment variable, which keeps it out of the config.
        value: Late<String>,
    },
    /// A ciphertext that a key of KMS made. It does not say which: a stack names the key where it builds the function.
    KmsValue {
        /// The ciphertext, in base64.
        value: Late<String>,
        /// Region of the key; by default the function's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Late<Region>>,
    },
    /// A parameter of Systems Manager's Parameter Store, encrypted (`SecureString`) or not.
    SsmValue {
        /// Its name (`/pipelines/token`) or ARN.
        name: Late<String>,
        /// Region of the parameter; by default the function's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Late<Region>>,
        /// ARN of the key that encrypts it, when that is not the account's `aws/ssm`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_arn: Option<Late<String>>,
    },
    /// A secret of Secrets Manager.
    SecretsManagerValue {
        /// Its name or ARN.
        secret_id: Late<String>,
        /// When the secret is a JSON object: the member that is the value.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        json_key: Option<String>,
        /// Region of the secret; by default the function's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Late<Region>>,
        /// ARN of the key that encrypts it, when that is not the account's `aws/secretsmanager`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_arn: Option<Late<String>>,
    },
}

impl ValueConfig {
    /// The value, hidden, if it stands in the config.
    pub(super) fn text(&self) -> Option<Secret> {
        match self {
            Self::StringValue { value } => Some(Secret::new(now(value))),
            Self::KmsValue { .. } | Self::SsmValue { .. } | Self::SecretsManagerValue { .. } => None,
        }
    }

    /// Where the value lies, if not in the config, and which member of what is there it is.
    pub(super) fn place(&self) -> Option<(SecretPlace, Option<&str>)> {
        let region = |region: &Option<Late<Region>>| region.as_ref().map(now_text);
        Some(match self {
            Self::StringValue { .. } => return None,
            Self::KmsValue { value, region: of, .. } => {
                (SecretPlace::Kms { ciphertext: now(value), region: region(of) }, None)
            }
            Self::SsmValue { name, region: of, .. } => {
                (SecretPlace::Parameter { name: now(name), region: region(of) }, None)
            }
            Self::SecretsManagerValue { secret_id, json_key, region: of, .. } => {
                (SecretPlace::Secret { id: now(secret_id), region: region(of) }, json_key.as_deref())
            }
        })
    }

    /// What reading it must be allowed.
    pub(super) fn needs(&self) -> Vec<Need> {
        let decrypt = |key: &Option<Late<String>>| {
            key.clone().map(|key| Need { actions: &["kms:Decrypt"], on: Target::Key(key) })
        };
        match self {
            Self::StringValue { .. } => vec![],
            Self::KmsValue { .. } => vec![Need { actions: &["kms:Decrypt"], on: Target::KmsKey }],
            Self::SsmValue { name, region, key_arn } => {
                let on = Target::Parameter { name: name.clone(), region: region.clone() };
                [Need { actions: &["ssm:GetParameter"], on }].into_iter().chain(decrypt(key_arn)).collect()
            }
            Self::SecretsManagerValue { secret_id, region, key_arn, .. } => {
                let on = Target::Secret { id: secret_id.clone(), region: region.clone() };
                let read = Need { actions: &["secretsmanager:GetSecretValue"], on };
                [read].into_iter().chain(decrypt(key_arn)).collect()
            }
        }
    }
}

impl From<Late<String>> for ValueConfig {
    fn from(value: Late<String>) -> Self {
        Self::StringValue { value }
    }
}

/// How a request says who we are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum AuthConfig {
    /// By user and password (HTTP basic authentication).
    UserPassAuth {
        /// The user's name.
        username: Late<String>,
        /// The password.
        password: ValueConfig,
    },
    /// By AWS Signature Version 4, with the function's own role.
    UrlSigningAuth {
        /// The region of the service; by default the function's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Late<Region>>,
        /// The service to sign for: `es`, or `aoss` for OpenSearch Serverless.
        service: String,
        /// Taken for the sake of old configs; has no effect.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        http_interceptor: Option<serde_json::Value>,
    },
}

/// User and password (HTTP basic authentication).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", deny_unknown_fields)]
pub enum BasicAuthConfig {
    /// By user and password.
    UserPassAuth {
        /// The user's name.
        username: Late<String>,
        /// The password.
        password: ValueConfig,
    },
}

impl From<BasicAuthConfig> for AuthConfig {
    fn from(BasicAuthConfig::UserPassAuth { username, password }: BasicAuthConfig) -> Self {
        Self::UserPassAuth { username, password }
    }
}

/// The value; in a function it always is there.
pub(super) fn now(value: &Late<String>) -> String {
    value.now().cloned().unwrap_or_default()
}

/// The same for a region.
pub(super) fn now_text(region: &Late<Region>) -> String {
    region.now().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Vec<String> {
        let value: ValueConfig = serde_json::from_str(text).unwrap();
        value.needs().iter().map(|need| format!("{} {:?}", need.actions.join(","), need.on)).collect()
    }

    #[test]
    fn a_secret_by_its_place_needs_to_be_read_there_and_nowhere_else() {
        assert!(needs(r#"{"type":"StringValue","value":"v"}"#).is_empty());
        assert_eq!(needs(r#"{"type":"KmsValue","value":"AQ==","region":"US_EAST_1"}"#), ["kms:Decrypt KmsKey"]);
        assert_eq!(
            needs(r#"{"type":"SsmValue","name":"/a","key_arn":"k"}"#),
            [r#"ssm:GetParameter Parameter { name: Now("/a"), region: None }"#, r#"kms:Decrypt Key(Now("k"))"#]
        );
        assert_eq!(
            needs(r#"{"type":"SecretsManagerValue","secret_id":"s","json_key":"k"}"#),
            [r#"secretsmanager:GetSecretValue Secret { id: Now("s"), region: None }"#]
        );
    }
}
