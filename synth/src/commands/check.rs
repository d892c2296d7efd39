//! `synth check`: all that can be refused before a deployment.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use annotate_snippets::Renderer;
use anyhow::{Context as _, bail};
use constructs::{Problem, Severity, check_template};
use etl::config::{PipelineConfig, Variables};
use etl::problem::Report;
use serde_json::{Value, json};

use super::{Context, counted};
use crate::output::{Format, Output, Verdict};
use crate::workspace::Setting;

/// Says all that can be refused before a deployment, of stacks, pipeline configs and templates.
///
/// A config is YAML or JSON and is read as the function will read it, but for its variables: those that neither the environment
/// nor `--set` gives are left to the deployment, and named. A template is JSON from anywhere, held against AWS's schemas.
/// Every problem is told, each with its code (`synth explain CODE`), its place and the way out.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of stacks, and files; all stacks when nothing is named.
    #[arg(value_name = "STACK or FILE")]
    what: Vec<String>,
    /// The value of a variable of configs, `<NAME>`.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What was looked at, and what is wrong with it.
struct Checked {
    name: String,
    kind: Kind,
    /// Variables that only the deployment gives.
    variables: Vec<String>,
}

enum Kind {
    Stack(Vec<Problem>),
    Template(Vec<Problem>),
    Config(Option<Report>),
}

/// Exit code: 0 when nothing would be refused (warnings are printed all the same), 1 when something would, 2 when something cannot be
/// looked at.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let mut all = Vec::new();
    if args.what.is_empty() {
        all.extend(context.app.stacks().iter().map(|stack| checked_stack(stack)));
    }
    for what in &args.what {
        let file = context.machine.dir.join(what);
        all.push(match context.app.stack(what) {
            Some(stack) => checked_stack(stack),
            None if file.is_file() => checked_file(what, &file, args, context)?,
            None => {
                let there: Vec<&str> = context.app.stacks().iter().map(|stack| stack.name()).collect();
                bail!("`{what}` is neither a stack ({}) nor a file", there.join(", "));
            }
        });
    }
    let app = context.app.problems();
    let errors: usize = all.iter().map(Checked::errors).sum::<usize>() + errors(&app);
    match args.format {
        Format::Json => {
            let documents = all.iter().map(Checked::document).collect::<Result<Vec<_>, _>>()?;
            out.product(format_args!("{:#}", Value::Array(documents)))?;
        }
        Format::Text => {
            app.iter().try_for_each(|problem| out.product(problem))?;
            all.iter().try_for_each(|checked| checked.print(out))?;
        }
    }
    Ok(if errors == 0 { Verdict::Fine } else { Verdict::Findings })
}

fn errors(problems: &[Problem]) -> usize {
    problems.iter().filter(|problem| problem.severity == Severity::Error).count()
}

fn checked_stack(stack: &constructs::Stack) -> Checked {
    Checked { name: stack.name().to_owned(), kind: Kind::Stack(stack.synth().problems), variables: Vec::new() }
}

fn checked_file(name: &str, path: &Path, args: &Args, context: &Context) -> anyhow::Result<Checked> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{name}`"))?;
    let template = serde_json::from_str::<Value>(&text).ok().filter(|document| document["Resources"].is_object());
    if let Some(template) = template {
        let kind = Kind::Template(check_template(name, &template));
        return Ok(Checked { name: name.to_owned(), kind, variables: Vec::new() });
    }
    // What nobody gives here, the deployment may.
    let missing = RefCell::new(BTreeSet::new());
    let given = |variable: &str| {
        let value = Setting::lookup(&args.set, &context.machine, variable);
        if value.is_none() {
            missing.borrow_mut().insert(variable.to_owned());
        }
        value
    };
    let read = PipelineConfig::read(&context.registry, name, &text, Variables::From(&given));
    let variables = missing.into_inner().into_iter().collect();
    let report = read.err().and_then(|mut report| {
        report.problems.retain(|problem| problem.code != etl::codes::NO_VARIABLE);
        (!report.problems.is_empty()).then_some(report)
    });
    Ok(Checked { name: name.to_owned(), kind: Kind::Config(report), variables })
}

impl Checked {
    fn errors(&self) -> usize {
        match &self.kind {
            Kind::Stack(problems) | Kind::Template(problems) => errors(problems),
            Kind::Config(report) => report.as_ref().map_or(0, |report| report.problems.len()),
        }
    }

    fn print(&self, out: &mut Output) -> anyhow::Result<()> {
        match &self.kind {
            Kind::Stack(problems) | Kind::Template(problems) => {
                problems.iter().try_for_each(|problem| out.product(problem))?;
            }
            // It ends in a count of its own.
            Kind::Config(Some(report)) => return Ok(out.coloured(&report.render(&Renderer::styled()))?),
            Kind::Config(None) => {}
        }
        let verdict = match self.errors() {
            0 => "fine".to_owned(),
            errors => counted(errors, "error"),
        };
        let variables = match self.variables.join(", ") {
            none if none.is_empty() => String::new(),
            names => format!(" (left to the deployment: {names})"),
        };
        out.talk(format_args!("{}: {verdict}{variables}", self.name));
        Ok(())
    }

    fn document(&self) -> serde_json::Result<Value> {
        let (kind, problems) = match &self.kind {
            Kind::Stack(problems) => ("stack", problems.iter().map(Problem::to_json).collect()),
            Kind::Template(problems) => ("template", problems.iter().map(Problem::to_json).collect()),
            Kind::Config(None) => ("config", json!([])),
            Kind::Config(Some(report)) => ("config", serde_json::to_value(report)?["problems"].take()),
        };
        let mut document = json!({"name": self.name, "kind": kind, "problems": problems});
        if let Kind::Config(_) = self.kind {
            document["variables"] = json!(self.variables);
        }
        Ok(document)
    }
}
