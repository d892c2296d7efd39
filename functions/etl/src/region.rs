//! AWS regions, spelled as AWS does (`us-east-1`) or as Bender does (`US_EAST_1`).
//!
//! Imports: `config`.

use crate::config::format::Flaw;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// What `format` says in a schema.
pub(crate) const FORMAT: &str = "region";

/// An AWS region: `us-east-1`, or `US_EAST_1` as in Bender's configs.
///
/// Regions that AWS opens tomorrow are taken too: what counts is the form of the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Region(String);

impl Region {
    /// AWS's name of it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that names no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a region is written like `us-east-1` or `US_EAST_1`")]
pub struct NoRegion;

impl FromStr for Region {
    type Err = NoRegion;
    fn from_str(text: &str) -> Result<Self, NoRegion> {
        let name = match text {
            // The name of the Java SDK's oldest region for governments.
            "GovCloud" => "us-gov-west-1".to_owned(),
            _ if text.contains('_') && !text.bytes().any(|b| b.is_ascii_lowercase() || b == b'-') => {
                text.replace('_', "-").to_ascii_lowercase()
            }
            _ => text.to_owned(),
        };
        let parts: Vec<&str> = name.split('-').collect();
        let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
        let sound = match parts[..] {
            [area, ref middle @ .., number] => {
                (2..=4).contains(&area.len())
                    && word(&area)
                    && (1..=2).contains(&middle.len())
                    && middle.iter().all(word)
                    && number.len() == 1
                    && number.bytes().all(|b| b.is_ascii_digit())
            }
            _ => false,
        };
        if sound { Ok(Self(name)) } else { Err(NoRegion) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
impl JsonSchema for Region {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Region".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": FORMAT })
    }
}

/// What is wrong with the name of a region.
pub(crate) fn mistake(text: &str) -> Option<Flaw> {
    let help = || {
        let plain = text.trim().to_lowercase().replace(['_', ' '], "-");
        plain.parse::<Region>().ok().map(|region| format!("did you mean `{region}`?"))
    };
    text.parse::<Region>().is_err().then(|| Flaw { at: None, message: NoRegion.to_string(), help: help() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benders_words_and_awss_names_are_the_same_regions() {
        let benders = "US_GOV_EAST_1 US_EAST_1 US_EAST_2 US_WEST_1 US_WEST_2 EU_WEST_1 EU_WEST_2 EU_WEST_3 EU_CENTRAL_1 \
                       EU_NORTH_1 AP_EAST_1 AP_SOUTH_1 AP_SOUTHEAST_1 AP_SOUTHEAST_2 AP_NORTHEAST_1 AP_NORTHEAST_2 SA_EAST_1 \
                       CN_NORTH_1 CN_NORTHWEST_1 CA_CENTRAL_1 ME_SOUTH_1";
        for word in benders.split_ascii_whitespace() {
            let name = word.to_lowercase().replace('_', "-");
            assert_eq!(word.parse::<Region>().map(|r| r.to_string()), Ok(name.clone()));
            assert_eq!(name.parse::<Region>().map(|r| r.to_string()), Ok(name));
        }
        assert_eq!("GovCloud".parse::<Region>().unwrap().as_str(), "us-gov-west-1");
        assert_eq!("us-iso-east-1".parse::<Region>().unwrap().as_str(), "us-iso-east-1");
    }

    #[test]
    fn what_is_no_region_is_refused_with_a_suggestion() {
        for bad in [
            "",
            "us",
            "us-east",
            "us-east-1a",
            "us-east-",
            "US-EAST-1",
            "us_east_1",
            "us east 1",
            "eu-west-10",
            "-east-1",
        ] {
            assert_eq!(bad.parse::<Region>(), Err(NoRegion), "{bad}");
        }
        assert_eq!(mistake("us_east_1").unwrap().help.as_deref(), Some("did you mean `us-east-1`?"));
        assert_eq!(mistake("Frankfurt").unwrap().help, None);
        assert_eq!(mistake("eu-west-1"), None);
    }
}
