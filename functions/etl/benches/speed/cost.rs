//! `COST.md`: what a billion events cost, of the figures of `RESULTS.md` and of AWS's list prices.

use super::page::folder;
use std::fs;

/// Dollars for a second of one core: 1,769 MB at the price of a GB second.
const CPU_SECOND: f64 = 1.769 * GB_SECOND;
const GB_SECOND: f64 = 0.000_013_333_4;
const GB_DEFAULT: f64 = 0.5;
const MILLION_REQUESTS: f64 = 0.20;
const THOUSAND_GETS: f64 = 0.000_4;
const GB_STORED: f64 = 0.023;

/// Reads the one page and writes the other.
pub(crate) fn write() {
    let results = fs::read_to_string(folder().join("RESULTS.md")).unwrap();
    let page = page(&results);
    print!("{page}");
    fs::write(folder().join("COST.md"), page).unwrap();
}

/// Microseconds of CPU for an event of a program of the page of results.
fn microseconds(results: &str, program: &str) -> f64 {
    let line = results.lines().find(|line| line.starts_with(&format!("| {program} |"))).unwrap();
    let rate: f64 = line.trim_end_matches(" |").rsplit("| ").next().unwrap().replace(',', "").parse().unwrap();
    1e6 / rate
}

/// To the nearest hundred, as people write it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a bill")]
fn hundreds(number: f64) -> String {
    let number = (number / 100.0).round() as u64;
    format!("{},{}00", number / 10, number % 10)
}

fn page(results: &str) -> String {
    // Of a billion events, a microsecond of each is a thousand seconds of all.
    let trail = microseconds(results, "ours: the same, bodies in gzip");
    let syslog = microseconds(results, "ours: syslog in Kinesis invocations");
    let (trail_cpu, events_cpu) = (1e3 * trail * CPU_SECOND, 2.0 * 1e3 * syslog * CPU_SECOND);
    let trail_requests = 0.5 * MILLION_REQUESTS + 500.0 * THOUSAND_GETS;
    let trail_waits = 500_000.0 * 0.5 * GB_DEFAULT * GB_SECOND;
    let trail_stored = 132.0 * GB_STORED;
    let trail_all = trail_requests + trail_waits + trail_cpu + trail_stored;
    let kinesis = 1_000.0 * (0.08 + 2.0 * 0.04) + 730.0 * 0.04;
    let events_requests = 0.6 * MILLION_REQUESTS;
    // A billion events in documents of the one function, 700 GB in calls of 4 MiB of the other.
    let events_waits = (500_000.0 * 0.5 + 700e9 / f64::from(4 << 20) * 0.2) * GB_DEFAULT * GB_SECOND;
    let (firehose, archive) = (700.0 * 0.029, 70.0 * GB_STORED);
    let events_all = kinesis + events_requests + events_waits + events_cpu + firehose + archive;
    let domain = 730.0 * (3.0 * 0.178 + 3.0 * 0.135);
    format!(
        "# What a billion events cost

Written by `cargo bench -p etl` (alone: `-- --cost`), from the figures of [RESULTS.md](RESULTS.md) and AWS's **list prices of us-east-1,
arm64, without free tiers or savings plans, as noted in November 2026**; not by hand. Look each price up again before you rely on it; the
arithmetic is in `speed/cost.rs`. A Lambda function has one core at 1,769 MB and is billed for memory and time, so a CPU second
costs the same at any size: 1.769 GB x $0.0000133334 = **$0.0000236**. What is measured on x86-64 is taken as it is; a Graviton core is
within a fifth of it either way.

| price | |
| --- | --- |
| Lambda, GB second (arm64) / million requests | $0.0000133334 / $0.20 |
| Kinesis on demand: GB in / GB out, each record rounded up to 1 KB / stream hour | $0.08 / $0.04 / $0.04 |
| Firehose: GB in, each record rounded up to 5 KiB | $0.029 |
| S3: GB month / 1,000 PUT / 1,000 GET | $0.023 / $0.005 / $0.0004 |
| OpenSearch Service: `r7g.large.search` / `m7g.large.search` hour, gp3 GB month | $0.178 / $0.135 / $0.122 |

## `cloudtrail`: a billion events, 1.25 TB of JSON, 132 GB of objects

Objects of 2,000 events as in the corpus; quiet accounts have a hundred, which multiplies the first two rows by 20.

| | | dollars |
| --- | --- | --- |
| invocations and reads | 500,000 requests, 500,000 GET | {trail_requests:.2} |
| waiting for `_bulk` | 0.5 s for each call of 2,000 documents, 512 MB | {trail_waits:.2} |
| CPU: read, inflate, split, rename, hash, pack | {trail:.1} microseconds an event: {} s | {trail_cpu:.2} |
| storage of the trail | 132 GB for a month | {trail_stored:.2} |
| **all of it** | | **{trail_all:.1}** |

## `events`: a billion events of 357 bytes, 357 GB, to the domain and to the archive

| | | dollars |
| --- | --- | --- |
| Kinesis: in once, out twice, a month of the stream | 1,000 GB, as rounded, x ($0.08 + 2 x $0.04) + 730 h x $0.04 | {kinesis:.0} |
| invocations of both functions | 500,000 of 2,000 records, 100,000 of 10,000 | {events_requests:.2} |
| waiting for `_bulk` and for Firehose | 0.5 s for 2,000 documents; 0.2 s for 4 MiB; 512 MB | {events_waits:.2} |
| CPU of both | 2 x {syslog:.1} microseconds an event: {} s | {events_cpu:.2} |
| Firehose, many events in a record of up to 1,000,000 bytes, envelope included | 700 GB x $0.029 | {firehose:.1} |
| archive | 70 GB gzipped for a month, objects of 64 MB | {archive:.1} |
| **all of it** | | **{events_all:.0}** |

With one event in each Firehose record, each would be billed as 5 KiB: 5,120 GB, $148 in place of ${firehose:.0}.

Receiving and sending take CPU too, TLS, signatures and HTTP: the row \"by the clock\" of the page of results has it, a tenth as much as the
pipeline. It is not in the rows above, nor would it change their sums in the digits shown.

## The domain

Three data nodes and three masters of the default types: 730 h x (3 x $0.178 + 3 x $0.135) = **${domain:.0} a month**, and $0.122 for each
GB of volume, of which a document takes about 1.1 times its size in the index and as much for its replica. It is the bill's largest part from
the first event on, and does not depend on how fast the functions are.

## What follows

- The functions' own CPU is {:.1} % of what `cloudtrail` costs beside the domain and {:.2} % of `events`: what is left to save lies in
  requests, in waiting, and in how records are packed.
- Waiting costs more than working, and is billed by memory: 256 MB in place of the default of 512 (`ToSearchMemoryMiB`) halves that
  row, and is enough where events arrive no faster than a seventh of a core reads them.
- A second core begins above 1,769 MB and costs as much as the first, for waiting too: it would have to save more than half of the time to
  pay, and does not. It is for those who want an invocation to end sooner.

## To do it again

`cargo bench -p etl`, with the prices of your region in `speed/cost.rs`.
",
        hundreds(1e3 * trail),
        hundreds(2e3 * syslog),
        100.0 * trail_cpu / trail_all,
        100.0 * events_cpu / events_all,
    )
}
