//! What holds whatever the bytes are: one law for each part of a pipeline that reads what others wrote.
//!
//! The fuzzer looks for bytes that break a law; `etl`'s tests hold each law against what it found. *To add one*: a file with the law, its
//! row in [`LAWS`], a target of that name in `targets`, and seeds of our own in `corpus`.

mod config;
mod delimited;
mod generic_json;
mod inflate;
mod invocation;
mod kit;
mod kpl;
mod logfmt;
mod number;
mod path;
mod regex;
mod regex_lines;
mod syslog;
mod text;
mod time;

/// Panics when the law does not hold of the bytes.
pub(crate) type Law = fn(&[u8]);

/// Every law by its name.
pub(crate) const LAWS: [(&str, Law); 14] = [
    ("config", config::hold),
    ("delimited", delimited::hold),
    ("generic_json", generic_json::hold),
    ("inflate", inflate::hold),
    ("invocation", invocation::hold),
    ("kpl", kpl::hold),
    ("logfmt", logfmt::hold),
    ("number", number::hold),
    ("path", path::hold),
    ("regex", regex::hold),
    ("regex_lines", regex_lines::hold),
    ("syslog", syslog::hold),
    ("text", text::hold),
    ("time", time::hold),
];

/// Holds one of them against bytes.
pub(crate) fn hold(name: &str, bytes: &[u8]) {
    let (_, law) = LAWS.iter().find(|(law, _)| *law == name).expect("a law has this name");
    law(bytes);
}
