//! Stacks as they become templates.

use constructs::asset::FunctionCode;
use constructs::cfn::{Ref, cloudformation, iam as cfn_iam, intrinsic, kms, lambda, s3, sns, sqs};
use constructs::iam::{PolicyDocument, Principal, Statement};
use constructs::{
    App, Condition, Construct, Mapping, Output, Parameter, Problem, Scope, Stack, Template, UpdateReplacePolicy,
};
use serde_json::{Value as Json, json};

/// The template of a stack that nothing is wrong with.
fn template(stack: &Stack) -> Template {
    let synthesis = stack.synth();
    assert_eq!(synthesis.problems, Vec::<Problem>::new());
    synthesis.template().expect("nothing is wrong with it")
}

fn resources(stack: &Stack) -> Json {
    template(stack).as_json()["Resources"].clone()
}

/// A construct of two resources, as users write them.
struct Inbox;

struct InboxHandle {
    queue: Ref<sqs::Queue>,
}

impl Construct for Inbox {
    type Handle = InboxHandle;

    fn build(self, scope: &mut Scope<'_>) -> InboxHandle {
        let dead = scope.add("DeadLetters", sqs::Queue::new());
        let redrive = json!({"deadLetterTargetArn": dead.arn(), "maxReceiveCount": 5});
        InboxHandle { queue: scope.add("Resource", sqs::Queue::new().redrive_policy(redrive)) }
    }
}

fn role(scope: &mut Scope<'_>) -> Ref<cfn_iam::Role> {
    let trust = PolicyDocument::assumed_by("lambda.amazonaws.com");
    scope.add("Role", cfn_iam::Role::new().assume_role_policy_document(trust))
}

#[test]
fn a_whole_stack_is_the_template_that_one_expects() {
    let mut stack = Stack::new("orders").description("takes orders").tag("team", "logs");
    let mut scope = stack.scope();
    let inbox = scope.add("Inbox", Inbox);
    let days = Parameter::number().default_value(4).min_value(1).max_value(14).group("Queues").label("Days");
    let days = scope.parameter("Days", days);
    let stage = scope.parameter("Stage", Parameter::string().allowed_values(["test", "prod"]));
    let sizes = scope.mapping("Sizes", Mapping::new().entry("prod", "seconds", 60).entry("test", "seconds", 5));
    let in_prod = scope.condition("InProd", Condition::equals(stage.text(), "prod"));
    let spare = sqs::Queue::new()
        .message_retention_period(days.number())
        .delay_seconds(sizes.find(stage.text(), "seconds"))
        .receive_message_wait_time_seconds(in_prod.if_(20, intrinsic::no_value()));
    let spare = scope.add("Spare", spare);
    scope.options(&spare).condition(&in_prod).retain().metadata("why", json!("a spare")).depends_on(&inbox.queue);
    scope.metadata("Purpose", json!({"b": 1, "a": 2}));
    let url = Output::new(inbox.queue.ref_()).description("where to send");
    scope.output("Url", url.export(intrinsic::sub("${AWS::StackName}-Url")));
    scope.output("SpareUrl", Output::new(spare.ref_()).condition(&in_prod));
    let expected = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "takes orders",
        "Metadata": {
            "AWS::CloudFormation::Interface": {
                "ParameterGroups": [{"Label": {"default": "Queues"}, "Parameters": ["Days"]}],
                "ParameterLabels": {"Days": {"default": "Days"}},
            },
            "Purpose": {"a": 2, "b": 1},
        },
        "Parameters": {
            "Days": {"Type": "Number", "Default": 4, "MinValue": 1, "MaxValue": 14},
            "Stage": {"Type": "String", "AllowedValues": ["test", "prod"]},
        },
        "Mappings": {"Sizes": {"prod": {"seconds": 60}, "test": {"seconds": 5}}},
        "Conditions": {"InProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
        "Resources": {
            "InboxA8E05DC3": {
                "Type": "AWS::SQS::Queue",
                "Properties": {"RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["InboxDeadLettersC5D22791", "Arn"]},
                    "maxReceiveCount": 5,
                }},
            },
            "InboxDeadLettersC5D22791": {"Type": "AWS::SQS::Queue"},
            "Spare": {
                "Type": "AWS::SQS::Queue",
                "Condition": "InProd",
                "DependsOn": ["InboxA8E05DC3"],
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Metadata": {"why": "a spare"},
                "Properties": {
                    "DelaySeconds": {"Fn::FindInMap": ["Sizes", {"Ref": "Stage"}, "seconds"]},
                    "MessageRetentionPeriod": {"Ref": "Days"},
                    "ReceiveMessageWaitTimeSeconds": 20,
                },
            },
        },
        "Outputs": {
            "SpareUrl": {"Condition": "InProd", "Value": {"Ref": "Spare"}},
            "Url": {
                "Description": "where to send",
                "Value": {"Ref": "InboxA8E05DC3"},
                "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-Url"}},
            },
        },
    });
    let template = template(&stack);
    assert_eq!(template.as_json(), &expected);
    assert_eq!(template.to_json(), format!("{expected:#}\n"), "also in the order of members");
    assert_eq!(template.tags()["team"], "logs");
}

#[test]
fn the_same_stack_is_the_same_bytes_whatever_the_order_of_its_code() {
    fn build(order: [usize; 4]) -> String {
        let mut stack = Stack::new("same");
        let mut scope = stack.scope();
        let role = role(&mut scope);
        for part in order {
            match part {
                0 => drop(scope.add("B", Inbox)),
                1 => drop(scope.add("A", sqs::Queue::new().queue_name("q").delay_seconds(1))),
                2 => scope.allow(&role, Statement::allow(["sqs:SendMessage"]).on(["arn:aws:sqs:::a"])),
                _ => scope.allow(&role, Statement::allow(["kms:Decrypt"]).on(["arn:aws:kms:::b", "arn:aws:kms:::a"])),
            }
        }
        template(&stack).to_json()
    }
    let text = build([0, 1, 2, 3]);
    assert_eq!(text, build([0, 1, 2, 3]));
    assert_eq!(text, build([3, 2, 1, 0]));
}

#[test]
fn grants_of_a_role_are_one_policy_below_it() {
    let mut stack = Stack::new("grants");
    let mut scope = stack.scope();
    let role = role(&mut scope);
    let queue = scope.add("Queue", sqs::Queue::new());
    scope.allow(&role, Statement::allow(["sqs:SendMessage"]).on([queue.arn()]));
    scope.allow(&role, Statement::allow(["sqs:GetQueueUrl"]).on([queue.arn()]));
    let stack_of_it = scope.add("After", cloudformation::WaitConditionHandle::new());
    scope.options(&stack_of_it).depends_on_grants_of(&role).depends_on_policy_of(&queue);
    let policy = json!({
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyName": "RoleDefaultPolicy5FFB7DAB",
            "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Action": ["sqs:GetQueueUrl", "sqs:SendMessage"],
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
            }]},
        },
    });
    let resources = resources(&stack);
    assert_eq!(resources["RoleDefaultPolicy5FFB7DAB"], policy);
    assert_eq!(resources["After"]["DependsOn"], json!(["RoleDefaultPolicy5FFB7DAB"]), "the queue has no policy");
}

#[test]
fn what_is_said_of_a_resource_goes_where_its_policy_goes() {
    let mut stack = Stack::new("policies");
    let mut scope = stack.scope();
    let from_s3 = |action: &str| Statement::allow([action]).on(["*"]).by(Principal::service("s3.amazonaws.com"));
    let bucket = scope.add("Bucket", s3::Bucket::new());
    let topic = scope.add("Topic", sns::Topic::new());
    let own = PolicyDocument::new([Statement::allow(["kms:*"]).on(["*"]).by(Principal::this_account())]);
    let key = scope.add("Key", kms::Key::new().key_policy(own));
    scope.allow_on(&bucket, from_s3("s3:PutObject"));
    scope.allow_on(&topic, from_s3("sns:Publish"));
    scope.allow_on(&key, from_s3("kms:Decrypt"));
    scope.options(&bucket).depends_on_policy_of(&topic);
    let resources = resources(&stack);
    let of = |type_name: &str| {
        let mut all = resources.as_object().unwrap().values().filter(|r| r["Type"] == type_name);
        all.next().unwrap()["Properties"].clone()
    };
    assert_eq!(of("AWS::S3::BucketPolicy")["Bucket"], json!({"Ref": "Bucket"}));
    assert_eq!(of("AWS::SNS::TopicPolicy")["Topics"], json!([{"Ref": "Topic"}]));
    assert_eq!(of("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"][0]["Action"], "sns:Publish");
    assert_eq!(
        of("AWS::KMS::Key")["KeyPolicy"]["Statement"].as_array().unwrap().len(),
        2,
        "its own, and the one added"
    );
    assert!(resources["Bucket"]["DependsOn"][0].as_str().unwrap().starts_with("TopicPolicy"));
}

#[test]
fn what_exists_only_where_a_condition_holds_takes_its_policies_and_grants_along() {
    let mut stack = Stack::new("conditional");
    let mut scope = stack.scope();
    let given = scope.parameter("TopicArn", Parameter::string().default_value(""));
    let made = scope.condition("Made", Condition::equals(given.text(), ""));
    let role = role(&mut scope);
    let mut own = scope.only_if(&made);
    let topic = own.add("Topic", sns::Topic::new());
    own.allow_on(&topic, Statement::allow(["sns:Publish"]).on([topic.ref_()]).by(Principal::this_account()));
    own.allow(&role, Statement::allow(["sns:Publish"]).on([topic.ref_()]));
    let arn = made.if_(topic.ref_(), given.arn::<sns::Topic>());
    let email = |scope: &mut Scope<'_>| {
        let subscription = sns::Subscription::new().protocol("email").endpoint("a@b").topic_arn(arn.clone());
        scope.add("Email", subscription)
    };
    let inner = own.condition("Inner", Condition::equals("a", "b"));
    email(&mut own.only_if(&inner));
    scope.allow(&role, Statement::allow(["sns:Subscribe"]).on(["*"]));

    let template = template(&stack);
    let (resources, conditions) = (&template.as_json()["Resources"], &template.as_json()["Conditions"]);
    assert_eq!((&resources["Topic"]["Condition"], &resources["Role"].get("Condition")), (&json!("Made"), &None));
    let policy = resources.as_object().unwrap().values().find(|r| r["Type"] == "AWS::SNS::TopicPolicy").unwrap();
    assert_eq!(policy["Condition"], "Made");
    assert!(policy["Properties"].to_string().find("Fn::If").is_none(), "{policy}");
    let (_, grants) = template.resources_of("AWS::IAM::Policy").next().unwrap();
    let publish = json!({"Fn::If": [
        "Made",
        {"Action": "sns:Publish", "Effect": "Allow", "Resource": {"Ref": "Topic"}},
        {"Ref": "AWS::NoValue"},
    ]});
    let statements = grants["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
    assert!(statements.len() == 2 && statements.contains(&publish), "{grants}");
    assert_eq!((&resources["Email"]["Condition"], grants.get("Condition")), (&json!("MadeAndInner"), None));
    assert_eq!(conditions["MadeAndInner"], json!({"Fn::And": [{"Condition": "Made"}, {"Condition": "Inner"}]}));
}

#[test]
fn a_choice_is_taken_where_its_condition_is_that_of_the_resource() {
    let mut stack = Stack::new("taken");
    let mut scope = stack.scope();
    let made = scope.condition("Made", Condition::equals("a", "b"));
    let (delay, name) = (made.if_::<i64>(1, made.if_::<i64>(2, 3)), made.if_::<String>("made", "given"));
    let queue = sqs::Queue::new().delay_seconds(delay).queue_name(name);
    scope.only_if(&made).add("Queue", queue.clone());
    scope.add("Other", queue);
    let resources = resources(&stack);
    assert_eq!(resources["Queue"]["Properties"], json!({"DelaySeconds": 1, "QueueName": "made"}));
    assert_eq!(resources["Other"]["Properties"]["QueueName"], json!({"Fn::If": ["Made", "made", "given"]}));
}

#[test]
fn a_dependency_that_a_reference_implies_is_left_out() {
    let mut stack = Stack::new("implied");
    let mut scope = stack.scope();
    let topic = scope.add("Topic", sns::Topic::new());
    let queue = scope.add("Queue", sqs::Queue::new());
    let name = sns::Subscription::new().protocol("sqs").topic_arn(topic.ref_()).endpoint("x");
    let subscription = scope.add("Subscription", name);
    scope.options(&subscription).depends_on(&topic).depends_on(&queue);
    assert_eq!(resources(&stack)["Subscription"]["DependsOn"], json!(["Queue"]));
}

#[test]
fn an_overridden_logical_id_is_followed_everywhere() {
    let mut stack = Stack::new("moved");
    let mut scope = stack.scope();
    let queue = scope.add("Queue", sqs::Queue::new());
    let role = role(&mut scope);
    scope.allow(&role, Statement::allow(["sqs:SendMessage"]).on([intrinsic::sub("${Queue.Arn}")]));
    let topic = scope.add("Topic", sns::Topic::new().display_name(intrinsic::join("-", [queue.ref_()])));
    let other = scope.add("Other", sns::Topic::new());
    scope.options(&other).depends_on(&queue).update_replace_policy(UpdateReplacePolicy::Delete);
    scope.options(&topic).depends_on(&queue);
    scope.options(&queue).override_logical_id("Before");
    scope.output("Url", Output::new(queue.ref_()));
    let text = template(&stack).to_json();
    assert!(!text.contains("\"Queue\"") && !text.contains("${Queue"), "{text}");
    assert!(text.contains("${Before.Arn}") && text.contains("\"DependsOn\": [\n        \"Before\""), "{text}");
}

#[test]
fn any_property_can_be_set_after_the_fact() {
    let mut stack = Stack::new("override");
    let mut scope = stack.scope();
    let tags = [constructs::cfn::Tag::new("a", "b"), constructs::cfn::Tag::new("c", "d")];
    let queue = scope.add("Queue", sqs::Queue::new().queue_name("q").tags(tags));
    scope
        .options(&queue)
        .override_property("Tags.0.Value", json!("x"))
        .override_property("Tags.1", Json::Null)
        .override_property("QueueName", Json::Null)
        .override_property("RedrivePolicy.maxReceiveCount", json!(3));
    let expected = json!({"Tags": [{"Key": "a", "Value": "x"}], "RedrivePolicy": {"maxReceiveCount": 3}});
    assert_eq!(resources(&stack)["Queue"]["Properties"], expected);
}

#[test]
fn functions_of_a_kind_share_the_parameters_of_their_code() {
    let mut stack = Stack::new("code");
    let mut scope = stack.scope();
    let role = role(&mut scope);
    for id in ["One", "Two"] {
        let code = FunctionCode::of_kind(&mut scope, "Etl");
        let from = lambda::function::Code::new().s3_bucket(code.bucket).s3_key(code.key);
        let function = scope.add(id, lambda::Function::new().code(from).role(role.arn()));
        let version = lambda::Version::new().function_name(function.ref_()).code_sha256(code.sha256);
        scope.add(&format!("{id}Version"), version);
    }
    let template = template(&stack);
    let parameters = template.as_json()["Parameters"].as_object().unwrap();
    assert_eq!(parameters.keys().collect::<Vec<_>>(), ["CodeBucket", "EtlCodeKey", "EtlCodeSha256"]);
    assert_eq!(template.resources_of("AWS::Lambda::Version").count(), 2);
}

#[test]
fn stacks_of_an_app_have_names_of_their_own() {
    let app = App::new([Stack::new("b"), Stack::new("a"), Stack::new("b")]);
    assert_eq!(app.stacks().iter().map(|s| s.name()).collect::<Vec<_>>(), ["a", "b", "b"]);
    assert!(app.stack("a").is_some() && app.stack("c").is_none());
    assert_eq!(app.problems().len(), 1);
    assert_eq!(app.problems()[0].to_string(), "error[CFN004] at b: two stacks are called `b`");
}
