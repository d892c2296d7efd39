//! The figures of an invocation: Bender's, under Bender's names, and the ledger's.
//!
//! Timings are of one event in 64, multiplied: reading a clock for each step of each event would cost more than many steps do.
//!
//! Imports: `event`, `reporters`.

use super::{Pipeline, delivery::Figures, ledger::Ledger};
use crate::{
    event::Context,
    reporters::{Report, Stat, StatKind},
};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// What one component did in an invocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    count: u64,
    errors: u64,
    timed: u64,
    timed_ns: u64,
}

impl Tally {
    /// It did its work once more.
    pub(super) fn note(&mut self, took: Option<Duration>, failed: bool) {
        self.count += 1;
        self.errors += u64::from(failed);
        if let Some(took) = took {
            self.timed += 1;
            self.timed_ns += u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        }
    }

    /// The time that all of it took, by estimate.
    fn ns(&self) -> u64 {
        let all = u128::from(self.timed_ns) * u128::from(self.count) / u128::from(self.timed.max(1));
        u64::try_from(all).unwrap_or(u64::MAX)
    }

    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.timed += other.timed;
        self.timed_ns += other.timed_ns;
    }
}

/// Figures of the invocation as a whole.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Whole {
    pub(super) runtime: Duration,
    pub(super) now_ms: i64,
    pub(super) raw_bytes: u64,
    pub(super) oldest_arrival_ms: Option<i64>,
    pub(super) source_name: &'static str,
    pub(super) delivered_again: u64,
    pub(super) handed_back: u64,
}

impl Pipeline {
    /// The figures of the invocation that ends, which are then forgotten.
    pub(super) fn report(&mut self, context: &Context, whole: &Whole, ledger: &Ledger) -> Report {
        let mut stats = vec![];
        for (class, tally) in self.tallies() {
            let mut put = |name, kind, value| stats.push(stat(name, vec![("class", class.into())], kind, value));
            put("timing.ns", StatKind::Gauge, tally.ns());
            put("error.count", StatKind::Count, tally.errors);
            put("success.count", StatKind::Count, tally.count - tally.errors);
        }
        let exits = &self.exits;
        // A trigger may say that it arrived at any time at all.
        let lag = |since: Option<i64>| {
            u64::try_from(since.map_or(0, |since| whole.now_ms.saturating_sub(since))).unwrap_or(0)
        };
        let mut put =
            |name, kind, value| stats.push(stat(name, vec![("source", whole.source_name.into())], kind, value));
        put("event.count", StatKind::Count, exits.events);
        put("spout.lag.ms", StatKind::Gauge, lag(whole.oldest_arrival_ms));
        put("source.lag.ms", StatKind::Gauge, lag(exits.oldest_event_ms));
        put("runtime.ns", StatKind::Gauge, u64::try_from(whole.runtime.as_nanos()).unwrap_or(u64::MAX));
        put("event.byte_size", StatKind::Count, whole.raw_bytes);
        let sum = |figure: fn(&Figures) -> u64| exits.all.iter().map(|exit| figure(&exit.delivery.figures)).sum();
        put("serializer.serialized_bytes", StatKind::Count, sum(|figures| figures.serialized_bytes));
        put("ledger.received", StatKind::Count, ledger.received);
        put("ledger.born", StatKind::Count, ledger.born);
        put("ledger.delivered", StatKind::Count, ledger.delivered);
        if exits.letters.is_some() {
            put("ledger.dead_lettered", StatKind::Count, ledger.dead_lettered);
        }
        put("ledger.handed_back", StatKind::Count, whole.handed_back);
        put("ledger.delivered_again", StatKind::Count, whole.delivered_again);
        put("transport.calls", StatKind::Count, sum(|figures| figures.calls));
        put("transport.repeated", StatKind::Count, sum(|figures| figures.repeated));
        put("transport.peak_bytes", StatKind::Gauge, u64::try_from(exits.peak_bytes).unwrap_or(u64::MAX));
        for (name, figures) in exits.all.iter().filter_map(|exit| Some((exit.name.clone()?, exit.delivery.figures))) {
            let mut put = |stat_name, value| {
                let tags = vec![("transport", Cow::Owned(name.clone()))];
                stats.push(stat(stat_name, tags, StatKind::Count, value));
            };
            put("transport.delivered", figures.delivered);
            put("transport.calls", figures.calls);
            put("transport.errors", figures.errors);
            put("transport.repeated", figures.repeated);
        }
        for (reason, count) in &ledger.dropped {
            stats.push(stat("ledger.dropped", vec![("reason", reason.clone())], StatKind::Count, *count));
        }
        for failed in &ledger.failed {
            let stage = failed.stage.to_string().into();
            let tags =
                vec![("stage", stage), ("component", failed.component.clone()), ("reason", failed.reason.clone())];
            stats.push(stat("ledger.failed", tags, StatKind::Count, failed.count));
        }
        Report { time_ms: whole.now_ms, tags: self.tags(context), stats }
    }

    /// What each class of components did, in the order of the config.
    fn tallies(&mut self) -> Vec<(&'static str, Tally)> {
        let mut all: Vec<(&'static str, Tally)> = vec![];
        let mut add = |class, tally: &mut Tally| {
            let tally = std::mem::take(tally);
            match all.iter_mut().find(|(known, _)| *known == class) {
                Some((_, sum)) => sum.add(tally),
                None => all.push((class, tally)),
            }
        };
        for source in &mut self.sources {
            add(source.deserializer_name, &mut source.reading);
            source.chain.iter_mut().for_each(|link| link.tallies(&mut add));
        }
        for exit in &mut self.exits.all {
            add(exit.wrapper_name, &mut exit.wrapping);
            add(exit.serializer_name, &mut exit.serializing);
            let Figures { calls, errors, call_ns, .. } = exit.delivery.figures;
            add(exit.transport_name, &mut Tally { count: calls, errors, timed: calls, timed_ns: call_ns });
        }
        all
    }

    /// Tags of all figures: the function's name and alias, those of the config, those of the function itself.
    fn tags(&self, context: &Context) -> Vec<(String, String)> {
        let mut tags = BTreeMap::new();
        for tag in &self.common.metric_tags {
            tags.insert(tag.key.clone(), tag.value.clone());
        }
        if self.common.include_function_tags {
            let ours = self.environment.function_tags.iter().filter(|(key, _)| !key.starts_with("aws:cloudformation"));
            tags.extend(ours.cloned());
        }
        let name = context.function_name.clone().unwrap_or_default();
        let first = [("functionName".to_owned(), name), ("functionVersion".to_owned(), context.alias().to_owned())];
        first.into_iter().chain(tags).collect()
    }
}

fn stat(name: &'static str, tags: Vec<(&'static str, Cow<'static, str>)>, kind: StatKind, value: u64) -> Stat {
    Stat { name, tags, kind, value: i64::try_from(value).unwrap_or(i64::MAX) }
}
