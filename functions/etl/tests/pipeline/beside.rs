//! What is done beside: loads are packed while the next ones are gathered, objects are fetched while others are read.

use super::parts::{Take, config, lines, s3, small};
use bytes::Bytes;
use etl::{
    event::Context,
    handlers::S3Handler,
    pattern::WholePattern,
    pipeline::{Environment, Invoked, Pipeline},
    ports::{Answer, Call, Calls, Object, ObjectError, Objects, Opening, Ports, Ticket, Work},
    testing::{FakeObjects, RecordedCalls, World, relay, relayed},
};
use flate2::read::MultiGzDecoder;
use std::{
    io::Read as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::Sender,
    },
    thread,
    time::Duration,
};

/// Calls as ever, but work is done on threads of its own, each piece sooner than the one before it.
struct Beside {
    calls: Arc<RecordedCalls>,
    /// Pieces so far, under way, and the most at once.
    begun: AtomicUsize,
    now: Arc<AtomicUsize>,
    most: AtomicUsize,
    /// How many of the first pieces come to nothing.
    lost: usize,
}

impl Beside {
    fn of(world: &World, lost: usize) -> (Arc<Self>, Ports) {
        let calls = Arc::clone(&world.calls);
        let (begun, now, most) = (AtomicUsize::new(0), Arc::default(), AtomicUsize::new(0));
        let beside = Arc::new(Self { calls, begun, now, most, lost });
        (Arc::clone(&beside), Ports { calls: beside, ..world.ports() })
    }
}

impl Calls for Beside {
    fn start(&self, ticket: Ticket, call: Call, time_limit: Duration, answers: &Sender<(Ticket, Answer)>) {
        self.calls.start(ticket, call, time_limit, answers);
    }

    fn work(&self, ticket: Ticket, work: Work, answers: &Sender<(Ticket, Answer)>) -> Option<Bytes> {
        let (number, answers, now) = (self.begun.fetch_add(1, SeqCst), answers.clone(), Arc::clone(&self.now));
        self.most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        let lost = number < self.lost;
        thread::spawn(move || {
            thread::sleep(Duration::from_millis(9_u64.saturating_sub(4 * (number as u64 % 3))));
            let answer = if lost { Answer::Silence("lost".to_owned()) } else { Answer::Worked(work()) };
            now.fetch_sub(1, SeqCst);
            drop(answers.send((ticket, answer)));
        });
        None
    }
}

fn unpacked(body: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(body).read_to_string(&mut text).unwrap();
    text
}

/// The events of all requests, in order.
fn posted(world: &World) -> Vec<String> {
    let body = |call: Call| match call {
        Call::Http(http) => unpacked(&http.body),
        call => panic!("{call:?}"),
    };
    let bodies: Vec<String> = world.calls.made().into_iter().map(body).collect();
    bodies.iter().flat_map(|body| body.lines()).filter(|line| !line.contains("_index")).map(str::to_owned).collect()
}

fn events(count: usize) -> Vec<String> {
    (0..count).map(|number| format!(r#"{{"id":{number}}}"#)).collect()
}

fn deliver(transport: &str, lost: usize) -> (World, Arc<Beside>, Invoked) {
    let world = World::new();
    let (beside, ports) = Beside::of(&world, lost);
    let mut pipeline = Pipeline::new(&relay("", transport, ""), Environment::default(), ports).unwrap();
    let invoked = relayed(&mut pipeline, &events(200));
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (200, 0), "{:?}", invoked.ledger);
    (world, beside, invoked)
}

const ORDERED: &str =
    "type: OpenSearch, hostname: h, index: i, document_id: $.id, use_gzip: true, batch_size: 10, threads: 5";

#[test]
fn loads_that_want_an_order_keep_it_however_long_each_is_packed() {
    let (world, beside, _) = deliver(ORDERED, 0);
    assert_eq!(posted(&world), events(200));
    assert_eq!((beside.begun.load(SeqCst), beside.most.load(SeqCst)), (20, 1));
}

#[test]
fn loads_without_an_order_are_packed_beside_each_other_no_more_than_there_are_threads() {
    let transport = "type: HTTP, hostname: h, path: /, use_gzip: true, batch_size: 10, threads: 3";
    let (world, beside, _) = deliver(transport, 0);
    let mut posted = posted(&world);
    let mut all = events(200);
    posted.sort();
    all.sort();
    assert_eq!(posted, all);
    let most = beside.most.load(SeqCst);
    assert!((2..=3).contains(&most), "{most} at once");
}

#[test]
fn what_comes_to_nothing_is_done_again_and_nothing_is_lost() {
    let (world, beside, _) = deliver(ORDERED, 3);
    assert_eq!(posted(&world), events(200));
    assert_eq!(beside.begun.load(SeqCst), 23);
}

#[test]
fn who_packs_more_slowly_than_we_read_is_waited_for() {
    let world = World::new();
    let (_, ports) = Beside::of(&world, 0);
    let mut pipeline = Pipeline::new(&relay("", ORDERED, ""), Environment::default(), ports).unwrap();
    let mut run = pipeline.begin(&Context::default());
    let mut most = 0;
    for event in events(200) {
        run.record(event.as_bytes());
        most = most.max(run.buffered_bytes());
    }
    assert_eq!(run.finish().ledger.delivered, 200);
    // Ten events of some 60 bytes in each: one batch that is gathered, one that waits, one that is packed, and the lane itself.
    assert!(most < 3 * 10 * 70 + 600, "{most} bytes");
}

#[test]
fn nothing_more_is_sent_of_what_was_being_packed_when_a_far_side_was_given_up() {
    let world = World::new();
    world.calls.answer(|_| etl::testing::Reply::Now(Answer::Http { status: 503, body: Bytes::new() }));
    let (_, ports) = Beside::of(&world, 0);
    let transport = "type: HTTP, hostname: h, path: /, use_gzip: true, batch_size: 1, threads: 2, retry_count: 0";
    let mut pipeline = Pipeline::new(&relay("", transport, ""), Environment::default(), ports).unwrap();
    let invoked = relayed(&mut pipeline, &events(100));
    assert_eq!((invoked.ledger.delivered, invoked.handed_back), (0, 100), "{:?}", invoked.ledger);
    assert!(world.calls.made().len() <= 2, "{} calls", world.calls.made().len());
}

/// The objects that S3 was given, by their keys.
fn objects(world: &World) -> Vec<(String, String)> {
    let put = world.calls.made().into_iter().filter_map(|call| match call {
        Call::PutObject { to, body } => Some((to.key, unpacked(&body))),
        _ => None,
    });
    let mut put: Vec<_> = put.collect();
    put.sort();
    put
}

#[test]
fn the_bound_holds_and_what_is_ended_early_for_it_does_not_depend_on_who_is_quicker() {
    let partition = "{type: PartitionOperation, partition_specs: [{name: p, interpreter: STRING, sources: [$.p]}]}";
    let config = relay(partition, "type: S3, bucket_name: b, compression: gzip", "");
    // Texts that hardly pack.
    let noise = |n: u64| {
        (0..40).map(|at| ((n * 41 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16).to_string()).collect::<String>()
    };
    let records: Vec<_> = (0..300).map(|n| format!(r#"{{"p":"{}","noise":"{}"}}"#, n % 7, noise(n))).collect();
    let deliver = |world: &World, ports: Ports| {
        let mut pipeline = small(Pipeline::new(&config, Environment::default(), ports).unwrap(), 20_000);
        let mut run = pipeline.begin(&Context { aws_request_id: Some("request".into()), ..Context::default() });
        for record in &records {
            run.record(record.as_bytes());
            assert!(run.buffered_bytes() <= 20_000, "{} bytes", run.buffered_bytes());
        }
        let invoked = run.finish();
        assert_eq!(invoked.ledger.delivered, 300, "{:?}", invoked.ledger);
        objects(world)
    };
    let (alone, beside) = (World::new(), World::new());
    let expected = deliver(&alone, alone.ports());
    assert!(expected.len() > 7, "some are ended early: {}", expected.len());
    let (_, ports) = Beside::of(&beside, 0);
    assert_eq!(deliver(&beside, ports), expected);
}

/// Objects that can be begun, and in which order that was done.
struct Eager {
    objects: Arc<FakeObjects>,
    log: Arc<Mutex<Vec<String>>>,
    /// Keys whose first try fails.
    busy: &'static str,
}

impl Objects for Eager {
    fn open(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Object, ObjectError> {
        self.log.lock().unwrap().push(format!("open {key}"));
        self.objects.open(bucket, key, version_id)
    }

    fn ahead(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Option<Opening> {
        self.log.lock().unwrap().push(format!("begin {key}"));
        let (objects, log, busy) = (Arc::clone(&self.objects), Arc::clone(&self.log), self.busy);
        let [bucket, key] = [bucket, key].map(str::to_owned);
        let version_id = version_id.map(str::to_owned);
        Some(Opening::new(move || {
            log.lock().unwrap().push(format!("wait {key}"));
            if key == busy {
                return Err(ObjectError::Outage("SlowDown".to_owned()));
            }
            objects.open(&bucket, &key, version_id.as_deref())
        }))
    }
}

/// What is done for these objects, and the events that come of them.
fn read(keys: &[&str], busy: &'static str) -> (Vec<String>, Vec<String>) {
    let world = World::new();
    for key in keys {
        world.objects.put("b", key, Ok(format!("{{\"k\":\"{key}\"}}\n").into_bytes()));
    }
    let log = Arc::default();
    let objects = Arc::new(Eager { objects: Arc::clone(&world.objects), log: Arc::clone(&log), busy });
    let mut config = config(S3Handler::builder().build(), vec![], Take::default());
    config.sources[0].source_regex = WholePattern::new("s3://b/logs/.*").unwrap();
    let ports = Ports { objects, ..world.ports() };
    let invoked = Pipeline::new(&config, Environment::default(), ports).unwrap().invoke(&s3(keys), &Context::default());
    assert!(invoked.ledger.balances() && invoked.answer.is_ok(), "{:?}", invoked.ledger);
    let sent = world.calls.made().into_iter().flat_map(|call| match call {
        Call::PutRecordBatch { records, .. } => lines(&records),
        call => panic!("{call:?}"),
    });
    let sent = sent.collect();
    let done = log.lock().unwrap().clone();
    (done, sent)
}

#[test]
fn the_next_objects_are_begun_before_one_is_read_but_not_all() {
    let (done, sent) = read(&["logs/1", "logs/2", "logs/3", "logs/4", "logs/5", "logs/6"], "");
    let expected =
        "begin 1, begin 2, begin 3, begin 4, wait 1, begin 5, wait 2, begin 6, wait 3, wait 4, wait 5, wait 6";
    assert_eq!(done.join(", ").replace("logs/", ""), expected);
    let one = |number: u32| format!(r#"{{"k":"logs/{number}"}}"#);
    assert_eq!(sent, (1..=6).map(one).collect::<Vec<_>>());
}

#[test]
fn an_object_that_no_source_wants_is_not_fetched() {
    let (done, sent) = read(&["logs/1", "other/2", "logs/3"], "");
    assert_eq!(done, ["begin logs/1", "begin logs/3", "wait logs/1", "wait logs/3"]);
    assert_eq!(sent.len(), 2);
}

#[test]
fn an_object_that_cannot_be_had_at_first_is_opened_again() {
    let (done, sent) = read(&["logs/1", "logs/2"], "logs/2");
    assert_eq!(done, ["begin logs/1", "begin logs/2", "wait logs/1", "wait logs/2", "open logs/2"]);
    assert_eq!(sent.len(), 2);
}
