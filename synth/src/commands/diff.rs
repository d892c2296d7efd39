//! `synth diff`: what a deployment would change.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io::Read as _};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value, json};

use super::Context;
use crate::diff::{Diff, diff, render};
use crate::output::{Output, Verdict};
use crate::workspace::Machine;

/// Shows what a deployment would change.
///
/// Resources are compared property by property, with what a change does: a property that can only be set when a resource
/// is created *replaces* it, and so do all changes that follow from that; where the old one's data would be deleted, that
/// is said. Permissions are listed action by action, wider and narrower.
///
/// What is deployed comes from a file (`aws cloudformation get-template --stack-name NAME >FILE`) or from the snapshots of
/// a git revision. Values of parameters are not known here.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("before").required(true).args(["against", "base"]))]
pub struct Args {
    /// The stacks, as `synth list` prints them; all when none is named.
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,
    /// The template to compare with: JSON, bare or as `get-template` prints it; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// The git revision whose snapshots to compare with.
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: DiffFormat,
}

/// How a diff is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum DiffFormat {
    /// For a terminal.
    #[default]
    Text,
    /// For a comment in a pull request.
    Markdown,
    /// For machines: a list with an entry for each stack.
    Json,
}

/// Exit code: 0 when nothing changes, 1 when something does, 2 when the question cannot be answered.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let stacks = context.stacks(&args.stacks)?;
    let templates = context.templates(&stacks, out)?;
    let mut diffs: Vec<(String, Diff)> = Vec::new();
    match (&args.against, &args.base) {
        (Some(file), _) => {
            let [(name, template)] = &templates[..] else {
                bail!("`--against` has one template: name one of the {} stacks", templates.len());
            };
            diffs.push((name.clone(), diff(&deployed(file)?, template.as_json())));
        }
        (None, Some(revision)) => {
            let snapshots = Snapshots::of(&context.machine, revision)?;
            for (name, template) in &templates {
                let before = snapshots.template(name)?.unwrap_or_else(|| {
                    out.talk(format_args!("{name} has no snapshot in {revision}: a new stack"));
                    json!({})
                });
                diffs.push((name.clone(), diff(&before, template.as_json())));
            }
            if args.stacks.is_empty() {
                for name in snapshots.stacks()?.iter().filter(|name| context.app.stack(name).is_none()) {
                    out.talk(format_args!("{name} is in {revision} and no longer a stack: delete it by hand"));
                    diffs.push((name.clone(), diff(&snapshots.template(name)?.unwrap_or_default(), &json!({}))));
                }
            }
        }
        (None, None) => bail!("say what to compare with: `--against FILE` or `--base REV`"),
    }
    match args.format {
        DiffFormat::Text => diffs.iter().try_for_each(|(name, diff)| out.coloured(&render::text(name, diff)))?,
        DiffFormat::Markdown => {
            let pages: Vec<String> = diffs.iter().map(|(name, diff)| render::markdown(name, diff)).collect();
            out.product(pages.join("\n\n"))?;
        }
        DiffFormat::Json => {
            let list = diffs.iter().map(|(name, diff)| document(name, diff)).collect::<Result<Vec<_>, _>>()?;
            out.product(format_args!("{:#}", Value::Array(list)))?;
        }
    }
    Ok(if diffs.iter().all(|(_, diff)| diff.is_empty()) { Verdict::Fine } else { Verdict::Findings })
}

fn document(stack: &str, diff: &Diff) -> serde_json::Result<Value> {
    let mut document = Map::from_iter([("stack".to_owned(), json!(stack))]);
    if let Value::Object(members) = serde_json::to_value(diff)? {
        document.extend(members);
    }
    Ok(Value::Object(document))
}

/// The template in a file, bare or as `aws cloudformation get-template` prints it.
fn deployed(file: &Path) -> anyhow::Result<Value> {
    let name = file.display();
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    }
    .with_context(|| format!("cannot read the template `{name}`"))?;
    let mut template: Value = serde_json::from_str(&text).with_context(|| {
        format!("the template `{name}` is no JSON; the command writes JSON, and `get-template` gives it back")
    })?;
    if let Some(body) = template.get_mut("TemplateBody").map(Value::take) {
        template = match body {
            Value::String(text) => serde_json::from_str(&text).with_context(|| {
                format!(
                    "the deployed template in `{name}` is no JSON: it was not deployed from what this command writes"
                )
            })?,
            other => other,
        };
    }
    ensure!(template["Resources"].is_object(), "`{name}` is no template: it has no `Resources`");
    Ok(template)
}

/// The snapshots of templates in a revision.
struct Snapshots<'a> {
    machine: &'a Machine,
    revision: &'a str,
}

const FOLDER: &str = "tests/snapshots";
/// Plain JSON, and as insta names and heads them.
const ENDINGS: [&str; 3] = [".template.snap", ".template.json", ".snap"];

impl<'a> Snapshots<'a> {
    fn of(machine: &'a Machine, revision: &'a str) -> anyhow::Result<Self> {
        let this = Self { machine, revision };
        // Not `rev-parse REV` alone: it takes a file's name for an answer too.
        if this
            .git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{revision}^{{commit}}")])?
            .is_none()
        {
            bail!("git knows no revision `{revision}` here");
        }
        Ok(this)
    }

    fn template(&self, stack: &str) -> anyhow::Result<Option<Value>> {
        for ending in ENDINGS {
            if let Some(text) = self.git(&["show", &format!("{}:./{FOLDER}/{stack}{ending}", self.revision)])? {
                let what = || format!("the snapshot `{FOLDER}/{stack}{ending}` of {} is no template", self.revision);
                return serde_json::from_str(without_header(&text)).with_context(what).map(Some);
            }
        }
        Ok(None)
    }

    fn stacks(&self) -> anyhow::Result<Vec<String>> {
        let files = self.git(&["ls-tree", "--name-only", self.revision, &format!("./{FOLDER}/")])?.unwrap_or_default();
        let mut names: Vec<String> = files
            .lines()
            .filter_map(|path| path.rsplit('/').next())
            .filter_map(|file| ENDINGS.iter().find_map(|ending| file.strip_suffix(ending)))
            .map(str::to_owned)
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// What git prints; `None` when it says no.
    fn git(&self, args: &[&str]) -> anyhow::Result<Option<String>> {
        let output = Command::new("git")
            .args(args)
            .current_dir(self.machine.root())
            .stdin(Stdio::null())
            .output()
            .context("cannot start git, which `--base` asks for the snapshots")?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }
}

/// A snapshot of insta begins with a few lines of its own, between two lines of three dashes.
fn without_header(text: &str) -> &str {
    text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or(text, |(_, body)| body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_read_bare_and_as_aws_gives_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.json");
        let template = json!({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}});
        for text in [
            template.to_string(),
            json!({"TemplateBody": template, "StagesAvailable": ["Original"]}).to_string(),
            json!({"TemplateBody": template.to_string()}).to_string(),
        ] {
            fs::write(&file, &text).unwrap();
            assert_eq!(deployed(&file).unwrap(), template, "{text}");
        }
        for (text, wrong) in [
            ("Resources: {}", "is no JSON; the command writes JSON"),
            (r#"{"TemplateBody": "Resources: {}"}"#, "it was not deployed from what this command writes"),
            ("{}", "it has no `Resources`"),
            ("[]", "it has no `Resources`"),
        ] {
            fs::write(&file, text).unwrap();
            let error = format!("{:#}", deployed(&file).unwrap_err());
            assert!(error.contains(wrong), "{error}");
        }
    }

    #[test]
    fn the_header_of_a_snapshot_is_not_part_of_it() {
        assert_eq!(without_header("---\nsource: tests/a.rs\nexpression: x\n---\n{\"a\": 1}\n"), "{\"a\": 1}\n");
        assert_eq!(without_header("{}\n"), "{}\n");
    }
}
