//! Paths that may lead to many values: `*`, ranges, lists, filters, `..`. The slow route: it goes through the event step by step.
//!
//! However a path is written, each value is found once, and the work for each step is bounded by the event's size.

use crate::{
    arena::Arena,
    filter::Root,
    node::{Kind, NIL},
    path::Step,
    value::Value,
};

/// The nodes that `steps` lead to from `root`.
pub(crate) fn all<'a>(arena: &'a Arena, root: u32, steps: &'a [Step]) -> Vec<u32> {
    let event = Root::new(Value { arena, node: root });
    let mut found = vec![root];
    let mut behind_deep = false;
    for step in steps {
        let from = std::mem::take(&mut found);
        let itself = std::mem::replace(&mut behind_deep, *step == Step::Deep);
        if *step == Step::Deep {
            let mut seen = vec![false; arena.nodes.len()];
            for node in from {
                deep(arena, node, &mut seen, &mut found);
            }
            continue;
        }
        for node in from {
            let value = Value { arena, node };
            match step {
                // Every value at any depth is looked at itself, so not once more as an element.
                Step::Filter(filter) if itself || value.kind() != Kind::Array => {
                    let accepted = (itself || value.kind() == Kind::Object) && filter.accepts(value, &event);
                    found.extend(accepted.then_some(node));
                }
                Step::Filter(filter) => {
                    let accepted = |child: &u32| filter.accepts(Value { arena, node: *child }, &event);
                    found.extend(children(arena, node).filter(accepted));
                }
                Step::Indices(indices) => {
                    let mut once = vec![];
                    for index in indices {
                        let element = value.step(&Step::Index(*index)).map(|value| value.node);
                        once.extend(element.filter(|element| !once.contains(element)));
                    }
                    found.extend(once);
                }
                Step::Every => found.extend(children(arena, node)),
                Step::Slice(from, to) if value.kind() == Kind::Array => {
                    let len = value.len();
                    let (from, to) = (clamp(*from, 0, len), clamp(*to, len, len));
                    found.extend(children(arena, node).skip(from).take(to.saturating_sub(from)));
                }
                _ => found.extend(value.step(step).map(|value| value.node)),
            }
        }
    }
    found
}

fn children(arena: &Arena, node: u32) -> impl Iterator<Item = u32> {
    let link = |node: u32| (node != NIL).then_some(node);
    std::iter::successors(link(arena.nodes[node as usize].child), move |&child| link(arena.nodes[child as usize].next))
}

/// A bound of a range: from the end if negative, `missing` if it is not given, never past the end.
fn clamp(bound: Option<i64>, missing: usize, len: usize) -> usize {
    let Some(bound) = bound else { return missing };
    let distance = usize::try_from(bound.unsigned_abs()).unwrap_or(len);
    if bound < 0 { len.saturating_sub(distance) } else { distance.min(len) }
}

fn deep(arena: &Arena, node: u32, seen: &mut [bool], found: &mut Vec<u32>) {
    // What was seen was seen with all that is in it.
    if std::mem::replace(&mut seen[node as usize], true) {
        return;
    }
    found.push(node);
    for child in children(arena, node) {
        deep(arena, child, seen, found);
    }
}
