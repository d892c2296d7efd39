//! `synth run --deliver`: the event goes to the function's own binary. Here it is a small one that speaks Lambda's Runtime API by hand.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// Asks for work, and answers as the first word of its event says.
const FUNCTION: &str = r##"
use std::io::{Read, Write};
use std::net::TcpStream;

fn ask(request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

fn main() {
    let (head, event) = ask("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
    let id = head.lines().find_map(|line| line.strip_prefix("Lambda-Runtime-Aws-Request-Id: ")).unwrap();
    let config = std::env::var("BENDER_CONFIG").unwrap();
    println!("{} {}", std::env::var("STAGE").unwrap(), config.rsplit('/').next().unwrap());
    let (path, body) = match event.trim() {
        "\"crash\"" => std::process::exit(7),
        "\"fail\"" => ("error", r#"{"errorType":"Delivery","errorMessage":"3 events could not be delivered"}"#.to_owned()),
        "\"part\"" => ("response", r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#.to_owned()),
        event => ("response", format!("{{\"got\":{event}}}")),
    };
    let length = body.len();
    ask(&format!("POST /2018-06-01/runtime/invocation/{id}/{path} HTTP/1.1\r\nContent-Length: {length}\r\n\r\n{body}"));
    // Waits for work that does not come; whoever started it ends it.
    std::thread::sleep(std::time::Duration::from_secs(600));
}
"##;

fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: &str| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"functions\"]\nresolver = \"3\"\n");
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"functions\"\nversion = \"0.1.0\"\n");
    write("functions/Cargo.toml", "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("functions/src/bin/etl.rs", FUNCTION);
    write(
        "config.yaml",
        "handler: {type: KinesisHandler}\nsources: [{name: all, deserializer: {type: GenericJson}}]\n\
         wrapper: {type: PassthroughWrapper}\nserializer: {type: Json}\ntransport: {type: DevNull}\n",
    );
    dir
}

fn deliver(dir: &Path, event: &str) -> (Option<i32>, String, String) {
    fs::write(dir.join("event.json"), event).expect("the event is written");
    synth(dir, &["run", "--config", "config.yaml", "--event", "event.json"])
}

fn synth(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_synth"))
        .args(arguments)
        .args(["--deliver", "--set", "STAGE=test"])
        .current_dir(dir)
        .output()
        .expect("synth starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn the_functions_own_binary_gets_the_event_and_its_answer_is_told() {
    let dir = workspace();
    let said = "building the function\ntest config.yaml\n";
    for (event, code, answer) in [
        ("{\"Records\":[]}", 0, "Lambda is answered: {\"got\":{\"Records\":[]}}\n"),
        ("\"part\"", 1, "Lambda is answered: {\"batchItemFailures\":[{\"itemIdentifier\":\"1\"}]}\n"),
        ("\"fail\"", 1, "the invocation fails: 3 events could not be delivered\n"),
        ("\"crash\"", 2, "error: the function ended before it answered (exit status: 7)\n"),
    ] {
        let (status, stdout, stderr) = deliver(dir.path(), event);
        assert_eq!((status, stdout.as_str(), stderr), (Some(code), "", format!("{said}{answer}")), "{event}");
    }
}

#[test]
fn a_config_that_is_wrong_is_refused_before_anything_is_built() {
    let dir = workspace();
    fs::write(dir.path().join("config.yaml"), "handler: {type: KinesisHandlr}\n").unwrap();
    let (status, _, stderr) = deliver(dir.path(), "{}");
    assert_eq!(status, Some(2));
    assert!(stderr.contains("did you mean `KinesisHandler`?") && !stderr.contains("building"), "{stderr}");
}

#[test]
fn what_failed_goes_to_the_function_again_once_it_is_said_where_to() {
    let dir = workspace();
    let config = fs::read_to_string(dir.path().join("config.yaml")).unwrap();
    let archive = "{type: Splunk, hostname: splunk.example, auth_token: {type: StringValue, value: not-to-be-told}}";
    fs::write(dir.path().join("config.yaml"), config.replace("{type: DevNull}", archive)).unwrap();
    let failed = concat!(
        r#"{"dead_letter":1,"time":"2026-11-24T00:00:00Z","stage":"deserializer","component":"GenericJson","reason":"r","source":"all","origin":{"kind":"unknown"},"arrival_ms":0,"event":"{}"}"#,
        r#"{"requestPayload":"part"}"#
    );
    fs::write(dir.path().join("failed.json"), failed).unwrap();
    let (status, stdout, stderr) = synth(dir.path(), &["replay", "--config", "config.yaml", "failed.json"]);
    let said: Vec<&str> = stderr.lines().collect();
    assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
    assert_eq!(
        said[..4],
        [
            "1 dead letter and 1 failed invocation are delivered for real, in 2 invocations, to:",
            "  Splunk splunk.example",
            "building the function",
            "test config.yaml",
        ]
    );
    // Each comes as it failed: an invocation as it was, letters together behind those that came before them.
    assert_eq!(said[4], "Lambda is answered: {\"batchItemFailures\":[{\"itemIdentifier\":\"1\"}]}");
    assert!(said[6].starts_with("Lambda is answered: {\"got\":{\"dead_letters\":[{"), "{stderr}");
}
