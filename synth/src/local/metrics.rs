//! The figures of a run, told where they do not mix with the product.
//!
//! A reporter tells by calls, and some of them call stdout (CloudWatch reads metrics from a function's output). Here each reporter
//! of a config is asked as in a function, and what it would send is written as a line each.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use etl::component::Settings;
use etl::config::ReporterConfig;
use etl::need::Need;
use etl::ports::Call;
use etl::reporters::{BuildReporter, Report};
use serde_json::{Value, json};

use crate::output::Talk;

/// Where figures are told.
#[derive(Clone, Debug)]
pub enum Metrics {
    /// Among the talk.
    Talk(Talk),
    /// In a file of their own, one JSON document a line.
    File(Arc<Mutex<File>>),
}

impl Metrics {
    /// A new file.
    pub fn file(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write the metrics to `{}`", path.display()))?;
        Ok(Self::File(Arc::new(Mutex::new(file))))
    }

    /// The reporter of a config, with this in the place of its far side.
    pub fn instead_of(&self, reporter: ReporterConfig) -> ReporterConfig {
        ReporterConfig::new(Arc::new(Told { of: reporter, to: self.clone() }))
    }

    fn line(&self, text: &str) {
        match self {
            Self::Talk(talk) => talk.line(text),
            // Figures that cannot be written fail no run, as in a function.
            Self::File(file) => {
                let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{text}");
            }
        }
    }
}

/// No `Component`, as no config can name it: it stands around one that a config does name.
#[derive(Debug)]
struct Told {
    of: ReporterConfig,
    to: Metrics,
}

impl Settings for Told {
    fn name(&self) -> &'static str {
        self.of.name()
    }

    fn raw_json(&self) -> Value {
        self.of.to_json()
    }

    fn all_needs(&self) -> Vec<Need> {
        self.of.needs()
    }
}

impl BuildReporter for Told {
    fn report(&self, report: &Report) -> Vec<Call> {
        for call in self.of.report(report) {
            for line in told(&call) {
                self.to.line(&line);
            }
        }
        Vec::new()
    }
}

fn told(call: &Call) -> Vec<String> {
    match call {
        Call::PutMetricData { namespace, metrics, .. } => metrics
            .iter()
            .map(|metric| {
                let dimensions: Value = metric.dimensions.iter().map(|(n, v)| (n.clone(), v.as_str())).collect();
                json!({
                    "namespace": namespace, "name": metric.name, "value": metric.value, "time_ms": metric.time_ms,
                    "dimensions": dimensions,
                })
                .to_string()
            })
            .collect(),
        Call::Stdout(bytes) => String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect(),
        Call::Http(http) => vec![json!({"url": http.url, "body": String::from_utf8_lossy(&http.body)}).to_string()],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use etl::ports::Metric;

    #[test]
    fn a_metric_is_a_line_with_its_dimensions() {
        let call = Call::PutMetricData {
            namespace: "Bender".into(),
            region: None,
            metrics: vec![Metric {
                name: "event.count".into(),
                dimensions: vec![("class".into(), "X".into())],
                value: 3,
                time_ms: 7,
            }],
        };
        assert_eq!(
            told(&call),
            [r#"{"namespace":"Bender","name":"event.count","value":3,"time_ms":7,"dimensions":{"class":"X"}}"#]
        );
    }

    #[test]
    fn what_would_go_to_stdout_goes_where_the_metrics_go() {
        assert_eq!(told(&Call::Stdout("{\"_aws\":{}}\n".into())), [r#"{"_aws":{}}"#]);
    }
}
