//! Circles in a graph, each told once.
//!
//! Imports: nothing.

use std::collections::{BTreeMap, BTreeSet};

/// Node -> the nodes it needs, each with the place of the reference.
pub(super) type Graph<'a> = BTreeMap<&'a str, Vec<(&'a str, &'a str)>>;

/// A circle as its nodes, each with the place that refers to the next. Circles that share a node are told one at a time: when one
/// is broken, another may remain.
pub(super) fn circles(mut graph: Graph<'_>) -> Vec<Vec<(&str, &str)>> {
    let mut out = vec![];
    loop {
        prune(&mut graph);
        // Every node that remains needs another that remains, so walking on must come back.
        let Some(start) = graph.keys().next().copied() else { return out };
        let mut walked: Vec<(&str, &str)> = vec![];
        let mut at = start;
        let circle = loop {
            if let Some(first) = walked.iter().position(|(node, _)| *node == at) {
                break walked.split_off(first);
            }
            let Some((next, place)) = graph.get(at).and_then(|edges| edges.first()).copied() else { return out };
            walked.push((at, place));
            at = next;
        };
        for (node, _) in &circle {
            graph.remove(node);
        }
        out.push(circle);
    }
}

/// Takes away what is in no circle and leads to none: what needs nothing, then what needed only that, and so on, each edge looked at once.
fn prune(graph: &mut Graph<'_>) {
    let nodes: BTreeSet<&str> = graph.keys().copied().collect();
    let mut needed_by: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for (node, edges) in graph.iter_mut() {
        edges.retain(|(to, _)| nodes.contains(to));
        left.insert(node, edges.len());
        for (to, _) in edges {
            needed_by.entry(to).or_default().push(node);
        }
    }
    let mut free: Vec<&str> = left.iter().filter(|(_, left)| **left == 0).map(|(node, _)| *node).collect();
    while let Some(node) = free.pop() {
        graph.remove(node);
        for by in needed_by.remove(node).unwrap_or_default() {
            if let Some(left) = left.get_mut(by) {
                *left -= 1;
                free.extend((*left == 0).then_some(by));
            }
        }
    }
    let nodes: BTreeSet<&str> = graph.keys().copied().collect();
    for edges in graph.values_mut() {
        edges.retain(|(to, _)| nodes.contains(to));
    }
}

#[cfg(test)]
mod tests {
    use super::{Graph, circles};

    fn graph(edges: &[(&'static str, &'static str)]) -> Graph<'static> {
        let mut out = Graph::new();
        for (from, to) in edges {
            out.entry(*from).or_default().push((*to, "place"));
        }
        out
    }

    fn names(edges: &[(&'static str, &'static str)]) -> Vec<String> {
        let circles = circles(graph(edges));
        circles.iter().map(|circle| circle.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn a_chain_has_no_circle() {
        assert_eq!(names(&[("a", "b"), ("b", "c"), ("a", "c")]), Vec::<String>::new());
        assert_eq!(names(&[]), Vec::<String>::new());
    }

    #[test]
    fn a_circle_is_told_once_without_what_leads_to_it() {
        assert_eq!(names(&[("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]), ["b c"]);
        assert_eq!(names(&[("a", "a")]), ["a"]);
        assert_eq!(names(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]), ["a b", "c d"]);
    }
}
