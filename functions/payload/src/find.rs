//! Paths that may lead to many values: `*`, ranges, `..`. The slow route: it goes through the event step by step.
//!
//! However a path is written, each value is found once, and the work for each step is bounded by the event's size.

use crate::{
    arena::Arena,
    node::{Kind, NIL},
    path::Step,
    value::Value,
};

/// The nodes that `steps` lead to from `root`.
pub(crate) fn all(arena: &Arena, root: u32, steps: &[Step]) -> Vec<u32> {
    let mut found = vec![root];
    for step in steps {
        let from = std::mem::take(&mut found);
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
