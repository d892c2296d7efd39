//! What the command is built from: a new machine waits for all of it at the first `cargo run`.

use std::process::Command;

#[test]
fn the_command_builds_without_an_async_runtime_a_network_or_the_aws_sdk() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", "synth", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .args(["--target", "all", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let mut packages: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    packages.sort_unstable();
    packages.dedup();
    assert!(packages.contains(&"etl") && packages.contains(&"clap"), "{packages:?}");
    let is_unwanted = |name: &&&str| {
        ["tokio", "hyper", "reqwest", "rustls", "ring", "openssl-sys", "aws-lc-sys", "lambda_runtime"].contains(*name)
            || name.starts_with("aws-")
    };
    let unwanted: Vec<_> = packages.iter().filter(is_unwanted).collect();
    assert!(unwanted.is_empty(), "{unwanted:?}");
}
