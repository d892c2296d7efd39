//! Bender's own configs, and those of the cases observed from it: all read here, or are refused as Bender refuses them.

use crate::kit::{registry, shared};
use etl::testing::config_document as document;
use etl::{
    codes,
    config::{PipelineConfig, Variables},
};
use regex::{Captures, Regex};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

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

/// Bender's tests have components of their own, `DummyXHelper$…`; here ours stand for them.
fn with_real_components(text: &str) -> String {
    let dummies = Regex::new(r"Dummy\w*?(Handler|Deserializer|Operation|Wrapper|Serializer|Transport)Helper\$\w+")
        .expect("an expression");
    let real = |found: &Captures<'_>| match &found[1] {
        "Handler" => "KinesisHandler",
        "Deserializer" => "GenericJson",
        "Operation" if ["Throttle", "Filter"].iter().any(|filter| found[0].contains(filter)) => "BasicFilterOperation",
        "Operation" => "FlattenOperation",
        "Wrapper" => "BasicWrapper",
        "Serializer" => "Json",
        _ => "Stdout",
    };
    dummies.replace_all(text, real).replace("append_str", "separator")
}

/// What the reader says.
fn verdict(path: &Path, environment: &dyn Fn(&str) -> Option<String>) -> Verdict {
    let text = with_real_components(&fs::read_to_string(path).expect("a file that was just listed"));
    match PipelineConfig::read(&registry(), &path.display().to_string(), &text, Variables::From(environment)) {
        Ok(config) => {
            let written = serde_json::from_str(&config.to_json()).expect("what is written is JSON");
            // Which component a variable names, no schema can know.
            let given = document(&text.replace("<HANDLER>", "S3Handler")).expect("what was read is a document");
            let errors = PUBLISHED.iter_errors(&given).chain(PUBLISHED.iter_errors(&written));
            let wrong: Vec<_> = errors.map(|error| format!("{error} at {}", error.instance_path())).collect();
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
            // A user can act on it: each mistake has a place, and most say the way out.
            let placed = report.problems.iter().all(|problem| report.position(problem).is_some());
            assert!(placed || report.problems.iter().any(|p| p.path.is_empty() || !p.path.contains('.')), "{report}");
            Verdict::Refused(report.to_string())
        }
    }
}

#[test]
fn configs_of_bender_read_and_are_right_by_the_published_schema() {
    let Some(root) = shared("bender") else { return };
    let mut paths = vec![];
    files(&root, &mut paths);
    let is_config = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        document(&text).is_some_and(|document| document.get("sources").is_some() && document.get("handler").is_some())
    };
    paths.retain(is_config);
    let environment = |name: &str| {
        Some(match name {
            "ES_REGION" => "US_EAST_1".to_owned(),
            "HANDLER" => "S3Handler".to_owned(),
            name => name.to_lowercase(),
        })
    };
    let (mut read, mut refused, mut otherwise) = (0, vec![], BTreeSet::new());
    for path in &paths {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        match verdict(path, &environment) {
            Verdict::Read => read += 1,
            Verdict::NotYet(types) => refused.push(format!("{name}: no {types:?}")),
            Verdict::Refused(report) => match REFUSED.iter().find(|(end, _)| name.ends_with(end)) {
                Some((end, said)) if report.contains(said) => drop(otherwise.insert(*end)),
                _ => refused.push(format!("{name}\n{report}")),
            },
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert_eq!(otherwise.len(), REFUSED.len(), "{otherwise:?}");
    assert!(read >= 25, "{read} of {}", paths.len());
    println!("{read} of {} read", paths.len());
}

/// Configs in Bender's repository that are refused, and what is said of them.
const REFUSED: &[(&str, &str)] = &[
    // Its split has no `path`: Bender refuses it, too.
    ("aws-cloudtrail/firehose-elasticsearch.yaml", "`path` is missing"),
    // A topic that there cannot be: Bender finds out when it tells it of a failure.
    ("handler/config_test_sns.json", "`sns_notification_arn` is not an ARN"),
];

#[test]
fn what_bender_refuses_is_refused_with_the_way_out() {
    let Some(path) = shared("bender/core/src/test/resources/config/handler_config_bad.json") else { return };
    let Verdict::Refused(report) = verdict(&path, &|_| None) else { panic!("it is read") };
    assert!(report.contains("there is no setting `foo` here") && report.contains("help: "), "{report}");
}

#[test]
fn the_observed_cases_are_read_or_refused_as_bender_does() {
    let Some(root) = shared("bender-golden") else { return };
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
