//! The records of an invocation, found without reading all of its JSON.
//!
//! Lambda writes thousands of records in one way: what lies between the few values that differ is the same text each time. The first
//! record is read as JSON, and what is around its values becomes a [`Form`]; each further record is held against the forms there are,
//! which takes a tenth of the time. A record that fits none is read as JSON too. What is left is forty bytes a record, and no more than
//! one trigger at a time is made of them.
//!
//! Imports: `event`, `handlers`.

use super::{Record, Shard};
use crate::{
    event::{Facts, OriginKind},
    handlers::{Body, OneByOne, Trigger, millis},
};
use serde::Deserialize;
use serde_json::{Deserializer, value::RawValue};
use std::{borrow::Cow, ops::Range, sync::Arc};

/// An invocation with more forms than this is of no use to us: it is read in another way.
const MOST_FORMS: usize = 16;

/// A value that each record has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Key,
    Sequence,
    Data,
    Arrival,
    /// The part of the event's id behind the shard's.
    Id,
}

const SLOTS: usize = 5;

/// What records have in common.
#[derive(Debug)]
struct Form<'j> {
    /// The text before each slot, in order.
    before: [(&'j str, Slot); SLOTS],
    /// And behind the last one.
    behind: &'j str,
    stream_arn: &'j str,
    shard: Shard,
}

/// Where a record has its values.
#[derive(Clone, Debug)]
struct Spot {
    form: usize,
    key: Range<u32>,
    sequence: Range<u32>,
    data: Range<u32>,
    arrival_ms: i64,
}

/// The records of one invocation.
#[derive(Debug)]
pub(super) struct Records<'j> {
    text: &'j str,
    forms: Vec<Form<'j>>,
    spots: Vec<Spot>,
    gzip: bool,
    partition: bool,
}

impl<'j> Records<'j> {
    /// The records of an invocation. None if anything about it is unusual. `partition`: whether the shard is one.
    pub(super) fn find(text: &'j str, gzip: bool, partition: bool) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let mut at = text.starts_with("{\"Records\":[{").then_some(12)?;
        let mut records = Self { text, forms: vec![], spots: vec![], gzip, partition };
        loop {
            at = records.record(at)?;
            match text.as_bytes().get(at)? {
                b',' => at += 1,
                _ => return (text.get(at..)?.trim_ascii_end() == "]}").then_some(records),
            }
        }
    }

    /// Finds the record at `at`, and where it ends.
    fn record(&mut self, at: usize) -> Option<usize> {
        let last = self.spots.last().map_or(0, |spot| spot.form);
        // Mostly that of the record before.
        let others = (0..self.forms.len()).filter(|form| *form != last);
        let found = std::iter::once(last).chain(others).find_map(|form| self.fit(form, at));
        let (spot, end) = match found {
            Some(found) => found,
            None if self.forms.len() < MOST_FORMS => {
                self.forms.push(Form::of(self.text.get(at..)?)?);
                self.fit(self.forms.len() - 1, at)?
            }
            None => return None,
        };
        self.spots.push(spot);
        Some(end)
    }

    fn fit(&self, number: usize, at: usize) -> Option<(Spot, usize)> {
        let form = self.forms.get(number)?;
        let mut spot = Spot { form: number, key: 0..0, sequence: 0..0, data: 0..0, arrival_ms: 0 };
        let mut at = at;
        for (before, slot) in form.before {
            let rest = self.text.get(at..)?.strip_prefix(before)?;
            at += before.len();
            let length = match slot {
                Slot::Arrival => memchr::memchr2(b',', b'}', rest.as_bytes())?,
                _ => memchr::memchr2(b'"', b'\\', rest.as_bytes())?,
            };
            let (value, after) = rest.split_at_checked(length)?;
            let place = u32::try_from(at).ok()?..u32::try_from(at + length).ok()?;
            at += length;
            match slot {
                Slot::Arrival => spot.arrival_ms = time(value)?,
                // A `\`, or what JSON does not allow. In data it is not base64.
                _ if !after.starts_with('"') => return None,
                Slot::Data => spot.data = place,
                _ if value.bytes().any(|byte| byte < b' ') => return None,
                Slot::Key => spot.key = place,
                Slot::Sequence => spot.sequence = place,
                Slot::Id => {}
            }
        }
        self.text.get(at..)?.starts_with(form.behind).then_some((spot, at + form.behind.len()))
    }

    fn at(&self, place: &Range<u32>) -> &'j str {
        self.text.get(place.start as usize..place.end as usize).unwrap_or_default()
    }
}

/// Milliseconds of a time in seconds, which is a number as JSON has it.
fn time(seconds: &str) -> Option<i64> {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "000"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || whole.len() > 1 && whole.starts_with('0') {
        return None;
    }
    if whole.len() > 12 || fraction.len() > 3 {
        return Some(millis(Some(seconds.parse().ok()?)));
    }
    let fraction: i64 = fraction.parse::<i64>().ok()? * [1000, 100, 10, 1].get(fraction.len())?;
    Some(whole.parse::<i64>().ok()? * 1000 + fraction)
}

/// What `Record` does not say: how the time of arrival is written.
#[derive(Deserialize)]
struct Timed<'j> {
    #[serde(borrow)]
    kinesis: Arrival<'j>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Arrival<'j> {
    #[serde(borrow)]
    approximate_arrival_timestamp: &'j RawValue,
}

impl<'j> Form<'j> {
    /// The form of the record that `text` begins with.
    fn of(text: &'j str) -> Option<Self> {
        let mut json = Deserializer::from_str(text).into_iter::<Record<'j>>();
        let record = json.next()?.ok()?;
        let end = json.byte_offset();
        let timed: Timed<'j> = serde_json::from_str(text.get(..end)?).ok()?;
        let [arn, id, key, sequence, data] = [
            record.event_source_arn,
            record.event_id,
            record.stream.partition_key,
            record.stream.sequence_number,
            record.stream.data,
        ]
        .map(|text| match text?.0 {
            Cow::Borrowed(text) => Some(text),
            Cow::Owned(_) => None,
        });
        let stream_arn = arn?;
        let (shard, id) = id?.split_once(':')?;
        let mut slots = [
            (place(text, key?)?, Slot::Key),
            (place(text, sequence?)?, Slot::Sequence),
            (place(text, data?)?, Slot::Data),
            (place(text, timed.kinesis.approximate_arrival_timestamp.get())?, Slot::Arrival),
            (place(text, id)?, Slot::Id),
        ];
        slots.sort_by_key(|(place, _)| place.start);
        let mut from = 0;
        let mut before = [("", Slot::Key); SLOTS];
        for ((place, slot), before) in slots.into_iter().zip(&mut before) {
            *before = (text.get(from..place.start)?, slot);
            from = place.end;
        }
        let mut common = Shard::default();
        common.choose(
            stream_arn,
            record.aws_region.as_ref().map(|region| &*region.0),
            Some(shard),
            record.event_source.as_ref().map(|source| &*source.0),
        );
        Some(Self { before, behind: text.get(from..end)?, stream_arn, shard: common })
    }
}

/// Where a part of a text is in it.
fn place(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let place = start..start + part.len();
    (text.get(place.clone()) == Some(part)).then_some(place)
}

impl<'j> OneByOne<'j> for Records<'j> {
    fn len(&self) -> usize {
        self.spots.len()
    }

    fn id(&self, number: usize) -> Option<&'j str> {
        Some(self.at(&self.spots.get(number)?.sequence))
    }

    fn trigger(&self, number: usize, spent: Facts) -> Option<Trigger<'j>> {
        let spot = self.spots.get(number)?;
        let form = self.forms.get(spot.form)?;
        let (sequence, key) = (self.at(&spot.sequence), self.at(&spot.key));
        let mut facts = Facts { arrival_ms: spot.arrival_ms, offset: 0, ..spent };
        match &mut facts.origin.kind {
            OriginKind::Kinesis(origin)
                if Arc::ptr_eq(&origin.stream_arn, &form.shard.arn)
                    && Arc::ptr_eq(&origin.shard_id, &form.shard.id) =>
            {
                // Of the same form, or one that says the same: only what is the record's own is written anew.
                origin.sequence_number.clear();
                origin.sequence_number.push_str(sequence);
                origin.sub_sequence = None;
                let own = origin.partition_key.get_or_insert_default();
                own.clear();
                own.push_str(key);
            }
            _ => facts.origin = form.shard.origin(sequence.to_owned(), Some(key.to_owned()), self.partition),
        }
        let body = Body::Base64 { text: Cow::Borrowed(self.at(&spot.data)), gzip: self.gzip, aggregates: true };
        Some(Trigger { id: Cow::Borrowed(sequence), facts, source: Cow::Borrowed(form.stream_arn), group: None, body })
    }
}
