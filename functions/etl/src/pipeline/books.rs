//! The books of an invocation: what became of every event, and which triggers are safe. Written together, so that they agree.
//!
//! Imports: `event`.

use super::{
    ledger::Ledger,
    safety::{Safety, Share},
};
use crate::event::{Outage, Stage};

/// The books of an invocation.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) ledger: Ledger,
    pub(super) safety: Safety,
    /// Why an event was handed back before it came to the transport.
    pub(super) outage: Option<Outage>,
}

impl Books {
    pub(super) fn delivered(&mut self, shares: &[Share]) {
        for share in shares {
            self.ledger.delivered += u64::from(share.events);
            self.safety.delivered(*share);
        }
    }

    /// The transport of this name will never take them.
    pub(super) fn refused(&mut self, shares: &[Share], transport: &str, reason: &'static str) {
        for share in shares {
            self.ledger.fail(Stage::Transport, transport, reason, u64::from(share.events));
            self.safety.settled(*share);
        }
    }

    /// They come again with their trigger: the transport of this name did not take them, or an operation could not work on them now.
    pub(super) fn hand_back(&mut self, shares: &[Share], component: &str, reason: &'static str) {
        for share in shares {
            self.ledger.fail(Stage::Delivery, component, reason, u64::from(share.events));
            self.safety.handed_back(share.trigger);
        }
    }
}
