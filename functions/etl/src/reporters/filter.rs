//! Filters of figures, which all reporters share.
//!
//! Imports: `reporters`.

use super::Stat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A figure that is not told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatFilter {
    /// Name of the figure: `timing.ns`.
    pub name: String,
    /// If false, the figure is left out only where it is zero.
    #[serde(default = "yes")]
    pub report_zeros: bool,
    /// Tags that the figure must have, with these values. (Bender looks at the keys alone: a defect, mended.)
    #[serde(default)]
    pub tags: Vec<FilterTag>,
}

/// A tag of a figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterTag {
    /// Name of the tag: `class`.
    pub key: String,
    /// Its value: `GenericJson`.
    pub value: String,
}

fn yes() -> bool {
    true
}

impl StatFilter {
    /// Whether the figure is left out.
    fn excludes(&self, stat: &Stat) -> bool {
        let has = |tag: &FilterTag| stat.tags.iter().any(|(key, value)| *key == tag.key && *value == *tag.value);
        self.name == stat.name && self.tags.iter().all(has) && (self.report_zeros || stat.value == 0)
    }
}

/// The figures that no filter leaves out.
pub(super) fn told<'a>(stats: &'a [Stat], filters: &'a [StatFilter]) -> impl Iterator<Item = &'a Stat> {
    stats.iter().filter(|stat| !filters.iter().any(|filter| filter.excludes(stat)))
}

/// Name and value of each dimension: the figure's own tags, then those of all figures, each name once. CloudWatch takes no empty value, and no
/// more than 30.
pub(super) fn dimensions(stat: &Stat, tags: &[(String, String)]) -> Vec<(String, String)> {
    let own = stat.tags.iter().map(|(key, value)| (*key, &**value));
    let all = own.chain(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let mut out: Vec<(String, String)> = vec![];
    for (key, value) in all {
        if out.len() < 30 && out.iter().all(|(known, _)| known != key) {
            out.push((key.to_owned(), if value.is_empty() { "None".to_owned() } else { value.to_owned() }));
        }
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::reporters::{Report, StatKind};

    pub(in super::super) fn stat(name: &'static str, tags: &[(&'static str, &'static str)], value: i64) -> Stat {
        let tags = tags.iter().map(|(key, value)| (*key, (*value).into())).collect();
        Stat { name, tags, kind: StatKind::Count, value }
    }

    /// Figures of two components and of the invocation.
    pub(in super::super) fn report() -> Report {
        Report {
            time_ms: 1_584_580_665_491,
            tags: vec![
                ("functionName".into(), "f".into()),
                ("class".into(), "ignored".into()),
                ("team".into(), String::new()),
            ],
            stats: vec![
                stat("error.count", &[("class", "GenericJson")], 0),
                stat("timing.ns", &[("class", "GenericJson")], 5),
                stat("error.count", &[("class", "Json")], 2),
                stat("event.count", &[], 7),
            ],
        }
    }

    fn names(filters: &str) -> Vec<String> {
        let filters: Vec<StatFilter> = serde_json::from_str(filters).unwrap();
        let class = |stat: &Stat| stat.tags.first().map(|(_, value)| value.to_string()).unwrap_or_default();
        told(&report().stats, &filters).map(|stat| format!("{} {}", stat.name, class(stat))).collect()
    }

    #[test]
    fn a_filter_names_a_figure_its_tags_and_whether_only_zeros_are_left_out() {
        let all = ["error.count GenericJson", "timing.ns GenericJson", "error.count Json", "event.count "];
        assert_eq!(names("[]"), all);
        assert_eq!(names(r#"[{"name":"error.count"}]"#), ["timing.ns GenericJson", "event.count "]);
        assert_eq!(names(r#"[{"name":"error.count","report_zeros":false}]"#), all[1..]);
        assert_eq!(
            names(r#"[{"name":"error.count","tags":[{"key":"class","value":"Json"}]}]"#),
            [all[0], all[1], all[3]]
        );
        assert_eq!(names(r#"[{"name":"event.count","tags":[{"key":"class","value":"Json"}]}]"#), all);
    }

    #[test]
    fn dimensions_have_each_name_once_and_no_empty_value() {
        let report = report();
        let of = |stat: &Stat| -> Vec<String> {
            dimensions(stat, &report.tags).into_iter().map(|(key, value)| format!("{key}={value}")).collect()
        };
        assert_eq!(of(&report.stats[0]), ["class=GenericJson", "functionName=f", "team=None"]);
        let many: Vec<_> = (0..40).map(|n| (n.to_string(), "x".to_owned())).collect();
        assert_eq!(dimensions(&report.stats[0], &many).len(), 30);
    }
}
