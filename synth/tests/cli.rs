//! The command as people see it: what each verb prints, its errors included.

#[test]
fn the_command_prints_what_its_pages_show() {
    trycmd::TestCases::new().case("tests/cli/*.md");
}
