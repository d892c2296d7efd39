//! `synth docs`: the reference, written from the doc comments of the components.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use etl::reference::{self, File};

use super::Context;
use crate::output::{Output, Verdict};
use crate::workspace::shown;

/// Writes the reference: a page for the config, one for each kind of component, one for the errors, and the JSON schema.
///
/// The texts are the doc comments of the components, yours included. Files of the folder that are no longer part of the
/// reference are left alone by writing, and reported by `--check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the reference is; `functions/reference` of the workspace when not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write nothing, and say which of the committed files are stale.
    #[arg(long)]
    check: bool,
}

/// Exit code: 0; with `--check` 1 when a file is stale.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let mut files = reference::pages(&context.registry);
    files.push(reference::schema(&context.registry));
    let folder = folder(context, args.out.as_deref());
    let dir = &context.machine.dir;
    if args.check {
        let stale = check(&files, &folder, dir, out)?;
        let superfluous = superfluous(&files, &folder);
        for path in &superfluous {
            out.product(format_args!("superfluous: {}", shown(path, dir)))?;
        }
        return Ok(if superfluous.is_empty() { stale } else { Verdict::Findings });
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    for (name, text) in &files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        out.product(shown(&path, dir))?;
    }
    Ok(Verdict::Fine)
}

/// Where the reference is.
pub(super) fn folder(context: &Context, given: Option<&Path>) -> PathBuf {
    let machine = &context.machine;
    given.map_or_else(|| machine.root().join("functions/reference"), |dir| machine.dir.join(dir))
}

/// Says which of the files are not as they should be.
pub(super) fn check(files: &[File], folder: &Path, dir: &Path, out: &mut Output) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Fine;
    for (name, text) in files {
        let path = folder.join(name);
        let word = match fs::read_to_string(&path) {
            Ok(committed) if committed == *text => continue,
            Ok(_) => "stale",
            Err(_) => "missing",
        };
        out.product(format_args!("{word}: {}", shown(&path, dir)))?;
        verdict = Verdict::Findings;
    }
    if verdict == Verdict::Findings {
        out.talk("`cargo run docs` writes the reference anew");
    }
    Ok(verdict)
}

/// Files of the kinds that the reference consists of, and not among them.
fn superfluous(files: &[File], folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "md" || ending == "json"))
        .filter(|path| !files.iter().any(|(name, _)| path.file_name().is_some_and(|file| file == name.as_str())))
        .collect();
    found.sort();
    found
}
