//! Forms of texts that no schema can tell: what `format` names in a schema is checked here, with the place of the
//! character.
//!
//! To add one: a row in [`FORMATS`], and `#[schemars(extend("format" = "…"))]` on the setting, or in the `JsonSchema` of
//! its type.

use crate::{
    codes::{self, Code},
    field, pattern, region,
    time::java,
};

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// The byte to point at, if it is not the whole.
    pub(crate) at: Option<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// A form of texts.
pub(super) struct Format {
    pub(super) name: &'static str,
    /// What a message calls a text of this form.
    pub(super) noun: &'static str,
    pub(super) code: &'static Code,
    pub(super) mistake: fn(&str) -> Option<Flaw>,
}

const FORMATS: &[Format] = &[
    Format { name: "regex", noun: "a regular expression", code: codes::REGEX, mistake: pattern::mistake },
    Format { name: "region", noun: "a region", code: codes::FORM, mistake: region::mistake },
    Format { name: "path", noun: "a path", code: codes::FORM, mistake: field::mistake },
    Format {
        name: "paths",
        noun: "a path to one or many fields",
        code: codes::FORM,
        mistake: field::mistake_of_places,
    },
    Format {
        name: "json-path",
        noun: "a path to one or many fields",
        code: codes::FORM,
        mistake: field::mistake_of_source,
    },
    Format { name: "java-time", noun: "a time's pattern", code: codes::FORM, mistake: java::mistake },
    Format { name: "document-id", noun: "`hash`, `origin` or a path", code: codes::FORM, mistake: document_id },
    Format { name: "arn", noun: "an ARN", code: codes::FORM, mistake: arn },
];

pub(super) fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// What a text of a form is called.
pub(crate) fn noun_of(name: &str) -> Option<&'static str> {
    find(name).map(|format| format.noun)
}

/// A word, or a path.
fn document_id(text: &str) -> Option<Flaw> {
    if matches!(text, "hash" | "origin") { None } else { field::mistake(text) }
}

/// `arn:partition:service:region:account:resource`; region and account may be empty.
fn arn(text: &str) -> Option<Flaw> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let sound = matches!(parts[..], ["arn", partition, service, _, account, resource]
        if !partition.is_empty() && !service.is_empty() && !resource.is_empty()
            && (account.is_empty() || account.bytes().all(|b| b.is_ascii_digit()) && account.len() == 12));
    (!sound).then(|| Flaw {
        at: None,
        message: "it does not have its six parts".to_owned(),
        help: Some("write it as `arn:partition:service:region:account:resource`".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_has_six_parts() {
        for good in [
            "arn:aws:sns:us-east-1:123456789012:topic",
            "arn:aws:s3:::bucket/key:x",
            "arn:aws-cn:iam::123456789012:role/r",
        ] {
            assert_eq!(arn(good), None, "{good}");
        }
        for bad in
            ["", "topic", "arn:aws:sns:us-east-1:123456789012", "arn:aws:sns:us-east-1:1234:topic", "arn::s3:::b"]
        {
            assert!(arn(bad).is_some(), "{bad}");
        }
    }
}
