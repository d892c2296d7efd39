//! Refusals, outages, bounds, deadlines.

use crate::parts::{ARN, Gate, Take, config, goes_on_at, kinesis, lines, pipeline, small, within};
use etl::{
    event::{Context, Stage},
    handlers::{KinesisHandler, S3Handler},
    ports::{Answer, Call, Clock as _, Level},
    testing::{RecordedCalls, Reply, World},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Numbers that do not repeat soon, and are the same in every run.
struct Dice(u64);

impl Dice {
    fn percent(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % 100
    }
}

fn records(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"id":{number},"p":"{}"}}"#, number % 7)).collect()
}

fn ids(lines: &[String]) -> Vec<u64> {
    lines.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_u64().unwrap()).collect()
}

/// All that a far side took, by stream, when it took calls as a whole.
type Taken = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

fn refusing_calls(world: &World, percent: u64) -> Taken {
    let taken = Taken::default();
    let memory = Arc::clone(&taken);
    let mut dice = Dice(1);
    world.calls.answer(move |call| {
        let Call::PutRecordBatch { stream, records, .. } = call else { panic!("{call:?}") };
        if dice.percent() < percent {
            return Reply::Now(Answer::Refused { code: "Throttled".into(), status: Some(429) });
        }
        memory.lock().unwrap().entry(stream.clone()).or_default().extend(lines(records));
        Reply::Now(RecordedCalls::taken(call))
    });
    taken
}

#[test]
fn when_calls_are_refused_for_now_every_event_arrives_once_and_in_order_within_its_partition() {
    let world = World::new();
    let taken = refusing_calls(&world, 40);
    let config =
        config(KinesisHandler::builder().build(), vec![Gate {}.into()], Take { threads: 4, ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(10_000)), &Context::default());
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (10_000, 0));
    assert_eq!(goes_on_at(&invoked), None);
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 7);
    for (partition, events) in taken.iter() {
        let ids = ids(events);
        assert!(ids.is_sorted_by(|a, b| a < b), "{partition}");
        assert!(ids.iter().all(|id| format!("p={}", id % 7) == *partition), "{partition}");
    }
}

#[test]
fn when_single_records_are_refused_for_now_only_they_are_sent_again() {
    let world = World::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let taken = Arc::new(Mutex::new(vec![]));
    let (count, memory) = (Arc::clone(&sent), Arc::clone(&taken));
    let mut dice = Dice(2);
    world.calls.answer(move |call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        count.fetch_add(records.len(), Ordering::Relaxed);
        let codes = records.iter().map(|record| {
            let refused = dice.percent() < 40;
            if !refused {
                memory.lock().unwrap().extend(lines(std::slice::from_ref(record)));
            }
            refused.then(|| "again".to_owned())
        });
        Reply::Now(Answer::Records(codes.collect()))
    });
    let config = config(KinesisHandler::builder().build(), vec![], Take { units: 100, ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(10_000)), &Context::default());
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (10_000, 0));
    let mut ids = ids(&taken.lock().unwrap());
    ids.sort_unstable();
    assert_eq!(ids, (0..10_000).collect::<Vec<_>>(), "each of them once");
    let sent = sent.load(Ordering::Relaxed);
    assert!((15_000..19_000).contains(&sent), "{sent} records were sent, of which 40 % were refused");
}

#[test]
fn a_partial_batch_response_names_the_first_record_that_is_not_safe() {
    let world = World::new();
    // Whatever holds record 57 is refused for now, for ever.
    world.calls.answer(|call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        let codes = records.iter().map(|record| record.starts_with(br#"{"id":57,"#).then(|| "again".to_owned()));
        Reply::Now(Answer::Records(codes.collect()))
    });
    let config = config(KinesisHandler::builder().build(), vec![], Take { threads: 1, ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(100)), &within(Duration::from_secs(20)));
    assert_eq!(goes_on_at(&invoked), Some(57));
    assert_eq!(invoked.ledger.delivered, 59, "those before it, and the two after it in its call");
    assert_eq!((invoked.handed_back, invoked.delivered_again), (41, 2));
    let failed = &invoked.ledger.failed;
    assert_eq!((failed.len(), failed[0].stage, &*failed[0].reason), (1, Stage::Delivery, "throttled"));
    assert!(invoked.ledger.balances());
    assert!(world.clock.monotonic() < Duration::from_secs(20), "answered before the deadline");
}

#[test]
fn an_exception_of_a_far_side_is_never_taken_for_success() {
    for answer in [Answer::Silence("reset".into()), Answer::Refused { code: "AccessDenied".into(), status: Some(403) }]
    {
        let world = World::new();
        world.calls.answer(move |_| Reply::Now(answer.clone()));
        let config = config(KinesisHandler::builder().build(), vec![], Take::default());
        let invoked = pipeline(&world, &config).invoke(&kinesis(&records(30)), &within(Duration::from_secs(10)));
        assert_eq!((goes_on_at(&invoked), invoked.ledger.delivered, invoked.handed_back), (Some(0), 0, 30));
    }
}

#[test]
fn a_far_side_that_never_answers_ends_with_the_deadline() {
    let world = World::new();
    world.calls.answer(|_| Reply::Never);
    let config = config(KinesisHandler::builder().build(), vec![], Take { threads: 1, ..Take::default() });
    let mut pipeline = pipeline(&world, &config);
    let invoked = pipeline.invoke(&kinesis(&records(30)), &within(Duration::from_millis(300)));
    assert_eq!((goes_on_at(&invoked), invoked.handed_back), (Some(0), 30));
    assert_eq!(invoked.ledger.failed[0].reason, "out of time");
    // The next invocation knows nothing of it.
    let taken = refusing_calls(&world, 0);
    let invoked = pipeline.invoke(&kinesis(&["{\"id\":1}"]), &Context::default());
    assert_eq!((invoked.ledger.received, invoked.ledger.delivered), (1, 1));
    assert_eq!(taken.lock().unwrap().values().map(Vec::len).sum::<usize>(), 1);
}

#[test]
fn a_call_that_is_never_answered_is_made_again_when_there_is_no_deadline() {
    let world = World::new();
    let mut calls = 0;
    world.calls.answer(move |call| {
        calls += 1;
        if calls == 1 { Reply::Never } else { Reply::Now(RecordedCalls::taken(call)) }
    });
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &config).invoke(&kinesis(&["{}"]), &Context::default());
    assert_eq!(invoked.ledger.delivered, 1);
    assert_eq!(world.calls.made().len(), 2);
}

#[test]
fn retries_are_as_many_as_the_transport_says_and_wait_longer_each_time() {
    let world = World::new();
    world.calls.answer(|_| Reply::Now(Answer::Silence("reset".into())));
    let config = config(KinesisHandler::builder().build(), vec![], Take { retries: Some(3), ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&kinesis(&["{}"]), &Context::default());
    assert_eq!((world.calls.made().len(), invoked.handed_back), (4, 1));
    let waited = world.clock.monotonic();
    assert!((Duration::from_millis(350)..=Duration::from_millis(700)).contains(&waited), "{waited:?}");
}

#[test]
fn an_event_that_is_too_large_fails_alone() {
    let world = World::new();
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let large = format!(r#"{{"x":"{}"}}"#, "y".repeat(2000));
    let invoked =
        pipeline(&world, &config).invoke(&kinesis(&["{\"id\":1}", &large, "{\"id\":2}"]), &Context::default());
    assert_eq!((invoked.ledger.delivered, goes_on_at(&invoked)), (2, None));
    let failed = &invoked.ledger.failed[0];
    assert_eq!((failed.stage, &*failed.component, failed.count), (Stage::Transport, "Take", 1));
    assert_eq!(failed.reason, "larger than the transport takes");
}

#[test]
fn a_refusal_for_good_is_a_fault_of_that_event_and_never_silent() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        Reply::Now(Answer::Records(
            records.iter().map(|r| r.starts_with(br#"{"id":3,"#).then(|| "400".into())).collect(),
        ))
    });
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(30)), &Context::default());
    assert_eq!((invoked.ledger.delivered, goes_on_at(&invoked)), (29, None));
    assert_eq!(
        (invoked.ledger.failed[0].stage, &*invoked.ledger.failed[0].reason),
        (Stage::Transport, "mapping conflict")
    );
    let lines = world.log.lines();
    assert!(lines.iter().any(|(level, line)| *level == Level::Warn && line.contains("mapping conflict")), "{lines:?}");
}

#[test]
fn a_failure_of_all_of_a_large_batch_is_ours_until_something_has_worked() {
    let all_refused = |world: &World| {
        world.calls.answer(|call| {
            let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
            Reply::Now(Answer::Records(vec![Some("403".into()); records.len()]))
        });
    };
    let world = World::new();
    all_refused(&world);
    let config = config(KinesisHandler::builder().build(), vec![], Take::default());
    let mut pipeline = pipeline(&world, &config);
    let large = kinesis(&records(30));
    let invoked = pipeline.invoke(&large, &Context::default());
    assert_eq!((goes_on_at(&invoked), invoked.handed_back), (Some(0), 30), "all of a large batch");
    let invoked = pipeline.invoke(&kinesis(&records(1)), &Context::default());
    assert_eq!((goes_on_at(&invoked), invoked.handed_back), (None, 0), "a single one is poison");
    world.calls.answer(|call| Reply::Now(RecordedCalls::taken(call)));
    assert_eq!(pipeline.invoke(&kinesis(&records(1)), &Context::default()).ledger.delivered, 1);
    all_refused(&world);
    let invoked = pipeline.invoke(&large, &Context::default());
    assert_eq!((goes_on_at(&invoked), invoked.ledger.all_failed()), (None, 30), "it has worked before");
}

#[test]
fn all_lanes_together_stay_within_the_bound_and_the_fullest_goes_first() {
    let world = World::new();
    let taken = refusing_calls(&world, 20);
    let take = Take { units: 1_000_000, threads: 3, ..Take::default() };
    let config = config(KinesisHandler::builder().build(), vec![Gate {}.into()], take);
    let texts: Vec<_> =
        (0..5000).map(|n| format!(r#"{{"id":{n},"p":"{}","x":"{}"}}"#, n * n % 97, "x".repeat(100))).collect();
    let bound = 100_000;
    let mut pipeline = small(pipeline(&world, &config), bound);
    let mut run = pipeline.begin(&Context::default());
    for text in &texts {
        run.record(text.as_bytes());
        assert!(run.buffered_bytes() <= bound, "{} bytes", run.buffered_bytes());
    }
    let invoked = run.finish();
    assert_eq!(invoked.ledger.delivered, 5000);
    assert!(world.calls.made().len() > 10, "the bound was reached");
    let first = world.calls.made().remove(0);
    let Call::PutRecordBatch { records, .. } = first else { panic!("a batch") };
    assert!(records.len() > 5000 / 97 / 4, "{} records in the fullest lane", records.len());
    assert_eq!(taken.lock().unwrap().values().map(Vec::len).sum::<usize>(), 5000);
}

#[test]
fn units_are_packed_and_each_answers_for_all_events_in_it() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        Reply::Now(Answer::Records((0..records.len()).map(|number| (number == 1).then(|| "400".into())).collect()))
    });
    let take = Take { unit_bytes: 100, units: 4, ..Take::default() };
    let config = config(KinesisHandler::builder().build(), vec![], take);
    let texts: Vec<_> = (10..30).map(|number| format!(r#"{{"id":{number}}}"#)).collect();
    let invoked = pipeline(&world, &config).invoke(&kinesis(&texts), &Context::default());
    let Call::PutRecordBatch { records, .. } = world.calls.made().remove(0) else { panic!("a batch") };
    assert_eq!(records.iter().map(bytes::Bytes::len).collect::<Vec<_>>(), [100, 100]);
    assert_eq!((invoked.ledger.delivered, invoked.ledger.all_failed()), (10, 10));
}

#[test]
fn without_fail_on_exception_the_invocation_succeeds_and_says_what_was_lost() {
    let world = World::new();
    world.calls.answer(|_| Reply::Now(Answer::Silence("reset".into())));
    let handler = KinesisHandler::builder().fail_on_exception(false).build();
    let config = config(handler, vec![], Take { retries: Some(0), ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(25)), &Context::default());
    assert_eq!((goes_on_at(&invoked), invoked.ledger.handed_back()), (None, 25));
    assert_eq!(world.calls.made().len(), 3, "each batch has its try");
    let lines = world.log.lines();
    assert!(
        lines.iter().any(|(level, line)| *level == Level::Error && line.contains("lost") && line.contains("count=25"))
    );
}

#[test]
fn objects_come_again_as_a_whole_invocation_when_events_were_not_taken() {
    let world = World::new();
    world.objects.put("b", "k", Ok(b"{\"id\":1}\n{\"id\":2}\n".to_vec()));
    world.calls.answer(|_| Reply::Now(Answer::Silence("reset".into())));
    let config = config(S3Handler::builder().build(), vec![], Take { retries: Some(1), ..Take::default() });
    let invoked = pipeline(&world, &config).invoke(&crate::parts::s3(&["k"]), &Context::default());
    let failure = invoked.answer.unwrap_err().to_string();
    assert!(failure.contains("2 events") && failure.contains("Take"), "{failure}");
}

#[test]
fn a_partition_that_is_safe_only_when_closed_is_handed_back_as_a_whole() {
    let world = World::new();
    world.calls.answer(|call| {
        let Call::PutRecordBatch { stream, .. } = call else { panic!("{call:?}") };
        Reply::Now(if stream.ends_with('!') { Answer::Silence("reset".into()) } else { Answer::Done(None) })
    });
    let take = Take { closes: true, retries: Some(1), ..Take::default() };
    let config = config(KinesisHandler::builder().build(), vec![], take);
    let invoked = pipeline(&world, &config).invoke(&kinesis(&records(25)), &Context::default());
    assert_eq!((goes_on_at(&invoked), invoked.ledger.delivered, invoked.handed_back), (Some(0), 0, 25));
    let Some(Call::PutRecordBatch { stream, .. }) = world.calls.made().pop() else { panic!("a batch") };
    assert_eq!(stream, "?", "and the far side is told to forget it");
    assert!(ARN.ends_with("stream/s"));
}
