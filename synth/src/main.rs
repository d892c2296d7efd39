//! The door for people: turns stacks into templates, runs pipelines, packages functions, and says what is wrong.
//!
//! A workspace of your own has the same three lines, with its own stacks and its own register of components.

use std::process::ExitCode;

fn main() -> ExitCode {
    synth::main_with()
}
