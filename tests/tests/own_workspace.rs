//! A workspace of somebody else's (`tests/own_workspace`), with an operation that Flexo does not have: it is in the config's errors, the
//! schema, the reference, the template, in `run` and in the function, as Flexo's own operations are.
//!
//! It is built as its owner would build it, by cargo in its folder; what it shares with this workspace is not built again.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The owner's `cargo` with these arguments.
fn cargo(arguments: &[&str]) -> Output {
    let folder = root().join("tests/own_workspace");
    Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", root().join("target/own_workspace"))
        .env("CARGO_BUILD_BUILD_DIR", root().join("target"))
        .output()
        .unwrap()
}

/// The owner's command: its exit code and what it printed.
fn command(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = cargo(&[&["run", "--quiet", "--"], arguments].concat());
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// What it printed when all went well.
fn printed(arguments: &[&str]) -> String {
    let (code, stdout, stderr) = command(arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
    stdout
}

#[test]
fn an_operation_of_ones_own_is_like_any_other() {
    // The owner has a lock of their own; here it is ours, so that the same versions are shared.
    fs::copy(root().join("Cargo.lock"), root().join("tests/own_workspace/Cargo.lock")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };

    let output = cargo(&["test", "--quiet", "--package", "components"]);
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));

    // The config's errors.
    let pipeline = fs::read_to_string(root().join("tests/own_workspace/pipeline.yaml")).unwrap();
    for (wrong, said) in [
        (pipeline.replace("MaskOperation", "MaksOperation"), "help: did you mean `MaskOperation`?"),
        (pipeline.replace("keep: 4", "keep: 9"), "`keep` must be at least 0 and at most 8"),
    ] {
        let (code, stdout, stderr) = command(&["check", &file("wrong.yaml", &wrong)]);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stdout.contains(said) || stderr.contains(said), "{stdout}{stderr}");
    }

    // Schema and reference.
    let schema: Value = serde_json::from_str(&printed(&["schema"])).unwrap();
    let settings = &schema["$defs"]["operation.MaskOperation"]["properties"];
    assert_eq!(settings["keep"]["description"], "How many characters stay.");
    let all = schema["$defs"]["operation"]["oneOf"].as_array().unwrap();
    assert!(all.contains(&json!({ "$ref": "#/$defs/operation.MaskOperation" })), "{all:?}");
    let pages = folder.path().join("reference");
    printed(&["docs", "--out", pages.to_str().unwrap()]);
    let page = fs::read_to_string(pages.join("operations.md")).unwrap();
    assert!(page.contains("## MaskOperation") && page.contains("## FlattenOperation"), "{page}");

    // The template.
    let template: Value = serde_json::from_str(&printed(&["synth", "payments", "--stdout"])).unwrap();
    let functions = template["Resources"].as_object().unwrap().values();
    let configs: Vec<&Value> =
        functions.map(|it| &it["Properties"]["Environment"]["Variables"]["BENDER_CONFIG_INLINE"]).collect();
    let config = configs.iter().find_map(|config| config.as_str()).unwrap();
    assert!(config.contains(r#"{"type":"MaskOperation","field":"$.card","keep":4}"#), "{config}");

    // The config's own cases, `run`, and the owner's function.
    let config = root().join("tests/own_workspace/pipeline.yaml").display().to_string();
    let (code, stdout, stderr) = command(&["test", &config]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    let (code, stdout, stderr) = command(&["test", &file("other.yaml", &pipeline.replace("keep: 4", "keep: 5"))]);
    assert_eq!(code, Some(1), "another card number is another result: {stdout}{stderr}");
    let events = file("events.ndjson", "{\"card\":\"4111111111111111\",\"n\":1.50}\n");
    let masked = "{\"card\":\"************1111\",\"n\":1.50}\n";
    assert_eq!(printed(&["run", "--config", &config, &events]), masked);
    let record = json!({
        "kinesis": {
            "partitionKey": "key", "sequenceNumber": "1", "approximateArrivalTimestamp": 1_700_000_000.0,
            "data": "eyJjYXJkIjoiNDExMTExMTExMTExMTExMSIsIm4iOjEuNTB9",
        },
        "eventSource": "aws:kinesis", "eventID": "shardId-0:1", "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/payments",
    });
    let event = file("event.json", &json!({ "Records": [record] }).to_string());
    // What a function prints is its log.
    let (code, _, log) = command(&["run", "--config", &config, "--event", &event, "--deliver"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains(masked), "{log}");
}
