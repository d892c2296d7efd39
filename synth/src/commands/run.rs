//! `synth run`: a pipeline on this machine, no AWS needed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::Renderer;
use anyhow::{Context as _, bail};
use base64_simd::STANDARD;
use etl::config::{PipelineConfig, TransportConfig, Variables};
use etl::event::Context as Invocation;
use etl::pipeline::{Bounds, Environment, Invoked, Ledger, Pipeline, Run};
use etl::ports::{Calls, Clock as _, Ports};
use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::local::Gone;
use crate::local::calls::{ToFolder, ToStdout};
use crate::local::clock::{LocalClock, moment};
use crate::local::lambda;
use crate::local::lines;
use crate::local::log::LocalLog;
use crate::local::metrics::Metrics;
use crate::local::objects::LocalObjects;
use crate::output::{Output, Verdict};
use crate::package::build;
use crate::workspace::{Metadata, Setting};

/// Runs a pipeline on this machine, no AWS needed.
///
/// Each INPUT is handed over as the config's handler would have it: with a handler that reads objects a file is an object
/// (gzip, zstd, bzip2 and framed snappy are inflated), with any other each line is a record. Or `--event` is one invocation as Lambda delivers
/// it, and the objects it announces are read from a folder.
///
/// What would be delivered goes to stdout, one serialized event a line, or with `--to` into a folder as the transport's own
/// units: objects, Firehose records, request bodies; there dead letters are, too. Metrics and the ledger (what became of every event) go to stderr, or to
/// files. `<NAME>` in the config is a value of the environment, or of `--set`.
///
/// Exit code 1 means that events failed.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("source").required(true).args(["inputs", "event"]))]
pub struct Args {
    /// The pipeline's config, YAML or JSON.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Files with events; `-` is stdin.
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// An invocation as Lambda delivers it, JSON; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    event: Option<PathBuf>,
    /// Where objects are read from: `DIR/<bucket>/<key>`.
    #[arg(long, value_name = "DIR")]
    objects: Option<PathBuf>,
    /// Deliver into this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Where the metrics of the config's reporters go, a line each; to stderr when not given.
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
    /// Where the ledger goes, as JSON; it is told on stderr all the same.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// What Lambda would say about the invocation, and what the inputs stand for: JSON, every member optional.
    #[arg(long, value_name = "FILE")]
    context: Option<PathBuf>,
    /// What the clock says: milliseconds since 1970, or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    now: Option<i64>,
    /// The value of a variable of the config, `<NAME>`.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    /// Hand the event to the function's own binary, which reads and delivers for real, with the AWS credentials and endpoints of
    /// the environment. It is built first.
    #[arg(long, requires = "event", conflicts_with_all = ["objects", "to", "metrics", "ledger", "now"])]
    deliver: bool,
}

/// Exit code: 0 when every event was delivered or dropped on purpose, 1 when one failed, 2 when the pipeline cannot run.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let config = read_config(&args.config, &args.set, context, out)?;
    let invocation = invocation(args)?;
    if args.deliver {
        return deliver(args, context, &invocation, out);
    }
    let gone = Gone::default();
    let bar = progress(args, out);
    let talk = bar.iter().fold(out.talker(), |talk, bar| talk.around(bar.clone()));
    let calls: Arc<dyn Calls> = match &args.to {
        Some(folder) => Arc::new(ToFolder::new(folder)?),
        None => Arc::new(ToStdout::new(out.stream(), gone.clone())),
    };
    let metrics = match &args.metrics {
        Some(file) => Metrics::file(file)?,
        None => Metrics::Talk(talk.clone()),
    };
    let ports = Ports {
        clock: Arc::new(LocalClock::new(invocation.now_ms)),
        objects: Arc::new(LocalObjects::new(args.objects.clone(), context.machine.dir.clone())),
        calls,
        log: Arc::new(LocalLog { talk, gone: gone.clone() }),
        seed: 0,
    };
    let letters = config.dead_letter.is_some() && args.to.is_none();
    let answers = args.event.is_some() && config.handler.wants_answers();
    let config = locally(config, args.to.is_none(), answers, &metrics);
    let environment = environment(context);
    let mut pipeline = Pipeline::new(&config, environment, ports).context("the pipeline cannot be built")?;
    let invoked = if let Some(file) = &args.event {
        let event = read(file).with_context(|| format!("cannot read the event `{}`", file.display()))?;
        pipeline.invoke(&event, &invocation)
    } else {
        let inputs = Inputs { bar: bar.clone(), gone: gone.clone() };
        let objects = config.handler.reads_objects();
        let mut run = pipeline.begin(&invocation);
        for input in &args.inputs {
            inputs.read(&mut run, input, objects)?;
        }
        run.finish()
    };
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    if gone.is_set() {
        return Ok(Verdict::Fine);
    }
    if let (true, Ok(answer)) = (answers, &invoked.answer) {
        match &args.to {
            None => out.stream().write(&transformed(answer))?,
            Some(folder) => fs::write(folder.join("answer.json"), answer.to_string())?,
        }
    }
    let verdict = tell(&invoked, args, out);
    let failed = invoked.ledger.all_failed();
    if letters && failed > 0 {
        out.talk(format_args!("{failed} would be dead letters, which are not shown; `--to DIR` writes them, too"));
    }
    verdict
}

/// The events that go back to a delivery stream.
fn transformed(answer: &serde_json::Value) -> Vec<u8> {
    let records = answer["records"].as_array().into_iter().flatten();
    let mut all = Vec::new();
    for data in records.filter_map(|record| record["data"].as_str()) {
        // What is ours is base64.
        all.extend(STANDARD.decode_to_vec(data).unwrap_or_default());
        if !all.ends_with(b"\n") {
            all.push(b'\n');
        }
    }
    all
}

/// The same event, by the real function.
fn deliver(args: &Args, context: &Context, invocation: &Invocation, out: &mut Output) -> anyhow::Result<Verdict> {
    let Some(file) = &args.event else { bail!("`--deliver` hands over an event: `--event FILE`") };
    let event = read(file).with_context(|| format!("cannot read the event `{}`", file.display()))?;
    Function::build(&args.config, &args.set, context, out)?.invoke(&event, invocation, out)
}

/// The function's own binary, which delivers for real.
pub(super) struct Function {
    program: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl Function {
    /// Builds it, to run with this config.
    pub(super) fn build(config: &Path, set: &[Setting], context: &Context, out: &mut Output) -> anyhow::Result<Self> {
        const FUNCTION: &str = "etl";
        let machine = &context.machine;
        out.talk("building the function");
        let program = build::build_here(machine, &Metadata::read(machine, None)?, FUNCTION)?;
        let mut env: Vec<_> = set.iter().map(Setting::variable).collect();
        env.push(("BENDER_CONFIG".into(), format!("file://{}", machine.dir.join(config).display()).into()));
        // An inline config would win, and a hash would be another's.
        env.push(("BENDER_CONFIG_INLINE".into(), "".into()));
        env.push(("BENDER_CONFIG_SHA256".into(), "".into()));
        Ok(Self { program, env })
    }

    /// Hands over an event, and tells what Lambda would be answered.
    pub(super) fn invoke(&self, event: &[u8], invocation: &Invocation, out: &mut Output) -> anyhow::Result<Verdict> {
        // Lambda's longest.
        const TIMEOUT_MS: i64 = 15 * 60 * 1000;
        let deadline_ms = invocation.deadline_ms.unwrap_or_else(|| LocalClock::new(None).now_ms() + TIMEOUT_MS);
        match lambda::invoke(&self.program, &self.env, event, invocation, deadline_ms)? {
            Ok(answer) => {
                out.talk(format_args!("Lambda is answered: {answer}"));
                let partly = answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
                Ok(if partly { Verdict::Findings } else { Verdict::Fine })
            }
            Err(failure) => {
                out.talk(format_args!("the invocation fails: {failure}"));
                Ok(Verdict::Findings)
            }
        }
    }
}

/// Reads a config, or says all that is wrong with it.
pub(super) fn read_config(
    file: &Path,
    set: &[Setting],
    context: &Context,
    out: &mut Output,
) -> anyhow::Result<PipelineConfig> {
    let name = file.display().to_string();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read the config `{name}`"))?;
    let given = |variable: &str| Setting::lookup(set, &context.machine, variable);
    PipelineConfig::read(&context.registry, &name, &text, Variables::From(&given)).or_else(|report| {
        out.talk(report.render(&Renderer::styled()));
        bail!("the config cannot be used as it is; `synth explain CODE` says more")
    })
}

/// What a pipeline knows of this machine.
pub(super) fn environment(context: &Context) -> Environment {
    let region = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| context.machine.var(name));
    Environment { region: region.unwrap_or("us-east-1").to_owned(), function_tags: Vec::new() }
}

/// The config with this machine in the place of its far sides. `answers`: what goes back in the answer to Lambda goes there.
pub(super) fn locally(mut config: PipelineConfig, to_stdout: bool, answers: bool, metrics: &Metrics) -> PipelineConfig {
    if to_stdout {
        let instead = |transport: TransportConfig| {
            if answers && transport.is_answer() { transport } else { lines::to_stdout(transport) }
        };
        config.transport = config.transport.map(instead);
        for named in &mut config.transports {
            named.transport = instead(named.transport.clone());
        }
        // The product is what was delivered; what failed is told by its reason.
        config.dead_letter = None;
    }
    config.reporters = config.reporters.into_iter().map(|reporter| metrics.instead_of(reporter)).collect();
    config
}

fn invocation(args: &Args) -> anyhow::Result<Invocation> {
    let mut invocation = match &args.context {
        None => Invocation::default(),
        Some(file) => {
            let cannot = || format!("cannot read the context `{}`", file.display());
            serde_json::from_slice(&fs::read(file).with_context(cannot)?).with_context(cannot)?
        }
    };
    invocation.now_ms = args.now.or(invocation.now_ms);
    // Objects are named by it.
    invocation.aws_request_id.get_or_insert_with(|| lambda::REQUEST_ID.to_owned());
    Ok(invocation)
}

/// A bar when a person waits and it is in nobody's way.
fn progress(args: &Args, out: &Output) -> Option<ProgressBar> {
    let seen = out.terminals();
    if !seen.talk || seen.product && args.to.is_none() {
        return None;
    }
    let sizes = args.inputs.iter().map(|input| fs::metadata(input).ok().filter(fs::Metadata::is_file).map(|m| m.len()));
    let all = sizes.sum::<Option<u64>>()?;
    let style = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}").ok()?;
    Some(ProgressBar::new(all).with_style(style))
}

struct Inputs {
    bar: Option<ProgressBar>,
    gone: Gone,
}

impl Inputs {
    fn read(&self, run: &mut Run<'_>, input: &Path, objects: bool) -> anyhow::Result<()> {
        let cannot = || format!("cannot read the input `{}`", input.display());
        let file: Box<dyn Read> = if input == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(input).with_context(cannot)?;
            if file.metadata().with_context(cannot)?.is_dir() {
                bail!("{}: it is a folder; name its files", cannot());
            }
            Box::new(file)
        };
        let reader: Box<dyn Read> = match &self.bar {
            Some(bar) => Box::new(bar.wrap_read(file)),
            None => file,
        };
        let reader = BufReader::with_capacity(1 << 16, WhileWanted { reader, gone: self.gone.clone() });
        if objects {
            run.object(&input.to_string_lossy(), reader);
            return Ok(());
        }
        records(reader, Bounds::default().event_bytes, |record| run.record(record)).with_context(cannot)
    }
}

/// Each line, without its line break. Of a line that is longer than `most` only a little more than that is read into memory, enough
/// for the pipeline to see that it is too long.
fn records(mut reader: impl BufRead, most: usize, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(2);
        if (&mut reader).take(limit).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let whole = line.last() == Some(&b'\n');
        if whole {
            line.pop();
        }
        each(&line);
        if !whole {
            reader.skip_until(b'\n')?;
        }
    }
}

/// Ends when nobody wants more.
struct WhileWanted {
    reader: Box<dyn Read>,
    gone: Gone,
}

impl Read for WhileWanted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.gone.is_set() { Ok(0) } else { self.reader.read(buffer) }
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    if file != Path::new("-") {
        return fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn tell(invoked: &Invoked, args: &Args, out: &mut Output) -> anyhow::Result<Verdict> {
    let Invoked { answer, ledger, .. } = invoked;
    if let Some(file) = &args.ledger {
        let text = serde_json::to_string(ledger)? + "\n";
        fs::write(file, text).with_context(|| format!("cannot write the ledger to `{}`", file.display()))?;
    }
    for line in lines_of(ledger) {
        out.talk(line);
    }
    match answer {
        Ok(answer) if args.event.is_some() => out.talk(format_args!("Lambda is answered: {answer}")),
        Err(failure) if args.event.is_some() => out.talk(format_args!("the invocation fails: {failure}")),
        _ => {}
    }
    Ok(if answer.is_ok() && ledger.all_failed() == 0 { Verdict::Fine } else { Verdict::Findings })
}

/// The ledger as people read it.
pub(super) fn lines_of(ledger: &Ledger) -> Vec<String> {
    let mut lines = vec![format!("received {}, born {}, delivered {}", ledger.received, ledger.born, ledger.delivered)];
    lines.extend(ledger.dropped.iter().map(|(reason, count)| format!("dropped {count}: {reason}")));
    lines
        .extend(ledger.failed.iter().map(|f| format!("failed {}: {} {}: {}", f.count, f.stage, f.component, f.reason)));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_record_and_a_line_that_is_too_long_is_cut() {
        let read = |text: &str| {
            let mut all = Vec::new();
            records(text.as_bytes(), 4, |record| all.push(String::from_utf8_lossy(record).into_owned())).unwrap();
            all
        };
        assert_eq!(read(""), [""; 0]);
        assert_eq!(read("a\n\nb"), ["a", "", "b"]);
        assert_eq!(read("a\r\n"), ["a\r"]);
        assert_eq!(read("1234\n12345\n123456789\nx\n"), ["1234", "12345", "123456", "x"]);
    }
}
