//! The fuzzer's laws, held against what it found: the corpus that covers most with least, and every input that once broke a law, under
//! a name that says how. See `functions/fuzz`.

#![expect(clippy::expect_used, clippy::panic, reason = "what a law expects, it fails for")]

#[path = "../../fuzz/laws/mod.rs"]
mod laws;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn inputs(folder: &str, law: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz").join(folder).join(law);
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|file| file.expect("a file").path()).collect();
    files.sort();
    files
}

#[test]
fn every_law_holds_on_what_the_fuzzer_found() {
    for (name, law) in laws::LAWS {
        let (corpus, findings) = (inputs("corpus", name), inputs("findings", name));
        assert!(corpus.len() >= 5, "`{name}` has {} inputs", corpus.len());
        for file in corpus.iter().chain(&findings) {
            // The last one that is named broke the law.
            println!("{}", file.display());
            law(&fs::read(file).expect("it can be read"));
        }
    }
}

#[test]
fn every_law_has_a_target_and_nothing_else_does() {
    let names: BTreeSet<String> = laws::LAWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    for (folder, extension) in [("targets", "rs"), ("corpus", ""), ("laws", "rs")] {
        let found = inputs(folder, "");
        let stems: BTreeSet<String> = found
            .iter()
            .filter(|path| path.extension().unwrap_or_default() == extension)
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .filter(|stem| folder != "laws" || !["mod", "kit"].contains(&stem.as_str()))
            .collect();
        assert_eq!(stems, names, "{folder}");
    }
    let manifest =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/Cargo.toml")).expect("a manifest");
    for name in &names {
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"targets/{name}.rs\"")), "{name}");
        laws::hold(name, b"");
    }
}
