//! The command of this workspace: its own stacks, its own components, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    synth::main_with(stacks::all(), etl::registry::Registry::default())
}
