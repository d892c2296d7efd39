//! How what a trigger holds becomes events: decoded, inflated, and taken out of what many are packed in.
//!
//! Imports: `event`, `handlers`, `payload`, `ports`.

use super::{
    Pipeline, Run, aggregate,
    inflate::{Format, Inflate, Stop},
    lines::TOO_LONG,
    log_message::{self, LogEvent, LogMessage},
};
use crate::{
    event::{Facts, Fault, LogOrigin, OriginKind},
    handlers::{Body, LogPayload, Trigger},
    ports::{Object, ObjectError, Opening},
};
use std::{mem, time::Duration};

/// How often an object is tried to be opened, and the wait before the second time.
const OPENINGS: u32 = 3;
const OPENING_DELAY: Duration = Duration::from_millis(100);

const NOT_BASE64: Fault = Fault::new("not base64");
const EMPTY_AGGREGATE: &str = "empty aggregate";
const CONTROL_MESSAGE: &str = "control message";
const NO_LOG_EVENTS: &str = "no log events";

/// Appends what a text in base64 says.
fn decode(text: &str, out: &mut Vec<u8>) -> Result<(), Fault> {
    base64_simd::STANDARD.decode_append(text.as_bytes(), out).map(drop).map_err(|_| NOT_BASE64)
}

/// Appends what is in gzip, `max` bytes at most.
fn inflate(bytes: &[u8], max: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    match Inflate::new(bytes, Format::Gzip).fill(out, max) {
        Ok(false) => Ok(()),
        Ok(true) => Err(TOO_LONG),
        Err(Stop::Fault(fault)) => Err(fault),
        // Memory does not fail to be read.
        Err(Stop::Outage(_)) => Err(NOT_BASE64),
    }
}

impl Run<'_> {
    /// A record in base64, perhaps gzip, perhaps an aggregate of several, each of which is gzip then.
    pub(super) fn packed(
        &mut self,
        text: &str,
        gzip: bool,
        aggregates: bool,
        number: u32,
        source: usize,
        facts: &mut Facts,
    ) {
        let Pipeline { arena, decoded, .. } = &mut *self.pipeline;
        decoded.clear();
        let done = if gzip { decode(text, decoded) } else { arena.load(|out| decode(text, out)) };
        if let Err(fault) = done {
            return self.fault(fault, facts, number);
        }
        let bytes = if gzip { &decoded[..] } else { arena.loaded() };
        if aggregates && aggregate::may_be(bytes) {
            let bytes = bytes.to_vec();
            if let Some(records) = aggregate::read(&bytes) {
                return self.user_records(&records, gzip, number, source, facts);
            }
        }
        let Pipeline { arena, decoded, bounds, .. } = &mut *self.pipeline;
        if gzip && let Err(fault) = arena.load(|out| inflate(decoded, bounds.event_bytes, out)) {
            return self.fault(fault, facts, number);
        }
        self.loaded(number, source, facts);
    }

    /// Each record of an aggregate is one event.
    fn user_records(
        &mut self,
        records: &[aggregate::UserRecord<'_>],
        gzip: bool,
        number: u32,
        source: usize,
        facts: &mut Facts,
    ) {
        if records.is_empty() {
            return self.drop_input(EMPTY_AGGREGATE);
        }
        for (sub_sequence, record) in (0..).zip(records) {
            if let OriginKind::Kinesis(origin) = &mut facts.origin.kind {
                origin.sub_sequence = Some(sub_sequence);
                origin.partition_key = record.partition_key.map(str::to_owned);
            }
            let Pipeline { arena, bounds, .. } = &mut *self.pipeline;
            if !gzip {
                arena.load_slice(record.data);
            } else if let Err(fault) = arena.load(|out| inflate(record.data, bounds.event_bytes, out)) {
                self.fault(fault, facts, number);
                continue;
            }
            self.loaded(number, source, facts);
        }
    }

    /// A message of CloudWatch Logs: each of its events is one event, of its log group's source.
    pub(super) fn log_message(&mut self, text: &str, payload: LogPayload, trigger: &mut Trigger<'_>, number: u32) {
        let mut decoded = mem::take(&mut self.pipeline.decoded);
        decoded.clear();
        let mut bytes = vec![];
        let max = self.pipeline.bounds.event_bytes;
        let done = decode(text, &mut decoded).and_then(|()| inflate(&decoded, max, &mut bytes));
        self.pipeline.decoded = decoded;
        match done.and_then(|()| LogMessage::read(&bytes)) {
            Err(fault) => self.fault(fault, &trigger.facts, number),
            Ok(message) if message.is_control() => self.drop_input(CONTROL_MESSAGE),
            Ok(message) if message.log_events.is_empty() => self.drop_input(NO_LOG_EVENTS),
            Ok(message) => self.log_events(&message, payload, trigger, number),
        }
    }

    fn log_events(&mut self, message: &LogMessage<'_>, payload: LogPayload, trigger: &mut Trigger<'_>, number: u32) {
        let by = match &*trigger.source {
            "" => self.context.invoked_function_arn.as_deref().unwrap_or_default(),
            stream => stream,
        };
        trigger.source = message.source(by, &self.pipeline.environment.region).into();
        let Some(source) = self.choose(trigger, number, false) else {
            // Each of them is dropped, the first by the choice already.
            return (1..message.log_events.len()).for_each(|_| self.drop_input(super::run::NO_SOURCE));
        };
        let mut facts = mem::take(&mut trigger.facts);
        facts.origin.region = super::log_message::region(&trigger.source).into();
        let members = message.members();
        let [owner, log_group, log_stream] =
            [&message.owner, &message.log_group, &message.log_stream].map(|text| (&*text.0).into());
        let origin = LogOrigin { owner, log_group, log_stream, event_id: String::new() };
        for raw in &message.log_events {
            let event = match LogEvent::read(raw) {
                Ok(event) => event,
                Err(fault) => {
                    self.fault(fault, &facts, number);
                    continue;
                }
            };
            facts.arrival_ms = event.timestamp;
            facts.origin.kind = OriginKind::Logs(LogOrigin { event_id: event.id.0.into_owned(), ..origin.clone() });
            self.complete(&mut facts);
            self.pipeline.arena.load(|out| match payload {
                LogPayload::Event => log_message::write(raw, &members, out),
                LogPayload::Message => out.extend_from_slice(event.message.0.as_bytes()),
            });
            self.loaded(number, source, &mut facts);
        }
    }

    /// Begins to fetch a trigger's object, if it is one that is likely to be read.
    pub(super) fn ahead(&mut self, trigger: &Trigger<'_>) -> Option<Opening> {
        let Body::Object { bucket, key, version_id } = &trigger.body else { return None };
        let Pipeline { choice, sources, exits, ports, .. } = &mut *self.pipeline;
        let wanted = exits.stopped().is_none() && choice.choose(sources, &trigger.source).is_some();
        wanted.then(|| ports.objects.ahead(bucket, key, version_id.as_deref())).flatten()
    }

    pub(super) fn open(&mut self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<Object, ObjectError> {
        let mut ahead = self.opening.take();
        let ports = &self.pipeline.ports;
        let mut open = || match ahead.take() {
            Some(opening) => opening.wait(),
            None => ports.objects.open(bucket, key, version_id),
        };
        let mut delay = OPENING_DELAY;
        for _ in 1..OPENINGS {
            match open() {
                Err(ObjectError::Outage(_)) => {}
                done => return done,
            }
            ports.clock.sleep(delay);
            delay *= 2;
        }
        open()
    }
}
