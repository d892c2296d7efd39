//! From source to what Lambda takes: built, checked, zipped under the hash of its content.

pub mod binary;
pub mod build;
pub mod notices;
pub mod zip;

/// The processor that a function runs on, in Lambda's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Arch {
    /// AWS Graviton: a fifth cheaper per second, and the stacks' default.
    #[value(name = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[value(name = "x86_64")]
    X86_64,
}

impl Arch {
    /// As Lambda's `Architectures` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// As rustc spells it.
    pub const fn triple(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }

    /// Whether a plain `cargo build` on this machine makes binaries for it.
    pub fn is_native(self) -> bool {
        cfg!(all(target_os = "linux", target_env = "gnu"))
            && std::env::consts::ARCH == if self == Self::Arm64 { "aarch64" } else { "x86_64" }
    }
}
