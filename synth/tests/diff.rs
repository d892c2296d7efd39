//! A diff against the snapshots of a git revision, with the command of `examples/own_workspace.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(program: impl AsRef<Path>, dir: &Path, args: &[&str]) -> Output {
    Command::new(program.as_ref()).args(args).current_dir(dir).output().expect("the program starts")
}

fn git(dir: &Path, args: &[&str]) {
    let who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"];
    let output = run("git", dir, &[&who, args].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn synth(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let program: PathBuf = Path::new(env!("CARGO_BIN_EXE_synth")).with_file_name("examples").join("own_workspace");
    let output = run(program.with_extension(std::env::consts::EXE_EXTENSION), dir, args);
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A workspace below the top of its repository, as it was when there was a third stack.
fn repository() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("workspace");
    let snapshots = root.join("tests/snapshots");
    fs::create_dir_all(&snapshots).expect("a folder");
    let write = |path: PathBuf, text: &str| fs::write(path, text).expect("a file");
    write(root.join("Cargo.toml"), "[workspace]\nmembers = []\n");
    let (_, orders, _) = synth(&root, &["synth", "orders", "--stdout"]);
    // One as insta writes it, one as plain JSON.
    write(
        snapshots.join("orders.template.snap"),
        &format!("---\nsource: tests/stacks.rs\n---\n{}", orders.replace("60", "90")),
    );
    let gone = r#"{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}}}"#;
    write(snapshots.join("gone.template.json"), gone);
    git(&root, &["init", "--quiet", "--initial-branch=main", ".."]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "--message=three stacks"]);
    dir
}

#[test]
fn snapshots_of_a_revision_are_what_is_deployed() {
    let repository = repository();
    let (code, stdout, stderr) = synth(&repository.path().join("workspace/tests"), &["diff", "--base", "main"]);
    assert_eq!(
        stdout,
        "orders: 1 changed\n\
         ~ AWS::SQS::Queue Queue\n    VisibilityTimeout: 90 -> 60\n\
         returns: 1 added\n\
         + AWS::SQS::Queue Queue\n\
         + AWSTemplateFormatVersion: (none) -> \"2010-09-09\"\n\
         gone: 1 removed\n\
         - AWS::S3::Bucket Bucket: removed; it stays in the account, outside the stack\n"
    );
    assert_eq!(
        stderr,
        "returns has no snapshot in main: a new stack\n\
         gone is in main and no longer a stack: delete it by hand\n"
    );
    assert_eq!(code, Some(1));
}

#[test]
fn only_the_stacks_that_are_named_are_compared() {
    let repository = repository();
    let root = repository.path().join("workspace");
    let (_, orders, _) = synth(&root, &["synth", "orders", "--stdout"]);
    fs::write(root.join("tests/snapshots/orders.template.snap"), orders).unwrap();
    git(&root, &["commit", "--all", "--quiet", "--message=up to date"]);
    let answer = synth(&root, &["diff", "orders", "--base", "HEAD"]);
    assert_eq!(answer, (Some(0), "orders: no changes\n".to_owned(), String::new()));
    assert_eq!(synth(&root, &["diff", "orders", "--base", "HEAD~1"]).0, Some(1));
}

#[test]
fn a_revision_that_there_is_not_cannot_be_answered() {
    let repository = repository();
    for revision in ["gone", "--help", "Cargo.toml", ""] {
        let (code, stdout, stderr) = synth(repository.path(), &["diff", &format!("--base={revision}")]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{revision}");
        assert_eq!(stderr, format!("error: git knows no revision `{revision}` here\n"));
    }
}
