//! The functions as `package` makes them, uploaded and deployed as its output says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::Value;
use tests::{deployable::deployable, rig::Rig};

const BUCKET: &str = "flexo-code";

/// What was packaged, once for all tests. The zips are in their bucket.
pub(crate) struct Package {
    /// The commands that `package` printed.
    commands: Vec<String>,
    /// `Name=Value` of the file of parameters that it wrote.
    parameters: Vec<String>,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// `cargo run`, with these arguments: what it printed.
fn command(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--package", "synth", "--"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Packages the functions for this machine's processor and uploads them.
pub(crate) fn package(rig: &Rig) -> &'static Package {
    static PACKAGE: OnceLock<Package> = OnceLock::new();
    PACKAGE.get_or_init(|| {
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        command(&["synth"]);
        let said = command(&["package", "--arch", arch, "--bucket", BUCKET, "--format", "json"]);
        let said: Value = serde_json::from_str(&said).unwrap();
        let file = said["parameters"][arch].as_str().unwrap();
        let package = Package {
            commands: serde_json::from_value(said["commands"][arch].clone()).unwrap(),
            parameters: serde_json::from_slice(&fs::read(file).unwrap()).unwrap(),
        };
        rig.aws.run(&["s3api", "create-bucket", "--bucket", BUCKET]).unwrap();
        let uploads: Vec<&String> = package.commands.iter().filter(|line| line.starts_with("aws s3 cp ")).collect();
        assert_eq!(uploads.len(), 2, "one for each function: {uploads:?}");
        for line in uploads {
            rig.aws.shell(line, &root()).unwrap();
        }
        package
    })
}

/// The template that `synth` wrote.
pub(crate) fn template(stack: &str) -> Value {
    serde_json::from_slice(&fs::read(root().join(template_file(stack))).unwrap()).unwrap()
}

fn template_file(stack: &str) -> String {
    format!("target/templates/{stack}.template.json")
}

impl Package {
    /// Runs the command that was printed for a stack, with the template that the emulator takes; `taken_out` is what that lacks.
    pub(crate) fn deploy_as_printed(&self, rig: &Rig, stack: &str, taken_out: &[&str]) {
        self.run_printed(rig, stack, taken_out, None);
    }

    /// The same with only these parameters (`Name=Value`): all others stay as they are.
    pub(crate) fn change(&self, rig: &Rig, stack: &str, taken_out: &[&str], parameters: &str) {
        self.run_printed(rig, stack, taken_out, Some(parameters));
    }

    fn run_printed(&self, rig: &Rig, stack: &str, taken_out: &[&str], parameters: Option<&str>) {
        let start = format!("aws cloudformation deploy --stack-name {stack} ");
        let line = self.commands.iter().find(|line| line.starts_with(&start)).unwrap();
        let (template, gone) = deployable(&template(stack)).unwrap();
        assert_eq!(gone, taken_out);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("template.json");
        fs::write(&file, template.to_string()).unwrap();
        let printed = template_file(stack);
        assert!(line.contains(&printed), "{line}");
        let mut line = line.replace(&printed, &file.display().to_string());
        if let Some(parameters) = parameters {
            let all = line.split_whitespace().find(|word| word.starts_with("file://")).unwrap().to_owned();
            line = line.replace(&all, parameters);
        }
        let ran = rig.aws.shell(&line, &root());
        rig.aws.settled(stack).unwrap();
        ran.unwrap();
    }

    /// Creates or updates a stack, with more parameters than the file says.
    pub(crate) fn deploy(&self, rig: &Rig, stack: &str, template: &Value, more: &[(&str, &str)], taken_out: &[&str]) {
        let (template, gone) = deployable(template).unwrap();
        assert_eq!(gone, taken_out);
        let known = template["Parameters"].as_object().unwrap();
        let mut parameters: Vec<(&str, &str)> =
            self.parameters.iter().map(|parameter| parameter.split_once('=').unwrap()).collect();
        // As `aws cloudformation deploy` does: one file is for all stacks.
        parameters.retain(|(name, _)| known.contains_key(*name));
        parameters.extend(more);
        rig.aws.deploy(stack, &template, &parameters).unwrap();
    }
}
