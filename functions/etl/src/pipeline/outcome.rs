//! What an invocation came to: the answer to Lambda, and how it is found.
//!
//! Imports: `handlers`, `ports`.

use super::{Ledger, books::Books};
use crate::handlers::{OnFailure, Trigger};
use serde_json::{Value, json};

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

/// From how many events on a failure of all of them, in one way, and with nothing that ever worked, is taken for ours.
const LARGE: u64 = 20;

/// Whether everything failed in a way that says more about us than about the events.
pub(super) fn all_failed(ledger: &Ledger, has_worked: bool) -> bool {
    let one_way = matches!(&ledger.failed[..], [only] if only.count >= LARGE);
    !has_worked && one_way && ledger.delivered == 0 && ledger.dropped.is_empty() && ledger.handed_back() == 0
}

/// What Lambda is answered.
pub(super) fn answer(
    books: &Books,
    on_failure: OnFailure,
    triggers: &[Trigger<'_>],
    fail_on_exception: bool,
    handed_back: u64,
) -> Result<Value, Failure> {
    let first = books.safety.first_unsafe().filter(|_| fail_on_exception);
    match (on_failure, first) {
        (OnFailure::Whole, None) => Ok(Value::Null),
        (OnFailure::Suffix, None) => Ok(json!({ "batchItemFailures": [] })),
        (OnFailure::Suffix, Some(first)) => {
            let id = triggers.get(first).map(|trigger| &*trigger.id).unwrap_or_default();
            Ok(json!({ "batchItemFailures": [{ "itemIdentifier": id }] }))
        }
        (OnFailure::Whole, Some(_)) => {
            let reason = books.ledger.failed.last().map(|failed| format!(": {}: {}", failed.component, failed.reason));
            let message = format!("{handed_back} events could not be delivered{}", reason.unwrap_or_default());
            Err(Failure { message })
        }
    }
}
