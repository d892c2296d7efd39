//! What the README shows is what the code is: its examples are files that are compiled and tested here.

#[path = "readme/resolver_queries.rs"]
#[expect(unreachable_pub, reason = "in the README it is a file of another package, whose stacks call it")]
mod resolver_queries;

use constructs::{
    Stack,
    asset::FunctionCode,
    aws::{kms::Key, opensearch::Topology},
    cfn::Value,
    patterns::{AlarmTopic, Search},
};

const README: &str = include_str!("../../README.md");

/// A block of code, without the lines of documentation and the imports that the README leaves to the file.
fn shown(file: &str, from: &str) {
    let at = file.find(from).expect("the file has the part");
    let part = file[at..].split("\n#[cfg(test)]").next().expect("there is a first part").trim_end();
    assert!(README.contains(part), "the README does not show this as it is:\n{part}");
}

#[test]
fn the_log_source_of_the_readme_makes_a_stack() {
    shown(include_str!("readme/resolver_queries.rs"), "/// What is done to a query");
    let mut stack = Stack::new("dns");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("topics").build());
    let alarms = scope.add("Alarms", AlarmTopic::builder().key(key.clone()).build());
    let code = FunctionCode::of_kind(&mut scope, "OpensearchSetup");
    let days = Value::Known(30);
    let search = Search::builder().topology(Topology::Small).code(code).log_retention_days(days.clone());
    let search = scope.add("Search", search.alarms(alarms.clone()).build());
    resolver_queries::add(&mut scope, &search, &key, &alarms, days);
    let synthesis = stack.synth();
    assert!(synthesis.problems.is_empty(), "{:#?}", synthesis.problems);
    assert!(synthesis.draft().to_json().contains("delivery.logs.amazonaws.com"));
}

#[test]
fn the_operation_of_the_readme_is_the_one_in_the_room() {
    shown(
        include_str!("../../functions/etl/src/operations/json_replace_kv.rs"),
        "/// Replaces the value of a key that exists.",
    );
}
