//! `synth graph`: the pipelines as a picture.

use super::Context;
use crate::graph::{Graph, dot, mermaid};
use crate::output::{Output, Verdict};

/// Prints the way that events take through stacks, as a picture.
///
/// It is read out of the template: what pushes or is read, what a function delivers to. What no event passes (roles, alarms, keys,
/// failure queues) is left out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of stacks; all when none is named.
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,
    /// The language of the picture.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Format {
    /// For a page that draws Mermaid, as a repository's README does.
    #[default]
    Mermaid,
    /// For Graphviz: `synth graph --format dot | dot -Tsvg`.
    Dot,
}

/// Exit code: 0; 2 when there is no template.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let stacks = context.stacks(&args.stacks)?;
    let templates = context.templates(&stacks, out)?;
    let graphs: Vec<Graph> = templates.iter().map(|(name, template)| Graph::of(name, template.as_json())).collect();
    let picture = match args.format {
        Format::Mermaid => mermaid(&graphs),
        Format::Dot => dot(&graphs),
    };
    out.product(picture.trim_end())?;
    Ok(Verdict::Fine)
}
