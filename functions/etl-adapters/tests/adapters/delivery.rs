//! Whole transports, from the config to a far side on loopback that speaks their protocol.

use super::{
    clients,
    far_side::{Asked, Authority, FarSide, Http2, Say},
    runtime,
};
use base64_simd::STANDARD;
use etl::{
    pipeline::{Environment, Invoked, Pipeline},
    ports::Ports,
    testing::{World, relay, relayed},
};
use etl_adapters::calls::AwsCalls;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::{
    fs,
    io::Read as _,
    net::{Ipv4Addr, TcpListener},
    sync::Arc,
    thread,
};

/// Calls to AWS go to this endpoint.
fn calls(endpoint: &str) -> AwsCalls {
    AwsCalls::new(runtime(), clients(endpoint))
}

/// No call to AWS is expected.
fn other_calls() -> AwsCalls {
    calls("http://127.0.0.1:1")
}

/// One invocation of three records, `{"id":0}` and so on. Time goes on only between repetitions, so that they come at once.
fn deliver(calls: AwsCalls, transport: &str) -> Invoked {
    let config = relay("", transport, "");
    let ports = Ports { calls: Arc::new(calls), ..World::new().ports() };
    let mut pipeline = Pipeline::new(&config, Environment::default(), ports).unwrap();
    let records: Vec<_> = (0..3).map(|number| format!(r#"{{"id":{number}}}"#)).collect();
    relayed(&mut pipeline, &records)
}

#[track_caller]
fn assert_delivered(invoked: &Invoked) {
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (3, 0), "{:?}", invoked.ledger);
}

/// All comes again, for this reason.
#[track_caller]
fn assert_handed_back(invoked: &Invoked, reason: &str) {
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (0, 3), "{:?}", invoked.ledger);
    assert_eq!(invoked.ledger.failed[0].reason, reason);
}

const CERTIFICATE: &str = "the far side's certificate is refused";

/// The transports over HTTP: each one's settings, its path, a header of its own, and what it makes of the three events.
fn over_http() -> Vec<(&'static str, &'static str, (&'static str, &'static str), String)> {
    let lines = "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n".to_owned();
    let splunk = |id| format!("{{\"event\":{{\"id\":{id}}},\"time\": 1795449600.123}}");
    let bulk = |id| format!("{{\"index\": {{\"_index\":\"i\"}}}}\n{{\"id\":{id}}}\n");
    let token = "{type: StringValue, value: tok}";
    let auth =
        "basic_http_auth: {type: UserPassAuth, username: Aladdin, password: {type: StringValue, value: open sesame}}";
    let auth_config = auth.replace("basic_http_auth", "auth_config");
    let basic = ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    let leaked = |text: String| -> &'static str { text.leak() };
    vec![
        (leaked(format!("type: HTTP, path: \"/in?a=b\", {auth}")), "/in?a=b", basic, lines.clone()),
        (leaked(format!("type: HTTP2, path: \"/in?a=b\", {auth}")), "/in?a=b", basic, lines.clone()),
        (
            leaked(format!("type: Splunk, auth_token: {token}")),
            "/services/collector",
            ("authorization", "Splunk tok"),
            (0..3).map(splunk).collect(),
        ),
        (
            leaked(format!("type: SumoLogic, auth_token: {token}, http_headers: {{X-Sumo-Category: {token}}}")),
            "/receiver/v1/http/tok",
            ("x-sumo-category", "tok"),
            lines.clone(),
        ),
        (
            leaked(format!("type: Scalyr, token: {token}, parser: p")),
            "/api/uploadLogs?parser=p&token=tok",
            ("content-type", "text/plain; charset=UTF-8"),
            lines,
        ),
        (leaked(format!("type: ElasticSearch, index: i, {auth_config}")), "/_bulk", basic, (0..3).map(bulk).collect()),
    ]
}

fn accepting() -> impl Fn(&Asked, usize) -> Say + Send + Sync + 'static {
    |_, _| Say::json(200, r#"{"errors":false}"#)
}

#[test]
fn each_transport_over_http_asks_what_its_far_side_expects_packed_or_not_by_tls_or_not() {
    let authority = Authority::new();
    for (settings, target, (name, value), body) in over_http() {
        for (tls, gzip) in [(false, false), (true, true)] {
            let far = if tls {
                // It does not offer HTTP/2, so nobody speaks it.
                FarSide::tls(authority.server("127.0.0.1", &["http/1.1"]), accepting())
            } else {
                FarSide::new(accepting())
            };
            let place = format!("hostname: 127.0.0.1, port: {}, use_ssl: {tls}, use_gzip: {gzip}", far.port);
            let calls = other_calls().trusting(authority.pem.as_bytes()).unwrap();
            assert_delivered(&deliver(calls, &format!("{settings}, {place}")));
            let asked = far.asked();
            assert_eq!((asked.len(), asked[0].line()), (1, format!("POST {target}")), "{settings}");
            if !gzip || name != "content-type" {
                assert_eq!(asked[0].header(name), Some(value), "{settings}");
            }
            let mut text = String::new();
            match asked[0].header("content-encoding") {
                Some("gzip") if gzip => _ = GzDecoder::new(&asked[0].body[..]).read_to_string(&mut text).unwrap(),
                None if !gzip => text = asked[0].text(),
                other => panic!("{settings}: {other:?}"),
            }
            assert_eq!(text, body, "{settings}");
        }
    }
}

#[test]
fn a_far_side_whose_certificate_nobody_vouches_for_gets_nothing_and_nothing_is_lost() {
    let authority = Authority::new();
    for (settings, ..) in over_http() {
        let far = FarSide::tls(authority.server("127.0.0.1", &[]), accepting());
        let invoked = deliver(other_calls(), &format!("{settings}, hostname: 127.0.0.1, port: {}", far.port));
        assert_handed_back(&invoked, CERTIFICATE);
        assert!(far.asked().is_empty(), "{settings}");
    }
}

#[test]
fn a_certificate_for_another_name_or_of_another_time_is_refused() {
    let authority = Authority::new();
    for tls in [authority.server("localhost", &[]), authority.server_until("127.0.0.1", &[], 2020)] {
        let far = FarSide::tls(tls, accepting());
        let calls = other_calls().trusting(authority.pem.as_bytes()).unwrap();
        let invoked = deliver(calls, &format!("type: HTTP, path: /, hostname: 127.0.0.1, port: {}", far.port));
        assert_handed_back(&invoked, CERTIFICATE);
        assert!(far.asked().is_empty());
    }
}

#[test]
fn signed_requests_check_certificates_too() {
    let authority = Authority::new();
    let auth = "auth_config: {type: UrlSigningAuth, service: es}";
    for trusted in [true, false] {
        let far = FarSide::tls(authority.server("127.0.0.1", &[]), accepting());
        let calls = if trusted { other_calls().trusting(authority.pem.as_bytes()).unwrap() } else { other_calls() };
        let settings = format!("type: OpenSearch, index: i, hostname: 127.0.0.1, port: {}, {auth}", far.port);
        let invoked = deliver(calls, &settings);
        if trusted {
            assert_delivered(&invoked);
            let asked = far.asked();
            assert!(asked[0].header("authorization").unwrap().contains("/eu-west-1/es/aws4_request"));
        } else {
            assert_handed_back(&invoked, CERTIFICATE);
            assert!(far.asked().is_empty());
        }
    }
}

/// A far side that never has two requests at once would wait for ever.
#[test]
fn by_http2_requests_are_under_way_together_on_one_connection() {
    let authority = Authority::new();
    let far = Http2::new(authority.server("localhost", &["h2"]), 3);
    let calls = other_calls().trusting(authority.pem.as_bytes()).unwrap();
    let place = format!("hostname: localhost, port: {}, batch_size: 1, threads: 3", far.port);
    assert_delivered(&deliver(calls, &format!("type: HTTP2, path: \"/in?a=b\", use_gzip: true, {place}")));
    let asked = far.asked();
    assert!(asked.iter().all(|(connection, _)| *connection == asked[0].0), "{asked:?}");
    let body = |(_, asked): &(usize, Asked)| {
        let mut text = String::new();
        GzDecoder::new(&asked.body[..]).read_to_string(&mut text).unwrap();
        format!("{} {} {text}", asked.line(), asked.header("content-encoding").unwrap())
    };
    let mut bodies: Vec<_> = asked.iter().map(body).collect();
    bodies.sort();
    assert_eq!(bodies, [0, 1, 2].map(|id| format!("POST /in?a=b gzip {{\"id\":{id}}}\n")));
}

#[test]
fn http_speaks_1_1_even_with_a_far_side_that_offers_more() {
    let authority = Authority::new();
    let far = FarSide::tls(authority.server("127.0.0.1", &["h2", "http/1.1"]), accepting());
    let calls = other_calls().trusting(authority.pem.as_bytes()).unwrap();
    assert_delivered(&deliver(calls, &format!("type: HTTP, path: /, hostname: 127.0.0.1, port: {}", far.port)));
    assert_eq!(far.asked().len(), 1);
}

/// What one connection brings, over TLS. Who refuses our certificate brings nothing.
fn listen(authority: &Authority) -> (u16, thread::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = authority.server("127.0.0.1", &[]);
    let reader = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = tokio_rustls::rustls::ServerConnection::new(tls).unwrap();
        let mut bytes = vec![];
        let _ = tokio_rustls::rustls::StreamOwned::new(connection, stream).read_to_end(&mut bytes);
        bytes
    });
    (port, reader)
}

#[test]
fn transports_over_tcp_check_certificates_unless_told_not_to() {
    let authority = Authority::new();
    let datadog = "type: Datadog, api_key: {type: StringValue, value: KEY}";
    for (settings, bytes) in [
        (datadog, "KEY {\"id\":0}\nKEY {\"id\":1}\nKEY {\"id\":2}\n"),
        ("type: Gelf", "{\"id\":0}\0{\"id\":1}\0{\"id\":2}\0"),
    ] {
        let place = |port: u16| format!("{settings}, hostname: 127.0.0.1, port: {port}");
        let (port, read) = listen(&authority);
        assert_delivered(&deliver(other_calls().trusting(authority.pem.as_bytes()).unwrap(), &place(port)));
        assert_eq!(String::from_utf8(read.join().unwrap()).unwrap(), bytes);
        let (port, read) = listen(&authority);
        assert_delivered(&deliver(other_calls(), &(place(port) + ", verify_ssl: false")));
        assert_eq!(String::from_utf8(read.join().unwrap()).unwrap(), bytes);
        let (port, read) = listen(&authority);
        assert_handed_back(&deliver(other_calls(), &(place(port) + ", retry_count: 0")), CERTIFICATE);
        assert!(read.join().unwrap().is_empty());
    }
}

/// The services of AWS that take batches: a transport's settings, its protocol's words for "slow down", and how events stand in it.
struct Service {
    settings: &'static str,
    throttled: (u16, &'static str),
    events: fn(&Asked) -> Vec<String>,
    answer: fn(&[bool]) -> String,
}

fn json(asked: &Asked) -> Value {
    serde_json::from_slice(&asked.body).unwrap()
}

fn records(asked: &Asked) -> Vec<String> {
    let data = |record: &Value| {
        let bytes = STANDARD.decode_to_vec(record["Data"].as_str().unwrap()).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    json(asked)["Records"].as_array().unwrap().iter().map(data).collect()
}

fn bodies(asked: &Asked) -> Vec<String> {
    let body = |entry: &Value| entry["MessageBody"].as_str().unwrap().to_owned();
    json(asked)["Entries"].as_array().unwrap().iter().map(body).collect()
}

/// The query protocol: a form.
fn published(asked: &Asked) -> Vec<String> {
    let form = reqwest::Url::parse(&format!("http://h/?{}", asked.text())).unwrap();
    let messages = form.query_pairs().filter(|(name, _)| name.ends_with(".Message"));
    messages.map(|(_, message)| message.into_owned()).collect()
}

fn numbered(refused: &[bool], taken: &str, failed: &str) -> (String, String) {
    let of = |wanted: bool, text: &str| {
        let ids = (0..).zip(refused).filter(|(_, refused)| **refused == wanted).map(|(id, _): (u32, _)| id);
        ids.map(|id| text.replace("ID", &id.to_string())).collect::<Vec<_>>()
    };
    let separator = if taken.starts_with('<') { "" } else { "," };
    (of(false, taken).join(separator), of(true, failed).join(separator))
}

const SERVICES: [Service; 4] = [
    Service {
        settings: "type: Kinesis, stream_name: s",
        throttled: (400, r#"{"__type":"ProvisionedThroughputExceededException"}"#),
        events: records,
        answer: |refused| {
            let record = |refused: &bool| match refused {
                true => r#"{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"m"}"#,
                false => r#"{"SequenceNumber":"1","ShardId":"shardId-000000000000"}"#,
            };
            let records: Vec<_> = refused.iter().map(record).collect();
            format!(r#"{{"FailedRecordCount":1,"Records":[{}]}}"#, records.join(","))
        },
    },
    Service {
        settings: "type: Firehose, stream_name: s, firehose_buffer: SIMPLE, append_newline: false",
        throttled: (400, r#"{"__type":"ThrottlingException","message":"m"}"#),
        events: records,
        answer: |refused| {
            let record = |refused: &bool| match refused {
                true => r#"{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"Slow down."}"#,
                false => r#"{"RecordId":"r"}"#,
            };
            let records: Vec<_> = refused.iter().map(record).collect();
            format!(r#"{{"FailedPutCount":1,"RequestResponses":[{}]}}"#, records.join(","))
        },
    },
    Service {
        settings: "type: SQS, queue_url: \"http://127.0.0.1:1/000000000000/q\"",
        throttled: (403, r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#),
        events: bodies,
        answer: |refused| {
            let (taken, failed) = numbered(
                refused,
                r#"{"Id":"ID","MessageId":"m","MD5OfMessageBody":"d"}"#,
                r#"{"Id":"ID","Code":"InternalError","SenderFault":false}"#,
            );
            format!(r#"{{"Successful":[{taken}],"Failed":[{failed}]}}"#)
        },
    },
    Service {
        settings: "type: SNS, topic_arn: \"arn:aws:sns:us-west-2:111122223333:t\"",
        throttled: (
            400,
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttled</Code><Message>m</Message></Error></ErrorResponse>",
        ),
        events: published,
        answer: |refused| {
            let (taken, failed) = numbered(
                refused,
                "<member><Id>ID</Id><MessageId>m</MessageId></member>",
                "<member><Id>ID</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member>",
            );
            format!(
                "<PublishBatchResponse><PublishBatchResult><Successful>{taken}</Successful><Failed>{failed}</Failed>\
                 </PublishBatchResult></PublishBatchResponse>"
            )
        },
    },
];

#[test]
fn what_a_service_of_aws_does_not_take_now_is_sent_again_alone() {
    for Service { settings, throttled, events, answer } in SERVICES {
        let far = FarSide::new(move |asked, nth| {
            let count = events(asked).len();
            match nth {
                0 => Say::json(throttled.0, throttled.1),
                1 => Say::json(200, &answer(&[false, true, false])),
                _ => Say::json(200, &answer(&vec![false; count])),
            }
        });
        assert_delivered(&deliver(calls(&far.address), settings));
        let sent: Vec<_> = far.asked().iter().map(events).collect();
        let all = [0, 1, 2].map(|id| format!(r#"{{"id":{id}}}"#)).to_vec();
        assert_eq!(sent, [all.clone(), all, vec![r#"{"id":1}"#.to_owned()]], "{settings}");
    }
}

#[test]
fn a_file_holds_what_the_last_invocation_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    fs::write(&file, "of before\n").unwrap();
    assert_delivered(&deliver(other_calls(), &format!("type: File, filename: {}", file.display())));
    assert_eq!(fs::read_to_string(&file).unwrap(), "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n");
    let nowhere = deliver(other_calls(), "type: File, filename: /nowhere/out");
    assert_eq!((nowhere.ledger.delivered, nowhere.handed_back), (0, 3));
}
