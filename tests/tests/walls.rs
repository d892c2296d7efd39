//! The walls: which package may use which, and which room of a package may import which.
//!
//! A sign is the line `//! Imports: …` at the head of a file. A file without one keeps to that of the module it is in. Where a
//! sign says too little, change the code; where the house should really have another door, change the sign, and say why in the
//! commit.

use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("the file can be read")
}

/// Package by package: its folder, and which of ours it may depend on.
const DOORS: &[(&str, &str, &[&str])] = &[
    ("payload", "functions/payload", &[]),
    ("etl", "functions/etl", &["payload"]),
    ("etl-adapters", "functions/etl-adapters", &["etl"]),
    ("functions", "functions", &["etl", "etl-adapters"]),
    ("cfn", "constructs/cfn", &[]),
    ("codegen", "constructs/codegen", &[]),
    ("constructs", "constructs", &["cfn", "etl"]),
    ("stacks", "stacks", &["constructs", "etl"]),
    // A local transport writes into the same buffer as every other.
    ("synth", "synth", &["constructs", "etl", "payload", "stacks"]),
];

#[test]
fn packages_keep_to_their_doors() {
    for (name, folder, allowed) in DOORS {
        let manifest = read(&root().join(folder).join("Cargo.toml"));
        let dependencies = manifest.split("[dependencies]").nth(1).expect("there are dependencies");
        let dependencies = dependencies.split("\n[").next().expect("the section has an end");
        let named = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        for used in named.filter(|used| DOORS.iter().any(|(ours, ..)| ours == used)) {
            assert!(allowed.contains(&used), "`{name}` depends on `{used}`; its doors are {allowed:?}");
        }
    }
}

#[test]
fn the_command_is_built_without_a_runtime_and_without_the_sdk() {
    let cargo = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", "synth", "-e", "normal,build", "--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let tree = String::from_utf8(cargo.stdout).expect("names are text");
    let names: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("stacks") && names.len() < 140, "{} packages: {names:?}", names.len());
    let heavy = |name: &&&str| **name == "tokio" || name.starts_with("aws-") || name.starts_with("hyper");
    assert_eq!(names.iter().find(heavy), None);
}

/// The rooms of a pipeline never import each other, whatever their signs say.
const ROOMS: [&str; 7] =
    ["deserializers", "handlers", "operations", "reporters", "serializers", "transports", "wrappers"];

#[test]
fn files_keep_to_their_signs() {
    for (source, packages) in [("functions/etl/src", &["payload"][..]), ("constructs/src", &["cfn", "etl"])] {
        let source = root().join(source);
        let exported = exported(&read(&source.join("lib.rs")));
        let (mut checked, mut wrong) = (0, vec![]);
        for file in rust_files(&source) {
            let text = without_tests(&read(&file));
            let Some((sign, of)) = sign(&source, &file) else { continue };
            checked += 1;
            let own = modules(&source, &file);
            let room = own.iter().find(|module| ROOMS.contains(&module.as_str()));
            let place = file.strip_prefix(root()).expect("the file is ours").display().to_string();
            for used in imports(&text, packages) {
                let used = exported.get(&used).unwrap_or(&used);
                if own.contains(used) {
                    continue;
                }
                if !sign.contains(used) && !sign.contains("everything") {
                    wrong.push(format!("{place} imports `{used}`; the sign of {of} does not say so"));
                }
                if room.is_some() && ROOMS.contains(&used.as_str()) {
                    wrong.push(format!("{place} imports the room `{used}`"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(checked > 30, "{checked} files of {} have a sign", source.display());
    }
}

#[test]
fn only_patterns_know_pipelines_and_nothing_below_knows_what_is_above() {
    let constructs = root().join("constructs/src");
    for file in rust_files(&constructs) {
        let layer =
            file.strip_prefix(&constructs).expect("the file is ours").components().next().expect("it has a name");
        let layer = layer.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let used = imports(&without_tests(&read(&file)), &["etl"]);
        let above: &[&str] = match layer.as_str() {
            "lib" | "patterns" => &[],
            "aws" => &["etl", "patterns"],
            _ => &["etl", "patterns", "aws"],
        };
        for name in above {
            assert!(!used.contains(*name), "{} imports `{name}`", file.display());
        }
    }
}

/// The sign that a file keeps to, and whose it is: its own, or that of the nearest module around it.
fn sign(source: &Path, file: &Path) -> Option<(BTreeSet<String>, String)> {
    let around = file
        .ancestors()
        .skip(1)
        .take_while(|dir| *dir != source)
        .flat_map(|dir| [dir.join("mod.rs"), dir.with_extension("rs")]);
    std::iter::once(file.to_owned()).chain(around).filter(|path| path.exists()).find_map(|path| {
        let text = read(&path);
        let start = text.find("//! Imports: ")? + "//! Imports: ".len();
        let line = text[start..].split("\n\n").next()?.split("\n//!\n").next()?.split("\nuse ").next()?.to_owned();
        let mut sign: BTreeSet<String> = line.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if line.contains("the rooms") {
            sign.extend(ROOMS.map(str::to_owned));
        }
        if line.contains("everything") {
            sign.insert("everything".to_owned());
        }
        Some((sign, path.strip_prefix(root()).ok()?.display().to_string()))
    })
}

/// The modules that a file is in, by name.
fn modules(source: &Path, file: &Path) -> BTreeSet<String> {
    let path = file.strip_prefix(source).expect("the file is ours").with_extension("");
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

/// What `lib.rs` gives out under the package's own name, and the module it is from.
fn exported(lib: &str) -> BTreeMap<String, String> {
    let public = Regex::new(r"pub use (\w+)::(?:\{([^}]*)\}|(\w+));").expect("it compiles");
    let names = public.captures_iter(lib).flat_map(|found| {
        let module = found[1].to_owned();
        let list = found.get(2).or(found.get(3)).expect("one of the two").as_str().to_owned();
        list.split(',').map(|name| (name.trim().to_owned(), module.clone())).collect::<Vec<_>>()
    });
    names.filter(|(name, _)| !name.is_empty()).collect()
}

/// The first name of every path that begins at the package or at another of ours.
fn imports(text: &str, packages: &[&str]) -> BTreeSet<String> {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut found = BTreeSet::new();
    let list = Regex::new(r"crate::\{").expect("it compiles");
    for at in list.find_iter(&code) {
        found.extend(top_names(&code[at.end()..]));
    }
    let single = Regex::new(r"crate::(\w+)").expect("it compiles");
    found.extend(single.captures_iter(&code).map(|c| c[1].to_owned()));
    for package in packages {
        if Regex::new(&format!(r"\b{package}::")).expect("it compiles").is_match(&code) {
            found.insert((*package).to_owned());
        }
    }
    found
}

/// The names right below an open brace.
fn top_names(list: &str) -> Vec<String> {
    let (mut depth, mut names, mut word) = (0, vec![], String::new());
    for letter in list.chars() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(std::mem::take(&mut word)),
            _ if depth == 0 => word.push(letter),
            _ => {}
        }
    }
    names.push(word);
    let first = |name: String| name.trim().split([':', ' ']).next().unwrap_or_default().to_owned();
    names.into_iter().map(first).filter(|name| !name.is_empty()).collect()
}

/// A test may look into other rooms.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(dir).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
