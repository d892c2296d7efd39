//! Chains as they run: links, and the branches that forks and conditions have.
//!
//! Branches are gone through one after the other, each to its very end, the steps behind the fork or condition included: so the order of
//! what is delivered is that of the config, and memory holds one copy at a time.
//!
//! Imports: `event`, `operations`, `payload`.

use super::{
    chain::{Flow, NOT_IN_LETTER, Then, run},
    report::Tally,
};
use crate::{
    event::{Event, Fault, Outcome, Stage},
    operations::{Branch, Guarded, RunOperation, Step},
};
use payload::{Name, Path};

const NO_CONDITION: &str = "no condition met";

/// A step with its name and its figures.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: &'static str,
    pub(super) way: Way,
    pub(super) tally: Tally,
}

/// What a link does with an event: a [`Step`], with chains for branches.
#[derive(Debug)]
pub(super) enum Way {
    Perform(Box<dyn RunOperation>),
    /// `hashes`: whether a component behind it wants the hash of the elements.
    Split {
        path: Path,
        keep: Vec<Name>,
        hashes: bool,
    },
    Fork(Vec<Vec<Link>>),
    Choose {
        branches: Vec<(Guard, Vec<Link>)>,
        drop_others: bool,
    },
}

/// A condition with its name and its figures.
#[derive(Debug)]
pub(super) struct Guard {
    name: &'static str,
    filter: Box<dyn RunOperation>,
    tally: Tally,
}

/// Makes a chain of steps. `wanted`: whether what stands behind it wants an event's hash; afterwards, whether the chain or what stands
/// behind it wants the hash that its events come with.
pub(super) fn chain(steps: Branch, wanted: &mut bool) -> Vec<Link> {
    let mut links: Vec<_> = steps.into_iter().rev().map(|(name, step)| Link::new(name, step, wanted)).collect();
    links.reverse();
    links
}

impl Link {
    fn new(name: &'static str, step: Step, wanted: &mut bool) -> Self {
        let way = match step {
            Step::Perform(operation) => {
                *wanted |= operation.wants_hash();
                Way::Perform(operation)
            }
            Step::Split { path, keep } => Way::Split { path, keep, hashes: std::mem::take(wanted) },
            Step::Fork(branches) => {
                let behind = *wanted;
                *wanted &= branches.is_empty();
                let branch = |steps| {
                    let mut own = behind;
                    let links = chain(steps, &mut own);
                    *wanted |= own;
                    links
                };
                Way::Fork(branches.into_iter().map(branch).collect())
            }
            Step::Choose { branches, drop_others } => {
                let behind = *wanted;
                *wanted &= !drop_others;
                let branch = |Guarded { name, filter, branch }| {
                    let mut own = behind;
                    let links = chain(branch, &mut own);
                    *wanted |= own | filter.wants_hash();
                    (Guard { name, filter, tally: Tally::default() }, links)
                };
                Way::Choose { branches: branches.into_iter().map(branch).collect(), drop_others }
            }
        };
        Self { name, way, tally: Tally::default() }
    }

    /// An invocation begins.
    pub(super) fn begin(&mut self) {
        match &mut self.way {
            Way::Perform(operation) => operation.begin(),
            Way::Split { .. } => {}
            Way::Fork(branches) => branches.iter_mut().flatten().for_each(Link::begin),
            Way::Choose { branches, .. } => {
                for (guard, links) in branches {
                    guard.filter.begin();
                    links.iter_mut().for_each(Link::begin);
                }
            }
        }
    }

    /// Tells the figures of the link and of all in it, by name, in the order of the config.
    pub(super) fn tallies(&mut self, add: &mut dyn FnMut(&'static str, &mut Tally)) {
        add(self.name, &mut self.tally);
        let branches: Vec<&mut Vec<Link>> = match &mut self.way {
            Way::Perform(_) | Way::Split { .. } => return,
            Way::Fork(branches) => branches.iter_mut().collect(),
            Way::Choose { branches, .. } => {
                for (guard, _) in branches.iter_mut() {
                    add(guard.name, &mut guard.tally);
                }
                branches.iter_mut().map(|(_, links)| links).collect()
            }
        };
        branches.into_iter().flatten().for_each(|link| link.tallies(add));
    }
}

/// Takes an event into every branch: copies into all but the last one, which gets the event itself.
pub(super) fn fork(
    branches: &mut [Vec<Link>],
    name: &'static str,
    event: &mut Event<'_>,
    flow: &mut Flow<'_>,
    then: Then<'_>,
) {
    let Some((last, others)) = branches.split_last_mut() else { return then(event, flow) };
    if others.is_empty() {
        return run(last, event, flow, then);
    }
    let wanted = flow.again.and_then(|again| again.wanted(&event.facts.elements));
    let wants = |number: u32| wanted.as_ref().is_none_or(|wanted| wanted.contains(&number));
    let branches = u32::try_from(others.len()).map_or(u32::MAX, |others| others + 1);
    let Some(born) = (0..branches).filter(|number| wants(*number)).count().checked_sub(1) else {
        return flow.cx.books.ledger.drop_event(NOT_IN_LETTER);
    };
    flow.cx.books.ledger.born += born as u64;
    let facts = &mut *event.facts;
    let (time_ms, hash, partitions) = (facts.time_ms, facts.hash, facts.partitions.clone());
    let mut copies = event.payload.copies();
    for (number, branch) in (0..).zip(others) {
        if !wants(number) {
            continue;
        }
        facts.elements.push(number);
        match copies.next() {
            Ok(payload) => run(branch, &mut Event { payload, facts: &mut *facts }, flow, then),
            Err(error) => flow.fail(Stage::Operation, name, Fault::from(error), facts),
        }
        facts.elements.pop();
        (facts.time_ms, facts.hash) = (time_ms, hash);
        facts.partitions.clone_from(&partitions);
    }
    drop(copies);
    if wants(branches - 1) {
        event.facts.elements.push(branches - 1);
        run(last, event, flow, then);
        event.facts.elements.pop();
    }
}

/// Takes an event into the branch of the first condition that it passes.
pub(super) fn choose(
    branches: &mut [(Guard, Vec<Link>)],
    drop_others: bool,
    event: &mut Event<'_>,
    flow: &mut Flow<'_>,
    then: Then<'_>,
) {
    for (Guard { name, filter, tally }, branch) in branches {
        let began = flow.clock();
        let outcome = filter.perform(event);
        tally.note(flow.since(began), outcome.is_err());
        match outcome {
            Ok(Outcome::Pass) => return run(branch, event, flow, then),
            Ok(Outcome::Drop(_)) => {}
            Ok(Outcome::HandBack(outage)) => return flow.hand_back(name, outage),
            Err(fault) => return flow.fail(Stage::Operation, name, fault, event.facts),
        }
    }
    if drop_others { flow.cx.books.ledger.drop_event(NO_CONDITION) } else { then(event, flow) }
}
