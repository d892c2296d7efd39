//! What the rig promises to end-to-end tests: that it refuses what AWS refuses.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use serde_json::{Value, json};
use tests::{aws::Aws, rig::rig, wait::until};

const MINUTE: Duration = Duration::from_mins(1);

/// A role of its own, with these statements, under `/rig/`; its name and ARN.
fn role(aws: &Aws, statements: &Value) -> (String, String) {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let name = format!("rig-role-{}", MADE.fetch_add(1, Ordering::Relaxed));
    let arn = aws.create_role("/rig/", &name, statements).unwrap();
    (name, arn)
}

/// A domain of its own, so that there is something to be allowed on.
fn domain(aws: &Aws, name: &str, master: &str) -> Value {
    let security = json!({ "Enabled": true, "MasterUserOptions": { "MasterUserARN": master } }).to_string();
    let made = aws.run(&[
        "opensearch",
        "create-domain",
        "--domain-name",
        name,
        "--engine-version",
        "OpenSearch_2.19",
        "--advanced-security-options",
        &security,
    ]);
    made.unwrap()["DomainStatus"].clone()
}

/// A bulk body of one document.
fn bulk(index: &str, id: &str) -> String {
    format!("{}\n{}\n", json!({ "index": { "_index": index, "_id": id } }), json!({ "id": id }))
}

#[test]
fn a_role_may_do_what_its_policy_says_and_nothing_else() {
    let Some(rig) = rig() else { return };
    rig.aws.run(&["s3api", "create-bucket", "--bucket", "rig-allowed"]).unwrap();
    let statement = |bucket: &str| json!([{ "Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}") }]);
    let (name, arn) = role(&rig.aws, &statement("another"));
    let session = rig.aws.assume(&arn).unwrap();
    let refused = session.keys("rig-allowed").unwrap_err().to_string();
    assert!(refused.contains("AccessDenied"), "{refused}");
    rig.aws.allow(&name, &statement("rig-allowed")).unwrap();
    assert_eq!(session.keys("rig-allowed").unwrap(), Vec::<String>::new());
}

/// The worst case: the test process is killed before its parts are up, so that nobody is there to be told.
#[test]
fn what_a_process_that_is_gone_had_started_is_stopped() {
    if rig().is_none() {
        return;
    }
    let state = tempfile::tempdir().unwrap();
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let mut script = Command::new("bash")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("rig/run.sh"))
        .env("FLEXO_RIG_STATE", state.path().join("state"))
        .env("AWS_RIG_PORT", ports[0].port().to_string())
        .env("OPENSEARCH_PORT", ports[1].port().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop((script.stdin.take(), script.stdout.take()));
    let mut started = false;
    until("the end of run.sh", 3 * MINUTE, || {
        started |= TcpStream::connect(ports[1]).is_ok();
        script.try_wait().unwrap()
    });
    assert!(started, "the node never ran: {}", std::fs::read_to_string(state.path().join("last/node.out")).unwrap());
    for port in ports {
        assert!(TcpStream::connect(port).is_err(), "{port} still answers");
    }
}

#[test]
fn a_stack_that_fails_says_which_resource_and_why() {
    let Some(rig) = rig() else { return };
    let template =
        json!({ "Resources": { "Trail": { "Type": "AWS::CloudTrail::Trail", "Properties": { "IsLogging": true } } } });
    let refused = rig.aws.deploy("rig-refused", &template, &[]).unwrap_err().to_string();
    assert!(refused.contains("Unrecognized resource types: [AWS::CloudTrail::Trail]"), "{refused}");
}

#[test]
fn the_documented_command_deploys_and_a_change_set_updates() {
    let Some(rig) = rig() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (file, parameters) = (folder.path().join("template.json"), folder.path().join("parameters.json"));
    let template = |padding: usize| {
        json!({
            "Metadata": { "Padding": "x".repeat(padding) },
            "Parameters": { "Name": { "Type": "String" } },
            "Resources": { "Topic": { "Type": "AWS::SNS::Topic", "Properties": { "TopicName": { "Ref": "Name" } } } },
            "Outputs": { "Topic": { "Value": { "Ref": "Topic" } } },
        })
    };
    std::fs::write(&file, template(0).to_string()).unwrap();
    std::fs::write(&parameters, r#"["Name=rig-first"]"#).unwrap();
    rig.aws.deploy_as_documented("rig-deployed", &file, &parameters).unwrap();
    assert_eq!(rig.aws.outputs("rig-deployed").unwrap()["Topic"], "arn:aws:sns:us-east-1:000000000000:rig-first");
    // Longer than what a call takes without a bucket.
    rig.aws.deploy("rig-deployed", &template(60_000), &[("Name", "rig-second")]).unwrap();
    assert_eq!(rig.aws.resources("rig-deployed").unwrap()["Topic"], "arn:aws:sns:us-east-1:000000000000:rig-second");
    rig.aws.delete_stack("rig-deployed").unwrap();
    assert_eq!(rig.aws.status("rig-deployed"), None);
}

#[test]
fn the_front_door_lets_in_who_signs_is_allowed_and_is_mapped() {
    let Some(rig) = rig() else { return };
    let arn = domain(&rig.aws, "rig-door", "arn:aws:iam::000000000000:role/nobody")["ARN"].as_str().unwrap().to_owned();
    let (name, role) =
        role(&rig.aws, &json!([{ "Effect": "Allow", "Action": "es:ESHttpGet", "Resource": format!("{arn}/*") }]));
    let session = rig.aws.assume(&role).unwrap();

    let (status, answer) = rig.curl(&[], "POST", "/_bulk", &bulk("rig-door", "1")).unwrap();
    assert_eq!(status, 403, "{answer}");
    assert!(answer["Message"].as_str().unwrap().starts_with("User: anonymous is not authorized"), "{answer}");

    let (status, answer) = rig.signed(&session, "POST", "/_bulk", &bulk("rig-door", "1")).unwrap();
    assert_eq!(status, 403, "{answer}");
    let why = format!("assumed-role/{name}/tests is not authorized to perform: es:ESHttpPost because");
    assert!(answer["Message"].as_str().unwrap().contains(&why), "{answer}");

    // IAM lets it pass now, and the node's own role mapping does not know the role.
    rig.aws
        .allow(&name, &json!([{ "Effect": "Allow", "Action": "es:ESHttpPost", "Resource": format!("{arn}/*") }]))
        .unwrap();
    let (status, answer) = rig.signed(&session, "POST", "/_bulk", &bulk("rig-door", "1")).unwrap();
    assert_eq!((status, &answer["error"]["type"]), (403, &json!("security_exception")), "{answer}");

    rig.node.map_role("rig-writer", &role, "rig-door*").unwrap();
    let (status, answer) = rig.signed(&session, "POST", "/_bulk?filter_path=errors", &bulk("rig-door", "1")).unwrap();
    assert_eq!((status, answer), (200, json!({ "errors": false })));
    assert_eq!(rig.node.documents("rig-door").unwrap()["rig-door/1"], json!({ "id": "1" }));

    // Its own indices, and no others.
    let (status, answer) = rig.signed(&session, "POST", "/_bulk", &bulk("rig-other", "1")).unwrap();
    assert_eq!((status, &answer["items"][0]["index"]["status"]), (200, &json!(403)), "{answer}");
    assert_eq!(rig.node.count("rig-other").unwrap(), 0);

    let passages = rig.front_door.passages();
    let of_role: Vec<u16> = passages.iter().filter(|p| p.role.as_deref() == Some(&role)).map(|p| p.status).collect();
    assert_eq!(of_role, [403, 200, 200]);
}

#[test]
fn the_front_door_refuses_a_wrong_secret_and_an_unknown_key() {
    let Some(rig) = rig() else { return };
    let (_, role) = role(&rig.aws, &json!([{ "Effect": "Allow", "Action": "es:*", "Resource": "*" }]));
    let session = rig.aws.assume(&role).unwrap();
    let key = session.variable("AWS_ACCESS_KEY_ID");
    let token = format!("x-amz-security-token: {}", session.variable("AWS_SESSION_TOKEN"));
    for (user, expected) in [
        (format!("{key}:wrong"), "The request signature we calculated does not match"),
        ("ASIA0000000000000000:wrong".to_owned(), "The security token included in the request is invalid."),
    ] {
        let signing = ["--aws-sigv4", "aws:amz:us-east-1:es", "--user", &user, "--header", &token];
        let (status, answer) = rig.curl(&signing, "GET", "/", "").unwrap();
        assert_eq!(status, 403);
        assert!(answer["Message"].as_str().unwrap().starts_with(expected), "{answer}");
    }
}

#[test]
fn the_master_user_of_a_domain_administers_the_node() {
    let Some(rig) = rig() else { return };
    let (_, role) = role(&rig.aws, &json!([{ "Effect": "Allow", "Action": "es:ESHttp*", "Resource": "*" }]));
    let session = rig.aws.assume(&role).unwrap();
    let mapping = "/_plugins/_security/api/rolesmapping/all_access";
    domain(&rig.aws, "rig-other-master", "arn:aws:iam::000000000000:role/nobody");
    assert_eq!(rig.signed(&session, "GET", mapping, "").unwrap().0, 403);
    domain(&rig.aws, "rig-master", &role);
    assert_eq!(rig.signed(&session, "GET", mapping, "").unwrap().0, 200);
}

/// The way that the product's own functions go: deployed by a template, woken by S3 through SNS and by Kinesis, with the keys of
/// their role, to the domain's endpoint.
#[test]
fn objects_and_records_reach_the_node_through_a_function() {
    let Some(rig) = rig() else { return };
    let aws = &rig.aws;
    let folder = tempfile::tempdir().unwrap();
    let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("rig/probe");
    let code = folder.path().join("code.zip");
    let zipped =
        Command::new("python3").args(["-m", "zipfile", "-c"]).arg(&code).arg(probe.join("bootstrap")).status().unwrap();
    assert!(zipped.success());
    aws.run(&["s3api", "create-bucket", "--bucket", "rig-code"]).unwrap();
    aws.copy(&code.display().to_string(), "s3://rig-code/probe.zip").unwrap();
    let template: Value = serde_json::from_slice(&std::fs::read(probe.join("template.json")).unwrap()).unwrap();
    let parameters = [("CodeBucket", "rig-code"), ("CodeKey", "probe.zip"), ("Index", "rig-flow")];
    aws.deploy("rig-flow", &template, &parameters).unwrap();
    let outputs = aws.outputs("rig-flow").unwrap();
    assert_eq!(outputs["Host"], rig.endpoint);
    rig.node.map_role("rig-flow", &outputs["Role"], "rig-flow").unwrap();

    // What a function is given.
    let told = aws.invoke(&format!("{}:live", outputs["Function"]), &json!({ "tell": "environment" })).unwrap();
    assert_eq!((&told.error, told.version.as_str()), (&None, "1"));
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_ENDPOINT_URL",
        "SSL_CERT_FILE",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
    ] {
        assert!(told.payload.as_array().unwrap().contains(&json!(name)), "{name}: {}", told.payload);
    }

    // Its role may not read objects yet, and it does not get around that.
    let file = folder.path().join("lines");
    std::fs::write(&file, "{\"id\":\"s3-1\"}\n{\"id\":\"s3-2\"}\n").unwrap();
    let put = |key: &str| aws.copy(&file.display().to_string(), &format!("s3://{}/{key}", outputs["Bucket"])).unwrap();
    put("refused/a b.log");
    aws.put_records(&outputs["Stream"], &[("a", b"{\"id\":\"k-1\"}"), ("b", b"{\"id\":\"k-2\"}\n{\"id\":\"k-3\"}")])
        .unwrap();
    until("the records of the stream", MINUTE, || (rig.node.count("rig-flow").unwrap() == 3).then_some(()));
    let logs = aws.logs(&format!("/aws/lambda/{}", outputs["Function"])).unwrap();
    assert!(logs.iter().any(|line| line.contains("AccessDenied")), "{logs:?}");

    let read = json!([
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{}/*", outputs["Bucket"]) },
    ]);
    aws.allow(&outputs["RoleName"], &read).unwrap();
    put("AWSLogs/a b+c.log");
    until("the lines of the object", MINUTE, || (rig.node.count("rig-flow").unwrap() == 5).then_some(()));
    let ids: Vec<String> = rig.node.documents("rig-flow").unwrap().into_keys().collect();
    assert_eq!(ids, ["k-1", "k-2", "k-3", "s3-1", "s3-2"].map(|id| format!("rig-flow/{id}")));

    // A paused trigger wakes nobody; released, it goes on where it was.
    aws.enable_mapping(&outputs["Mapping"], false).unwrap();
    aws.put_records(&outputs["Stream"], &[("a", b"{\"id\":\"k-4\"}")]).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(rig.node.count("rig-flow").unwrap(), 5);
    aws.enable_mapping(&outputs["Mapping"], true).unwrap();
    until("the record put while the trigger was paused", MINUTE, || {
        (rig.node.count("rig-flow").unwrap() == 6).then_some(())
    });

    aws.delete_stack("rig-flow").unwrap();
    assert_eq!(aws.status("rig-flow"), None);
}
