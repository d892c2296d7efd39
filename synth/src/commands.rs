//! The verbs, one file each: what it takes (its doc comments are the help), and what it does.
//!
//! Imports: every other module of the crate.
//!
//! *To add one*: a file with `Args` and `run`, and its line in [`Cli`], in [`Cli::run`] and below; its cases in
//! `tests/cli/<verb>.md`.

pub mod package;

use crate::output::{Output, Verdict};
use crate::workspace::Machine;

/// Turns stacks into templates, runs log pipelines, packages functions, and says what is wrong.
///
/// What was asked for goes to stdout, everything else to stderr. Exit code 0: fine; 1: findings, or a difference;
/// 2: the question could not be answered.
#[derive(Debug, clap::Parser)]
#[command(name = "synth", bin_name = "synth", version, max_term_width = 100)]
#[expect(missing_docs, reason = "a verb's help is the doc comment of its `Args`")]
pub enum Cli {
    Package(package::Args),
}

/// What every verb may need.
#[derive(Debug)]
pub struct Context {
    /// The machine that the command runs on.
    pub machine: Machine,
}

impl Cli {
    /// Does what was asked.
    pub fn run(&self, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
        match self {
            Self::Package(args) => package::run(args, context, out),
        }
    }
}
