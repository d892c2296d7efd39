//! A zip file whose bytes follow from its content alone: fixed times, fixed order, fixed permissions.

use std::io::{Cursor, Write as _};

use ::zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

/// One file of the archive.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Its name in the archive.
    pub name: &'a str,
    /// Its bytes.
    pub content: &'a [u8],
    /// Whether it may be executed (0755 instead of 0644); Lambda refuses a `bootstrap` that may not.
    pub executable: bool,
}

/// The archive of `entries`, in their order.
pub fn archive(entries: &[Entry<'_>]) -> anyhow::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            // 1980-01-01, the first day that a zip file can say.
            .last_modified_time(DateTime::default())
            .unix_permissions(if entry.executable { 0o755 } else { 0o644 });
        writer.start_file(entry.name, options)?;
        writer.write_all(entry.content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn the_same_content_gives_the_same_bytes_and_comes_out_again() {
        let program: Vec<u8> = (0..100_000_u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        let entries = [
            Entry { name: "bootstrap", content: &program, executable: true },
            Entry { name: "NOTICES", content: b"all", executable: false },
        ];
        let first = archive(&entries).unwrap();
        assert_eq!(first, archive(&entries).unwrap());
        assert!(first.len() < program.len() / 2, "{}", first.len());

        let mut read = ::zip::ZipArchive::new(Cursor::new(first)).unwrap();
        let mut bootstrap = read.by_index(0).unwrap();
        assert_eq!((&*bootstrap.name().unwrap(), bootstrap.unix_mode()), ("bootstrap", Some(0o100_755)));
        let mut content = Vec::new();
        bootstrap.read_to_end(&mut content).unwrap();
        assert_eq!(content, program);
        drop(bootstrap);
        assert_eq!(read.by_index(1).unwrap().unix_mode(), Some(0o100_644));
    }
}
