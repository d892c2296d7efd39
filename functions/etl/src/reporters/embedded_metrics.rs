//! `CloudWatchEmbeddedMetrics`: figures as log lines that become metrics.
//!
//! Imports: `component`, `late`, `ports`, `region`.

use super::{
    Report, Reporter, Stat,
    filter::{StatFilter, dimensions, told},
};
use crate::{component::Component, late::Late, ports::Call, region::Region};
use bon::Builder;
use bytes::Bytes;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Writes the figures of each invocation to standard output in `CloudWatch`'s embedded metric format: in a Lambda function they become
/// metrics without a call and without a permission.
///
/// There is one line for each set of tags.
///
/// # Unlike Bender
///
/// - Each component has figures of its own. (Bender writes one line for all, in which they overwrite each other.)
/// - `stat_filters` look at the values of tags. (Bender's look at their keys alone.)
/// - Sizes are bytes, of any number. (Bender counts characters, up to 2 GiB.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct CloudWatchEmbeddedMetrics {
    /// Namespace of the metrics.
    #[serde(default = "super::cloudwatch::namespace")]
    #[builder(default = super::cloudwatch::namespace(), into)]
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// Taken for the sake of old configs; has no effect, as the region is the function's.
    #[builder(into)]
    pub region: Option<Late<Region>>,
    /// Figures that are not told.
    #[serde(default)]
    #[builder(default)]
    pub stat_filters: Vec<StatFilter>,
}

impl Component for CloudWatchEmbeddedMetrics {
    const NAME: &'static str = "CloudWatchEmbeddedMetrics";
    const EXAMPLE: &'static str =
        "type: CloudWatchEmbeddedMetrics\nnamespace: Logs/Pipelines\nstat_filters:\n- name: timing.ns\n";
}

/// The format takes 100 metrics in a line.
const MOST_METRICS: usize = 100;

impl Reporter for CloudWatchEmbeddedMetrics {
    fn report(&self, report: &Report) -> Vec<Call> {
        let mut sets: IndexMap<Vec<(String, String)>, Vec<&Stat>> = IndexMap::new();
        for stat in told(&report.stats, &self.stat_filters) {
            sets.entry(dimensions(stat, &report.tags)).or_default().push(stat);
        }
        let mut lines = String::new();
        for (dimensions, stats) in &sets {
            for stats in stats.chunks(MOST_METRICS) {
                lines += &self.line(report.time_ms, dimensions, stats).to_string();
                lines.push('\n');
            }
        }
        if lines.is_empty() { vec![] } else { vec![Call::Stdout(Bytes::from(lines))] }
    }
}

impl CloudWatchEmbeddedMetrics {
    fn line(&self, time_ms: i64, dimensions: &[(String, String)], stats: &[&Stat]) -> Value {
        let metrics: Vec<_> = stats.iter().map(|stat| json!({ "Name": stat.name, "Unit": "None" })).collect();
        let names: Vec<_> = dimensions.iter().map(|(name, _)| name).collect();
        let metrics = json!([{ "Namespace": self.namespace, "Dimensions": [names], "Metrics": metrics }]);
        let mut line = Map::new();
        line.insert("_aws".to_owned(), json!({ "Timestamp": time_ms, "CloudWatchMetrics": metrics }));
        line.extend(dimensions.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))));
        line.extend(stats.iter().map(|stat| (stat.name.to_owned(), Value::from(stat.value))));
        Value::Object(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reporters::filter::tests::{report, stat};
    use std::collections::BTreeSet;

    fn lines(config: &CloudWatchEmbeddedMetrics, report: &Report) -> Vec<Value> {
        match &Reporter::report(config, report)[..] {
            [] => vec![],
            [Call::Stdout(text)] => {
                std::str::from_utf8(text).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_set_of_tags_has_a_line_of_its_own() {
        let config = CloudWatchEmbeddedMetrics::builder().namespace("n").build();
        let lines = lines(&config, &report());
        assert_eq!(
            lines[0],
            json!({
                "_aws": { "Timestamp": 1_584_580_665_491_i64, "CloudWatchMetrics": [{
                    "Namespace": "n",
                    "Dimensions": [["class", "functionName", "team"]],
                    "Metrics": [{ "Name": "error.count", "Unit": "None" }, { "Name": "timing.ns", "Unit": "None" }],
                }] },
                "class": "GenericJson", "functionName": "f", "team": "None", "error.count": 0, "timing.ns": 5,
            })
        );
        assert_eq!((&lines[1]["class"], &lines[1]["error.count"]), (&json!("Json"), &json!(2)));
        assert_eq!(lines[2]["event.count"], 7);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn without_figures_nothing_is_written() {
        assert!(lines(&CloudWatchEmbeddedMetrics::builder().build(), &Report::default()).is_empty());
    }

    /// Bender's own expectations hold line by line: its files put all sets of tags into one object.
    #[test]
    fn benders_files_come_out_one_line_for_each_directive() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(
            "../../../shared/corpus/bender/reporters/src/test/resources/com/nextdoor/bender/monitoring/embedded/metrics",
        );
        let all = [("company", "nextdoor"), ("team", "systems"), ("stage", "prod"), ("region", "us-east-1")];
        for (file, counts, errors) in [
            ("empty_metrics", None, None),
            ("metrics_with_stats_no_dimensions", Some(&all[..0]), Some(&all[..0])),
            ("metrics_with_stats_varying_dimensions", Some(&all[2..]), Some(&all[..0])),
            ("metrics_with_stats_many_dimensions", Some(&all[..]), Some(&all[..2])),
        ] {
            let Ok(text) = std::fs::read_to_string(folder.join(file).with_extension("json")) else {
                return println!("skipped: the corpus is not there");
            };
            let expected: Value = serde_json::from_str(&text).unwrap();
            let counts = counts.map(|tags| stat("counts", tags, 20));
            let errors = errors.map(|tags| stat("errors", tags, 2));
            let report =
                Report { time_ms: 1_584_580_665_491, tags: vec![], stats: counts.into_iter().chain(errors).collect() };
            let config = CloudWatchEmbeddedMetrics::builder().namespace("nextdoor").build();
            let lines = lines(&config, &report);
            let (mut told, mut wanted) = (BTreeSet::new(), BTreeSet::new());
            for (object, set) in lines.iter().map(|line| (line, true)).chain([(&expected, false)]) {
                for directive in object["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
                    for metric in directive["Metrics"].as_array().unwrap() {
                        let name = metric["Name"].as_str().unwrap();
                        let dimensions = directive["Dimensions"][0].as_array().unwrap().iter();
                        let dimensions = dimensions
                            .map(|name| name.as_str().unwrap())
                            .map(|name| format!("{name}={}", object[name]));
                        let row = (
                            directive["Namespace"].to_string(),
                            name.to_owned(),
                            dimensions.collect::<Vec<_>>(),
                            object[name].to_string(),
                        );
                        if set {
                            told.insert(row)
                        } else {
                            wanted.insert(row)
                        };
                    }
                }
                assert_eq!(object["_aws"]["Timestamp"], expected["_aws"]["Timestamp"]);
            }
            assert_eq!(told, wanted, "{file}");
        }
    }
}
