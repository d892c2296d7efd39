//! AWS's own checker of templates, cfn-lint.

use std::{path::Path, process::Command};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::rig;

/// What cfn-lint finds in a template: `E3002 Resources/Bucket/Properties: what is wrong`, errors, warnings and hints alike.
///
/// `None` when this machine has no Python; the test that asked is then skipped, and says so.
///
/// # Panics
/// When there is no Python and `FLEXO_RIG` is `required`.
#[track_caller]
pub fn findings(template: &Path) -> Option<anyhow::Result<Vec<String>>> {
    match rig::python() {
        Ok(()) => Some(ask(template)),
        Err(why) => rig::skip(why),
    }
}

fn ask(template: &Path) -> anyhow::Result<Vec<String>> {
    let output = Command::new("bash")
        .arg(rig::folder().join("lint/run.sh"))
        .args(["--format", "json", "--include-checks", "I", "--template"])
        .arg(template)
        .output()
        .context("cannot run bash")?;
    let said = String::from_utf8_lossy(&output.stderr);
    // The exit code has a bit for each kind of finding; what is no answer at all is no JSON.
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).with_context(|| format!("cfn-lint: {said}"))?;
    ensure!(output.status.success() == found.is_empty(), "cfn-lint: {said}");
    let text = |finding: &Value| {
        let path: Vec<String> = finding["Location"]["Path"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
            .collect();
        let id = finding["Rule"]["Id"].as_str().unwrap_or_default();
        format!("{id} {}: {}", path.join("/"), finding["Message"].as_str().unwrap_or_default())
    };
    Ok(found.iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_that_does_not_exist_is_found_and_a_sound_template_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("template.json");
        std::fs::write(&file, r#"{"Resources":{"Topic":{"Type":"AWS::SNS::Topic","Properties":{"Colour":1}}}}"#)
            .unwrap();
        let Some(found) = findings(&file) else { return };
        let found = found.unwrap();
        assert!(found.len() == 1 && found[0].starts_with("E3002 Resources/Topic/Properties/Colour: "), "{found:?}");
        std::fs::write(&file, r#"{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}"#).unwrap();
        assert_eq!(ask(&file).unwrap(), Vec::<String>::new());
    }
}
