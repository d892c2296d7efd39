//! The workspace that the command stands in, as cargo sees it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// What the command knows of the machine: read once, in [`crate::main_with`].
#[derive(Clone, Debug)]
pub struct Machine {
    /// The folder that the command was called in.
    pub dir: PathBuf,
    /// The environment.
    pub env: BTreeMap<OsString, OsString>,
}

impl Machine {
    /// The value of an environment variable that is text.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(&OsString::from(name)).and_then(|value| value.to_str())
    }

    /// A `cargo` that is the one which started us, or the one on the path.
    pub fn cargo(&self) -> Command {
        let mut command = Command::new(self.var("CARGO").unwrap_or("cargo"));
        command.current_dir(&self.dir).stdin(Stdio::null());
        command
    }

    /// The folder of the workspace: the nearest one above with a `Cargo.toml` that says `[workspace]`, else the
    /// folder that the command was called in.
    pub fn root(&self) -> &Path {
        self.dir
            .ancestors()
            .find(|dir| {
                std::fs::read_to_string(dir.join("Cargo.toml"))
                    .is_ok_and(|manifest| manifest.lines().any(|line| line.trim_start().starts_with("[workspace")))
            })
            .unwrap_or(&self.dir)
    }
}

/// `NAME=VALUE`: what a variable of a config stands for.
#[derive(Clone, Debug)]
pub struct Setting {
    name: String,
    value: String,
}

impl std::str::FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("give a name and a value: NAME=VALUE")?;
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err("a variable's name is letters, digits and `_`");
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl Setting {
    /// Name and value, as variables of a process.
    pub fn variable(&self) -> (OsString, OsString) {
        (OsString::from(&self.name), OsString::from(&self.value))
    }

    /// The value of a variable: the last one that was set, else that of the environment.
    pub fn lookup(settings: &[Self], machine: &Machine, name: &str) -> Option<String> {
        let set = settings.iter().rev().find(|setting| setting.name == name).map(|setting| setting.value.as_str());
        set.or_else(|| machine.var(name)).map(str::to_owned)
    }
}

/// A path as a person would write it from `dir`: relative where it lies below.
pub fn shown(path: &Path, dir: &Path) -> String {
    path.strip_prefix(dir).unwrap_or(path).display().to_string()
}

/// `cargo metadata`: the packages, their licences, and which needs which.
#[derive(Debug)]
pub struct Metadata(Value);

impl From<Value> for Metadata {
    fn from(document: Value) -> Self {
        Self(document)
    }
}

impl Metadata {
    /// Asks cargo; with a target triple, the graph is that target's.
    pub fn read(machine: &Machine, triple: Option<&str>) -> anyhow::Result<Self> {
        let mut command = machine.cargo();
        command.args(["metadata", "--format-version", "1", "--locked"]);
        if let Some(triple) = triple {
            command.args(["--filter-platform", triple]);
        }
        let output = command.output().context("cannot start cargo; it comes with Rust: https://rustup.rs")?;
        if !output.status.success() {
            bail!("cargo cannot describe the workspace: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(Self(serde_json::from_slice(&output.stdout).context("cargo metadata gave no JSON")?))
    }

    /// Where cargo builds.
    pub fn target_dir(&self) -> PathBuf {
        PathBuf::from(self.0["target_directory"].as_str().unwrap_or("target"))
    }

    /// Where the workspace is.
    pub fn root(&self) -> PathBuf {
        PathBuf::from(self.0["workspace_root"].as_str().unwrap_or("."))
    }

    /// All packages of the graph.
    pub fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().into_iter().flatten()
    }

    /// The workspace's own package of that name.
    pub fn member(&self, name: &str) -> Option<&Value> {
        let members = self.0["workspace_members"].as_array()?;
        self.packages().find(|package| package["name"] == name && members.contains(&package["id"]))
    }

    /// The packages that `id` needs at run time, itself included, as ids; what only builds them is left out, and so is
    /// what runs within the compiler.
    pub fn linked(&self, id: &str) -> Vec<&Value> {
        let packages: BTreeMap<&str, &Value> =
            self.packages().filter_map(|package| Some((package["id"].as_str()?, package))).collect();
        let nodes: BTreeMap<&str, &Value> = self.0["resolve"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|node| Some((node["id"].as_str()?, node)))
            .collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let macros_only = packages.get(id).is_none_or(|package| is_proc_macro(package));
            if macros_only || !seen.insert(id) {
                continue;
            }
            let needed = nodes.get(id).and_then(|node| node["deps"].as_array()).into_iter().flatten();
            open.extend(needed.filter(|needed| is_linked(needed)).filter_map(|needed| needed["pkg"].as_str()));
        }
        seen.iter().filter_map(|id| packages.get(id).copied()).collect()
    }
}

fn is_proc_macro(package: &Value) -> bool {
    package["targets"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|target| target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "proc-macro")))
}

fn is_linked(dependency: &Value) -> bool {
    dependency["dep_kinds"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, kind: &str) -> Value {
        json!({"name": name, "id": name, "source": "registry", "targets": [{"kind": [kind]}]})
    }

    #[test]
    fn what_only_builds_a_package_is_not_linked_into_it() {
        let dependency = |name: &str, kind: Value| json!({"pkg": name, "dep_kinds": [{"kind": kind}]});
        let metadata = Metadata(json!({
            "packages": [
                package("a", "bin"), package("b", "lib"), package("derive", "proc-macro"),
                package("syn", "lib"), package("cc", "lib"), package("proptest", "lib"),
            ],
            "resolve": {"nodes": [
                {"id": "a", "deps": [
                    dependency("b", Value::Null), dependency("derive", Value::Null),
                    dependency("cc", json!("build")), dependency("proptest", json!("dev")),
                ]},
                {"id": "b", "deps": [dependency("a", Value::Null)]},
                {"id": "derive", "deps": [dependency("syn", Value::Null)]},
            ]},
        }));
        let linked: Vec<_> = metadata.linked("a").iter().map(|package| package["name"].as_str().unwrap()).collect();
        assert_eq!(linked, ["a", "b"]);
    }

    #[test]
    fn a_path_below_the_folder_is_shown_relative_to_it() {
        assert_eq!(shown(Path::new("/w/target/x"), Path::new("/w")), "target/x");
        assert_eq!(shown(Path::new("/elsewhere/x"), Path::new("/w")), "/elsewhere/x");
    }
}
