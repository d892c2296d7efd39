//! Secrets that a config names by their place: asked for when they are first needed, before the first call.
//!
//! Imports: `ports`, `transports`.

use super::{Next, Verdict, values::ValueConfig};
use crate::ports::{Answer, Call, Secret, SecretPlace};

/// The secrets of one transport.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<(SecretPlace, Option<Secret>)>);

impl Secrets {
    /// Those of these values that do not stand in the config.
    pub(super) fn of<'a>(values: impl IntoIterator<Item = &'a ValueConfig>) -> Self {
        let mut places: Vec<_> = values.into_iter().filter_map(ValueConfig::place).map(|(place, _)| place).collect();
        places.sort();
        places.dedup();
        Self(places.into_iter().map(|place| (place, None)).collect())
    }

    /// The call that must be made before any other.
    pub(super) fn missing(&self) -> Option<Next> {
        let (place, _) = self.0.iter().find(|(_, value)| value.is_none())?;
        Some(Next::Call(Call::Secret(place.clone())))
    }

    /// A value, once none is [missing](Self::missing).
    pub(super) fn reveal(&self, value: &ValueConfig) -> Secret {
        let Some((place, json_key)) = value.place() else { return value.text().unwrap_or_default() };
        let found = self.0.iter().find(|(known, _)| *known == place).and_then(|(_, value)| value.clone());
        let found = found.unwrap_or_default();
        match json_key {
            None => found,
            Some(key) => member(&found, key).unwrap_or_default(),
        }
    }

    /// What an answer means for the load that waits, if it is one about a secret. `values`: those of [`Secrets::of`].
    pub(super) fn judge<'a>(
        &mut self,
        answer: &Answer,
        values: impl IntoIterator<Item = &'a ValueConfig>,
    ) -> Option<Verdict> {
        match answer {
            Answer::Secret { of, value } => {
                let wanted = values.into_iter().filter_map(ValueConfig::place).filter(|(place, _)| place == of);
                if wanted.filter_map(|(_, key)| key).any(|key| member(value, key).is_none()) {
                    return Some(Verdict::Denied("a secret has no such key"));
                }
                for (_, known) in self.0.iter_mut().filter(|(place, _)| place == of) {
                    *known = Some(value.clone());
                }
                Some(Verdict::More)
            }
            Answer::Refused { code, .. } if self.missing().is_some() => Some(refused(code)),
            _ => None,
        }
    }

    /// The far side refused them: they may have changed, so they are asked for again.
    pub(super) fn forget(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| *value = None);
    }
}

/// A member of a secret that is a JSON object.
fn member(secret: &Secret, key: &str) -> Option<Secret> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(secret.reveal()).ok()?;
    match object.get(key)? {
        serde_json::Value::String(text) => Some(Secret::new(text)),
        serde_json::Value::Number(number) => Some(Secret::new(number.to_string())),
        _ => None,
    }
}

/// Not a matter of the data, whatever it is.
fn refused(code: &str) -> Verdict {
    match code {
        "ParameterNotFound" | "ResourceNotFoundException" => Verdict::Denied("a secret is not there"),
        "InvalidCiphertextException" | "IncorrectKeyException" => Verdict::Denied("a secret cannot be decrypted"),
        code if code.contains("AccessDenied") => Verdict::Denied("permission to read a secret refused"),
        _ => Verdict::Again("a secret cannot be read now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<ValueConfig> {
        let text = r#"[{"type":"StringValue","value":"plain"}, {"type":"SsmValue","name":"/p"},
            {"type":"SecretsManagerValue","secret_id":"s","json_key":"a"},
            {"type":"SecretsManagerValue","secret_id":"s","json_key":"b"}]"#;
        serde_json::from_str(text).unwrap()
    }

    /// Asks for all that is missing; how often that was.
    fn fetch(secrets: &mut Secrets, values: &[ValueConfig], object: &str) -> Result<usize, Verdict> {
        for asked in 0.. {
            let Some(Next::Call(Call::Secret(of))) = secrets.missing() else { return Ok(asked) };
            let value = if matches!(of, SecretPlace::Secret { .. }) { object } else { "parameter" };
            match secrets.judge(&Answer::Secret { of, value: Secret::new(value) }, values) {
                Some(Verdict::More) => {}
                other => return Err(other.unwrap()),
            }
        }
        Ok(0)
    }

    #[test]
    fn each_place_is_asked_once_and_each_value_has_its_part_of_it() {
        let values = values();
        let mut secrets = Secrets::of(&values);
        assert_eq!(fetch(&mut secrets, &values, r#"{"a":"A","b":7}"#), Ok(2));
        let shown: Vec<_> = values.iter().map(|value| secrets.reveal(value).reveal().to_owned()).collect();
        assert_eq!(shown, ["plain", "parameter", "A", "7"]);
        assert_eq!(secrets.judge(&Answer::Done(None), &values), None, "not about a secret");
        secrets.forget();
        assert!(secrets.missing().is_some(), "after a refusal they are asked for again");
        assert!(!format!("{secrets:?}").contains("parameter"));
    }

    #[test]
    fn a_secret_that_cannot_be_read_is_no_fault_of_an_event() {
        let values = values();
        let mut secrets = Secrets::of(&values);
        let refused = |code: &str| Answer::Refused { code: code.into(), status: Some(400) };
        assert!(matches!(secrets.judge(&refused("ThrottlingException"), &values), Some(Verdict::Again(_))));
        assert!(matches!(secrets.judge(&refused("AccessDeniedException"), &values), Some(Verdict::Denied(_))));
        assert_eq!(fetch(&mut secrets, &values, r#"{"a":"A"}"#), Err(Verdict::Denied("a secret has no such key")));
    }
}
