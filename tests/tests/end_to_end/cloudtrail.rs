//! `cloudtrail`: files of the corpus through bucket, topic, function and front door into the node.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    path::Path,
    thread::sleep,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};
use tests::rig::{Rig, rig};

use crate::{
    A_WHILE, corpus, delete, only_the_functions_role_writes,
    package::{Package, package, template},
    retained,
    watch::Function,
};

const STACK: &str = "cloudtrail";
const INDICES: &str = "cloudtrail-*";
/// The emulator has no trails.
const TAKEN_OUT: [&str; 1] = ["Trail022F0CF2 AWS::CloudTrail::Trail"];
/// Where the trail of this account would put its files.
const FOLDER: &str = "AWSLogs/000000000000/CloudTrail/us-east-1/2023/07/10";
/// An address of which the corpus's database knows the place.
const KNOWN_ADDRESS: &str = "214.78.120.1";
const PLACES: &str = "flexo-places";

/// A file as CloudTrail writes it, and what is in it.
struct File {
    name: String,
    content: Vec<u8>,
    records: Vec<Value>,
}

impl File {
    fn of(name: &str, records: Vec<Value>) -> Self {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(json!({ "Records": records }).to_string().as_bytes()).unwrap();
        Self { name: name.to_owned(), content: gzip.finish().unwrap(), records }
    }
}

/// The files of a folder, unpacked, with their names.
fn unpacked(folder: &Path) -> Vec<(String, Vec<u8>, Value)> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let content = fs::read(path).unwrap();
        let mut text = String::new();
        GzDecoder::new(content.as_slice()).read_to_string(&mut text).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, content, serde_json::from_str(&text).unwrap())
    };
    files.iter().map(read).collect()
}

/// The corpus: delivered files as they are, and collections of records (lists without the frame), framed.
fn files(corpus: &Path) -> Vec<File> {
    let delivered = corpus.join("invictus/AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10");
    let delivered = unpacked(&delivered).into_iter().map(|(name, content, mut value)| {
        let records = serde_json::from_value(value["Records"].take()).unwrap();
        File { name, content, records }
    });
    let collected = unpacked(&corpus.join("stratus")).into_iter();
    delivered.chain(collected.map(|(name, _, list)| File::of(&name, serde_json::from_value(list).unwrap()))).collect()
}

fn count_by<T: Ord>(records: &[&Value], key: impl Fn(&Value) -> Option<T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for key in records.iter().filter_map(|record| key(record)) {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The deployed stack.
struct Deployed {
    rig: &'static Rig,
    package: &'static Package,
    bucket: String,
    topic: String,
    etl: Function,
    /// How many events were to be delivered until now.
    expected: u64,
}

impl Deployed {
    fn put(&self, prefix: &str, files: &[&File]) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            fs::write(folder.path().join(&file.name), &file.content).unwrap();
        }
        self.rig
            .aws
            .copy(&format!("{}/", folder.path().display()), &format!("s3://{}/{prefix}/", self.bucket))
            .unwrap();
    }

    /// Puts a file with one event from [`KNOWN_ADDRESS`]; its id. Nobody waits for it here.
    fn put_event(&mut self, id: &str) {
        let record = json!({
            "eventVersion": "1.08", "eventTime": "2023-07-11T00:00:00Z", "eventID": id, "awsRegion": "us-east-1",
            "sourceIPAddress": KNOWN_ADDRESS,
        });
        self.put(FOLDER, &[&File::of(&format!("{id}.json.gz"), vec![record])]);
        self.expected += 1;
    }

    /// The document of an event.
    fn document(&self, id: &str) -> Value {
        self.etl.until_delivered(self.rig, self.expected);
        let found = self.rig.node.search(INDICES, &json!({ "query": { "term": { "eventid__str": id } } })).unwrap();
        assert_eq!(found["hits"]["total"]["value"], 1, "{id}");
        found["hits"]["hits"][0]["_source"].clone()
    }

    fn alias(&self) -> String {
        self.rig.aws.alias(&self.etl.name, "live").unwrap()
    }

    fn deploy(&self, template: &Value, more: &[(&str, &str)]) {
        self.package.deploy(self.rig, STACK, template, more, &TAKEN_OUT);
    }
}

#[test]
fn cloudtrails_files_become_documents_from_the_first_deployment_to_the_last() {
    let Some(rig) = rig() else { return };
    let Some(corpus_of_files) = corpus("cloudtrail") else { return };
    let Some(places) = corpus("geoip") else { return };
    let files = files(&corpus_of_files);
    let invariants = fs::read(corpus_of_files.join("invictus/expected_invariants.json")).unwrap();
    let invariants: Value = serde_json::from_slice(&invariants).unwrap();

    let package = package(rig);
    package.deploy_as_printed(rig, STACK, &TAKEN_OUT);
    let outputs = rig.aws.outputs(STACK).unwrap();
    assert_eq!(outputs["SearchEndpoint"], rig.endpoint);
    let mut deployed = Deployed {
        rig,
        package,
        bucket: outputs["BucketName"].clone(),
        topic: outputs["TopicArn"].clone(),
        etl: Function::new(&rig.aws, &outputs["FunctionName"], &outputs["FailureQueueUrl"]),
        expected: 0,
    };
    every_record_is_one_document_under_its_id(&mut deployed, &files, &invariants);
    what_is_delivered_twice_stays_one_document(&mut deployed, &files);
    a_changed_config_is_a_new_version_and_is_rolled_back_by_the_alias(&mut deployed, &places);
    a_paused_trigger_lets_files_wait(&mut deployed);
    let told = deployed.etl.told(&rig.aws);
    assert_eq!((told.delivered, &told.failed, told.handed_back), (deployed.expected, &BTreeMap::new(), 0));
    deployed.etl.gave_up_nothing(&rig.aws);
    let resources = rig.aws.resources(STACK).unwrap();
    let (etl_role, setup_role) = (&resources["SourceEtlFunctionRoleC8D5DF8C"], &resources["SearchSetupRoleB73D1200"]);
    only_the_functions_role_writes(rig, STACK, etl_role, setup_role, INDICES);
    the_deleted_stack_leaves_its_data(&deployed, &resources);
}

fn every_record_is_one_document_under_its_id(deployed: &mut Deployed, files: &[File], invariants: &Value) {
    let node = &deployed.rig.node;
    // A digest is not read: were it, there would be one invocation more below.
    let digest = File::of("digest.json.gz", vec![]);
    deployed.put("AWSLogs/000000000000/CloudTrail-Digest/us-east-1/2023/07/10", &[&digest]);
    deployed.put(FOLDER, &files.iter().collect::<Vec<_>>());
    let records: Vec<&Value> = files.iter().flat_map(|file| &file.records).collect();
    let framed: u64 = files.iter().filter(|file| file.name.starts_with("aws.")).map(|f| f.records.len() as u64).sum();
    assert_eq!(records.len() as u64, invariants["records"].as_u64().unwrap() + framed);
    deployed.expected = records.len() as u64;

    let told = deployed.etl.until_delivered(deployed.rig, deployed.expected);
    sleep(A_WHILE);
    assert_eq!(deployed.etl.told(&deployed.rig.aws).invocations, files.len() as u64, "{told:?}");
    assert_eq!((told.delivered, told.dropped, told.failed), (deployed.expected, BTreeMap::new(), BTreeMap::new()));
    assert_eq!(told.received + told.born, deployed.expected + told.handed_back);

    // Each record once, by the id that it has from AWS.
    let documents = node.documents(INDICES).unwrap();
    assert_eq!(documents.len(), records.len());
    let of_documents: Vec<&Value> = documents.values().collect();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let ids = count_by(&records, |record| text(&record["eventID"]));
    assert_eq!(ids.len(), records.len());
    assert_eq!(count_by(&of_documents, |document| text(&document["eventid__str"])), ids);
    // In the index of its day, under a SHA-1.
    let of_day = |record: &Value| text(&record["eventTime"]).map(|time| format!("cloudtrail-{}", &time[..10]));
    let mut by_index = BTreeMap::new();
    for key in documents.keys() {
        let (index, id) = key.split_once('/').unwrap();
        assert!(id.len() == 40 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{key}");
        *by_index.entry(index.to_owned()).or_default() += 1_u64;
    }
    assert_eq!(by_index, count_by(&records, of_day));

    // Names say the type of the value, and what has such a name can be searched.
    let regions = json!({ "size": 0, "aggs": { "by": { "terms": { "field": "awsregion__str", "size": 1000 } } } });
    let found = node.search(INDICES, &regions).unwrap();
    let buckets = found["aggregations"]["by"]["buckets"].as_array().unwrap();
    let found: BTreeMap<String, u64> =
        buckets.iter().map(|b| (text(&b["key"]).unwrap(), b["doc_count"].as_u64().unwrap())).collect();
    assert_eq!(found, count_by(&records, |record| text(&record["awsRegion"])));
    let hits = |query: Value| {
        let body = json!({ "size": 0, "track_total_hits": true, "query": query });
        node.search(INDICES, &body).unwrap()["hits"]["total"]["value"].as_u64().unwrap()
    };
    let with = |pointer: &str, is: fn(&Value) -> bool| {
        records.iter().filter(|record| record.pointer(pointer).is_some_and(is)).count() as u64
    };
    let keys = with("/userIdentity/accessKeyId", Value::is_string);
    assert_eq!(hits(json!({ "exists": { "field": "useridentity.accesskeyid__str" } })), keys);
    let filters = with("/requestParameters/filterSet/items", Value::is_array);
    let filtered = |document: &&Value| document["requestparameters"]["filterset"]["items__arr"].is_array();
    assert_eq!(documents.values().filter(filtered).count() as u64, filters);
    assert!(keys > 0 && filters > 0);
    // A member whose names are a service's own is one field, and still searchable by path.
    let names = count_by(&records, |record| record.pointer("/requestParameters/bucketName").and_then(text));
    let (name, count) = names.iter().max_by_key(|(_, count)| **count).unwrap();
    assert_eq!(hits(json!({ "term": { "requestparameters.bucketname__str": name } })), *count);
}

fn what_is_delivered_twice_stays_one_document(deployed: &mut Deployed, files: &[File]) {
    let (aws, node) = (&deployed.rig.aws, &deployed.rig.node);
    let before = node.documents(INDICES).unwrap();
    // The file a second time, and the notification of another one a second time.
    let largest = files.iter().max_by_key(|file| file.records.len()).unwrap();
    let another = files.iter().find(|file| file.name.starts_with("aws.execution")).unwrap();
    deployed.put(FOLDER, &[largest]);
    let event = json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventName": "ObjectCreated:Put",
        "eventTime": "2023-07-10T12:00:00.000Z",
        "s3": {
            "bucket": { "name": deployed.bucket },
            "object": { "key": format!("{FOLDER}/{}", another.name), "size": another.content.len() },
        },
    }]});
    aws.run(&["sns", "publish", "--topic-arn", &deployed.topic, "--message", &event.to_string()]).unwrap();
    deployed.expected += (largest.records.len() + another.records.len()) as u64;
    let told = deployed.etl.until_delivered(deployed.rig, deployed.expected);
    assert_eq!((told.delivered, told.invocations), (deployed.expected, files.len() as u64 + 2));
    assert!(node.documents(INDICES).unwrap() == before, "the documents are not what they were");
}

fn a_changed_config_is_a_new_version_and_is_rolled_back_by_the_alias(deployed: &mut Deployed, places: &Path) {
    let aws = &deployed.rig.aws;
    assert_eq!((deployed.alias().as_str(), aws.versions(&deployed.etl.name).unwrap().len()), ("1", 1));
    let database = format!("s3://{PLACES}/GeoLite2-City.mmdb");
    aws.run(&["s3api", "create-bucket", "--bucket", PLACES]).unwrap();
    aws.copy(&places.join("GeoIP2-City-Test.mmdb").display().to_string(), &database).unwrap();
    deployed.deploy(&template(STACK), &[("GeoIpDatabase", &database)]);
    assert_eq!(aws.versions(&deployed.etl.name).unwrap(), ["1", "2"]);
    assert_eq!(deployed.alias(), "2");
    deployed.put_event("with-places");
    let place = deployed.document("with-places")["geo_ip"].clone();
    assert_eq!((&place["city_name"], &place["country_iso_code"]), (&json!("San Diego"), &json!("US")), "{place}");
    // A place on the map, by the index's template.
    let near = json!({ "query": { "geo_distance": { "distance": "20km", "geo_ip.location": [-117.09, 32.74] } } });
    assert_eq!(deployed.rig.node.search(INDICES, &near).unwrap()["hits"]["total"]["value"], 1);

    aws.point_alias(&deployed.etl.name, "live", "1").unwrap();
    deployed.put_event("without-places");
    let document = deployed.document("without-places");
    assert_eq!((&document["sourceipaddress__str"], document.get("geo_ip")), (&json!(KNOWN_ADDRESS), None));

    // The next deployment of the config of before goes forward, not back: a version of its own.
    deployed.deploy(&template(STACK), &[]);
    assert_eq!((deployed.alias().as_str(), aws.versions(&deployed.etl.name).unwrap().len()), ("3", 3));
}

fn a_paused_trigger_lets_files_wait(deployed: &mut Deployed) {
    let rig = deployed.rig;
    deployed.package.change(rig, STACK, &TAKEN_OUT, "EtlState=paused");
    let before = deployed.etl.told(&rig.aws);
    deployed.put_event("while-paused");
    sleep(A_WHILE);
    assert_eq!(deployed.etl.told(&rig.aws), before);
    deployed.package.change(rig, STACK, &TAKEN_OUT, "EtlState=running");
    deployed.document("while-paused");
    assert_eq!(deployed.etl.told(&rig.aws).invocations, before.invocations + 1);
}

fn the_deleted_stack_leaves_its_data(deployed: &Deployed, resources: &BTreeMap<String, String>) {
    let aws = &deployed.rig.aws;
    let (objects, documents) = (aws.keys(&deployed.bucket).unwrap(), deployed.rig.node.count(INDICES).unwrap());
    let kept = delete(deployed.rig, STACK);
    assert_eq!(kept, retained(&template(STACK)));
    assert_eq!(
        kept,
        [
            "Key961B73FD AWS::KMS::Key",
            "SearchDomain62FD613E AWS::OpenSearchService::Domain",
            "SearchSetupFailuresB2001711 AWS::SQS::Queue",
            "SearchSetupVersionFA28DA8C AWS::Lambda::Version",
            "SourceBucket6F6AC926 AWS::S3::Bucket",
            "SourceEtlFunctionFailures3D67FC3A AWS::SQS::Queue",
            "SourceEtlFunctionVersion51330061 AWS::Lambda::Version",
        ]
    );
    assert_eq!(aws.keys(&deployed.bucket).unwrap(), objects);
    assert_eq!(deployed.rig.node.count(INDICES).unwrap(), documents);
    deployed.etl.gave_up_nothing(aws);
    aws.run(&["kms", "describe-key", "--key-id", &resources["Key961B73FD"]]).unwrap();
    aws.run(&["opensearch", "describe-domain", "--domain-name", &resources["SearchDomain62FD613E"]]).unwrap();
    assert!(aws.run(&["sns", "get-topic-attributes", "--topic-arn", &deployed.topic]).is_err());
}
