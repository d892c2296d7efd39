//! `synth list`: which stacks there are.

use serde_json::{Value, json};

use super::Context;
use crate::output::{Format, Output, Verdict};

/// Prints the names of the stacks, one a line.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How the result is printed; JSON has the parameters, outputs and resource counts too.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Exit code: 0.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let stacks = context.app.stacks();
    match args.format {
        Format::Text => stacks.iter().try_for_each(|stack| out.product(stack.name()))?,
        Format::Json => {
            let rows = stacks.iter().map(|stack| {
                let synthesis = stack.synth();
                let template = synthesis.draft().as_json();
                let names = |section: &str| -> Vec<&String> {
                    template[section].as_object().map(|members| members.keys().collect()).unwrap_or_default()
                };
                json!({
                    "name": stack.name(),
                    "description": template["Description"].as_str().unwrap_or_default(),
                    "resources": names("Resources").len(),
                    "parameters": names("Parameters"),
                    "outputs": names("Outputs"),
                })
            });
            out.product(format_args!("{:#}", rows.collect::<Value>()))?;
        }
    }
    Ok(Verdict::Fine)
}
