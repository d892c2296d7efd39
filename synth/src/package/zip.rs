//! A zip file whose bytes follow from its content alone: fixed times, fixed order, fixed permissions.
//!
//! What a function weighs counts at its cold start, so its bytes are packed by libdeflate, which finds 2.5 % more than zlib does.
//! No library of zip files takes bytes that are packed already; of the format a handful of files need three records of fixed form.

use anyhow::{Context as _, anyhow};
use libdeflater::{CompressionLvl, Compressor};

/// One file of the archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its name in the archive, in ASCII.
    pub name: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
    /// Whether it may be executed (0755 instead of 0644); Lambda refuses a `bootstrap` that may not.
    pub executable: bool,
}

/// The archive of `entries`, in their order. An error: more than the 4 GiB that a zip file of this form can hold.
pub fn archive(entries: &[Entry<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut archive = Vec::new();
    let mut directory = Vec::new();
    for entry in entries {
        let at = u32::try_from(archive.len())?;
        let packed = deflate(entry.content)?;
        let facts = facts(entry, &packed)?;
        archive.extend(b"PK\x03\x04");
        archive.extend(&facts);
        archive.extend(entry.name.as_bytes());
        archive.extend(packed);

        directory.extend(b"PK\x01\x02");
        // Made by Unix, so that the permissions count.
        directory.extend([20, 3]);
        directory.extend(&facts);
        // No comment, the first disk, not marked as a text.
        directory.extend([0; 6]);
        let regular_file = 0o100_000;
        let mode: u32 = regular_file | if entry.executable { 0o755 } else { 0o644 };
        directory.extend((mode << 16).to_le_bytes());
        directory.extend(at.to_le_bytes());
        directory.extend(entry.name.as_bytes());
    }
    let at = u32::try_from(archive.len())?;
    let count = u16::try_from(entries.len())?.to_le_bytes();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    // This disk and the directory's.
    archive.extend([0; 4]);
    // The files on this disk, and in all.
    archive.extend([count, count].as_flattened());
    archive.extend(u32::try_from(directory.len())?.to_le_bytes());
    archive.extend(at.to_le_bytes());
    // No comment.
    archive.extend([0; 2]);
    Ok(archive)
}

/// What stands of a file both before it and in the directory.
fn facts(entry: &Entry<'_>, packed: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut facts = Vec::new();
    // To be read by version 2.0, no flags, deflated, midnight of 1980-01-01: the first day that a zip file can say.
    for number in [20, 0, 8, 0, 0x21_u16] {
        facts.extend(number.to_le_bytes());
    }
    facts.extend(libdeflater::crc32(entry.content).to_le_bytes());
    for size in [packed.len(), entry.content.len()] {
        facts.extend(u32::try_from(size).with_context(|| format!("{} is too large", entry.name))?.to_le_bytes());
    }
    // The name, and nothing extra.
    facts.extend(u16::try_from(entry.name.len())?.to_le_bytes());
    facts.extend([0; 2]);
    Ok(facts)
}

fn deflate(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut packed = vec![0; compressor.deflate_compress_bound(content.len())];
    let size = compressor.deflate_compress(content, &mut packed).map_err(|error| anyhow!("{error}"))?;
    packed.truncate(size);
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Read as _};

    #[test]
    fn the_same_content_gives_the_same_bytes_and_comes_out_again() {
        let program: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let entries = [
            Entry { name: "bootstrap", content: &program, executable: true },
            Entry { name: "NOTICES", content: b"all", executable: false },
            Entry { name: "empty", content: b"", executable: false },
        ];
        let first = archive(&entries).unwrap();
        assert_eq!(first, archive(&entries).unwrap());
        assert!(first.len() < program.len() / 2, "{}", first.len());

        // By a reader that is not ours.
        let mut read = ::zip::ZipArchive::new(Cursor::new(first)).unwrap();
        assert_eq!(read.len(), entries.len());
        for (at, entry) in entries.iter().enumerate() {
            let mut file = read.by_index(at).unwrap();
            assert_eq!(&*file.name().unwrap(), entry.name);
            assert_eq!(file.unix_mode(), Some(if entry.executable { 0o100_755 } else { 0o100_644 }));
            assert_eq!(file.last_modified(), Some(::zip::DateTime::default()));
            let mut content = Vec::new();
            // Its checksum is checked at its end.
            file.read_to_end(&mut content).unwrap();
            assert_eq!(content, entry.content);
        }
    }
}
