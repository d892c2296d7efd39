//! Bytes of an object or record, inflated if they are gzip: all members, each with its checksum.
//!
//! What is stored decides, and what the name says: bytes that begin as gzip does are inflated; bytes that do not, under a name
//! that promises it, are a fault.
//!
//! One member that is there as a whole, as most objects are, is inflated in one go, which takes half the time. All else goes piece
//! by piece, and says what is wrong with it.
//!
//! Imports: `event`.

use crate::event::Fault;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
use memchr::memmem;
use std::{
    io::{self, Read},
    path::Path,
};

/// Read at once from the far side. A request's buffers are small; ours is large, so that inflating is one long run.
const CHUNK: usize = 4 << 20;
/// The least that inflating is given room for.
const ROOM: usize = 64 << 10;
/// How each member begins.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// Deflate makes no more than this many bytes of one.
const MOST_OF_ONE: usize = 1032;
/// A header of gzip may hold a file's name and a comment of any length.
const MAX_HEADER: usize = 64 << 10;

pub(super) const NOT_GZIP: Fault = Fault::new("not gzip");
const ENDS_EARLY: Fault = Fault::new("gzip ends early");
const BROKEN: Fault = Fault::new("gzip is broken");
const CHECKSUM: Fault = Fault::new("gzip checksum differs");
const TRAILING: Fault = Fault::new("bytes behind the gzip are not gzip");

/// Why there are no more bytes, though there should be.
#[derive(Debug)]
pub(super) enum Stop {
    /// They are not what they should be, and never will be.
    Fault(Fault),
    /// The far side does not give them now.
    Outage(io::Error),
}

/// Whether the bytes are gzip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// They must be.
    Gzip,
    /// They are if they begin so.
    Detect,
}

impl Format {
    /// What the name of an object promises.
    pub(super) fn of(name: &str) -> Self {
        let gz = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        if gz { Self::Gzip } else { Self::Detect }
    }
}

/// Bytes that are being read.
pub(super) struct Inflate<R> {
    reader: R,
    /// Read and not yet used: from `at` on.
    input: Vec<u8>,
    at: usize,
    ended: bool,
    /// Why the reader gives no more, if it should.
    broken_off: Option<io::Error>,
    state: State,
    /// Made when it is needed.
    inflater: Option<Decompress>,
}

impl<R> std::fmt::Debug for Inflate<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflate").field("state", &self.state).finish_non_exhaustive()
    }
}

#[derive(Debug)]
enum State {
    Begin(Format),
    Plain,
    /// Between members; there has been one already or not.
    Header {
        first: bool,
    },
    Body {
        sum: crc32fast::Hasher,
        size: u32,
    },
}

impl<R: Read> Inflate<R> {
    pub(super) fn new(reader: R, format: Format) -> Self {
        let (input, state) = (vec![], State::Begin(format));
        Self { reader, input, at: 0, ended: false, broken_off: None, state, inflater: None }
    }

    /// Appends bytes until `out` holds `enough`, or a few more, or there are no more. Whether there are more.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool, Stop> {
        while out.len() < enough {
            let more = match &self.state {
                State::Begin(format) => self.begin(*format),
                State::Plain => Ok(self.plain(out, enough)),
                State::Header { first: true } if self.ended => self.only(out, enough),
                State::Header { first } => self.header(*first),
                State::Body { .. } => self.body(out, enough),
            };
            if more == Ok(true) {
                continue;
            }
            return match self.broken_off.take() {
                Some(error) => Err(Stop::Outage(error)),
                None => more.map_err(Stop::Fault),
            };
        }
        Ok(true)
    }

    fn begin(&mut self, format: Format) -> Result<bool, Fault> {
        self.need(2);
        let gzip = self.rest().starts_with(&[0x1f, 0x8b]);
        self.state = match format {
            Format::Detect if !gzip => State::Plain,
            Format::Gzip if !gzip && !self.rest().is_empty() => return Err(NOT_GZIP),
            _ if self.rest().is_empty() => return Ok(false),
            _ => State::Header { first: true },
        };
        Ok(true)
    }

    fn plain(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        if self.at < self.input.len() {
            out.extend_from_slice(&self.input[self.at..]);
            self.at = self.input.len();
            return true;
        }
        let limit = (enough - out.len()).max(ROOM) as u64;
        let had = out.len();
        if let Err(error) = self.reader.by_ref().take(limit).read_to_end(out) {
            self.broken_off = Some(error);
            return false;
        }
        out.len() > had
    }

    /// Inflates a member that is all there is, if its bytes are there and there is room for what it says it holds. If not, or if
    /// anything is wrong with it, nothing has happened.
    fn whole(&mut self, out: &mut Vec<u8>, enough: usize) -> bool {
        let gzip = self.rest();
        let Some((_, size)) = gzip.split_last_chunk::<4>() else { return false };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        let fits = size <= enough - out.len() && size <= gzip.len() * MOST_OF_ONE;
        // Bytes that could begin another member, or by chance do not: one object in a hundred of this size.
        if !fits || memmem::find(gzip.get(1..).unwrap_or_default(), &MAGIC).is_some() {
            return false;
        }
        let had = out.len();
        out.resize(had + size, 0);
        // It checks the sum.
        if Decompressor::new().gzip_decompress(gzip, &mut out[had..]) != Ok(size) {
            out.truncate(had);
            return false;
        }
        self.at = self.input.len();
        self.state = State::Header { first: false };
        true
    }

    /// A member that is all there is, mostly.
    fn only(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool, Fault> {
        if self.whole(out, enough) { Ok(true) } else { self.header(true) }
    }

    fn header(&mut self, first: bool) -> Result<bool, Fault> {
        self.need(2);
        if !first && self.rest().iter().all(|&byte| byte == 0) {
            // Padding, as tapes and some tools leave it.
            self.at = self.input.len();
            if self.ended {
                return Ok(false);
            }
            self.refill();
            return Ok(true);
        }
        if !self.rest().starts_with(&[0x1f, 0x8b]) {
            return Err(if first { NOT_GZIP } else { TRAILING });
        }
        loop {
            match header_len(self.rest()) {
                Header::Length(length) => {
                    self.at += length;
                    if let Some(inflater) = &mut self.inflater {
                        inflater.reset(false);
                    }
                    self.state = State::Body { sum: crc32fast::Hasher::new(), size: 0 };
                    return Ok(true);
                }
                Header::Wrong => return Err(BROKEN),
                Header::Short if self.ended => return Err(ENDS_EARLY),
                Header::Short if self.rest().len() > MAX_HEADER => return Err(BROKEN),
                Header::Short => self.refill(),
            }
        }
    }

    fn body(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool, Fault> {
        if self.at == self.input.len() {
            self.refill();
        }
        // Eight times as much is a good guess of what comes; a wrong one costs another turn.
        let guess = self.rest().len().saturating_mul(8).min(enough - out.len());
        out.reserve(guess.max(ROOM));
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(false));
        let (had, before) = (out.len(), inflater.total_in());
        let input = &self.input[self.at..];
        let status = inflater.decompress_vec(input, out, FlushDecompress::None).map_err(|_| BROKEN)?;
        let used = usize::try_from(inflater.total_in() - before).unwrap_or_default();
        self.at += used;
        let made = &out[had..];
        let State::Body { sum, size } = &mut self.state else { return Ok(true) };
        sum.update(made);
        *size = size.wrapping_add(narrow(made.len()));
        let stuck = used == 0 && made.is_empty();
        if status != Status::StreamEnd {
            return if stuck && self.ended { Err(ENDS_EARLY) } else { Ok(true) };
        }
        let (sum, size) = (std::mem::take(sum).finalize(), *size);
        self.need(8);
        let Some((trailer, _)) = self.rest().split_first_chunk::<8>() else { return Err(ENDS_EARLY) };
        if trailer[..4] != sum.to_le_bytes() || trailer[4..] != size.to_le_bytes() {
            return Err(CHECKSUM);
        }
        self.at += 8;
        self.state = State::Header { first: false };
        Ok(true)
    }

    fn rest(&self) -> &[u8] {
        &self.input[self.at..]
    }

    /// Reads until there are `count` bytes, or no more.
    fn need(&mut self, count: usize) {
        while self.rest().len() < count && !self.ended {
            self.refill();
        }
    }

    fn refill(&mut self) {
        self.input.drain(..self.at);
        self.at = 0;
        let had = self.input.len();
        // What came before a connection broke is used first.
        let result = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.input);
        self.broken_off = result.err();
        self.ended = self.input.len() - had < CHUNK || self.broken_off.is_some();
    }
}

/// Sizes in gzip are modulo 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "that is the rule")]
fn narrow(length: usize) -> u32 {
    length as u32
}

enum Header {
    Length(usize),
    Short,
    Wrong,
}

/// RFC 1952: ten bytes, then what the flags announce: extra fields, a name, a comment, a checksum of the header.
fn header_len(gzip: &[u8]) -> Header {
    let [_, _, method, flags, _, _, _, _, _, _, ..] = *gzip else { return Header::Short };
    if method != 8 || flags & 0xe0 != 0 {
        return Header::Wrong;
    }
    let mut at = 10;
    if flags & 4 != 0 {
        let Some((length, _)) = gzip.get(at..).and_then(<[u8]>::split_first_chunk::<2>) else { return Header::Short };
        at += 2 + usize::from(u16::from_le_bytes(*length));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            let Some(length) = gzip.get(at..).and_then(|rest| memchr::memchr(0, rest)) else { return Header::Short };
            at += length + 1;
        }
    }
    at += if flags & 2 != 0 { 2 } else { 0 };
    if at <= gzip.len() { Header::Length(at) } else { Header::Short }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use std::io::Write as _;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(vec![], Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    /// Gives one byte at a time, as the worst network does.
    struct Drops<'a>(&'a [u8]);
    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(out.len()).min(1);
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// Piece by piece, and with room for all of it at once.
    fn read(bytes: &[u8], format: Format) -> Result<Vec<u8>, &'static str> {
        let pieces = all(Inflate::new(bytes, format), 1000);
        assert_eq!(pieces, all(Inflate::new(Drops(bytes), format), 1000));
        assert_eq!(pieces, all(Inflate::new(bytes, format), 100 << 20));
        pieces
    }

    fn all(mut inflate: Inflate<impl Read>, step: usize) -> Result<Vec<u8>, &'static str> {
        let mut out = vec![];
        loop {
            let enough = out.len() + step;
            match inflate.fill(&mut out, enough) {
                Ok(true) => {}
                Ok(false) => return Ok(out),
                Err(Stop::Fault(fault)) => return Err(fault.reason),
                Err(Stop::Outage(_)) => return Err("outage"),
            }
        }
    }

    #[test]
    fn every_member_is_read() {
        let text = "many words ".repeat(100_000);
        let members = [gzip(b"one\n"), gzip(text.as_bytes()), gzip(b""), gzip(b"two")].concat();
        let expected = format!("one\n{text}two");
        assert_eq!(read(&members, Format::Gzip).as_deref(), Ok(expected.as_bytes()));
        assert_eq!(read(&members, Format::Detect).as_deref(), Ok(expected.as_bytes()));
        assert_eq!(read(&[members, vec![0; 512]].concat(), Format::Gzip).as_deref(), Ok(expected.as_bytes()));
    }

    #[test]
    fn a_header_with_all_its_parts_is_passed_over() {
        let mut encoder =
            GzBuilder::new().extra([0; 300]).filename("name").comment("words").write(vec![], Compression::fast());
        encoder.write_all(b"text").unwrap();
        assert_eq!(read(&encoder.finish().unwrap(), Format::Gzip).as_deref(), Ok(&b"text"[..]));
    }

    #[test]
    fn a_gzip_that_ends_anywhere_before_its_end_ends_early() {
        let gz = gzip(b"some text, some text, some text");
        for end in 1..gz.len() {
            let expected = if end == 1 { Err(NOT_GZIP.reason) } else { Err(ENDS_EARLY.reason) };
            assert_eq!(read(&gz[..end], Format::Gzip), expected, "{end} bytes of {}", gz.len());
        }
    }

    #[test]
    fn broken_bytes_and_wrong_checksums_are_faults() {
        let mut gz = gzip(&b"some text ".repeat(100));
        let at = gz.len() - 6;
        gz[at] ^= 1;
        assert_eq!(read(&gz, Format::Gzip), Err(CHECKSUM.reason));
        gz[12] = 0xff;
        gz[11] = 0xff;
        gz[10] = 0xff;
        assert_eq!(read(&gz, Format::Gzip), Err(BROKEN.reason));
        assert_eq!(read(&[gzip(b"text"), b"junk".to_vec()].concat(), Format::Gzip), Err(TRAILING.reason));
    }

    #[test]
    fn plain_text_is_plain_unless_gzip_was_promised() {
        let text = b"plain text ".repeat(1000);
        assert_eq!(read(&text, Format::Detect).as_deref(), Ok(&text[..]));
        assert_eq!(read(&text, Format::Gzip), Err(NOT_GZIP.reason));
        for format in [Format::Detect, Format::Gzip] {
            assert_eq!(read(b"", format).as_deref(), Ok(&b""[..]), "an empty object has nothing in it");
        }
        assert_eq!(read(b"x", Format::Detect).as_deref(), Ok(&b"x"[..]));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { cases: 300, failure_persistence: None, ..Default::default() })]

        /// `read` holds the two ways against each other.
        #[test]
        fn inflating_in_one_go_is_inflating_piece_by_piece(
            members in proptest::collection::vec("[a-c]{0,2000}", 1..4),
            (flip, bit) in (0_usize..4000, 0..8),
            (end, more) in (0_usize..4000, proptest::option::of("[\\x00-\\x7f]{1,20}")),
        ) {
            let mut bytes: Vec<u8> = members.iter().flat_map(|text| gzip(text.as_bytes())).collect();
            proptest::prop_assert_eq!(read(&bytes, Format::Gzip), Ok(members.concat().into_bytes()));
            bytes.extend(more.unwrap_or_default().bytes());
            let _ = read(&bytes, Format::Gzip);
            let _ = read(&bytes[..end % (bytes.len() + 1)], Format::Detect);
            let at = flip % bytes.len();
            bytes[at] ^= 1_u8 << bit;
            let _ = read(&bytes, Format::Gzip);
        }
    }
}
