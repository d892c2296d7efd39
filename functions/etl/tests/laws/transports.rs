//! Transports: whatever the far side answers, every event is delivered, has failed, or is handed back; and the same answers lead to the
//! same calls.

use crate::{
    events::records,
    kit::{Parts, examples, plain, run, runner},
};
use bytes::Bytes;
use etl::{
    config::PipelineConfig,
    event::Stage,
    ports::{Answer, Call, Secret},
    registry::Registry,
    testing::{RecordedCalls, Reply, World},
};
use proptest::prelude::*;

/// What a far side does with a call.
#[derive(Clone, Debug)]
enum Says {
    Taken,
    Status(u16),
    Text(&'static str),
    Code(&'static str),
    Each(Vec<bool>),
    Silence,
}

fn says() -> impl Strategy<Value = Says> {
    let texts = [
        "",
        "{",
        "null",
        "[]",
        r#"{"errors":true,"items":[{"index":{"status":429}}]}"#,
        r#"{"errors":true,"items":[]}"#,
        r#"{"status":"error"}"#,
    ];
    prop_oneof![
        6 => Just(Says::Taken),
        3 => prop::sample::select(vec![100, 200, 204, 301, 400, 401, 403, 404, 413, 429, 500, 503]).prop_map(Says::Status),
        2 => prop::sample::select(texts.to_vec()).prop_map(Says::Text),
        2 => prop::sample::select(vec!["ThrottlingException", "AccessDenied", "InternalFailure", "ValidationException"]).prop_map(Says::Code),
        2 => prop::collection::vec(any::<bool>(), 0..5).prop_map(Says::Each),
        1 => Just(Says::Silence),
    ]
}

fn reply(says: &Says, call: &Call) -> Reply {
    // Without its keys no transport says anything.
    if let Call::Secret(of) = call {
        return Reply::Now(Answer::Secret { of: of.clone(), value: Secret::new(r#"{"api_key":"key","token":"key"}"#) });
    }
    Reply::Now(match says {
        Says::Taken => RecordedCalls::taken(call),
        Says::Status(status) => Answer::Http { status: *status, body: Bytes::new() },
        Says::Text(text) => Answer::Http { status: 200, body: Bytes::from_static(text.as_bytes()) },
        Says::Code(code) => Answer::Refused { code: (*code).to_owned(), status: Some(400) },
        Says::Each(failed) => {
            Answer::Records(failed.iter().map(|failed| failed.then(|| "ThrottlingException".to_owned())).collect())
        }
        Says::Silence => Answer::Silence("timeout".to_owned()),
    })
}

/// Each transport with a handler that it goes with.
fn configs(registry: &Registry) -> Vec<(&'static str, PipelineConfig)> {
    let handlers = examples(registry, "handler");
    let config = |transport: &str| {
        let mut read =
            handlers.iter().map(|(_, handler)| Parts { handler, transport, ..Parts::default() }.read(registry));
        read.find_map(Result::ok).unwrap_or_else(|| panic!("no handler goes with {transport}"))
    };
    examples(registry, "transport").into_iter().map(|(name, example)| (name, config(example))).collect()
}

#[test]
fn a_far_side_that_takes_everything_has_every_event() {
    let registry = Registry::default();
    let configs = configs(&registry);
    assert!(configs.len() >= 17, "{}", configs.len());
    for (name, config) in configs {
        let result = runner(25).run(&records(), |records| {
            let world = World::new();
            world.calls.answer(|call| reply(&Says::Taken, call));
            let ledger = run(&config, &world, &records).ledger;
            prop_assert!(ledger.balances(), "{:?}", ledger);
            let refused = ledger.failed.iter().filter(|failed| failed.stage == Stage::Transport);
            let refused: u64 = refused.map(|failed| failed.count).sum();
            prop_assert_eq!(ledger.delivered + refused, plain(&records).len() as u64, "{:?}", ledger);
            // Such as an event without the field that a far side wants.
            prop_assert!(refused == 0 || name == "Gelf", "{:?}", ledger);
            prop_assert_eq!(ledger.handed_back(), 0);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn whatever_a_far_side_answers_every_event_is_accounted_for() {
    let registry = Registry::default();
    for (name, config) in configs(&registry) {
        let result = runner(40).run(&(records(), prop::collection::vec(says(), 1..8)), |(records, script)| {
            let invoked = [(); 2].map(|()| {
                let (world, script, mut turn) = (World::new(), script.clone(), 0);
                world.calls.answer(move |call| {
                    turn += 1;
                    reply(script.get(turn - 1).unwrap_or(&Says::Taken), call)
                });
                let invoked = run(&config, &world, &records);
                let times = (format!("{:?}", world.calls.made()), world.log.lines());
                (invoked, times)
            });
            let [first, again] = invoked;
            let ledger = &first.0.ledger;
            prop_assert!(ledger.balances(), "{:?}", ledger);
            prop_assert_eq!(ledger.received, records.len() as u64);
            prop_assert_eq!(ledger.handed_back() > 0, first.0.handed_back > 0, "{:?}", &first.0);
            prop_assert!(first == again, "the same again: {:?} {:?}", first, again);
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
