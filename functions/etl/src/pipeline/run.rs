//! One invocation: its triggers are read, and all that comes of them is accounted for.
//!
//! Imports: `dead_letter`, `deserializers`, `event`, `handlers`, `ports`.

use super::{
    Invoked, Pipeline,
    again::Again,
    books::Books,
    chain::Flow,
    delivery::Cx,
    inflate::{Format, Inflate, Stop},
    letters::Letters,
    lines::{LineReader, Next, TOO_LONG},
    outcome::{self, Came},
    report::Whole,
    source::Source,
};
use crate::{
    dead_letter::DeadLetter,
    deserializers::Raw,
    event::{Context, Facts, Fault, OriginKind, Stage},
    handlers::{Batch, Body, NotOurs, OnFailure, OneByOne, Trigger},
    ports::{Level, ObjectError, Opening},
};
use std::{borrow::Cow, collections::VecDeque, io::Read, sync::Arc, time::Duration};

/// Kept free before the deadline, for the last answers, the report and the answer to Lambda; less when there is little time.
const RESERVE: Duration = Duration::from_secs(2);
/// Objects that are fetched while the one before them is read: the beginnings of them, as far as [`Objects::ahead`] goes. To be answered
/// takes longer than to read a small one.
///
/// [`Objects::ahead`]: crate::ports::Objects::ahead
const AHEAD: usize = 3;
/// The deadline is looked at once in so many lines.
const LOOK: u64 = 64;

const NO_EVENT: Fault = Fault::new("a dead letter without its event");
/// Of what lies elsewhere as well, and of what does not.
pub(super) const NO_SOURCE: &str = "no source";
const MATCHES_NONE: &str = "no source matches";
const DENIED: &str = "access to the object denied";
const NOT_NOW: &str = "object cannot be read now";
const OBJECT_GONE: Fault = Fault::new("object gone");

/// One invocation that is under way.
#[derive(Debug)]
pub struct Run<'p> {
    pub(super) pipeline: &'p mut Pipeline,
    pub(super) context: Arc<Context>,
    now_ms: i64,
    /// Whether the context says what the clock says.
    fixed: bool,
    began: Duration,
    pub(super) deadline: Option<Duration>,
    books: Books,
    on_failure: OnFailure,
    /// Keys of objects with their triggers, for the notice of a failure.
    keys: Vec<(u32, String)>,
    whole: Whole,
    /// Inputs of the lower door.
    inputs: u64,
    /// The object of the trigger at hand, which is on its way.
    pub(super) opening: Option<Opening>,
    /// Whether the log has it already that a trigger has no source.
    told_of_no_source: bool,
}

impl<'p> Run<'p> {
    pub(super) fn new(pipeline: &'p mut Pipeline, context: &Context) -> Self {
        let clock = &pipeline.ports.clock;
        let (now_ms, began) = (clock.now_ms(), clock.monotonic());
        let left =
            context.deadline_ms.map(|deadline| u64::try_from(deadline.saturating_sub(now_ms)).unwrap_or_default());
        let left = left.map(Duration::from_millis);
        let deadline = left.map(|left| began + left);
        let limit = left.map(|left| began + left.saturating_sub(RESERVE.min(left / 5)));
        pipeline.exits.begin(
            context,
            pipeline.ports.seed,
            pipeline.bounds.buffer_bytes,
            limit,
            pipeline.common.fail_on_exception,
        );
        pipeline.sources.iter_mut().for_each(Source::begin);
        let now_ms = context.now_ms.unwrap_or(now_ms);
        let letters = pipeline.exits.letters.as_ref().map(|_| Letters::new(!pipeline.common.fail_on_exception));
        Self {
            context: Arc::new(Context { now_ms: Some(now_ms), ..context.clone() }),
            now_ms,
            fixed: context.now_ms.is_some(),
            began,
            deadline,
            books: Books { letters, ..Books::default() },
            on_failure: OnFailure::Whole,
            keys: vec![],
            whole: Whole::default(),
            inputs: 0,
            opening: None,
            told_of_no_source: false,
            pipeline,
        }
    }

    /// Hands over a record: one event. It stands for the next record of the config's trigger.
    pub fn record(&mut self, bytes: &[u8]) {
        let trigger = self.stand_in("");
        self.trigger(&mut Trigger { body: Body::Bytes(Cow::Borrowed(bytes)), ..trigger }, true);
    }

    /// Hands over an object: one event a line. It stands for the next object of the config's trigger. `name` says what it is called;
    /// under a name that ends in `.gz`, `.zst`, `.bz2`, `.snappy` or `.sz` it must be compressed.
    pub fn object(&mut self, name: &str, reader: impl Read) {
        let mut trigger = self.stand_in(name);
        let Some(number) = self.admit(&trigger, true) else { return };
        let Some(source) = self.choose(&trigger, number, true) else { return };
        self.complete(&mut trigger.facts);
        let format = Format::of(name);
        self.lines(Inflate::new(reader, format), number, source, &mut trigger.facts);
    }

    /// Hands over a dead letter: what failed of its event goes through the pipeline again, as from where it was read. Whether the letter
    /// has its event.
    pub fn dead_letter(&mut self, letter: &DeadLetter<'_>) -> bool {
        let stand_in = self.stand_in("");
        self.again(letter, stand_in.facts)
    }

    /// The same, where Lambda is to be answered; a letter without its event is a fault.
    pub(super) fn letter_again(&mut self, letter: &DeadLetter<'_>) {
        let facts = self.pipeline.handler.stand_in(&self.context, "", 0).facts;
        if !self.again(letter, facts.clone()) {
            let trigger = self.books.safety.begin();
            self.fault(NO_EVENT, &facts, trigger);
        }
    }

    /// `like`: what is known of events when the letter does not say it.
    fn again(&mut self, letter: &DeadLetter<'_>, like: Facts) -> bool {
        let Some(event) = letter.event() else { return false };
        let origin = letter.origin(&like.origin);
        let facts = Facts { origin, offset: letter.offset, arrival_ms: letter.arrival_ms, ..like };
        let mut trigger =
            Trigger { facts, body: Body::Bytes(event), ..self.pipeline.handler.stand_in(&self.context, "", 0) };
        let Some(number) = self.admit(&trigger, true) else { return true };
        let Some(by_place) = self.choose(&trigger, number, true) else { return true };
        self.complete(&mut trigger.facts);
        let source = self.pipeline.sources.iter().position(|source| source.name == letter.source).unwrap_or(by_place);
        if let Body::Bytes(bytes) = &trigger.body {
            self.pipeline.arena.load_slice(bytes);
        }
        let again = Again { elements: &letter.elements, transport: letter.transport.as_deref() };
        let range = self.pipeline.arena.whole();
        self.event(range, number, source, &mut trigger.facts, Some(again));
        true
    }

    /// Bytes that are on their way out, the lanes that they are in included.
    pub fn buffered_bytes(&self) -> usize {
        self.pipeline.exits.bytes()
    }

    fn stand_in(&mut self, name: &str) -> Trigger<'static> {
        self.inputs += 1;
        self.pipeline.handler.stand_in(&self.context, name, self.inputs - 1)
    }

    pub(super) fn batch(&mut self, batch: &mut Batch<'_>) {
        self.on_failure = batch.on_failure;
        self.books.reply.begin(&batch.triggers);
        let mut ahead = VecDeque::new();
        for number in 0..batch.triggers.len() {
            for next in batch.triggers.iter().skip(number + ahead.len()).take(1 + AHEAD - ahead.len()) {
                ahead.push_back(self.ahead(next));
            }
            self.opening = ahead.pop_front().flatten();
            let Some(trigger) = batch.triggers.get_mut(number) else { break };
            if batch.log_triggers {
                self.log(Level::Info, "triggered", &[("trigger", &trigger.name())]);
            }
            self.trigger(trigger, false);
        }
        self.opening = None;
    }

    /// Reads triggers as they are made.
    pub(super) fn one_by_one(&mut self, triggers: &dyn OneByOne<'_>) {
        self.on_failure = OnFailure::Suffix;
        let mut spent = Facts::default();
        for number in 0..triggers.len() {
            let Some(mut trigger) = triggers.trigger(number, spent) else { return };
            self.trigger(&mut trigger, false);
            spent = trigger.facts;
        }
    }

    /// Reads one trigger. Its facts are completed.
    fn trigger(&mut self, trigger: &mut Trigger<'_>, stands_in: bool) {
        let Some(number) = self.admit(trigger, stands_in) else { return };
        if let Body::LogMessage { text, payload } = &mut trigger.body {
            let (text, payload) = (std::mem::take(text), *payload);
            return self.log_message(&text, payload, trigger, number);
        }
        let Some(source) = self.choose(trigger, number, stands_in) else { return };
        let Trigger { facts, body, source: place, .. } = trigger;
        self.complete(facts);
        match body {
            Body::Base64 { text, gzip, aggregates } => self.packed(text, *gzip, *aggregates, number, source, facts),
            Body::Bytes(bytes) => {
                self.pipeline.arena.load_slice(bytes);
                self.loaded(number, source, facts);
            }
            Body::Object { bucket, key, version_id } => match self.open(bucket, key, version_id.as_deref()) {
                Ok(object) => {
                    self.lines(Inflate::new(object.reader, Format::of(key)), number, source, facts);
                }
                Err(ObjectError::Gone) => self.fault(OBJECT_GONE, facts, number),
                Err(error) => {
                    self.log(Level::Error, "an object cannot be read", &[("object", &*place), ("why", &error)]);
                    let denied = matches!(error, ObjectError::Denied(_));
                    self.hand_back(number, if denied { DENIED } else { NOT_NOW });
                }
            },
            Body::LogMessage { .. } | Body::Nothing(_) | Body::Unreadable(_) => {}
        }
    }

    /// Begins a trigger: its number, if there is anything to read.
    fn admit(&mut self, trigger: &Trigger<'_>, stands_in: bool) -> Option<u32> {
        let number = self.books.safety.begin();
        if let (OriginKind::S3(origin), true) =
            (&trigger.facts.origin.kind, self.pipeline.handler.failure_topic().is_some())
        {
            self.keys.push((number, origin.key.clone()));
        }
        match trigger.body {
            Body::Nothing(reason) if !stands_in => {
                self.drop_input(reason);
                return None;
            }
            Body::Unreadable(reason) => {
                self.fault(Fault::new(reason), &trigger.facts, number);
                return None;
            }
            _ => {}
        }
        let mut cx = Cx { ports: &self.pipeline.ports, books: &mut self.books };
        if let Some(reason) = self.pipeline.exits.out_of_time(&mut cx) {
            self.hand_back(number, reason);
            return None;
        }
        if matches!(self.on_failure, OnFailure::Items) {
            // The others of its batch do not come again with the one that met it.
            self.books.outage = None;
        }
        if let Some(reason) = self.outage() {
            self.hand_back(number, reason);
            return None;
        }
        Some(number)
    }

    /// The number of a trigger's source. Without one there is nothing to do with it: an object stays in its bucket and a log event in its
    /// group, and the choice of sources is a choice among them; of anything else this was the only copy, and it comes again.
    pub(super) fn choose(&mut self, trigger: &Trigger<'_>, number: u32, stands_in: bool) -> Option<usize> {
        let chosen = self.pipeline.choice.choose(&self.pipeline.sources, &trigger.source);
        // A local input may belong to no stream or bucket at all: then it belongs to the first source.
        let chosen = chosen.or_else(|| stands_in.then_some(0));
        if chosen.is_none() {
            let lies_elsewhere = matches!(trigger.body, Body::Object { .. } | Body::LogMessage { .. });
            let first = !std::mem::replace(&mut self.told_of_no_source, true);
            if lies_elsewhere {
                if first {
                    self.log(Level::Warn, "no source matches: it is not read", &[("trigger", &trigger.name())]);
                }
                self.drop_input(NO_SOURCE);
            } else {
                if first {
                    let way_out = "let the `source_regex` of a source match all of the trigger's name";
                    self.log(Level::Error, MATCHES_NONE, &[("trigger", &trigger.name()), ("help", &way_out)]);
                }
                self.hand_back(number, MATCHES_NONE);
            }
        }
        chosen
    }

    /// Adds what the invocation knows to what a handler knows of events.
    pub(super) fn complete(&mut self, facts: &mut Facts) {
        if !Arc::ptr_eq(&facts.context, &self.context) {
            facts.context = Arc::clone(&self.context);
        }
        facts.now_ms = self.now_ms;
        if facts.arrival_ms == 0 {
            // Better than 1970, in whatever is sorted by time.
            facts.arrival_ms = self.now_ms;
        }
        self.whole.source_name = facts.origin.source_name;
        let oldest = &mut self.whole.oldest_arrival_ms;
        *oldest = Some(oldest.map_or(facts.arrival_ms, |oldest| oldest.min(facts.arrival_ms)));
    }

    /// Why nothing more is read: what an event needs is not to be had, and all behind it comes again with it.
    fn outage(&self) -> Option<&'static str> {
        self.books.outage.filter(|_| self.pipeline.common.fail_on_exception).map(|outage| outage.reason)
    }

    /// Something that might have been events is not wanted.
    pub(super) fn drop_input(&mut self, reason: &'static str) {
        self.books.ledger.received += 1;
        self.books.ledger.drop_event(reason);
    }

    /// Something that should have been events never will be.
    pub(super) fn fault(&mut self, fault: Fault, facts: &Facts, trigger: u32) {
        self.books.ledger.received += 1;
        let handler = self.pipeline.handler.name();
        self.books.ledger.fail(Stage::Source, handler, fault.reason, 1);
        self.books.safety.fail(trigger);
        if let Some(letters) = &mut self.books.letters {
            letters.unread(handler, fault.reason, &Facts { now_ms: self.now_ms, ..facts.clone() }, trigger);
            self.write_letters();
        }
    }

    fn write_letters(&mut self) {
        let Pipeline { exits, ports, .. } = &mut *self.pipeline;
        exits.failed(&mut Cx { ports, books: &mut self.books });
    }

    /// Something that should have been events comes again.
    fn hand_back(&mut self, trigger: u32, reason: &'static str) {
        self.books.ledger.received += 1;
        self.books.ledger.fail(Stage::Delivery, self.pipeline.handler.name(), reason, 1);
        self.books.safety.handed_back(trigger);
    }

    /// What is loaded is one event.
    pub(super) fn loaded(&mut self, trigger: u32, source: usize, facts: &mut Facts) {
        if self.pipeline.arena.loaded().len() > self.pipeline.bounds.event_bytes {
            return self.fault(TOO_LONG, facts, trigger);
        }
        let range = self.pipeline.arena.whole();
        self.event(range, trigger, source, facts, None);
    }

    /// `again`: what of it is wanted, of a dead letter.
    fn event(
        &mut self,
        range: std::ops::Range<usize>,
        trigger: u32,
        source: usize,
        facts: &mut Facts,
        again: Option<Again<'_>>,
    ) {
        let Pipeline { arena, sources, exits, ports, .. } = &mut *self.pipeline;
        self.whole.raw_bytes += range.len() as u64;
        let Some(source) = sources.get_mut(source) else { return };
        if let Some(letters) = &mut self.books.letters {
            let text = arena.loaded().get(range.clone()).unwrap_or_default();
            letters.begin(text, facts, &source.name, trigger);
        }
        let mut flow = Flow { exits, cx: Cx { ports, books: &mut self.books }, trigger, again, timed: false };
        source.event(Raw { arena, range }, facts, &mut flow);
        if let Some(letters) = &mut self.books.letters {
            letters.end();
            self.write_letters();
        }
    }

    /// Each line of an object is one event.
    fn lines(&mut self, bytes: Inflate<impl Read>, trigger: u32, source: usize, facts: &mut Facts) {
        let mut lines = LineReader::new(bytes, self.pipeline.bounds.event_bytes);
        if let Some(source) = self.pipeline.sources.get_mut(source) {
            source.deserializer.begin();
        }
        for number in 1_u64.. {
            match lines.next(&mut self.pipeline.arena) {
                Next::Line(range, offset) => {
                    facts.offset = offset;
                    self.event(range, trigger, source, facts, None);
                }
                Next::Fault(fault) => self.fault(fault, facts, trigger),
                Next::Stop(Stop::Fault(fault)) => return self.fault(fault, facts, trigger),
                Next::Stop(Stop::Outage(error)) => {
                    self.log(Level::Error, "reading an object broke off", &[("why", &error.kind())]);
                    return self.hand_back(trigger, "reading the object broke off");
                }
                Next::End => return,
            }
            if let Some(reason) = self.outage() {
                return self.hand_back(trigger, reason);
            }
            let exits = &mut self.pipeline.exits;
            let mut cx = Cx { ports: &self.pipeline.ports, books: &mut self.books };
            let stopped = if number.is_multiple_of(LOOK) { exits.out_of_time(&mut cx) } else { exits.stopped() };
            if let Some(reason) = stopped {
                return self.hand_back(trigger, reason);
            }
        }
    }

    /// Delivers what is left, tells the reporters, and says what the invocation came to.
    pub fn finish(self) -> Invoked {
        self.conclude(Came::AtOnce(&[]))
    }

    pub(super) fn conclude(mut self, came: Came<'_, '_>) -> Invoked {
        let Pipeline { exits, ports, .. } = &mut *self.pipeline;
        exits.finish(&mut Cx { ports, books: &mut self.books });
        self.books.settle_reply();
        self.books.ledger.sort();
        let ledger = &self.books.ledger;
        // With dead letters nothing is lost, whoever's fault it is; nor by whoever keeps the records that failed.
        let kept = self.on_failure == OnFailure::Records || self.books.letters.is_some();
        let may_be_ours = self.inputs == 0 && !kept;
        let ours = may_be_ours && outcome::all_failed(ledger, self.pipeline.has_worked);
        let letters_back: u64 = self.books.letters_back.values().sum();
        let handed_back = if ours { ledger.all_failed() } else { ledger.handed_back() + letters_back };
        self.pipeline.has_worked |= ledger.delivered > 0 || ledger.dropped.keys().any(|reason| reason != NO_SOURCE);
        if ours {
            self.books.safety.all_handed_back();
            self.log(
                Level::Error,
                "every event failed in the same way, and none has ever worked: all are handed back",
                &[],
            );
        }
        let fail = self.pipeline.common.fail_on_exception;
        for failed in &self.books.ledger.failed {
            let fields: [(&'static str, &dyn std::fmt::Display); 4] = [
                ("stage", &failed.stage),
                ("component", &failed.component),
                ("reason", &failed.reason),
                ("count", &failed.count),
            ];
            let back = failed.stage == Stage::Delivery;
            let message = match (back, fail) {
                (true, true) => "events were not delivered and come again",
                (true, false) => "events were not delivered and are lost",
                (false, _) => "events failed",
            };
            self.log(if back { Level::Error } else { Level::Warn }, message, &fields);
        }
        for (reason, count) in &self.books.letters_back {
            let message =
                if fail { "dead letters were not taken: their events come again" } else { "dead letters are lost" };
            self.log(Level::Error, message, &[("reason", reason), ("count", count)]);
        }
        let mut again = outcome::again(&self.books, self.on_failure, came);
        let failed = |number: &u32| again.get(*number as usize).copied().unwrap_or_default();
        // Also of what is lost, as in Bender.
        let keys = self.keys.iter().filter(|(number, _)| failed(number)).map(|(_, key)| &**key);
        self.notice(&keys.collect::<Vec<_>>());
        if !fail {
            again.fill(false);
        }
        let answer = outcome::answer(&self.books, self.on_failure, came, &again, handed_back);
        let delivered_again = self.books.safety.delivered_again(&again);
        (self.whole.handed_back, self.whole.delivered_again) = (handed_back, delivered_again);
        let ledger = std::mem::take(&mut self.books.ledger);
        self.end(Invoked { answer, ledger, handed_back, delivered_again })
    }

    pub(super) fn refuse(self, error: &NotOurs) -> Invoked {
        self.log(Level::Error, "the invocation cannot be read", &[("why", error)]);
        let answer = Err(outcome::Failure { message: error.to_string() });
        self.end(Invoked { answer, ledger: super::Ledger::default(), handed_back: 0, delivered_again: 0 })
    }

    fn end(mut self, invoked: Invoked) -> Invoked {
        let clock = &self.pipeline.ports.clock;
        let now = if self.fixed { self.now_ms } else { clock.now_ms() };
        (self.whole.runtime, self.whole.now_ms) = (clock.monotonic().saturating_sub(self.began), now);
        let report = self.pipeline.report(&self.context, &self.whole, &invoked.ledger);
        let calls = self.pipeline.reporters.iter().flat_map(|reporter| reporter.report(&report)).collect();
        self.tell(calls);
        self.pipeline.trim();
        invoked
    }

    pub(super) fn log(&self, level: Level, message: &str, fields: &[(&'static str, &dyn std::fmt::Display)]) {
        self.pipeline.ports.log.line(level, message, fields);
    }
}
