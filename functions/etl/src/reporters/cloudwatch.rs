//! `Cloudwatch`: figures as metrics, by `PutMetricData`.
//!
//! Imports: `component`, `late`, `need`, `ports`, `region`.

use super::{
    Report, Reporter,
    filter::{StatFilter, dimensions, told},
};
use crate::{
    component::Component,
    late::Late,
    need::{Need, Target},
    ports::{Call, Metric},
    region::Region,
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tells the figures of each invocation to `CloudWatch`, as metrics without a unit whose dimensions are the tags.
///
/// Each pair of a metric and its tags is billed as a custom metric of its own: leave out by `stat_filters` what nobody looks at.
///
/// # Unlike Bender
///
/// - `stat_filters` look at the values of tags. (Bender's look at their keys alone.)
/// - Sizes are bytes, of any number. (Bender counts characters, up to 2 GiB.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Cloudwatch {
    /// Namespace of the metrics.
    #[serde(default = "namespace")]
    #[builder(default = namespace(), into)]
    #[schemars(length(min = 1, max = 255))]
    pub namespace: String,
    /// Region of the metrics; by default the function's own.
    #[builder(into)]
    pub region: Option<Late<Region>>,
    /// Figures that are not told.
    #[serde(default)]
    #[builder(default)]
    pub stat_filters: Vec<StatFilter>,
}

/// Bender's default.
pub(super) fn namespace() -> String {
    "Nextdoor/bender".to_owned()
}

impl Component for Cloudwatch {
    const NAME: &'static str = "Cloudwatch";
    const EXAMPLE: &'static str = "type: Cloudwatch\nnamespace: Logs/Pipelines\nstat_filters:\n- name: timing.ns\n- name: error.count\n  report_zeros: false\n";

    fn needs(&self) -> Vec<Need> {
        vec![Need { actions: &["cloudwatch:PutMetricData"], on: Target::Metrics { namespace: self.namespace.clone() } }]
    }
}

/// `PutMetricData` takes 1,000 metrics and 1 MB.
const PAGE: usize = 500;

impl Reporter for Cloudwatch {
    fn report(&self, report: &Report) -> Vec<Call> {
        let metric = |stat: &super::Stat| Metric {
            name: stat.name.to_owned(),
            dimensions: dimensions(stat, &report.tags),
            value: stat.value,
            time_ms: report.time_ms,
        };
        let metrics: Vec<_> = told(&report.stats, &self.stat_filters).map(metric).collect();
        let region = self.region.as_ref().and_then(Late::now).map(ToString::to_string);
        let call = |metrics: &[Metric]| Call::PutMetricData {
            namespace: self.namespace.clone(),
            region: region.clone(),
            metrics: metrics.to_vec(),
        };
        metrics.chunks(PAGE).map(call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reporters::filter::tests::{report, stat};

    #[test]
    fn figures_are_metrics_with_their_tags_as_dimensions() {
        let config: Cloudwatch =
            serde_json::from_str(r#"{"namespace":"n","region":"US_EAST_1","stat_filters":[{"name":"timing.ns"}]}"#)
                .unwrap();
        let [Call::PutMetricData { namespace, region, metrics }] = &Reporter::report(&config, &report())[..] else {
            panic!("one call")
        };
        assert_eq!((namespace.as_str(), region.as_deref()), ("n", Some("us-east-1")));
        let told: Vec<_> = metrics.iter().map(|m| (m.name.as_str(), m.dimensions.len(), m.value, m.time_ms)).collect();
        let time = 1_584_580_665_491;
        assert_eq!(told, [("error.count", 3, 0, time), ("error.count", 3, 2, time), ("event.count", 3, 7, time)]);
    }

    #[test]
    fn many_figures_are_told_in_pages_and_none_in_none() {
        let stats = vec![stat("event.count", &[], 1); 501];
        let config = Cloudwatch::builder().build();
        assert_eq!(Reporter::report(&config, &Report { stats, ..Report::default() }).len(), 2);
        assert!(Reporter::report(&config, &Report::default()).is_empty());
        assert_eq!(config.namespace, "Nextdoor/bender");
    }
}
