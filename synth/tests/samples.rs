//! The sample configs are fine to `check`.

use std::{fs, path::Path, process::Command};

#[test]
fn every_sample_is_fine() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/samples");
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let output =
        Command::new(env!("CARGO_BIN_EXE_synth")).current_dir(&folder).arg("check").args(&files).output().unwrap();
    // What is fine is talk, not the product.
    let said = String::from_utf8(output.stderr).unwrap();
    let expected: String =
        files.iter().map(|file| format!("{}: fine (left to the deployment: SEARCH_HOST)\n", file.display())).collect();
    assert_eq!(said, expected);
    assert!(output.status.success() && !files.is_empty());
}
