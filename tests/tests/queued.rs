//! A queue between topic and function, on the rig: files by bucket, topic and queue into the function, what may not be read comes again by
//! itself and alone, is given up into the failure queue, and goes to the function again as the README says.
//!
//! The function is the one of a developer's build: what is asked here is the way, not the speed.

#![expect(clippy::unwrap_used, reason = "a test that fails says where")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use base64_simd::STANDARD;
use constructs::{
    Scope, Stack,
    asset::FunctionCode,
    aws::{
        kms::{Key, Service},
        s3::{Bucket, KeyFilter},
        sns::Topic,
    },
    cfn::Value,
    patterns::{Bindings, EtlFunction, Queueing, Trigger},
};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::SNSS3Handler,
    reporters::CloudWatchEmbeddedMetrics,
    serializers::Json,
    transports::S3,
    wrappers::PassthroughWrapper,
};
use serde_json::{Value as Document, json};
use sha2::{Digest as _, Sha256};
use tests::{deployable::deployable, rig::Rig, rig::rig, wait::until};

const STACK: &str = "queued";
const CODE: &str = "flexo-queued-code";
const PATIENCE: Duration = Duration::from_mins(2);
/// How often a message is tried.
const ATTEMPTS: i64 = 2;

const CONFIG: &str = "handler: {type: SNSS3Handler}
sources: [{name: Files, deserializer: {type: GenericJson}}]
wrapper: {type: PassthroughWrapper}
serializer: {type: Json}
transport: {type: Stdout}
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn build(scope: &mut Scope<'_>) {
    let key = scope.add("Key", Key::builder().description("topics").build());
    let alarms = scope.add("Alarms", Topic::builder().key(key.clone()).build());
    alarms.admit(scope, Service::CloudWatch);
    let topic = scope.add("Topic", Topic::builder().key(key).build());
    topic.admit(scope, Service::S3);
    let filter = KeyFilter { prefix: Value::Known("in/".into()), suffix: Value::Known(".json".into()) };
    let bucket = scope.add("Files", Bucket::builder().notify(&topic, filter).build());
    let archive = scope.add("Archive", Bucket::builder().build());
    let mut names = Bindings::new();
    let source = Source::builder().name("Files").deserializer(GenericJson::builder().build()).build();
    let pipeline = PipelineConfig::builder()
        .handler(SNSS3Handler::builder().build())
        .sources(vec![source])
        .wrapper(PassthroughWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(S3::builder().bucket_name(names.bind("ARCHIVE", &archive)).use_compression(false).build())
        .reporters(vec![CloudWatchEmbeddedMetrics::builder().build().into()])
        .build();
    let queueing = Queueing::builder().attempts(ATTEMPTS).build();
    let trigger = Trigger::Sns { topic, bucket, prefix: Value::Known("in/".into()) }.queued(queueing);
    let function = EtlFunction::builder()
        .pipeline(pipeline)
        .names(names)
        .trigger(trigger)
        .code(FunctionCode::of_kind(scope, "Etl"))
        .description("files to an archive")
        .timeout_seconds(20)
        .log_retention_days(Value::Known(30))
        .alarms(alarms);
    scope.add("Etl", function.build());
}

/// The function of a developer's build, zipped: its bytes.
fn zipped(folder: &Path) -> Vec<u8> {
    let cargo = ["build", "--quiet", "--locked", "--package", "functions", "--bin", "etl", "--message-format", "json"];
    let output = Command::new(env!("CARGO")).args(cargo).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut executables = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Document>(line).ok()?["executable"].as_str().map(str::to_owned));
    let etl = executables.next_back().unwrap();
    let zip = folder.join("etl.zip");
    // Hardly packed: it goes nowhere.
    let script = "import sys, zipfile\n\
                  z = zipfile.ZipFile(sys.argv[2], 'w', zipfile.ZIP_DEFLATED, compresslevel=1)\n\
                  i = zipfile.ZipInfo('bootstrap'); i.external_attr = 0o755 << 16; i.compress_type = zipfile.ZIP_DEFLATED\n\
                  z.writestr(i, open(sys.argv[1], 'rb').read()); z.close()";
    let status = Command::new("python3").args(["-c", script, &etl]).arg(&zip).status().unwrap();
    assert!(status.success());
    fs::read(zip).unwrap()
}

/// The deployed stack: the names of its resources.
struct Deployed {
    rig: &'static Rig,
    bucket: String,
    archive: String,
    topic: String,
    queue: String,
    failures: String,
    function: String,
    log: String,
}

fn deploy(rig: &'static Rig, folder: &Path) -> Deployed {
    let mut stack = Stack::new(STACK);
    build(&mut stack.scope());
    let synthesis = stack.synth();
    let template: Document = serde_json::from_str(&synthesis.template().unwrap().to_json()).unwrap();
    let (template, gone) = deployable(&template).unwrap();
    assert_eq!(gone, [""; 0]);
    let zip = zipped(folder);
    let hash = Sha256::digest(&zip);
    let short = hash.iter().take(8).fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let key = format!("etl-{short}.zip");
    rig.aws.run(&["s3api", "create-bucket", "--bucket", CODE]).unwrap();
    rig.aws.copy(&folder.join("etl.zip").display().to_string(), &format!("s3://{CODE}/{key}")).unwrap();
    let hash = STANDARD.encode_to_string(hash);
    rig.aws.deploy(STACK, &template, &[("CodeBucket", CODE), ("EtlCodeKey", &key), ("EtlCodeSha256", &hash)]).unwrap();
    let made = rig.aws.resources(STACK).unwrap();
    // A hash of eight digits ends an id.
    let of = |name: &str| {
        let mut named = made.iter().filter(|(id, _)| id.starts_with(name) && id.len() == name.len() + 8);
        named.next().ok_or_else(|| format!("no {name} in {made:#?}")).unwrap().1.clone()
    };
    Deployed {
        rig,
        bucket: of("Files"),
        archive: of("Archive"),
        topic: of("Topic"),
        queue: of("EtlQueue"),
        failures: of("EtlFunctionFailures"),
        function: of("EtlFunction"),
        log: of("EtlFunctionLog"),
    }
}

/// S3's announcement of an object.
fn announcement(bucket: &str, key: &str) -> String {
    json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "eventTime": "2026-11-24T00:00:00.000Z", "s3": { "bucket": { "name": bucket }, "object": { "key": key, "size": 9 } },
    }]})
    .to_string()
}

impl Deployed {
    /// The lines in the archive, sorted.
    fn archived(&self) -> Vec<String> {
        let keys = self.rig.aws.keys(&self.archive).unwrap();
        let text = |key: &String| String::from_utf8(self.rig.aws.object(&self.archive, key).unwrap()).unwrap();
        let mut lines: Vec<String> =
            keys.iter().flat_map(|key| text(key).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        lines.sort();
        lines
    }

    fn until_archived(&self, lines: &[String]) {
        let mut seen = vec![];
        let mut right = || {
            seen = self.archived();
            (seen == lines).then_some(())
        };
        until(&format!("{} lines in the archive", lines.len()), PATIENCE, &mut right);
    }

    /// How many events the log says were handed back because of this.
    fn handed_back(&self) -> u64 {
        let lines = self.rig.aws.logs(&self.log).unwrap_or_default();
        let events = lines.iter().filter_map(|line| serde_json::from_str::<Document>(line).ok());
        events.filter_map(|line| line["ledger.handed_back"].as_u64()).sum()
    }
}

#[test]
fn what_cannot_be_read_comes_again_alone_and_what_was_given_up_goes_back_as_documented() {
    let Some(rig) = rig() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let deployed = deploy(rig, folder);
    // Two minutes are AWS's rule for this timeout; nobody waits for them here.
    let hidden = ["sqs", "set-queue-attributes", "--queue-url", &deployed.queue, "--attributes", "VisibilityTimeout=4"];
    rig.aws.run(&hidden).unwrap();

    // One may not be read: its bucket is none of the function's.
    let secret = "flexo-not-to-be-read";
    rig.aws.run(&["s3api", "create-bucket", "--bucket", secret]).unwrap();
    let late = folder.join("late.json");
    fs::write(&late, "{\"n\":\"late\"}\n").unwrap();
    rig.aws.copy(&late.display().to_string(), &format!("s3://{secret}/in/late.json")).unwrap();
    let announced = announcement(secret, "in/late.json");
    rig.aws.run(&["sns", "publish", "--topic-arn", &deployed.topic, "--message", &announced]).unwrap();
    let files = folder.join("in");
    fs::create_dir(&files).unwrap();
    for n in 1..=5 {
        fs::write(files.join(format!("{n}.json")), format!("{{\"n\":{n},\"x\":1.50}}\n")).unwrap();
    }
    rig.aws.copy(&format!("{}/", files.display()), &format!("s3://{}/in/", deployed.bucket)).unwrap();

    let mut lines: Vec<String> = (1..=5).map(|n| format!("{{\"n\":{n},\"x\":1.50}}")).collect();
    deployed.until_archived(&lines);
    until("the message to be given up", PATIENCE, || (rig.aws.waiting(&deployed.failures).unwrap() == 1).then_some(()));
    assert_eq!(rig.aws.waiting(&deployed.queue).unwrap(), 0);
    assert_eq!(deployed.handed_back(), ATTEMPTS.unsigned_abs(), "it came again, and no other with it");

    // The cause is mended, and then: as in the README.
    let statement =
        json!([{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{secret}/*") }]);
    let role = rig.aws.run(&["lambda", "get-function-configuration", "--function-name", &deployed.function]).unwrap();
    rig.aws.allow(role["Role"].as_str().unwrap().rsplit('/').next().unwrap(), &statement).unwrap();
    fs::write(folder.join("pipeline.yaml"), CONFIG).unwrap();
    let receive = format!(
        "aws sqs receive-message --max-number-of-messages 10 --attribute-names All --queue-url {} > failed.json",
        deployed.failures
    );
    rig.aws.shell(&receive, folder).unwrap();
    let replay = ["run", "--quiet", "--locked", "--package", "synth", "--", "replay", "--print", "--config"];
    let output = Command::new(env!("CARGO"))
        .args(replay)
        .args([folder.join("pipeline.yaml"), folder.join("failed.json")])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::write(folder.join("again.ndjson"), output.stdout).unwrap();
    let again = "while read -r line; do printf '%s' \"$line\" > one.json\n\
                 aws lambda invoke --function-name NAME:live --payload fileb://one.json answer.json; done < again.ndjson"
        .replace("NAME", &deployed.function);
    rig.aws.shell(&again, folder).unwrap();
    let answer: Document = serde_json::from_slice(&fs::read(folder.join("answer.json")).unwrap()).unwrap();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    lines.insert(0, "{\"n\":\"late\"}".to_owned());
    lines.sort();
    deployed.until_archived(&lines);
    rig.aws.delete_stack(STACK).unwrap();
}
