//! `synth test`: the cases in configs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use etl::config::{PipelineConfig, TestCase};
use etl::dead_letter::DeadLetter;
use etl::event::{Context as Invocation, Stage};
use etl::pipeline::{Ledger, Pipeline};
use etl::ports::Ports;
use serde_json::{Value, json};
use similar::TextDiff;

use super::{Context, counted, run};
use crate::local::Gone;
use crate::local::calls::ToStdout;
use crate::local::clock::LocalClock;
use crate::local::log::LocalLog;
use crate::local::metrics::Metrics;
use crate::local::objects::LocalObjects;
use crate::output::{Capture, Format, Output, Product, Talk, Verdict};
use crate::workspace::Setting;

/// Runs the cases that configs have under `tests`, each by itself and at its own fixed time.
///
/// What is delivered, dropped and failed is compared with what the case says; of each that differs the difference is shown, `-` what
/// was expected, `+` what came.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Configs, YAML or JSON.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The value of a variable of the configs, `<NAME>`.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A case that was run.
struct Outcome {
    file: String,
    name: String,
    /// What differs; nothing if it is as expected.
    difference: String,
}

/// Exit code: 0 when all is as expected, 1 when something differs, 2 when a config cannot be used or has no tests.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let mut outcomes = Vec::new();
    for file in &args.files {
        let config = run::read_config(file, &args.set, context, out)?;
        ensure!(!config.tests.is_empty(), "the config `{}` has no `tests`", file.display());
        for case in &config.tests {
            outcomes.push(outcome(file, &config, case, context)?);
        }
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.difference.is_empty()).count();
    match args.format {
        Format::Json => {
            let document = |o: &Outcome| json!({"file": o.file, "name": o.name, "ok": o.difference.is_empty(), "difference": o.difference});
            out.product(format_args!("{:#}", outcomes.iter().map(document).collect::<Value>()))?;
        }
        Format::Text => {
            for Outcome { file, name, difference } in &outcomes {
                let word = if difference.is_empty() { "ok" } else { "FAILED" };
                out.product(format_args!("{file}: {name}: {word}"))?;
                if !difference.is_empty() {
                    out.product(difference.trim_end())?;
                }
            }
            out.talk(format_args!("{}, {failed} failed", counted(outcomes.len(), "test")));
        }
    }
    Ok(if failed == 0 { Verdict::Fine } else { Verdict::Findings })
}

fn outcome(file: &Path, config: &PipelineConfig, case: &TestCase, context: &Context) -> anyhow::Result<Outcome> {
    let delivered = Capture::default();
    let (product, talk) = (Product::new(delivered.clone()), Talk::new(std::io::sink()));
    let now_ms = case.now_ms();
    let config =
        PipelineConfig { reporters: vec![], ..run::locally(config.clone(), true, false, &Metrics::Talk(talk.clone())) };
    let ports = Ports {
        clock: Arc::new(LocalClock::new(Some(now_ms))),
        objects: Arc::new(LocalObjects::new(None, context.machine.dir.clone())),
        calls: Arc::new(ToStdout::new(product.clone(), Gone::default())),
        log: Arc::new(LocalLog { talk, gone: Gone::default() }),
        seed: 0,
    };
    let mut pipeline =
        Pipeline::new(&config, run::environment(context), ports).context("the pipeline cannot be built")?;
    let invocation = Invocation { now_ms: Some(now_ms), ..Invocation::default() };
    let text = case.text();
    let source = case.source.as_deref().or(config.sources.first().map(|source| &*source.name)).unwrap_or_default();
    let mut run = pipeline.begin(&invocation);
    if case.source.is_none() && config.handler.reads_objects() {
        // A line is an event, and some deserializers learn from the lines before it.
        run.object("input", text.as_bytes());
    } else {
        run.dead_letter(&DeadLetter::about(&text, source, now_ms));
    }
    let ledger = run.finish().ledger;
    product.flush()?;
    let difference = difference(case, &delivered.text(), &ledger);
    Ok(Outcome { file: file.display().to_string(), name: case.name.clone(), difference })
}

/// What differs, as a diff of texts that people read.
fn difference(case: &TestCase, delivered: &str, ledger: &Ledger) -> String {
    let mut wanted = Vec::new();
    let mut got = Vec::new();
    let lines: Vec<&str> = delivered.lines().collect();
    for (number, output) in case.output.iter().enumerate() {
        // A line that means the same is shown as the case writes it.
        let line = lines.get(number).copied();
        let same = match output {
            Value::String(text) => line == Some(text),
            value => {
                line.and_then(|line| serde_json::from_str::<Value>(line).ok()).is_some_and(|line| equal(value, &line))
            }
        };
        wanted.push(format!("delivered: {}", shown(output)));
        match line {
            Some(_) if same => got.push(format!("delivered: {}", shown(output))),
            Some(line) if output.is_string() => got.push(format!("delivered: {line}")),
            Some(line) => {
                let value = serde_json::from_str(line).unwrap_or_else(|_| Value::from(line));
                got.push(format!("delivered: {}", shown(&value)));
            }
            None => {}
        }
    }
    for line in lines.iter().skip(case.output.len()) {
        got.push(format!("delivered: {line}"));
    }
    let reasons = |word: &str, reasons: Vec<String>| {
        reasons.into_iter().map(|reason| format!("{word}: {reason}")).collect::<Vec<_>>()
    };
    let sorted = |reasons: &[String]| {
        let mut reasons = reasons.to_vec();
        reasons.sort();
        reasons
    };
    let repeated = |reason: &str, count: u64| (0..count.min(1_000)).map(|_| reason.to_owned()).collect::<Vec<_>>();
    wanted.extend(reasons("dropped", sorted(&case.dropped)));
    wanted.extend(reasons("failed", sorted(&case.failed)));
    let dropped: Vec<String> = ledger.dropped.iter().flat_map(|(reason, count)| repeated(reason, *count)).collect();
    let told = |stage: Stage, component: &str, reason: &str| match stage {
        Stage::Delivery => format!("{reason} ({component} was not delivered)"),
        _ => reason.to_owned(),
    };
    let failed = ledger.failed.iter().flat_map(|f| repeated(&told(f.stage, &f.component, &f.reason), f.count));
    got.extend(reasons("dropped", sorted(&dropped)));
    got.extend(reasons("failed", sorted(&failed.collect::<Vec<_>>())));
    if wanted == got {
        return String::new();
    }
    let text = |lines: &[String]| lines.iter().map(|line| line.clone() + "\n").collect::<String>();
    let (wanted, got) = (text(&wanted), text(&got));
    let diff = TextDiff::from_lines(&wanted, &got);
    let changes = diff.iter_all_changes().map(|change| format!("  {}{change}", change.tag()));
    changes.collect::<Vec<_>>().concat()
}

/// A value over several lines; a text as it is.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| format!("{value:#}"), str::to_owned)
}

/// Whether two values mean the same: numbers by their value, members in any order.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.is_f64() | b.is_f64() && a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}
