//! The layer as its user sees it: what is built with types is the template that was written by hand.

mod pipeline;

use cfn::constraint::{Rule, check};
use cfn::schema::{Kind, Schema, ValueSchema};
use cfn::{Json, Ref, Resource, TYPES, check_resource, kinesis, lambda, resource_type, s3, sqs};
use serde_json::json;
use std::collections::BTreeMap;

/// As much of a template as these tests need.
#[derive(Default)]
struct Template {
    resources: BTreeMap<String, Json>,
    findings: Vec<String>,
}

impl Template {
    fn add<R: Resource>(&mut self, id: &str, resource: R) -> Ref<R> {
        let properties = resource.into_json();
        let found = check(R::TYPE.schema, &properties);
        self.findings.extend(found.into_iter().map(|f| format!("{id}.{}: {}", f.path, f.message)));
        self.resources.insert(id.into(), json!({"Type": R::TYPE.name, "Properties": properties}));
        Ref::new(id)
    }
}

fn by_hand() -> Json {
    serde_json::from_str(include_str!("by_hand.json")).expect("the file is JSON")
}

#[test]
fn the_typed_template_is_the_one_written_by_hand() {
    let mut template = Template::default();
    pipeline::pipeline(&mut template);
    assert_eq!(template.findings, Vec::<String>::new());
    assert_eq!(json!(template.resources), by_hand()["Resources"]);
}

#[test]
fn a_template_from_elsewhere_is_checked_by_the_tables_alone() {
    for (id, resource) in by_hand()["Resources"].as_object().unwrap() {
        let found = check_resource(resource["Type"].as_str().unwrap(), &resource["Properties"]);
        assert_eq!(found, Some(vec![]), "{id}");
    }
    assert_eq!(check_resource("AWS::Nowhere::Thing", &json!({})), None);
}

#[test]
fn every_rule_is_found_at_its_place_and_all_at_once() {
    let bad = json!({
        "BucketNam": "x",
        "BucketName": "",
        "VersioningConfiguration": {"Status": "On"},
        "AnalyticsConfigurations": [{"TagFilters": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "b"}]}],
        "LifecycleConfiguration": {"Rules": [{"ExpirationInDays": 0}]},
        "NotificationConfiguration": {"QueueConfigurations": "none"},
        "LoggingConfiguration": {"TargetObjectKeyFormat": {"SimplePrefix": {}, "PartitionedPrefix": {}}},
        "ObjectLockEnabled": {"Fn::If": ["Locked", "maybe", {"Ref": "AWS::NoValue"}]},
    });
    let found = check_resource("AWS::S3::Bucket", &bad).unwrap();
    let found: Vec<(Rule, &str)> = found.iter().map(|f| (f.rule, f.path.as_str())).collect();
    for expected in [
        (Rule::Unknown, "BucketNam"),
        (Rule::Length, "BucketName"),
        (Rule::Word, "VersioningConfiguration.Status"),
        (Rule::Unique, "AnalyticsConfigurations.0.TagFilters.1"),
        (Rule::Required, "LifecycleConfiguration.Rules.0.Status"),
        (Rule::Range, "LifecycleConfiguration.Rules.0.ExpirationInDays"),
        (Rule::Type, "NotificationConfiguration.QueueConfigurations"),
        (Rule::Group, "LoggingConfiguration.TargetObjectKeyFormat"),
        (Rule::Type, "ObjectLockEnabled"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not among {found:#?}");
    }
}

#[test]
fn what_the_compiler_cannot_see_is_found_by_the_tables() {
    let mut t = Template::default();
    t.add("Stream", kinesis::Stream::new().name("no spaces").retention_period_hours(10_000));
    t.add("Queue", sqs::Queue::new().visibility_timeout(100_000));
    let code = lambda::function::Code::new();
    let runtime = lambda::function::Runtime::Unlisted("rust1.x".into());
    t.add("Function", lambda::Function::new().code(code).role("no arn").memory_size(1).runtime(runtime));
    let runtime = t.findings.pop().unwrap();
    assert!(runtime.starts_with("Function.Runtime: `rust1.x` is none of the"), "{runtime}");
    assert_eq!(
        t.findings,
        [
            "Stream.Name: `no spaces` does not match `^[a-zA-Z0-9_.-]+$`",
            "Stream.RetentionPeriodHours: 10000 is not within 24 to 8760",
            "Queue.VisibilityTimeout: 100000 is not within 0 to 43200",
            "Function.Role: the ARN of an AWS::IAM::Role is wanted, `no arn` is given",
            "Function.MemorySize: 1 is not within 128 to 32768",
        ]
    );
}

#[test]
fn scalars_that_cloudformation_converts_are_no_finding() {
    let given = json!({"VisibilityTimeout": "60", "FifoQueue": "true", "QueueName": 12});
    assert_eq!(check_resource("AWS::SQS::Queue", &given), Some(vec![]));
    let wrong = json!({"VisibilityTimeout": 1.5});
    assert_eq!(check_resource("AWS::SQS::Queue", &wrong).unwrap()[0].rule, Rule::Type);
}

#[test]
fn a_type_says_what_replaces_it_and_what_can_be_asked_of_it() {
    assert!(s3::Bucket::TYPE.create_only.contains(&"BucketName"));
    let stack = resource_type("AWS::CloudFormation::Stack").unwrap();
    assert!(stack.has_attribute("Outputs.Endpoint") && !stack.has_attribute("Outputs."));
    assert!(resource_type("AWS::SQS::Queue").unwrap().has_attribute("QueueName"));
    assert!(TYPES.is_sorted_by(|a, b| a.name < b.name), "they are looked up by binary search");
    for known in TYPES {
        assert!(known.schema.properties.is_sorted_by(|a, b| a.name < b.name), "{}", known.name);
        assert!(known.create_only.iter().all(|path| at(known.schema, path)), "{}: {:?}", known.name, known.create_only);
    }
}

/// Whether the path leads to a property that can be written.
fn at(schema: &'static Schema, path: &str) -> bool {
    let mut steps = path.split('/').filter(|step| *step != "*");
    let Some(mut value) = steps.next().and_then(|name| schema.property(name)).map(|p| &p.value) else { return false };
    for step in steps {
        while let Kind::List(items) = value.kind {
            value = items;
        }
        match value.kind {
            Kind::Object(nested) if let Some(property) = nested.property(step) => value = &property.value,
            Kind::Json => return true,
            _ => return false,
        }
    }
    true
}

#[test]
fn every_pattern_can_be_checked() {
    fn walk(value: &ValueSchema, patterns: &mut Vec<&'static str>) {
        patterns.extend([value.pattern, value.keys]);
        match value.kind {
            Kind::Object(schema) => schema.properties.iter().for_each(|p| walk(&p.value, patterns)),
            Kind::List(items) | Kind::Map(items) => walk(items, patterns),
            _ => {}
        }
    }
    let mut patterns = vec![];
    TYPES.iter().flat_map(|t| t.schema.properties).for_each(|p| walk(&p.value, &mut patterns));
    patterns.sort_unstable();
    patterns.dedup();
    let refused: Vec<_> = patterns.iter().filter(|p| fancy_regex::Regex::new(p).is_err()).collect();
    assert!(patterns.len() > 100 && refused.is_empty(), "{refused:#?}");
}
