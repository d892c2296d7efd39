//! CloudWatch dashboards.
//!
//! Imports: `aws`, `cfn`, `template`, `text`, `tree`.

use super::cloudwatch::Metric;
use crate::{
    text::json_text,
    tree::{Construct, Scope},
};
use cfn::{IntoJson as _, Value, cloudwatch, intrinsic};
use serde_json::{Value as Json, json};

/// A page of graphs, three in a row.
#[derive(Clone, Debug, bon::Builder)]
pub struct Dashboard {
    /// The graphs, in reading order.
    #[builder(field)]
    graphs: Vec<(String, Vec<Metric>)>,
}

impl<S: dashboard_builder::State> DashboardBuilder<S> {
    /// Adds a graph of some metrics.
    pub fn graph(mut self, title: impl Into<String>, metrics: impl IntoIterator<Item = Metric>) -> Self {
        self.graphs.push((title.into(), metrics.into_iter().collect()));
        self
    }
}

/// CloudWatch's grid is 24 wide.
const WIDTH: usize = 8;
const HEIGHT: usize = 6;

impl Construct for Dashboard {
    type Handle = Value<String>;

    /// Gives the dashboard's name.
    fn build(self, scope: &mut Scope<'_>) -> Value<String> {
        let widgets: Vec<Json> = self.graphs.into_iter().enumerate().map(|(at, (title, metrics))| {
            let metrics: Vec<Json> = metrics.into_iter().map(line).collect();
            json!({
                "type": "metric", "width": WIDTH, "height": HEIGHT, "x": at % 3 * WIDTH, "y": at / 3 * HEIGHT,
                "properties": {"title": title, "region": intrinsic::region(), "period": 60, "view": "timeSeries", "metrics": metrics},
            })
        }).collect();
        let body = json_text(&json!({ "widgets": widgets }));
        scope.add("Resource", cloudwatch::Dashboard::new().dashboard_body(body)).ref_()
    }
}

/// `[namespace, metric, dimension, value, …, {how}]`, as CloudWatch writes a line of a graph.
fn line(metric: Metric) -> Json {
    let mut line = vec![json!(metric.namespace), json!(metric.name)];
    for (name, value) in metric.dimensions {
        line.extend([json!(name), value.into_json()]);
    }
    line.push(json!({"stat": metric.statistic}));
    Json::Array(line)
}
