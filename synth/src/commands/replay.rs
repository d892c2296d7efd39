//! `synth replay`: what failed, through the pipeline again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use etl::config::PipelineConfig;
use etl::dead_letter::DeadLetter;
use etl::event::Context as Invocation;
use etl::pipeline::{Invoked, Pipeline};
use etl::ports::{Calls, Ports};
use serde_json::{Value, json};

use super::{Context, counted, run};
use crate::local::Gone;
use crate::local::calls::{ToFolder, ToStdout};
use crate::local::clock::{LocalClock, moment};
use crate::local::log::LocalLog;
use crate::local::metrics::Metrics;
use crate::local::objects::LocalObjects;
use crate::output::{Output, Verdict};
use crate::workspace::Setting;

/// Takes what failed through a pipeline again, on this machine.
///
/// Each FILE has JSON values, one after the other: dead letters as a config's `dead_letter` transport wrote them, records of a
/// function's failure queue (`requestPayload` is the invocation), or messages of a queue with either in them, as
/// `aws sqs receive-message` prints them; with a handler that reads queues any message is such an invocation. Of an event that was split only what failed goes through again, and of several transports only
/// the one that refused it. Letters keep their origin, so ids made of it are the same.
///
/// What would be delivered goes to stdout, or with `--to` into a folder as the transport's own units. To deliver for real, `--print` writes
/// what a deployed function is to be invoked with, and `--deliver` runs the function on this machine.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline's config, YAML or JSON.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Files with what failed.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Deliver into this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Where objects are read from that invocations announce: `DIR/<bucket>/<key>`.
    #[arg(long, value_name = "DIR")]
    objects: Option<PathBuf>,
    /// Only print the invocations for the function, a line each: for `aws lambda invoke --payload`.
    #[arg(long, conflicts_with_all = ["to", "objects", "now", "deliver"])]
    print: bool,
    /// Hand all of it to the function's own binary, which delivers for real, with the AWS credentials and endpoints of the environment.
    /// What goes where is said first; then the function is built.
    #[arg(long, conflicts_with_all = ["to", "objects", "now"])]
    deliver: bool,
    /// What the clock says: milliseconds since 1970, or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_hyphen_values = true)]
    now: Option<i64>,
    /// The value of a variable of the config, `<NAME>`.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
}

/// What is to be done again.
enum Failed {
    Letter(Box<DeadLetter<'static>>),
    Invocation(Value),
}

/// The letters of one invocation of a function: it takes 6 MB.
const LETTERS: usize = 4 << 20;

/// Exit code: 0 when every event was delivered or dropped on purpose, 1 when one failed again, 2 when a file cannot be read.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let config = run::read_config(&args.config, &args.set, context, out)?;
    let mut failed = Vec::new();
    for file in &args.files {
        read(file, config.handler.name(), &mut failed)?;
    }
    if args.print {
        for event in invocations(&failed)? {
            out.product(event)?;
        }
        return Ok(Verdict::Fine);
    }
    if args.deliver {
        return deliver(args, &config, &failed, context, out);
    }
    let (gone, talk) = (Gone::default(), out.talker());
    let calls: Arc<dyn Calls> = match &args.to {
        Some(folder) => Arc::new(ToFolder::new(folder)?),
        None => Arc::new(ToStdout::new(out.stream(), gone.clone())),
    };
    let ports = Ports {
        clock: Arc::new(LocalClock::new(args.now)),
        objects: Arc::new(LocalObjects::new(args.objects.clone(), context.machine.dir.clone())),
        calls,
        log: Arc::new(LocalLog { talk: talk.clone(), gone: gone.clone() }),
        seed: 0,
    };
    let config = run::locally(config, args.to.is_none(), false, &Metrics::Talk(talk));
    let mut pipeline =
        Pipeline::new(&config, run::environment(context), ports).context("the pipeline cannot be built")?;
    let invocation = Invocation { now_ms: args.now, ..Invocation::default() };
    let mut fine = true;
    let mut tell = |what: String, invoked: &Invoked, out: &mut Output| {
        out.talk(what);
        for line in run::lines_of(&invoked.ledger) {
            out.talk(line);
        }
        fine &= invoked.answer.is_ok() && invoked.ledger.all_failed() == 0;
    };
    let letters: Vec<_> =
        failed.iter().filter_map(|f| if let Failed::Letter(l) = f { Some(l) } else { None }).collect();
    let mut without = 0;
    if !letters.is_empty() {
        let mut run = pipeline.begin(&invocation);
        without = letters.iter().filter(|letter| !run.dead_letter(letter)).count();
        tell(counted(letters.len(), "dead letter"), &run.finish(), out);
    }
    for failed in &failed {
        if let Failed::Invocation(event) = failed {
            let invoked = pipeline.invoke(event.to_string().as_bytes(), &invocation);
            tell("an invocation".to_owned(), &invoked, out);
        }
    }
    if without > 0 {
        out.talk(format_args!("{} without the event: read it again from its origin", counted(without, "letter")));
    }
    Ok(if fine && without == 0 { Verdict::Fine } else { Verdict::Findings })
}

/// What a function is to be invoked with: letters together, as many as an invocation takes.
fn invocations(failed: &[Failed]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    let mut letters: Vec<String> = Vec::new();
    let flush = |letters: &mut Vec<String>, all: &mut Vec<String>| {
        if !letters.is_empty() {
            all.push(format!(r#"{{"dead_letters":[{}]}}"#, std::mem::take(letters).join(",")));
        }
    };
    for failed in failed {
        match failed {
            Failed::Letter(letter) => {
                let letter = serde_json::to_string(letter)?;
                if letters.iter().map(String::len).sum::<usize>() + letter.len() > LETTERS {
                    flush(&mut letters, &mut all);
                }
                letters.push(letter);
            }
            Failed::Invocation(event) => all.push(event.to_string()),
        }
    }
    flush(&mut letters, &mut all);
    Ok(all)
}

/// By the function, for real.
fn deliver(
    args: &Args,
    config: &PipelineConfig,
    failed: &[Failed],
    context: &Context,
    out: &mut Output,
) -> anyhow::Result<Verdict> {
    let letters = failed.iter().filter(|failed| matches!(failed, Failed::Letter(_))).count();
    let events = invocations(failed)?;
    out.talk(format_args!(
        "{} and {} are delivered for real, in {}, to:",
        counted(letters, "dead letter"),
        counted(failed.len() - letters, "failed invocation"),
        counted(events.len(), "invocation"),
    ));
    for exit in config.exits() {
        out.talk(format_args!("  {}", place(&exit.transport.to_json())));
    }
    let function = run::Function::build(&args.config, &args.set, context, out)?;
    let mut verdict = Verdict::Fine;
    for event in events {
        if matches!(function.invoke(event.as_bytes(), &Invocation::default(), out)?, Verdict::Findings) {
            verdict = Verdict::Findings;
        }
    }
    Ok(verdict)
}

/// A far side, by its kind and its name; nothing of what may be secret.
fn place(transport: &Value) -> String {
    const NAMES: [&str; 6] = ["hostname", "stream_name", "bucket_name", "queue_url", "topic_arn", "filename"];
    let text = |name: &str| transport[name].as_str();
    let named = NAMES.iter().filter_map(|name| Some(format!(" {}", text(name)?)));
    named.fold(text("type").unwrap_or_default().to_owned(), |all, name| all + &name)
}

fn read(file: &Path, handler: &str, failed: &mut Vec<Failed>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read `{}`", file.display());
    let bytes = fs::read(file).with_context(cannot)?;
    for (value, number) in serde_json::Deserializer::from_slice(&bytes).into_iter::<Value>().zip(1..) {
        let place = || format!("{}: value {number}", cannot());
        understand(value.with_context(place)?, handler, failed).with_context(place)?;
    }
    Ok(())
}

/// The handlers that read messages of queues, whatever is in them.
const QUEUES: [&str; 3] = ["S3Handler", "SNSS3Handler", "SQSHandler"];

/// Finds what failed in a value, whatever it is packed in.
fn understand(value: Value, handler: &str, failed: &mut Vec<Failed>) -> anyhow::Result<()> {
    if value.get("dead_letter").is_some() {
        failed.push(Failed::Letter(serde_json::from_value(value)?));
    } else if let Some(event) = value.get("requestPayload") {
        failed.push(Failed::Invocation(event.clone()));
    } else if let Some(letters) =
        value.get("dead_letters").or(value.get("Messages")).or(value.get("Records")).and_then(Value::as_array)
    {
        for one in letters {
            understand(one.clone(), handler, failed)?;
        }
    } else if let Some(body) = value.get("Body").or(value.get("body")).and_then(Value::as_str) {
        let mut inner = Vec::new();
        let read = serde_json::from_str(body).map_err(anyhow::Error::from);
        match read.and_then(|value| understand(value, handler, &mut inner)) {
            Ok(()) => failed.append(&mut inner),
            Err(_) if QUEUES.contains(&handler) => failed.push(Failed::Invocation(received(&value, body))),
            Err(error) => return Err(error),
        }
    } else {
        bail!("it is neither a dead letter nor a record of a failed invocation, nor a message with one");
    }
    Ok(())
}

/// The invocation that a message which was given up came in: what `receive-message` prints of it, as Lambda spells it. The queue that it was
/// given up in does not say by itself which queue it came from; `--attribute-names All` makes it.
fn received(message: &Value, body: &str) -> Value {
    let from = message.pointer("/Attributes/DeadLetterQueueSourceArn").or(message.get("eventSourceARN"));
    json!({"Records": [{
        "messageId": message.get("MessageId").or(message.get("messageId")).and_then(Value::as_str).unwrap_or_default(),
        "body": body,
        "attributes": message.get("Attributes").or(message.get("attributes")).unwrap_or(&json!({})),
        "eventSource": "aws:sqs",
        "eventSourceARN": from.and_then(Value::as_str).unwrap_or_default(),
    }]})
}
