//! The books of an invocation: what became of every event, and which triggers are safe. Written together, so that they agree.
//!
//! An event that failed is in the ledger by how it failed, whatever becomes of its dead letter; but its trigger is safe only when the
//! letter is taken.
//!
//! Imports: `event`.

use super::{
    ledger::Ledger,
    letters::Letters,
    reply::Reply,
    safety::{Safety, Share},
};
use crate::event::{Outage, Stage};
use std::collections::BTreeMap;

/// The books of an invocation.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) ledger: Ledger,
    pub(super) safety: Safety,
    pub(super) reply: Reply,
    /// Why an event was handed back before it came to the transport.
    pub(super) outage: Option<Outage>,
    /// There are some if the config has a `dead_letter`.
    pub(super) letters: Option<Letters>,
    /// Letters that were not taken, by reason: what they are about comes again.
    pub(super) letters_back: BTreeMap<&'static str, u64>,
}

/// What a delivery delivers.
#[derive(Clone, Debug)]
pub(super) enum Cargo {
    /// Events. `name` is what the transport is called; `several`: whether there are others.
    Events { name: String, several: bool },
    /// Dead letters.
    Letters,
}

impl Books {
    /// The event at hand, or an element of it, cannot be worked on.
    pub(super) fn fail(
        &mut self,
        stage: Stage,
        component: &str,
        reason: &'static str,
        transport: Option<&str>,
        elements: &[u32],
    ) {
        self.ledger.fail(stage, component, reason, 1);
        if let Some(letters) = &mut self.letters {
            letters.failed(stage, component, reason, transport, elements);
        }
    }

    pub(super) fn delivered(&mut self, shares: &[Share], cargo: &Cargo) {
        for share in shares {
            match cargo {
                Cargo::Events { .. } => {
                    self.ledger.delivered += u64::from(share.events);
                    self.safety.delivered(*share);
                    self.letters.iter_mut().for_each(|letters| letters.through(share));
                }
                Cargo::Letters => {
                    self.ledger.dead_lettered += u64::from(share.events);
                    self.safety.settled(*share);
                }
            }
        }
    }

    /// The transport will never take them.
    pub(super) fn refused(&mut self, shares: &[Share], cargo: &Cargo, reason: &'static str) {
        for share in shares {
            // What is not kept any more cannot become a letter: it comes again.
            let (Cargo::Events { name, several }, true) = (cargo, self.letters.is_none() || share.part.is_some())
            else {
                self.hand_back(std::slice::from_ref(share), cargo, reason);
                continue;
            };
            self.ledger.fail(Stage::Transport, name, reason, u64::from(share.events));
            self.letters.iter_mut().for_each(|letters| letters.refused(share, name, *several, reason));
            self.safety.settled(*share);
            self.safety.fail(share.trigger);
        }
    }

    /// The transport has them, but may refuse them at the end all the same. They are not kept for letters until then.
    pub(super) fn held(&mut self, shares: &mut [Share]) {
        let Some(letters) = &mut self.letters else { return };
        for share in shares {
            letters.through(share);
            share.part = None;
        }
    }

    /// An operation could not work on an event of the trigger now: it comes again.
    pub(super) fn hand_back_event(&mut self, trigger: u32, component: &str, reason: &'static str) {
        self.ledger.fail(Stage::Delivery, component, reason, 1);
        self.safety.handed_back(trigger);
    }

    /// The transport did not take them, and they come again with their trigger.
    pub(super) fn hand_back(&mut self, shares: &[Share], cargo: &Cargo, reason: &'static str) {
        for share in shares {
            match cargo {
                Cargo::Events { name, several } => {
                    self.ledger.fail(Stage::Delivery, name, reason, u64::from(share.events));
                    self.letters.iter_mut().for_each(|letters| letters.undelivered(share, name, *several, reason));
                }
                Cargo::Letters => *self.letters_back.entry(reason).or_default() += u64::from(share.events),
            }
            self.safety.handed_back(share.trigger);
        }
    }
}
