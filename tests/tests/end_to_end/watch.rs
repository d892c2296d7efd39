//! What a function's log says of its invocations.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tests::{aws::Aws, rig::Rig};

use crate::PATIENCE;

/// The ledger's figures of all invocations that have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// How many ended.
    pub(crate) invocations: u64,
    pub(crate) received: u64,
    pub(crate) born: u64,
    pub(crate) delivered: u64,
    pub(crate) handed_back: u64,
    /// By reason.
    pub(crate) dropped: BTreeMap<String, u64>,
    /// By stage, component and reason.
    pub(crate) failed: BTreeMap<String, u64>,
}

/// A deployed function.
pub(crate) struct Function {
    pub(crate) name: String,
    group: String,
    failures: String,
}

impl Function {
    /// `failures`: the URL of its failure queue.
    pub(crate) fn new(aws: &Aws, name: &str, failures: &str) -> Self {
        let about = aws.run(&["lambda", "get-function-configuration", "--function-name", name]).unwrap();
        let group = about["LoggingConfig"]["LogGroup"].as_str().unwrap().to_owned();
        Self { name: name.to_owned(), group, failures: failures.to_owned() }
    }

    /// What its log says so far.
    pub(crate) fn told(&self, aws: &Aws) -> Told {
        let mut told = Told::default();
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        for line in aws.logs(&self.group).unwrap_or_default() {
            told.invocations += u64::from(line.starts_with("END RequestId: "));
            let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
            let figure = |name: &str| line[name].as_u64().unwrap_or_default();
            told.received += figure("ledger.received");
            told.born += figure("ledger.born");
            told.delivered += figure("ledger.delivered");
            told.handed_back += figure("ledger.handed_back");
            if line.get("ledger.dropped").is_some() {
                *told.dropped.entry(text(&line, "reason")).or_default() += figure("ledger.dropped");
            }
            if line.get("ledger.failed").is_some() {
                let what = ["stage", "component", "reason"].map(|name| text(&line, name)).join(", ");
                *told.failed.entry(what).or_default() += figure("ledger.failed");
            }
        }
        told
    }

    /// Waits until that many events were delivered, in all.
    pub(crate) fn until_delivered(&self, rig: &Rig, events: u64) -> Told {
        let begun = Instant::now();
        loop {
            let told = self.told(&rig.aws);
            if told.delivered >= events {
                return told;
            }
            let late = begun.elapsed() > PATIENCE;
            assert!(!late, "{events} were to be delivered: {told:?}\n{}", self.complaints(&rig.aws));
            thread::sleep(Duration::from_millis(500));
        }
    }

    /// Nothing was given up: the failure queue is empty.
    pub(crate) fn gave_up_nothing(&self, aws: &Aws) {
        assert_eq!(aws.waiting(&self.failures).unwrap(), 0, "{}: {}", self.name, self.complaints(aws));
    }

    /// The lines that are no figures.
    fn complaints(&self, aws: &Aws) -> String {
        let lines = aws.logs(&self.group).unwrap_or_default();
        let is_talk = |line: &&String| !line.contains("_aws") && !line.contains("RequestId: ");
        lines.iter().filter(is_talk).take(40).map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}
