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
fn a_small_domain_is_a_choice_in_code() {
    let stack = stacks::cloudtrail::Cloudtrail::builder().size(stacks::Size::Small).build().stack();
    let template = template(&stack);
    assert!(template.contains("t3.small.search") && !template.contains("DedicatedMasterCount"));
}

#[test]
fn a_trail_that_is_there_already_is_read_and_not_made_again() {
    let text = template(&stacks::cloudtrail::Cloudtrail::default().stack());
    let template: serde_json::Value = serde_json::from_str(&text).unwrap();
    let resources = template["Resources"].as_object().unwrap();
    let made = |of: &str| {
        let of_condition = resources.iter().filter(|(_, resource)| resource["Condition"] == of);
        of_condition.map(|(_, resource)| resource["Type"].as_str().unwrap()).collect::<Vec<_>>()
    };
    let own = ["S3::Bucket", "S3::BucketPolicy", "SNS::Topic", "SNS::TopicPolicy", "CloudTrail::Trail"];
    assert_eq!(made("TrailIsMade"), own.map(|kind| format!("AWS::{kind}")));
    assert_eq!(made("AlarmTopicIsMade"), ["AWS::SNS::Topic", "AWS::SNS::TopicPolicy"]);
    // A key is made only for topics that are.
    assert_eq!(made("KeyIsUsed"), ["AWS::KMS::Key"]);
    // What exists always says which bucket or topic it means.
    for (id, resource) in resources.iter().filter(|(_, resource)| resource.get("Condition").is_none()) {
        let text = resource.to_string();
        for own in ["SourceBucket6F6AC926", "SourceTopicEA8DD0F4", "AlarmsTopic3A2DFEBA"] {
            let plain = text.matches(own).count();
            let chosen = [r#"IsMade",{"Ref":""#, r#"IsMade",{"Fn::GetAtt":[""#];
            let guarded: usize = chosen.iter().map(|chosen| text.matches(&format!("{chosen}{own}\"")).count()).sum();
            assert_eq!(plain, guarded, "{id}: {text}");
        }
    }
}

/// AWS's own checker, on the stacks as they are registered and as they may be chosen.
#[test]
fn cfn_lint_has_nothing_to_say() {
    let small = stacks::cloudtrail::Cloudtrail::builder().size(stacks::Size::Small).queued(true);
    let dir = tempfile::tempdir().unwrap();
    for (at, stack) in stacks::all().into_iter().chain([small.build().stack()]).enumerate() {
        let file = dir.path().join(format!("{at}.template.json"));
        fs::write(&file, template(&stack)).unwrap();
        let Some(found) = findings(&file) else { return };
        assert_eq!(found.unwrap(), [""; 0], "{}", stack.name());
    }
}
