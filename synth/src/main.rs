//! The command of this workspace: its own stacks, its own components, nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    synth::main_with(Vec::new(), etl::registry::Registry::default())
}
