//! What a change replaces: ours against what AWS CDK says of the same properties.

use cfn::{Replacement, resource_type};
use serde_json::Value as Json;
use std::fs;
use std::path::Path;

/// Where the two differ, and why ours stands: type, property.
const DECIDED: &[(&str, &str)] = &[
    // The registry's schema, newer than CDK's table, says that both are updated in place.
    ("AWS::Lambda::EventSourceMapping", "AmazonManagedKafkaEventSourceConfig"),
    ("AWS::Lambda::EventSourceMapping", "SelfManagedKafkaEventSourceConfig"),
    // The schema says that some changes of it replace the function: the more careful answer.
    ("AWS::Lambda::Function", "DurableConfig"),
    // S3 can lock the objects of a bucket that exists; it could not when CDK's table was made.
    ("AWS::S3::Bucket", "ObjectLockEnabled"),
    // The schema says that it may replace the subscription: the more careful answer.
    ("AWS::SNS::Subscription", "Region"),
];

#[test]
fn replacements_are_those_that_cdk_expects_but_for_the_decided() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/cdk/change-impact.json");
    let Ok(text) = fs::read_to_string(&file) else {
        return eprintln!("skipped: {} is not there", file.display());
    };
    let expected: Json = serde_json::from_str(&text).unwrap();
    let mut differ = vec![];
    for (name, properties) in expected.as_object().unwrap() {
        let Some(known) = resource_type(name) else { panic!("{name} is not among the generated types") };
        for (property, impact) in properties.as_object().unwrap() {
            let ours = match known.replacement(&[property]) {
                Replacement::Yes => "WILL_REPLACE",
                // A part of the property does.
                Replacement::Maybe if !known.conditional_create_only.contains(&property.as_str()) => "WILL_UPDATE",
                Replacement::Maybe => "MAY_REPLACE",
                Replacement::No => "WILL_UPDATE",
            };
            if impact != ours {
                differ.push((name.as_str(), property.as_str()));
            }
        }
    }
    assert_eq!(differ, DECIDED);
}

#[test]
fn a_path_is_followed_into_lists_and_up_to_what_holds_it() {
    let stream = resource_type("AWS::KinesisFirehose::DeliveryStream").unwrap();
    let deep = ["AmazonopensearchserviceDestinationConfiguration", "VpcConfiguration", "SubnetIds", "0"];
    assert_eq!(stream.replacement(&deep), Replacement::Yes);
    assert_eq!(stream.replacement(&deep[..1]), Replacement::Maybe, "part of it does");
    assert_eq!(stream.replacement(&[deep[0], "IndexName"]), Replacement::No);
    assert_eq!(stream.replacement(&["Tags", "0"]), Replacement::No);
}
