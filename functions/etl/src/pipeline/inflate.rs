//! Bytes of an object or record, inflated if they are compressed: gzip, zstd, bzip2 or framed snappy, all members or frames of
//! them, each with its checksum.
//!
//! What is stored decides, and what the name says: bytes that begin as one of the four does are inflated, whatever the name is;
//! bytes that do not, under a name that promises it, are a fault. A block of snappy without a frame, as some writers of
//! Hadoop make it, begins with nothing that tells it from other bytes: under a name in `.snappy` it is a fault, under another one it is
//! read as it is. Memory follows what a format looks back (32 KiB; 128 MiB at most for zstd), never what comes out.
//!
//! Imports: `event`.

mod gzip;
mod input;
mod zstd;

use crate::event::Fault;
use bzip2::bufread::MultiBzDecoder;
use gzip::Gzip;
use input::Input;
use snap::read::FrameDecoder as Snappy;
use std::{
    io::{self, Read},
    path::Path,
};
use zstd::Zstd;

/// The least that is read at once of bytes that are not compressed.
const ROOM: usize = 64 << 10;

/// Behind its level bzip2 has a block, or the end of a stream without one.
const BZIP2: [(&[u8], &[u8]); 2] =
    [(b"BZh", &[0x31, 0x41, 0x59, 0x26, 0x53, 0x59]), (b"BZh", &[0x17, 0x72, 0x45, 0x38, 0x50, 0x90])];
const SNAPPY: &[u8] = b"\xff\x06\x00\x00sNaPpY";
/// The longest beginning of a format.
const LOOK: usize = 10;

/// Why there are no more bytes, though there should be.
#[derive(Debug)]
pub(super) enum Stop {
    /// They are not what they should be, and never will be.
    Fault(Fault),
    /// The far side does not give them now.
    Outage(io::Error),
}

/// Whether the bytes are compressed, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// They must be, in any of these forms; most likely gzip.
    Gzip,
    /// The same, most likely zstd.
    Zstd,
    /// The same, most likely bzip2.
    Bzip2,
    /// The same, most likely framed snappy.
    Snappy,
    /// They are if they begin so.
    Detect,
}

impl Format {
    /// What the name of an object promises.
    pub(super) fn of(name: &str) -> Self {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("gz") => Self::Gzip,
            Some("zst") => Self::Zstd,
            Some("bz2") => Self::Bzip2,
            Some("snappy" | "sz") => Self::Snappy,
            _ => Self::Detect,
        }
    }

    /// What the bytes begin as.
    fn detect(bytes: &[u8]) -> Self {
        let bzip2 = |(magic, behind): (&[u8], &[u8])| {
            bytes.starts_with(magic) && bytes.get(4..).is_some_and(|bytes| bytes.starts_with(behind))
        };
        match bytes {
            _ if bytes.starts_with(gzip::MAGIC) => Self::Gzip,
            _ if bytes.starts_with(zstd::MAGIC) => Self::Zstd,
            _ if bytes.starts_with(SNAPPY) => Self::Snappy,
            _ if BZIP2.into_iter().any(bzip2) => Self::Bzip2,
            _ => Self::Detect,
        }
    }

    /// What is said of bytes that are not in the form that was promised.
    fn missing(self) -> Fault {
        Fault::new(match self {
            Self::Gzip | Self::Detect => "not gzip",
            Self::Zstd => "not zstd",
            Self::Bzip2 => "not bzip2",
            Self::Snappy => "not framed snappy",
        })
    }

    /// What is said of bytes that end before their form does.
    fn ends_early(self) -> Fault {
        match self {
            Self::Gzip | Self::Detect => gzip::ENDS_EARLY,
            Self::Zstd => Fault::new("zstd ends early"),
            Self::Bzip2 => Fault::new("bzip2 ends early"),
            Self::Snappy => Fault::new("snappy ends early"),
        }
    }

    /// What is said of bytes that go wrong within their form.
    fn broken(self) -> Fault {
        match self {
            Self::Gzip | Self::Detect => gzip::BROKEN,
            Self::Zstd => Fault::new("zstd is broken"),
            Self::Bzip2 => Fault::new("bzip2 is broken"),
            Self::Snappy => Fault::new("snappy is broken"),
        }
    }
}

/// Bytes that are being read.
pub(super) struct Inflate<R: Read> {
    state: State<R>,
}

enum State<R: Read> {
    Begin(Format, Input<R>),
    Plain(Input<R>),
    Gzip(Box<Gzip>, Input<R>),
    Zstd(Box<Zstd<R>>),
    Bzip2(Box<MultiBzDecoder<Input<R>>>),
    Snappy(Box<Snappy<Input<R>>>),
    /// Nothing was there, or not what was promised.
    End,
}

impl<R: Read> std::fmt::Debug for Inflate<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflate").field("format", &self.format()).finish_non_exhaustive()
    }
}

impl<R: Read> Inflate<R> {
    pub(super) fn new(reader: R, format: Format) -> Self {
        Self { state: State::Begin(format, Input::new(reader)) }
    }

    /// Appends bytes until `out` holds `enough`, or a few more, or there are no more. Whether there are more.
    pub(super) fn fill(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool, Stop> {
        while out.len() < enough {
            let more = self.step(out, enough);
            if more == Ok(true) {
                continue;
            }
            return match self.input().and_then(|input| input.broken_off.take()) {
                Some(error) => Err(Stop::Outage(error)),
                None => more.map_err(Stop::Fault),
            };
        }
        Ok(true)
    }

    fn step(&mut self, out: &mut Vec<u8>, enough: usize) -> Result<bool, Fault> {
        let limit = (enough - out.len()).max(ROOM);
        let format = self.format();
        let read = match &mut self.state {
            State::Begin(..) => return self.begin(),
            State::End => return Ok(false),
            State::Plain(input) => return Ok(input.copy(out, limit)),
            State::Gzip(gzip, input) => return gzip.step(input, out, enough),
            State::Zstd(reader) => pull(reader, out, limit),
            State::Bzip2(reader) => pull(reader, out, limit),
            State::Snappy(reader) => pull(reader, out, limit),
        };
        read.map_err(|_| {
            // What is wrong at the very end is most likely that there is no more.
            let at_end = self.input().is_some_and(|input| input.ended && input.rest().is_empty());
            if at_end { format.ends_early() } else { format.broken() }
        })
    }

    fn begin(&mut self) -> Result<bool, Fault> {
        let State::Begin(promised, mut input) = std::mem::replace(&mut self.state, State::End) else {
            return Ok(false);
        };
        input.need(LOOK);
        if input.rest().is_empty() {
            // An empty object has nothing in it. Why there is nothing, if there should be, is asked of the input.
            self.state = State::Plain(input);
            return Ok(false);
        }
        self.state = match Format::detect(input.rest()) {
            Format::Gzip => State::Gzip(Box::new(Gzip::new()), input),
            Format::Zstd => State::Zstd(Box::new(Zstd::new(input))),
            Format::Bzip2 => State::Bzip2(Box::new(MultiBzDecoder::new(input))),
            Format::Snappy => State::Snappy(Box::new(Snappy::new(input))),
            Format::Detect if promised == Format::Detect => State::Plain(input),
            Format::Detect => {
                self.state = State::Plain(input);
                return Err(promised.missing());
            }
        };
        Ok(true)
    }

    fn format(&self) -> Format {
        match &self.state {
            State::Begin(format, _) => *format,
            State::Gzip(..) => Format::Gzip,
            State::Zstd(_) => Format::Zstd,
            State::Bzip2(_) => Format::Bzip2,
            State::Snappy(_) => Format::Snappy,
            State::Plain(_) | State::End => Format::Detect,
        }
    }

    fn input(&mut self) -> Option<&mut Input<R>> {
        match &mut self.state {
            State::Begin(_, input) | State::Plain(input) | State::Gzip(_, input) => Some(input),
            State::Zstd(reader) => Some(&mut reader.input),
            State::Bzip2(reader) => Some(reader.get_mut()),
            State::Snappy(reader) => Some(reader.get_mut()),
            State::End => None,
        }
    }
}

/// Appends up to `limit` bytes; whether there were any.
fn pull(reader: &mut impl Read, out: &mut Vec<u8>, limit: usize) -> io::Result<bool> {
    Ok(reader.by_ref().take(limit as u64).read_to_end(out)? > 0)
}

#[cfg(test)]
mod tests {
    use super::{
        gzip::{BROKEN, CHECKSUM, ENDS_EARLY, TRAILING},
        *,
    };
    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use proptest::prelude::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
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
            let expected = if end == 1 { Err("not gzip") } else { Err(ENDS_EARLY.reason) };
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
        assert_eq!(read(&text, Format::Gzip), Err("not gzip"));
        for format in [Format::Detect, Format::Gzip] {
            assert_eq!(read(b"", format).as_deref(), Ok(&b""[..]), "an empty object has nothing in it");
        }
        assert_eq!(read(b"x", Format::Detect).as_deref(), Ok(&b"x"[..]));
    }

    fn zstd(text: &[u8]) -> Vec<u8> {
        compress_to_vec(text, CompressionLevel::Fastest)
    }

    fn bzip2(text: &[u8]) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(vec![], bzip2::Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn snappy(text: &[u8]) -> Vec<u8> {
        let mut encoder = snap::write::FrameEncoder::new(vec![]);
        encoder.write_all(text).unwrap();
        encoder.into_inner().unwrap()
    }

    type Compress = fn(&[u8]) -> Vec<u8>;
    const FORMATS: [(Format, Compress, &str); 4] = [
        (Format::Gzip, gzip, "gzip"),
        (Format::Zstd, zstd, "zstd"),
        (Format::Bzip2, bzip2, "bzip2"),
        (Format::Snappy, snappy, "snappy"),
    ];

    #[test]
    fn content_tells_the_format_whatever_the_name_is() {
        let text = b"many words ".repeat(50_000);
        for (format, compress, name) in FORMATS {
            let members = [compress(b"one\n"), compress(&text), compress(b""), compress(b"two")].concat();
            let expected = [b"one\n", &text[..], b"two"].concat();
            for promised in [format, Format::Detect, Format::Gzip, Format::Zstd] {
                assert!(read(&members, promised).as_deref() == Ok(&expected), "{name} as {promised:?}");
            }
        }
    }

    #[test]
    fn a_name_that_promises_must_be_kept() {
        for (name, reason) in [
            ("a.GZ", "not gzip"),
            ("a.b.zst", "not zstd"),
            ("a.bz2", "not bzip2"),
            ("a.snappy", "not framed snappy"),
            ("a.sz", "not framed snappy"),
        ] {
            assert_eq!(read(b"BZh1 are plain words", Format::of(name)), Err(reason), "{name}");
            assert_eq!(read(b"", Format::of(name)), Ok(vec![]), "an empty object has nothing in it");
        }
        let words = b"BZh1 are plain words";
        assert_eq!(read(words, Format::of("a.log")).as_deref(), Ok(&words[..]));
        // A block without a frame begins with its length, and with nothing else that is always there.
        let block = snap::raw::Encoder::new().compress_vec(&b"words ".repeat(100)).unwrap();
        assert_eq!(read(&block, Format::of("a.snappy")), Err("not framed snappy"));
        assert_eq!(read(&block, Format::Detect), Ok(block));
    }

    #[test]
    fn what_ends_early_or_is_broken_is_a_fault() {
        let text: Vec<u8> = (0..3000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for (format, compress, name) in FORMATS {
            let whole = compress(&text);
            for end in [LOOK, LOOK + 5, whole.len() / 2, whole.len() - 1] {
                let result = read(&whole[..end], format);
                // Between two of its chunks snappy does not tell a cut from an end.
                let cut_at_chunk = format == Format::Snappy && result == Ok(vec![]);
                assert!(cut_at_chunk || result == Err(format.ends_early().reason), "{name}, {end}: {:?}", result.err());
            }
            let mut wrong = whole.clone();
            let at = whole.len() / 2;
            wrong[at] ^= 0x55;
            let result = read(&wrong, format).map(|_| "read");
            assert!(matches!(result, Err(reason) if reason != "outage"), "{name}: {result:?}");
            let behind = read(&[&whole[..], b"junk that is no member"].concat(), format).map(|_| "read");
            assert!(behind.is_err(), "{name}: {behind:?}");
        }
    }

    #[test]
    fn parts_of_zstd_that_hold_no_data_are_passed_over() {
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
        let frames = [zstd(b"one "), skipped.clone(), zstd(b"two")].concat();
        assert_eq!(read(&frames, Format::Detect).as_deref(), Ok(&b"one two"[..]));
        assert_eq!(read(&[zstd(b"one"), skipped[..9].to_vec()].concat(), Format::Zstd), Err("zstd ends early"));
    }

    #[test]
    fn a_far_side_that_breaks_off_is_an_outage_and_no_fault() {
        struct Breaks(Vec<u8>);
        impl Read for Breaks {
            fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(out.len());
                out[..count].copy_from_slice(&self.0[..count]);
                self.0.drain(..count);
                if count == 0 { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(count) }
            }
        }
        let text: Vec<u8> = (0..3000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for (format, compress, name) in FORMATS {
            let whole = compress(&text);
            for end in [0, 3, whole.len() / 2] {
                assert_eq!(
                    all(Inflate::new(Breaks(whole[..end].to_vec()), format), 1000),
                    Err("outage"),
                    "{name} {end}"
                );
            }
        }
        assert_eq!(all(Inflate::new(Breaks(b"plain".to_vec()), Format::Detect), 1000), Err("outage"));
    }

    #[test]
    fn no_more_is_inflated_than_is_asked_for() {
        let zeros = vec![0; 8 << 20];
        for (format, compress, name) in FORMATS {
            let bomb = compress(&zeros);
            let mut inflate = Inflate::new(&bomb[..], format);
            let mut out = vec![];
            assert!(inflate.fill(&mut out, 64 << 10).unwrap(), "{name}");
            assert!(out.capacity() <= 1 << 20, "{name}: {} bytes", out.capacity());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// `read` holds the two ways of gzip against each other.
        #[test]
        fn inflating_in_one_go_is_inflating_piece_by_piece(
            members in prop::collection::vec("[a-c]{0,2000}", 1..4),
            (flip, bit) in (0_usize..4000, 0..8),
            (end, more) in (0_usize..4000, prop::option::of("[\\x00-\\x7f]{1,20}")),
        ) {
            let mut bytes: Vec<u8> = members.iter().flat_map(|text| gzip(text.as_bytes())).collect();
            prop_assert_eq!(read(&bytes, Format::Gzip), Ok(members.concat().into_bytes()));
            bytes.extend(more.unwrap_or_default().bytes());
            let _ = read(&bytes, Format::Gzip);
            let _ = read(&bytes[..end % (bytes.len() + 1)], Format::Detect);
            let at = flip % bytes.len();
            bytes[at] ^= 1_u8 << bit;
            let _ = read(&bytes, Format::Gzip);
        }

        /// Whatever becomes of compressed bytes on their way, it is read or refused.
        #[test]
        fn bytes_that_were_changed_do_no_harm(
            text in prop::collection::vec(0_u8..4, 0..2000),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            which in 0..FORMATS.len(),
        ) {
            let mut bytes = FORMATS[which].1(&text);
            for (at, byte) in &changes {
                // Of nothing snappy makes nothing.
                if let Some(place) = bytes.len().checked_sub(1).map(|last| at.index(last + 1)) {
                    bytes[place] = *byte;
                }
            }
            let out = read(&bytes, Format::Detect);
            prop_assert!(out != Err("outage"));
            if changes.is_empty() {
                prop_assert_eq!(out, Ok(text));
            }
        }
    }
}
