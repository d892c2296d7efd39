//! Every stack, as the template it becomes.
//!
//! A change here is a change to what stands in an account. Look at it with `cargo insta review`, read the diff as a deployment, and
//! say in the commit why it is wanted.

use constructs::{Severity, Stack};
use std::fs;
use tests::lint::findings;

fn template(stack: &Stack) -> String {
    let synthesis = stack.synth();
    let errors: Vec<_> = synthesis.problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    synthesis.draft().to_json()
}

#[test]
fn every_stack_is_the_template_that_was_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for stack in stacks::all() {
            insta::assert_snapshot!(format!("{}.template", stack.name()), template(&stack));
        }
    });
}

#[test]
fn the_same_code_gives_the_same_bytes() {
    let first: Vec<String> = stacks::all().iter().map(template).collect();
    let second: Vec<String> = stacks::all().iter().map(template).collect();
    assert_eq!(first, second);
}

#[test]
fn a_small_domain_and_a_database_of_places_are_a_choice_in_code() {
    let stack = stacks::cloudtrail::Cloudtrail::builder()
        .size(stacks::Size::Small)
        .geo_database("s3://places/GeoLite2-City.mmdb".to_owned())
        .build()
        .stack();
    let template = template(&stack);
    assert!(template.contains("t3.small.search") && !template.contains("DedicatedMasterCount"));
    // The role may read the database and nothing else of its bucket.
    assert!(template.contains("arn:${AWS::Partition}:s3:::places/GeoLite2-City.mmdb"));
}

/// AWS's own checker, on the stacks as they are registered and as they may be chosen.
#[test]
fn cfn_lint_has_nothing_to_say() {
    let small =
        stacks::cloudtrail::Cloudtrail::builder().size(stacks::Size::Small).geo_database("s3://b/k.mmdb".to_owned());
    let dir = tempfile::tempdir().unwrap();
    for (at, stack) in stacks::all().into_iter().chain([small.build().stack()]).enumerate() {
        let file = dir.path().join(format!("{at}.template.json"));
        fs::write(&file, template(&stack)).unwrap();
        let Some(found) = findings(&file) else { return };
        assert_eq!(found.unwrap(), [""; 0], "{}", stack.name());
    }
}
