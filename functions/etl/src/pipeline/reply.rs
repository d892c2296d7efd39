//! Records that go back in the answer to Lambda: what is made of each, kept until the invocation ends.
//!
//! A record is answered as a whole: what failed of it makes all of it fail, as the trigger then keeps it as it was.
//!
//! Imports: `event`, `handlers`.

use super::{
    books::{Books, Cargo},
    safety::Share,
};
use crate::{
    event::{Facts, Stage},
    handlers::Trigger,
};
use base64_simd::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What Lambda takes as an answer, with some room for what stands around the records.
const ANSWER_BYTES: usize = (6 << 20) - 1024;
/// What an answer says of a record beside its id, data and keys.
const RECORD_BYTES: usize = 110;

const FULL: &str = "the answer is full";
const OTHER_KEYS: &str = "another event of the record has other partitions";
const NOT_ALONE: &str = "something else of its record failed";

/// What goes back.
#[derive(Debug, Default)]
pub(super) struct Reply {
    records: BTreeMap<u32, Record>,
    /// Bytes of the answer that are taken already.
    bytes: usize,
    /// The name of the transport that is the answer.
    transport: String,
}

#[derive(Debug)]
struct Record {
    data: Vec<u8>,
    keys: Map<String, Value>,
    events: u64,
}

impl Reply {
    /// Leaves room for an answer about each record.
    pub(super) fn begin(&mut self, triggers: &[Trigger<'_>]) {
        self.bytes = triggers.iter().map(|trigger| RECORD_BYTES + 2 * trigger.id.len()).sum();
    }

    fn push(&mut self, event: &[u8], facts: &Facts, trigger: u32) -> Result<(), &'static str> {
        let keys: Map<_, _> =
            facts.partitions().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
        let room = ANSWER_BYTES.saturating_sub(self.bytes);
        let coded = STANDARD.encoded_length(event.len().saturating_add(3));
        let Some(record) = self.records.get_mut(&trigger) else {
            let bytes = coded + Value::from(keys.clone()).to_string().len();
            if bytes > room {
                return Err(FULL);
            }
            self.bytes += bytes;
            self.records.insert(trigger, Record { data: event.to_vec(), keys, events: 1 });
            return Ok(());
        };
        if record.keys != keys {
            return Err(OTHER_KEYS);
        }
        if coded > room {
            return Err(FULL);
        }
        self.bytes += coded;
        if !record.data.ends_with(b"\n") {
            record.data.push(b'\n');
        }
        record.data.extend_from_slice(event);
        record.events += 1;
        Ok(())
    }

    /// The answer. `failed`: of each record, whether anything of it failed.
    pub(super) fn answer(&self, triggers: &[Trigger<'_>], failed: impl Iterator<Item = bool>) -> Value {
        let record = |((number, trigger), failed): ((u32, &Trigger<'_>), bool)| match self.records.get(&number) {
            _ if failed => json!({ "recordId": trigger.id, "result": "ProcessingFailed" }),
            None => json!({ "recordId": trigger.id, "result": "Dropped" }),
            Some(Record { data, keys, .. }) => {
                let data = STANDARD.encode_to_string(data);
                let mut answer = json!({ "recordId": trigger.id, "result": "Ok", "data": data });
                if !keys.is_empty() {
                    answer["metadata"] = json!({ "partitionKeys": keys });
                }
                answer
            }
        };
        json!({ "records": (0..).zip(triggers).zip(failed).map(record).collect::<Vec<_>>() })
    }
}

impl Books {
    /// An event goes back in the answer about its record.
    pub(super) fn answer_with(&mut self, event: &[u8], facts: &Facts, share: Share, cargo: &Cargo) {
        match self.reply.push(event, facts, share.trigger) {
            Ok(()) => self.delivered(&[share], cargo),
            Err(reason) => self.refused(&[share], cargo, reason),
        }
        if let (Cargo::Events { name, .. }, "") = (cargo, &*self.reply.transport) {
            name.clone_into(&mut self.reply.transport);
        }
    }

    /// What was to go back in a record of which something failed does not go back.
    pub(super) fn settle_reply(&mut self) {
        let failed: Vec<bool> = self.safety.failed().collect();
        let is_failed = |number: &u32| failed.get(*number as usize).copied().unwrap_or_default();
        for (number, record) in self.reply.records.extract_if(.., |number, _| is_failed(number)) {
            self.ledger.delivered -= record.events.min(self.ledger.delivered);
            self.ledger.fail(Stage::Transport, &self.reply.transport, NOT_ALONE, record.events);
            self.safety.taken_back(number, record.events);
        }
    }
}
