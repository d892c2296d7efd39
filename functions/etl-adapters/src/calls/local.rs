//! Standard output and files of this machine.

use etl::ports::Answer;
use std::{
    fs::OpenOptions,
    io::{self, Write as _},
};

/// Writes to standard output, with no other line between.
pub(super) fn stdout(bytes: &[u8]) -> Answer {
    let mut out = io::stdout().lock();
    answer(out.write_all(bytes).and_then(|()| out.flush()))
}

/// Writes to the end of a file.
pub(super) fn append(path: &str, truncate: bool, body: &[u8]) -> Answer {
    let mut options = OpenOptions::new();
    options.create(true);
    if truncate {
        options.write(true).truncate(true);
    } else {
        options.append(true);
    }
    answer(options.open(path).and_then(|mut file| file.write_all(body)))
}

fn answer(result: io::Result<()>) -> Answer {
    match result {
        Ok(()) => Answer::Done(None),
        Err(e) => Answer::Refused { code: e.kind().to_string(), status: None },
    }
}
