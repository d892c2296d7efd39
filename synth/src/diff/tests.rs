use super::*;
use proptest::prelude::*;
use serde_json::json;

#[expect(clippy::needless_pass_by_value, reason = "called with `json!`")]
fn template(resources: Value) -> Value {
    json!({"Resources": resources})
}

fn find<'a>(diff: &'a Diff, id: &str) -> &'a ResourceDiff {
    diff.resources.iter().find(|r| r.logical_id == id).unwrap_or_else(|| panic!("{id} does not change: {diff:?}"))
}

fn bucket(name: &str) -> Value {
    json!({"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}})
}

#[test]
fn a_create_only_property_replaces_its_resource_and_another_does_not() {
    let queue = |name: &str, seconds: u32| {
        template(
            json!({"Q": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name, "VisibilityTimeout": seconds}}}),
        )
    };
    assert_eq!(find(&diff(&queue("a", 30), &queue("a", 60)), "Q").action, Action::Update);
    let replaced = diff(&queue("a", 30), &queue("b", 60));
    let queue = find(&replaced, "Q");
    assert_eq!((queue.action, queue.data), (Action::Replace, Some(Data::Deleted)));
    let effects: Vec<_> = queue.changes.iter().map(|c| (c.change.path.to_string(), c.effect)).collect();
    assert_eq!(
        effects,
        [
            ("Properties.QueueName".to_owned(), Action::Replace),
            ("Properties.VisibilityTimeout".to_owned(), Action::Update)
        ]
    );
}

#[test]
fn a_nested_create_only_property_replaces_only_when_it_is_concerned() {
    let kind = "AWS::EC2::VPCEndpoint";
    let endpoint = |options: Value| template(json!({"E": {"Type": kind, "Properties": {"DnsOptions": options}}}));
    let preferring = |what: &str| endpoint(json!({"PrivateDnsPreference": what}));
    assert_eq!(find(&diff(&preferring("a"), &preferring("b")), "E").action, Action::Replace);
    let comes = template(json!({"E": {"Type": kind}}));
    assert_eq!(find(&diff(&comes, &preferring("a")), "E").action, Action::Replace);
    assert_eq!(find(&diff(&comes, &endpoint(json!({"DnsRecordIpType": "ipv4"}))), "E").action, Action::Update);
    let computed = endpoint(json!({"Fn::If": ["X", {"PrivateDnsPreference": "a"}, {"Ref": "AWS::NoValue"}]}));
    assert_eq!(find(&diff(&comes, &computed), "E").action, Action::Replace, "behind a condition");
}

#[test]
fn the_data_of_what_goes_away_follows_from_the_policy_that_counts() {
    let keep = |policy: &str, value: &str| {
        let mut bucket = bucket("a");
        bucket[policy] = json!(value);
        template(json!({"B": bucket}))
    };
    let nothing = template(json!({}));
    assert_eq!(find(&diff(&template(json!({"B": bucket("a")})), &nothing), "B").data, Some(Data::Deleted));
    assert_eq!(find(&diff(&keep("DeletionPolicy", "Retain"), &nothing), "B").data, Some(Data::Retained));
    assert_eq!(find(&diff(&keep("DeletionPolicy", "RetainExceptOnCreate"), &nothing), "B").data, Some(Data::Retained));
    assert_eq!(find(&diff(&keep("UpdateReplacePolicy", "Retain"), &nothing), "B").data, Some(Data::Deleted));
    let topic = template(json!({"T": {"Type": "AWS::SNS::Topic"}}));
    assert_eq!(find(&diff(&topic, &nothing), "T").data, None, "a topic keeps nothing");

    let mut new = bucket("b");
    new["UpdateReplacePolicy"] = json!("Retain");
    let replaced = diff(&keep("DeletionPolicy", "Retain"), &template(json!({"B": new})));
    assert_eq!(find(&replaced, "B").data, Some(Data::Retained));
    let replaced = diff(&keep("DeletionPolicy", "Retain"), &template(json!({"B": bucket("b")})));
    assert_eq!(find(&replaced, "B").data, Some(Data::Deleted));
}

#[test]
fn what_refers_to_a_replaced_resource_changes_with_it_and_so_on() {
    let resources = |name: &str| {
        template(json!({
            "Key": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
            "Subscription": {"Type": "AWS::SNS::Subscription", "Properties": {"Protocol": "sqs", "TopicArn": {"Ref": "Key"}}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": [{"Fn::Sub": "${Key.TopicArn}"}]}},
            "Apart": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": ["KeyOther", {"Ref": "Keys"}]}},
            "Watch": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": {"Fn::Join": ["-", ["a", {"Ref": "Subscription"}]]}}},
        }))
    };
    let diff = diff(&resources("a"), &resources("b"));
    assert_eq!(find(&diff, "Key").action, Action::Replace);
    let subscription = find(&diff, "Subscription");
    assert_eq!(subscription.action, Action::Replace);
    assert_eq!(subscription.changes[0].because_of.as_deref(), Some("Key"));
    assert_eq!(find(&diff, "Alarm").action, Action::Update);
    assert_eq!(find(&diff, "Watch").action, Action::Replace, "two steps away");
    assert_eq!(find(&diff, "Watch").changes[0].change.path.to_string(), "Properties.Name");
    assert!(diff.resources.iter().all(|r| r.logical_id != "Apart"));
}

#[test]
fn a_reference_inside_of_what_changes_itself_is_not_told_twice() {
    let of = |name: &str, actions: Value| {
        template(json!({
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"AlarmActions": actions}},
        }))
    };
    let diff = diff(&of("a", json!([])), &of("b", json!([{"Ref": "Topic"}])));
    let changes = &find(&diff, "Alarm").changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert_eq!(changes[0].because_of, None);
}

#[test]
fn a_circle_of_references_ends() {
    let resources = |name: &str| {
        let queue = |other: &str| json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": format!("{name}-${{{other}}}")}}});
        template(json!({"A": queue("B"), "B": queue("A")}))
    };
    let diff = diff(&resources("x"), &resources("y"));
    assert_eq!(diff.resources.iter().map(|r| r.action).collect::<Vec<_>>(), [Action::Replace, Action::Replace]);
}

#[test]
fn a_change_of_type_is_one_that_cloudformation_refuses() {
    let before = template(json!({"A": {"Type": "AWS::SQS::Queue"}}));
    let after = template(json!({"A": {"Type": "AWS::SNS::Topic"}}));
    assert_eq!(find(&diff(&before, &after), "A").action, Action::Refuse);
}

#[test]
fn what_the_template_only_says_about_a_resource_does_not_touch_it() {
    let before = template(json!({"B": bucket("a")}));
    let mut after = before.clone();
    after["Resources"]["B"]["Metadata"] = json!({"note": 1});
    after["Resources"]["B"]["DependsOn"] = json!(["X"]);
    let diff = diff(&before, &after);
    assert_eq!(find(&diff, "B").action, Action::Annotate);
    assert!(!diff.is_empty());
}

#[test]
fn a_type_without_a_table_says_that_it_is_not_known() {
    let of = |x: u32| template(json!({"A": {"Type": "AWS::Nowhere::Thing", "Properties": {"X": x}}}));
    assert_eq!(find(&diff(&of(1), &of(2)), "A").action, Action::Unknown);
}

#[test]
fn permissions_are_widened_and_narrowed_action_by_action() {
    let role = |statements: Value| {
        template(json!({"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [
            {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
        ]}}}))
    };
    let bucket = json!({"Fn::Join": ["", [{"Fn::GetAtt": ["Logs", "Arn"]}, "/*"]]});
    let before = role(json!([
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": bucket},
        {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
    ]));
    let after = role(json!([{"Effect": "Allow", "Action": ["s3:DeleteObject", "s3:GetObject"], "Resource": [bucket]}]));
    let diff = diff(&before, &after);
    let shown = |list: &[Permission]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&diff.widened), ["Role may s3:DeleteObject on ${Logs.Arn}/*", "Role may not s3:PutObject on *"]);
    assert_eq!(shown(&diff.narrowed), ["Role may s3:ListBucket on ${Logs.Arn}/*"]);
}

#[test]
fn permissions_are_read_wherever_a_policy_stands() {
    let after = template(json!({
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement":
            {"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:x"}}}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {
            "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}, "Action": "sts:AssumeRole"}]}}},
        "Invoke": {"Type": "AWS::Lambda::Permission", "Properties": {"Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "F"},
            "Principal": "sns.amazonaws.com", "SourceArn": {"Ref": "Topic"}}},
        "Access": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"PolicyDocument": {"Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "q", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}}},
    }));
    let diff = diff(&template(json!({})), &after);
    let shown = |list: &[Permission]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        shown(&diff.widened),
        [
            "${Role} may all but iam:* on all but arn:x",
            "Role may everything on what the policy arn:aws:iam::aws:policy/ReadOnlyAccess says",
            "lambda.amazonaws.com may sts:AssumeRole on Role",
            r#"sns.amazonaws.com may lambda:InvokeFunction on ${F} if {"SourceArn":{"Ref":"Topic"}}"#,
        ]
    );
    assert_eq!(shown(&diff.narrowed), [r#"* may not sqs:* on q if {"Bool":{"aws:SecureTransport":"false"}}"#]);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z{}\\[\\]\":]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("(Ref|Key|Value|Fn::GetAtt|Statement|Properties|Type|[A-Z]{1,2})", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn equal_templates_have_no_difference(value in json_value()) {
        let template = json!({"Resources": {"A": value}, "Outputs": value});
        let found = diff(&template, &template);
        prop_assert_eq!(found, Diff::default());
    }

    /// Nothing that differs goes unsaid, whatever the two documents are, and no document is too odd to print.
    #[test]
    fn different_templates_have_a_difference(a in json_value(), b in json_value()) {
        let of = |value: &Value| json!({"Resources": {"A": value}, "Conditions": value});
        let found = diff(&of(&a), &of(&b));
        prop_assert_eq!(found.sections.is_empty(), a == b);
        prop_assert!(a == b || !found.is_empty());
        let _ = (render::text("s", &found), render::markdown("s", &found));
    }

    /// What is added one way is removed the other way, and a change is told from both sides.
    #[test]
    fn the_way_back_has_as_many_places(a in json_value(), b in json_value()) {
        let there = compare::changes(&Path::default(), &a, &b).len();
        let back = compare::changes(&Path::default(), &b, &a).len();
        prop_assert_eq!(there == 0, back == 0);
    }
}
