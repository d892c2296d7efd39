//! Templates without what the emulator refuses.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use crate::rig::folder;

/// The template that the emulator takes, and what was taken out of it: `LogicalId AWS::Service::Type` each, sorted.
///
/// A test holds the list against the one it expects, so that nothing is left out unseen.
pub fn deployable(template: &Value) -> anyhow::Result<(Value, Vec<String>)> {
    let mut child = Command::new("python3")
        .arg(folder().join("aws/deployable.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot run python3")?;
    // All of it is read before anything is written, so neither side waits for the other.
    child.stdin.take().context("no pipe")?.write_all(template.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "deployable.py: {said}");
    Ok((serde_json::from_slice(&output.stdout)?, said.lines().map(str::to_owned).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_trail_is_taken_out_with_what_refers_to_it_and_the_rest_stays() {
        if let Err(why) = crate::rig::python() {
            return crate::rig::skip(why).unwrap_or_default();
        }
        let template = json!({ "Resources": {
            "Trail": { "Type": "AWS::CloudTrail::Trail", "Properties": { "IsLogging": true } },
            "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": ["Trail", "Queue"], "Properties": { "TopicName": { "Ref": "Trail" } } },
            "Queue": { "Type": "AWS::SQS::Queue" },
        }});
        let (rest, taken) = deployable(&template).unwrap();
        assert_eq!(taken, ["Trail AWS::CloudTrail::Trail"]);
        assert_eq!(
            rest["Resources"],
            json!({
                "Topic": { "Type": "AWS::SNS::Topic", "DependsOn": ["Queue"], "Properties": { "TopicName": "not-here-Trail" } },
                "Queue": { "Type": "AWS::SQS::Queue" },
            })
        );
    }
}
