//! What is worked on: files of CloudTrail, and syslog lines in Kinesis invocations. All below `target/bench`, made once.
//!
//! Where the corpus generator of `../shared/bench` and python3 are there, its files are taken: records of real accounts, made many.
//! Else smaller ones of our own, which are the same on every machine; instructions are counted on these always.

use base64_simd::STANDARD;
use flate2::{Compression, write::GzEncoder};
use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

/// Files to work on.
pub(crate) struct Corpus {
    /// What it is, for the page.
    pub(crate) name: String,
    /// `.json.gz` objects as CloudTrail writes them.
    pub(crate) objects: Vec<String>,
    /// Their records, one a line.
    pub(crate) lines: String,
    /// The same, gzipped.
    pub(crate) gzipped_lines: String,
    /// Invocations of Kinesis with syslog lines.
    pub(crate) invocations: Vec<String>,
    /// One document with all records many times.
    pub(crate) document: String,
    /// How many there are.
    pub(crate) records: usize,
    pub(crate) syslog: usize,
    /// Bytes of `lines`.
    pub(crate) raw: usize,
}

/// Files of one corpus, and records of one file.
const FILES: usize = 20;
const PER_FILE: usize = 2_000;
/// The largest invocation that Lambda takes.
const INVOCATION: usize = 6_000_000;

/// Where things are built.
pub(crate) fn target() -> PathBuf {
    super::measure::this().ancestors().nth(3).unwrap().to_owned()
}

fn folder() -> PathBuf {
    target().join("bench")
}

/// The generator and yardstick beside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench");
    shared.join("gen_corpus.py").exists().then_some(shared)
}

impl Corpus {
    /// The larger one if it can be made.
    pub(crate) fn best() -> Self {
        let folder = folder().join("shared");
        let Some(shared) = shared() else { return Self::own() };
        if !folder.join("syslog.ndjson.gz").exists() {
            let records = (FILES * PER_FILE).to_string();
            let made = Command::new("python3").arg(shared.join("gen_corpus.py")).arg(&folder).arg(records).status();
            if !made.is_ok_and(|status| status.success()) {
                return Self::own();
            }
        }
        Self::within(&folder, "the corpus of `../shared/bench`")
    }

    /// Our own.
    pub(crate) fn own() -> Self {
        let folder = folder().join("own");
        if !folder.join("syslog.ndjson").exists() {
            make(&folder);
        }
        Self::within(&folder, "a corpus of its own making")
    }

    fn within(folder: &Path, name: &str) -> Self {
        let path = |path: PathBuf| path.to_str().unwrap().to_owned();
        let list = |folder: PathBuf| {
            let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| path(entry.unwrap().path())).collect();
            files.sort();
            files
        };
        let (lines, syslog) = (folder.join("ct.ndjson"), fs::read(folder.join("syslog.ndjson")).unwrap());
        let text = fs::read(&lines).unwrap();
        let (gzipped, document) = (folder.join("ct.ndjson.gz"), folder.join("document.json"));
        if !document.exists() {
            fs::write(&gzipped, gzip(&text)).unwrap();
            let kinesis = folder.join("kinesis");
            fs::create_dir_all(&kinesis).unwrap();
            for (number, body) in invocations(&syslog).into_iter().enumerate() {
                fs::write(kinesis.join(format!("{number:03}.json")), body).unwrap();
            }
            let records =
                text.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b","[..]);
            let times = 100_000_000_usize.div_ceil(records.len());
            fs::write(&document, [&b"{\"Records\":["[..], &vec![&records[..]; times].join(&b","[..]), b"]}"].concat())
                .unwrap();
        }
        let count = |text: &[u8]| memchr::memchr_iter(b'\n', text).count();
        let (records, raw) = (count(&text), text.len());
        Self {
            name: format!("{name}: {records} CloudTrail records of {} bytes", raw / records),
            objects: list(folder.join("ct")),
            lines: path(lines),
            gzipped_lines: path(gzipped),
            invocations: list(folder.join("kinesis")),
            document: path(document),
            records,
            syslog: count(&syslog),
            raw,
        }
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// Lines as records of a stream, in invocations as large as Lambda makes them.
fn invocations(lines: &[u8]) -> Vec<String> {
    let mut all = vec![];
    let mut body = String::new();
    for (number, line) in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate() {
        if body.len() > INVOCATION - 2_000 {
            all.push(std::mem::take(&mut body) + "]}");
        }
        body.push_str(if body.is_empty() { "{\"Records\":[" } else { "," });
        let sequence = format!("49590338271490256608559692538361571095{number:018}");
        write!(
            body,
            "{{\"kinesis\":{{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":\"{number}\",\"sequenceNumber\":\"{sequence}\",\
             \"data\":\"{}\",\"approximateArrivalTimestamp\":1795449600.123}},\"eventSource\":\"aws:kinesis\",\
             \"eventVersion\":\"1.0\",\"eventID\":\"shardId-000000000006:{sequence}\",\"eventName\":\"aws:kinesis:record\",\
             \"invokeIdentityArn\":\"arn:aws:iam::111122223333:role/etl\",\"awsRegion\":\"us-east-1\",\
             \"eventSourceARN\":\"arn:aws:kinesis:us-east-1:111122223333:stream/syslog\"}}",
            STANDARD.encode_to_string(line)
        )
        .unwrap();
    }
    all.push(body + "]}");
    all
}

/// Numbers that are the same on every machine: `SplitMix64`, by Steele, Lea and Flood.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }
    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let count = all.len() as u64;
        all[usize::try_from(self.below(count)).unwrap()]
    }
    fn uuid(&mut self) -> String {
        let [a, b] = [self.below(u64::MAX), self.below(u64::MAX)];
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xffff,
            b >> 48,
            b & 0xffff_ffff_ffff
        )
    }
}

/// Makes it: bursts of calls by one caller, as real files hold them.
fn make(folder: &Path) {
    let mut numbers = Numbers(20_261_123);
    let (mut lines, mut records) = (String::new(), vec![]);
    fs::create_dir_all(folder.join("ct")).unwrap();
    for file in 0..4 {
        records.clear();
        while records.len() < 500 {
            burst(&mut numbers, file * 500 + records.len(), &mut records);
        }
        let body = format!("{{\"Records\":[{}]}}", records.join(","));
        fs::write(folder.join(format!("ct/{file:03}.json.gz")), gzip(body.as_bytes())).unwrap();
        lines.extend(records.iter().flat_map(|record| [record, "\n"]));
    }
    fs::write(folder.join("ct.ndjson"), lines).unwrap();
    let mut syslog = String::new();
    for number in 0..20_000 {
        let n = &mut numbers;
        let (program, facility) =
            (n.one_of(&["app", "nginx", "sshd", "cron", "kernel"]), n.one_of(&["local0", "daemon", "auth"]));
        let (host, pid, ip, status) =
            (n.below(800), n.below(65_536), n.below(250), n.one_of(&["200", "200", "304", "404", "500"]));
        let (bytes, path) = (n.below(100_000), n.uuid());
        writeln!(
            syslog,
            "{{\"PROGRAM\":\"{program}\",\"HOST\":\"ip-10-0-3-{host}\",\"FACILITY\":\"{facility}\",\"PRIORITY\":\"info\",\"PID\":{pid},\
             \"SOURCEIP\":\"10.0.7.{ip}\",\"EPOCH\":\"17935{number:05}.250\",\"MESSAGE\":\"10.0.7.{ip} - - \\\"GET /api/v2/{path}?page={pid} \
             HTTP/1.1\\\" {status} {bytes} \\\"-\\\" \\\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\\\"\"}}"
        )
        .unwrap();
    }
    fs::write(folder.join("syslog.ndjson"), syslog).unwrap();
}

/// Calls of one caller, of one kind.
fn burst(n: &mut Numbers, first: usize, records: &mut Vec<String>) {
    let (account, user, key) = (100_000_000_000 + n.below(899_999_999_999), n.below(600), n.below(1 << 40));
    let (region, ip) = (n.one_of(&["us-east-1", "eu-west-1", "us-west-2"]), n.below(250));
    let kind = n.below(5);
    for number in 0..5 + n.below(40) {
        let (id, request, item) = (n.uuid(), n.uuid(), n.below(1 << 32));
        let (name, source, asked, answered) = match kind {
            0 => (
                "Decrypt",
                "kms",
                format!(
                    "{{\"encryptionContext\":{{\"SecretARN\":\"arn:aws:secretsmanager:{region}:{account}:secret:s{item}\"}},\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}}"
                ),
                "null".to_owned(),
            ),
            1 => (
                "DescribeInstances",
                "ec2",
                format!(
                    "{{\"instancesSet\":{{\"items\":[{{\"instanceId\":\"i-{item:017x}\"}},{{\"instanceId\":\"i-{:017x}\"}}]}},\"filterSet\":{{}},\"maxResults\":{}}}",
                    item + 1,
                    item % 1000
                ),
                "null".to_owned(),
            ),
            2 => (
                "PutObject",
                "s3",
                format!(
                    "{{\"bucketName\":\"logs-{account}\",\"Host\":\"logs-{account}.s3.{region}.amazonaws.com\",\"key\":\"a/b=c/{item}.gz\",\"x-amz-acl\":\"private\"}}"
                ),
                format!("{{\"x-amz-server-side-encryption\":\"AES256\",\"x-amz-version-id\":\"{item:x}\"}}"),
            ),
            3 => (
                "AssumeRole",
                "sts",
                format!(
                    "{{\"roleArn\":\"arn:aws:iam::{account}:role/r{}\",\"roleSessionName\":\"s{item}\",\"durationSeconds\":3600}}",
                    item % 40
                ),
                format!(
                    "{{\"credentials\":{{\"accessKeyId\":\"ASIA{item:016X}\",\"expiration\":\"Nov 1, 2026, 1:00:00 AM\"}},\"assumedRoleUser\":{{\"arn\":\"arn:aws:sts::{account}:assumed-role/r/s{item}\"}}}}"
                ),
            ),
            _ => (
                "GetParameters",
                "ssm",
                format!(
                    "{{\"names\":[\"/app/{}/url\",\"/app/{}/user\"],\"withDecryption\":true}}",
                    item % 90,
                    item % 70
                ),
                "null".to_owned(),
            ),
        };
        let second = (first + usize::try_from(number).unwrap()) % 86_400;
        let time = format!("2026-11-01T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60);
        records.push(format!(
            "{{\"eventVersion\":\"1.09\",\"userIdentity\":{{\"type\":\"IAMUser\",\"principalId\":\"AIDA{user:017}\",\"arn\":\"arn:aws:iam::{account}:user/u{user}\",\
             \"accountId\":\"{account}\",\"accessKeyId\":\"ASIA{key:016}\",\"userName\":\"u{user}\",\"sessionContext\":{{\"attributes\":{{\"creationDate\":\"2026-11-01T00:00:00Z\",\
             \"mfaAuthenticated\":\"false\"}}}}}},\"eventTime\":\"{time}\",\"eventSource\":\"{source}.amazonaws.com\",\"eventName\":\"{name}\",\"awsRegion\":\"{region}\",\
             \"sourceIPAddress\":\"10.1.2.{ip}\",\"userAgent\":\"aws-sdk-rust/1.8 ua/2.1 api/{source}#1.50 os/linux lang/rust#1.95 m/E,b\",\"requestParameters\":{asked},\
             \"responseElements\":{answered},\"requestID\":\"{request}\",\"eventID\":\"{id}\",\"readOnly\":{},\"eventType\":\"AwsApiCall\",\"managementEvent\":true,\
             \"recipientAccountId\":\"{account}\",\"eventCategory\":\"Management\",\"tlsDetails\":{{\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\",\
             \"clientProvidedHostHeader\":\"{source}.{region}.amazonaws.com\"}}}}",
            kind != 2
        ));
    }
}
