//! The properties of the custom resource, read with all their mistakes at once.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Properties {
    pub(super) endpoint: String,
    pub(super) port: u16,
    pub(super) region: Option<String>,
    pub(super) roles: Vec<Role>,
    /// Body by name.
    pub(super) templates: BTreeMap<String, Value>,
}

/// A role of OpenSearch and who has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) access: Access,
    pub(super) index_patterns: Vec<String>,
    pub(super) backend_roles: Vec<String>,
}

/// What a role may do with its indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Write documents, and nothing else: for a pipeline.
    Write,
    /// Search, and keep dashboards: for people.
    Read,
}

const PROPERTIES: [&str; 7] =
    ["Endpoint", "IndexTemplates", "Port", "Region", "RoleMappings", "ServiceTimeout", "ServiceToken"];
const ROLE_PROPERTIES: [&str; 4] = ["Access", "BackendRoles", "IndexPatterns", "Role"];

impl Properties {
    /// # Errors
    /// All mistakes, in one text.
    pub(super) fn read(given: &Value) -> Result<Self, String> {
        let mut mistakes = Vec::new();
        let read = Self::collect(given, &mut mistakes);
        if mistakes.is_empty() { Ok(read) } else { Err(mistakes.join("; ")) }
    }

    fn collect(given: &Value, mistakes: &mut Vec<String>) -> Self {
        let empty = Map::new();
        let given = given.as_object().unwrap_or(&empty);
        unknown(given, &PROPERTIES, "", mistakes);
        let endpoint = text(given, "Endpoint", "", mistakes).unwrap_or_default();
        if endpoint.contains(['/', ':', '@', '?', '#']) || endpoint.contains(char::is_whitespace) {
            mistakes.push(format!("Endpoint {endpoint:?} must be a host's name alone, without scheme, port or path"));
        }
        let roles = list(given, "RoleMappings", "", mistakes);
        let roles: Vec<Role> = roles.iter().enumerate().map(|(i, role)| Role::collect(i, role, mistakes)).collect();
        let mut seen = BTreeSet::new();
        for role in &roles {
            if !seen.insert(role.name.as_str()) {
                mistakes.push(format!(
                    "RoleMappings has the role {:?} twice; put its patterns and backend roles together",
                    role.name
                ));
            }
        }
        Self {
            endpoint,
            port: port(given.get("Port"), mistakes),
            region: given.contains_key("Region").then(|| text(given, "Region", "", mistakes)).flatten(),
            templates: templates(given.get("IndexTemplates"), mistakes),
            roles,
        }
    }

    /// Whether both are about the same domain.
    pub(super) fn same_domain(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint && self.port == other.port
    }

    /// The same domain with nothing in it.
    pub(super) fn emptied(&self) -> Self {
        Self { roles: Vec::new(), templates: BTreeMap::new(), ..self.clone() }
    }
}

impl Role {
    fn collect(at: usize, given: &Value, mistakes: &mut Vec<String>) -> Self {
        let path = format!("RoleMappings[{at}].");
        let empty = Map::new();
        let given = given.as_object().unwrap_or_else(|| {
            mistakes.push(format!("RoleMappings[{at}] must be an object with {}", ROLE_PROPERTIES.join(", ")));
            &empty
        });
        unknown(given, &ROLE_PROPERTIES, &path, mistakes);
        let name = text(given, "Role", &path, mistakes).unwrap_or_default();
        if !name.is_empty() {
            check_name(&format!("{path}Role"), &name, mistakes);
        }
        let access = match given.get("Access").map(|access| access.as_str().unwrap_or_default()) {
            None | Some("write") => Access::Write,
            Some("read") => Access::Read,
            Some(other) => {
                mistakes.push(format!("{path}Access is {other:?}; there are \"read\" and \"write\""));
                Access::Write
            }
        };
        let index_patterns = texts(given, "IndexPatterns", &path, mistakes);
        for pattern in &index_patterns {
            if pattern.chars().all(|c| c == '*') {
                mistakes.push(format!("{path}IndexPatterns has {pattern:?}, which is every index; name the ones that are meant, such as \"logs-*\""));
            } else if pattern.starts_with('-') || pattern.contains([',', ' ', '/']) {
                mistakes.push(format!("{path}IndexPatterns has {pattern:?}, which is no index pattern; give each pattern as an item of its own"));
            }
        }
        let backend_roles = texts(given, "BackendRoles", &path, mistakes);
        for arn in backend_roles.iter().filter(|arn| !is_role_arn(arn)) {
            mistakes.push(format!("{path}BackendRoles has {arn:?}, which is not the ARN of an IAM role (arn:aws:iam::111122223333:role/name)"));
        }
        Self { name, access, index_patterns, backend_roles }
    }
}

fn unknown(given: &Map<String, Value>, allowed: &[&str], path: &str, mistakes: &mut Vec<String>) {
    for name in given.keys().filter(|name| !allowed.contains(&name.as_str())) {
        mistakes.push(format!("{path}{name} is unknown; there are {}", allowed.join(", ")));
    }
}

fn text(given: &Map<String, Value>, name: &str, path: &str, mistakes: &mut Vec<String>) -> Option<String> {
    let found = given.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if found.is_none() {
        mistakes.push(format!("{path}{name} must be a text"));
    }
    found.map(str::to_owned)
}

fn list<'v>(given: &'v Map<String, Value>, name: &str, path: &str, mistakes: &mut Vec<String>) -> &'v [Value] {
    match given.get(name) {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(_) => {
            mistakes.push(format!("{path}{name} must be a list"));
            &[]
        }
    }
}

/// A list of texts, one at least.
fn texts(given: &Map<String, Value>, name: &str, path: &str, mistakes: &mut Vec<String>) -> Vec<String> {
    let items = list(given, name, path, mistakes);
    let texts: Vec<String> =
        items.iter().filter_map(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned).collect();
    if texts.is_empty() || texts.len() != items.len() {
        mistakes.push(format!("{path}{name} must be a list of texts with one at least"));
    }
    texts
}

fn port(given: Option<&Value>, mistakes: &mut Vec<String>) -> u16 {
    let Some(given) = given else { return 443 };
    // CloudFormation makes texts of numbers.
    let port = given.as_u64().or_else(|| given.as_str()?.parse().ok());
    port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0).unwrap_or_else(|| {
        mistakes.push(format!("Port {given} must be a number from 1 to 65535"));
        443
    })
}

fn templates(given: Option<&Value>, mistakes: &mut Vec<String>) -> BTreeMap<String, Value> {
    let empty = Map::new();
    let given = match given {
        None => &empty,
        Some(Value::Object(templates)) => templates,
        Some(_) => {
            mistakes.push("IndexTemplates must be an object: the body of each template by its name".to_owned());
            &empty
        }
    };
    let mut templates = BTreeMap::new();
    for (name, body) in given {
        check_name("IndexTemplates", name, mistakes);
        match body {
            Value::Object(_) => drop(templates.insert(name.clone(), body.clone())),
            Value::String(text) => match serde_json::from_str(text) {
                Ok(body @ Value::Object(_)) => drop(templates.insert(name.clone(), body)),
                Ok(_) => mistakes.push(format!("IndexTemplates.{name} is JSON, but no object")),
                Err(e) => mistakes.push(format!("IndexTemplates.{name} is not JSON: {e}")),
            },
            _ => mistakes.push(format!("IndexTemplates.{name} must be an object, or a text that holds one")),
        }
    }
    templates
}

/// Names go into paths of URLs as they are.
fn check_name(path: &str, name: &str, mistakes: &mut Vec<String>) {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.starts_with(['_', '.']) || !name.chars().all(good) || name.len() > 255 {
        mistakes.push(format!(
            "{path}: the name {name:?} must be of letters, digits, `-`, `_` and `.`, and begin with neither `_` nor `.`"
        ));
    }
}

fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", _, "iam", "", account, role] if !account.is_empty() && role.starts_with("role/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_may_be_texts_and_a_template_the_text_of_one() {
        let read = Properties::read(&json!({
            "ServiceToken": "arn:aws:lambda:eu-west-1:111122223333:function:setup", "Endpoint": "search.example", "Port": "9200",
            "IndexTemplates": {"a": {"priority": "1"}, "b": "{\"priority\": 1}"},
        }))
        .unwrap();
        assert_eq!((read.port, read.region), (9200, None));
        assert_eq!(read.templates["b"], json!({"priority": 1}));
    }

    #[test]
    fn all_mistakes_are_told_at_once() {
        let mistakes = Properties::read(&json!({
            "Endpoint": "https://search.example/", "Port": 0, "Rolemappings": [], "IndexTemplates": {"_a/b": {}, "c": "{", "d": 1},
            "RoleMappings": [
                {"Role": "w", "IndexPatterns": ["**"], "BackendRoles": ["arn:aws:sts::1:assumed-role/a/b"]},
                {"Role": "w", "IndexPatterns": [], "BackendRoles": "x"},
                7,
            ],
        }))
        .unwrap_err();
        let said = [
            "Endpoint \"https://search.example/\" must be a host's name alone",
            "Port 0 must be a number",
            "Rolemappings is unknown; there are Endpoint",
            "the name \"_a/b\" must be of letters",
            "IndexTemplates.c is not JSON: EOF",
            "IndexTemplates.d must be an object",
            "RoleMappings[0].IndexPatterns has \"**\", which is every index",
            "\"arn:aws:sts::1:assumed-role/a/b\", which is not the ARN of an IAM role",
            "the role \"w\" twice",
            "RoleMappings[1].IndexPatterns must be a list of texts",
            "RoleMappings[1].BackendRoles must be a list;",
            "RoleMappings[2] must be an object",
        ];
        for part in said {
            assert!(mistakes.contains(part), "{part} is not in {mistakes}");
        }
    }

    #[test]
    fn nothing_at_all_is_one_mistake() {
        assert_eq!(Properties::read(&Value::Null).unwrap_err(), "Endpoint must be a text");
    }
}
