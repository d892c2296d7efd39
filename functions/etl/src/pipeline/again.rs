//! What of an event goes through again: a dead letter may be about elements of it, or one of several transports.
//!
//! Imports: nothing.

use std::collections::BTreeSet;

/// What of an event goes through again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again<'a> {
    /// Which elements, by their numbers in each split; none: all.
    pub(super) elements: &'a [Vec<u32>],
    /// The name of the only transport, of several.
    pub(super) transport: Option<&'a str>,
}

impl Again<'_> {
    /// Which elements of the one at `path` are wanted; none: all.
    pub(super) fn wanted(&self, path: &[u32]) -> Option<BTreeSet<u32>> {
        let mut wanted = BTreeSet::new();
        for element in self.elements {
            match element.strip_prefix(path) {
                Some([next, ..]) => _ = wanted.insert(*next),
                // It is inside a wanted one, or is one itself.
                Some([]) => return None,
                None if path.starts_with(element) => return None,
                None => {}
            }
        }
        (!self.elements.is_empty()).then_some(wanted)
    }

    /// Whether a transport has what there is to have.
    pub(super) fn passes_by(&self, transport: Option<&str>) -> bool {
        self.transport.is_some() && transport.is_some() && self.transport != transport
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_failed_is_wanted_and_all_that_is_in_it() {
        let elements = [vec![3], vec![5, 1]];
        let again = Again { elements: &elements, transport: None };
        let set = |numbers: &[u32]| Some(numbers.iter().copied().collect::<BTreeSet<_>>());
        assert_eq!(again.wanted(&[]), set(&[3, 5]));
        assert_eq!((again.wanted(&[5]), again.wanted(&[3]), again.wanted(&[3, 9])), (set(&[1]), None, None));
        assert_eq!(again.wanted(&[4]), set(&[]));
        assert_eq!(Again { elements: &[], transport: None }.wanted(&[7]), None);
    }
}
