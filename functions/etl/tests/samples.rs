//! The configs in `functions/samples` are sound, and read real logs as independent readers do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail them, and say what is skipped"
)]

use etl::{
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Ledger, Pipeline},
    ports::Call,
    registry::Registry,
    testing::World,
    transports::Stdout,
};
use serde_json::{Map, Value};
use std::{fs, path::Path};

const SAMPLES: [&str; 6] = ["alb", "cloudfront", "elb", "nlb", "s3_access", "vpc_flow"];

fn sample(name: &str) -> PipelineConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(format!("{name}.yaml"));
    let text = fs::read_to_string(path).unwrap();
    let host = |name: &str| (name == "SEARCH_HOST").then(|| "search.example.com".to_owned());
    PipelineConfig::read(&Registry::default(), &format!("{name}.yaml"), &text, Variables::From(&host))
        .unwrap_or_else(|report| panic!("{report}"))
}

fn corpus(path: &str) -> Option<Vec<u8>> {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus").join(path)).ok();
    if bytes.is_none() {
        println!("skipped: the corpus is not there");
    }
    bytes
}

/// The documents that come of an object.
fn documents(sample_name: &str, object: &str, bytes: &[u8]) -> (Vec<Map<String, Value>>, Ledger) {
    let config = PipelineConfig { transport: Some(Stdout::builder().build().into()), ..sample(sample_name) };
    let world = World::new();
    let mut pipeline = Pipeline::new(&config, Environment::default(), world.ports()).unwrap();
    let mut run = pipeline.begin(&Context::default());
    run.object(object, bytes);
    let ledger = run.finish().ledger;
    let lines: Vec<_> = world
        .calls
        .made()
        .into_iter()
        .filter_map(|call| match call {
            Call::Stdout(body) => Some(String::from_utf8(body.to_vec()).unwrap()),
            _ => None,
        })
        .collect();
    (lines.concat().lines().map(|line| serde_json::from_str(line).unwrap()).collect(), ledger)
}

fn lines(path: &str) -> Option<Vec<Value>> {
    let text = String::from_utf8(corpus(path)?).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Whether a member is what an independent reader has, which has texts only.
fn assert_same(ours: &Map<String, Value>, name: &str, theirs: &Value) {
    match (ours.get(name), theirs.as_str()) {
        (None, None) => {}
        (Some(Value::Number(ours)), Some(theirs)) => assert_eq!(ours.as_f64(), theirs.parse().ok(), "{name}"),
        (ours, _) => assert_eq!(ours, Some(theirs), "{name}"),
    }
}

#[test]
fn every_sample_is_a_sound_config() {
    for name in SAMPLES {
        assert_eq!(sample(name).transport.map(|transport| transport.name()), Some("ElasticSearch"), "{name}");
    }
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")).unwrap().count();
    assert_eq!(files, SAMPLES.len(), "each sample is tested here");
}

#[test]
fn the_logs_of_a_load_balancer_are_read() {
    let (Some(object), Some(expected)) =
        (corpus("alb/promtail-alb.log.gz"), lines("alb/promtail-alb.log.gz.expected.jsonl"))
    else {
        return;
    };
    let (documents, ledger) = documents("alb", "AWSLogs/1/elasticloadbalancing/a_app.b.log.gz", &object);
    assert_eq!((documents.len(), ledger.all_failed()), (expected.len(), 0), "{ledger:?}");
    for (document, expected) in documents.iter().zip(&expected) {
        let address =
            |ip: &str, port: &str| document.get(ip).map(|ip| format!("{}:{}", ip.as_str().unwrap(), document[port]));
        let mut compared = 0;
        for (name, theirs) in expected["fields"].as_object().unwrap() {
            compared += 1;
            match name.as_str() {
                "client:port" => assert_eq!(address("client_ip", "client_port").as_deref(), theirs.as_str()),
                "target:port" => assert_eq!(address("target_ip", "target_port").as_deref(), theirs.as_str()),
                "target:port_list" => assert_same(document, "target_port_list", theirs),
                "request" => {
                    let parts = ["request_method", "request_url", "request_protocol"]
                        .map(|part| document[part].as_str().unwrap());
                    assert_eq!(Some(parts.join(" ").as_str()), theirs.as_str());
                }
                name => assert_same(document, name, theirs),
            }
        }
        assert!(compared >= 29);
    }
}

#[test]
fn lines_of_load_balancers_of_all_ages_are_read() {
    let Some(expected) = lines("aws-log-parser/expected.jsonl") else { return };
    let expected: Vec<_> =
        expected.iter().filter(|line| line["file"].as_str().unwrap().starts_with("loadbalancer")).collect();
    let object: Vec<_> = expected.iter().map(|line| line["line"].as_str().unwrap()).collect();
    let (documents, ledger) = documents("alb", "a.log", object.join("\n").as_bytes());
    assert_eq!((documents.len(), ledger.all_failed()), (expected.len(), 0), "{ledger:?}");
    for (document, expected) in documents.iter().zip(&expected) {
        let parsed = &expected["parsed"];
        let ours = |name: &str| document.get(name).unwrap_or(&Value::Null);
        for name in [
            "type",
            "elb",
            "elb_status_code",
            "target_status_code",
            "received_bytes",
            "sent_bytes",
            "user_agent",
            "ssl_cipher",
            "ssl_protocol",
            "target_group_arn",
            "trace_id",
            "domain_name",
            "chosen_cert_arn",
            "matched_rule_priority",
            "redirect_url",
        ] {
            assert_eq!(ours(name), &parsed[name], "{name} of {}", expected["file"]);
        }
        for name in ["request_processing_time", "target_processing_time", "response_processing_time"] {
            assert_eq!(ours(name).as_f64(), parsed[name].as_f64(), "{name} of {}", expected["file"]);
        }
        for (ours_name, place, part) in [
            ("client_ip", "client", "ip"),
            ("client_port", "client", "port"),
            ("target_ip", "target", "ip"),
            ("target_port", "target", "port"),
            ("request_method", "http_request", "method"),
            ("request_url", "http_request", "url"),
            ("request_protocol", "http_request", "protocol"),
        ] {
            assert_eq!(ours(ours_name), &parsed[place][part], "{ours_name} of {}", expected["file"]);
        }
        let actions: Vec<_> =
            parsed["actions_executed"].as_array().unwrap().iter().map(|action| action.as_str().unwrap()).collect();
        assert_eq!(ours("actions_executed"), &Value::from(actions.join(",")));
    }
    assert!(expected.len() >= 10);
}

#[test]
fn a_request_that_was_none_is_read_with_nulls() {
    let line = r#"http 2018-07-02T22:23:00.186641Z app/lb/1 10.0.0.1:2817 - -1 -1 -1 400 - 0 0 "- http://lb:80- -" "-" - - - "-" "-" "-" - 2018-07-02T22:22:48.364000Z "-" "-" "-" "-" "-" "-" "-""#;
    let (read, ledger) = documents("alb", "a.log", line.as_bytes());
    assert_eq!((read.len(), ledger.all_failed()), (1, 0), "{ledger:?}");
    let names: Vec<_> = read[0].keys().map(String::as_str).filter(|name| !name.ends_with("_processing_time")).collect();
    assert_eq!(
        names,
        [
            "type",
            "time",
            "elb",
            "client_ip",
            "client_port",
            "elb_status_code",
            "received_bytes",
            "sent_bytes",
            "request_url",
            "request_creation_time"
        ]
    );
    let blank = line.replace("- http://lb:80- -", "- - - ");
    assert_eq!(documents("alb", "a.log", blank.as_bytes()).1.all_failed(), 0);
}

#[test]
fn flow_logs_are_read_by_their_header() {
    let Some(object) = corpus("vpcflow/promtail-vpcflow.log.gz") else { return };
    let (documents, ledger) = documents("vpc_flow", "a.log.gz", &object);
    assert_eq!(
        (ledger.all_dropped(), ledger.all_failed(), ledger.delivered),
        (1, 0, documents.len() as u64),
        "{ledger:?}"
    );
    assert_eq!(
        Value::from(documents[0].clone()),
        serde_json::json!({
            "version": 2, "account-id": "123456789012", "interface-id": "eni-0050644426037aa0f", "srcaddr": "10.26.1.153",
            "dstaddr": "3.239.232.29", "srcport": 60220, "dstport": 443, "protocol": 6, "packets": 48, "bytes": 21869,
            "start": 1_669_842_701, "end": 1_669_842_702, "action": "ACCEPT", "log-status": "OK",
        })
    );
    let other = "start tcp-flags pkt-srcaddr\n1669842701 - 10.0.0.1\n1669842702 18 -\n";
    let (read, _) = self::documents("vpc_flow", "b.log", other.as_bytes());
    let read: Vec<_> = read.into_iter().map(Value::from).collect();
    assert_eq!(
        read,
        [
            serde_json::json!({"start": 1_669_842_701, "pkt-srcaddr": "10.0.0.1"}),
            serde_json::json!({"start": 1_669_842_702, "tcp-flags": 18})
        ]
    );
}

#[test]
fn access_logs_of_buckets_are_read() {
    let (Some(object), Some(expected)) =
        (corpus("s3access/promtail-s3.log"), lines("s3access/promtail-s3.log.expected.jsonl"))
    else {
        return;
    };
    let (read, ledger) = documents("s3_access", "a", &object);
    assert_eq!((read.len(), ledger.all_failed()), (expected.len(), 0), "{ledger:?}");
    for (document, expected) in read.iter().zip(&expected) {
        let fields = expected["fields"].as_object().unwrap();
        assert_eq!(fields.len(), 26);
        for (name, theirs) in fields {
            assert_same(document, name, theirs);
        }
    }
    let quoted = String::from_utf8(object).unwrap().replace("S3Console/0.4", "a \"b\" c");
    assert_eq!(documents("s3_access", "a", quoted.as_bytes()).0[0]["user_agent"], "a \"b\" c");
}

#[test]
fn logs_of_cloudfront_are_read_by_their_header() {
    let (Some(object), Some(expected)) =
        (corpus("cloudfront/promtail-cf.log.gz"), lines("cloudfront/promtail-cf.log.gz.expected.jsonl"))
    else {
        return;
    };
    let (read, ledger) = documents("cloudfront", "a.gz", &object);
    assert_eq!((read.len(), ledger.all_dropped(), ledger.all_failed()), (expected.len(), 2, 0), "{ledger:?}");
    for (document, expected) in read.iter().zip(&expected) {
        let fields = expected["fields"].as_object().unwrap();
        assert_eq!(fields.len(), 33);
        for (name, theirs) in fields {
            assert_same(document, name, theirs);
        }
    }
}

#[test]
fn a_line_of_a_classic_load_balancer_is_read() {
    let Some(expected) = lines("aws-log-parser/expected.jsonl") else { return };
    let case = expected.iter().find(|line| line["file"] == "classic_loadbalancer_http_entry.csv").unwrap();
    let (read, ledger) = documents("elb", "a.log", case["line"].as_str().unwrap().as_bytes());
    assert_eq!(ledger.all_failed(), 0, "{ledger:?}");
    let (ours, parsed) = (&read[0], &case["parsed"]);
    for name in ["elb", "elb_status_code", "received_bytes", "sent_bytes", "user_agent", "ssl_cipher", "ssl_protocol"] {
        assert_eq!(ours[name], parsed[name], "{name}");
    }
    assert_eq!((&ours["client_ip"], &ours["backend_port"]), (&parsed["client"]["ip"], &parsed["target"]["port"]));
    assert_eq!(ours["backend_processing_time"].as_f64(), parsed["target_processing_time"].as_f64());
    assert_eq!(ours["request_url"], parsed["http_request"]["url"]);
}

#[test]
fn lines_of_a_network_load_balancer_are_read() {
    let Some(object) = corpus("nlb/promtail-nlb.log.gz") else { return };
    let (read, ledger) = documents("nlb", "a_net.log.gz", &object);
    assert_eq!((read.len(), ledger.all_failed()), (2, 0), "{ledger:?}");
    assert_eq!(read[0].get("alpn_client_preference_list"), None);
    let last = &read[1];
    assert_eq!(last["client:port"], "72.21.218.154:51341");
    assert_eq!((&last["connection_time"], &last["sent_bytes"]), (&Value::from(5), &Value::from(246)));
    assert_eq!(last["alpn_client_preference_list"], r#""h2","http/1.1""#);
    assert_eq!(last["tls_connection_creation_time"], "2020-04-01T08:51:20");
}
