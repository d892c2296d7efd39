//! Documents of OpenSearch.

use super::{deliver, records};
use bytes::Bytes;
use etl::{
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use serde_json::json;

/// The documents of a bulk request.
fn documents(body: &[u8]) -> Vec<String> {
    std::str::from_utf8(body).unwrap().lines().skip(1).step_by(2).map(str::to_owned).collect()
}

const SEARCH: &str = "type: OpenSearch, hostname: h, index: i, threads: 1";

#[test]
fn a_request_that_is_too_large_arrives_in_halves() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let status = if documents(&request.body).len() > 3 { 413 } else { 200 };
        let Answer::Http { body, .. } = RecordedCalls::taken(call) else { panic!("an answer") };
        Reply::Now(Answer::Http { status, body })
    });
    let invoked = deliver(&world, SEARCH, "", &records(20));
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (20, 0));
    let mut arrived = vec![];
    for call in world.calls.made() {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let documents = documents(&request.body);
        if documents.len() <= 3 {
            arrived.extend(documents);
        }
    }
    assert_eq!(arrived, records(20), "each once, in order");
}

#[test]
fn one_document_that_spoils_a_request_fails_and_its_neighbours_arrive() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        let bad = documents(&request.body).contains(&r#"{"id":13}"#.to_owned());
        let Answer::Http { body, .. } = RecordedCalls::taken(call) else { panic!("an answer") };
        Reply::Now(Answer::Http { status: if bad { 400 } else { 200 }, body })
    });
    let invoked = deliver(&world, SEARCH, "", &records(50));
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (49, 1));
    assert_eq!(invoked.ledger.failed[0].reason, "the bulk request was refused");
}

#[test]
fn documents_that_are_refused_for_now_are_sent_again_alone() {
    let world = World::new();
    let mut calls = 0;
    world.calls.answer(move |call| {
        let Call::Http(request) = call else { panic!("{call:?}") };
        calls += 1;
        let item = |number: usize| match (number % 3, calls) {
            (0, 1) => {
                json!({"index": {"status": 429, "error": {"type": "rejected_execution_exception", "reason": "queue"}}})
            }
            (1, 1) => {
                json!({"index": {"status": 400, "error": {"type": "mapper_parsing_exception", "reason": "secret"}}})
            }
            _ => json!({"index": {"status": 201}}),
        };
        let items: Vec<_> = (0..documents(&request.body).len()).map(item).collect();
        let body = json!({"errors": calls == 1, "items": items}).to_string();
        Reply::Now(Answer::Http { status: 200, body: Bytes::from(body) })
    });
    let invoked = deliver(&world, SEARCH, "", &records(9));
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (6, 3));
    assert_eq!(invoked.ledger.failed[0].reason, "mapping refused");
    let sent = world.calls.made().into_iter().map(|call| match call {
        Call::Http(request) => documents(&request.body),
        other => panic!("{other:?}"),
    });
    let again = [r#"{"id":0}"#, r#"{"id":3}"#, r#"{"id":6}"#].map(str::to_owned).to_vec();
    assert_eq!(sent.collect::<Vec<_>>(), [records(9), again]);
}
