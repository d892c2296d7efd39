//! `RESULTS.md`.

use std::{fmt::Write as _, fs, path::Path, process::Command};

/// A line of the table.
pub(crate) struct Row {
    pub(crate) work: String,
    pub(crate) at_least: &'static str,
    pub(crate) aim: &'static str,
    pub(crate) measured: String,
    pub(crate) reached: bool,
}

/// Writes and prints the page.
pub(crate) fn write(corpus: &str, rounds: usize, rows: &[Row], details: &str) {
    let mut page = String::from("# How fast pipelines are\n\nWritten by `cargo bench -p etl`; not by hand.\n\n");
    writeln!(
        page,
        "{}. {} rounds, each program in turn, CPU time of whole processes on one core, medians.",
        machine(),
        rounds
    )
    .unwrap();
    writeln!(page, "{corpus}.\n").unwrap();
    page.push_str("| work | at least | aim | measured | |\n| --- | --- | --- | --- | --- |\n");
    for Row { work, at_least, aim, measured, reached } in rows {
        let reached = if *reached { "" } else { "not reached" };
        writeln!(page, "| {work} | {at_least} | {aim} | **{measured}** | {reached} |").unwrap();
    }
    page.push('\n');
    page.push_str(details);
    let notes = fs::read_to_string(folder().join("NOTES.md")).unwrap_or_default();
    if !notes.is_empty() {
        page.push('\n');
        page.push_str(&notes);
    }
    print!("{page}");
    fs::write(folder().join("RESULTS.md"), page).unwrap();
}

pub(crate) fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/benches"))
}

/// The day, the kind of machine, the compiler.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown", |(_, model)| model);
    let count = cpus.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    let rustc = Command::new("rustc")
        .arg("--version")
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let rustc = rustc.unwrap_or_default();
    let rustc = rustc.split(" (").next().unwrap_or_default();
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    format!("{day}, {model}, {count} cores, load average {load}, {}, {rustc}", std::env::consts::ARCH)
}
