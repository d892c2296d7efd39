//! Objects: however they are packed, and in whatever pieces they come, their lines are the same. The first byte says what the object is
//! called.

use super::kit;
use etl::config::PipelineConfig;
use flate2::{Compression, write::GzEncoder};
use std::{
    io::{self, Read, Write as _},
    sync::LazyLock,
};

static TEXT: LazyLock<PipelineConfig> = LazyLock::new(|| kit::reading("{type: Text, field: t}"));
const NAMES: [&str; 6] = ["a.log", "a.gz", "a.zst", "a.bz2", "a.snappy", "a.sz"];

pub(crate) fn hold(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let name = NAMES[usize::from(*first) % NAMES.len()];
    let whole = kit::outcome(&TEXT, |run| run.object(name, rest));
    let pieces = kit::outcome(&TEXT, |run| run.object(name, Pieces { rest, next: *first }));
    assert_eq!(whole, pieces);

    // Behind a letter nothing looks compressed.
    let plain = [b"x", rest].concat();
    let right = kit::outcome(&TEXT, |run| run.object("a", plain.as_slice()));
    for packed in [gzip(&plain), snappy(&plain)] {
        assert_eq!(kit::outcome(&TEXT, |run| run.object("a", packed.as_slice())), right);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Two members, as `cat a.gz b.gz` makes them.
    let (one, other) = bytes.split_at(bytes.len() / 2);
    let member = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(vec![], Compression::fast());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
    };
    [member(one), member(other)].concat()
}

fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = snap::write::FrameEncoder::new(vec![]);
    encoder.write_all(bytes).expect("memory takes all");
    encoder.into_inner().expect("memory takes all")
}

/// A few bytes at a time.
struct Pieces<'b> {
    rest: &'b [u8],
    next: u8,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.next = self.next.wrapping_mul(5).wrapping_add(7);
        let count = usize::from(self.next % 7 + 1).min(out.len()).min(self.rest.len());
        let (piece, rest) = self.rest.split_at(count);
        out[..count].copy_from_slice(piece);
        self.rest = rest;
        Ok(count)
    }
}
