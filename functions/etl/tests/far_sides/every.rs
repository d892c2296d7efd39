//! Every transport against a far side that takes, puts off, refuses, denies or is gone.
//!
//! Whatever it does: received = delivered + failed + handed back (the law is checked by [`deliver`]); what it has taken is never sent
//! again; what is delivered is what it has; and what it puts off arrives in the end.

use super::{deliver, records};
use bytes::Bytes;
use etl::{
    pipeline::Invoked,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

/// What a far side's answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// Each event, and one may be refused for good.
    Each,
    /// Each record, and none is refused for good: it is put off for ever.
    EachForNow,
    /// The whole request; one event may be the reason that it is refused.
    Request,
    /// The whole call, which is never refused for the sake of an event.
    Call,
}

/// All transports that call a far side.
const ALL: [(&str, Answers); 16] = [
    ("type: HTTP, hostname: h, path: /in", Answers::Request),
    ("type: HTTP2, hostname: h, path: /in", Answers::Request),
    ("type: Splunk, hostname: h, auth_token: {type: StringValue, value: t}", Answers::Request),
    ("type: SumoLogic, hostname: h, auth_token: {type: StringValue, value: t}", Answers::Request),
    ("type: Scalyr, token: {type: StringValue, value: t}", Answers::Request),
    ("type: ElasticSearch, hostname: h, index: i", Answers::Each),
    ("type: Datadog, hostname: h, port: 1, api_key: {type: StringValue, value: t}", Answers::Call),
    ("type: Gelf, hostname: h, port: 1", Answers::Call),
    ("type: Kinesis, stream_name: s", Answers::EachForNow),
    ("type: Firehose, stream_name: s, firehose_buffer: SIMPLE", Answers::EachForNow),
    ("type: SQS, queue_url: \"https://sqs.eu-west-1.amazonaws.com/1/q\"", Answers::Each),
    ("type: SQS, queue_url: \"https://sqs.eu-west-1.amazonaws.com/1/q.fifo\"", Answers::Each),
    ("type: SNS, topic_arn: \"arn:aws:sns:eu-west-1:111122223333:t\"", Answers::Each),
    ("type: S3, bucket_name: b, compression: none", Answers::Call),
    ("type: File, filename: f", Answers::Call),
    ("type: Stdout", Answers::Call),
];

/// What becomes of an event, the how manieth time (from 0) that it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Taken,
    Later,
    Never,
    /// None of the call: nobody answers.
    Gone,
    /// None of the call: it is not allowed.
    Denied,
}

/// What a far side has, and all that it was sent.
#[derive(Debug, Default)]
struct Seen {
    taken: Vec<u64>,
    calls: Vec<Vec<u64>>,
}

/// The numbers of the events in some text.
fn ids(text: &[u8]) -> Vec<u64> {
    let text = std::str::from_utf8(text).unwrap();
    let number = |rest: &str| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    text.split(r#"{"id":"#).skip(1).map(number).collect()
}

/// The events of a call, by what it has an answer for.
fn sent(call: &Call) -> Vec<u64> {
    let all = |parts: &[Bytes]| parts.iter().flat_map(|part| ids(part)).collect();
    match call {
        Call::Http(call) => ids(&call.body),
        Call::Tcp(call) => all(&call.units),
        Call::PutRecords { records, .. } => records.iter().flat_map(|(_, data)| ids(data)).collect(),
        Call::PutRecordBatch { records, .. } => all(records),
        Call::SendMessageBatch { messages, .. } | Call::PublishBatch { messages, .. } => {
            messages.iter().flat_map(|message| ids(message.body.as_bytes())).collect()
        }
        Call::PutObject { body, .. } | Call::Append { body, .. } | Call::Stdout(body) => ids(body),
        other => panic!("{other:?}"),
    }
}

fn refused(call: &Call, code: &str, status: u16) -> Answer {
    match call {
        Call::Http(_) => Answer::Http { status, body: Bytes::new() },
        Call::Tcp(_) => Answer::Silence("reset".into()),
        _ => Answer::Refused { code: code.into(), status: Some(status) },
    }
}

/// What the far side says to a call with events of these fates.
fn says(call: &Call, answers: Answers, fates: &[Fate]) -> Answer {
    let any = |fate| fates.contains(&fate);
    if any(Fate::Gone) {
        return Answer::Silence("reset".into());
    }
    if any(Fate::Denied) {
        return refused(call, "AccessDenied", 403);
    }
    let code = |fate: &Fate| match fate {
        Fate::Taken => None,
        Fate::Later => Some("ThrottlingException".to_owned()),
        _ => Some("InvalidParameterValue".to_owned()),
    };
    match (answers, call) {
        (Answers::Each, Call::Http(_)) => {
            let status = |fate: &Fate| match fate {
                Fate::Taken => json!({"index": {"status": 201}}),
                Fate::Later => json!({"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}),
                _ => json!({"index": {"status": 400, "error": {"type": "mapper_parsing_exception"}}}),
            };
            let errors = fates.iter().any(|fate| *fate != Fate::Taken);
            let body = json!({"errors": errors, "items": fates.iter().map(status).collect::<Vec<_>>()});
            Answer::Http { status: 200, body: Bytes::from(body.to_string()) }
        }
        (Answers::Each | Answers::EachForNow, _) => Answer::Records(fates.iter().map(code).collect()),
        (Answers::Request | Answers::Call, _) if any(Fate::Never) => refused(call, "", 400),
        (Answers::Request | Answers::Call, _) if any(Fate::Later) => refused(call, "SlowDown", 503),
        (Answers::Request | Answers::Call, _) => RecordedCalls::taken(call),
    }
}

/// One invocation of 30 events. `fate`: of an event, the how manieth time it is there.
fn meet(settings: &str, answers: Answers, fate: impl Fn(u64, usize) -> Fate + Send + 'static) -> (Invoked, Seen) {
    let world = World::new();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let of_script = Arc::clone(&seen);
    world.calls.answer(move |call| {
        let mut seen = of_script.lock().unwrap();
        let sent = sent(call);
        for id in &sent {
            assert!(!seen.taken.contains(id), "{id} is there already and comes again");
        }
        let times = |id: &u64| seen.calls.iter().filter(|call| call.contains(id)).count();
        let fates: Vec<_> = sent.iter().map(|id| fate(*id, times(id))).collect();
        let answer = says(call, answers, &fates);
        let whole = matches!(answers, Answers::Request | Answers::Call)
            || fates.contains(&Fate::Gone)
            || fates.contains(&Fate::Denied);
        let all = fates.iter().all(|fate| *fate == Fate::Taken);
        let taken = sent.iter().zip(&fates).filter(|(_, fate)| if whole { all } else { **fate == Fate::Taken });
        let taken: Vec<_> = taken.map(|(id, _)| *id).collect();
        seen.taken.extend(taken);
        seen.calls.push(sent);
        Reply::Now(answer)
    });
    let invoked = deliver(&world, settings, "", &records(30));
    drop(world);
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(invoked.ledger.delivered, seen.taken.len() as u64, "{settings}: {:?}", invoked.ledger);
    (invoked, seen)
}

#[test]
fn what_is_taken_at_once_arrives_once_and_in_order() {
    for (settings, answers) in ALL {
        let (_, seen) = meet(settings, answers, |_, _| Fate::Taken);
        assert_eq!(seen.taken, (0..30).collect::<Vec<_>>(), "{settings}");
    }
}

#[test]
fn a_far_side_that_is_overloaded_for_a_while_gets_everything() {
    for (settings, answers) in ALL {
        let (invoked, seen) = meet(settings, answers, |_, times| if times < 3 { Fate::Later } else { Fate::Taken });
        let taken: BTreeSet<_> = seen.taken.iter().collect();
        assert_eq!((taken.len(), invoked.handed_back), (30, 0), "{settings}");
        if settings.contains(".fifo") {
            assert!(seen.taken.is_sorted(), "{settings}: {:?}", seen.taken);
        }
    }
}

#[test]
fn a_part_that_is_put_off_is_sent_again_and_nothing_else_is() {
    for (settings, answers) in ALL.into_iter().filter(|(_, answers)| *answers != Answers::Call) {
        let even = |id: u64, times| if id.is_multiple_of(2) && times == 0 { Fate::Later } else { Fate::Taken };
        let (invoked, seen) = meet(settings, answers, even);
        assert_eq!((seen.taken.len(), invoked.handed_back), (30, 0), "{settings}");
        if answers != Answers::Request {
            let odd = seen.calls.iter().flatten().filter(|id| **id % 2 == 1).count();
            assert_eq!(odd, 15, "{settings}: {:?}", seen.calls);
        }
    }
}

#[test]
fn one_event_that_is_refused_for_good_fails_alone() {
    for (settings, answers) in ALL {
        let (invoked, seen) = meet(settings, answers, |id, _| if id == 13 { Fate::Never } else { Fate::Taken });
        let failed = invoked.ledger.all_failed() - invoked.handed_back;
        let expected = match answers {
            Answers::Each | Answers::Request => (29, 1, 0),
            // It is put off until time is over.
            Answers::EachForNow => (29, 0, 1),
            // No far side of these says that it is the event's fault.
            Answers::Call => (0, 0, 30),
        };
        assert_eq!((seen.taken.len(), failed, invoked.handed_back), expected, "{settings}: {:?}", invoked.ledger);
        assert!(!seen.taken.contains(&13), "{settings}");
    }
}

#[test]
fn when_all_are_refused_for_good_each_fails_or_comes_again() {
    for (settings, answers) in ALL {
        let (invoked, seen) = meet(settings, answers, |_, _| Fate::Never);
        assert_eq!((seen.taken.len(), invoked.ledger.all_failed()), (0, 30), "{settings}: {:?}", invoked.ledger);
    }
}

#[test]
fn what_a_dead_or_forbidden_far_side_does_not_take_is_handed_back() {
    for (settings, answers) in ALL {
        for fate in [Fate::Gone, Fate::Denied] {
            let (invoked, seen) = meet(settings, answers, move |_, _| fate);
            assert_eq!((seen.taken.len(), invoked.handed_back), (0, 30), "{settings}: {:?}", invoked.ledger);
            assert!(seen.calls.len() > 1, "{settings} is tried again");
        }
    }
}

#[test]
fn a_far_side_that_dies_half_way_has_what_it_took_and_the_rest_is_handed_back() {
    for (settings, answers) in
        ALL.into_iter().filter(|(settings, _)| settings.contains("SQS") || settings.contains("SNS"))
    {
        let (invoked, seen) = meet(settings, answers, |id, _| if id < 10 { Fate::Taken } else { Fate::Gone });
        assert_eq!((seen.taken, invoked.handed_back), ((0..10).collect(), 20), "{settings}: {:?}", invoked.ledger);
    }
}

#[test]
fn nothing_is_called_for_a_transport_without_a_far_side() {
    let world = World::new();
    assert_eq!(deliver(&world, "type: DevNull", "", &records(30)).ledger.delivered, 30);
    assert!(world.calls.made().is_empty());
}
