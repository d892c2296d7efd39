//! How fast pipelines are, beside two programs that do the same work without a pipeline: `cargo bench -p etl`.
//!
//! Every figure is the CPU time of a whole process, ours and the yardstick's in turn, so that a busy machine is as hard on the one as
//! on the other. Written to `RESULTS.md` beside this folder. `-- --help` says what else there is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that cannot measure ends, and says why"
)]

mod binaries;
mod clock;
mod corpus;
mod cost;
mod count;
mod measure;
mod ours;
mod page;
mod table;
mod yardstick;

use corpus::Corpus;

const HELP: &str = "cargo bench -p etl                      the table, written to functions/etl/benches/RESULTS.md, and what it means in COST.md
cargo bench -p etl -- --rounds 9        with more rounds than the usual five
cargo bench -p etl -- --clock           two cores against one alone, printed
cargo bench -p etl -- --cost            COST.md anew, from RESULTS.md as it is
cargo bench -p etl -- --instructions    instructions and allocations of an event against instructions.txt; needs valgrind
cargo bench -p etl -- --accept          writes instructions.txt anew";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["ours", case, out, ref files @ ..] => ours::run(case, out, files),
        ["naive", out, ref files @ ..] => yardstick::run(yardstick::flat, out, files),
        ["naive-talk", out, ref files @ ..] => yardstick::run(yardstick::bulk, out, files),
        ["--instructions"] => count::compare(&Corpus::own()),
        ["--accept"] => count::accept(&Corpus::own()),
        ["--clock"] => println!("{}", clock::row(&Corpus::best(), 9).measured),
        ["--cost"] => cost::write(),
        [] => table::write(&Corpus::best(), 5),
        ["--rounds", rounds] => table::write(&Corpus::best(), rounds.parse().unwrap()),
        _ => println!("{HELP}"),
    }
}
