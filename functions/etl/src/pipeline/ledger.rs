//! What became of every event of an invocation.
//!
//! **The law**: received + born = delivered + dropped + failed. An object that cannot be read at all, and a trigger with nothing to
//! read, count as one received.
//!
//! Imports: `event`.

use crate::event::Stage;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeMap};

/// What became of every event of an invocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Records and lines that came.
    pub received: u64,
    /// Events that splits made, and copies for further transports, beyond the ones that they were made of.
    pub born: u64,
    /// Events that the far side has.
    pub delivered: u64,
    /// Events that are not wanted, by reason.
    pub dropped: BTreeMap<Cow<'static, str>, u64>,
    /// Events that could not be worked on (they are faults), and with the stage `delivery` those that the far side did not take:
    /// they are handed back to the trigger.
    pub failed: Vec<Failed>,
    /// Dead letters that the far side has. They are about events that are counted as failed, or elements of one: not part of the law.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dead_lettered: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Events that failed in one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Where in the pipeline.
    pub stage: Stage,
    /// The component's name; of one of several transports: the name that the config gives it.
    pub component: Cow<'static, str>,
    /// Why.
    pub reason: Cow<'static, str>,
    /// How many.
    pub count: u64,
}

impl Ledger {
    pub(crate) fn drop_event(&mut self, reason: &'static str) {
        *self.dropped.entry(Cow::Borrowed(reason)).or_default() += 1;
    }

    pub(crate) fn fail(&mut self, stage: Stage, component: &str, reason: &'static str, count: u64) {
        let same =
            |failed: &&mut Failed| failed.stage == stage && failed.component == component && failed.reason == reason;
        match self.failed.iter_mut().find(same) {
            Some(failed) => failed.count += count,
            None => {
                self.failed.push(Failed {
                    stage,
                    component: component.to_owned().into(),
                    reason: reason.into(),
                    count,
                });
            }
        }
    }

    /// Brings it into its order.
    pub(crate) fn sort(&mut self) {
        self.failed.sort_by(|a, b| (a.stage, &a.component, &a.reason).cmp(&(b.stage, &b.component, &b.reason)));
    }

    /// How many were dropped, for whatever reason.
    pub fn all_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// How many failed, in whatever way.
    pub fn all_failed(&self) -> u64 {
        self.failed.iter().map(|failed| failed.count).sum()
    }

    /// How many the far side did not take.
    pub fn handed_back(&self) -> u64 {
        self.failed.iter().filter(|failed| failed.stage == Stage::Delivery).map(|failed| failed.count).sum()
    }

    /// Whether every event is accounted for.
    pub fn balances(&self) -> bool {
        self.received + self.born == self.delivered + self.all_dropped() + self.all_failed()
    }
}
