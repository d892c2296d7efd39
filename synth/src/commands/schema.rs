//! `synth schema`: the JSON schema of a pipeline's config.

use super::{Context, docs};
use crate::output::{Output, Verdict};

/// Prints the JSON schema of a pipeline's config, for editors and other tools.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Compare with the committed one instead, and say whether it is stale.
    #[arg(long)]
    check: bool,
}

/// Exit code: 0; with `--check` 1 when the committed schema is stale.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let file = etl::reference::schema(&context.registry);
    if args.check {
        return docs::check(&[file], &docs::folder(context, None), &context.machine.dir, out);
    }
    out.product(file.1.trim_end())?;
    Ok(Verdict::Fine)
}
