//! The rows: what is asked for, and what it takes.

use super::{
    binaries, clock,
    corpus::{Corpus, shared, target},
    cost,
    measure::{self, in_turn, ours},
    ours::{config, read},
    page::{self, Row},
};
use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

/// Where output goes that nobody reads.
const NOWHERE: &str = "/dev/null";
/// Memory that a function has beside the pipeline's: the SDK, the runtime, its own code.
const MIB: f64 = 1024.0 * 1024.0;

/// Measures all rows and writes the page.
pub(crate) fn write(corpus: &Corpus, rounds: usize) {
    let yardstick = Yardstick::find();
    let mut rows = vec![];
    let mut details = String::from(
        "| program | ms | least | MB/s of raw JSON | events in a CPU second |\n| --- | --- | --- | --- | --- |\n",
    );
    let mut tell = |name: &str, (median, least): (f64, f64), raw: usize, events: usize| {
        let (megabytes, thousands) = (per(raw, 1e3) / median, per(events, 1.0) / median);
        writeln!(details, "| {name} | {median:.1} | {least:.1} | {megabytes:.0} | {thousands:.0},000 |").unwrap();
        eprintln!("{name}: {median:.1} ms");
    };
    // Three times over, as a warm function goes on: a fresh process takes its memory from the system page by page.
    let Corpus { objects, records, raw, .. } = corpus;
    let (objects, records, raw) = (&thrice(objects), &(3 * records), &(3 * raw));

    let mut commands =
        vec![yardstick.command("naive", objects), ours("flat", NOWHERE, objects), ours("copy", NOWHERE, objects)];
    commands.extend(yardstick.one_pass(objects));
    let took = in_turn(&mut commands, rounds);
    for (name, took) in
        ["yardstick `naive`", "ours: split, filter, flatten, key names", "ours: split alone", "yardstick `one-pass`"]
            .iter()
            .zip(&took)
    {
        tell(name, *took, *raw, *records);
    }
    let (ratio, best) = (took[0].0 / took[1].0, took.get(3).map(|one_pass| one_pass.0 / took[1].0));
    let best = best.map_or(String::new(), |best| format!("; {best:.2} x `one-pass`"));
    rows.push(Row {
        work: "CloudTrail gz -> split, `FlattenOperation`, `JsonKeyNameOperation`, NDJSON".into(),
        at_least: "8 x `naive`",
        aim: "1.0 x `one-pass`",
        measured: format!("{ratio:.1} x `naive`{best}"),
        reached: ratio >= 8.0,
    });

    let mut commands = [
        yardstick.command("naive-talk", objects),
        ours("stack-plain", NOWHERE, objects),
        ours("stack", NOWHERE, objects),
    ];
    let took = in_turn(&mut commands, rounds);
    for (name, took) in [
        "yardstick `naive-talk`",
        "ours: config of the stack `cloudtrail`, bodies as they are",
        "ours: the same, bodies in gzip",
    ]
    .iter()
    .zip(&took)
    {
        tell(name, *took, *raw, *records);
    }
    let (plain, packed) = (took[0].0 / took[1].0, took[0].0 / took[2].0);
    rows.push(Row {
        work: "CloudTrail gz -> the stack `cloudtrail`'s own config, bulk lines with hash id".into(),
        at_least: "6 x `naive-talk`",
        aim: "12 x",
        measured: format!("{plain:.1} x; {packed:.1} x with its bodies in gzip, which `naive-talk` has not"),
        reached: plain >= 6.0,
    });

    let bytes = |files: &[String]| files.iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    let (invocations, syslog) = (thrice(&corpus.invocations), 3 * corpus.syslog);
    let took = in_turn(&mut [ours("syslog", NOWHERE, &invocations)], rounds)[0];
    let size = usize::try_from(bytes(&invocations)).unwrap();
    tell("ours: syslog in Kinesis invocations", took, size, syslog);
    let rate = per(syslog, 1e-3) / took.0;
    rows.push(Row {
        work: "syslog JSON in Kinesis invocations of 6 MB: base64, `GenericJson`, `JsonReplaceKVOperation`, `KinesisWrapper`, `Json`".into(),
        at_least: "1,000,000 events in a CPU second",
        aim: "2,000,000",
        measured: format!("{:.2} million", rate / 1e6),
        reached: rate >= 1e6,
    });

    let often = vec![corpus.lines.clone(); 3];
    let took = in_turn(&mut [ours("filter", NOWHERE, &often)], rounds)[0];
    tell("ours: a filter that drops 99 % of NDJSON", took, *raw, *records);
    let rate = per(*raw, 1e6) / took.0;
    rows.push(Row {
        work: "a filter on one field that drops 99 % of NDJSON, every event checked to be valid JSON".into(),
        at_least: "1.3 GB/s",
        aim: "2.5 GB/s",
        measured: format!("{rate:.2} GB/s"),
        reached: rate >= 1.3,
    });

    let took = in_turn(&mut [ours("one", NOWHERE, objects), ours("ten", NOWHERE, objects)], rounds);
    tell("ours: split, one operation", took[0], *raw, *records);
    tell("ours: split, ten operations", took[1], *raw, *records);
    let ratio = took[1].0 / took[0].0;
    rows.push(Row {
        work: "ten operations of mixed kinds instead of one".into(),
        at_least: "2.5 x the time",
        aim: "1.5 x",
        measured: format!("{ratio:.2} x"),
        reached: ratio <= 2.5,
    });

    rows.extend(memory(corpus));
    rows.push(reading());
    rows.push(clock::row(corpus, rounds));
    rows.extend(binaries::rows(rounds));
    details.push('\n');
    page::write(&corpus.name, rounds, &rows, &details);
    cost::write();
}

fn thrice(files: &[String]) -> Vec<String> {
    [files, files, files].concat()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn per(count: usize, unit: f64) -> f64 {
    count as f64 / unit
}

/// A large object of lines, and a large document.
fn memory(corpus: &Corpus) -> [Row; 2] {
    let size = |path: &str| usize::try_from(fs::metadata(path).unwrap().len()).unwrap();
    let times = 200_000_000_usize.div_ceil(size(&corpus.gzipped_lines));
    let lines = measure::run(&mut ours("lines-to-firehose", NOWHERE, &[format!("{}*{times}", corpus.gzipped_lines)]));
    let document = measure::run(&mut ours("document", NOWHERE, std::slice::from_ref(&corpus.document)));
    let mib = |bytes: u64| per(usize::try_from(bytes).unwrap(), MIB);
    let raw = per(size(&corpus.document), MIB);
    [
        Row {
            work: format!(
                "memory: a line-delimited gz object of 200 MB ({:.1} GB raw) through the S3 handler to Firehose",
                per(times * corpus.raw, 1e9)
            ),
            at_least: "a function of 128 MB",
            aim: "64 MiB resident",
            measured: format!("{:.0} MiB resident", mib(lines.peak)),
            reached: mib(lines.peak) < 100.0,
        },
        Row {
            work: format!("memory: one JSON document of {raw:.0} MiB, split, to Firehose"),
            at_least: "a function of 512 MB",
            aim: "its size + 64 MiB",
            measured: format!("{:.0} MiB resident", mib(document.peak)),
            reached: mib(document.peak) < 480.0,
        },
    ]
}

/// The config of a pipeline of twenty operations, from text to a config, the schema made anew: what a cold start has to do.
fn reading() -> Row {
    let yaml = config("twenty");
    let began = Instant::now();
    let text = read(&yaml);
    let first = began.elapsed();
    let text = text.to_json();
    let mut again = vec![];
    for _ in 0..21 {
        let began = Instant::now();
        read(&text);
        again.push(began.elapsed());
    }
    again.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Row {
        work: format!("reading a config of 20 operations, {} bytes (part of the cold start)", text.len()),
        at_least: "",
        aim: "",
        measured: format!("{:.2} ms; {:.2} ms once the schema is made", ms(first), ms(again[10])),
        reached: true,
    }
}

/// The program to compare with: that of `../shared/bench` if it is there, else the one in here, which has no `one-pass`.
struct Yardstick {
    shared: Option<PathBuf>,
}

impl Yardstick {
    fn find() -> Self {
        let built = shared().and_then(|shared| {
            let target = target().join("yardstick");
            let manifest = shared.join("yardstick/Cargo.toml");
            let mut cargo = Command::new(env!("CARGO"));
            cargo
                .args(["build", "--quiet", "--release", "--manifest-path"])
                .arg(manifest)
                .arg("--target-dir")
                .arg(&target);
            let built = cargo.status().is_ok_and(|status| status.success());
            built.then(|| target.join("release/yardstick"))
        });
        if built.is_none() {
            eprintln!(
                "the yardstick of `../shared/bench` is not there: ours is taken, which is slower and has no `one-pass`"
            );
        }
        Self { shared: built }
    }

    fn command(&self, mode: &str, files: &[String]) -> Command {
        let mut command = Command::new(self.shared.clone().unwrap_or_else(measure::this));
        command.args([mode, NOWHERE]).args(files).stderr(std::process::Stdio::null());
        command
    }

    fn one_pass(&self, files: &[String]) -> Option<Command> {
        self.shared.is_some().then(|| self.command("one-pass", files))
    }
}
