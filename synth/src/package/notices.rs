//! The notices that licences ask for: who wrote what is linked into a binary, and under which terms.
//!
//! Licences of the MIT kind want their text to go with every copy, and a zip that is uploaded is a copy. The list
//! is that of the packages linked into the binary for its target; the texts are those in the packages' own sources, each once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::workspace::Metadata;
use serde_json::Value;

/// How the names of files with terms begin, in upper case.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE"];

const LINE: &str = "================================================================================";

/// The notices for the binary of `package` (a package id). `general` is where rustup puts the general text of each
/// licence (`<SPDX id>.txt`), for packages that come without; what is not found there is named only.
pub fn notices(metadata: &Metadata, package: &str, general: Option<&Path>) -> String {
    let mut software: Vec<Software> = metadata
        .linked(package)
        .into_iter()
        // Without a source it is a package of the workspace itself.
        .filter(|package| !package["source"].is_null())
        .map(|package| Software::of(package, general))
        .collect();
    software.push(Software::of_the_standard_library(general));
    software.sort_by(|a, b| a.title.cmp(&b.title));
    render(&software)
}

struct Software {
    title: String,
    /// File name and text.
    texts: Vec<(String, String)>,
}

impl Software {
    fn of(package: &Value, general: Option<&Path>) -> Self {
        let text = |member: &str| package[member].as_str().unwrap_or_default();
        let licence = if text("license").is_empty() { "see its licence file" } else { text("license") };
        let mut title = format!("{} {} ({licence})", text("name"), text("version"));
        if !text("repository").is_empty() {
            let _ = write!(title, " {}", text("repository"));
        }
        let root = Path::new(text("manifest_path")).parent().unwrap_or(Path::new(""));
        let mut texts = own_texts(root, package["license_file"].as_str());
        if texts.is_empty() {
            texts = general_texts(licence, general);
        }
        Self { title, texts }
    }

    fn of_the_standard_library(general: Option<&Path>) -> Self {
        Self {
            title: "the Rust standard library (MIT OR Apache-2.0) https://github.com/rust-lang/rust".to_owned(),
            texts: general_texts("MIT OR Apache-2.0", general),
        }
    }
}

/// Folders of a package that hold no terms of what is linked.
const ASIDE: [&str; 5] = ["benches", "examples", "fuzz", "src", "tests"];

/// The texts at the top of a package, in a folder of them, and at the top of what it brings along (the sources of a C library).
fn own_texts(root: &Path, declared: Option<&str>) -> Vec<(String, String)> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let has_terms = |path: &Path| NAMES.iter().any(|start| name(path).to_uppercase().starts_with(start));
    let mut paths: Vec<PathBuf> = declared.map(|file| root.join(file)).into_iter().collect();
    for path in entries(root) {
        if path.is_dir() && !ASIDE.contains(&name(&path).as_str()) {
            paths.extend(
                entries(&path).into_iter().filter(|inner| inner.is_file() && (has_terms(&path) || has_terms(inner))),
            );
        } else if path.is_file() && has_terms(&path) {
            paths.push(path);
        }
    }
    paths.sort();
    paths.dedup();
    paths.iter().filter_map(|path| read(path)).collect()
}

/// The texts of the licences that an SPDX expression names.
fn general_texts(expression: &str, folder: Option<&Path>) -> Vec<(String, String)> {
    let Some(folder) = folder else { return Vec::new() };
    let mut names: Vec<&str> = expression
        .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-' || letter == '.'))
        .filter(|word| !word.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| read(&folder.join(format!("{name}.txt")))).collect()
}

fn read(path: &Path) -> Option<(String, String)> {
    let bytes = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // Line ends and blanks at them differ between copies of one text.
    let text: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    Some((path.file_name()?.to_string_lossy().into_owned(), text.join("\n").trim_matches('\n').to_owned()))
}

fn render(software: &[Software]) -> String {
    let mut titles_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut order: Vec<(&str, &str)> = Vec::new();
    for one in software {
        for (name, text) in &one.texts {
            let titles = titles_of.entry(text).or_insert_with(|| {
                order.push((name, text));
                Vec::new()
            });
            let short = one.title.split(" (").next().unwrap_or(&one.title);
            if titles.last() != Some(&short) {
                titles.push(short);
            }
        }
    }
    let mut page =
        String::from("This program contains the following software, under the terms that follow the list.\n\n");
    for one in software {
        let missing = if one.texts.is_empty() { " (its package contains no text of its terms)" } else { "" };
        let _ = writeln!(page, "- {}{missing}", one.title);
    }
    for (name, text) in order {
        let titles = titles_of.get(text).map(|titles| titles.join(", ")).unwrap_or_default();
        let _ = write!(page, "\n{LINE}\n{name} of {titles}\n{LINE}\n\n{text}\n");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::fs;

    fn package(root: &Path, name: &str, licence: &str, files: &[(&str, &str)]) -> Value {
        let folder = root.join(name);
        fs::create_dir(&folder).unwrap();
        for (file, text) in files {
            fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
            fs::write(folder.join(file), text).unwrap();
        }
        json!({
            "name": name, "id": name, "version": "1.0.0", "source": "registry", "license": licence,
            "manifest_path": folder.join("Cargo.toml"), "targets": [{"kind": ["lib"]}],
        })
    }

    #[test]
    fn a_text_that_several_packages_share_stands_there_once() {
        let root = tempfile::tempdir().unwrap();
        let general = root.path().join("general");
        fs::create_dir(&general).unwrap();
        fs::write(general.join("ISC.txt"), "Permission to use\n").unwrap();
        let ids = ["beta", "alpha", "c-sys", "gamma", "delta", "own"];
        let metadata = Metadata::from(json!({
            "packages": [
                package(root.path(), "beta", "MIT", &[("LICENSE", "Do what you like\r\n"), ("README.md", "no terms")]),
                package(root.path(), "alpha", "MIT", &[("license-mit.txt", "Do what you like \n\n")]),
                package(root.path(), "c-sys", "MIT", &[("c/COPYING", "The C library's"), ("tests/LICENSE", "of a fixture")]),
                package(root.path(), "gamma", "ISC OR Foo-1.0", &[]),
                package(root.path(), "delta", "Foo-1.0", &[]),
                {"name": "own", "id": "own", "version": "0.1.0", "source": null, "manifest_path": "", "targets": []},
            ],
            "resolve": {"nodes": [
                {"id": "own", "deps": ids.map(|id| json!({"pkg": id, "dep_kinds": [{"kind": null}]}))},
            ]},
        }));
        let expected = format!(
            "This program contains the following software, under the terms that follow the list.\n\n\
             - alpha 1.0.0 (MIT)\n- beta 1.0.0 (MIT)\n- c-sys 1.0.0 (MIT)\n\
             - delta 1.0.0 (Foo-1.0) (its package contains no text of its terms)\n- gamma 1.0.0 (ISC OR Foo-1.0)\n\
             - the Rust standard library (MIT OR Apache-2.0) https://github.com/rust-lang/rust (its package contains no text of its terms)\n\
             \n{LINE}\nlicense-mit.txt of alpha 1.0.0, beta 1.0.0\n{LINE}\n\nDo what you like\n\
             \n{LINE}\nCOPYING of c-sys 1.0.0\n{LINE}\n\nThe C library's\n\
             \n{LINE}\nISC.txt of gamma 1.0.0\n{LINE}\n\nPermission to use\n"
        );
        assert_eq!(notices(&metadata, "own", Some(&general)), expected);
    }
}
