//! What is to be asked of the domain, step by step.

use super::properties::{Access, Properties, Role};
use serde_json::{Value, json};

/// One request to the domain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// `PUT` or `DELETE`.
    pub(super) method: &'static str,
    pub(super) path: String,
    /// Of a `PUT`.
    pub(super) body: Option<Value>,
    /// For people: "the role `x`".
    pub(super) what: String,
}

/// What a bulk request asks of the cluster, and of each index: to make it, to write documents into it, and to add the fields they bring.
/// OpenSearch 2.19 refuses the request when one of them is missing.
const CLUSTER_ACTIONS: [&str; 1] = ["indices:data/write/bulk"];
const INDEX_ACTIONS: [&str; 4] =
    ["indices:data/write/bulk*", "indices:data/write/index", "indices:admin/create", "indices:admin/mapping/put"];

/// Puts all of it. Templates come first: a role that is mapped may write at once, and an index that is made keeps its mappings.
pub(super) fn put(new: &Properties) -> Vec<Step> {
    let templates = new.templates.iter().map(|(name, body)| Step::put(template(name), body.clone()));
    let roles = new.roles.iter().map(|r| Step::put(role(&r.name), role_body(r)));
    let mappings = new.roles.iter().map(|r| Step::put(mapping(&r.name), json!({"backend_roles": r.backend_roles})));
    templates.chain(roles).chain(mappings).collect()
}

/// Removes what is in `old` and not in `new`. A mapping goes before its role.
pub(super) fn remove(old: &Properties, new: &Properties) -> Vec<Step> {
    let kept = |name: &str| new.roles.iter().any(|role| role.name == name);
    let gone: Vec<&Role> = old.roles.iter().filter(|role| !kept(&role.name)).collect();
    let mappings = gone.iter().map(|r| Step::remove(mapping(&r.name)));
    let roles = gone.iter().map(|r| Step::remove(role(&r.name)));
    let templates = old.templates.keys().filter(|name| !new.templates.contains_key(*name));
    mappings.chain(roles).chain(templates.map(|name| Step::remove(template(name)))).collect()
}

impl Step {
    fn put((path, what): (String, String), body: Value) -> Self {
        Self { method: "PUT", path, body: Some(body), what }
    }

    fn remove((path, what): (String, String)) -> Self {
        Self { method: "DELETE", path, body: None, what }
    }
}

fn template(name: &str) -> (String, String) {
    (format!("_index_template/{name}"), format!("the index template `{name}`"))
}

fn role(name: &str) -> (String, String) {
    (format!("_plugins/_security/api/roles/{name}"), format!("the role `{name}`"))
}

fn mapping(name: &str) -> (String, String) {
    (format!("_plugins/_security/api/rolesmapping/{name}"), format!("the mapping of the role `{name}`"))
}

/// Where Dashboards keeps what people save.
const SAVED: [&str; 4] = [".kibana", ".kibana_*", ".opensearch_dashboards", ".opensearch_dashboards_*"];

fn role_body(role: &Role) -> Value {
    match role.access {
        Access::Write => json!({
            "cluster_permissions": CLUSTER_ACTIONS,
            "index_permissions": [{"index_patterns": role.index_patterns, "allowed_actions": INDEX_ACTIONS}],
        }),
        // `read` and the others are the security plugin's own groups of actions.
        Access::Read => json!({
            "cluster_permissions": ["cluster_composite_ops_ro"],
            "index_permissions": [
                {"index_patterns": role.index_patterns, "allowed_actions": [
                    "read", "indices:admin/get", "indices:admin/mappings/get", "indices:admin/mappings/fields/get*",
                    "indices:admin/resolve/index",
                ]},
                {"index_patterns": SAVED, "allowed_actions": ["read", "index", "delete", "manage"]},
            ],
            "tenant_permissions": [{"tenant_patterns": ["global_tenant"], "allowed_actions": ["kibana_all_write"]}],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(roles: &[&str], templates: &[&str]) -> Properties {
        let arn = "arn:aws:iam::111122223333:role/etl";
        let roles: Vec<Value> =
            roles.iter().map(|r| json!({"Role": r, "IndexPatterns": ["logs-*"], "BackendRoles": [arn]})).collect();
        let templates: serde_json::Map<String, Value> =
            templates.iter().map(|t| ((*t).to_owned(), json!({}))).collect();
        let given = json!({"Endpoint": "e", "RoleMappings": roles, "IndexTemplates": templates});
        Properties::read(&given).unwrap()
    }

    fn paths(steps: &[Step]) -> Vec<String> {
        steps.iter().map(|s| format!("{} {}", s.method, s.path)).collect()
    }

    #[test]
    fn who_reads_does_not_write_the_indices() {
        let given = json!({"Endpoint": "e", "RoleMappings": [{
            "Role": "people", "Access": "read", "IndexPatterns": ["logs-*"],
            "BackendRoles": ["arn:aws:iam::111122223333:role/people"],
        }]});
        let body = role_body(&Properties::read(&given).unwrap().roles[0]).to_string();
        assert!(body.contains(r#""read""#) && !body.contains("indices:data/write"), "{body}");
        let given = json!({"Endpoint": "e", "RoleMappings": [{
            "Role": "people", "Access": "all", "IndexPatterns": ["logs-*"],
            "BackendRoles": ["arn:aws:iam::111122223333:role/people"],
        }]});
        assert_eq!(
            Properties::read(&given).unwrap_err(),
            r#"RoleMappings[0].Access is "all"; there are "read" and "write""#
        );
    }

    #[test]
    fn nobody_may_write_before_the_templates_are_there() {
        let steps = put(&properties(&["b", "a"], &["t"]));
        assert_eq!(
            paths(&steps),
            [
                "PUT _index_template/t",
                "PUT _plugins/_security/api/roles/b",
                "PUT _plugins/_security/api/roles/a",
                "PUT _plugins/_security/api/rolesmapping/b",
                "PUT _plugins/_security/api/rolesmapping/a",
            ]
        );
    }

    #[test]
    fn only_what_is_no_longer_wanted_is_removed_and_never_an_index() {
        let steps = remove(&properties(&["a", "b"], &["t", "u"]), &properties(&["b", "c"], &["u"]));
        assert_eq!(
            paths(&steps),
            [
                "DELETE _plugins/_security/api/rolesmapping/a",
                "DELETE _plugins/_security/api/roles/a",
                "DELETE _index_template/t",
            ]
        );
    }
}
