//! The stacks, deployed on the rig: real files and records, through the functions as they are packaged, into a real node.
//!
//! What is counted is compared exactly. What the emulator does not do as AWS does, and what is therefore not proven here, is in
//! `tests/rig/README.md`.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

mod cloudtrail;
mod events;
mod package;
mod watch;

use std::{io::Write as _, path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tests::rig::Rig;

/// How long what happens on its own may take: a busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(4);

/// How long nothing is seen to happen.
const A_WHILE: Duration = Duration::from_secs(4);

/// A folder of the corpus, or `None`, and a line on standard error, when it is not there: it is no part of the project.
fn corpus(folder: &str) -> Option<PathBuf> {
    let path = package::root().join("../shared/corpus").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "skipped: end_to_end: there is no {}", path.display());
    None
}

/// What a template keeps when its stack is deleted: logical id and type, sorted.
fn retained(template: &Value) -> Vec<String> {
    let resources = template["Resources"].as_object().unwrap();
    let mut kept: Vec<String> = resources
        .iter()
        .filter(|(_, resource)| resource["DeletionPolicy"] == "Retain")
        .map(|(id, resource)| format!("{id} {}", resource["Type"].as_str().unwrap()))
        .collect();
    kept.sort();
    kept
}

/// Deletes a stack; what was kept of it, then and when an update replaced it (a function's versions), as [`retained`] names it.
fn delete(rig: &Rig, stack: &str) -> Vec<String> {
    let described = rig.aws.run(&["cloudformation", "describe-stacks", "--stack-name", stack]).unwrap();
    let id = described["Stacks"][0]["StackId"].as_str().unwrap().to_owned();
    rig.aws.delete_stack(stack).unwrap();
    let told = rig.aws.run(&["cloudformation", "describe-stack-events", "--stack-name", &id]).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut kept: Vec<String> = told["StackEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["ResourceStatus"] == "DELETE_SKIPPED")
        .map(|event| format!("{} {}", text(&event["LogicalResourceId"]), text(&event["ResourceType"])))
        .collect();
    kept.sort();
    kept.dedup();
    kept
}

/// The role of the stack's setup, and that of one of its functions: what passed the front door was signed by them, mapped as they
/// are meant to be, and each did its own work only. Somebody else is refused.
fn only_the_functions_role_writes(rig: &Rig, stack: &str, etl_role: &str, setup_role: &str, pattern: &str) {
    let passages = rig.front_door.passages();
    let of = |role: &str| {
        let ours = passages.iter().filter(|p| p.role.as_deref().is_some_and(|arn| arn.ends_with(&format!("/{role}"))));
        ours.map(|p| (p.request.as_str(), p.status)).collect::<Vec<_>>()
    };
    let bulks = of(etl_role);
    assert!(!bulks.is_empty() && bulks.iter().all(|passage| *passage == ("POST /_bulk", 200)), "{bulks:?}");
    let setup = of(setup_role);
    let is_setup =
        |request: &str| request.contains(" /_plugins/_security/api/") || request.contains(" /_index_template/");
    assert!(!setup.is_empty() && setup.iter().all(|(request, status)| is_setup(request) && *status < 300), "{setup:?}");

    // Inside the node the function's role is what the setup made it: one pattern of indices, and no administrator.
    let name = format!("{stack}-{}", pattern.trim_end_matches("-*"));
    let ask = |path: &str| rig.node.ask("GET", &format!("/_plugins/_security/api/{path}"), &Value::Null).unwrap();
    let mapped = ask(&format!("rolesmapping/{name}"))[&name]["backend_roles"].clone();
    assert_eq!(mapped, json!([format!("arn:aws:iam::000000000000:role/{etl_role}")]));
    assert_eq!(ask(&format!("roles/{name}"))[&name]["index_permissions"][0]["index_patterns"], json!([pattern]));
    assert!(!ask("rolesmapping/all_access")["all_access"]["backend_roles"].to_string().contains(etl_role));

    // A role that IAM lets pass and nobody mapped.
    let stranger = format!("{stack}-stranger");
    let statement = json!([{ "Effect": "Allow", "Action": "es:ESHttpPost", "Resource": "*" }]);
    let arn = rig.aws.create_role("/", &stranger, &statement).unwrap();
    let session = rig.aws.assume(&arn).unwrap();
    let bulk = format!("{{\"index\":{{\"_index\":\"{}\"}}}}\n{{}}\n", pattern.replace('*', "stranger"));
    let (status, answer) = rig.signed(&session, "POST", "/_bulk", &bulk).unwrap();
    assert_eq!((status, &answer["error"]["type"]), (403, &json!("security_exception")), "{answer}");
}
