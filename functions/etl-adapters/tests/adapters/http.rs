//! HTTP requests.

use super::{
    far_side::{FarSide, Say},
    recorded, runtime, sdk,
};
use bytes::Bytes;
use etl::ports::{Answer, Auth, HttpCall, Secret};
use etl_adapters::http::HttpClient;
use std::io::Write as _;

fn bulk(address: &str, auth: Auth) -> HttpCall {
    HttpCall {
        method: "POST",
        url: format!("{address}/_bulk?filter_path=items"),
        url_end: Secret::default(),
        headers: vec![("Content-Type".to_owned(), Secret::new("application/x-ndjson"))],
        body: Bytes::from_static(b"{\"index\":{}}\n{}\n"),
        auth,
        http2: false,
        answer_bytes: usize::MAX,
    }
}

fn sigv4(service: &str, region: Option<&str>) -> Auth {
    Auth::SigV4 { service: service.to_owned(), region: region.map(str::to_owned) }
}

fn send(client: HttpClient, call: HttpCall) -> Answer {
    let (tell, answer) = std::sync::mpsc::channel();
    runtime().spawn(async move { tell.send(client.send(&call).await) });
    answer.recv().unwrap()
}

/// The answer to one call.
fn answer(far: &FarSide, auth: Auth) -> Answer {
    send(HttpClient::new(sdk("http://127.0.0.1:1")), bulk(&far.address, auth))
}

fn ok() -> FarSide {
    FarSide::new(|_, _| Say::json(200, "{}"))
}

#[test]
fn a_request_is_signed_with_the_function_s_role_for_service_and_region() {
    let far = ok();
    answer(&far, sigv4("es", None));
    answer(&far, sigv4("aoss", Some("us-east-2")));
    let asked = far.asked();
    let signed = asked[0].header("authorization").unwrap();
    assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), "{signed}");
    assert!(signed.contains("/eu-west-1/es/aws4_request"), "{signed}");
    assert!(signed.contains("content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token"), "{signed}");
    assert_eq!(asked[0].header("x-amz-security-token"), Some("token"));
    assert!(asked[1].header("authorization").unwrap().contains("/us-east-2/aoss/aws4_request"));
}

#[test]
fn basic_and_no_authentication_send_what_they_say() {
    let far = ok();
    answer(&far, Auth::Basic { username: "Aladdin".to_owned(), password: Secret::new("open sesame") });
    answer(&far, Auth::None);
    let asked = far.asked();
    assert_eq!(asked[0].header("authorization"), Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
    assert_eq!(asked[1].header("authorization"), None);
}

#[test]
fn the_request_goes_out_and_the_answer_comes_back_letter_for_letter() {
    let Some(mixed) = recorded("bulk-mixed.json") else { return };
    let said = mixed["response"]["body"].to_string();
    let body = said.clone();
    let far = FarSide::new(move |_, _| Say::json(200, &body));
    assert_eq!(answer(&far, Auth::None), Answer::Http { status: 200, body: Bytes::from(said) });
    let asked = far.asked();
    assert_eq!(asked[0].line(), "POST /_bulk?filter_path=items");
    assert_eq!(asked[0].text(), "{\"index\":{}}\n{}\n");
    assert_eq!(asked[0].header("content-type"), Some("application/x-ndjson"));
}

#[test]
fn a_refusal_is_an_answer() {
    let far = FarSide::new(|_, _| Say::json(429, "busy"));
    assert_eq!(answer(&far, Auth::None), Answer::Http { status: 429, body: Bytes::from_static(b"busy") });
    assert_eq!(far.asked().len(), 1);
}

#[test]
fn a_packed_answer_is_unpacked() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(b"{\"errors\":false}").unwrap();
    let packed = zip.finish().unwrap();
    let far = FarSide::new(move |_, _| Say::This(200, vec![("content-encoding", "gzip".to_owned())], packed.clone()));
    assert_eq!(answer(&far, Auth::None), Answer::Http { status: 200, body: Bytes::from_static(b"{\"errors\":false}") });
}

#[test]
fn more_of_an_answer_than_is_of_use_is_left_away() {
    let far = FarSide::new(|_, _| Say::json(200, "0123456789"));
    let call = HttpCall { answer_bytes: 4, ..bulk(&far.address, Auth::None) };
    let answer = send(HttpClient::new(sdk("http://127.0.0.1:1")), call);
    assert_eq!(answer, Answer::Http { status: 200, body: Bytes::from_static(b"0123") });
}

#[test]
fn a_connection_found_dead_is_tried_once_more_and_only_once() {
    let far = FarSide::new(|_, nth| if nth == 0 { Say::Close } else { Say::json(200, "{}") });
    assert!(matches!(answer(&far, Auth::None), Answer::Http { status: 200, .. }));
    let far = FarSide::new(|_, _| Say::Close);
    let Answer::Silence(reason) = answer(&far, Auth::None) else { panic!() };
    assert_eq!((far.asked().len(), reason.as_str()), (2, "connection closed before message completed"));
}

#[test]
fn the_reason_of_a_silence_is_short_and_names_no_url() {
    let silence = |url: &str, name: &str| {
        let mut call = bulk(url, Auth::None);
        call.headers.push((name.to_owned(), Secret::new("s3cret\n")));
        let Answer::Silence(reason) = send(HttpClient::new(sdk("http://127.0.0.1:1")), call) else { panic!() };
        assert!(!reason.contains("s3cret"), "{reason}");
        reason
    };
    assert_eq!(silence("/s3cret", "x"), "not a URL: relative URL without a base");
    assert_eq!(silence("http://a", "x"), "the header x cannot be sent");
    let mut call = bulk("http://127.0.0.1:1/s3cret", Auth::None);
    call.url += "?Signature=s3cret";
    let Answer::Silence(reason) = send(HttpClient::new(sdk("http://127.0.0.1:1")), call) else { panic!() };
    assert_eq!(reason, "Connection refused (os error 111)");
}
