//! A function of a workspace of its own, packaged for the processor of this machine.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const ARCH: &str = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };

fn workspace(dir: &Path) {
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    };
    write("Cargo.toml", "[workspace]\nmembers = [\"functions\"]\nresolver = \"3\"\n");
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"functions\"\nversion = \"0.1.0\"\n");
    write("functions/Cargo.toml", "[package]\nname = \"functions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("functions/src/bin/hello.rs", "fn main() { assert_eq!(std::env::args().count(), 1, \"no arguments\"); }\n");
    write("functions/src/bin/other_one.rs", "fn main() {}\n");
}

fn synth(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_synth")).args(args).current_dir(dir).output().expect("synth starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn a_function_becomes_a_zip_under_its_content_hash() {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        eprintln!("skipped: only Linux builds for Lambda without further tools");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    workspace(dir.path());
    let first = synth(dir.path(), &["package", "hello", "--arch", ARCH, "--bucket", "code", "--format", "json"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let document: Value = serde_json::from_slice(&first.stdout).unwrap();
    let package = &document["packages"][0];
    let key = package["key"].as_str().unwrap();
    let hash = key.strip_prefix(&format!("hello-{ARCH}-")).and_then(|rest| rest.strip_suffix(".zip"));
    assert_eq!(hash.map(str::len), Some(16), "{key}");
    assert_eq!(document["packages"].as_array().unwrap().len(), 1, "only what was asked for");
    assert_eq!(document["commands"][ARCH][0], format!("aws s3 cp target/package/{key} s3://code/{key}"));

    let file = dir.path().join("target/package").join(key);
    let mut archive = zip::ZipArchive::new(File::open(&file).unwrap()).unwrap();
    let mut program = Vec::new();
    archive.by_name("bootstrap").unwrap().read_to_end(&mut program).unwrap();
    let path = dir.path().to_str().unwrap().as_bytes();
    assert!(!program.windows(path.len()).any(|bytes| bytes == path), "a path of this machine is in the program");
    let mut notices = String::new();
    archive.by_name("THIRD-PARTY-NOTICES.txt").unwrap().read_to_string(&mut notices).unwrap();
    assert!(notices.contains("the Rust standard library (MIT OR Apache-2.0)"), "{notices}");

    let parameters = fs::read_to_string(dir.path().join(format!("target/package/parameters-{ARCH}.json"))).unwrap();
    let parameters: Vec<String> = serde_json::from_str(&parameters).unwrap();
    assert_eq!(parameters[..2], ["CodeBucket=code".to_owned(), format!("Architecture={ARCH}")]);
    assert_eq!(parameters[2], format!("HelloCodeKey={key}"));
    assert_eq!(parameters[3], format!("HelloCodeSha256={}", package["code_sha256"].as_str().unwrap()));

    // The same source, elsewhere: the same name.
    let elsewhere = tempfile::tempdir().unwrap();
    workspace(elsewhere.path());
    let second = synth(elsewhere.path(), &["package", "hello", "--arch", ARCH]);
    assert!(second.status.success(), "{}", text(&second.stderr));
    let upload = format!("aws s3 cp target/package/{key} s3://BUCKET/{key}");
    assert_eq!(text(&second.stdout).lines().next(), Some(upload.as_str()));
}

#[test]
fn without_a_function_named_all_are_built_and_a_wrong_name_says_which_there_are() {
    let dir = tempfile::tempdir().unwrap();
    workspace(dir.path());
    let wrong = synth(dir.path(), &["package", "helo"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(
        text(&wrong.stderr),
        "error: no function is called `helo`; there is `hello`, `other_one`; did you mean `hello`?\n"
    );
    assert!(wrong.stdout.is_empty());
}

#[test]
fn a_processor_that_this_machine_cannot_build_for_says_what_to_install() {
    let dir = tempfile::tempdir().unwrap();
    workspace(dir.path());
    let other = if ARCH == "arm64" { "x86_64" } else { "arm64" };
    // A cargo that has no `lambda`: nothing else is on the path.
    let cargo = Path::new(env!("CARGO"));
    let output = Command::new(env!("CARGO_BIN_EXE_synth"))
        .args(["package", "--arch", other])
        .current_dir(dir.path())
        .env("CARGO", cargo)
        .env("CARGO_HOME", dir.path())
        .env("PATH", cargo.parent().unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = text(&output.stderr);
    assert!(stderr.contains("pip install cargo-lambda==1.9.2 ziglang==0.17.1"), "{stderr}");
    assert!(stderr.contains("rustup target add"), "{stderr}");
}

#[test]
fn a_workspace_without_functions_says_where_they_belong() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("src")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"mine\"\nedition = \"2024\"\n").unwrap();
    fs::write(dir.path().join("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"mine\"\nversion = \"0.0.0\"\n")
        .unwrap();
    fs::write(dir.path().join("src/lib.rs"), "").unwrap();
    let output = synth(dir.path(), &["package"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        text(&output.stderr),
        "error: this workspace has no package `functions`; each file in its src/bin is a function\n"
    );
}
