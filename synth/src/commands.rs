//! The verbs, one file each: what it takes (its doc comments are the help), and what it does.
//!
//! Imports: every other module of the crate.
//!
//! *To add one*: a file with `Args` and `run`, and its line in [`Cli`], in [`Cli::run`] and below; its cases in
//! `tests/cli/<verb>.md`.

pub mod check;
pub mod diff;
pub mod docs;
pub mod explain;
pub mod graph;
pub mod list;
pub mod package;
pub mod replay;
pub mod run;
pub mod schema;
pub mod synth;
pub mod test;

use anyhow::{bail, ensure};
use constructs::{App, Severity, Stack, Template};
use etl::registry::Registry;

use crate::output::{Output, Verdict, unknown};
use crate::workspace::Machine;

/// Turns stacks into templates, runs log pipelines, packages functions, and says what is wrong.
///
/// What was asked for goes to stdout, everything else to stderr. Exit code 0: fine; 1: findings, or a difference;
/// 2: the question could not be answered.
#[derive(Debug, clap::Parser)]
#[command(name = "synth", bin_name = "synth", version, max_term_width = 100)]
#[expect(missing_docs, reason = "a verb's help is the doc comment of its `Args`")]
pub enum Cli {
    List(list::Args),
    Synth(synth::Args),
    Diff(diff::Args),
    Check(check::Args),
    Graph(graph::Args),
    Run(run::Args),
    Test(test::Args),
    Replay(replay::Args),
    Package(package::Args),
    Explain(explain::Args),
    Schema(schema::Args),
    Docs(docs::Args),
}

/// What every verb may need.
#[derive(Debug)]
pub struct Context {
    /// The stacks of the workspace.
    pub app: App,
    /// The components of the workspace.
    pub registry: Registry,
    /// The machine that the command runs on.
    pub machine: Machine,
}

impl Cli {
    /// Does what was asked.
    pub fn run(&self, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
        match self {
            Self::List(args) => list::run(args, context, out),
            Self::Synth(args) => synth::run(args, context, out),
            Self::Diff(args) => diff::run(args, context, out),
            Self::Check(args) => check::run(args, context, out),
            Self::Graph(args) => graph::run(args, context, out),
            Self::Run(args) => run::run(args, context, out),
            Self::Test(args) => test::run(args, context, out),
            Self::Replay(args) => replay::run(args, context, out),
            Self::Package(args) => package::run(args, context, out),
            Self::Explain(args) => explain::run(args, out),
            Self::Schema(args) => schema::run(args, context, out),
            Self::Docs(args) => docs::run(args, context, out),
        }
    }
}

impl Context {
    /// The stacks of these names, all when there are none; sorted by name.
    fn stacks(&self, names: &[String]) -> anyhow::Result<Vec<&Stack>> {
        let all = self.app.stacks();
        let there: Vec<&str> = all.iter().map(|stack| stack.name()).collect();
        for name in names {
            ensure!(there.contains(&name.as_str()), "{}", unknown("stack", name, &there));
        }
        Ok(all.into_iter().filter(|stack| names.is_empty() || names.iter().any(|name| name == stack.name())).collect())
    }

    /// Their templates; `None` when one of them has errors. All that is to be said of them is said.
    fn synthesize(&self, stacks: &[&Stack], out: &mut Output) -> Option<Vec<(String, Template)>> {
        let mut problems = self.app.problems();
        let mut templates = Vec::new();
        for stack in stacks {
            let synthesis = stack.synth();
            problems.extend(synthesis.problems.iter().cloned());
            templates.push((stack.name().to_owned(), synthesis.draft().clone()));
        }
        for problem in &problems {
            out.talk(problem);
        }
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        if errors == 0 {
            return Some(templates);
        }
        out.talk(format_args!("{}; `synth explain CODE` says more", counted(errors, "error")));
        None
    }

    /// The same for a verb that has nothing to say without templates.
    fn templates(&self, stacks: &[&Stack], out: &mut Output) -> anyhow::Result<Vec<(String, Template)>> {
        match self.synthesize(stacks, out) {
            Some(templates) => Ok(templates),
            None => bail!("there is no template as long as there are errors"),
        }
    }
}

/// "1 error", "2 errors".
fn counted(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
