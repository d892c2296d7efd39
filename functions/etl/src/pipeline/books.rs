//! The books of an invocation: what became of every event, and which triggers are safe. Written together, so that they agree.
//!
//! Imports: `event`.

use super::{
    ledger::Ledger,
    safety::{Safety, Share},
};
use crate::event::Stage;

/// The books of an invocation.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) ledger: Ledger,
    pub(super) safety: Safety,
}

impl Books {
    pub(super) fn delivered(&mut self, shares: &[Share]) {
        for share in shares {
            self.ledger.delivered += u64::from(share.events);
            self.safety.delivered(*share);
        }
    }

    /// They can never be delivered.
    pub(super) fn fail(&mut self, shares: &[Share], stage: Stage, component: &'static str, reason: &'static str) {
        for share in shares {
            self.ledger.fail(stage, component, reason, u64::from(share.events));
            self.safety.settled(*share);
        }
    }

    /// They were not taken, and come again with their trigger.
    pub(super) fn hand_back(&mut self, shares: &[Share], component: &'static str, reason: &'static str) {
        for share in shares {
            self.ledger.fail(Stage::Delivery, component, reason, u64::from(share.events));
            self.safety.handed_back(share.trigger);
        }
    }
}
