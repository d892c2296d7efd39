//! A batch under way: calls, answers, repetitions.
//!
//! Imports: `ports`, `transports`.

use super::{
    buffer::Batch,
    delivery::{Cx, Delivery},
    safety::Share,
};
use crate::{
    ports::{Answer, Call, Ticket},
    transports::{Load, Next, Partition, UnitVerdict, Verdict, compression::Packing},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

const MISFIT: &str = "the answer does not fit the call";
/// A port answers within a call's time limit. If one does not, it is not waited for.
const GRACE: Duration = Duration::from_secs(1);
/// How often a call is repeated that we may not make.
const DENIED_RETRIES: u32 = 3;
/// The longest wait before a repetition.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Memory that is kept for the next batch.
const MOST_KEPT: usize = 16 << 20;

/// A batch under way.
#[derive(Debug)]
pub(super) struct Flight {
    key: Arc<Partition>,
    bytes: Bytes,
    ends: Vec<usize>,
    shares: Vec<Share>,
    last: bool,
    attempt: u32,
    /// As it goes to the far side; none before it is packed.
    packed: Option<Bytes>,
    /// The call that is under way, or is to be made again as it was. None while it is being packed.
    call: Option<Call>,
    began: Duration,
}

impl Flight {
    pub(super) fn new(key: Arc<Partition>, batch: Batch, last: bool) -> Self {
        let Batch { bytes, ends, shares } = batch;
        let bytes = Bytes::from(bytes);
        Self { key, bytes, ends, shares, last, attempt: 0, packed: None, call: None, began: Duration::ZERO }
    }

    /// When its call should have been answered, with some grace. To be packed takes what it takes.
    pub(super) fn overdue(&self, time_limit: Duration) -> Duration {
        if self.is_worked_on() { Duration::MAX } else { self.began + time_limit + GRACE }
    }

    /// Of one that is under way: whether it is being packed, not called with.
    pub(super) fn is_worked_on(&self) -> bool {
        self.call.is_none()
    }

    fn load(&self) -> Load<'_> {
        let packed = self.packed.as_ref().unwrap_or(&self.bytes);
        Load { partition: &self.key, bytes: &self.bytes, packed, ends: &self.ends, last: self.last }
    }

    /// Bytes that it holds.
    fn held(&self) -> usize {
        self.bytes.len() + self.packed.as_ref().map_or(0, Bytes::len)
    }

    /// What is left of it: the units that are to be sent again.
    fn remaining(&self, again: &[bool]) -> Self {
        Self { attempt: self.attempt, ..Self::new(Arc::clone(&self.key), self.part(again), self.last) }
    }

    /// Some of its units.
    fn part(&self, wanted: &[bool]) -> Batch {
        let mut batch = Batch::default();
        let mut shares = self.shares.iter().peekable();
        for ((number, unit), wanted) in (0..).zip(self.load().units()).zip(wanted) {
            if *wanted {
                batch.bytes.extend_from_slice(&unit);
                batch.ends.push(batch.bytes.len());
            }
            while let Some(share) = shares.next_if(|share| share.unit == number) {
                if *wanted {
                    let unit = u32::try_from(batch.ends.len() - 1).unwrap_or(u32::MAX);
                    batch.shares.push(Share { unit, ..*share });
                }
            }
        }
        batch
    }
}

impl Delivery {
    /// Packs a batch, asks the transport what is to be done for it, and does that.
    pub(super) fn advance(&mut self, flight: Flight, cx: &mut Cx<'_>) {
        let Some(flight) = self.pack(flight, cx) else { return };
        let next = self.transport.call(&flight.load());
        self.weigh(&flight.key);
        match next {
            Next::Call(call) => self.send(flight, call, cx),
            Next::Keep => self.held(flight, cx),
            Next::Done => {
                // A batch that costs no call is one that was sent, in the figures of its transport.
                self.figures.calls += u64::from(!flight.ends.is_empty());
                self.taken(&flight, cx);
            }
        }
    }

    /// Packs a batch, if its transport wants that and it is not packed yet. None: beside; the answer tells when it is done.
    fn pack(&mut self, flight: Flight, cx: &mut Cx<'_>) -> Option<Flight> {
        let packing = self.limits.packing;
        if packing == Packing::None || flight.packed.is_some() || flight.bytes.is_empty() {
            return Some(flight);
        }
        let (ticket, bytes) = (self.ticket(), flight.bytes.clone());
        if let Some(packed) = cx.ports.calls.work(ticket, Box::new(move || packing.pack(&bytes)), &self.answers) {
            return Some(self.packed(flight, packed));
        }
        self.flights.insert(ticket, flight);
        None
    }

    fn packed(&mut self, flight: Flight, packed: Bytes) -> Flight {
        self.bytes += packed.len();
        Flight { packed: Some(packed), ..flight }
    }

    /// Whether it waits for a batch to be packed while the next one is closed already.
    pub(super) fn is_behind(&self) -> bool {
        !self.ready.is_empty() && self.is_packing()
    }

    /// Whether a batch is being packed.
    pub(super) fn is_packing(&self) -> bool {
        self.flights.values().any(Flight::is_worked_on)
    }

    fn send(&mut self, flight: Flight, call: Call, cx: &mut Cx<'_>) {
        let now = cx.ports.clock.monotonic();
        let left = self.limit.map_or(Duration::MAX, |limit| limit.saturating_sub(now));
        let ticket = self.ticket();
        self.figures.calls += 1;
        cx.ports.calls.start(ticket, call.clone(), self.limits.time_limit.min(left), &self.answers);
        self.flights.insert(ticket, Flight { call: Some(call), began: now, ..flight });
    }

    fn ticket(&mut self) -> Ticket {
        self.last_ticket += self.stride;
        self.last_ticket
    }

    /// Does what the answer to a call asks for.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: &Answer, cx: &mut Cx<'_>) {
        self.loose.remove(&ticket);
        let Some(flight) = self.flights.remove(&ticket) else { return };
        if let Answer::Worked(packed) = answer {
            let flight = self.packed(flight, packed.clone());
            return match self.stopped {
                None => self.advance(flight, cx),
                Some(reason) => self.hand_back(flight, reason, cx),
            };
        }
        let took = cx.ports.clock.monotonic().saturating_sub(flight.began);
        self.figures.call_ns += u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let verdict = self.transport.judge(&flight.load(), answer);
        self.weigh(&flight.key);
        if matches!(verdict, Verdict::Again(_) | Verdict::Denied(_) | Verdict::Refused(_) | Verdict::TooLarge(_)) {
            self.figures.errors += 1;
        }
        match verdict {
            Verdict::Taken => {
                self.taken(&flight, cx);
                self.keep_memory(flight);
            }
            Verdict::Held => self.held(flight, cx),
            Verdict::More => self.advance(Flight { attempt: 0, call: None, ..flight }, cx),
            Verdict::Again(reason) => self.again(flight, reason, cx),
            Verdict::Denied(reason) => self.again_at_most(DENIED_RETRIES, flight, reason, cx),
            Verdict::Refused(reason) => self.refused(flight, reason, cx),
            Verdict::TooLarge(reason) => self.halve(flight, reason, cx),
            Verdict::Units(units) if units.len() == flight.ends.len() => self.units(&flight, &units, cx),
            Verdict::Units(_) => self.again(flight, MISFIT, cx),
        }
    }

    /// Keeps a batch's memory for the next one, unless somebody still holds on to it. To get it from the system anew each time takes
    /// longer than to write a batch.
    fn keep_memory(&mut self, flight: Flight) {
        let Flight { bytes, packed, call, .. } = flight;
        drop((packed, call));
        if let Ok(bytes) = bytes.try_into_mut()
            && bytes.capacity() <= MOST_KEPT
        {
            self.spare = bytes.into();
            self.spare.clear();
        }
    }

    /// Takes calls for lost that should have been answered.
    pub(super) fn expire(&mut self, now: Duration, cx: &mut Cx<'_>) {
        let late = self.flights.iter().filter(|(_, flight)| flight.overdue(self.limits.time_limit) <= now);
        for ticket in late.map(|(ticket, _)| *ticket).collect::<Vec<_>>() {
            self.answered(ticket, &Answer::Silence("no answer".to_owned()), cx);
        }
    }

    /// Each unit has its own answer.
    fn units(&mut self, flight: &Flight, units: &[UnitVerdict], cx: &mut Cx<'_>) {
        for share in &flight.shares {
            match units.get(share.unit as usize) {
                Some(UnitVerdict::Taken) => self.delivered(&[*share], cx),
                Some(UnitVerdict::Refused(reason)) => cx.books.refused(&[*share], &self.cargo, reason),
                Some(UnitVerdict::Again(_)) | None => {}
            }
        }
        let again: Vec<_> = units.iter().map(|unit| matches!(unit, UnitVerdict::Again(_))).collect();
        let reason = units.iter().find_map(|unit| match unit {
            UnitVerdict::Again(reason) => Some(*reason),
            _ => None,
        });
        if reason.is_some() || units.iter().any(|unit| matches!(unit, UnitVerdict::Refused(_))) {
            self.figures.errors += 1;
        }
        let rest = flight.remaining(&again);
        self.bytes -= flight.held() - rest.held();
        match reason {
            Some(reason) => self.again(rest, reason, cx),
            None => self.landed(&rest),
        }
    }

    /// Sends its halves, one after the other. A unit that is alone is refused.
    fn halve(&mut self, flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        let units = flight.ends.len();
        if units <= 1 {
            return self.refused(flight, reason, cx);
        }
        if let Some(stopped) = self.stopped {
            return self.hand_back(flight, stopped, cx);
        }
        let (first, second): (Vec<_>, Vec<_>) = (0..units).map(|unit| (unit < units / 2, unit >= units / 2)).unzip();
        let batch = flight.part(&second);
        self.bytes -= flight.held() - flight.bytes.len();
        if let Some(lane) = self.lanes.get_mut(&flight.key) {
            lane.queue.push_front(batch);
            self.ready.push_front(Arc::clone(&flight.key));
        }
        let first = Flight::new(Arc::clone(&flight.key), flight.part(&first), false);
        self.figures.repeated += 1;
        self.advance(first, cx);
    }

    /// It is to be tried again, if there is time for it.
    fn again(&mut self, flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        self.again_at_most(u32::MAX, flight, reason, cx);
    }

    fn again_at_most(&mut self, times: u32, mut flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        flight.attempt += 1;
        let due = cx.ports.clock.monotonic() + self.backoff(flight.attempt);
        let tried_enough = flight.attempt > self.limits.retries.unwrap_or(u32::MAX).min(times);
        if tried_enough || self.stopped.is_some() || self.limit.is_some_and(|limit| due >= limit) {
            return self.give_up(flight, reason, cx);
        }
        self.figures.repeated += 1;
        self.waiting.push((due, flight));
    }

    /// Doubles with each attempt; half of it is jitter, so that many functions do not come back at once.
    fn backoff(&mut self, attempt: u32) -> Duration {
        // SplitMix64, by Steele, Lea and Flood: good enough to spread calls.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.random;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let share = u32::try_from((bits ^ (bits >> 31)) >> 48).unwrap_or_default();
        let whole = self.limits.retry_delay.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_WAIT);
        whole / 2 + whole / 2 * share / (1 << 16)
    }

    /// Repeats what is due.
    pub(super) fn resume(&mut self, now: Duration, cx: &mut Cx<'_>) {
        for (due, mut flight) in std::mem::take(&mut self.waiting) {
            if due > now {
                self.waiting.push((due, flight));
            } else if let Some(call) = flight.call.take() {
                self.send(flight, call, cx);
            } else {
                self.advance(flight, cx);
            }
        }
    }

    fn taken(&mut self, flight: &Flight, cx: &mut Cx<'_>) {
        self.delivered(&flight.shares, cx);
        if flight.last
            && let Some(lane) = self.lanes.get_mut(&flight.key)
        {
            let held = std::mem::take(&mut lane.held);
            self.delivered(&held, cx);
        }
        self.bytes -= flight.held();
        self.landed(flight);
    }

    fn delivered(&mut self, shares: &[Share], cx: &mut Cx<'_>) {
        self.figures.delivered += shares.iter().map(|share| u64::from(share.events)).sum::<u64>();
        cx.books.delivered(shares, &self.cargo);
    }

    fn held(&mut self, mut flight: Flight, cx: &mut Cx<'_>) {
        if let Some(reason) = self.stopped {
            return self.hand_back(flight, reason, cx);
        }
        cx.books.held(&mut flight.shares);
        if let Some(lane) = self.lanes.get_mut(&flight.key) {
            lane.held.append(&mut flight.shares);
        }
        self.bytes -= flight.held();
        self.landed(&flight);
    }

    fn refused(&mut self, mut flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        self.with_held(&mut flight);
        cx.books.refused(&flight.shares, &self.cargo, reason);
        self.bytes -= flight.held();
        self.landed(&flight);
    }

    /// Leaves a batch to the trigger, and what is safe only with it.
    pub(super) fn hand_back(&mut self, mut flight: Flight, reason: &'static str, cx: &mut Cx<'_>) {
        self.with_held(&mut flight);
        cx.books.hand_back(&flight.shares, &self.cargo, reason);
        self.bytes -= flight.held();
        self.landed(&flight);
        if self.limits.closes {
            self.abandon(&flight.key, cx);
        }
    }

    fn with_held(&mut self, flight: &mut Flight) {
        if let Some(lane) = self.lanes.get_mut(&flight.key) {
            flight.shares.append(&mut lane.held);
        }
    }

    /// Clears up at the far side. The answer changes nothing.
    pub(super) fn abandon(&mut self, key: &Partition, cx: &mut Cx<'_>) {
        if let Some(call) = self.transport.abandon(key) {
            let ticket = self.ticket();
            self.loose.insert(ticket);
            cx.ports.calls.start(ticket, call, self.limits.time_limit, &self.answers);
        }
        self.weigh(key);
    }

    /// A batch is through: the next one of its lane may start.
    fn landed(&mut self, flight: &Flight) {
        let Some(lane) = self.lanes.get_mut(&flight.key) else { return };
        lane.busy -= 1;
        let idle = lane.busy == 0 && lane.queue.is_empty() && lane.open.is_empty() && lane.held.is_empty();
        if idle && !self.limits.closes {
            self.lanes.swap_remove(&flight.key);
            self.bytes -= super::delivery::LANE_BYTES;
        }
    }
}
