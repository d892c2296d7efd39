//! Instructions and allocations of one event: figures that a busy machine does not change.
//!
//! A case is counted over one half of the corpus and over all of it; the difference is what the events of the other half take, once
//! all is warm. `instructions.txt` keeps what they were, so that a change shows.

use super::{corpus::Corpus, measure};
use std::{fmt::Write as _, fs, path::PathBuf};

/// The cases that are watched.
const WATCHED: [&str; 6] = ["flat", "stack-plain", "syslog", "filter", "one", "ten"];
/// By how much a count may grow without a word.
const TOLERANCE: f64 = 0.02;

/// What one event takes.
pub(crate) struct Count {
    pub(crate) case: &'static str,
    pub(crate) instructions: f64,
    pub(crate) allocations: f64,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt")
}

/// Counts every watched case. None where valgrind is not installed.
pub(crate) fn count(corpus: &Corpus) -> Option<Vec<Count>> {
    let mut counts = vec![];
    for case in WATCHED {
        let (all, events) = match case {
            // Their second half is the first once more.
            "syslog" => ([corpus.invocations.clone(), corpus.invocations.clone()].concat(), 2 * corpus.syslog),
            "filter" => (vec![corpus.lines.clone(); 2], 2 * corpus.records),
            _ => (corpus.objects.clone(), corpus.records),
        };
        let (less, more) = (measure::counts(case, &all[..all.len() / 2])?, measure::counts(case, &all)?);
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let each = |less: u64, more: u64| (more - less) as f64 / (events as f64 / 2.0);
        counts.push(Count { case, instructions: each(less.0, more.0), allocations: each(less.1, more.1) });
    }
    Some(counts)
}

/// Compares with what was, and fails if something has grown.
pub(crate) fn compare(corpus: &Corpus) {
    let Some(counts) = count(corpus) else { return println!("skipped: valgrind is not installed") };
    let kept = fs::read_to_string(file()).unwrap();
    let mut grown = vec![];
    println!("{:12} {:>12} {:>12} {:>8} {:>12}", "case", "before", "now", "", "allocations");
    for Count { case, instructions, allocations } in counts {
        let line = kept.lines().find_map(|line| line.strip_prefix(case)?.strip_prefix(' '));
        let before: f64 = line.and_then(|line| line.split_whitespace().next()).map_or(f64::NAN, |n| n.parse().unwrap());
        let change = instructions / before - 1.0;
        println!("{case:12} {before:12.0} {instructions:12.0} {:7.1}% {allocations:12.2}", change * 100.0);
        if change.is_nan() || change > TOLERANCE {
            grown.push(case);
        }
    }
    assert!(
        grown.is_empty(),
        "more instructions than before: {grown:?}; if it is worth it, write the new counts with `--accept`"
    );
}

/// Writes down what is.
pub(crate) fn accept(corpus: &Corpus) {
    let Some(counts) = count(corpus) else { return println!("skipped: valgrind is not installed") };
    let mut text = String::from(
        "# Instructions and allocations of one event, counted by valgrind (which has no instruction for SHA-1); \
         x86-64, rustc as in RESULTS.md.\n\
         # Written by `cargo bench -p etl -- --accept`.\n",
    );
    for Count { case, instructions, allocations } in counts {
        writeln!(text, "{case} {instructions:.0} {allocations:.2}").unwrap();
    }
    fs::write(file(), &text).unwrap();
    print!("{text}");
}
