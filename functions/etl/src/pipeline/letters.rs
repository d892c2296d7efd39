//! Dead letters in the making: what failed of an event, kept with the event's own text until all that came of it is through.
//!
//! Most events are never kept: only the one at hand is, in a buffer that is used again. When something of it is on its way to a
//! transport, which may still refuse it, its text is kept until the far side has answered. What failed of one event for one reason
//! is one letter, with the elements that it is about.
//!
//! Imports: `dead_letter`, `event`.

use super::safety::Share;
use crate::{
    dead_letter::{DeadLetter, Failure, MOST_ELEMENTS},
    event::{Facts, Stage},
};
use std::{
    collections::{BTreeMap, VecDeque},
    num::NonZeroU32,
};

/// What is on its way, of an event that is kept.
pub(super) type Part = NonZeroU32;

/// What a part and its share take.
const PART_BYTES: usize = 96;

#[derive(Debug, Default)]
pub(super) struct Letters {
    /// Whether what was not delivered is lost, not handed back.
    lost: bool,
    at_hand: Kept,
    /// The number that the event at hand is kept under, when something of it is on its way.
    number: Option<u32>,
    kept: BTreeMap<u32, Kept>,
    /// Parts that are on their way: of which event, and which elements.
    parts: BTreeMap<Part, (u32, Vec<u32>)>,
    last_part: u32,
    last_number: u32,
    bytes: usize,
    ready: VecDeque<Letter>,
}

/// An event with what failed of it.
#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    facts: Facts,
    source: String,
    trigger: u32,
    /// Parts of it that are on their way.
    parts: usize,
    failures: Vec<Failure>,
}

/// A letter that can be written.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) trigger: u32,
    pub(super) facts: Facts,
    pub(super) content: DeadLetter<'static>,
}

impl Letters {
    pub(super) fn new(lost: bool) -> Self {
        Self { lost, ..Self::default() }
    }

    /// Bytes that are kept, but for the event at hand.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// An event is at hand.
    pub(super) fn begin(&mut self, text: &[u8], facts: &Facts, source: &str, trigger: u32) {
        let Kept { text: kept, facts: known, source: name, .. } = &mut self.at_hand;
        kept.clear();
        kept.extend_from_slice(text);
        known.clone_from(facts);
        source.clone_into(name);
        self.at_hand.trigger = trigger;
    }

    /// What should have been events could not be read.
    pub(super) fn unread(&mut self, handler: &str, reason: &'static str, facts: &Facts, trigger: u32) {
        let (component, elements) = (handler.to_owned(), vec![]);
        let failure = Failure { stage: Stage::Source, component, reason, transport: None, elements };
        let letter = DeadLetter::of(facts, "", None, failure);
        self.ready.push_back(Letter { trigger, facts: facts.clone(), content: letter });
    }

    /// Something of the event at hand failed.
    pub(super) fn failed(
        &mut self,
        stage: Stage,
        component: &str,
        reason: &'static str,
        transport: Option<&str>,
        elements: &[u32],
    ) {
        self.at_hand.failed(stage, component, reason, transport, elements);
    }

    /// Something of the event at hand goes on its way.
    pub(super) fn part(&mut self, elements: &[u32]) -> Option<Part> {
        let number = *self.number.get_or_insert_with(|| {
            self.last_number += 1;
            self.last_number
        });
        self.last_part += 1;
        let part = Part::new(self.last_part)?;
        self.parts.insert(part, (number, elements.to_vec()));
        self.at_hand.parts += 1;
        self.bytes += PART_BYTES;
        Some(part)
    }

    /// No more comes of the event at hand.
    pub(super) fn end(&mut self) {
        let Some(number) = self.number.take() else { return self.at_hand.write(&mut self.ready) };
        let kept = std::mem::take(&mut self.at_hand);
        if kept.parts > 0 {
            self.bytes += kept.text.len();
            self.kept.insert(number, kept);
        } else {
            self.at_hand = kept;
            self.at_hand.write(&mut self.ready);
        }
    }

    /// Something of an event is through, or comes again.
    pub(super) fn through(&mut self, share: &Share) {
        self.settle(share, None);
    }

    /// A transport will never take something of an event.
    pub(super) fn refused(&mut self, share: &Share, transport: &str, named: bool, reason: &'static str) {
        self.settle(share, Some((Stage::Transport, transport, named, reason)));
    }

    /// A transport did not take something of an event.
    pub(super) fn undelivered(&mut self, share: &Share, transport: &str, named: bool, reason: &'static str) {
        self.settle(share, self.lost.then_some((Stage::Delivery, transport, named, reason)));
    }

    fn settle(&mut self, share: &Share, failure: Option<(Stage, &str, bool, &'static str)>) {
        let Some((number, elements)) = share.part.and_then(|part| self.parts.remove(&part)) else { return };
        self.bytes -= PART_BYTES;
        let at_hand = self.number == Some(number);
        let kept = if at_hand { Some(&mut self.at_hand) } else { self.kept.get_mut(&number) };
        let Some(kept) = kept else { return };
        kept.parts -= 1;
        if let Some((stage, transport, named, reason)) = failure {
            kept.failed(stage, transport, reason, named.then_some(transport), &elements);
        }
        if kept.parts == 0
            && !at_hand
            && let Some(mut kept) = self.kept.remove(&number)
        {
            self.bytes -= kept.text.len();
            kept.write(&mut self.ready);
        }
    }

    /// A letter that is to be written.
    pub(super) fn next(&mut self) -> Option<Letter> {
        self.ready.pop_front()
    }
}

impl Kept {
    fn failed(
        &mut self,
        stage: Stage,
        component: &str,
        reason: &'static str,
        transport: Option<&str>,
        elements: &[u32],
    ) {
        let same = |failure: &Failure| {
            failure.stage == stage
                && failure.component == component
                && failure.reason == reason
                && failure.transport.as_deref() == transport
        };
        let at = self.failures.iter().position(same).unwrap_or(self.failures.len());
        if at == self.failures.len() {
            let (component, transport) = (component.to_owned(), transport.map(str::to_owned));
            self.failures.push(Failure { stage, component, reason, transport, elements: vec![] });
        }
        let Some(failure) = self.failures.get_mut(at) else { return };
        let all = elements.is_empty() || failure.elements.len() == MOST_ELEMENTS;
        // An element without a place stands for all.
        if all {
            failure.elements = vec![vec![]];
        } else if failure.elements.first().is_none_or(|first| !first.is_empty()) {
            failure.elements.push(elements.to_vec());
        }
    }

    fn write(&mut self, ready: &mut VecDeque<Letter>) {
        for mut failure in self.failures.drain(..) {
            failure.elements.retain(|element| !element.is_empty());
            let letter = DeadLetter::of(&self.facts, &self.source, Some(&self.text), failure);
            ready.push_back(Letter { trigger: self.trigger, facts: self.facts.clone(), content: letter });
        }
    }
}
