//! Which triggers are safe: all that came of them is delivered, dropped or failed for good, and need not come again.
//!
//! Imports: nothing.

use super::letters::Part;

/// Events of one trigger in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Number of the unit in its batch.
    pub(super) unit: u32,
    /// Number of the trigger in its invocation.
    pub(super) trigger: u32,
    /// How many events.
    pub(super) events: u32,
    /// What is kept for a dead letter, if there may be one.
    pub(super) part: Option<Part>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Trigger {
    /// Events on their way.
    pending: u64,
    delivered: u64,
    /// Something of it must come again.
    handed_back: bool,
    /// Something of it failed for good.
    failed: bool,
}

/// The triggers of an invocation.
#[derive(Debug, Default)]
pub(super) struct Safety {
    triggers: Vec<Trigger>,
}

impl Safety {
    /// A trigger begins. Its number.
    pub(super) fn begin(&mut self) -> u32 {
        self.triggers.push(Trigger::default());
        u32::try_from(self.triggers.len() - 1).unwrap_or(u32::MAX)
    }

    pub(super) fn pending(&mut self, trigger: u32) {
        self.with(trigger, |trigger| trigger.pending += 1);
    }

    pub(super) fn delivered(&mut self, share: Share) {
        self.with(share.trigger, |trigger| {
            trigger.pending -= u64::from(share.events).min(trigger.pending);
            trigger.delivered += u64::from(share.events);
        });
    }

    /// They failed for good: nobody waits for them.
    pub(super) fn settled(&mut self, share: Share) {
        self.with(share.trigger, |trigger| trigger.pending -= u64::from(share.events).min(trigger.pending));
    }

    /// Something of a trigger failed for good.
    pub(super) fn fail(&mut self, trigger: u32) {
        self.with(trigger, |trigger| trigger.failed = true);
    }

    /// Of each trigger, whether it cannot be answered for as a whole.
    pub(super) fn failed(&self) -> impl Iterator<Item = bool> {
        self.triggers.iter().map(|trigger| trigger.failed || trigger.handed_back)
    }

    /// Events that were delivered are not, after all.
    pub(super) fn taken_back(&mut self, trigger: u32, events: u64) {
        self.with(trigger, |trigger| trigger.delivered -= events.min(trigger.delivered));
    }

    pub(super) fn handed_back(&mut self, trigger: u32) {
        self.with(trigger, |trigger| trigger.handed_back = true);
    }

    pub(super) fn all_handed_back(&mut self) {
        self.triggers.iter_mut().for_each(|trigger| trigger.handed_back = true);
    }

    /// Of each trigger, whether it must come again.
    pub(super) fn flags(&self) -> impl Iterator<Item = bool> {
        self.triggers.iter().map(|trigger| trigger.handed_back || trigger.pending > 0)
    }

    /// Events that are delivered although their trigger comes again.
    pub(super) fn delivered_again(&self, again: &[bool]) -> u64 {
        let both = self.triggers.iter().zip(again);
        both.filter(|(_, again)| **again).map(|(trigger, _)| trigger.delivered).sum()
    }

    fn with(&mut self, trigger: u32, change: impl FnOnce(&mut Trigger)) {
        if let Some(trigger) = self.triggers.get_mut(trigger as usize) {
            change(trigger);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_is_safe_when_all_that_came_of_it_is() {
        let mut safety = Safety::default();
        let [a, b, c] = [(); 3].map(|()| safety.begin());
        for trigger in [a, b, b, c] {
            safety.pending(trigger);
        }
        let share = |trigger, events| Share { unit: 0, trigger, events, part: None };
        safety.delivered(share(a, 1));
        safety.delivered(share(b, 1));
        safety.delivered(share(c, 1));
        assert_eq!(safety.flags().collect::<Vec<_>>(), [false, true, false]);
        assert_eq!(safety.delivered_again(&[false, true, true]), 2);
        safety.settled(share(b, 1));
        assert!(safety.flags().all(|again| !again));
    }
}
