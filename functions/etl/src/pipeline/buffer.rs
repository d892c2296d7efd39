//! Events on their way out: how they are gathered until a transport takes them.
//!
//! A batch belongs to one partition. It is full when the next event would not fit the transport's [`Limits`]; nothing waits on a
//! clock, because a function that waits is billed for waiting.
//!
//! Not here: the bound on all of them together, calls and retries (see [`super::delivery`]).
//!
//! Imports: `transports`.

use super::{letters::Part, safety::Share};
use crate::transports::Limits;

/// Framed events of one partition.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Where each unit ends.
    pub(super) ends: Vec<usize>,
    /// Whose events they are, in order.
    pub(super) shares: Vec<Share>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether an event of this size still fits.
    pub(super) fn fits(&self, event: usize, limits: &Limits) -> bool {
        self.bytes.len() + event <= limits.bytes && (self.packs(event, limits) || self.ends.len() < limits.units)
    }

    /// Whether it fits into the unit that was begun last.
    fn packs(&self, event: usize, limits: &Limits) -> bool {
        let [.., _] = self.ends[..] else { return false };
        let begin = self.ends.len().checked_sub(2).and_then(|at| self.ends.get(at)).copied().unwrap_or_default();
        self.bytes.len() - begin + event <= limits.unit_bytes
    }

    pub(super) fn push(&mut self, event: &[u8], trigger: u32, part: Option<Part>, limits: &Limits) {
        if self.packs(event.len(), limits) {
            self.ends.pop();
        }
        self.bytes.extend_from_slice(event);
        self.ends.push(self.bytes.len());
        let unit = u32::try_from(self.ends.len() - 1).unwrap_or(u32::MAX);
        match self.shares.last_mut() {
            Some(last) if last.unit == unit && last.trigger == trigger && part.or(last.part).is_none() => {
                last.events += 1;
            }
            _ => self.shares.push(Share { unit, trigger, events: 1, part }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(limits: &Limits, events: &[&str]) -> Vec<Vec<String>> {
        let mut batches = vec![Batch::default()];
        for event in events {
            if !batches.last().unwrap().fits(event.len(), limits) {
                batches.push(Batch::default());
            }
            batches.last_mut().unwrap().push(event.as_bytes(), 0, None, limits);
        }
        let units = |batch: &Batch| {
            let mut from = 0;
            let unit = |&end: &usize| {
                let unit = &batch.bytes[std::mem::replace(&mut from, end)..end];
                String::from_utf8(unit.to_vec()).unwrap()
            };
            batch.ends.iter().map(unit).collect()
        };
        batches.iter().map(units).collect()
    }

    #[test]
    fn each_event_is_a_unit_of_its_own_unless_units_are_packed() {
        let limits = Limits { units: 2, ..Limits::default() };
        assert_eq!(filled(&limits, &["a", "b", "c"]), [vec!["a", "b"], vec!["c"]]);
    }

    #[test]
    fn packed_units_and_batches_keep_their_sizes() {
        let limits = Limits { unit_bytes: 4, units: 2, bytes: 7, ..Limits::default() };
        assert_eq!(filled(&limits, &["aa", "bb", "cc", "dd", "e"]), [vec!["aabb", "cc"], vec!["dde"]]);
    }

    #[test]
    fn shares_tell_whose_events_are_in_which_unit() {
        let limits = Limits { unit_bytes: 2, ..Limits::default() };
        let mut batch = Batch::default();
        for trigger in [7, 7, 7, 8] {
            batch.push(b"x", trigger, None, &limits);
        }
        let shares: Vec<_> = batch.shares.iter().map(|s| (s.unit, s.trigger, s.events)).collect();
        assert_eq!(shares, [(0, 7, 2), (1, 7, 1), (1, 8, 1)]);
    }
}
