//! Records and messages of AWS's services.

use super::deliver;
use etl::{
    ports::{Answer, Call},
    testing::{Reply, World},
};

#[test]
fn a_refused_record_of_firehose_brings_back_all_events_in_it_and_no_other() {
    let world = World::new();
    let mut calls = 0;
    world.calls.answer(move |call| {
        let Call::PutRecordBatch { records, .. } = call else { panic!("{call:?}") };
        calls += 1;
        let refused = |number: usize| (calls == 1 && number == 1).then(|| "ServiceUnavailableException".to_owned());
        Reply::Now(Answer::Records((0..records.len()).map(refused).collect()))
    });
    let large: Vec<_> = (0..7).map(|number| format!(r#"{{"id":{number},"pad":"{}"}}"#, "x".repeat(400_000))).collect();
    let invoked = deliver(&world, "type: Firehose, stream_name: s", "", &large);
    assert_eq!(invoked.ledger.delivered, 7);
    let lines = |call: &Call| match call {
        Call::PutRecordBatch { records, .. } => {
            records.iter().map(|record| memchr::memchr_iter(b'\n', record).count()).collect()
        }
        other => panic!("{other:?}"),
    };
    let sent: Vec<Vec<usize>> = world.calls.made().iter().map(lines).collect();
    assert_eq!(sent, [vec![2, 2, 2, 1], vec![2]]);
}
