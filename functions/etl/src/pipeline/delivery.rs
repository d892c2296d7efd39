//! Delivery to one transport: from framed events to the far side's word that it has them.
//!
//! Events are gathered by partition (a *lane*) into batches, and each batch becomes calls of the transport. At most
//! [`Limits::threads`] are under way; what was refused for now is repeated with backoff and jitter, alone, inside the time that
//! the invocation has left.
//!
//! **Invariants.** In a lane that is ordered, a batch waits for the one before it. Every event that is pushed is written into the
//! books exactly once: delivered, failed, or handed back. Nothing outlives an invocation.
//!
//! Not here: the bound on all buffers together, and waiting (see [`super::exits`]).
//!
//! Imports: `event`, `payload`, `ports`, `serializers`, `transports`.

use super::{
    books::{Books, Cargo},
    buffer::Batch,
    flight::Flight,
    safety::Share,
};
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
        mpsc::{Sender, channel},
    },
    time::Duration,
};

const KEPT: &str = "the transport kept it";
const TOO_LARGE: Fault = Fault::new("larger than the transport takes");
/// What a lane takes beside its events.
pub(super) const LANE_BYTES: usize = 512;

/// What delivery needs of the invocation.
pub(super) struct Cx<'a> {
    pub(super) ports: &'a Ports,
    pub(super) books: &'a mut Books,
}

/// One transport with all that is on its way to it.
#[derive(Debug)]
pub(super) struct Delivery {
    /// What it is in the books.
    pub(super) cargo: Cargo,
    pub(super) transport: Box<dyn RunTransport>,
    pub(super) limits: Limits,
    scratch: Output,
    /// Memory of a batch that is through.
    pub(super) spare: Vec<u8>,
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
    pub(super) last_ticket: Ticket,
    /// How many deliveries there are: each has its own tickets, by the rest of the division.
    pub(super) stride: Ticket,
    pub(super) random: u64,
    /// When all must be done.
    pub(super) limit: Option<Duration>,
    /// Whether what is not taken comes again; then nothing more is sent after the first that was not.
    hand_back: bool,
    /// Why nothing more is sent.
    pub(super) stopped: Option<&'static str>,
    /// All that is held: of what is gathered, under way, or kept by the transport.
    pub(super) bytes: usize,
    /// What the transport keeps.
    kept: usize,
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
    /// Bytes that the transport keeps of it.
    kept: usize,
    /// Whether what was begun of it is to end with its last batch, though more may come.
    ending: bool,
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
    pub(super) delivered: u64,
}

impl Lane {
    /// Whether it can be sent now.
    fn idle(&self, limits: &Limits) -> bool {
        !limits.ordered || self.busy == 0
    }
}

impl Delivery {
    /// `number`: which it is, of `stride` deliveries.
    pub(super) fn new(cargo: Cargo, transport: Box<dyn RunTransport>, number: usize, stride: usize) -> Self {
        let limits = transport.limits();
        // The last of a lane comes behind all others.
        let limits = Limits { ordered: limits.ordered || limits.closes, ..limits };
        Self {
            cargo,
            transport,
            limits,
            scratch: Output::new(),
            spare: vec![],
            key: vec![],
            lanes: IndexMap::new(),
            recent: 0,
            ready: VecDeque::new(),
            flights: BTreeMap::new(),
            waiting: vec![],
            loose: BTreeSet::new(),
            answers: channel().0,
            last_ticket: number as Ticket,
            stride: stride as Ticket,
            random: 0,
            limit: None,
            hand_back: true,
            stopped: None,
            bytes: 0,
            kept: 0,
            figures: Figures::default(),
        }
    }

    /// An invocation begins: nothing of an earlier one is left.
    pub(super) fn begin(
        &mut self,
        context: &Context,
        seed: u64,
        limit: Option<Duration>,
        hand_back: bool,
        answers: Sender<(Ticket, Answer)>,
    ) {
        self.lanes.clear();
        self.ready.clear();
        self.flights.clear();
        self.waiting.clear();
        self.loose.clear();
        (self.bytes, self.kept, self.stopped, self.figures) = (0, 0, None, Figures::default());
        (self.random, self.limit, self.hand_back, self.answers) = (seed, limit, hand_back, answers);
        self.transport.begin(context);
    }

    /// Writes an event in the far side's form. It is [pushed](Self::push) next, or forgotten.
    pub(super) fn frame(
        &mut self,
        event: &Event<'_>,
        serializer: &mut dyn RunSerializer,
        serializer_name: &'static str,
    ) -> Result<(), (Stage, String, Fault)> {
        let Self { cargo, transport, scratch, figures, .. } = self;
        let name = if let Cargo::Events { name, .. } = cargo { name } else { "" };
        let ours = |fault| (Stage::Transport, name.to_owned(), fault);
        scratch.clear();
        transport.head(event, scratch).map_err(ours)?;
        let head = scratch.len();
        serializer.write(event, scratch).map_err(|fault| (Stage::Serializer, serializer_name.into(), fault))?;
        figures.serialized_bytes += (scratch.len() - head) as u64;
        transport.tail(event, scratch).map_err(ours)?;
        if self.scratch.len() > self.limits.event_bytes.min(self.limits.bytes) {
            return Err(ours(TOO_LARGE));
        }
        Ok(())
    }

    /// Takes the event that was framed last. Whether batches were started for it.
    pub(super) fn push(&mut self, facts: &Facts, trigger: u32, cx: &mut Cx<'_>) -> bool {
        cx.books.safety.pending(trigger);
        let part = match (&self.cargo, &mut cx.books.letters) {
            (Cargo::Events { .. }, Some(letters)) => letters.part(&facts.elements),
            _ => None,
        };
        if let Some(reason) = self.stopped {
            let share = Share { unit: 0, trigger, events: 1, part };
            cx.books.hand_back(&[share], &self.cargo, reason);
            return false;
        }
        if self.limits.into_answer {
            cx.books.answer_with(&self.scratch, facts, Share { unit: 0, trigger, events: 1, part }, &self.cargo);
            return false;
        }
        let lane = self.lane(facts);
        let Some((key, lane)) = self.lanes.get_index_mut(lane) else { return false };
        let full = !lane.open.fits(self.scratch.len(), &self.limits);
        if full {
            lane.queue.push_back(std::mem::take(&mut lane.open));
            self.ready.push_back(Arc::clone(key));
        }
        if lane.open.is_empty() {
            lane.open.bytes = std::mem::take(&mut self.spare);
        }
        lane.open.push(&self.scratch, trigger, part, &self.limits);
        self.bytes += self.scratch.len();
        if full {
            self.start(cx);
        }
        full
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

    /// The bytes of the fullest lane, of those that can be sent now.
    pub(super) fn fullest(&self) -> Option<usize> {
        let free = self.stopped.is_none() && self.under_way() < self.limits.threads.max(1);
        self.fullest_lane().map(|(_, bytes, _)| bytes).filter(|_| free)
    }

    /// The fullest lane, what is in it, and whether it is to end: when the transport keeps most of all that is held, to send more of what
    /// is gathered would not help.
    fn fullest_lane(&self) -> Option<(&Arc<Partition>, usize, bool)> {
        let lanes = || self.lanes.iter().filter(|(_, lane)| lane.idle(&self.limits));
        let gathered = lanes().map(|(key, lane)| (key, lane.open.bytes.len(), false));
        let kept = lanes().map(|(key, lane)| (key, lane.kept + lane.open.bytes.len(), true));
        let fullest_kept =
            || kept.filter(|_| self.kept > 0).max_by_key(|(_, bytes, _)| *bytes).filter(|(_, bytes, _)| *bytes > 0);
        if self.kept > self.bytes / 2 {
            return fullest_kept();
        }
        gathered.max_by_key(|(_, bytes, _)| *bytes).filter(|(_, bytes, _)| *bytes > 0).or_else(fullest_kept)
    }

    /// Sends the fullest lane.
    pub(super) fn send_fullest(&mut self, cx: &mut Cx<'_>) {
        let fullest = self.fullest_lane().map(|(key, _, ends)| (Arc::clone(key), ends));
        let Some((key, ends)) = fullest else { return };
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        lane.queue.push_back(std::mem::take(&mut lane.open));
        lane.ending |= ends;
        self.ready.push_back(key);
        self.start(cx);
    }

    /// Learns what the transport keeps of a lane.
    pub(super) fn weigh(&mut self, key: &Partition) {
        let Some(lane) = self.lanes.get_mut(key).filter(|_| self.limits.closes) else { return };
        let kept = self.transport.kept(key);
        let before = std::mem::replace(&mut lane.kept, kept);
        (self.kept, self.bytes) = (self.kept - before + kept, self.bytes - before + kept);
    }

    /// Hands back what a transport keeps that should have sent it.
    pub(super) fn hand_back_held(&mut self, cx: &mut Cx<'_>) {
        for (_, lane) in &mut self.lanes {
            cx.books.hand_back(&std::mem::take(&mut lane.held), &self.cargo, KEPT);
        }
    }

    /// Nothing more comes: all that waits may be sent.
    pub(super) fn close(&mut self) {
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
                let last = (lane.closing || lane.ending) && lane.queue.is_empty();
                lane.ending &= !last;
                self.advance(Flight::new(key, batch, last), cx);
            }
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.flights.len() + self.waiting.len()
    }

    /// When it must be looked after at the latest: for a repetition, or an answer that should have come.
    pub(super) fn due(&self) -> Option<Duration> {
        let due = self.waiting.iter().map(|(due, _)| *due);
        due.chain(self.flights.values().map(|flight| flight.overdue(self.limits.time_limit))).min()
    }

    /// The time is over: all that is not taken is handed back.
    pub(super) fn give_up_all(&mut self, reason: &'static str, cx: &mut Cx<'_>) {
        self.stop(reason, cx);
        for flight in std::mem::take(&mut self.flights).into_values() {
            self.hand_back(flight, reason, cx);
        }
    }

    /// Something was not taken in time.
    pub(super) fn give_up(&mut self, flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        self.hand_back(flight, reason, cx);
        if self.hand_back {
            self.stop(reason, cx);
        }
    }

    /// Sends nothing more: all that is not under way is handed back. What is under way may still be taken.
    pub(super) fn stop(&mut self, reason: &'static str, cx: &mut Cx<'_>) {
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
                cx.books.hand_back(&batch.shares, &self.cargo, reason);
            }
            cx.books.hand_back(&held, &self.cargo, reason);
            if self.limits.closes && idle {
                self.abandon(&key, cx);
            }
        }
    }
}
