//! Secrets of KMS, Systems Manager and Secrets Manager.

use crate::json_api::{self, KMS, SECRETS_MANAGER, SSM};
use base64_simd::STANDARD;
use etl::ports::{Answer, Secret, SecretPlace};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    parameter: Parameter,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<String>,
    secret_binary: Option<String>,
}

/// `Decrypt`, `GetParameter` or `GetSecretValue`.
pub(super) async fn reveal(far: super::Far<'_>, of: SecretPlace) -> Answer {
    let value = match &of {
        SecretPlace::Kms { ciphertext, region } => {
            let body = json!({"CiphertextBlob": ciphertext.trim()});
            json_api::ask(far, KMS, region.as_deref(), "Decrypt", &body)
                .await
                .and_then(|Decrypted { plaintext }| text(&plaintext))
        }
        SecretPlace::Parameter { name, region } => {
            let body = json!({"Name": name, "WithDecryption": true});
            json_api::ask(far, SSM, region.as_deref().or(of_arn(name)), "GetParameter", &body)
                .await
                .map(|got: Got| got.parameter.value)
        }
        SecretPlace::Secret { id, region } => {
            let body = json!({"SecretId": id});
            json_api::ask(far, SECRETS_MANAGER, region.as_deref().or(of_arn(id)), "GetSecretValue", &body)
                .await
                .and_then(|secret: SecretValue| match secret {
                    SecretValue { secret_string: Some(text), .. } => Ok(text),
                    SecretValue { secret_binary, .. } => text(&secret_binary.unwrap_or_default()),
                })
        }
    };
    match value {
        Ok(value) => Answer::Secret { of, value: Secret::new(value) },
        Err(answer) => answer,
    }
}

/// Bytes in base64, which are a text.
fn text(base64: &str) -> Result<String, Answer> {
    let bytes = STANDARD.decode_to_vec(base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    bytes.ok_or_else(|| Answer::Refused { code: "the secret is no text".to_owned(), status: None })
}

/// The region of an ARN.
fn of_arn(arn: &str) -> Option<&str> {
    arn.strip_prefix("arn:")?.split(':').nth(2)
}
