//! Building the functions with the tools that are there.
//!
//! `cargo lambda` (which links with zig, so against an old C library, for both processors) is taken where it is
//! installed; else plain cargo, which can build for the processor of this machine only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::Arch;
use crate::output::unknown;
use crate::workspace::{Machine, Metadata};
use anyhow::{Context as _, bail, ensure};

/// The package whose binaries are the functions, one each.
pub const PACKAGE: &str = "functions";

/// What is said when a tool is missing.
pub const HOW_TO_GET_IT: &str =
    "install cargo-lambda, which builds for both processors: `pip install cargo-lambda==1.9.2 ziglang==0.17.1`";

/// A script for the linker that leaves out the tables by which a stack is unwound, a sixteenth of a zip. Where a panic aborts
/// nothing unwinds, and a backtrace would have no names. The compiler cannot: the standard library and C code bring theirs.
const NO_UNWIND_TABLES: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame) *(.eh_frame_hdr) } } INSERT AFTER .text;\n";

/// What Lambda's arm64 has from its first processor on, Graviton2. So what would do without is left out: half a megabyte of tables
/// of checksums in the S3 client alone, and a call for each atomic operation.
const GRAVITON: &str = "+aes,+crc,+lse,+sha2";

/// The tool that builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `cargo lambda build`.
    CargoLambda,
    /// `cargo build`.
    Cargo,
}

impl Tool {
    /// The one that can build for that processor here.
    pub fn find(machine: &Machine, arch: Arch) -> anyhow::Result<Self> {
        let installed = machine
            .cargo()
            .args(["lambda", "build", "--help"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if installed {
            Ok(Self::CargoLambda)
        } else if arch.is_native() {
            Ok(Self::Cargo)
        } else {
            bail!(
                "this machine cannot build for {} by itself; {HOW_TO_GET_IT}, and `rustup target add {}`",
                arch.name(),
                arch.triple()
            )
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CargoLambda => "cargo lambda",
            Self::Cargo => "cargo",
        }
    }
}

/// The names of the functions: the binaries of the package `functions`.
pub fn functions(metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let package = metadata.member(PACKAGE).with_context(no_package)?;
    let mut names: Vec<String> = package["targets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin")))
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "the package `{PACKAGE}` has no binaries; each file in its src/bin is a function");
    Ok(names)
}

/// The whole name of the package of the functions. In a workspace that depends on ours there are two of the short one.
fn package_id(metadata: &Metadata) -> anyhow::Result<&str> {
    metadata.member(PACKAGE).and_then(|package| package["id"].as_str()).with_context(no_package)
}

fn no_package() -> String {
    format!("this workspace has no package `{PACKAGE}`; each file in its src/bin is a function")
}

/// Builds the functions for one processor; each one's binary. What cargo has to say goes to stderr as it comes.
pub fn build(
    machine: &Machine,
    metadata: &Metadata,
    tool: Tool,
    functions: &[String],
    arch: Arch,
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let lambda_dir = metadata.target_dir().join("lambda").join(arch.name());
    let mut command = machine.cargo();
    match tool {
        Tool::CargoLambda => command.args(["lambda", "build", "--lambda-dir"]).arg(&lambda_dir),
        Tool::Cargo => command.arg("build"),
    };
    command.args(["--release", "--locked", "--target", arch.triple(), "--package", package_id(metadata)?]);
    for function in functions {
        command.args(["--bin", function]);
    }
    let folder = metadata.target_dir().join("lambda");
    let script = folder.join("no-unwind-tables.ld");
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&script, NO_UNWIND_TABLES))
        .with_context(|| format!("cannot write `{}`", script.display()))?;
    command.env("CARGO_ENCODED_RUSTFLAGS", flags(machine, metadata, arch, &script));
    // What has no tables has nothing to unwind with: a panic ends the process, and Lambda starts another.
    command.env("CARGO_PROFILE_RELEASE_PANIC", "abort");
    // What it prints to stdout is no product of ours.
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    let status = command.status().with_context(|| format!("cannot start {}", tool.name()))?;
    if !status.success() {
        match tool {
            Tool::CargoLambda => bail!(
                "{} did not build the functions; if it misses zig or a target: {HOW_TO_GET_IT}, and `rustup target add {}`",
                tool.name(),
                arch.triple()
            ),
            Tool::Cargo => bail!(
                "{} did not build the functions; if it misses the target: `rustup target add {}`",
                tool.name(),
                arch.triple()
            ),
        }
    }
    Ok(functions
        .iter()
        .map(|function| {
            let path = match tool {
                Tool::CargoLambda => lambda_dir.join(function).join("bootstrap"),
                Tool::Cargo => metadata.target_dir().join(arch.triple()).join("release").join(function),
            };
            (function.clone(), path)
        })
        .collect())
}

/// Builds one function to run on this machine, without what only a deployment needs; its program.
pub fn build_here(machine: &Machine, metadata: &Metadata, function: &str) -> anyhow::Result<PathBuf> {
    let there = functions(metadata)?;
    ensure!(there.iter().any(|name| name == function), "{}", unknown("function", function, &there));
    let mut command = machine.cargo();
    command.args(["build", "--quiet", "--locked", "--package", package_id(metadata)?, "--bin", function]);
    let status = command.stdout(Stdio::null()).status().context("cannot start cargo")?;
    ensure!(status.success(), "cargo did not build the function `{function}`");
    Ok(metadata.target_dir().join("debug").join(function).with_extension(std::env::consts::EXE_EXTENSION))
}

/// Paths of this machine are not part of a function: they would change its hash from one machine to the next, and
/// tell strangers whose machine it was. Flags that were set from outside stay. `script` is the linker's.
fn flags(machine: &Machine, metadata: &Metadata, arch: Arch, script: &Path) -> String {
    const SEPARATOR: &str = "\u{1f}";
    let mut flags: Vec<String> = match (machine.var("CARGO_ENCODED_RUSTFLAGS"), machine.var("RUSTFLAGS")) {
        (Some(encoded), _) => encoded.split(SEPARATOR).filter(|flag| !flag.is_empty()).map(str::to_owned).collect(),
        (None, Some(plain)) => plain.split_whitespace().map(str::to_owned).collect(),
        (None, None) => Vec::new(),
    };
    let cargo_home = machine
        .var("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| machine.var("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    if let Some(home) = cargo_home {
        flags.push(format!("--remap-path-prefix={}=cargo", home.display()));
    }
    flags.push(format!("--remap-path-prefix={}=.", metadata.root().display()));
    flags.extend(["-Clink-arg=-T".to_owned(), format!("-Clink-arg={}", script.display())]);
    if arch == Arch::Arm64 {
        flags.push(format!("-Ctarget-feature={GRAVITON}"));
    }
    flags.join(SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_from_outside_are_kept_and_no_path_of_the_machine_stays() {
        let metadata = Metadata::from(serde_json::json!({"workspace_root": "/home/me/flexo"}));
        let machine = Machine {
            dir: "/".into(),
            env: [("RUSTFLAGS", "-C target-cpu=native"), ("HOME", "/home/me")]
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        };
        let flags = flags(&machine, &metadata, Arch::Arm64, Path::new("/home/me/flexo/target/no.ld"));
        assert_eq!(
            flags.split('\u{1f}').collect::<Vec<_>>(),
            [
                "-C",
                "target-cpu=native",
                "--remap-path-prefix=/home/me/.cargo=cargo",
                "--remap-path-prefix=/home/me/flexo=.",
                "-Clink-arg=-T",
                "-Clink-arg=/home/me/flexo/target/no.ld",
                "-Ctarget-feature=+aes,+crc,+lse,+sha2"
            ]
        );
    }
}
