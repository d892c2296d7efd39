//! What CloudFormation sends to a custom resource.

use serde_json::Value;
use std::fmt;

/// A request, as far as it is read.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) kind: Kind,
    /// Where the answer is put. Signed, so a secret.
    pub(super) response_url: &'a str,
    pub(super) stack_id: &'a str,
    pub(super) id: &'a str,
    pub(super) logical_id: &'a str,
    /// Absent on Create.
    pub(super) physical_id: Option<&'a str>,
    pub(super) properties: &'a Value,
    /// On Update.
    pub(super) old_properties: Option<&'a Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Update,
    Delete,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// At the end of the name of a resource that could not be created.
const NOT_CREATED: &str = "-not-created";
/// CloudFormation takes a name of 1 KiB.
const NAME_BYTES: usize = 900;

impl<'a> Request<'a> {
    /// # Errors
    /// It is none of CloudFormation's requests, so there is nobody to answer.
    pub(super) fn read(event: &'a Value) -> Result<Self, String> {
        let text = |name: &str| {
            let found = event.get(name).and_then(Value::as_str);
            found.ok_or_else(|| {
                format!("`{name}` is missing: this function answers custom resources of CloudFormation only")
            })
        };
        let kind = match text("RequestType")? {
            "Create" => Kind::Create,
            "Update" => Kind::Update,
            "Delete" => Kind::Delete,
            _ => return Err("`RequestType` is none of Create, Update, Delete".to_owned()),
        };
        Ok(Self {
            kind,
            response_url: text("ResponseURL")?,
            stack_id: text("StackId")?,
            id: text("RequestId")?,
            logical_id: text("LogicalResourceId")?,
            physical_id: event.get("PhysicalResourceId").and_then(Value::as_str),
            properties: event.get("ResourceProperties").unwrap_or(&Value::Null),
            old_properties: event.get("OldResourceProperties"),
        })
    }

    /// The resource's name: the one it has; on Create, one that only the stack and the logical id decide, so that a repeated Create
    /// gives it again, and that no change of a property changes.
    pub(super) fn name(&self, failed: bool) -> String {
        if let Some(name) = self.physical_id {
            return name.to_owned();
        }
        // arn:aws:cloudformation:eu-west-1:111122223333:stack/name/guid
        let stack = self.stack_id.split('/').nth(1).unwrap_or("stack");
        let name: String = format!("{stack}-{}", self.logical_id).chars().take(NAME_BYTES / 4).collect();
        if failed { format!("{name}{NOT_CREATED}") } else { name }
    }

    /// Whether this is the removal of a resource that could not be created.
    pub(super) fn creation_failed(&self) -> bool {
        self.physical_id.is_some_and(|name| name.ends_with(NOT_CREATED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        json!({
            "RequestType": "Create", "ResponseURL": "https://x/?Signature=s", "RequestId": "r", "LogicalResourceId": "Setup",
            "StackId": "arn:aws:cloudformation:eu-west-1:111122223333:stack/logs/0a1b", "ResourceProperties": {},
        })
    }

    #[test]
    fn the_name_stays_when_a_create_is_repeated_and_when_it_is_given() {
        let mut event = event();
        assert_eq!(Request::read(&event).unwrap().name(false), "logs-Setup");
        assert_eq!(Request::read(&event).unwrap().name(true), "logs-Setup-not-created");
        event["PhysicalResourceId"] = json!("given");
        assert_eq!(Request::read(&event).unwrap().name(true), "given");
    }

    #[test]
    fn an_event_that_is_not_cloudformations_is_an_error_without_its_content() {
        assert!(Request::read(&json!({"Records": []})).unwrap_err().contains("`RequestType` is missing"));
        let mut event = event();
        event["RequestType"] = json!("s3cret");
        assert!(!Request::read(&event).unwrap_err().contains("s3cret"));
    }
}
