//! The emulated AWS, asked through AWS's own command line.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};

use crate::{rig::folder, wait::until};

/// The command line, with what it needs to find the emulator.
#[derive(Clone, Debug)]
pub struct Aws {
    program: PathBuf,
    /// The Python that has AWS's SDK.
    python: PathBuf,
    environment: BTreeMap<String, String>,
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// `Unhandled` and the like when the function failed.
    pub error: Option<String>,
    /// The answer, or the error's text.
    pub payload: Value,
    /// The version that ran.
    pub version: String,
}

/// Change sets made by this process: each has a name of its own.
static MADE: AtomicU32 = AtomicU32::new(0);

impl Aws {
    /// The wrapper and the exports that `rig/aws/start.sh` wrote.
    pub(crate) fn of(program: &Path, exports: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(exports)?;
        let mut environment: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("export ")?.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
            .collect();
        // '…/bin:VENV/bin':"$PATH" is for shells.
        let path = environment.remove("PATH").unwrap_or_default();
        let venv =
            path.split('\'').next().and_then(|ours| ours.rsplit(':').next()).context("no PATH in the exports")?;
        Ok(Self { program: program.to_owned(), python: Path::new(venv).join("python"), environment })
    }

    /// The same command line with the keys of a session of `role`.
    pub fn assume(&self, role: &str) -> anyhow::Result<Self> {
        let answer = self.run(&["sts", "assume-role", "--role-arn", role, "--role-session-name", "tests"])?;
        let mut other = self.clone();
        for (name, member) in [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ] {
            let value = answer["Credentials"][member].as_str().context("an answer without credentials")?;
            other.environment.insert(name.into(), value.into());
        }
        Ok(other)
    }

    /// A variable that the command line is given: `AWS_ACCESS_KEY_ID`, …
    pub fn variable(&self, name: &str) -> &str {
        self.environment.get(name).map_or("", String::as_str)
    }

    /// Makes a role that anyone of the account may assume, with these statements; its ARN.
    pub fn create_role(&self, path: &str, name: &str, statements: &Value) -> anyhow::Result<String> {
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::000000000000:root" }, "Action": "sts:AssumeRole" },
        ]})
        .to_string();
        let call = ["iam", "create-role", "--path", path, "--role-name", name, "--assume-role-policy-document", &trust];
        let made = self.run(&call)?;
        self.allow(name, statements)?;
        Ok(made["Role"]["Arn"].as_str().context("a role without an ARN")?.to_owned())
    }

    /// Lets a role do what these statements say, and no longer what the ones before did.
    pub fn allow(&self, role: &str, statements: &Value) -> anyhow::Result<()> {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let call =
            ["iam", "put-role-policy", "--role-name", role, "--policy-name", "only", "--policy-document", &policy];
        self.run(&call).map(drop)
    }

    /// Runs a line as a shell in `folder` would, where `aws` is the command line of the emulator.
    pub fn shell(&self, line: &str, folder: &Path) -> anyhow::Result<()> {
        let bin = self.program.parent().context("a program without a folder")?.display();
        let line = format!("PATH={bin}:\"$PATH\"\n{line}");
        let output = Command::new("sh").arg("-ec").arg(&line).current_dir(folder).envs(&self.environment).output()?;
        ensure!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// Runs one command; its answer, `null` when it prints nothing. The error is what AWS said.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = Command::new(&self.program)
            .args(arguments)
            .args(["--output", "json"])
            .env_remove("AWS_PROFILE")
            .envs(&self.environment)
            .output()
            .context("cannot run aws")?;
        let (answer, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "aws {}: {}", arguments.join(" "), said.trim());
        if answer.trim().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&answer).with_context(|| format!("aws {}: {answer}", arguments.join(" ")))
    }

    /// Creates or updates a stack, by change set, and waits until it stands.
    ///
    /// The error of a stack that failed names each resource that did and why.
    pub fn deploy(&self, stack: &str, template: &Value, parameters: &[(&str, &str)]) -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("template.json");
        let text = template.to_string();
        fs::write(&file, &text)?;
        let source = if text.len() <= INLINE {
            ["--template-body".to_owned(), format!("file://{}", file.display())]
        } else {
            let object = format!("{TEMPLATES}/{stack}.json");
            // The second time it is there already, which is an error; when it cannot be made at all, the copy says so.
            let _ = self.run(&["s3api", "create-bucket", "--bucket", TEMPLATES]);
            self.copy(&file.display().to_string(), &format!("s3://{object}"))?;
            ["--template-url".to_owned(), format!("{}/{object}", self.variable("AWS_ENDPOINT_URL"))]
        };
        let parameters: Vec<Value> =
            parameters.iter().map(|(name, value)| json!({ "ParameterKey": name, "ParameterValue": value })).collect();
        let parameters = Value::from(parameters).to_string();
        let kind = match self.status(stack).as_deref() {
            None | Some("REVIEW_IN_PROGRESS" | "DELETE_COMPLETE") => "CREATE",
            Some(_) => "UPDATE",
        };
        // AWS forgets a change set that was executed; the emulator keeps it, with its name.
        let name = format!("deployed-{}", MADE.fetch_add(1, Ordering::Relaxed));
        let set = ["--stack-name", stack, "--change-set-name", &name];
        let call = |verb: &str, more: &[&str]| self.run(&[&["cloudformation", verb], &set[..], more].concat());
        call(
            "create-change-set",
            &[
                "--change-set-type",
                kind,
                &source[0],
                &source[1],
                "--parameters",
                &parameters,
                "--capabilities",
                "CAPABILITY_NAMED_IAM",
            ],
        )?;
        let made = until("the change set", WAIT, || {
            let answer = call("describe-change-set", &[]).ok()?;
            (answer["Status"] == "CREATE_COMPLETE" || answer["Status"] == "FAILED").then_some(answer)
        });
        ensure!(made["Status"] != "FAILED", "the change set of `{stack}`: {}", made["StatusReason"]);
        call("execute-change-set", &[])?;
        self.settled(stack)
    }

    /// `aws cloudformation deploy`; `parameters` is a file with a JSON array of `"Name=Value"`.
    ///
    /// It takes templates up to 51,200 bytes and looks after a stack only every 30 s; [`Aws::deploy`] takes larger ones, and is
    /// quicker where a stack takes more than a moment.
    pub fn deploy_as_documented(&self, stack: &str, template: &Path, parameters: &Path) -> anyhow::Result<()> {
        let template = template.display().to_string();
        let overrides = format!("file://{}", parameters.display());
        let output = Command::new(&self.program)
            .args(["cloudformation", "deploy", "--stack-name", stack, "--template-file", &template])
            .args(["--parameter-overrides", &overrides, "--capabilities", "CAPABILITY_NAMED_IAM"])
            .envs(&self.environment)
            .output()?;
        ensure!(
            output.status.success(),
            "aws cloudformation deploy: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        self.settled(stack)
    }

    /// The stack's status, `None` when there is no such stack.
    pub fn status(&self, stack: &str) -> Option<String> {
        let answer = self.run(&["cloudformation", "describe-stacks", "--stack-name", stack]).ok()?;
        answer["Stacks"][0]["StackStatus"].as_str().map(str::to_owned)
    }

    /// Waits until nothing is done to the stack any more. The error of one that failed names each resource that did and why.
    pub fn settled(&self, stack: &str) -> anyhow::Result<()> {
        let status = until(&format!("the stack `{stack}`"), WAIT, || {
            self.status(stack).filter(|status| !status.ends_with("_IN_PROGRESS"))
        });
        if status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE" {
            return Ok(());
        }
        let answer = self.run(&["cloudformation", "describe-stack-events", "--stack-name", stack])?;
        let failed: Vec<String> = answer["StackEvents"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|event| event["ResourceStatus"].as_str().is_some_and(|status| status.ends_with("FAILED")))
            .map(|event| format!("{}: {}", event["LogicalResourceId"], event["ResourceStatusReason"]))
            .collect();
        bail!("the stack `{stack}` is {status}: {}", failed.join("; "))
    }

    /// The stack's outputs.
    pub fn outputs(&self, stack: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let answer = self.run(&["cloudformation", "describe-stacks", "--stack-name", stack])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let outputs = answer["Stacks"][0]["Outputs"].as_array().cloned().unwrap_or_default();
        Ok(outputs.iter().map(|output| (text(&output["OutputKey"]), text(&output["OutputValue"]))).collect())
    }

    /// The physical id of each resource of the stack, by logical id.
    pub fn resources(&self, stack: &str) -> anyhow::Result<BTreeMap<String, String>> {
        let answer = self.run(&["cloudformation", "list-stack-resources", "--stack-name", stack])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let resources = answer["StackResourceSummaries"].as_array().cloned().unwrap_or_default();
        Ok(resources
            .iter()
            .map(|resource| (text(&resource["LogicalResourceId"]), text(&resource["PhysicalResourceId"])))
            .collect())
    }

    /// Deletes a stack and waits until it is gone.
    pub fn delete_stack(&self, stack: &str) -> anyhow::Result<()> {
        self.run(&["cloudformation", "delete-stack", "--stack-name", stack])?;
        let status = until(&format!("the end of the stack `{stack}`"), WAIT, || match self.status(stack) {
            Some(status) if status.ends_with("_IN_PROGRESS") => None,
            status => Some(status),
        });
        ensure!(
            status.as_deref().is_none_or(|status| status == "DELETE_COMPLETE"),
            "the stack `{stack}` is {status:?} after its deletion"
        );
        Ok(())
    }

    /// Copies a file or a folder's files to `s3://BUCKET/KEY`, or the other way.
    pub fn copy(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["s3", "cp", "--only-show-errors", from, to]).envs(&self.environment);
        if Path::new(from).is_dir() || from.ends_with('/') {
            command.arg("--recursive");
        }
        let output = command.output()?;
        ensure!(output.status.success(), "aws s3 cp: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// The keys of a bucket's objects, sorted.
    pub fn keys(&self, bucket: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.run(&["s3api", "list-objects-v2", "--bucket", bucket])?;
        let objects = answer["Contents"].as_array().cloned().unwrap_or_default();
        Ok(objects.iter().filter_map(|object| object["Key"].as_str()).map(str::to_owned).collect())
    }

    /// The content of an object.
    pub fn object(&self, bucket: &str, key: &str) -> anyhow::Result<Vec<u8>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("object");
        self.run(&["s3api", "get-object", "--bucket", bucket, "--key", key, &file.display().to_string()])?;
        Ok(fs::read(file)?)
    }

    /// Puts records (partition key, data) on a stream, in calls of at most 500. None may be refused.
    pub fn put_records(&self, stream: &str, records: &[(&str, &[u8])]) -> anyhow::Result<()> {
        let entry = |(key, data): &(&str, &[u8])| json!({ "PartitionKey": key, "Data": base64_simd::STANDARD.encode_to_string(data) });
        let mut child = Command::new(&self.python)
            .arg(folder().join("aws/put_records.py"))
            .arg(stream)
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let all: Value = records.iter().map(entry).collect();
        child.stdin.take().context("no pipe")?.write_all(all.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "put_records.py: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// Invokes a function (a name or ARN, with or without a qualifier) and waits for its answer.
    pub fn invoke(&self, function: &str, payload: &Value) -> anyhow::Result<Invocation> {
        let folder = tempfile::tempdir()?;
        let (sent, got) = (folder.path().join("sent.json"), folder.path().join("got.json"));
        fs::write(&sent, payload.to_string())?;
        let sent = format!("fileb://{}", sent.display());
        let answer = self.run(&[
            "lambda",
            "invoke",
            "--function-name",
            function,
            "--payload",
            &sent,
            &got.display().to_string(),
        ])?;
        let text = fs::read_to_string(got)?;
        Ok(Invocation {
            error: answer["FunctionError"].as_str().map(str::to_owned),
            payload: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            version: answer["ExecutedVersion"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// The published versions of a function, oldest first, without `$LATEST`.
    pub fn versions(&self, function: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.run(&["lambda", "list-versions-by-function", "--function-name", function])?;
        let versions = answer["Versions"].as_array().cloned().unwrap_or_default();
        let named = versions.iter().filter_map(|version| version["Version"].as_str());
        Ok(named.filter(|version| *version != "$LATEST").map(str::to_owned).collect())
    }

    /// The version that an alias points at.
    pub fn alias(&self, function: &str, alias: &str) -> anyhow::Result<String> {
        let answer = self.run(&["lambda", "get-alias", "--function-name", function, "--name", alias])?;
        Ok(answer["FunctionVersion"].as_str().context("an alias without a version")?.to_owned())
    }

    /// How many messages wait in a queue, those that someone has taken and not removed included.
    pub fn waiting(&self, queue_url: &str) -> anyhow::Result<u64> {
        let call = ["sqs", "get-queue-attributes", "--queue-url", queue_url, "--attribute-names", "All"];
        let answer = self.run(&call)?;
        let number = |name: &str| answer["Attributes"][name].as_str().and_then(|text| text.parse::<u64>().ok());
        let (visible, taken) = (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"));
        visible.zip(taken).map(|(visible, taken)| visible + taken).context("an answer without numbers")
    }

    /// Points an alias at a version: how a release is rolled back.
    pub fn point_alias(&self, function: &str, alias: &str, version: &str) -> anyhow::Result<()> {
        let call =
            ["lambda", "update-alias", "--function-name", function, "--name", alias, "--function-version", version];
        self.run(&call).map(drop)
    }

    /// Pauses an event source mapping, or lets it run again, and waits until it does.
    pub fn enable_mapping(&self, uuid: &str, enabled: bool) -> anyhow::Result<()> {
        let (switch, wanted) = if enabled { ("--enabled", "Enabled") } else { ("--no-enabled", "Disabled") };
        self.run(&["lambda", "update-event-source-mapping", "--uuid", uuid, switch])?;
        until(&format!("the mapping to be {wanted}"), WAIT, || {
            let answer = self.run(&["lambda", "get-event-source-mapping", "--uuid", uuid]).ok()?;
            (answer["State"] == wanted).then_some(())
        });
        Ok(())
    }

    /// What a function logged, a line each, oldest first.
    pub fn logs(&self, group: &str) -> anyhow::Result<Vec<String>> {
        let answer = self.run(&["logs", "filter-log-events", "--log-group-name", group])?;
        let events = answer["events"].as_array().cloned().unwrap_or_default();
        Ok(events.iter().filter_map(|event| event["message"].as_str()).map(|line| line.trim_end().to_owned()).collect())
    }
}

/// The largest template that a call takes in its own body, in bytes; a larger one has to lie in a bucket.
const INLINE: usize = 51_200;

/// The bucket of the larger ones.
const TEMPLATES: &str = "rig-templates";

/// How long anything of the emulator may take; a slow machine's custom resource is the longest.
const WAIT: Duration = Duration::from_mins(2);
