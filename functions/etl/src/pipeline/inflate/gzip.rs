//! Gzip, member by member, each with its checksum.
//!
//! One member that is there as a whole, as most objects are, is inflated in one go, which takes half the time. All else goes piece
//! by piece, and says what is wrong with it. Even so one long run over a large buffer is four times as fast as what goes through a
//! reader, so this works on the buffer.
//!
//! Imports: `event`.

use super::input::Input;
use crate::event::Fault;
use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::Decompressor;
use memchr::memmem;
use std::io::Read;

/// The least that inflating is given room for.
const ROOM: usize = 64 << 10;
/// How each member begins.
const MEMBER: [u8; 3] = [0x1f, 0x8b, 8];
/// Deflate makes no more than this many bytes of one.
const MOST_OF_ONE: usize = 1032;
/// A header of gzip may hold a file's name and a comment of any length.
const MAX_HEADER: usize = 64 << 10;

pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b];
pub(super) const ENDS_EARLY: Fault = Fault::new("gzip ends early");
pub(super) const BROKEN: Fault = Fault::new("gzip is broken");
pub(super) const CHECKSUM: Fault = Fault::new("gzip checksum differs");
pub(super) const TRAILING: Fault = Fault::new("bytes behind the gzip are not gzip");

/// Gzip that is being inflated.
pub(super) struct Gzip {
    /// Made when it is needed.
    inflater: Option<Decompress>,
    state: State,
}

enum State {
    /// Between members; there has been one already or not.
    Header {
        first: bool,
    },
    Body {
        sum: crc32fast::Hasher,
        size: u32,
    },
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self { inflater: None, state: State::Header { first: true } }
    }

    /// Takes a step; whether there may be more.
    pub(super) fn step(
        &mut self,
        input: &mut Input<impl Read>,
        out: &mut Vec<u8>,
        enough: usize,
    ) -> Result<bool, Fault> {
        match self.state {
            State::Header { first: true } if input.ended => self.only(input, out, enough),
            State::Header { first } => self.header(input, first),
            State::Body { .. } => self.body(input, out, enough),
        }
    }

    /// A member that is all there is, mostly.
    fn only(&mut self, input: &mut Input<impl Read>, out: &mut Vec<u8>, enough: usize) -> Result<bool, Fault> {
        if self.whole(input, out, enough) { Ok(true) } else { self.header(input, true) }
    }

    /// Inflates a member that is all there is, if its bytes are there and there is room for what it says it holds. If not, or if
    /// anything is wrong with it, nothing has happened.
    fn whole(&mut self, input: &mut Input<impl Read>, out: &mut Vec<u8>, enough: usize) -> bool {
        let gzip = input.rest();
        let Some((_, size)) = gzip.split_last_chunk::<4>() else { return false };
        let size = usize::try_from(u32::from_le_bytes(*size)).unwrap_or(usize::MAX);
        let fits = size <= enough - out.len() && size <= gzip.len() * MOST_OF_ONE;
        // Bytes that could begin another member, or by chance do not: one object in a hundred of this size.
        if !fits || memmem::find(gzip.get(1..).unwrap_or_default(), &MEMBER).is_some() {
            return false;
        }
        let had = out.len();
        out.resize(had + size, 0);
        // It checks the sum.
        if Decompressor::new().gzip_decompress(gzip, &mut out[had..]) != Ok(size) {
            out.truncate(had);
            return false;
        }
        input.used(input.rest().len());
        self.state = State::Header { first: false };
        true
    }

    fn header(&mut self, input: &mut Input<impl Read>, first: bool) -> Result<bool, Fault> {
        input.need(2);
        if !first && input.rest().iter().all(|&byte| byte == 0) {
            // Padding, as tapes and some tools leave it.
            input.used(input.rest().len());
            if input.ended {
                return Ok(false);
            }
            input.refill();
            return Ok(true);
        }
        if !input.rest().starts_with(MAGIC) {
            return Err(if first && input.rest().len() < 2 { ENDS_EARLY } else { TRAILING });
        }
        loop {
            match header_len(input.rest()) {
                Header::Length(length) => {
                    input.used(length);
                    if let Some(inflater) = &mut self.inflater {
                        inflater.reset(false);
                    }
                    self.state = State::Body { sum: crc32fast::Hasher::new(), size: 0 };
                    return Ok(true);
                }
                Header::Wrong => return Err(BROKEN),
                Header::Short if input.ended => return Err(ENDS_EARLY),
                Header::Short if input.rest().len() > MAX_HEADER => return Err(BROKEN),
                Header::Short => input.refill(),
            }
        }
    }

    fn body(&mut self, input: &mut Input<impl Read>, out: &mut Vec<u8>, enough: usize) -> Result<bool, Fault> {
        if input.rest().is_empty() {
            input.refill();
        }
        // Eight times as much is a good guess of what comes; a wrong one costs another turn.
        let guess = input.rest().len().saturating_mul(8).min(enough - out.len());
        out.reserve(guess.max(ROOM));
        let inflater = self.inflater.get_or_insert_with(|| Decompress::new(false));
        let (had, before) = (out.len(), inflater.total_in());
        let status = inflater.decompress_vec(input.rest(), out, FlushDecompress::None).map_err(|_| BROKEN)?;
        let used = usize::try_from(inflater.total_in() - before).unwrap_or_default();
        input.used(used);
        let made = &out[had..];
        let State::Body { sum, size } = &mut self.state else { return Ok(true) };
        sum.update(made);
        *size = size.wrapping_add(narrow(made.len()));
        let stuck = used == 0 && made.is_empty();
        if status != Status::StreamEnd {
            return if stuck && input.ended { Err(ENDS_EARLY) } else { Ok(true) };
        }
        let (sum, size) = (std::mem::take(sum).finalize(), *size);
        input.need(8);
        let Some((trailer, _)) = input.rest().split_first_chunk::<8>() else { return Err(ENDS_EARLY) };
        if trailer[..4] != sum.to_le_bytes() || trailer[4..] != size.to_le_bytes() {
            return Err(CHECKSUM);
        }
        input.used(8);
        self.state = State::Header { first: false };
        Ok(true)
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
