//! The sample configs are fine to `check`, carry tests, and pass them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_sample_is_fine() {
    let folder = here().join("../functions/samples");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let output =
        Command::new(env!("CARGO_BIN_EXE_synth")).current_dir(&folder).arg("check").args(&files).output().unwrap();
    // What is fine is talk, not the product.
    let said = String::from_utf8(output.stderr).unwrap();
    let fine = files.iter().map(|file| format!("{}: fine (left to the deployment: SEARCH_HOST)\n", file.display()));
    let expected = fine.collect::<Vec<_>>().concat();
    assert_eq!(said, expected);
    assert!(output.status.success() && !files.is_empty());
}

#[test]
fn the_tests_of_every_sample_pass() {
    let command = Path::new(env!("CARGO_BIN_EXE_synth")).with_file_name("examples").join("own_workspace");
    let command = command.with_extension(std::env::consts::EXE_EXTENSION);
    let samples = fs::read_dir(here().join("../functions/samples")).unwrap();
    let pages = ["run.in/orders.yaml", "run.in/objects.yaml", "check.in/pipeline.yaml"];
    let mut files: Vec<PathBuf> = samples.map(|file| file.unwrap().path()).collect();
    files.extend(pages.map(|file| here().join("tests/cli").join(file)));
    files.sort();
    let output =
        Command::new(command).arg("test").args(&files).args(["--set", "SEARCH_HOST=h", "--set", "STAGE=test"]).output();
    let output = output.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// A block of the README, by its language and a line in it.
fn shown(language: &str, line: &str) -> String {
    let readme = fs::read_to_string(here().join("../README.md")).expect("there is a README");
    let blocks = readme.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix(language));
    blocks.map(str::trim_start).find(|block| block.contains(line)).map(str::to_owned).expect("the README shows it")
}

#[test]
fn the_pipeline_of_the_readme_does_what_its_tests_and_the_text_say() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_synth")).current_dir(folder.path()).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    file("pipeline.yaml", &(shown("yaml", "source_regex: .*:stream/my-stream") + &shown("yaml", "a trace is dropped")));
    file("events.ndjson", &shown("json", "{\"broken\""));
    let (code, said, errors) = run(&["test", "pipeline.yaml"]);
    assert_eq!((code, said.matches(": ok\n").count()), (Some(0), 2), "{said}{errors}");
    let (code, product, talk) = run(&["run", "--config", "pipeline.yaml", "events.ndjson"]);
    let told = shown("console", "--config pipeline.yaml events.ndjson");
    assert_eq!((code, told.split_once('\n').unwrap().1), (Some(1), &*(product + &talk)));
}
