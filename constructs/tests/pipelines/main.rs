//! Pipelines as functions: permissions that follow from the config, triggers that can be paused, and what is refused.

mod permissions;
mod triggers;

use cfn::Value;
use constructs::{
    Condition, Parameter, Scope, Stack,
    asset::FunctionCode,
    aws::{
        firehose::DeliveryStream,
        kinesis::Stream,
        kms::{Key, KeyHandle},
        s3::Bucket,
        sns::Topic,
    },
    patterns::{Bindings, Bound, EtlFunction, Instead, PlacedConfig, Trigger},
};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::KinesisHandler,
    late::Late,
    operations::GeoIpOperation,
    serializers::Json as JsonSerializer,
    transports::Firehose,
    wrappers::{KinesisWrapper, S3Wrapper},
};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

fn pipeline(stream: Late<String>) -> PipelineConfig {
    let source = Source::builder().name("Events").deserializer(GenericJson::builder().build()).build();
    PipelineConfig::builder()
        .handler(KinesisHandler::builder().build())
        .sources(vec![source])
        .wrapper(KinesisWrapper::builder().build())
        .serializer(JsonSerializer::builder().build())
        .transport(Firehose::builder().stream_name(stream).build())
        .build()
}

fn number(n: i64) -> Value<i64> {
    Value::Known(n)
}

fn kinesis(scope: &mut Scope<'_>) -> Trigger {
    let stream = scope.add("Stream", Stream::builder().build());
    Trigger::Kinesis { stream, batch_size: number(100), batching_seconds: number(1) }
}

/// A stack with one function, and all that is said of it.
fn stack(
    trigger: impl FnOnce(&mut Scope<'_>) -> Trigger,
    config: impl FnOnce(&mut Scope<'_>, &mut Bindings) -> PipelineConfig,
) -> (Json, Vec<String>) {
    stack_that_decrypts(trigger, config, vec![])
}

/// The same, whose config may have ciphertexts of these keys.
fn stack_that_decrypts(
    trigger: impl FnOnce(&mut Scope<'_>) -> Trigger,
    config: impl FnOnce(&mut Scope<'_>, &mut Bindings) -> PipelineConfig,
    keys: Vec<KeyHandle>,
) -> (Json, Vec<String>) {
    let mut stack = Stack::new("s");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("alarms").build());
    let alarms = scope.add("Topic", Topic::builder().key(key).build());
    let mut names = Bindings::new();
    let pipeline = config(&mut scope, &mut names);
    let trigger = trigger(&mut scope);
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let function = EtlFunction::builder().pipeline(pipeline).names(names).trigger(trigger).code(code);
    let function = function.decrypt_with(keys);
    scope.add("Etl", function.description("d").log_retention_days(number(30)).alarms(alarms).build());
    let synthesis = stack.synth();
    (synthesis.draft().as_json().clone(), synthesis.problems.iter().map(ToString::to_string).collect())
}

fn to_archive(scope: &mut Scope<'_>, names: &mut Bindings) -> PipelineConfig {
    let bucket = scope.add("Archive", Bucket::builder().build());
    let delivery = scope.add("Delivery", DeliveryStream::builder().bucket(bucket).prefix("events").build());
    pipeline(names.bind("ARCHIVE", &delivery))
}

/// The resources of a type.
fn of_type<'t>(template: &'t Json, kind: &str) -> Vec<&'t Json> {
    let resources = template["Resources"].as_object().expect("resources");
    resources.values().filter(|resource| resource["Type"] == kind).collect()
}

/// What the role of the pipeline's function may do: action and resource.
fn granted(template: &Json) -> BTreeSet<(String, String)> {
    let policies = of_type(template, "AWS::IAM::Policy");
    let own = policies.iter().filter(|policy| policy["Properties"]["Roles"].to_string().contains("EtlFunctionRole"));
    let statements =
        own.flat_map(|policy| policy["Properties"]["PolicyDocument"]["Statement"].as_array().expect("a list"));
    let each = |statement: &Json| {
        let list = |member: &Json| member.as_array().cloned().unwrap_or_else(|| vec![member.clone()]);
        let actions = list(&statement["Action"]);
        let on = list(&statement["Resource"]);
        let pairs =
            actions.into_iter().flat_map(move |action| on.clone().into_iter().map(move |on| (action.clone(), on)));
        pairs.map(|(action, on)| (action.as_str().expect("text").to_owned(), on.to_string())).collect::<Vec<_>>()
    };
    statements.flat_map(each).collect()
}

#[test]
fn a_role_may_do_what_its_pipeline_needs_and_no_component_granted_anything_else() {
    let (template, problems) = stack(kinesis, to_archive);
    assert_eq!(problems, [""; 0]);
    let granted = granted(&template);
    let of = |prefix: &str| {
        granted
            .iter()
            .filter(|(action, _)| action.starts_with(prefix))
            .map(|(_, on)| on.clone())
            .collect::<BTreeSet<_>>()
    };
    let delivery = of_type(&template, "AWS::KinesisFirehose::DeliveryStream").len();
    assert_eq!((delivery, of("firehose:").len()), (1, 1), "one stream: {granted:?}");
    let actions: BTreeSet<&str> = granted.iter().map(|(action, _)| action.as_str()).collect();
    let expected = [
        // The pipeline: `Need`s of the Firehose transport.
        "firehose:PutRecordBatch",
        // Its trigger.
        "kinesis:DescribeStream",
        "kinesis:DescribeStreamSummary",
        "kinesis:GetRecords",
        "kinesis:GetShardIterator",
        "kinesis:ListShards",
        // Its log, and what failed.
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
    ];
    assert_eq!(actions, BTreeSet::from(expected));
    assert!(granted.iter().all(|(_, on)| !on.contains("\"*\"")), "{granted:?}");
}

#[test]
fn a_name_in_the_config_is_enough_for_the_arn_where_it_says_it() {
    let (template, problems) = stack(kinesis, |_, _| pipeline("archive".into()));
    assert_eq!(problems, [""; 0]);
    let arn = r#"{"Fn::Sub":"arn:${AWS::Partition}:firehose:${AWS::Region}:${AWS::AccountId}:deliverystream/archive"}"#;
    assert!(granted(&template).contains(&("firehose:PutRecordBatch".to_owned(), arn.to_owned())));
}

#[test]
fn a_function_that_reads_its_tags_may_read_them_and_of_no_other() {
    let tagged = |scope: &mut Scope<'_>, names: &mut Bindings| PipelineConfig {
        handler: KinesisHandler::builder().include_function_tags(true).build().into(),
        ..to_archive(scope, names)
    };
    let (template, problems) = stack(kinesis, tagged);
    assert_eq!(problems, [""; 0]);
    let granted = granted(&template);
    let on: Vec<&String> = granted.iter().filter(|(action, _)| action == "lambda:ListTags").map(|(_, on)| on).collect();
    let function =
        template["Resources"].as_object().unwrap().iter().find(|(_, r)| r["Type"] == "AWS::Lambda::Function");
    assert_eq!(on, [&json!({"Fn::GetAtt": [function.unwrap().0, "Arn"]}).to_string()]);
}

#[test]
fn a_need_that_cannot_be_granted_is_told() {
    let unbound = |_: &mut Scope<'_>, _: &mut Bindings| {
        let mut elsewhere = Bindings::new();
        pipeline(elsewhere.bind("NOBODY", Bound::text("x", 1)))
    };
    let (_, problems) = stack(kinesis, unbound);
    assert!(
        problems.iter().any(|p| p.starts_with("error[CFN050]") && p.contains("nothing is bound to `<NOBODY>`")),
        "{problems:#?}"
    );
    let text = |_: &mut Scope<'_>, names: &mut Bindings| pipeline(names.bind("STREAM", Bound::text("x", 1)));
    let (_, problems) = stack(kinesis, text);
    assert!(problems.iter().any(|p| p.contains("`<STREAM>` is bound to something else")), "{problems:#?}");
    let odd = |_: &mut Scope<'_>, names: &mut Bindings| pipeline(names.bind("MY-STREAM", Bound::text("x", 1)));
    let (_, problems) = stack(kinesis, odd);
    assert!(problems.iter().any(|p| p.contains("`MY-STREAM` is no name for a variable")), "{problems:#?}");
}

#[test]
fn a_pipeline_that_the_function_would_refuse_is_refused_at_synth() {
    let wrong = |scope: &mut Scope<'_>, names: &mut Bindings| PipelineConfig {
        wrapper: Some(S3Wrapper::builder().build().into()),
        ..to_archive(scope, names)
    };
    let (_, problems) = stack(kinesis, wrong);
    assert!(problems.iter().any(|p| p.starts_with("error[CFN051]") && p.contains("ETL024")), "{problems:#?}");
}

/// A function that runs one pipeline, or another where the operator chooses so.
fn chosen(one: PipelineConfig, other: impl FnOnce(&mut Bindings) -> PipelineConfig) -> (Json, Vec<String>) {
    let mut stack = Stack::new("s");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("alarms").build());
    let alarms = scope.add("Topic", Topic::builder().key(key).build());
    let mode = scope.parameter("Mode", Parameter::string().allowed_values(["a", "b"]).default_value("a"));
    let when = scope.condition("Other", Condition::equals(mode.text(), "b"));
    let mut names = Bindings::new();
    let instead = Instead { when, pipeline: other(&mut names) };
    let trigger = kinesis(&mut scope);
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let function = EtlFunction::builder().pipeline(one).instead(instead).names(names).trigger(trigger).code(code);
    scope.add("Etl", function.description("d").log_retention_days(number(30)).alarms(alarms).build());
    let synthesis = stack.synth();
    (synthesis.draft().as_json().clone(), synthesis.problems.iter().map(ToString::to_string).collect())
}

#[test]
fn of_two_pipelines_what_only_one_needs_is_granted_only_with_that_one() {
    let with_places = |names: &mut Bindings| {
        let database = names.bind("DATABASE", Bound::object(cfn::intrinsic::reference("Mode"), 100));
        let places = GeoIpOperation::builder().src_field_name("ip").geo_lite_db(database).build();
        PipelineConfig { operations: vec![places.into()], ..pipeline("two".into()) }
    };
    let (template, problems) = chosen(pipeline("one".into()), with_places);
    assert_eq!(problems, [""; 0]);
    let policies = of_type(&template, "AWS::IAM::Policy");
    let policy = policies.iter().find(|policy| policy["Properties"]["Roles"].to_string().contains("EtlFunctionRole"));
    let statements = policy.unwrap()["Properties"]["PolicyDocument"]["Statement"].as_array().unwrap();
    let only_if = |condition: &str| {
        let chosen = statements.iter().filter(|s| s["Fn::If"][0] == condition).map(|s| &s["Fn::If"][1]);
        let one = |s: &Json| format!("{} {}", s["Action"].as_str().unwrap(), s["Resource"]);
        let mut all: Vec<String> = chosen.map(one).collect();
        all.sort();
        all
    };
    let (other, one) = (only_if("Other"), only_if("NotOther"));
    assert!(other[0].starts_with("firehose:PutRecordBatch") && other[0].contains("/two"), "{other:?}");
    assert!(other[1].starts_with("s3:GetObject") && other[1].contains(r#"["s3://",{"Ref":"Mode"}]"#), "{other:?}");
    assert!(one.len() == 1 && other.len() == 2 && one[0].contains("/one"), "{one:?}");
    let function = of_type(&template, "AWS::Lambda::Function")[0];
    let config = &function["Properties"]["Environment"]["Variables"]["BENDER_CONFIG_INLINE"]["Fn::If"];
    assert!(config[1].to_string().contains("<DATABASE>") && !config[2].to_string().contains("<DATABASE>"), "{config}");
    let version = &of_type(&template, "AWS::Lambda::Version")[0]["Properties"]["Description"];
    assert!(version.to_string().contains(r#"{"Fn::If":["Other",""#), "{version}");
    // Both are read as the function would read them.
    let wrong = |_: &mut Bindings| PipelineConfig {
        wrapper: Some(S3Wrapper::builder().build().into()),
        ..pipeline("two".into())
    };
    let (_, problems) = chosen(pipeline("one".into()), wrong);
    assert!(problems.iter().any(|p| p.starts_with("error[CFN051]") && p.contains("ETL024")), "{problems:#?}");
}

#[test]
fn what_is_known_only_at_deployment_is_a_variable_beside_a_constant_config() {
    let (template, _) = stack(kinesis, to_archive);
    let variables = &of_type(&template, "AWS::Lambda::Function")[0]["Properties"]["Environment"]["Variables"];
    assert!(variables["ARCHIVE"]["Ref"].as_str().is_some_and(|id| id.starts_with("Delivery")), "{variables}");
    let config: Json = serde_json::from_str(variables["BENDER_CONFIG_INLINE"].as_str().expect("text")).expect("JSON");
    assert_eq!(config["transport"]["stream_name"], "<ARCHIVE>");
    assert_eq!(config["version"], 1);
}

#[test]
fn a_changed_config_is_another_version() {
    let description = |config: PipelineConfig| {
        let (template, _) = stack(kinesis, move |_, _| config);
        of_type(&template, "AWS::Lambda::Version")[0]["Properties"]["Description"].to_string()
    };
    let one = description(pipeline("one".into()));
    assert_eq!(one, description(pipeline("one".into())));
    assert_ne!(one, description(pipeline("two".into())));
    assert!(one.contains("${EtlMemoryMiB} MiB"), "{one}");
}

/// A stack whose function reads its config from elsewhere, where a key of the stack may encrypt it.
fn elsewhere(config: impl FnOnce(&mut Scope<'_>, &KeyHandle) -> PlacedConfig) -> (Json, Vec<String>) {
    let mut stack = Stack::new("s");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("alarms").build());
    let alarms = scope.add("Topic", Topic::builder().key(key.clone()).build());
    let archive = scope.add("Archive", Bucket::builder().build());
    let delivery = scope.add("Delivery", DeliveryStream::builder().bucket(archive).prefix("events").build());
    let mut names = Bindings::new();
    let _: Late<String> = names.bind("ARCHIVE", &delivery);
    let config = config(&mut scope, &key);
    let trigger = kinesis(&mut scope);
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let function = EtlFunction::builder().pipeline(config).names(names).trigger(trigger).code(code);
    scope.add("Etl", function.description("d").log_retention_days(number(30)).alarms(alarms).build());
    let synthesis = stack.synth();
    (synthesis.draft().as_json().clone(), synthesis.problems.iter().map(ToString::to_string).collect())
}

fn in_bucket(text: &str) -> (Json, Vec<String>) {
    elsewhere(|scope, key| {
        let configs = scope.add("Configs", Bucket::builder().key(key.clone()).build());
        PlacedConfig::in_bucket("stacks/orders.yaml", text, &configs)
    })
}

const ORDERS: &str = "# A comment that a constant would not keep.
handler: {type: KinesisHandler}
sources: [{name: Orders, deserializer: {type: GenericJson}}]
wrapper: {type: KinesisWrapper}
serializer: {type: Json}
transport: {type: Firehose, stream_name: <ARCHIVE>}
";

#[test]
fn a_config_that_lies_elsewhere_is_pinned_and_its_permissions_follow_from_the_copy() {
    let (template, problems) = in_bucket(ORDERS);
    assert_eq!(problems, [""; 0]);
    let function = of_type(&template, "AWS::Lambda::Function")[0];
    let variables = &function["Properties"]["Environment"]["Variables"];
    let pin = variables["BENDER_CONFIG_SHA256"].as_str().unwrap();
    // As `sha256sum` says.
    assert_eq!(pin, "7ba12b7aa84309610a186248b2e5679359d0e9c064ae9d72a8ebcbd661435374");
    // The key is of this text, so another version finds its own.
    let address = variables["BENDER_CONFIG"]["Fn::Sub"].as_str().unwrap();
    let key = format!("config/orders-{}.yaml", &pin[..16]);
    assert!(address.starts_with("s3://${Configs") && address.ends_with(&key), "{address}");
    assert_eq!(template["Outputs"]["EtlConfigAddress"]["Value"], variables["BENDER_CONFIG"]);
    assert!(variables.get("BENDER_CONFIG_INLINE").is_none() && variables.get("ARCHIVE").is_some());
    assert_eq!(function["Metadata"]["BENDER_CONFIG"], ORDERS);
    assert!(of_type(&template, "AWS::Lambda::Version")[0].to_string().contains(&format!("config {}", &pin[..16])));
    let granted = granted(&template);
    let on = |action: &str| granted.iter().filter(|(of, _)| of == action).map(|(_, on)| on).collect::<Vec<_>>();
    assert!(on("s3:GetObject")[0].contains(&key) && on("firehose:PutRecordBatch").len() == 1, "{granted:?}");
    assert_eq!(on("kms:Decrypt").len(), 1, "the bucket is encrypted by a key of its own");

    let (template, problems) = elsewhere(|_, _| PlacedConfig::in_package("config/orders.yaml", ORDERS));
    assert_eq!(problems, [""; 0]);
    let function = of_type(&template, "AWS::Lambda::Function")[0];
    assert_eq!(function["Properties"]["Environment"]["Variables"]["BENDER_CONFIG"], "config/orders.yaml");
    assert!(template.get("Outputs").is_none());
}

#[test]
fn a_config_in_a_parameter_may_be_read_there_and_decrypted_by_its_key_and_nothing_else() {
    let read = |key: Option<&KeyHandle>| PlacedConfig::in_parameter("stacks/orders.yaml", ORDERS, "/flexo/", key);
    let (template, problems) = elsewhere(|_, key| read(Some(key)));
    assert_eq!(problems, [""; 0]);
    let function = of_type(&template, "AWS::Lambda::Function")[0];
    let variables = &function["Properties"]["Environment"]["Variables"];
    let name = "/flexo/orders-7ba12b7aa8430961";
    assert_eq!(variables["BENDER_CONFIG"], format!("ssm://{name}"));
    assert!(variables["BENDER_CONFIG_SHA256"].as_str().unwrap().starts_with("7ba12b7aa8430961"));
    assert_eq!(template["Outputs"]["EtlConfigAddress"]["Value"], variables["BENDER_CONFIG"]);
    assert_eq!(function["Metadata"]["BENDER_CONFIG"], ORDERS);
    let granted = granted(&template);
    let on = |action: &str| granted.iter().filter(|(of, _)| of == action).map(|(_, on)| on).collect::<Vec<_>>();
    let arn = format!("arn:${{AWS::Partition}}:ssm:${{AWS::Region}}:${{AWS::AccountId}}:parameter{name}");
    assert_eq!(on("ssm:GetParameter"), [&json!({"Fn::Sub": arn}).to_string()]);
    assert_eq!((on("kms:Decrypt").len(), on("firehose:PutRecordBatch").len()), (1, 1), "{granted:?}");
    assert!(!granted.iter().any(|(action, _)| action.starts_with("s3:")), "{granted:?}");

    let (template, _) = elsewhere(|_, _| read(None));
    assert!(!self::granted(&template).iter().any(|(action, _)| action == "kms:Decrypt"));

    let long = format!("{ORDERS}# {}\n", "long ".repeat(2_000));
    let (_, problems) = elsewhere(|_, _| PlacedConfig::in_parameter("orders.yaml", &long, "", None));
    let told = "the pipeline's config takes 10";
    assert!(problems.iter().any(|p| p.starts_with("error[CFN052]") && p.contains(told)), "{problems:#?}");
}

#[test]
fn a_config_that_lies_elsewhere_is_refused_at_synth_with_the_place_of_each_mistake() {
    let (_, problems) = in_bucket(&ORDERS.replace("<ARCHIVE>", "<ARCHIV>").replace("GenericJson", "GenericJsn"));
    let told = |what: &str| problems.iter().any(|p| p.starts_with("error[CFN051]") && p.contains(what));
    assert!(told("stacks/orders.yaml:3:") && told("stacks/orders.yaml:6:"), "{problems:#?}");
    // The trigger is held against the copy's handler, too.
    let (_, problems) = in_bucket(&ORDERS.replace("Kinesis", "S3"));
    assert!(problems.iter().any(|p| p.starts_with("error[CFN054]")), "{problems:#?}");
}
