//! Metrics of Amazon CloudWatch.

use crate::aws::{refused, twice_if_broken};
use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{Dimension, MetricDatum, StandardUnit},
};
use etl::ports::{Answer, Metric};

/// `PutMetricData`. The SDK compresses what is worth it.
pub(super) async fn put_metric_data(client: &Client, namespace: &str, metrics: Vec<Metric>) -> Answer {
    let data = metrics.into_iter().map(datum).collect();
    let request = client.put_metric_data().namespace(namespace).set_metric_data(Some(data));
    match twice_if_broken(|| request.clone().send()).await {
        Ok(_) => Answer::Done(None),
        Err(e) => refused(&e),
    }
}

fn datum(metric: Metric) -> MetricDatum {
    let dimensions = metric.dimensions.into_iter();
    let dimensions = dimensions.map(|(name, value)| Dimension::builder().name(name).value(value).build());
    #[expect(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles; counts stay far below 2^53")]
    let value = metric.value as f64;
    MetricDatum::builder()
        .metric_name(metric.name)
        .set_dimensions(Some(dimensions.collect()))
        .timestamp(DateTime::from_millis(metric.time_ms))
        .value(value)
        .unit(StandardUnit::None)
        .build()
}
