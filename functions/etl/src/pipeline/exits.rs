//! The ways out of a pipeline: which of them an event takes, and how all of them are served at once.
//!
//! An event that goes more than one way is copied, and a copy is counted as born. Each way has its own wrapper, serializer and
//! [`Delivery`]; answers of all far sides arrive in one place, so no far side waits for another.
//!
//! **Invariants.** What all deliveries hold, waiting or under way, is at most the bound and one event; the fullest lane of all is
//! sent first, so many partitions cost calls but never memory. No more than one batch of a delivery waits behind
//! those that are being packed. A far side that is out holds no other up: the others still get what was read, but nothing more is read,
//! as the trigger comes again.
//!
//! Imports: `build`, `config`, `event`, `operations`, `payload`, `ports`, `serializers`, `wrappers`.

use super::{
    books::Cargo,
    chain::Flow,
    delivery::{Cx, Delivery},
    letter_box::LetterBox,
    letters::Letters,
    report::Tally,
};
use crate::{
    build::{BuildCx, BuildError},
    config,
    event::{Context, Event, Facts, Fault, Outcome, Stage},
    operations::{RunOperation, Step},
    ports::{Answer, Ticket},
    serializers::RunSerializer,
    wrappers::{RunWrapper, Spelling},
};
use payload::Output;
use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

const OUT_OF_TIME: &str = "out of time";
const NO_TRANSPORT: &str = "no transport wants it";
/// Answers are looked for once in so many events, and when a batch is closed.
const POLL: u64 = 64;
/// How long the answers of calls are waited for that change nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// All ways out.
#[derive(Debug)]
pub(super) struct Exits {
    pub(super) all: Vec<Exit>,
    pub(super) letters: Option<LetterBox>,
    arrived: Receiver<(Ticket, Answer)>,
    /// Bytes that may be held by all together.
    bound: usize,
    /// When all must be done.
    limit: Option<Duration>,
    pub(super) hash_scratch: Output,
    pub(super) events: u64,
    /// Elements of arrays, since the start.
    pub(super) elements: u64,
    pushed: u64,
    /// The most that was held.
    pub(super) peak_bytes: usize,
    /// Milliseconds since 1970 of the oldest event that was handed to a transport.
    pub(super) oldest_event_ms: Option<i64>,
}

/// A way out.
#[derive(Debug)]
pub(super) struct Exit {
    /// Its name, of one of several.
    pub(super) name: Option<String>,
    when: Option<Condition>,
    /// What is decided of the event that is at hand.
    wanted: bool,
    wrapper: Box<dyn RunWrapper>,
    pub(super) wrapper_name: &'static str,
    pub(super) wrapping: Tally,
    serializer: Box<dyn RunSerializer>,
    pub(super) serializer_name: &'static str,
    pub(super) serializing: Tally,
    pub(super) delivery: Delivery,
    /// The transport's type.
    pub(super) transport_name: &'static str,
}

#[derive(Debug)]
struct Condition {
    name: &'static str,
    filter: Box<dyn RunOperation>,
}

impl Exit {
    /// `number`: which it is, of `of` exits.
    pub(super) fn new(
        config: &config::Exit<'_>,
        cx: &BuildCx<'_>,
        number: usize,
        of: usize,
    ) -> Result<Self, BuildError> {
        let missing = |what: &str| BuildError::new(format!("it has no {what}")).of(config.name.unwrap_or("transport"));
        let wrapper = config.wrapper.ok_or_else(|| missing("wrapper"))?;
        let serializer = config.serializer.ok_or_else(|| missing("serializer"))?;
        let named = |name: &'static str| move |error: BuildError| error.of(name);
        let when = match config.when.map(|when| (when.name(), when.build(cx))) {
            None => None,
            Some((name, Ok(Step::Perform(filter)))) => Some(Condition { name, filter }),
            Some((name, Ok(_))) => return Err(BuildError::new("it is no filter").of(name)),
            Some((name, Err(error))) => return Err(error.of(name)),
        };
        let spell = |key: &str| serializer.spell(key);
        let transport_name = config.transport.name();
        let transport = config.transport.build(cx).map_err(named(transport_name))?;
        let name = config.name.unwrap_or(transport_name).to_owned();
        let cargo = Cargo::Events { name, several: config.name.is_some() };
        Ok(Self {
            name: config.name.map(str::to_owned),
            when,
            wanted: true,
            wrapper: wrapper.build(cx, Spelling(&spell)).map_err(named(wrapper.name()))?,
            wrapper_name: wrapper.name(),
            wrapping: Tally::default(),
            serializer: serializer.build(cx).map_err(named(serializer.name()))?,
            serializer_name: serializer.name(),
            serializing: Tally::default(),
            delivery: Delivery::new(cargo, transport, number, of),
            transport_name,
        })
    }

    pub(super) fn wants_hash(&self) -> bool {
        let when = self.when.as_ref().is_some_and(|when| when.filter.wants_hash());
        when || self.wrapper.wants_hash() || self.delivery.transport.wants_hash()
    }
}

impl Exits {
    pub(super) fn new(all: Vec<Exit>, letters: Option<LetterBox>) -> Self {
        Self {
            all,
            letters,
            arrived: channel().1,
            bound: 0,
            limit: None,
            hash_scratch: Output::new(),
            events: 0,
            elements: 0,
            pushed: 0,
            peak_bytes: 0,
            oldest_event_ms: None,
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
        let (answers, arrived) = channel();
        (self.arrived, self.bound, self.limit) = (arrived, bound, limit);
        (self.events, self.pushed, self.peak_bytes, self.oldest_event_ms) = (0, 0, 0, None);
        let mut seed = seed;
        self.each(|delivery| {
            delivery.begin(context, seed, limit, hand_back, answers.clone());
            seed = seed.wrapping_add(1);
        });
        for Condition { filter, .. } in self.all.iter_mut().filter_map(|exit| exit.when.as_mut()) {
            filter.begin();
        }
    }

    /// Bytes that are held, but for those of events that may become letters.
    pub(super) fn bytes(&self) -> usize {
        self.deliveries().map(|delivery| delivery.bytes).sum()
    }

    fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.all.iter().map(|exit| &exit.delivery).chain(self.letters.iter().map(|letters| &letters.delivery))
    }

    fn deliveries_mut(&mut self) -> impl Iterator<Item = &mut Delivery> {
        let letters = self.letters.iter_mut().map(|letters| &mut letters.delivery);
        self.all.iter_mut().map(|exit| &mut exit.delivery).chain(letters)
    }

    /// Why nothing more is to be read, if some far side does not take what it gets.
    pub(super) fn stopped(&self) -> Option<&'static str> {
        self.deliveries().find_map(|delivery| delivery.stopped)
    }

    fn under_way(&self) -> usize {
        self.deliveries().map(Delivery::under_way).sum()
    }

    /// An event was handed to a delivery: answers are looked for now and then, and the bound is kept.
    fn pushed(&mut self, started: bool, cx: &mut Cx<'_>) {
        self.pushed += 1;
        if (started || self.pushed.is_multiple_of(POLL)) && self.under_way() > 0 {
            self.poll(cx);
        }
        // Who packs more slowly than we read is waited for: one batch ahead is enough.
        while started && self.deliveries().any(Delivery::is_behind) {
            self.wait(cx);
        }
        self.keep_bound(cx);
    }

    /// Sends until no more is held than may be.
    fn keep_bound(&mut self, cx: &mut Cx<'_>) {
        let held = |exits: &Self, cx: &Cx<'_>| exits.bytes() + cx.books.letters.as_ref().map_or(0, Letters::bytes);
        self.peak_bytes = self.peak_bytes.max(held(self, cx));
        let alive = |exits: &Self| exits.deliveries().any(|delivery| delivery.stopped.is_none());
        while held(self, cx) > self.bound && alive(self) {
            self.poll(cx);
            if held(self, cx) > self.bound && !self.relieve(cx) {
                return;
            }
        }
    }

    /// Sends the fullest lane, or waits for an answer. Whether it could do anything.
    fn relieve(&mut self, cx: &mut Cx<'_>) -> bool {
        // It will be smaller in a moment. So what ends early does not depend on who is quicker.
        if self.deliveries().any(Delivery::is_packing) {
            self.wait(cx);
            return true;
        }
        let fullest = self
            .deliveries_mut()
            .filter_map(|delivery| Some((delivery.fullest()?, delivery)))
            .max_by_key(|(bytes, _)| *bytes);
        if let Some((_, delivery)) = fullest {
            delivery.send_fullest(cx);
            return true;
        }
        if self.under_way() == 0 {
            return false;
        }
        self.wait(cx);
        true
    }

    /// Sends what is left and waits for every answer. Afterwards all that was pushed is in the books.
    pub(super) fn finish(&mut self, cx: &mut Cx<'_>) {
        for exit in &mut self.all {
            exit.delivery.close();
            exit.delivery.start(cx);
        }
        while self.all.iter().any(|exit| exit.delivery.under_way() > 0) {
            self.wait(cx);
        }
        // What was refused at last becomes letters, so theirs is the last delivery.
        self.write_letters(cx);
        if let Some(letters) = &mut self.letters {
            letters.delivery.close();
            letters.delivery.start(cx);
        }
        while self.under_way() > 0 {
            self.wait(cx);
        }
        while self.deliveries().any(|delivery| !delivery.loose.is_empty()) {
            let Ok((ticket, _)) = self.arrived.recv_timeout(PATIENCE) else { break };
            self.each(|delivery| _ = delivery.loose.remove(&ticket));
        }
        self.each(|delivery| delivery.hand_back_held(cx));
    }

    /// Whether it is too late to begin anything; if so, why.
    pub(super) fn out_of_time(&mut self, cx: &mut Cx<'_>) -> Option<&'static str> {
        if self.limit.is_some_and(|limit| cx.ports.clock.monotonic() >= limit) {
            self.each(|delivery| delivery.stop(OUT_OF_TIME, cx));
        }
        self.stopped()
    }

    fn each(&mut self, does: impl FnMut(&mut Delivery)) {
        self.deliveries_mut().for_each(does);
    }

    fn answered(&mut self, ticket: Ticket, answer: &Answer, cx: &mut Cx<'_>) {
        let owner = usize::try_from(ticket % self.deliveries().count().max(1) as Ticket).unwrap_or_default();
        if let Some(delivery) = self.deliveries_mut().nth(owner) {
            delivery.answered(ticket, answer, cx);
            delivery.start(cx);
        }
        self.write_letters(cx);
    }

    /// Something failed, perhaps: what is to be told of it goes on its way.
    pub(super) fn failed(&mut self, cx: &mut Cx<'_>) {
        self.write_letters(cx);
        self.keep_bound(cx);
    }

    /// Hands on the letters that can be written.
    fn write_letters(&mut self, cx: &mut Cx<'_>) {
        let Some(letters) = &mut self.letters else { return };
        while let Some(letter) = cx.books.letters.as_mut().and_then(Letters::next) {
            letters.put(letter, cx);
        }
    }

    /// Looks at what has come, without waiting.
    fn poll(&mut self, cx: &mut Cx<'_>) {
        while let Ok((ticket, answer)) = self.arrived.try_recv() {
            self.answered(ticket, &answer, cx);
        }
        let now = cx.ports.clock.monotonic();
        self.each(|delivery| {
            delivery.resume(now, cx);
            delivery.start(cx);
        });
        self.write_letters(cx);
    }

    /// Waits for an answer, for the time of a repetition, or for the end.
    fn wait(&mut self, cx: &mut Cx<'_>) {
        if let Ok((ticket, answer)) = self.arrived.try_recv() {
            return self.answered(ticket, &answer, cx);
        }
        let now = cx.ports.clock.monotonic();
        let due = self.deliveries().filter_map(Delivery::due);
        let Some(until) = due.chain(self.limit).min() else { return };
        let left = until.saturating_sub(now);
        if self.deliveries().all(|delivery| delivery.flights.is_empty()) {
            cx.ports.clock.sleep(left);
        } else if let Ok((ticket, answer)) = self.arrived.recv_timeout(left) {
            return self.answered(ticket, &answer, cx);
        }
        // The time has come, whatever a clock says that stands still.
        let over = self.limit.is_some_and(|limit| limit <= until);
        self.each(|delivery| {
            if over {
                delivery.give_up_all(OUT_OF_TIME, cx);
            } else {
                delivery.expire(until, cx);
                delivery.resume(until, cx);
            }
            delivery.start(cx);
        });
        self.write_letters(cx);
    }
}

impl Flow<'_> {
    /// Hands an event to every transport that wants it.
    pub(super) fn deliver(&mut self, event: &mut Event<'_>) {
        if let [Exit { when: None, .. }] = self.exits.all[..] {
            return self.leave(0, event);
        }
        let mut copies = 0_u64;
        let mut last = None;
        for number in 0..self.exits.all.len() {
            match self.wants(number, event) {
                (_, Ok(Outcome::Pass)) => last = Some(number),
                (_, Ok(Outcome::Drop(_))) => continue,
                (name, Ok(Outcome::HandBack(outage))) => self.hand_back(name, outage),
                (name, Err(fault)) => self.fail_at(number, Stage::Operation, name, fault, event.facts),
            }
            copies += 1;
        }
        self.cx.books.ledger.born += copies.saturating_sub(1);
        if copies == 0 {
            return self.cx.books.ledger.drop_event(NO_TRANSPORT);
        }
        let Some(last) = last else { return };
        for number in 0..last {
            if !self.exits.all.get(number).is_some_and(|exit| exit.wanted) {
                continue;
            }
            // A wrapper changes what it wraps.
            match event.payload.copy() {
                Ok(payload) => self.leave(number, &mut Event { payload, facts: &mut *event.facts }),
                Err(error) => self.fail_at(number, Stage::Transport, "transports", error.into(), event.facts),
            }
        }
        self.leave(last, event);
    }

    /// Whether an exit wants an event, and the name of the condition that says so.
    fn wants(&mut self, number: usize, event: &mut Event<'_>) -> (&'static str, Result<Outcome, Fault>) {
        let Some(exit) = self.exits.all.get_mut(number) else { return ("", Ok(Outcome::Drop(NO_TRANSPORT))) };
        let (name, says) = match &mut exit.when {
            _ if self.again.is_some_and(|again| again.passes_by(exit.name.as_deref())) => {
                ("", Ok(Outcome::Drop(NO_TRANSPORT)))
            }
            None => ("", Ok(Outcome::Pass)),
            Some(Condition { name, filter }) => (*name, filter.perform(event)),
        };
        exit.wanted = matches!(says, Ok(Outcome::Pass));
        (name, says)
    }

    /// An event fails on the way to one transport.
    fn fail_at(&mut self, number: usize, stage: Stage, component: &str, fault: Fault, facts: &Facts) {
        let name = self.exits.all.get(number).and_then(|exit| exit.name.as_deref());
        self.cx.books.fail(stage, component, fault.reason, name, &facts.elements);
        self.cx.books.safety.fail(self.trigger);
    }

    /// Hands an event to one transport.
    fn leave(&mut self, number: usize, event: &mut Event<'_>) {
        let timed = self.timed;
        let clock = &self.cx.ports.clock;
        let now = || timed.then(|| clock.monotonic());
        let since = |began: Option<Duration>| began.map(|began| clock.monotonic().saturating_sub(began));
        let Some(exit) = self.exits.all.get_mut(number) else { return };
        let began = now();
        let wrapped = exit.wrapper.wrap(event);
        exit.wrapping.note(since(began), wrapped.is_err());
        if let Err(fault) = wrapped {
            let name = exit.wrapper_name;
            return self.fail_at(number, Stage::Wrapper, name, fault, event.facts);
        }
        let began = now();
        let framed = exit.delivery.frame(event, &mut *exit.serializer, exit.serializer_name);
        exit.serializing.note(since(began), matches!(framed, Err((Stage::Serializer, ..))));
        if let Err((stage, component, fault)) = framed {
            return self.fail_at(number, stage, &component, fault, event.facts);
        }
        let started = exit.delivery.push(event.facts, self.trigger, &mut self.cx);
        let event_ms = event.facts.event_ms();
        let oldest = &mut self.exits.oldest_event_ms;
        *oldest = Some(oldest.map_or(event_ms, |oldest| oldest.min(event_ms)));
        self.exits.pushed(started, &mut self.cx);
    }
}
