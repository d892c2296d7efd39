//! Writes the resource types of the package `cfn` from pinned schemas (`schemas/`) and patches (`patches/`).
//!
//! - `cargo run -p codegen` writes `constructs/cfn/src/<service>.rs`, and `types.rs`.
//! - `cargo run -p codegen -- --check` fails when what is committed is not what would be written.
//! - `cargo run -p codegen -- --pin DIR [TYPE…]` takes schemas from an unpacked cfn-lint package (`DIR` is its
//!   `cfnlint/data/schemas`): those of the types named, or of all that are pinned. Then read the diff.
//!
//! To add a service: pin its types, run it, and name its module in `constructs/cfn/src/lib.rs`.

mod emit;
mod limits;
mod model;
mod names;
mod patch;
mod pin;
mod read;
mod table;

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

/// What went wrong, in words.
type Failure = Box<dyn Error>;

/// What to say when the committed files are stale.
const COMMAND: &str = "run `cargo run -p codegen`";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match &arguments[..] {
        [] => write(),
        ["--check"] => check(),
        ["--pin", from, types @ ..] => pin_all(Path::new(from), types),
        _ => Err("usage: codegen [--check | --pin DIR [TYPE…]]".into()),
    };
    match done {
        Ok(said) => {
            let _ = writeln!(io::stdout(), "{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn target() -> PathBuf {
    home().with_file_name("cfn").join("src")
}

fn write() -> Result<String, Failure> {
    let files = generate()?;
    for (name, text) in &files {
        fs::write(target().join(name), text)?;
    }
    Ok(format!("{} files", files.len()))
}

fn check() -> Result<String, Failure> {
    let stale: Vec<String> = generate()?
        .into_iter()
        .filter(|(name, text)| fs::read_to_string(target().join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name)
        .collect();
    if stale.is_empty() { Ok("fresh".into()) } else { Err(format!("stale: {}; {COMMAND}", stale.join(", ")).into()) }
}

fn pin_all(from: &Path, types: &[&str]) -> Result<String, Failure> {
    let into = home().join("schemas");
    let pinned: Vec<String> = if types.is_empty() {
        schemas()?.into_keys().collect()
    } else {
        types.iter().map(|t| (*t).to_owned()).collect()
    };
    for name in &pinned {
        pin::pin(from, name, &into)?;
    }
    Ok(format!("{} schemas", pinned.len()))
}

/// File name -> text.
fn generate() -> Result<BTreeMap<String, String>, Failure> {
    let schemas = schemas()?;
    let pinned: BTreeSet<String> = schemas.keys().cloned().collect();
    let mut services: BTreeMap<String, Vec<model::Resource>> = BTreeMap::new();
    for schema in schemas.values() {
        let resource = read::read(schema, &pinned)?;
        services.entry(resource.service.clone()).or_default().push(resource);
    }
    let mut files: BTreeMap<String, String> =
        services.iter().map(|(name, resources)| (format!("{name}.rs"), emit::service(resources))).collect();
    let services: Vec<_> = services.into_iter().collect();
    files.insert("types.rs".into(), emit::types(&services));
    Ok(files)
}

/// Type name -> schema, patches applied.
fn schemas() -> Result<BTreeMap<String, Json>, Failure> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(home().join("schemas"))? {
        let path = entry?.path();
        let mut schema = parse(&path)?;
        let name = schema["typeName"].as_str().unwrap_or_default().to_owned();
        let patches = home().join("patches").join(path.file_name().unwrap_or_default());
        if patches.exists() {
            patch::apply(&mut schema, &parse(&patches)?).map_err(|e| format!("{}: {e}", patches.display()))?;
        }
        out.insert(name, schema);
    }
    Ok(out)
}

fn parse(path: &Path) -> Result<Json, Failure> {
    serde_json::from_slice(&fs::read(path)?).map_err(|e| format!("{}: {e}", path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::{check, home, parse, schemas};
    use std::fs;

    #[test]
    fn the_committed_types_are_those_of_the_schemas() {
        if let Err(stale) = check() {
            panic!("{stale}");
        }
    }

    #[test]
    fn every_patch_says_why_and_changes_a_pinned_schema() {
        for entry in fs::read_dir(home().join("patches")).unwrap() {
            let path = entry.unwrap().path();
            let pinned = home().join("schemas").join(path.file_name().unwrap());
            let mut schema = parse(&pinned).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            for patch in parse(&path).unwrap().as_array().unwrap() {
                let before = schema.clone();
                assert!(patch["reason"].as_str().is_some_and(|r| r.ends_with('.')), "{}: no reason", path.display());
                super::patch::merge(&mut schema, &patch["patch"]);
                assert!(before != schema, "{}: {} changes nothing", path.display(), patch["reason"]);
            }
        }
        assert!(schemas().is_ok());
    }
}
