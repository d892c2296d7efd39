//! The way of one event: deserializer and steps, up to the [ways out](super::exits). Depth first: a split hands its elements one by
//! one to the rest of the chain, a fork its copies, so no more than one event is in hand, however many come of it.
//!
//! Imports: `deserializers`, `event`, `payload`.

use super::{
    again::Again,
    branches::{self, Link, Way},
    delivery::Cx,
    exits::Exits,
    report::Tally,
    source::Source,
};
use crate::{
    deserializers::{Raw, Unread},
    event::{Event, Facts, Fault, Outage, Outcome, Stage, sha1_hex},
};
use payload::{Elements, Name, Output, Payload, Split, Style, Value};
use std::time::Duration;

/// A document from this size on is not laid out whole when only the elements of an array in it are wanted.
const LARGE: usize = 4 << 20;
/// One event in so many is timed.
const SAMPLE: u64 = 64;

pub(super) const NOT_IN_LETTER: &str = "not what the dead letter is about";
const EMPTY_SPLIT: &str = "empty split";
const NO_OBJECT: Fault = Fault::new("an element of the array is not an object");
const TOO_MANY: Fault = Fault::new("the array has too many elements");

/// What an event goes on with when a chain, or a branch of one, is done with it.
pub(super) type Then<'t> = &'t mut dyn FnMut(&mut Event<'_>, &mut Flow<'_>);

/// What an event takes along on its way.
pub(super) struct Flow<'a> {
    pub(super) exits: &'a mut Exits,
    pub(super) cx: Cx<'a>,
    /// What of it is wanted, if it is a dead letter's.
    pub(super) again: Option<Again<'a>>,
    /// The trigger that it came with.
    pub(super) trigger: u32,
    /// Whether its way is timed.
    pub(super) timed: bool,
}

impl Source {
    /// Takes one event through.
    pub(super) fn event(&mut self, raw: Raw<'_>, facts: &mut Facts, flow: &mut Flow<'_>) {
        flow.cx.books.ledger.received += 1;
        flow.timed = flow.exits.events.is_multiple_of(SAMPLE);
        flow.exits.events += 1;
        (facts.time_ms, facts.hash) = (None, None);
        facts.partitions.clear();
        facts.elements.clear();
        match self.unwanted(raw.bytes()) {
            Ok(None) => {}
            Ok(Some(reason)) => return flow.cx.books.ledger.drop_event(reason),
            Err(fault) => return flow.fail(Stage::Source, self.deserializer_name, fault, facts),
        }
        if self.hashes_text {
            facts.hash = Some(sha1_hex(raw.bytes()));
        }
        let Raw { arena, range } = raw;
        if range.len() >= LARGE
            && self.deserializer.is_plain_json()
            && let Some((link, rest)) = self.chain.split_first_mut()
            && let Link { name, way: Way::Split { path, keep, hashes }, tally } = link
            // What cannot be read so is read in the ordinary way, which knows what to say of it.
            && let Ok(mut elements) = arena.elements(range.clone(), path, keep)
            && !elements.is_empty()
            && elements.all_objects()
        {
            self.reading.note(None, false);
            let hashes = hashes.then_some(&keep[..]);
            let then: Then<'_> = &mut |event, flow| run(rest, event, flow, &mut deliver);
            return each(&mut elements, name, hashes, tally, facts, flow, then);
        }
        let began = flow.clock();
        let read = self.deserializer.read(Raw { arena, range });
        self.reading.note(flow.since(began), matches!(read, Err(Unread::Fault(_))));
        match read {
            Ok(payload) => run(&mut self.chain, &mut Event { payload, facts }, flow, &mut deliver),
            Err(Unread::Drop(reason)) => flow.cx.books.ledger.drop_event(reason),
            Err(Unread::Fault(fault)) => flow.fail(Stage::Deserializer, self.deserializer_name, fault, facts),
        }
    }
}

fn deliver(event: &mut Event<'_>, flow: &mut Flow<'_>) {
    flow.deliver(event);
}

/// Takes an event through a chain or what is left of it, and what comes of it on to what follows.
pub(super) fn run(mut links: &mut [Link], event: &mut Event<'_>, flow: &mut Flow<'_>, then: Then<'_>) {
    while let Some((link, rest)) = links.split_first_mut() {
        match &mut link.way {
            Way::Perform(operation) => {
                let began = flow.clock();
                let outcome = operation.perform(event);
                link.tally.note(flow.since(began), outcome.is_err());
                match outcome {
                    Ok(Outcome::Pass) => {}
                    Ok(Outcome::Drop(reason)) => return flow.cx.books.ledger.drop_event(reason),
                    Ok(Outcome::HandBack(outage)) => return flow.hand_back(link.name, outage),
                    Err(fault) => return flow.fail(Stage::Operation, link.name, fault, event.facts),
                }
            }
            Way::Split { path, keep, hashes } => {
                let mut split = match event.payload.split(path, keep) {
                    Ok(split) if split.is_empty() => {
                        link.tally.note(None, false);
                        return flow.cx.books.ledger.drop_event(EMPTY_SPLIT);
                    }
                    Ok(split) if split.all_objects() => split,
                    Err(payload::ChangeError::Missing) if !path.is_definite() => {
                        link.tally.note(None, false);
                        return flow.cx.books.ledger.drop_event(EMPTY_SPLIT);
                    }
                    other => {
                        link.tally.note(None, true);
                        let fault = other.err().map_or(NO_OBJECT, Fault::from);
                        return flow.fail(Stage::Operation, link.name, fault, event.facts);
                    }
                };
                let hashes = hashes.then_some(&keep[..]);
                let then: Then<'_> = &mut |event, flow| run(rest, event, flow, then);
                return each(&mut split, link.name, hashes, &mut link.tally, event.facts, flow, then);
            }
            Way::Fork(branches) => {
                link.tally.note(None, false);
                let then: Then<'_> = &mut |event, flow| run(rest, event, flow, then);
                return branches::fork(branches, link.name, event, flow, then);
            }
            Way::Choose { branches, drop_others } => {
                link.tally.note(None, false);
                let then: Then<'_> = &mut |event, flow| run(rest, event, flow, then);
                return branches::choose(branches, *drop_others, event, flow, then);
            }
        }
        links = rest;
    }
    then(event, flow);
}

/// Takes each element of an array, which are objects, on to what follows. `hashes`: the kept members, where elements are hashed.
fn each(
    elements: &mut impl Elementwise,
    name: &'static str,
    hashes: Option<&[Name]>,
    tally: &mut Tally,
    facts: &mut Facts,
    flow: &mut Flow<'_>,
    then: Then<'_>,
) {
    let count = elements.left();
    let end = u32::try_from(count);
    tally.note(None, end.is_err());
    let Ok(end) = end else { return flow.fail(Stage::Operation, name, TOO_MANY, facts) };
    let wanted = flow.again.and_then(|again| again.wanted(&facts.elements));
    let count = wanted.as_ref().map_or(count, |wanted| wanted.range(..end).count());
    let Some(born) = (count as u64).checked_sub(1) else { return flow.cx.books.ledger.drop_event(NOT_IN_LETTER) };
    flow.cx.books.ledger.born += born;
    let (time_ms, hash) = (facts.time_ms, facts.hash);
    let partitions = facts.partitions.clone();
    facts.elements.push(0);
    for number in 0.. {
        if let Some(last) = facts.elements.last_mut() {
            *last = number;
        }
        let unwanted = wanted.as_ref().is_some_and(|wanted| !wanted.contains(&number));
        let payload = match elements.following() {
            Ok(None) => break,
            _ if unwanted => continue,
            Ok(Some(payload)) => payload,
            Err(fault) => {
                flow.fail(Stage::Operation, name, fault, facts);
                continue;
            }
        };
        // However many come of one event: not all of them are timed because it is.
        flow.timed = flow.exits.elements.is_multiple_of(SAMPLE);
        flow.exits.elements += 1;
        (facts.time_ms, facts.hash) = (time_ms, hash);
        facts.partitions.clone_from(&partitions);
        if let Some(kept) = hashes {
            let scratch = &mut flow.exits.hash_scratch;
            scratch.clear();
            hashed_text(&payload, kept, scratch);
            facts.hash = Some(sha1_hex(scratch));
        }
        then(&mut Event { payload, facts: &mut *facts }, flow);
    }
    facts.elements.pop();
}

/// An array's elements, one at a time, whichever way it was read.
trait Elementwise {
    fn left(&self) -> usize;
    fn following(&mut self) -> Result<Option<Payload<'_>>, Fault>;
}

impl Elementwise for Split<'_> {
    fn left(&self) -> usize {
        self.len()
    }
    fn following(&mut self) -> Result<Option<Payload<'_>>, Fault> {
        Ok(self.next()?)
    }
}

impl Elementwise for Elements<'_> {
    fn left(&self) -> usize {
        self.len()
    }
    fn following(&mut self) -> Result<Option<Payload<'_>>, Fault> {
        Ok(self.next()?)
    }
}

impl Flow<'_> {
    pub(super) fn fail(&mut self, stage: Stage, component: &str, fault: Fault, facts: &Facts) {
        self.cx.books.fail(stage, component, fault.reason, None, &facts.elements);
        self.cx.books.safety.fail(self.trigger);
    }

    /// It comes again with its trigger.
    pub(super) fn hand_back(&mut self, component: &'static str, outage: Outage) {
        self.cx.books.hand_back_event(self.trigger, component, outage.reason);
        self.cx.books.outage = Some(outage);
    }

    pub(super) fn clock(&self) -> Option<Duration> {
        self.timed.then(|| self.cx.ports.clock.monotonic())
    }

    pub(super) fn since(&self, began: Option<Duration>) -> Option<Duration> {
        began.map(|began| self.cx.ports.clock.monotonic().saturating_sub(began))
    }
}

/// What Bender hashes of an element: its text without members that are null, but for kept ones that the source event lacks.
fn hashed_text(element: &Payload<'_>, kept: &[Name], out: &mut Output) {
    let is_null = |name: &Name| element.root().member(name).is_some_and(Value::is_null);
    if !kept.iter().any(is_null) {
        return element.write_as(Style::GsonText, out);
    }
    let mut next = b'{';
    for (name, value) in element.root().members() {
        if !value.is_null() || kept.iter().any(|kept| kept.as_str() == name) {
            out.push(std::mem::replace(&mut next, b','));
            // Writing to memory cannot fail.
            let _ = serde_json::to_writer(&mut *out, &*name);
            out.push(b':');
            value.write_as(Style::GsonText, out);
        }
    }
    out.push(b'}');
}
