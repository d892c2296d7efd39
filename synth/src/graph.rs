//! A template as the way that events take through it: what they pass is a node, each step an edge.
//!
//! Imports: nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

/// The way of events through the resources of a stack. What no event passes (roles, alarms, keys, failure queues) is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    name: String,
    /// By logical id: the kind.
    nodes: BTreeMap<String, Kind>,
    /// From, to.
    edges: BTreeSet<(String, String)>,
}

/// What events pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    type_name: &'static str,
    noun: &'static str,
    shape: Shape,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Work,
    Way,
    Store,
    Origin,
}

const KINDS: &[Kind] = &[
    kind("AWS::CloudTrail::Trail", "trail", Shape::Origin),
    kind("AWS::DynamoDB::Table", "table", Shape::Store),
    kind("AWS::Events::Rule", "rule", Shape::Origin),
    kind("AWS::Kinesis::Stream", "stream", Shape::Way),
    kind("AWS::KinesisFirehose::DeliveryStream", "delivery stream", Shape::Way),
    kind("AWS::Lambda::Function", "function", Shape::Work),
    kind("AWS::Logs::LogGroup", "log group", Shape::Origin),
    kind("AWS::OpenSearchService::Domain", "search domain", Shape::Store),
    kind("AWS::S3::Bucket", "bucket", Shape::Store),
    kind("AWS::SNS::Topic", "topic", Shape::Way),
    kind("AWS::SQS::Queue", "queue", Shape::Way),
];

const fn kind(type_name: &'static str, noun: &'static str, shape: Shape) -> Kind {
    Kind { type_name, noun, shape }
}

impl Graph {
    /// Reads the way of events out of a template.
    pub fn of(name: &str, template: &Value) -> Self {
        let empty = serde_json::Map::new();
        let resources = template["Resources"].as_object().unwrap_or(&empty);
        let known = |id: &str| KINDS.iter().find(|kind| resources.get(id).is_some_and(|r| r["Type"] == kind.type_name));
        // An alias, or a version, is its function.
        let passed = |id: String| match resources.get(&id) {
            Some(r) if r["Type"] == "AWS::Lambda::Alias" || r["Type"] == "AWS::Lambda::Version" => {
                named(&r["Properties"]["FunctionName"]).into_iter().next().unwrap_or(id)
            }
            _ => id,
        };
        let nodes_in = |value: &Value| -> BTreeSet<String> {
            named(value).into_iter().map(passed).filter(|id| known(id).is_some()).collect()
        };
        let mut edges = BTreeSet::new();
        let mut step = |from: &BTreeSet<String>, to: BTreeSet<String>| {
            edges.extend(from.iter().flat_map(|from| to.iter().map(|to| (from.clone(), to.clone()))));
        };
        for (id, resource) in resources {
            let properties = &resource["Properties"];
            let itself = BTreeSet::from([id.clone()]);
            match resource["Type"].as_str().unwrap_or_default() {
                "AWS::CloudTrail::Trail" => step(&itself, nodes_in(&properties["S3BucketName"])),
                "AWS::S3::Bucket" => step(&itself, nodes_in(&properties["NotificationConfiguration"])),
                "AWS::SNS::Subscription" => step(&nodes_in(&properties["TopicArn"]), nodes_in(&properties["Endpoint"])),
                "AWS::Events::Rule" => step(&itself, nodes_in(&properties["Targets"])),
                "AWS::Lambda::EventSourceMapping" => {
                    step(&nodes_in(&properties["EventSourceArn"]), nodes_in(&properties["FunctionName"]));
                }
                "AWS::Logs::SubscriptionFilter" => {
                    step(&nodes_in(&properties["LogGroupName"]), nodes_in(&properties["DestinationArn"]));
                }
                // What a function delivers to is a name of its environment.
                "AWS::Lambda::Function" => step(&itself, nodes_in(&properties["Environment"])),
                "AWS::KinesisFirehose::DeliveryStream" => {
                    step(&nodes_in(&properties["KinesisStreamSourceConfiguration"]), itself.clone());
                    let destinations = properties.as_object().into_iter().flatten();
                    let destinations = destinations.filter(|(name, _)| name.ends_with("DestinationConfiguration"));
                    for (_, destination) in destinations {
                        step(&itself, nodes_in(&destination["BucketARN"]));
                        step(&itself, nodes_in(&destination["DomainARN"]));
                        step(&itself, nodes_in(&destination["ProcessingConfiguration"]));
                    }
                }
                _ => {}
            }
        }
        let on_the_way = edges.iter().flat_map(|(from, to)| [from, to]);
        let nodes = on_the_way.filter_map(|id| Some((id.clone(), *known(id)?))).collect();
        Self { name: name.to_owned(), nodes, edges }
    }

    /// The names of nodes are unique among several stacks.
    fn node(&self, id: &str) -> String {
        format!("{}_{id}", self.name.replace('-', "_"))
    }
}

/// For a page that draws Mermaid, as a repository's README does.
pub fn mermaid(graphs: &[Graph]) -> String {
    let mut out = String::from("flowchart LR\n");
    for graph in graphs {
        let _ = writeln!(out, "    subgraph {}", graph.name);
        for (id, kind) in &graph.nodes {
            let (open, close) = match kind.shape {
                Shape::Work => ("[[", "]]"),
                Shape::Way => ("([", "])"),
                Shape::Store => ("[(", ")]"),
                Shape::Origin => ("[", "]"),
            };
            let _ = writeln!(out, "        {}{open}\"{}<br>{}\"{close}", graph.node(id), readable(id), kind.noun);
        }
        for (from, to) in &graph.edges {
            let _ = writeln!(out, "        {} --> {}", graph.node(from), graph.node(to));
        }
        out.push_str("    end\n");
    }
    out
}

/// For Graphviz.
pub fn dot(graphs: &[Graph]) -> String {
    let mut out = String::from("digraph stacks {\n    rankdir=LR;\n");
    for graph in graphs {
        let _ = writeln!(out, "    subgraph \"cluster_{}\" {{\n        label=\"{}\";", graph.name, graph.name);
        for (id, kind) in &graph.nodes {
            let shape = match kind.shape {
                Shape::Work => "component",
                Shape::Way => "cds",
                Shape::Store => "cylinder",
                Shape::Origin => "box",
            };
            let (node, label) = (graph.node(id), readable(id));
            let _ = writeln!(out, "        {node} [shape={shape}, label=\"{label}\\n{}\"];", kind.noun);
        }
        for (from, to) in &graph.edges {
            let _ = writeln!(out, "        {} -> {};", graph.node(from), graph.node(to));
        }
        out.push_str("    }\n");
    }
    out.push_str("}\n");
    out
}

/// A logical id without the hash at its end.
fn readable(id: &str) -> &str {
    let hash = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c);
    match id.len().checked_sub(8).and_then(|at| id.split_at_checked(at)) {
        Some((name, end)) if !name.is_empty() && end.chars().all(hash) => name,
        _ => id,
    }
}

/// The logical ids that a value refers to.
fn named(value: &Value) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    gather(value, &mut ids);
    ids
}

fn gather(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, ids)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("Ref", Value::String(id)) => drop(ids.insert(id.clone())),
                    ("Fn::GetAtt", Value::Array(path)) => {
                        ids.extend(path.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        let names = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
                        ids.extend(names.filter_map(|(name, _)| name.split('.').next()).map(str::to_owned));
                    }
                    _ => gather(value, ids),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(stack: &str) -> Vec<String> {
        let stack = stacks::all().into_iter().find(|s| s.name() == stack).unwrap();
        let graph = Graph::of(stack.name(), stack.synth().draft().as_json());
        graph.edges.iter().map(|(from, to)| format!("{} -> {}", readable(from), readable(to))).collect()
    }

    #[test]
    fn the_way_of_events_is_in_the_template() {
        let cloudtrail = [
            "SourceBucket -> SourceTopic",
            "SourceEtlFunction -> SearchDomain",
            "SourceTopic -> SourceEtlFunction",
            "Trail -> SourceBucket",
        ];
        assert_eq!(edges("cloudtrail"), cloudtrail);
        let events = [
            "ArchiveStream -> ArchiveBucket",
            "Stream -> ToArchiveFunction",
            "Stream -> ToSearchFunction",
            "ToArchiveFunction -> ArchiveStream",
            "ToSearchFunction -> SearchDomain",
        ];
        assert_eq!(edges("events"), events);
    }

    #[test]
    fn a_queue_between_is_on_the_way_and_a_failure_queue_is_not() {
        let stack = stacks::cloudtrail::Cloudtrail::builder().queued(true).build().stack();
        let graph = Graph::of("cloudtrail", stack.synth().draft().as_json());
        let queues: Vec<&str> =
            graph.nodes.iter().filter(|(_, kind)| kind.noun == "queue").map(|(id, _)| readable(id)).collect();
        assert_eq!(queues, ["SourceEtlQueue"]);
    }

    #[test]
    fn several_stacks_are_one_picture_in_either_language() {
        let graph = |name: &str| {
            let stream =
                serde_json::json!({"Fn::If": ["Made", {"Fn::Sub": "arn:${Bucket.Arn}"}, {"Ref": "AWS::NoValue"}]});
            Graph::of(
                name,
                &serde_json::json!({"Resources": {
                    "Bucket": {"Type": "AWS::S3::Bucket"},
                    "Spare": {"Type": "AWS::S3::Bucket"},
                    "Ship01234567": {
                        "Type": "AWS::KinesisFirehose::DeliveryStream",
                        "Properties": {"ExtendedS3DestinationConfiguration": {"BucketARN": stream}},
                    },
                }}),
            )
        };
        let graphs = [graph("a-b"), graph("c")];
        let drawn = mermaid(&graphs);
        assert!(drawn.contains("        a_b_Ship01234567([\"Ship<br>delivery stream\"])\n"), "{drawn}");
        assert!(drawn.contains("        c_Ship01234567 --> c_Bucket\n") && !drawn.contains("Spare"), "{drawn}");
        let drawn = dot(&graphs);
        assert!(drawn.contains("        a_b_Bucket [shape=cylinder, label=\"Bucket\\nbucket\"];\n"), "{drawn}");
        assert!(drawn.contains("        a_b_Ship01234567 -> a_b_Bucket;\n"), "{drawn}");
    }
}
