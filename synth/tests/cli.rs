//! The command as people see it: what each verb prints, its errors included. It is the one of `examples/own_workspace.rs`.

use std::path::Path;

#[test]
fn the_command_prints_what_its_pages_show() {
    let command = Path::new(env!("CARGO_BIN_EXE_synth")).with_file_name("examples").join("own_workspace");
    let command = command.with_extension(std::env::consts::EXE_EXTENSION);
    assert!(command.exists(), "`cargo build -p synth --examples` builds `{}`", command.display());
    trycmd::TestCases::new().register_bin("synth", &*command).case("tests/cli/*.md");
}
