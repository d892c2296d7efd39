//! CloudWatch: metrics and alarms.
//!
//! Imports: `aws`, `cfn`, `tree`.

use super::sns::TopicHandle;
use crate::tree::{Construct, Scope};
use cfn::{
    IntoValue, Value,
    cloudwatch::{self, alarm},
};

/// A metric of one resource. Handles make them, with the dimensions that the resource has: an alarm without them watches nothing.
#[derive(Clone, Debug)]
pub struct Metric {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) statistic: &'static str,
    pub(super) dimensions: Vec<(&'static str, Value<String>)>,
}

impl Metric {
    /// A metric without dimensions yet; see [`Self::of`].
    pub fn new(namespace: &'static str, name: &'static str, statistic: &'static str) -> Self {
        Self { namespace, name, statistic, dimensions: Vec::new() }
    }

    /// The same metric, of the resource that a dimension names.
    #[must_use]
    pub fn of(mut self, dimension: &'static str, value: impl IntoValue<String>) -> Self {
        self.dimensions.push((dimension, value.into_value()));
        self
    }
}

/// An alarm on one metric. It tells its topic when it goes off and when it is over.
///
/// No data means that nothing happens: fine.
#[derive(Clone, Debug, bon::Builder)]
pub struct Alarm {
    /// What it watches.
    metric: Metric,
    /// What it means and what to do; whoever is woken by it reads this first.
    #[builder(into)]
    description: String,
    /// It goes off when the metric is above this.
    above: i32,
    /// Seconds in a period.
    #[builder(default = 60)]
    period_seconds: i64,
    /// How many periods in a row.
    #[builder(default = 1)]
    periods: i64,
    /// Who is told.
    topic: TopicHandle,
}

impl Construct for Alarm {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        let dimensions: Vec<_> = self
            .metric
            .dimensions
            .into_iter()
            .map(|(name, value)| alarm::Dimension::new().name(name).value(value))
            .collect();
        let topic = self.topic.arn().into_text();
        scope.add(
            "Resource",
            cloudwatch::Alarm::new()
                .alarm_description(self.description)
                .namespace(self.metric.namespace)
                .metric_name(self.metric.name)
                .statistic(alarm::Statistic::Unlisted(self.metric.statistic.into()))
                .dimensions(dimensions)
                .comparison_operator(alarm::ComparisonOperator::GreaterThanThreshold)
                .threshold(f64::from(self.above))
                .period(self.period_seconds)
                .evaluation_periods(self.periods)
                .treat_missing_data(alarm::TreatMissingData::NotBreaching)
                .alarm_actions([topic.clone()])
                .ok_actions([topic]),
        );
    }
}
