//! Whether Lambda's runtime can start a binary: the right processor, and a C library that is old enough.
//!
//! Both are cheap to read from the file and expensive to learn from a deployment (`Runtime.InvalidEntrypoint`, or
//! `version 'GLIBC_2.38' not found` at each cold start).

use super::Arch;
use anyhow::{bail, ensure};

/// The minor version of the C library on `provided.al2023` (2.34).
const GLIBC_OF_AL2023: u32 = 34;

/// Refuses a binary that `provided.al2023` cannot start on that processor.
pub fn check(binary: &[u8], arch: Arch) -> anyhow::Result<()> {
    ensure!(binary.starts_with(b"\x7fELF"), "is not a Linux program");
    let machine = match arch {
        Arch::Arm64 => 0xB7_u16,
        Arch::X86_64 => 0x3E,
    };
    // e_machine, in the byte order of both processors.
    let found = binary.get(18..20).and_then(|bytes| bytes.try_into().ok()).map(u16::from_le_bytes);
    ensure!(found == Some(machine), "is not a program for {}", arch.name());
    match newest_glibc(binary) {
        Some(minor) if minor > GLIBC_OF_AL2023 => bail!(
            "needs GLIBC_2.{minor}, and Lambda's provided.al2023 has GLIBC_2.{GLIBC_OF_AL2023}: it was linked against this machine's newer C library"
        ),
        _ => Ok(()),
    }
}

/// The newest version that one of the symbols asks for, which stands in the file as `GLIBC_2.<minor>`.
fn newest_glibc(binary: &[u8]) -> Option<u32> {
    const MARK: &[u8] = b"GLIBC_2.";
    memchr::memmem::find_iter(binary, MARK)
        .filter_map(|at| {
            let digits = binary.get(at + MARK.len()..)?.iter().take_while(|byte| byte.is_ascii_digit()).take(3);
            digits.map(|digit| u32::from(digit - b'0')).reduce(|number, digit| number * 10 + digit)
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u16, strings: &str) -> Vec<u8> {
        let mut file = b"\x7fELF\x02\x01\x01".to_vec();
        file.resize(18, 0);
        file.extend(machine.to_le_bytes());
        file.extend(strings.as_bytes());
        file
    }

    #[test]
    fn a_binary_for_the_other_processor_is_refused() {
        let arm = elf(0xB7, "");
        assert!(check(&arm, Arch::Arm64).is_ok());
        assert_eq!(check(&arm, Arch::X86_64).unwrap_err().to_string(), "is not a program for x86_64");
    }

    #[test]
    fn a_newer_c_library_than_lambdas_is_refused() {
        assert!(check(&elf(0x3E, "GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.\0"), Arch::X86_64).is_ok());
        let error = check(&elf(0x3E, "GLIBC_2.17\0GLIBC_2.38\0"), Arch::X86_64).unwrap_err().to_string();
        assert!(error.starts_with("needs GLIBC_2.38, and Lambda's provided.al2023 has GLIBC_2.34"), "{error}");
    }

    #[test]
    fn what_is_no_program_is_refused_at_any_length() {
        for file in [&b""[..], b"\x7fEL", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\0\0\xb7"]
        {
            assert!(check(file, Arch::Arm64).is_err());
        }
    }
}
