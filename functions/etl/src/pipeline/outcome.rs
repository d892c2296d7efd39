//! What an invocation came to: the answer to Lambda, and how it is found.
//!
//! Imports: `handlers`, `ports`.

use super::{Ledger, books::Books};
use crate::handlers::{OnFailure, OneByOne, Trigger};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// An invocation that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Invoked {
    /// What Lambda is answered; an error makes the invocation fail, and Lambda repeat it by its trigger's rules.
    pub answer: Result<Value, Failure>,
    /// What became of every event.
    pub ledger: Ledger,
    /// Events that come again with their trigger (or are lost, if `fail_on_exception` is false).
    pub handed_back: u64,
    /// Events that are delivered already and come again all the same, since their trigger does.
    pub delivered_again: u64,
}

/// An invocation that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What for. Without content of events.
    pub message: String,
}

/// What came with an invocation.
#[derive(Clone, Copy, Debug)]
pub(super) enum Came<'a, 'j> {
    /// All of it is at hand.
    AtOnce(&'a [Trigger<'j>]),
    /// It was made one by one.
    OneByOne(&'a (dyn OneByOne<'j> + 'j)),
}

impl<'a, 'j> Came<'a, 'j> {
    fn at_once(self) -> &'a [Trigger<'j>] {
        match self {
            Self::AtOnce(triggers) => triggers,
            Self::OneByOne(_) => &[],
        }
    }

    /// What Lambda knows a trigger by.
    fn id(self, number: usize) -> Option<&'a str> {
        match self {
            Self::AtOnce(triggers) => triggers.get(number).map(|trigger| &*trigger.id),
            Self::OneByOne(triggers) => triggers.id(number),
        }
    }
}

/// From how many events on a failure of all of them, in one way, and with nothing that ever worked, is taken for ours.
const LARGE: u64 = 20;

/// Whether everything failed in a way that says more about us than about the events.
pub(super) fn all_failed(ledger: &Ledger, has_worked: bool) -> bool {
    let one_way = matches!(&ledger.failed[..], [only] if only.count >= LARGE);
    !has_worked && one_way && ledger.delivered == 0 && ledger.dropped.is_empty() && ledger.handed_back() == 0
}

/// Of each trigger, whether it comes again.
pub(super) fn again(books: &Books, on_failure: OnFailure, came: Came<'_, '_>) -> Vec<bool> {
    let triggers = came.at_once();
    let mut again: Vec<bool> = books.safety.flags().collect();
    match on_failure {
        OnFailure::Whole | OnFailure::Records if again.contains(&true) => again.fill(true),
        OnFailure::Suffix => {
            let first = again.iter().position(|again| *again).unwrap_or(again.len());
            again[first..].fill(true);
        }
        OnFailure::Items => {
            let failed = |(again, _): &(&bool, &Trigger<'_>)| **again;
            let items: BTreeSet<String> =
                again.iter().zip(triggers).filter(failed).map(|(_, trigger)| trigger.id.to_string()).collect();
            let mut groups = BTreeSet::new();
            for (again, trigger) in again.iter_mut().zip(triggers) {
                *again |= items.contains(&*trigger.id) || trigger.group.as_ref().is_some_and(|g| groups.contains(g));
                if let (true, Some(group)) = (*again, &trigger.group) {
                    groups.insert(group.clone());
                }
            }
        }
        OnFailure::Whole | OnFailure::Records => {}
    }
    again
}

/// What Lambda is answered. `again`: of each trigger, whether it comes again.
pub(super) fn answer(
    books: &Books,
    on_failure: OnFailure,
    came: Came<'_, '_>,
    again: &[bool],
    handed_back: u64,
) -> Result<Value, Failure> {
    let ids = again.iter().enumerate().filter(|(_, again)| **again).filter_map(|(number, _)| came.id(number));
    match on_failure {
        OnFailure::Whole | OnFailure::Records if again.contains(&true) => {
            let reason = books.ledger.failed.last().map(|failed| format!(": {}: {}", failed.component, failed.reason));
            let message = format!("{handed_back} events could not be delivered{}", reason.unwrap_or_default());
            Err(Failure { message })
        }
        OnFailure::Whole => Ok(Value::Null),
        OnFailure::Records => Ok(books.reply.answer(came.at_once(), books.safety.failed())),
        OnFailure::Suffix => Ok(batch_response(ids.take(1))),
        OnFailure::Items => {
            let mut named = BTreeSet::new();
            Ok(batch_response(ids.filter(|id| named.insert(*id))))
        }
    }
}

fn batch_response<'t>(ids: impl Iterator<Item = &'t str>) -> Value {
    json!({ "batchItemFailures": ids.map(|id| json!({ "itemIdentifier": id })).collect::<Vec<_>>() })
}
