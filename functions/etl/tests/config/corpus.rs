//! Bender's own configs, and those of the cases observed from it: all read here, or are refused as Bender refuses them.

use crate::kit::registry;
use etl::{
    codes,
    config::{PipelineConfig, Variables},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// Where the corpus is, on the machines that have it.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => files(&path, found),
            Some("yaml" | "json") => found.push(path),
            _ => {}
        }
    }
}

/// The schema that editors read: it must take what the reader takes.
static PUBLISHED: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    jsonschema::draft202012::new(&etl::reference::schema_of_configs(&registry())).expect("the schema is one")
});

enum Verdict {
    Read,
    /// Types that there is no component of yet.
    NotYet(BTreeSet<String>),
    Refused(String),
}

/// What the reader says.
fn verdict(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Verdict {
    let text = fs::read_to_string(path).expect("a file that was just listed");
    match PipelineConfig::read(&registry(), &path.display().to_string(), &text, Variables::From(environment)) {
        Ok(config) => {
            let written = serde_json::from_str(&config.to_json()).expect("what is written is JSON");
            let wrong: Vec<_> = PUBLISHED.iter_errors(&written).map(|error| error.to_string()).collect();
            if wrong.is_empty() {
                Verdict::Read
            } else {
                Verdict::Refused(format!("by the schema: {}", wrong.join("; ")))
            }
        }
        Err(report) => {
            let unknown = report.problems.iter().filter(|p| p.code == codes::UNKNOWN_TYPE);
            let benders = unknown.filter(|p| p.help.as_deref() == Some("use another one: Bender's is not here"));
            let benders: BTreeSet<String> = benders.filter_map(|p| Some(p.given.as_ref()?.replace('"', ""))).collect();
            if !benders.is_empty() {
                return Verdict::NotYet(benders);
            }
            Verdict::Refused(report.to_string())
        }
    }
}

#[test]
fn configs_of_bender_read_unless_they_name_what_is_still_to_come() {
    let root = corpus();
    if !root.exists() {
        println!("skipped: {} is not there", root.display());
        return;
    }
    let mut paths = vec![];
    for folder in ["bender/example_project/functions", "bender/sample_configs"] {
        files(&root.join(folder), &mut paths);
    }
    paths.retain(|path| path.file_name().is_some_and(|name| name != "function.json"));
    let environment = |name: &str| Some(if name == "ES_REGION" { "US_EAST_1".to_owned() } else { name.to_lowercase() });
    let (mut read, mut coming, mut refused) = (0, BTreeSet::new(), vec![]);
    for path in &paths {
        match verdict(path, &environment) {
            Verdict::Read => read += 1,
            Verdict::NotYet(types) => coming.extend(types),
            // Bender refuses it, too: its split has no `path`.
            Verdict::Refused(_) if path.ends_with("aws-cloudtrail/firehose-elasticsearch.yaml") => {}
            Verdict::Refused(report) => refused.push(report),
        }
    }
    println!("{read} of {} read; still to come: {coming:?}", paths.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn the_observed_cases_are_read_or_refused_as_bender_does() {
    let root = corpus().join("bender-golden");
    if !root.exists() {
        println!("skipped: {} is not there", root.display());
        return;
    }
    let mut cases: Vec<PathBuf> = fs::read_dir(&root).unwrap().flatten().map(|e| e.path()).collect();
    cases.retain(|case| case.is_dir());
    cases.sort();
    let (mut read, mut refused_too, mut coming, mut wrong) = (0, 0, BTreeSet::new(), vec![]);
    for case in &cases {
        let context: Value = serde_json::from_str(&fs::read_to_string(case.join("context.json")).unwrap()).unwrap();
        let environment = |name: &str| match context["env"][name].as_str() {
            Some("any free port") => Some("9200".to_owned()),
            value => value.map(str::to_owned),
        };
        let path = ["config.yaml", "config.json"].map(|name| case.join(name)).into_iter().find(|p| p.exists()).unwrap();
        let expected = fs::read_to_string(case.join("expected.jsonl")).unwrap_or_default();
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let bender_refuses = expected.contains("\"config_error\"");
        match verdict(&path, &environment) {
            Verdict::NotYet(types) => coming.extend(types),
            Verdict::Read if bender_refuses => wrong.push(format!("{name} is read, Bender refuses it")),
            Verdict::Read => read += 1,
            Verdict::Refused(_) if bender_refuses || OTHERWISE.contains(&name.as_str()) => refused_too += 1,
            Verdict::Refused(report) => wrong.push(format!("{name}\n{report}")),
        }
    }
    println!("{read} of {} read, {refused_too} refused; still to come: {coming:?}", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Cases that Bender reads and we refuse, on purpose.
const OTHERWISE: &[&str] = &[
    // A template expression worked by accident.
    "config-comment-and-if",
    // Every event fails: a number's format of a text, a group that the expression does not have.
    "substitution-formatted-number-format",
    "substitution-regex-unknown-group",
    // What is no path finds nothing.
    "jsonpath-get",
];
