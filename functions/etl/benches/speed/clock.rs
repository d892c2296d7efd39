//! One invocation by the clock, on two cores and on one. What it runs is `etl-adapters/examples/clock.rs`: that crate is made of this
//! one, so its adapters cannot be had here.

use super::{
    binaries::missing,
    corpus::{Corpus, target},
    ours::config,
    page::Row,
};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread::available_parallelism,
};

/// How long S3 and the search domain take to answer, in milliseconds.
const AWAY: &str = "20";

/// An invocation, in milliseconds: the clock, then CPU of the pipeline's thread, of the runtime's and of all others.
type Round = [f64; 4];

pub(crate) fn row(corpus: &Corpus, rounds: usize) -> Row {
    let count = corpus.objects.len();
    let work = format!(
        "by the clock, two cores against one: {count} objects in one invocation, the stack `cloudtrail` with its adapters, S3 and the \
         domain {AWAY} ms away, by TLS"
    );
    let (at_least, aim) = ("less time", "");
    let program = target().join("release/examples/clock");
    if !program.exists() {
        let how = "`cargo build --release --package etl-adapters --example clock` first";
        return missing(&work, at_least, aim, how);
    }
    if available_parallelism().is_ok_and(|cores| cores.get() < 2) {
        return missing(&work, at_least, aim, "this machine has one core");
    }
    let folder = target().join("bench");
    let (pem, text) = (folder.join("clock.pem"), folder.join("clock.json"));
    fs::write(&text, config("stack")).unwrap();
    // On a core that is not the one, so that it takes nothing from it.
    let mut far = on("1", &program);
    far.arg("far-side").arg(Path::new(&corpus.objects[0]).parent().unwrap()).arg(&pem).arg(AWAY);
    let mut far = far.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(far.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let mut best: [Option<Round>; 2] = [None; 2];
    for _ in 0..3 {
        for (cores, best) in ["0", "0,1"].iter().zip(&mut best) {
            let mut run = on(cores, &program);
            run.args(["run", port.trim()]).arg(&text).arg(rounds.to_string()).args(&corpus.objects);
            let said = run.env("SSL_CERT_FILE", &pem).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            let said = String::from_utf8(said.stdout).unwrap();
            let of = said.lines().filter_map(|line| line.strip_prefix("round ")).map(round).chain(*best);
            *best = of.min_by(|one, other| one[0].total_cmp(&other[0]));
        }
    }
    drop(far.stdin.take());
    far.wait().unwrap();
    let [one, two] = best.map(Option::unwrap);
    let cpu = |of: Round| of[1..].iter().sum::<f64>();
    let [wall, pipeline, runtime, others] = two;
    let all = cpu(two);
    Row {
        work,
        at_least,
        aim,
        measured: format!(
            "{:.2} of the time: {wall:.0} ms in place of {:.0}; {all:.0} ms of CPU (the pipeline's thread {pipeline:.0}, sending and \
             receiving {runtime:.0}, packing beside {others:.0}) in place of {:.0}",
            wall / one[0],
            one[0],
            cpu(one)
        ),
        reached: wall < one[0],
    }
}

fn on(cores: &str, program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", cores]).arg(program);
    command
}

fn round(line: &str) -> Round {
    let figures: Vec<f64> = line.split(' ').take(4).map(|figure| figure.parse().unwrap()).collect();
    figures.try_into().unwrap()
}
