//! Dead letters: nothing that failed is lost, nothing is called safe before its letter is taken, and a replay makes up for exactly
//! what failed.

use crate::{
    law::{deliverable, far_side, record, says, take, text},
    parts::{Gate, Take, config, goes_on_at, kinesis, lines, pipeline, s3, small, within},
};
use etl::{
    config::{NamedTransport, PipelineConfig, TransportConfig},
    event::Context,
    handlers::{KinesisHandler, S3Handler},
    operations::JsonArraySplitOperation,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

fn letter_box() -> TransportConfig {
    Take { to: "letters".into(), event_bytes: 1 << 20, by_partition: false, ..Take::default() }.into()
}

fn with_letters(take: Take) -> PipelineConfig {
    let split = JsonArraySplitOperation::builder().path("$.all").build();
    let one = config(KinesisHandler::builder().build(), vec![split.into(), Gate {}.into()], take);
    PipelineConfig { dead_letter: Some(letter_box()), ..one }
}

/// What was called, as lines: the letters, and all else.
fn got(world: &World) -> (Vec<Value>, Vec<Value>) {
    let (mut letters, mut events) = (vec![], vec![]);
    for call in world.calls.made() {
        let Call::PutRecordBatch { stream, records, .. } = call else { panic!("{call:?}") };
        let to = if stream == "letters" { &mut letters } else { &mut events };
        to.extend(lines(&records).iter().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    (letters, events)
}

fn minute() -> Context {
    within(Duration::from_mins(1))
}

#[test]
fn an_event_that_fails_is_kept_as_it_was_received() {
    let world = World::new();
    let records: [&[u8]; 4] =
        [b"{ \"all\": [{\"do\":\"fail\"}, {\"id\":1}, {\"do\":\"fail\"}]}", b"{\"all\":1}", b"\xff", b"{\"all\":[{}]}"];
    let invoked = pipeline(&world, &with_letters(Take::default())).invoke(&kinesis(&records), &minute());
    let (mut letters, events) = got(&world);
    letters.sort_by_key(|letter| letter["origin"]["sequence_number"].to_string());
    assert_eq!(events, [json!({"id": 1}), json!({})]);
    assert_eq!((goes_on_at(&invoked), invoked.ledger.all_failed(), invoked.ledger.dead_lettered), (None, 4, 3));
    assert_eq!(letters[0]["event"], "{ \"all\": [{\"do\":\"fail\"}, {\"id\":1}, {\"do\":\"fail\"}]}");
    assert_eq!(letters[0]["elements"], json!([[0], [2]]));
    assert_eq!(
        (&letters[0]["stage"], &letters[0]["component"], &letters[0]["reason"]),
        (&json!("operation"), &json!("Gate"), &json!("gate broken"))
    );
    assert_eq!((&letters[0]["source"], &letters[0]["origin"]["sequence_number"]), (&json!("all"), &json!("0")));
    assert_eq!((&letters[1]["event"], letters[1].get("elements")), (&json!("{\"all\":1}"), None));
    assert_eq!((&letters[2]["event_base64"], letters[2].get("event")), (&json!("/w=="), None));
}

#[test]
fn what_the_far_side_refuses_for_good_is_kept_too() {
    let world = World::new();
    world.calls.answer(|call| match call {
        Call::PutRecordBatch { stream, records, .. } if stream.starts_with('b') => {
            let code = |record: &bytes::Bytes| record.starts_with(b"{\"id\":2").then(|| "never".to_owned());
            Reply::Now(Answer::Records(records.iter().map(code).collect()))
        }
        call => Reply::Now(RecordedCalls::taken(call)),
    });
    let named = |name: &str| {
        NamedTransport::builder().name(name).transport(Take { to: name.into(), ..Take::default() }).build()
    };
    let config =
        PipelineConfig { transport: None, transports: vec![named("a"), named("b")], ..with_letters(Take::default()) };
    let invoked = pipeline(&world, &config).invoke(&kinesis(&[r#"{"all":[{"id":1},{"id":2}]}"#]), &minute());
    let (letters, _) = got(&world);
    assert_eq!((letters.len(), &letters[0]["transport"], &letters[0]["elements"]), (1, &json!("b"), &json!([[1]])));
    assert_eq!((&letters[0]["stage"], &letters[0]["component"]), (&json!("transport"), &json!("b")));
    assert!(invoked.ledger.balances());

    // A replay brings it to that transport, and nothing to the other.
    let world = World::new();
    let again = pipeline(&world, &config).invoke(json!({ "dead_letters": letters }).to_string().as_bytes(), &minute());
    let streams: Vec<_> = world
        .calls
        .made()
        .into_iter()
        .map(|call| match call {
            Call::PutRecordBatch { stream, records, .. } => (stream, lines(&records)),
            call => panic!("{call:?}"),
        })
        .collect();
    assert_eq!(streams, [("b".to_owned(), vec![r#"{"id":2}"#.to_owned()])]);
    assert!(again.ledger.balances() && again.answer.is_ok());
}

#[test]
fn a_trigger_is_not_safe_before_its_letter_is_taken() {
    let world = World::new();
    world.calls.answer(|call| match call {
        Call::PutRecordBatch { stream, .. } if stream == "letters" => Reply::Now(Answer::Silence("no".into())),
        call => Reply::Now(RecordedCalls::taken(call)),
    });
    let records = [r#"{"all":[{"id":1}]}"#, "no json", r#"{"all":[{"id":2}]}"#];
    let invoked =
        pipeline(&world, &with_letters(Take::default())).invoke(&kinesis(&records), &within(Duration::from_secs(9)));
    assert_eq!(goes_on_at(&invoked), Some(1));
    assert_eq!((invoked.ledger.dead_lettered, invoked.handed_back, invoked.ledger.all_failed()), (0, 1, 1));
    assert!(world.log.lines().iter().any(|(_, line)| line.starts_with("dead letters were not taken")));
}

#[test]
fn an_object_that_is_gone_and_a_letter_that_is_too_large_say_where_their_events_were() {
    let world = World::new();
    world.objects.put("b", "k", Ok(format!("{{}}\nno json {}\n", "x".repeat(900)).into_bytes()));
    let one = config(S3Handler::builder().build(), vec![], Take::default());
    let small = Take { to: "letters".into(), event_bytes: 700, by_partition: false, ..Take::default() };
    let config = PipelineConfig { dead_letter: Some(small.into()), ..one };
    let invoked = pipeline(&world, &config).invoke(&s3(&["k", "gone"]), &minute());
    let (letters, _) = got(&world);
    assert_eq!((letters.len(), invoked.ledger.dead_lettered), (2, 2));
    let about =
        |letter: &Value| (letter["origin"]["key"].clone(), letter["offset"].clone(), letter["left_out_bytes"].clone());
    assert_eq!(about(&letters[0]), (json!("k"), json!(3), json!(908)));
    assert_eq!(about(&letters[1]), (json!("gone"), json!(null), json!(null)));
    assert!(letters.iter().all(|letter| letter.get("event").is_none()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_safe_is_delivered_or_in_a_letter_whose_replay_delivers_it(
        records in prop::collection::vec(record(), 0..20),
        scripts in (prop::collection::vec(says(), 0..6), prop::collection::vec(says(), 0..3)),
        take in take(),
        bound in 100..3000_usize,
        seconds in 1..4_u64,
    ) {
        let world = World::new();
        let (taken, mut answers) = far_side(scripts.0, take.closes);
        let mut letter_script = scripts.1.into_iter();
        world.calls.answer(move |call| match call {
            Call::PutRecordBatch { stream, .. } if stream == "letters" => match letter_script.next() {
                None => Reply::Now(RecordedCalls::taken(call)),
                Some(_) => Reply::Now(Answer::Silence("timeout".into())),
            },
            call => answers(call),
        });
        let config = with_letters(take);
        let texts: Vec<_> = records.iter().enumerate().map(|(number, record)| text(number, record)).collect();

        let invoked = small(pipeline(&world, &config), bound).invoke(&kinesis(&texts), &within(Duration::from_secs(seconds)));

        prop_assert!(invoked.ledger.balances(), "{:?}", invoked.ledger);
        let safe = goes_on_at(&invoked).unwrap_or(records.len());
        // Letters that were taken, by the record that they are about.
        let mut letters: BTreeMap<String, Value> = BTreeMap::new();
        for letter in got(&world).0 {
            letters.insert(letter.to_string(), letter);
        }
        let about = |letter: &Value| letter["origin"]["sequence_number"].as_str().unwrap().parse::<usize>().unwrap();
        let of_safe: Vec<&Value> = letters.values().filter(|letter| about(letter) < safe).collect();

        let again = World::new();
        let mut everything = with_letters(Take::default());
        everything.dead_letter = None;
        let invocation = json!({ "dead_letters": of_safe }).to_string();
        let replayed = pipeline(&again, &everything).invoke(invocation.as_bytes(), &minute());
        prop_assert!(replayed.ledger.balances(), "{:?}", replayed.ledger);
        let replayed: BTreeSet<String> = got(&again).1.iter().filter_map(|event| Some(event["id"].as_str()?.to_owned())).collect();
        let taken = taken.lock().unwrap();
        for (number, record) in records.iter().enumerate().take(safe) {
            for id in deliverable(number, record) {
                prop_assert!(taken.contains_key(&id) != replayed.contains(&id), "{id} of {} safe", safe);
            }
        }
    }
}
