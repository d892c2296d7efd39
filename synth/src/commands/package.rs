//! `synth package`: the functions as zip files that Lambda takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail};
use constructs::Template;
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
/// Building needs `cargo lambda` (`pip install cargo-lambda==1.9.2 ziglang==0.17.1`), or a Linux machine with the
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

/// What a bucket is called that nobody has named.
const BUCKET: &str = "BUCKET";
/// How the parameters of a function's code end, after the kind of function: see [`constructs::asset`].
const CODE_BUCKET: &str = "CodeBucket";
const ARCHITECTURE: &str = "Architecture";
const CODE_KEY: &str = "CodeKey";
const CODE_SHA256: &str = "CodeSha256";

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
    let bucket = args.bucket.as_deref();
    let stacks = deployables(context, bucket.unwrap_or(BUCKET));
    let mut packages = Vec::new();
    let mut parameters = BTreeMap::new();
    let mut commands = Vec::new();
    for (&arch, tool) in arches.iter().zip(tools) {
        out.talk(format_args!("building {} for {} with {}", functions.join(", "), arch.name(), tool.name()));
        let binaries = build::build(machine, &metadata, tool, &functions, arch)?;
        let notices = notices(machine, arch)?;
        let built = binaries
            .iter()
            .map(|(function, path)| package(function, path, &notices, arch, &dir))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let file = dir.join(format!("parameters-{}.json", arch.name()));
        fs::write(&file, format!("{:#}\n", json!(parameters_of(&built, &stacks, bucket))))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        commands.push((arch, self::commands(&built, &file, &stacks, bucket.unwrap_or(BUCKET), &machine.dir)));
        parameters.insert(arch, file);
        packages.extend(built);
    }
    for package in &packages {
        let file = shown(&package.file, &machine.dir);
        out.talk(format_args!("{file} ({}.{} MiB)", package.bytes >> 20, ((package.bytes & 0xF_FFFF) * 10) >> 20));
    }
    if stacks.iter().any(|stack| !stack.template.exists()) {
        out.talk("`cargo run synth` writes the templates that are deployed");
    }
    match args.format {
        Format::Text => {
            if bucket.is_none() {
                out.talk(format_args!(
                    "to run, with the bucket's name for {BUCKET} (`--bucket NAME` puts it in here and into the parameters):"
                ));
            }
            for (arch, commands) in &commands {
                if arches.len() > 1 {
                    out.talk(format_args!("for {}:", arch.name()));
                }
                commands.iter().try_for_each(|command| out.product(command))?;
            }
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

/// The parameters that say where the functions' code is, as `--parameter-overrides file://…` takes them: a list of `Name=Value`. One
/// file does for every stack: `deploy` leaves out what a template has no parameter for.
fn parameters_of(packages: &[Package], stacks: &[Deployable], bucket: Option<&str>) -> Vec<String> {
    let mut list: Vec<String> = bucket.map(|bucket| format!("{CODE_BUCKET}={bucket}")).into_iter().collect();
    list.extend(packages.first().map(|package| format!("{ARCHITECTURE}={}", package.arch.name())));
    for package in packages {
        let kind = kind_of(&package.function, stacks);
        list.push(format!("{kind}{CODE_KEY}={}", package.key));
        list.push(format!("{kind}{CODE_SHA256}={}", package.sha256));
    }
    list
}

/// A stack whose template can be had.
struct Deployable {
    name: String,
    /// Where `synth synth` puts its template.
    template: PathBuf,
    parameters: Vec<String>,
    /// What `deploy` wants to be told.
    options: String,
}

/// How the stacks call a kind of function: `EtlCodeKey` is of the function `etl`, `OpenSearchSetupCodeKey` of `opensearch_setup`.
fn kind_of(function: &str, stacks: &[Deployable]) -> String {
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    stacks
        .iter()
        .flat_map(|stack| &stack.parameters)
        .filter_map(|parameter| parameter.strip_suffix(CODE_KEY))
        .find(|kind| plain(kind) == plain(function))
        .map_or_else(|| pascal_case(function), str::to_owned)
}

fn pascal_case(name: &str) -> String {
    name.split(['_', '-'])
        .flat_map(|word| {
            word.chars().enumerate().map(|(at, letter)| if at == 0 { letter.to_ascii_uppercase() } else { letter })
        })
        .collect()
}

/// The stacks that run functions; those with errors cannot be deployed and are left out.
fn deployables(context: &Context, bucket: &str) -> Vec<Deployable> {
    let stacks = context.app.stacks();
    let templates = stacks.iter().filter_map(|stack| Some((stack.name(), stack.synth().template().ok()?)));
    templates
        .map(|(name, template)| {
            let parameters = template.as_json()["Parameters"].as_object();
            let parameters = parameters.map(|p| p.keys().cloned().collect()).unwrap_or_default();
            let file = context.machine.root().join(format!("target/templates/{name}.template.json"));
            Deployable { name: name.to_owned(), template: file, parameters, options: options(&template, bucket) }
        })
        .filter(|stack| stack.parameters.iter().any(|parameter| parameter.ends_with(CODE_KEY)))
        .collect()
}

fn options(template: &Template, bucket: &str) -> String {
    // The most that CloudFormation takes without a bucket.
    const INLINE: usize = 51_200;
    let named = |kind: &str, name: &str| {
        template.resources_of(kind).any(|(_, resource)| resource["Properties"].get(name).is_some())
    };
    let has_names = named("AWS::IAM::Role", "RoleName")
        || named("AWS::IAM::ManagedPolicy", "ManagedPolicyName")
        || named("AWS::IAM::User", "UserName")
        || named("AWS::IAM::Group", "GroupName");
    let mut options = format!(" --capabilities {}", if has_names { "CAPABILITY_NAMED_IAM" } else { "CAPABILITY_IAM" });
    if template.to_json().len() > INLINE {
        let _ = write!(options, " --s3-bucket {bucket}");
    }
    let tags: Vec<String> = template.tags().iter().map(|(key, value)| quoted(&format!("{key}={value}"))).collect();
    if !tags.is_empty() {
        let _ = write!(options, " --tags {}", tags.join(" "));
    }
    options
}

/// An argument as a shell takes it.
fn quoted(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@+".contains(letter);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// What remains to be run, for the first of the processors that were asked for.
fn commands(packages: &[Package], parameters: &Path, stacks: &[Deployable], bucket: &str, dir: &Path) -> Vec<String> {
    let uploads = packages
        .iter()
        .map(|package| format!("aws s3 cp {} s3://{bucket}/{}", quoted(&shown(&package.file, dir)), package.key));
    let deployments = stacks.iter().map(|stack| {
        format!(
            "aws cloudformation deploy --stack-name {} --template-file {} --parameter-overrides {}{}",
            stack.name,
            quoted(&shown(&stack.template, dir)),
            quoted(&format!("file://{}", shown(parameters, dir))),
            stack.options,
        )
    });
    uploads.chain(deployments).collect()
}

fn document(packages: &[Package], parameters: &BTreeMap<Arch, PathBuf>, commands: &[(Arch, Vec<String>)]) -> Value {
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
        "commands": commands.iter().map(|(arch, list)| (arch.name().to_owned(), json!(list))).collect::<Map<_, _>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(function: &str) -> Package {
        let key = format!("{function}-arm64-0.zip");
        let file = Path::new("/w/it's").join(&key);
        Package { function: function.into(), arch: Arch::Arm64, file, key, sha256: "AA=".into(), bytes: 1 }
    }

    #[test]
    fn parameters_are_called_as_the_stacks_call_them() {
        let stack = Deployable {
            name: "logs".into(),
            template: "t".into(),
            parameters: ["Retention", "OpenSearchSetupCodeKey"].map(str::to_owned).into(),
            options: " --capabilities CAPABILITY_IAM".into(),
        };
        let packages = [package("opensearch_setup"), package("my_etl")];
        assert_eq!(
            parameters_of(&packages, &[stack], Some("code")),
            [
                "CodeBucket=code",
                "Architecture=arm64",
                "OpenSearchSetupCodeKey=opensearch_setup-arm64-0.zip",
                "OpenSearchSetupCodeSha256=AA=",
                "MyEtlCodeKey=my_etl-arm64-0.zip",
                "MyEtlCodeSha256=AA=",
            ]
        );
    }

    #[test]
    fn what_remains_to_be_run_can_be_pasted_into_a_shell() {
        let mut stack = constructs::Stack::new("logs").tag("team", "log people");
        stack.scope().add(
            "Role",
            constructs::Untyped::new("AWS::IAM::Role", json!({"RoleName": "r", "AssumeRolePolicyDocument": {}})),
        );
        let template = stack.synth().draft().clone();
        let stack = Deployable {
            name: "logs".into(),
            template: "/w/target/templates/logs.template.json".into(),
            parameters: vec![],
            options: options(&template, "code"),
        };
        assert_eq!(
            commands(&[package("etl")], Path::new("/w/p.json"), &[stack], "code", Path::new("/w")),
            [
                r"aws s3 cp 'it'\''s/etl-arm64-0.zip' s3://code/etl-arm64-0.zip",
                "aws cloudformation deploy --stack-name logs --template-file target/templates/logs.template.json \
                 --parameter-overrides file://p.json --capabilities CAPABILITY_NAMED_IAM --tags 'team=log people'",
            ]
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
