//! Objects of S3.

use super::{deliver, deliver_within};
use etl::{
    pipeline::Bounds,
    ports::{Answer, Call},
    testing::{RecordedCalls, Reply, World},
};
use std::collections::BTreeSet;

#[test]
fn partitions_become_objects_and_what_s3_does_not_take_in_time_is_handed_back() {
    let partition = "{type: PartitionOperation, partition_specs: [{name: p, sources: [$.p]}]}";
    let records: Vec<_> = (0..6).map(|number| format!(r#"{{"id":{number},"p":"{}"}}"#, number % 2)).collect();
    let world = World::new();
    let transport = "type: S3, bucket_name: b, use_compression: false";
    assert_eq!(deliver(&world, transport, partition, &records).ledger.delivered, 6);
    let put = |call: &Call| match call {
        Call::PutObject { to, body } => (to.key.clone(), std::str::from_utf8(body).unwrap().lines().count()),
        other => panic!("{other:?}"),
    };
    let mut objects: Vec<_> = world.calls.made().iter().map(put).collect();
    objects.sort();
    assert_eq!(objects, [("p=0/request".to_owned(), 3), ("p=1/request".to_owned(), 3)]);
}

#[test]
fn an_upload_that_fails_half_way_is_ended_at_s3_and_handed_back_as_a_whole() {
    let world = World::new();
    world.calls.answer(|call| match call {
        Call::UploadPart { number: 2, .. } => {
            Reply::Now(Answer::Refused { code: "SlowDown".into(), status: Some(503) })
        }
        other => Reply::Now(RecordedCalls::taken(other)),
    });
    let large: Vec<_> = (0..4).map(|number| format!(r#"{{"id":{number},"pad":"{}"}}"#, "x".repeat(4 << 20))).collect();
    let invoked = deliver(&world, "type: S3, bucket_name: b, use_compression: false", "", &large);
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (0, 4));
    let aborted = |call: &Call| matches!(call, Call::AbortUpload { upload_id, .. } if upload_id == "upload");
    assert_eq!(world.calls.made().iter().filter(|call| aborted(call)).count(), 1);
}

/// Lines with their number, of `partitions` partitions in turn.
fn spread(count: usize, partitions: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!(r#"{{"id":{number},"p":"{}","pad":"{}"}}"#, number % partitions, "x".repeat(50_000)))
        .collect()
}

#[test]
fn many_partitions_cost_objects_and_never_memory() {
    const BOUND: usize = 4 << 20;
    let partition = "{type: PartitionOperation, partition_specs: [{name: p, sources: [$.p]}]}";
    let world = World::new();
    let bounds = Bounds { buffer_bytes: BOUND, ..Bounds::default() };
    let records = spread(600, 20);
    let transport = "type: S3, bucket_name: b, compression: none";
    let invoked = deliver_within(bounds, &world, transport, partition, "{type: Cloudwatch}", &records);
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (600, 0));
    let (mut keys, mut lines, mut peak) = (BTreeSet::new(), vec![], 0);
    for call in world.calls.made() {
        match call {
            Call::PutObject { to, body } => {
                assert!(keys.insert(to.key.clone()), "{} is overwritten", to.key);
                lines.extend(std::str::from_utf8(&body).unwrap().lines().map(str::to_owned));
            }
            Call::PutMetricData { metrics, .. } => {
                let told = metrics.iter().filter(|metric| metric.name == "transport.peak_bytes");
                peak = told.map(|metric| metric.value).chain([peak]).max().unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((BOUND..BOUND + 200_000).contains(&usize::try_from(peak).unwrap()), "{peak} bytes were held of 30 MB");
    assert!(keys.contains("p=7/request") && keys.contains("p=7/request-2"), "{keys:?}");
    lines.sort();
    let mut records = records;
    records.sort();
    assert_eq!(lines, records);
}
