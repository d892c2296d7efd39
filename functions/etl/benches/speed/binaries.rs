//! The programs as they are shipped: how soon they are ready, how large they are. They are measured where they have been built.

use super::{
    corpus::target,
    measure,
    ours::{config, read},
    page::Row,
};
use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// A function's start, its zip, and `synth`.
pub(crate) fn rows(rounds: usize) -> Vec<Row> {
    [
        start(rounds),
        zip(),
        synth("release", "50 ms", 50.0, rounds),
        synth("debug", "150 ms", 150.0, rounds),
        large_stack(),
    ]
    .into()
}

pub(crate) fn missing(work: &str, at_least: &'static str, aim: &'static str, how: &str) -> Row {
    Row { work: work.into(), at_least, aim, measured: format!("not measured: {how}"), reached: false }
}

/// From the start of the process to its first question for an event, by CPU time; the clock's beside it.
fn start(rounds: usize) -> Row {
    let work = "process start of the function to its first `next` call, config of 20 operations, SDK clients made";
    let (at_least, aim) = ("15 ms", "5 ms");
    let bootstrap = target().join("lambda/x86_64/etl/bootstrap");
    if !bootstrap.exists() {
        return missing(work, at_least, aim, "`cargo run package --arch x86_64` first");
    }
    let api = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut times = vec![];
    for _ in 0..rounds.max(9) {
        let began = Instant::now();
        let mut child = Command::new(&bootstrap)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
            .envs([("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")])
            .envs([("AWS_LAMBDA_FUNCTION_NAME", "etl"), ("AWS_LAMBDA_FUNCTION_VERSION", "7")])
            .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"), ("AWS_LAMBDA_LOG_GROUP_NAME", "g")])
            .envs([("AWS_LAMBDA_LOG_STREAM_NAME", "s"), ("BENDER_CONFIG_INLINE", &*twenty_to_firehose())])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (mut asked, mut line) = (api.accept().unwrap().0, [0; 64]);
        let length = asked.read(&mut line).unwrap();
        let wall = began.elapsed();
        assert!(line[..length].starts_with(b"GET /2018-06-01/runtime/invocation/next"), "it asks for events first");
        let tasks = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap();
        let threads = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap());
        let cpu: u64 = threads.map(|stat| stat.split(' ').next().unwrap().parse::<u64>().unwrap()).sum();
        child.kill().unwrap();
        child.wait().unwrap();
        times.push((Duration::from_nanos(cpu), wall));
    }
    times.sort();
    let (cpu, wall) = times[times.len() / 2];
    let least = times.iter().map(|(_, wall)| *wall).min().unwrap_or_default();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    Row {
        work: work.into(),
        at_least,
        aim,
        measured: format!("{:.1} ms of CPU; by the clock {:.1} ms, at best {:.1}", ms(cpu), ms(wall), ms(least)),
        reached: ms(cpu) <= 15.0,
    }
}

/// The config as a function has it in its environment.
fn twenty_to_firehose() -> String {
    read(&config("twenty")).to_json()
}

/// The latest of each processor.
fn zip() -> Row {
    let (work, at_least, aim) = ("the function's zip", "6 MB", "4 MB");
    let sizes = ["arm64", "x86_64"].map(|arch| latest(&format!("etl-{arch}-")).map(|size| (arch, size)));
    let [Some(arm64), Some(x86_64)] = sizes else {
        return missing(work, at_least, aim, "`cargo run package --arch arm64,x86_64` first");
    };
    let told = [arm64, x86_64].map(|(arch, size)| format!("{size:.2} MB for {arch}"));
    let reached = arm64.1 <= 6.0 && x86_64.1 <= 6.0;
    Row { work: work.into(), at_least, aim, measured: told.join(", "), reached }
}

/// The size in MB of the package that was written last among those whose name begins so.
fn latest(start: &str) -> Option<f64> {
    let packages = fs::read_dir(target().join("package")).ok()?.filter_map(Result::ok);
    let named = packages.filter(|file| file.file_name().to_string_lossy().starts_with(start));
    let facts = named.filter_map(|file| file.metadata().ok()).filter(fs::Metadata::is_file);
    let latest = facts.filter_map(|facts| Some((facts.modified().ok()?, facts.len()))).max()?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    Some(latest.1 as f64 / 1e6)
}

/// Ten times the resources, in one process that makes both stacks in turn.
fn large_stack() -> Row {
    let work = "a stack of 500 resources from Rust to a checked template, against one of 50";
    let (at_least, aim) = ("11 x the time", "");
    let program = target().join("release/examples/large_stack");
    if !program.exists() {
        let how = "`cargo build --release --package constructs --example large_stack` first";
        return missing(work, at_least, aim, how);
    }
    let output = Command::new(program).args(["50", "500"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let of = |size: &str| -> f64 {
        said.lines().find_map(|line| line.strip_prefix(size)?.strip_prefix(' ')).unwrap().parse().unwrap()
    };
    let (small, large) = (of("50"), of("500"));
    Row {
        work: work.into(),
        at_least,
        aim,
        measured: format!("{:.1} x: {large:.1} ms", large / small),
        reached: large / small <= 11.0,
    }
}

fn synth(build: &str, at_least: &'static str, most: f64, rounds: usize) -> Row {
    let work = format!("`synth` of every stack, {build} build, process start to end");
    let program = target().join(build).join("synth");
    if !program.exists() {
        let flag = if build == "release" { " --release" } else { "" };
        return missing(&work, at_least, "20 ms", &format!("`cargo build --package synth{flag}` first"));
    }
    let mut command = Command::new(program);
    command.args(["synth", "--out"]).arg(target().join("bench/templates")).stderr(Stdio::null());
    let (median, least) = measure::in_turn(&mut [command], rounds.max(9))[0];
    Row {
        work,
        at_least,
        aim: "20 ms",
        measured: format!("{median:.0} ms of CPU, at best {least:.0}"),
        reached: median <= most,
    }
}
