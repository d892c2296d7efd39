//! How objects are packed.
//!
//! Imports: nothing.

use bytes::Bytes;
use bzip2::bufread::BzEncoder;
use libdeflater::{CompressionLvl, Compressor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Read as _;

/// How objects are packed.
///
/// `bzip2` packs tightest, at 1 to 2 MB a second on one busy core; `zstd` nearly as tightly at 30 to 50, `gzip` less so at 14 to 29.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// By bzip2, as Bender does; keys end in `.bz2`.
    Bzip2,
    /// By gzip; keys end in `.gz`.
    Gzip,
    /// By Zstandard; keys end in `.zst`.
    Zstd,
    /// Not at all.
    None,
}

impl Compression {
    /// What keys end in.
    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Bzip2 => ".bz2",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::None => "",
        }
    }

    /// What an object is. It is never said to be *encoded* (`Content-Encoding`): readers that believe that hand out text under a name
    /// that says otherwise.
    pub(super) fn content_type(self) -> Option<&'static str> {
        match self {
            Self::Bzip2 => Some("application/x-bzip2"),
            Self::Gzip => Some("application/gzip"),
            Self::Zstd => Some("application/zstd"),
            Self::None => None,
        }
    }

    /// The packing itself.
    pub(super) fn packing(self) -> Packing {
        match self {
            Self::Bzip2 => Packing::Bzip2,
            Self::Gzip => Packing::Gzip,
            Self::Zstd => Packing::Zstd,
            Self::None => Packing::None,
        }
    }
}

/// How a load is packed before it is sent. Packed pieces one behind the other are one packed whole, in all of these formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    None,
    /// By bzip2, as tightly as it can.
    Bzip2,
    /// By gzip, for what is kept.
    Gzip,
    /// By gzip at its first level, for what is unpacked as soon as it is there.
    FastGzip,
    /// By Zstandard.
    Zstd,
}

impl Packing {
    /// Packs a piece. Of nothing there is nothing.
    pub(crate) fn pack(self, piece: &Bytes) -> Bytes {
        match self {
            _ if piece.is_empty() => Bytes::new(),
            Self::None => piece.clone(),
            Self::Bzip2 => {
                let mut out = vec![];
                // From memory to memory: it cannot fail.
                _ = BzEncoder::new(&piece[..], bzip2::Compression::best()).read_to_end(&mut out);
                out.into()
            }
            Self::Gzip => gzip(piece, CompressionLvl::default()),
            Self::FastGzip => gzip(piece, FIRST),
            Self::Zstd => {
                #[expect(
                    clippy::expect_used,
                    reason = "there is room for the worst case; without memory the invocation ends, and comes again"
                )]
                let packed = zstd::bulk::compress(piece, zstd::DEFAULT_COMPRESSION_LEVEL).expect("there is memory");
                packed.into()
            }
        }
    }
}

/// The first level that packs: libdeflate's fastest one, 0, only wraps.
const FIRST: CompressionLvl = match CompressionLvl::new(1) {
    Ok(level) => level,
    Err(_) => CompressionLvl::fastest(),
};

/// One gzip member.
fn gzip(body: &[u8], level: CompressionLvl) -> Bytes {
    let mut compressor = Compressor::new(level);
    let mut out = vec![0; compressor.gzip_compress_bound(body.len())];
    match compressor.gzip_compress(body, &mut out) {
        Ok(len) => {
            out.truncate(len);
            Bytes::from(out)
        }
        // Cannot be: there is room for the worst case.
        Err(_) => Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::MultiGzDecoder;
    use proptest::prelude::*;
    use ruzstd::decoding::StreamingDecoder;

    /// What readers that are not ours make of it.
    fn unpacked(packing: Packing, mut packed: &[u8]) -> Vec<u8> {
        let mut out = vec![];
        match packing {
            Packing::None => out.extend_from_slice(packed),
            Packing::Bzip2 => _ = bzip2::read::MultiBzDecoder::new(packed).read_to_end(&mut out).unwrap(),
            Packing::Gzip | Packing::FastGzip => _ = MultiGzDecoder::new(packed).read_to_end(&mut out).unwrap(),
            // It reads a frame at a time.
            Packing::Zstd => {
                while !packed.is_empty() {
                    StreamingDecoder::new(&mut packed).unwrap().read_to_end(&mut out).unwrap();
                }
            }
        }
        out
    }

    #[test]
    fn what_repeats_itself_becomes_much_smaller() {
        let lines: Vec<_> = (0..2000).map(|n| format!("{{\"id\":{n},\"user\":\"alice\"}}\n")).collect();
        let text = lines.concat();
        for packing in [Packing::Bzip2, Packing::Gzip, Packing::FastGzip, Packing::Zstd] {
            let packed = packing.pack(&Bytes::from(text.clone()));
            assert!(packed.len() < text.len() / 4, "{packing:?}: {} of {}", packed.len(), text.len());
        }
    }

    proptest! {
        #[test]
        fn pieces_that_are_packed_one_behind_the_other_are_one_whole(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..600), 1..5)
        ) {
            for packing in [Packing::Bzip2, Packing::Gzip, Packing::FastGzip, Packing::Zstd, Packing::None] {
                let mut packed = vec![];
                for piece in &pieces {
                    packed.extend_from_slice(&packing.pack(&Bytes::copy_from_slice(piece)));
                    packed.extend_from_slice(&packing.pack(&Bytes::new()));
                }
                prop_assert_eq!(unpacked(packing, &packed), pieces.concat());
            }
        }
    }
}
