//! The command `synth`: turns stacks into templates, runs pipelines, packages functions, and says what is wrong.
//!
//! A library with a thin main, so that a workspace of your own has the same command with its own stacks and its own
//! register of components (`tests/own_workspace` of Flexo is one). stdout is the product, stderr the talk; exit code 0 is
//! fine, 1 is findings or a difference, 2 is a question that could not be answered.

pub mod commands;
pub mod diff;
pub mod graph;
pub mod local;
pub mod output;
pub mod package;
pub mod workspace;

use std::process::ExitCode;

use clap::Parser as _;
use constructs::{App, Stack};
use etl::registry::Registry;

use crate::commands::{Cli, Context};
use crate::output::{Output, Verdict};
use crate::workspace::Machine;

/// The whole command, with these stacks and these components: reads the arguments and the environment, the only place
/// that does.
pub fn main_with(stacks: impl IntoIterator<Item = Stack>, registry: Registry) -> ExitCode {
    let cli = Cli::parse();
    let mut out = Output::of_process();
    let dir = match std::env::current_dir() {
        Ok(dir) => dir,
        Err(error) => {
            out.talk(format_args!("error: the folder that this runs in is gone: {error}"));
            return ExitCode::from(2);
        }
    };
    let machine = Machine { dir, env: std::env::vars_os().collect() };
    let context = Context { app: App::new(stacks), registry, machine };
    let outcome = cli.run(&context, &mut out).and_then(|verdict| Ok(out.finish().map(|()| verdict)?));
    match outcome {
        Ok(Verdict::Fine) => ExitCode::SUCCESS,
        Ok(Verdict::Findings) => ExitCode::from(1),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            out.talk(format_args!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
