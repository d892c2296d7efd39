//! The OpenSearch setup function against a domain and a CloudFormation of the test's own, and against a real node.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests fail as tests do")]

#[path = "../etl-adapters/tests/far_side/mod.rs"]
#[expect(dead_code, unused_imports, reason = "another package's tests use the rest of it")]
mod far_side;

use etl::ports::{Auth, Level, Log};
use etl_adapters::http::HttpClient;
use far_side::{Asked, FarSide, Say};
use functions::opensearch_setup::{Login, Patience, World, handle};
use serde_json::{Value, json};
use std::{
    fmt,
    process::{Command, Stdio},
    sync::Mutex,
    time::Duration,
};

const HURRY: Patience = Patience {
    first_pause: Duration::from_millis(5),
    longest_pause: Duration::from_millis(20),
    attempt: Duration::from_secs(20),
    refused: Duration::from_millis(150),
    gone: Duration::from_millis(150),
};
const SECRET: &str = "Signature=s3cret";

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Log for Lines {
    fn line(&self, level: Level, message: &str, fields: &[(&'static str, &dyn fmt::Display)]) {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.0.lock().unwrap().push(format!("{level:?} {message} {}", fields.join(" ")));
    }
}

fn sdk() -> aws_config::SdkConfig {
    aws_config::SdkConfig::builder().behavior_version(aws_config::BehaviorVersion::v2026_01_12()).build()
}

/// Most of it is kept for the answer.
const A_SECOND: Duration = Duration::from_secs(21);

/// Runs an event; gives what CloudFormation was told, the log, and the result of the invocation.
async fn run(
    http: &HttpClient,
    domain: &str,
    auth: &Auth,
    cloudformation: &FarSide,
    mut event: Value,
    time_left: Duration,
) -> (Value, String, Result<(), String>) {
    event["ResponseURL"] = json!(format!("{}/answer?{SECRET}", cloudformation.address));
    event["StackId"] = json!("arn:aws:cloudformation:eu-west-1:111122223333:stack/logs/0a1b");
    event["RequestId"] = json!("r-1");
    event["LogicalResourceId"] = json!("Setup");
    let log = Lines::default();
    let world = World { http, log: &log, auth: Login::At(domain, auth), patience: HURRY };
    let result = handle(world, &event, time_left).await;
    let told = cloudformation.asked().pop().map_or(Value::Null, |asked| serde_json::from_slice(&asked.body).unwrap());
    let lines = log.0.into_inner().unwrap().join("\n");
    assert!(!lines.contains("s3cret"), "{lines}");
    assert!(!format!("{result:?}").contains("s3cret"));
    (told, lines, result)
}

/// As [`run`], with a CloudFormation that takes the answer.
async fn told(domain: &str, event: Value) -> Value {
    let cloudformation = FarSide::new(|_, _| Say::json(200, ""));
    let (told, _, result) = run(&HttpClient::new(sdk()), domain, &Auth::None, &cloudformation, event, A_SECOND).await;
    assert_eq!(result, Ok(()));
    told
}

fn properties(role: &str, template: &str) -> Value {
    json!({
        "ServiceToken": "arn", "Endpoint": "search.example", "Region": "eu-west-1",
        "RoleMappings": [{
            "Role": role, "IndexPatterns": ["etl-*"], "BackendRoles": ["arn:aws:iam::111122223333:role/etl"],
        }],
        // As CloudFormation hands it over: numbers and booleans are texts.
        "IndexTemplates": {template: {
            "index_patterns": [format!("{template}-*")], "priority": "10",
            "template": {
                "settings": {"number_of_shards": "1", "number_of_replicas": "0", "index.mapping.total_fields.limit": "5000"},
                "mappings": {"date_detection": "false", "properties": {"id__str": {"type": "keyword", "ignore_above": "256"}}},
            },
        }},
    })
}

fn create() -> Value {
    json!({"RequestType": "Create", "ResourceProperties": properties("writer", "etl")})
}

fn delete(name: &str) -> Value {
    json!({"RequestType": "Delete", "PhysicalResourceId": name, "ResourceProperties": properties("writer", "etl")})
}

fn lines(far: &FarSide) -> Vec<String> {
    far.asked().iter().map(Asked::line).collect()
}

#[tokio::test]
async fn a_create_puts_everything_and_says_so_under_a_name_that_stays() {
    let domain = FarSide::new(|_, _| Say::json(200, "{}"));
    let answer = told(&domain.address, create()).await;
    assert_eq!(answer["Status"], "SUCCESS");
    assert_eq!(answer["PhysicalResourceId"], "logs-Setup");
    assert_eq!((&answer["RequestId"], &answer["LogicalResourceId"]), (&json!("r-1"), &json!("Setup")));
    assert_eq!(
        lines(&domain),
        [
            "PUT /_index_template/etl",
            "PUT /_plugins/_security/api/roles/writer",
            "PUT /_plugins/_security/api/rolesmapping/writer",
        ]
    );
}

#[tokio::test]
async fn an_update_removes_what_is_no_longer_there_unless_the_domain_is_another() {
    let domain = FarSide::new(|_, _| Say::json(200, "{}"));
    let mut event = json!({
        "RequestType": "Update", "PhysicalResourceId": "logs-Setup",
        "OldResourceProperties": properties("reader", "etl"), "ResourceProperties": properties("writer", "etl"),
    });
    let answer = told(&domain.address, event.clone()).await;
    assert_eq!((&answer["Status"], &answer["PhysicalResourceId"]), (&json!("SUCCESS"), &json!("logs-Setup")));
    assert_eq!(
        lines(&domain)[3..],
        ["DELETE /_plugins/_security/api/rolesmapping/reader", "DELETE /_plugins/_security/api/roles/reader"]
    );
    event["OldResourceProperties"]["Endpoint"] = json!("old.example");
    told(&domain.address, event).await;
    assert_eq!(lines(&domain).len(), 5 + 3);
}

#[tokio::test]
async fn a_domain_that_is_coming_up_is_asked_again() {
    let domain = FarSide::new(|_, nth| match nth {
        0 => Say::Close,
        1 => Say::json(503, r#"{"error":{"reason":"OpenSearch Security not initialized."}}"#),
        2 => Say::json(403, r#"{"Message":"User: anonymous is not authorized"}"#),
        _ => Say::json(200, "{}"),
    });
    assert_eq!(told(&domain.address, create()).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn a_domain_that_never_lets_the_function_in_fails_with_the_way_out() {
    let domain = FarSide::new(|_, _| Say::json(403, r#"{"Message":"no permissions for [x] and User [name=arn]"}"#));
    let answer = told(&domain.address, create()).await;
    assert_eq!(
        (&answer["Status"], &answer["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("logs-Setup-not-created"))
    );
    let reason = answer["Reason"].as_str().unwrap();
    for part in ["the index template `etl`", "403: no permissions for [x]", "MasterUserARN", "es:ESHttpPut"] {
        assert!(reason.contains(part), "{reason}");
    }
    // And is then no hindrance to taking the stack back.
    assert_eq!(told(&domain.address, delete("logs-Setup-not-created")).await["Status"], "SUCCESS");
    assert_eq!(told(&domain.address, delete("logs-Setup")).await["Status"], "FAILED");
}

#[tokio::test]
async fn a_domain_that_does_not_answer_fails_a_create_and_not_a_delete() {
    let gone = "http://127.0.0.1:1";
    let answer = told(gone, create()).await;
    assert_eq!(answer["Status"], "FAILED");
    let reason = answer["Reason"].as_str().unwrap();
    assert!(reason.contains("did not answer in") && reason.contains("Connection refused"), "{reason}");
    assert_eq!(told(gone, delete("logs-Setup")).await["Status"], "SUCCESS");
}

#[tokio::test]
async fn what_waiting_cannot_mend_fails_at_once() {
    let cases = [
        (403, r#"{"status":"FORBIDDEN","message":"Resource 'writer' is reserved."}"#, "Choose another name"),
        (
            400,
            r#"{"error":"no handler found for uri [/_plugins/_security/api/roles/writer] and method [PUT]"}"#,
            "AdvancedSecurityOptions.Enabled",
        ),
        (
            400,
            r#"{"error":{"reason":"unknown setting [index.x]"},"status":400}"#,
            "the domain says 400: unknown setting [index.x]",
        ),
        (
            400,
            r#"{"status":"error","reason":"Invalid configuration","invalid_keys":{"keys":"y"}}"#,
            "Invalid configuration: y",
        ),
    ];
    for (status, body, said) in cases {
        let domain = FarSide::new(move |_, _| Say::json(status, body));
        let answer = told(&domain.address, create()).await;
        assert_eq!(answer["Status"], "FAILED");
        assert!(answer["Reason"].as_str().unwrap().contains(said), "{answer}");
        assert_eq!(domain.asked().len(), 1);
    }
}

#[tokio::test]
async fn properties_with_mistakes_fail_with_all_of_them_and_can_be_deleted() {
    let domain = FarSide::new(|_, _| Say::json(200, "{}"));
    let mut event = json!({"RequestType": "Create", "ResourceProperties": {"Port": "x", "Index": {}}});
    let answer = told(&domain.address, event.clone()).await;
    let reason = answer["Reason"].as_str().unwrap();
    assert_eq!(answer["Status"], "FAILED");
    assert!(
        ["Endpoint must", "Port \"x\" must", "Index is unknown"].iter().all(|part| reason.contains(part)),
        "{reason}"
    );
    event["RequestType"] = json!("Delete");
    assert_eq!(told(&domain.address, event).await["Status"], "SUCCESS");
    assert!(domain.asked().is_empty());
}

#[tokio::test]
async fn cloudformation_is_told_again_until_it_listens() {
    let domain = FarSide::new(|_, _| Say::json(200, "{}"));
    let cloudformation = FarSide::new(|_, nth| if nth == 0 { Say::json(500, "") } else { Say::json(200, "") });
    let (answer, log, result) =
        run(&HttpClient::new(sdk()), &domain.address, &Auth::None, &cloudformation, create(), A_SECOND).await;
    assert_eq!((result, &answer["Status"]), (Ok(()), &json!("SUCCESS")));
    assert_eq!(log, "Info 3 steps done requestType=Create");
    let asked = cloudformation.asked();
    assert_eq!(asked.len(), 2);
    // The address is signed for an empty type, and for this very query.
    assert_eq!((asked[1].header("content-type"), asked[1].target.as_str()), (Some(""), "/answer?Signature=s3cret"));
}

#[tokio::test]
async fn an_invocation_whose_answer_nobody_takes_fails() {
    let domain = FarSide::new(|_, _| Say::json(200, "{}"));
    let cloudformation = FarSide::new(|_, _| Say::json(403, ""));
    let log = Lines::default();
    let http = HttpClient::new(sdk());
    let auth = Auth::None;
    let world = World { http: &http, log: &log, auth: Login::At(&domain.address, &auth), patience: HURRY };
    let mut event = create();
    for (name, value) in [("StackId", "s"), ("RequestId", "r"), ("LogicalResourceId", "l")] {
        event[name] = json!(value);
    }
    event["ResponseURL"] = json!(format!("{}/?{SECRET}", cloudformation.address));
    let error = handle(world, &event, Duration::from_millis(5500)).await.unwrap_err();
    assert_eq!(error, "CloudFormation did not take the answer (HTTP 403)");
}

#[test]
fn the_binary_answers_cloudformation_and_lambda() {
    let (tell, said) = std::sync::mpsc::channel();
    let tell = Mutex::new(tell);
    let far = FarSide::new(move |asked, nth| match (asked.method.as_str(), nth) {
        ("GET", 0) => {
            let url = format!("http://{}/answer", asked.header("host").unwrap());
            let event = json!({
                "RequestType": "Create", "ResponseURL": url, "StackId": "s", "RequestId": "r", "LogicalResourceId": "l",
                "ResourceProperties": {},
            });
            let headers = vec![
                ("lambda-runtime-aws-request-id", "r-1".to_owned()),
                ("lambda-runtime-deadline-ms", "1".to_owned()),
                ("lambda-runtime-invoked-function-arn", "arn".to_owned()),
            ];
            Say::This(200, headers, event.to_string().into_bytes())
        }
        ("GET", _) => Say::Wait,
        _ => {
            tell.lock().unwrap().send(asked.clone()).unwrap();
            Say::json(202, "{}")
        }
    });
    let mut child = Command::new(env!("CARGO_BIN_EXE_opensearch_setup"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", far.address.trim_start_matches("http://"))
        .envs(["NAME", "VERSION", "MEMORY_SIZE"].map(|name| (format!("AWS_LAMBDA_FUNCTION_{name}"), "128")))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let asked = [(); 2].map(|()| said.recv_timeout(Duration::from_mins(1)));
    let _ = child.kill().and_then(|()| child.wait());
    let [answer, response] = asked.map(Result::unwrap);
    assert_eq!(answer.line(), "PUT /answer");
    assert!(
        answer.text().contains("\"FAILED\"") && answer.text().contains("Endpoint must be a text"),
        "{}",
        answer.text()
    );
    assert_eq!(response.line(), "POST /2018-06-01/runtime/invocation/r-1/response");
}

#[path = "opensearch_setup/node.rs"]
mod node;
