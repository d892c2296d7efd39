//! `DataDog`: figures as lines of the function's log that Datadog's log forwarder reads.
//!
//! Imports: `component`, `ports`.

use super::{
    Report, Reporter, StatKind,
    filter::{StatFilter, dimensions, told},
};
use crate::{component::Component, ports::Call};
use bon::Builder;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Tells the figures of each invocation in the function's log, in the form that Datadog's log forwarder makes metrics of.
///
/// A figure is a line: `MONITORING|<seconds since 1970>|<value>|<count or gauge>|<prefix>.<name>|#<tag>:<value>,…`. What would break the line
/// in a tag is `_` there.
///
/// # Unlike Bender
///
/// - `stat_filters` look at the values of tags. (Bender's look at their keys alone.)
/// - Sizes are bytes, of any number. (Bender counts characters, up to 2 GiB.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct DataDog {
    /// What the names of metrics begin with.
    #[serde(default = "prefix")]
    #[builder(default = prefix(), into)]
    #[schemars(length(min = 1), extend("x-alias" = "prefix_name"))]
    pub prefix: String,
    /// Figures that are not told.
    #[serde(default)]
    #[builder(default)]
    pub stat_filters: Vec<StatFilter>,
}

/// Bender's default.
fn prefix() -> String {
    "lambda.bender".to_owned()
}

impl Component for DataDog {
    const NAME: &'static str = "DataDog";
    const EXAMPLE: &'static str = "type: DataDog\nprefix: pipelines\nstat_filters:\n- name: timing.ns\n";
}

impl Reporter for DataDog {
    fn report(&self, report: &Report) -> Vec<Call> {
        let mut lines = String::new();
        for stat in told(&report.stats, &self.stat_filters) {
            let kind = match stat.kind {
                StatKind::Count => "count",
                StatKind::Gauge => "gauge",
            };
            let seconds = report.time_ms.div_euclid(1000);
            // Writing to memory cannot fail.
            let _ = write!(lines, "MONITORING|{seconds}|{}|{kind}|{}.{}|#", stat.value, self.prefix, stat.name);
            for (number, (name, value)) in dimensions(stat, &report.tags).iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let _ = write!(lines, "{comma}{}:{}", sound(name), sound(value));
            }
            lines.push('\n');
        }
        if lines.is_empty() { vec![] } else { vec![Call::Stdout(Bytes::from(lines))] }
    }
}

/// A text without what separates tags and lines.
fn sound(text: &str) -> String {
    text.replace(|c: char| matches!(c, '|' | ',' | '#') || c.is_control(), "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reporters::filter::tests::{report, stat};

    fn lines(config: &DataDog, report: &Report) -> String {
        match &Reporter::report(config, report)[..] {
            [] => String::new(),
            [Call::Stdout(text)] => String::from_utf8(text.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_figure_is_a_line_with_its_tags() {
        let lines = lines(&DataDog::builder().build(), &report());
        assert_eq!(
            lines.lines().next(),
            Some("MONITORING|1584580665|0|count|lambda.bender.error.count|#class:GenericJson,functionName:f,team:None")
        );
        assert_eq!(lines.lines().count(), 4);
    }

    #[test]
    fn no_tag_can_break_a_line() {
        let stats = vec![stat("event.count", &[("team", "a,b|c\nd")], 1)];
        let told = lines(&DataDog::builder().prefix("p").build(), &Report { stats, ..Report::default() });
        assert_eq!(told, "MONITORING|0|1|count|p.event.count|#team:a_b_c_d\n");
        assert!(lines(&DataDog::builder().build(), &Report::default()).is_empty());
    }
}
