//! Delivery: from framed events to the far side's word that it has them.
//!
//! Events are gathered by partition (a *lane*) into batches, and each batch becomes calls of the transport. At most
//! [`Limits::threads`] are under way; what was refused for now is repeated with backoff and jitter, alone, inside the time that
//! the invocation has left.
//!
//! **Invariants.** What all lanes hold, waiting or under way, is at most the bound and one event; the fullest lane is sent first,
//! so many partitions cost calls but never memory. In a lane that is ordered, a batch waits for the one before it. Every event
//! that is pushed is written into the books exactly once: delivered, failed, or handed back. Nothing outlives an invocation.
//!
//! Imports: `event`, `payload`, `ports`, `serializers`, `transports`.

use super::{books::Books, buffer::Batch, flight::Flight, safety::Share};
use crate::{
    event::{Context, Event, Facts, Fault, Stage},
    ports::{Answer, Ports, Ticket},
    serializers::RunSerializer,
    transports::{Limits, Partition, RunTransport},
};
use indexmap::IndexMap;
use payload::Output;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

const OUT_OF_TIME: &str = "out of time";
const KEPT: &str = "the transport kept it";
const TOO_LARGE: Fault = Fault::new("larger than the transport takes");
/// What a lane takes beside its events.
pub(super) const LANE_BYTES: usize = 512;
/// Answers are looked for once in so many events.
const POLL: u64 = 64;

/// What delivery needs of the invocation.
pub(super) struct Cx<'a> {
    pub(super) ports: &'a Ports,
    pub(super) books: &'a mut Books,
}

/// One transport with all that is on its way to it.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) name: &'static str,
    pub(super) transport: Box<dyn RunTransport>,
    pub(super) limits: Limits,
    /// Bytes that may be held.
    bound: usize,
    scratch: Output,
    key: Vec<(Arc<str>, Option<String>)>,
    pub(super) lanes: IndexMap<Arc<Partition>, Lane>,
    /// Number of the lane that was used last.
    recent: usize,
    /// Lanes with a batch that may be started.
    pub(super) ready: VecDeque<Arc<Partition>>,
    pub(super) flights: BTreeMap<Ticket, Flight>,
    /// Batches that are to be tried again, and when.
    pub(super) waiting: Vec<(Duration, Flight)>,
    /// Calls whose answer changes nothing.
    pub(super) loose: BTreeSet<Ticket>,
    pub(super) answers: Sender<(Ticket, Answer)>,
    pub(super) arrived: Receiver<(Ticket, Answer)>,
    pub(super) last_ticket: Ticket,
    pub(super) random: u64,
    /// When all must be done.
    pub(super) limit: Option<Duration>,
    /// Whether what is not taken comes again; then nothing more is sent after the first that was not.
    hand_back: bool,
    /// Why nothing more is sent.
    pub(super) stopped: Option<&'static str>,
    pub(super) bytes: usize,
    pushed: u64,
    pub(super) figures: Figures,
}

/// Events of one partition.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) open: Batch,
    pub(super) queue: VecDeque<Batch>,
    /// Batches under way, or to be tried again.
    pub(super) busy: usize,
    /// Taken by the transport, but safe only when the lane's last batch is.
    pub(super) held: Vec<Share>,
    /// Whether nothing more comes.
    pub(super) closing: bool,
}

/// What is told of a transport in metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) errors: u64,
    pub(super) repeated: u64,
    pub(super) call_ns: u64,
    pub(super) serialized_bytes: u64,
    /// The most that was held.
    pub(super) peak_bytes: u64,
}

impl Delivery {
    pub(super) fn new(name: &'static str, transport: Box<dyn RunTransport>) -> Self {
        let limits = transport.limits();
        // The last of a lane comes behind all others.
        let limits = Limits { ordered: limits.ordered || limits.closes, ..limits };
        let (answers, arrived) = channel();
        Self {
            name,
            transport,
            limits,
            bound: 0,
            scratch: Output::new(),
            key: vec![],
            lanes: IndexMap::new(),
            recent: 0,
            ready: VecDeque::new(),
            flights: BTreeMap::new(),
            waiting: vec![],
            loose: BTreeSet::new(),
            answers,
            arrived,
            last_ticket: 0,
            random: 0,
            limit: None,
            hand_back: true,
            stopped: None,
            bytes: 0,
            pushed: 0,
            figures: Figures::default(),
        }
    }

    /// An invocation begins: nothing of an earlier one is left, not even an answer that is still to come.
    pub(super) fn begin(
        &mut self,
        context: &Context,
        seed: u64,
        bound: usize,
        limit: Option<Duration>,
        hand_back: bool,
    ) {
        (self.answers, self.arrived) = channel();
        self.lanes.clear();
        self.ready.clear();
        self.flights.clear();
        self.waiting.clear();
        self.loose.clear();
        (self.bytes, self.pushed, self.stopped, self.figures) = (0, 0, None, Figures::default());
        (self.random, self.bound, self.limit, self.hand_back) = (seed, bound, limit, hand_back);
        self.transport.begin(context);
    }

    /// Writes an event in the far side's form. It is [pushed](Self::push) next, or forgotten.
    pub(super) fn frame(
        &mut self,
        event: &Event<'_>,
        serializer: &mut dyn RunSerializer,
        serializer_name: &'static str,
    ) -> Result<(), (Stage, &'static str, Fault)> {
        let ours = |fault| (Stage::Transport, self.name, fault);
        self.scratch.clear();
        self.transport.head(event, &mut self.scratch).map_err(ours)?;
        let head = self.scratch.len();
        serializer.write(event, &mut self.scratch).map_err(|fault| (Stage::Serializer, serializer_name, fault))?;
        self.figures.serialized_bytes += (self.scratch.len() - head) as u64;
        self.transport.tail(event, &mut self.scratch).map_err(ours)?;
        if self.scratch.len() > self.limits.event_bytes.min(self.limits.bytes) {
            return Err(ours(TOO_LARGE));
        }
        Ok(())
    }

    /// Takes the event that was framed last.
    pub(super) fn push(&mut self, facts: &Facts, trigger: u32, cx: &mut Cx<'_>) {
        cx.books.safety.pending(trigger);
        if let Some(reason) = self.stopped {
            let share = Share { unit: 0, trigger, events: 1 };
            return cx.books.hand_back(&[share], self.name, reason);
        }
        let lane = self.lane(facts);
        let Some((key, lane)) = self.lanes.get_index_mut(lane) else { return };
        let full = !lane.open.fits(self.scratch.len(), &self.limits);
        if full {
            lane.queue.push_back(std::mem::take(&mut lane.open));
            self.ready.push_back(Arc::clone(key));
        }
        lane.open.push(&self.scratch, trigger, &self.limits);
        self.bytes += self.scratch.len();
        self.pushed += 1;
        if full {
            self.start(cx);
        } else if self.pushed.is_multiple_of(POLL) && !self.flights.is_empty() {
            self.poll(cx);
        }
        self.figures.peak_bytes = self.figures.peak_bytes.max(self.bytes as u64);
        while self.bytes > self.bound && self.stopped.is_none() && self.relieve(cx) {}
    }

    /// The number of the lane that an event belongs to: mostly that of the event before it.
    fn lane(&mut self, facts: &Facts) -> usize {
        if self.lanes.get_index(self.recent).is_some_and(|(key, _)| self.belongs(facts, key)) {
            return self.recent;
        }
        self.key.clear();
        if self.limits.by_partition {
            let parts = facts.partitions();
            self.key.extend(parts.map(|(name, value)| (Arc::from(name), value.map(str::to_owned))));
        }
        if let Some(index) = self.lanes.get_index_of(&self.key[..]) {
            self.recent = index;
        } else {
            self.bytes += LANE_BYTES;
            self.recent = self.lanes.insert_full(Arc::from(&self.key[..]), Lane::default()).0;
        }
        self.recent
    }

    fn belongs(&self, facts: &Facts, key: &Partition) -> bool {
        let parts = key.iter().map(|(name, value)| (&**name, value.as_deref()));
        if self.limits.by_partition { facts.partitions().eq(parts) } else { key.is_empty() }
    }

    /// Makes room. Whether it could do anything.
    fn relieve(&mut self, cx: &mut Cx<'_>) -> bool {
        self.poll(cx);
        if self.bytes <= self.bound {
            return true;
        }
        if self.under_way() < self.limits.threads.max(1) {
            let sendable = |lane: &&Lane| !lane.open.is_empty() && (!self.limits.ordered || lane.busy == 0);
            let lanes = self.lanes.iter().filter(|(_, lane)| sendable(lane));
            if let Some(key) = lanes.max_by_key(|(_, lane)| lane.open.bytes.len()).map(|(key, _)| Arc::clone(key)) {
                if let Some(lane) = self.lanes.get_mut(&key) {
                    lane.queue.push_back(std::mem::take(&mut lane.open));
                }
                self.ready.push_back(key);
                self.start(cx);
                return true;
            }
        }
        if self.under_way() == 0 {
            return false;
        }
        self.wait(cx);
        true
    }

    /// Sends what is left and waits for every answer. Afterwards all that was pushed is in the books.
    pub(super) fn finish(&mut self, cx: &mut Cx<'_>) {
        self.close();
        self.start(cx);
        while self.under_way() > 0 {
            self.wait(cx);
        }
        while !self.loose.is_empty() {
            match self.arrived.recv_timeout(Duration::from_millis(500)) {
                Ok((ticket, _)) => _ = self.loose.remove(&ticket),
                Err(_) => break,
            }
        }
        for (_, lane) in &mut self.lanes {
            // A transport that keeps what it should have sent.
            cx.books.hand_back(&std::mem::take(&mut lane.held), self.name, KEPT);
        }
    }

    fn close(&mut self) {
        if self.stopped.is_some() {
            return;
        }
        for (key, lane) in &mut self.lanes {
            let ends = self.limits.closes && lane.queue.is_empty() && (lane.busy > 0 || !lane.held.is_empty());
            if !lane.open.is_empty() || ends {
                lane.queue.push_back(std::mem::take(&mut lane.open));
                self.ready.push_back(Arc::clone(key));
            }
            lane.closing = true;
        }
    }

    /// Starts every batch that may be.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        for _ in 0..self.ready.len() {
            if self.under_way() >= self.limits.threads.max(1) {
                return;
            }
            let Some(key) = self.ready.pop_front() else { return };
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            if self.limits.ordered && lane.busy > 0 {
                self.ready.push_back(key);
            } else if let Some(batch) = lane.queue.pop_front() {
                lane.busy += 1;
                let last = lane.closing && lane.queue.is_empty();
                self.advance(Flight::new(key, batch, last), cx);
            }
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.flights.len() + self.waiting.len()
    }

    /// Looks at what has come, without waiting.
    fn poll(&mut self, cx: &mut Cx<'_>) {
        while let Ok((ticket, answer)) = self.arrived.try_recv() {
            self.answered(ticket, &answer, cx);
        }
        let now = cx.ports.clock.monotonic();
        self.resume(now, cx);
        self.start(cx);
    }

    /// Waits for an answer, for the time of a repetition, or for the end.
    fn wait(&mut self, cx: &mut Cx<'_>) {
        if let Ok((ticket, answer)) = self.arrived.try_recv() {
            self.answered(ticket, &answer, cx);
            return self.start(cx);
        }
        let now = cx.ports.clock.monotonic();
        let due = self.waiting.iter().map(|(due, _)| *due);
        let overdue = self.flights.values().map(|flight| flight.overdue(self.limits.time_limit));
        let Some(until) = due.chain(overdue).chain(self.limit).min() else { return };
        let left = until.saturating_sub(now);
        if self.flights.is_empty() {
            cx.ports.clock.sleep(left);
        } else if let Ok((ticket, answer)) = self.arrived.recv_timeout(left) {
            self.answered(ticket, &answer, cx);
            return self.start(cx);
        }
        // The time has come, whatever a clock says that stands still.
        if self.limit.is_some_and(|limit| limit <= until) {
            self.stop(OUT_OF_TIME, cx);
            for flight in std::mem::take(&mut self.flights).into_values() {
                self.hand_back(flight, OUT_OF_TIME, cx);
            }
        } else {
            self.expire(until, cx);
            self.resume(until, cx);
        }
        self.start(cx);
    }

    /// Whether it is too late to begin anything.
    pub(super) fn out_of_time(&mut self, cx: &mut Cx<'_>) -> bool {
        if self.stopped.is_none() && self.limit.is_some_and(|limit| cx.ports.clock.monotonic() >= limit) {
            self.stop(OUT_OF_TIME, cx);
        }
        self.stopped.is_some()
    }

    /// Something was not taken in time.
    pub(super) fn give_up(&mut self, flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        self.hand_back(flight, reason, cx);
        if self.hand_back {
            self.stop(reason, cx);
        }
    }

    /// Sends nothing more: all that is not under way is handed back. What is under way may still be taken.
    fn stop(&mut self, reason: &'static str, cx: &mut Cx<'_>) {
        if self.stopped.replace(reason).is_some() {
            return;
        }
        for (_, flight) in std::mem::take(&mut self.waiting) {
            self.hand_back(flight, reason, cx);
        }
        self.ready.clear();
        for index in 0..self.lanes.len() {
            let Some((key, lane)) = self.lanes.get_index_mut(index) else { break };
            let key = Arc::clone(key);
            // What is under way may still be the last of its lane: then what is held is decided with it.
            let idle = lane.busy == 0;
            let held = if idle { std::mem::take(&mut lane.held) } else { vec![] };
            for batch in std::mem::take(&mut lane.queue).into_iter().chain([std::mem::take(&mut lane.open)]) {
                self.bytes -= batch.bytes.len();
                cx.books.hand_back(&batch.shares, self.name, reason);
            }
            cx.books.hand_back(&held, self.name, reason);
            if self.limits.closes && idle {
                self.abandon(&key, cx);
            }
        }
    }
}
