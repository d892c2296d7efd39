//! Every kind of problem, as it is told.

use constructs::cfn::{Ref, iam as cfn_iam, intrinsic, kinesis, lambda, sns, sqs};
use constructs::iam::{PolicyDocument, Statement};
use constructs::{
    Condition, Construct, Mapping, Output, Parameter, Scope, Severity, Stack, Untyped, check_template, codes,
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// What is said of a stack that is built so.
fn said(build: impl FnOnce(&mut Scope<'_>)) -> Vec<String> {
    let mut stack = Stack::new("logs");
    build(&mut stack.scope());
    stack.synth().problems.iter().map(ToString::to_string).collect()
}

fn queue() -> sqs::Queue {
    sqs::Queue::new()
}

/// A construct that adds two.
struct Two;

impl Construct for Two {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        scope.add("Resource", queue());
        scope.add("Other", queue());
    }
}

/// A stack, and all that is said of it.
type Case = (fn(&mut Scope<'_>), &'static [&'static str]);

const CASES: &[Case] = &[
    (
        |scope| {
            scope.add("Inbox", Two);
            scope.add("Inbox", Two);
        },
        &["error[CFN001] at logs/Inbox: two constructs have the id `Inbox` here\n  help: give one of them another id"],
    ),
    (
        |scope| {
            scope.add("Default", queue());
        },
        &["error[CFN002] at logs/Default: no logical id can be made from this path\n  \
             help: use letters or digits, and not `Default` alone"],
    ),
    (
        |scope| {
            scope.add("AB", queue());
            scope.add("A-B", queue());
        },
        &["error[CFN003] at logs/A-B: its logical id `AB` is also that of logs/AB\n  help: rename one of them"],
    ),
    (
        |scope| {
            let queue = scope.add("Queue", queue().queue_name(intrinsic::region()));
            scope.options(&queue).override_property("QueueName.Ref", json!("x"));
        },
        &["error[CFN005] at logs/Queue: `QueueName.Ref` cannot be overridden: there is no way through `Ref`"],
    ),
    (
        |scope| {
            scope.add("Queue", queue().queue_name(intrinsic::reference("Queu")));
            scope.output("Arn", Output::new(intrinsic::get_att("Topic", "Arn")));
        },
        &[
            "error[CFN010] at logs/Arn: Value refers to `Topic`, which is not a resource",
            "error[CFN010] at logs/Queue: Properties.QueueName refers to `Queu`, which is neither a resource nor a parameter\n  \
             help: did you mean `Queue`?",
        ],
    ),
    (
        |scope| {
            let queue = scope.add("Queue", queue());
            scope.output("Arn", Output::new(queue.attribute::<String>("Url")));
        },
        &["error[CFN011] at logs/Arn: Value asks for `Url` of `Queue`: AWS::SQS::Queue has no such attribute\n  \
             help: it has `QueueUrl`, `Arn`, `QueueName`"],
    ),
    (
        |scope| {
            let a: Ref<sqs::Queue> = Ref::new("A");
            let b = scope.add("B", queue().queue_name(a.ref_()));
            scope.add("A", queue().redrive_policy(json!({"deadLetterTargetArn": b.arn()})));
        },
        &[
            "error[CFN012] at logs/A: these resources need each other: logs/A (Properties.RedrivePolicy.deadLetterTargetArn) -> \
             logs/B (Properties.QueueName) -> logs/A\n  help: let one of them refer to the other by a name instead, or move the \
             reference into a policy of its own",
        ],
    ),
    (
        |scope| {
            scope
                .add("Bad", queue().with("VisibilityTimeot", 5).with("VisibilityTimeout", 50_000).with("Tags", "none"));
            scope.add("Stream", kinesis::Stream::new().name("no spaces"));
            let document = PolicyDocument::assumed_by("lambda.amazonaws.com");
            let role = scope.add("Role", cfn_iam::Role::new().assume_role_policy_document(document));
            scope.options(&role).override_property("AssumeRolePolicyDocument", Json::Null);
            let code = lambda::function::Code::new().s3_bucket("code");
            let runtime = lambda::function::Runtime::Unlisted("provided.al2032".into());
            let function = lambda::Function::new().code(code).role(role.arn()).runtime(runtime);
            let tag = || constructs::cfn::Tag::new("a", "b");
            scope.add("Function", function.description("x".repeat(300)).tags([tag(), tag()]));
            let alarm = constructs::cfn::cloudwatch::Alarm::new()
                .comparison_operator(constructs::cfn::cloudwatch::alarm::ComparisonOperator::GreaterThanThreshold)
                .evaluation_periods(1);
            scope.add("Alarm", alarm);
        },
        &[
            "error[CFN028] at logs/Alarm: AWS::CloudWatch::Alarm: exactly one of `Metrics`, `MetricName`",
            "error[CFN022] at logs/Bad: Tags: a list is wanted, `\"none\"` is given\n  help: see https://docs.aws.amazon.com/",
            "error[CFN021] at logs/Bad: VisibilityTimeot: AWS::SQS::Queue has no such property\n  \
             help: did you mean `VisibilityTimeout`?",
            "error[CFN026] at logs/Bad: VisibilityTimeout: 50000 is not within 0 to 43200\n  help: see https://docs.aws.amazon.com/",
            "error[CFN025] at logs/Function: Description: at most 256 characters are allowed, 300 are given\n  help: see https:",
            "error[CFN027] at logs/Function: Tags.1: it is the same as item 0\n  help: see https:",
            "error[CFN020] at logs/Role: AssumeRolePolicyDocument: AWS::IAM::Role requires it\n  help: see https:",
            "error[CFN024] at logs/Stream: Name: `no spaces` does not match `^[a-zA-Z0-9_.-]+$`\n  help: see https:",
            "warning[CFN023] at logs/Function: Runtime: `provided.al2032` is none of the",
        ],
    ),
    (
        |scope| {
            scope.parameter("Size", Parameter::number());
            scope.mapping("Sizes", Mapping::new().entry("a", "b", 1));
            scope.condition("Never", Condition::equals("a", "b"));
        },
        &[
            "error[CFN030] at logs/Never: nothing uses the condition `Never`\n  help: use it, or leave it out",
            "error[CFN030] at logs/Size: nothing uses the parameter `Size`\n  help: use it, or leave it out",
            "error[CFN030] at logs/Sizes: nothing uses the mapping `Sizes`\n  help: use it, or leave it out",
        ],
    ),
    (
        |scope| {
            let size = scope.parameter("Size", Parameter::number().min_value(3).default_value(2));
            scope.parameter("Size", Parameter::string());
            let one = scope.condition("One", Condition::and([Condition::equals(size.text(), "1")]));
            scope.output("no-name", Output::new("x").condition(&one));
        },
        &[
            "error[CFN031] at logs: parameter `Size`: the default `2` is less than the least, or greater than the most",
            "error[CFN032] at logs: the parameter `Size` is defined a second time, and differently\n  \
             help: give one of them another name",
            "error[CFN033] at logs: condition `One`: `And` and `Or` take 2 to 10 conditions, not 1",
            "error[CFN034] at logs: the name of the output `no-name` is refused\n  help: use letters and digits, at most 255",
        ],
    ),
    (
        |scope| {
            let elsewhere: Ref<cfn_iam::Role> = Ref::new("Elsewhere");
            scope.allow(&elsewhere, Statement::allow(["sqs:SendMessage"]));
            scope.options(&elsewhere).retain();
        },
        &[
            "error[CFN040] at logs: a grant to `Elsewhere`: it has no resources",
            "error[CFN041] at logs: a grant for `Elsewhere`, which is not a resource of this stack",
            "error[CFN041] at logs: options for `Elsewhere`, which is not a resource of this stack",
        ],
    ),
];

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_a_way_out() {
    for (build, expected) in CASES {
        let said = said(build);
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(*expected) {
            assert!(said.starts_with(expected), "said:     {said}\nexpected: {expected}");
        }
    }
}

#[test]
fn quotas_are_counted() {
    let many = |scope: &mut Scope<'_>| {
        for n in 0..501 {
            scope.add(&format!("Queue{n}"), queue().queue_name(format!("a-name-that-makes-it-long-{n}")));
        }
        for n in 0..201 {
            scope.output(&format!("Output{n}"), Output::new("x"));
        }
    };
    let all = said(many);
    let expected = ["error[CFN013] at logs: 501 resources, 500 are allowed", "error[CFN013] at logs: 201 outputs, 200"];
    assert!(all.len() == 3 && expected.iter().all(|e| all.iter().any(|s| s.starts_with(e))), "{all:#?}");
    assert!(all[2].starts_with("warning[CFN014] at logs: the template has"), "{all:#?}");
    let large = said(|scope| {
        let text = "x".repeat(1_100_000);
        scope.metadata("text", json!(text));
    });
    assert!(large.len() == 1 && large[0].starts_with("error[CFN013]"), "{large:#?}");
    let long = Stack::new("long").description(&"x".repeat(1025)).synth();
    assert_eq!(long.problems.len(), 1);
}

#[test]
fn names_of_stacks_are_checked() {
    for name in ["", "1a", "a_b", "ä"] {
        let synthesis = Stack::new(name).synth();
        assert_eq!(synthesis.problems[0].code.id, "CFN004", "{name}");
        assert!(synthesis.template().is_err());
    }
}

#[test]
fn a_warning_keeps_no_template_back() {
    let mut stack = Stack::new("logs");
    let code = lambda::function::Code::new().zip_file("x");
    let runtime = lambda::function::Runtime::Unlisted("rust1.x".into());
    stack.add("Function", lambda::Function::new().code(code).role("arn:aws:iam::1:role/r").runtime(runtime));
    let synthesis = stack.synth();
    assert!(synthesis.problems.iter().any(|p| p.severity == Severity::Warning));
    let errors: Vec<_> = synthesis.problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.iter().all(|p| p.code == codes::PATTERN), "the account is too short: {errors:?}");
    assert_eq!(synthesis.draft().resources_of("AWS::Lambda::Function").count(), 1);
}

#[test]
fn a_type_that_we_do_not_have_is_left_to_cloudformation() {
    let untyped = |scope: &mut Scope<'_>| {
        let set = scope.add("Set", Untyped::new("AWS::WAFv2::IPSet", json!({"Addresses": []})));
        scope.output("Arn", Output::new(set.attribute::<String>("Arn")));
    };
    assert_eq!(said(untyped), Vec::<String>::new());
}

#[test]
fn references_inside_conditions_and_to_what_only_looks_like_one_are_told_apart() {
    let template = json!({
        "Parameters": {"Stage": {"Type": "String"}},
        "Conditions": {
            "Prod": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]},
            "Not": {"Fn::Not": [{"Condition": "Prod"}]},
            "Bad": {"Fn::And": [{"Condition": "Prode"}, {"Fn::Equals": [{"Ref": "Queue"}, "x"]}]},
        },
        "Resources": {"Queue": {
            "Type": "AWS::SQS::Queue",
            "Condition": "Not",
            "DependsOn": "Nothing",
            "Properties": {"Tags": {"Fn::If": ["Bad", [{"Key": "${Text}", "Value": {"Fn::Sub": "${!Text}"}}], {"Ref": "AWS::NoValue"}]}},
        }},
    });
    let said: Vec<String> = check_template("file", &template).iter().map(ToString::to_string).collect();
    let expected = [
        "error[CFN010] at file/Bad: `Queue` is not a parameter, and a condition can refer to nothing else",
        "error[CFN010] at file/Bad: `Prode` is not a condition\n  help: did you mean `Prod`?",
        "error[CFN010] at file/Queue: DependsOn refers to `Nothing`, which is not a resource",
    ];
    assert_eq!(said, expected);
}

#[test]
fn every_code_has_a_case() {
    let mut shown: BTreeSet<String> = CASES.iter().flat_map(|(build, _)| said(build)).map(|s| code_of(&s)).collect();
    // These need a stack of their own; the tests above show them.
    shown.extend([codes::STACK_NAME, codes::LIMIT, codes::LARGE_TEMPLATE].map(|code| code.id.to_owned()));
    // Those of pipelines are shown beside the patterns.
    let all: BTreeSet<String> =
        codes::ALL.iter().map(|code| code.id.to_owned()).filter(|id| id.as_str() < "CFN050").collect();
    assert_eq!(shown, all);
}

fn code_of(said: &str) -> String {
    said.split(['[', ']']).nth(1).unwrap_or_default().to_owned()
}

#[test]
fn no_template_however_odd_makes_the_check_panic() {
    let mut stack = Stack::new("odd");
    let mut scope = stack.scope();
    let stage = scope.parameter("Stage", Parameter::string());
    let prod = scope.condition("Prod", Condition::equals(stage.text(), "prod"));
    let sizes = scope.mapping("Sizes", Mapping::new().entry("a", "b", 1));
    let topic = scope.add("Topic", sns::Topic::new().display_name(intrinsic::sub("${Stage}")));
    let subscription = sns::Subscription::new().protocol("sqs").topic_arn(topic.ref_()).endpoint(topic.topic_name());
    let subscription =
        scope.add("Subscription", subscription.raw_message_delivery(prod.if_(true, sizes.find("a", "b"))));
    let spare = scope.condition("Spare", Condition::equals(stage.text(), "spare"));
    scope.options(&subscription).condition(&spare);
    scope.output("Out", Output::new(topic.ref_()).export("x").condition(&prod));
    let template = stack.synth().template().unwrap().as_json().clone();
    let mut places = vec![];
    pointers(&template, String::new(), &mut places);
    assert!(places.len() > 40, "{}", places.len());
    let odd = [
        json!(null),
        json!(0),
        json!(-1.5),
        json!(""),
        json!("${"),
        json!("${}"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"Ref": 1}),
        json!({"Ref": "Topic"}),
        json!({"Fn::GetAtt": []}),
        json!({"Fn::GetAtt": [1]}),
        json!({"Fn::GetAtt": "."}),
        json!({"Fn::Sub": ["${a.b}", 1]}),
        json!({"Fn::If": []}),
        json!({"Fn::If": ["Prod"]}),
        json!({"Fn::FindInMap": [{}]}),
        json!({"Fn::": null}),
        json!({"Condition": "Prod"}),
        json!({"Type": "Custom::X"}),
    ];
    let mut told = 0;
    for place in &places {
        for odd in &odd {
            let mut changed = template.clone();
            *changed.pointer_mut(place).unwrap() = odd.clone();
            told += check_template("odd", &changed).len();
        }
    }
    assert!(told > 500, "most of these are mistakes: {told}");
}

fn pointers(json: &Json, at: String, out: &mut Vec<String>) {
    let members: Vec<(String, &Json)> = match json {
        Json::Object(members) => members.iter().map(|(k, v)| (k.replace('~', "~0").replace('/', "~1"), v)).collect(),
        Json::Array(items) => items.iter().enumerate().map(|(k, v)| (k.to_string(), v)).collect(),
        _ => vec![],
    };
    for (name, value) in members {
        pointers(value, format!("{at}/{name}"), out);
    }
    out.push(at);
}
