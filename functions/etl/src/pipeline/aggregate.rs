//! Aggregates of the Kinesis Producer Library: many user records in one record of the stream.
//!
//! Four bytes that say so, a protobuf message, its MD5. What only looks like one is none: then the record is one event. The message is
//! `AggregatedRecord` of AWS's *KPL Aggregated Record Format*; its explicit hash keys say nothing about events and are passed over.
//!
//! Imports: nothing.

use md5::{Digest as _, Md5};

const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];
const DIGEST_BYTES: usize = 16;

/// A record as the producer gave it to the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UserRecord<'b> {
    pub(super) partition_key: Option<&'b str>,
    pub(super) data: &'b [u8],
}

/// Whether it may be one, by its first bytes.
pub(super) fn may_be(record: &[u8]) -> bool {
    record.starts_with(&MAGIC)
}

/// The user records of an aggregate; none if it is no aggregate.
pub(super) fn read(record: &[u8]) -> Option<Vec<UserRecord<'_>>> {
    let rest = record.strip_prefix(&MAGIC)?;
    let (message, digest) = rest.split_at_checked(rest.len().checked_sub(DIGEST_BYTES)?)?;
    if *Md5::digest(message) != *digest {
        return None;
    }
    let (mut keys, mut records) = (vec![], vec![]);
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Bytes(key)) => keys.push(str::from_utf8(key).ok()),
            (3, Value::Bytes(record)) => records.push(user_record(record)?),
            _ => {}
        }
    }
    // A key may stand behind the records that have it.
    let key = |index: u64| keys.get(usize::try_from(index).ok()?).copied().flatten();
    Some(records.into_iter().map(|(index, data)| UserRecord { partition_key: key(index), data }).collect())
}

/// The number of its key, and its data.
fn user_record(message: &[u8]) -> Option<(u64, &[u8])> {
    let (mut index, mut data) = (0, &[][..]);
    let mut fields = Fields(message);
    while let Some((number, value)) = fields.next()? {
        match (number, value) {
            (1, Value::Number(number)) => index = number,
            (3, Value::Bytes(bytes)) => data = bytes,
            _ => {}
        }
    }
    Some((index, data))
}

/// The fields of a protobuf message.
struct Fields<'b>(&'b [u8]);

enum Value<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Of a kind that no field of ours has.
    Other,
}

impl<'b> Fields<'b> {
    /// The next field with its number: `Some(None)` at the end, `None` when it is no protobuf.
    #[expect(clippy::option_option, reason = "the end is no error")]
    fn next(&mut self) -> Option<Option<(u64, Value<'b>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        Some(Some((tag >> 3, value)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        [&MAGIC[..], message, &Md5::digest(message)[..]].concat()
    }

    /// Two keys, and records of both, the second without a key's number.
    const MESSAGE: &[u8] = b"\x0a\x01k\x0a\x03l\xc3\xa9\x1a\x06\x08\x01\x1a\x02hi\x1a\x04\x1a\x02yo";

    #[test]
    fn user_records_have_their_keys_and_data() {
        let aggregate = framed(MESSAGE);
        let records = read(&aggregate).unwrap();
        let expected = [(Some("lé"), &b"hi"[..]), (Some("k"), b"yo")];
        assert_eq!(records.iter().map(|r| (r.partition_key, r.data)).collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn whatever_is_no_aggregate_is_said_to_be_none(message in prop::collection::vec(any::<u8>(), 0..60), at in any::<usize>()) {
            let mut aggregate = framed(&message);
            let _ = read(&aggregate);
            let at = at % aggregate.len();
            aggregate[at] ^= 1;
            prop_assert_eq!(read(&aggregate), None, "every byte counts");
        }
    }
}
