//! `Json`: events as JSON texts.
//!
//! Imports: `build`, `component`, `event`, `payload`.

use super::Serializer;
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
};
use bon::Builder;
use payload::{Output, Style};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes an event as one line of JSON.
///
/// As Gson does in Bender: members that are null are left out, at any depth; `<`, `>`, `&`, `=` and `'` are written as `\u003c` and so on,
/// which every reader of JSON understands. Numbers keep the digits that they came with.
///
/// # Unlike Bender
///
/// - Half of a surrogate pair stays the escape that it was. (Bender writes a question mark.)
/// - The text is UTF-8 on every machine. (Bender takes the machine's character set.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Json {
    /// How the names of the wrapper's own members are spelled. The names in the event are not touched.
    #[serde(default)]
    #[builder(default)]
    pub field_naming_policy: FieldNamingPolicy,
}

/// How names are spelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldNamingPolicy {
    /// `sourceArn`
    Identity,
    /// `SourceArn`
    UpperCamelCase,
    /// `Source Arn`
    UpperCamelCaseWithSpaces,
    /// `source_arn`
    #[default]
    LowerCaseWithUnderscores,
    /// `source-arn`
    LowerCaseWithDashes,
    /// `source.arn`
    LowerCaseWithDots,
}

impl Component for Json {
    const NAME: &'static str = "Json";
    const EXAMPLE: &'static str = "type: Json\nfield_naming_policy: LOWER_CASE_WITH_DASHES\n";
}

impl Serializer for Json {
    type State = ();

    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }

    fn write(&self, (): &mut (), event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        event.payload.write_as(Style::Gson, out);
        Ok(())
    }

    fn spell(&self, key: &str) -> String {
        match self.field_naming_policy {
            FieldNamingPolicy::Identity => key.to_owned(),
            FieldNamingPolicy::UpperCamelCase => upper_first(key),
            FieldNamingPolicy::UpperCamelCaseWithSpaces => upper_first(&separated(key, ' ')),
            FieldNamingPolicy::LowerCaseWithUnderscores => separated(key, '_').to_lowercase(),
            FieldNamingPolicy::LowerCaseWithDashes => separated(key, '-').to_lowercase(),
            FieldNamingPolicy::LowerCaseWithDots => separated(key, '.').to_lowercase(),
        }
    }
}

/// With a separator before each capital letter but the first character.
fn separated(key: &str, separator: char) -> String {
    let mut out = String::new();
    for character in key.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push(separator);
        }
        out.push(character);
    }
    out
}

fn upper_first(key: &str) -> String {
    let mut characters = key.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{event::Facts, testing::serialize};

    #[test]
    fn every_policy_spells_the_wrappers_keys() {
        use FieldNamingPolicy as P;
        for (policy, source, s3) in [
            (P::Identity, "sourceArn", "s3KeyVersion"),
            (P::UpperCamelCase, "SourceArn", "S3KeyVersion"),
            (P::UpperCamelCaseWithSpaces, "Source Arn", "S3 Key Version"),
            (P::LowerCaseWithUnderscores, "source_arn", "s3_key_version"),
            (P::LowerCaseWithDashes, "source-arn", "s3-key-version"),
            (P::LowerCaseWithDots, "source.arn", "s3.key.version"),
        ] {
            let json = Json::builder().field_naming_policy(policy).build();
            assert_eq!((json.spell("sourceArn"), json.spell("s3KeyVersion")), (source.to_owned(), s3.to_owned()));
        }
    }

    #[test]
    fn nulls_are_left_out_and_html_is_escaped() {
        let text = serialize(
            &Json::default(),
            &mut Facts::default(),
            r#"{"a":null,"b":[null,{"c":null,"<":"'=&>"}],"n":1.50}"#,
        );
        assert_eq!(text, r#"{"b":[null,{"\u003c":"\u0027\u003d\u0026\u003e"}],"n":1.50}"#);
    }
}
