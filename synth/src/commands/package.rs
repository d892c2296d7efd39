//! `synth package`: the functions as zip files that Lambda takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::Context;
use crate::output::{Format, Output, Verdict, unknown};
use crate::package::{Arch, binary, build, notices, zip};
use crate::workspace::{Machine, Metadata, shown};

/// Builds the functions and zips each for Lambda, named by its content.
///
/// A function is a file in `functions/src/bin`. Its zip holds the program as `bootstrap` and the notices of the
/// software linked into it; its name is `<function>-<arch>-<start of the SHA-256 of the zip>.zip`, so the same
/// program has the same name and a new one never takes the place of an old one. Beside the zips, `parameters-<arch>.json`
/// is what `aws cloudformation deploy --parameter-overrides file://…` takes. The commands that remain to be run are printed.
///
/// Building needs `cargo lambda` (`pip install cargo-lambda==1.9.2 ziglang==0.13.0`), or a Linux machine with the
/// same processor.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The functions; all when none is named.
    #[arg(value_name = "FUNCTION")]
    functions: Vec<String>,
    /// The processor, as the stack's functions want it.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "arm64")]
    arch: Vec<Arch>,
    /// The bucket that the zips will be uploaded to.
    #[arg(long, value_name = "NAME")]
    bucket: Option<String>,
    /// Where the zips go; `target/package` of the workspace when not given.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A zip that was written.
struct Package {
    function: String,
    arch: Arch,
    file: PathBuf,
    key: String,
    sha256: String,
    bytes: usize,
}

/// Exit code: 0 when all are packaged, 2 when one could not be.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let machine = &context.machine;
    let metadata = Metadata::read(machine, None)?;
    let functions = chosen(&args.functions, build::functions(&metadata)?)?;
    let dir = match &args.out {
        Some(dir) => machine.dir.join(dir),
        None => metadata.target_dir().join("package"),
    };
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;

    let mut arches = args.arch.clone();
    arches.sort();
    arches.dedup();
    // All tools first: nobody wants to learn after six minutes that the second half cannot be built.
    let tools = arches.iter().map(|&arch| build::Tool::find(machine, arch)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut packages = Vec::new();
    let mut parameters = BTreeMap::new();
    for (&arch, tool) in arches.iter().zip(tools) {
        out.talk(format_args!("building {} for {} with {}", functions.join(", "), arch.name(), tool.name()));
        let binaries = build::build(machine, &metadata, tool, &functions, arch)?;
        let notices = notices(machine, arch)?;
        let built = binaries
            .iter()
            .map(|(function, path)| package(function, path, &notices, arch, &dir))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let file = dir.join(format!("parameters-{}.json", arch.name()));
        fs::write(&file, format!("{:#}\n", json!(parameters_of(&built, args.bucket.as_deref()))))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        parameters.insert(arch, file);
        packages.extend(built);
    }
    let commands = commands(&packages, args.bucket.as_deref(), &machine.dir);
    for package in &packages {
        let file = shown(&package.file, &machine.dir);
        out.talk(format_args!("{file} ({}.{} MiB)", package.bytes >> 20, ((package.bytes & 0xF_FFFF) * 10) >> 20));
    }
    match args.format {
        Format::Text => {
            if args.bucket.is_none() {
                out.talk("to run, with the bucket's name for BUCKET (`--bucket NAME` puts it in here and into the parameters):");
            }
            commands.iter().try_for_each(|command| out.product(command))?;
        }
        Format::Json => out.product(format_args!("{:#}", document(&packages, &parameters, &commands)))?,
    }
    Ok(Verdict::Fine)
}

fn chosen(wanted: &[String], there: Vec<String>) -> anyhow::Result<Vec<String>> {
    if wanted.is_empty() {
        return Ok(there);
    }
    for name in wanted {
        if !there.contains(name) {
            bail!("{}", unknown("function", name, &there));
        }
    }
    Ok(there.into_iter().filter(|name| wanted.contains(name)).collect())
}

/// The notices of the package's graph for that processor; not of each binary's alone, which cargo does not tell apart.
fn notices(machine: &Machine, arch: Arch) -> anyhow::Result<String> {
    let metadata = Metadata::read(machine, Some(arch.triple()))?;
    let package = metadata.member(build::PACKAGE).and_then(|package| package["id"].as_str()).unwrap_or_default();
    let sysroot = std::process::Command::new(machine.var("RUSTC").unwrap_or("rustc"))
        .args(["--print", "sysroot"])
        .current_dir(&machine.dir)
        .stdin(Stdio::null())
        .output()
        .context("cannot start rustc")?;
    let general = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim()).join("share/doc/rust/licenses");
    Ok(notices::notices(&metadata, package, Some(&general)))
}

fn package(function: &str, path: &Path, notices: &str, arch: Arch, dir: &Path) -> anyhow::Result<Package> {
    let program = fs::read(path).with_context(|| format!("cannot read what was built, `{}`", path.display()))?;
    binary::check(&program, arch).with_context(|| {
        format!("the function `{function}` would not start; cargo-lambda links for Lambda: {}", build::HOW_TO_GET_IT)
    })?;
    let archive = zip::archive(&[
        zip::Entry { name: "bootstrap", content: &program, executable: true },
        zip::Entry { name: "THIRD-PARTY-NOTICES.txt", content: notices.as_bytes(), executable: false },
    ])?;
    let digest = Sha256::digest(&archive);
    let sha256 = digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let key = format!("{function}-{}-{}.zip", arch.name(), sha256.get(..16).unwrap_or_default());
    let file = dir.join(&key);
    fs::write(&file, &archive).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(Package {
        function: function.to_owned(),
        arch,
        file,
        key,
        sha256: base64_simd::STANDARD.encode_to_string(digest),
        bytes: archive.len(),
    })
}

/// The parameters of a stack that say where its functions' code is, as `--parameter-overrides file://…` takes them: a list of
/// `Name=Value`. One file does for every stack: `deploy` leaves out what a template has no parameter for.
fn parameters_of(packages: &[Package], bucket: Option<&str>) -> Vec<String> {
    let mut list: Vec<String> = bucket.map(|bucket| format!("CodeBucket={bucket}")).into_iter().collect();
    for package in packages {
        let name = pascal_case(&package.function);
        list.push(format!("{name}CodeKey={}", package.key));
        list.push(format!("{name}CodeSha256={}", package.sha256));
    }
    list
}

fn pascal_case(name: &str) -> String {
    name.split(['_', '-'])
        .flat_map(|word| {
            word.chars().enumerate().map(|(at, letter)| if at == 0 { letter.to_ascii_uppercase() } else { letter })
        })
        .collect()
}

/// What remains to be run.
fn commands(packages: &[Package], bucket: Option<&str>, dir: &Path) -> Vec<String> {
    let bucket = bucket.unwrap_or("BUCKET");
    packages
        .iter()
        .map(|package| format!("aws s3 cp {} s3://{bucket}/{}", shown(&package.file, dir), package.key))
        .collect()
}

fn document(packages: &[Package], parameters: &BTreeMap<Arch, PathBuf>, commands: &[String]) -> Value {
    json!({
        "packages": packages.iter().map(|package| json!({
            "function": package.function,
            "arch": package.arch.name(),
            "file": package.file,
            "key": package.key,
            "code_sha256": package.sha256,
            "bytes": package.bytes,
        })).collect::<Vec<_>>(),
        "parameters": parameters.iter().map(|(arch, file)| (arch.name().to_owned(), json!(file))).collect::<Map<_, _>>(),
        "commands": commands,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_after_the_function() {
        let package = Package {
            function: "opensearch_setup".into(),
            arch: Arch::Arm64,
            file: "x".into(),
            key: "opensearch_setup-arm64-0.zip".into(),
            sha256: "AA=".into(),
            bytes: 1,
        };
        assert_eq!(
            parameters_of(&[package], Some("code")),
            ["CodeBucket=code", "OpensearchSetupCodeKey=opensearch_setup-arm64-0.zip", "OpensearchSetupCodeSha256=AA=",]
        );
    }

    #[test]
    fn a_function_that_is_not_there_is_named_with_those_that_are() {
        let there = || vec!["etl".to_owned(), "opensearch_setup".to_owned()];
        assert_eq!(chosen(&[], there()).unwrap(), there());
        assert_eq!(chosen(&["opensearch_setup".to_owned()], there()).unwrap(), ["opensearch_setup"]);
        let error = chosen(&["elt".to_owned()], there()).unwrap_err().to_string();
        assert_eq!(error, "no function is called `elt`; there is `etl`, `opensearch_setup`; did you mean `etl`?");
    }
}
