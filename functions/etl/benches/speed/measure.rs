//! Processes and what they take: CPU time, memory, instructions, allocations.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

/// How a process says, in nanoseconds, how long it worked, if not all of its time counts.
pub(crate) const WORK: &str = "work: ";

/// CPU time of this process so far: of its first thread.
pub(crate) fn own_cpu() -> Duration {
    let first = fs::read_to_string("/proc/self/schedstat").unwrap();
    Duration::from_nanos(first.split(' ').next().unwrap().parse().unwrap())
}

/// This very program.
pub(crate) fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// A process of a case of ours.
pub(crate) fn ours(case: &str, out: &str, files: &[String]) -> Command {
    let mut command = Command::new(this());
    command.args(["ours", case, out]).args(files);
    command
}

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Took {
    /// CPU time, of all threads.
    pub(crate) cpu: Duration,
    /// The most memory that was resident, in bytes.
    pub(crate) peak: u64,
}

/// Runs a process to its end.
///
/// Its CPU time is read when it has ended and nobody has asked how, since the kernel forgets it then; its memory while it runs.
pub(crate) fn run(command: &mut Command) -> Took {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let of = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
    let mut took = Took::default();
    loop {
        if let Some(kib) = of("status").lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB")) {
            took.peak = kib.trim().parse::<u64>().unwrap() << 10;
        }
        let stat = of("stat");
        // Behind the name, which may hold anything, in parentheses: the state, and further on ticks of 10 ms.
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        if fields[0] == "Z" {
            let first: u64 = of("schedstat").split(' ').next().unwrap().parse().unwrap();
            let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum();
            let (first, all) = (Duration::from_nanos(first), Duration::from_millis(10 * ticks));
            // To the nanosecond for the first thread; ticks tell of others, if there were any.
            took.cpu = if all > first + Duration::from_millis(25) { all } else { first };
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    let said = String::from_utf8_lossy(&output.stdout);
    if let Some(work) = said.lines().find_map(|line| line.strip_prefix(WORK)) {
        took.cpu = Duration::from_nanos(work.parse().unwrap());
    }
    took
}

/// The medians of several commands that are run in turn, in milliseconds, and the least that each took.
pub(crate) fn in_turn(commands: &mut [Command], rounds: usize) -> Vec<(f64, f64)> {
    let mut all = vec![vec![]; commands.len()];
    for _ in 0..rounds {
        for (command, times) in commands.iter_mut().zip(&mut all) {
            times.push(run(command).cpu.as_secs_f64() * 1e3);
        }
    }
    let summary = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        (times[times.len() / 2], times[0])
    };
    all.into_iter().map(summary).collect()
}

/// Instructions of a command by callgrind, and allocations by memcheck. None where valgrind is not installed.
pub(crate) fn counts(case: &str, files: &[String]) -> Option<(u64, u64)> {
    let valgrind = |tool: &[&str]| {
        let ours = ours(case, "/dev/null", files);
        let mut command = Command::new("valgrind");
        let output = command.args(tool).arg(ours.get_program()).args(ours.get_args()).output().ok()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        Some(said)
    };
    let number = |said: &str, before: &str| -> u64 {
        let (_, rest) = said.split_once(before).unwrap_or_else(|| panic!("valgrind did not say `{before}`: {said}"));
        let digits: String = rest.trim_start().chars().take_while(|c| *c != ' ' && *c != '\n').collect();
        digits.replace(',', "").parse().unwrap()
    };
    let instructions = number(&valgrind(&["--tool=callgrind", "--callgrind-out-file=/dev/null"])?, "Collected :");
    let allocations = number(&valgrind(&["--tool=memcheck", "--undef-value-errors=no"])?, "total heap usage:");
    Some((instructions, allocations))
}
