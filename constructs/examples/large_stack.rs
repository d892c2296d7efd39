//! How long stacks of many resources take, from Rust to a template that is checked: `cargo run --release -p constructs --example
//! large_stack -- 50 500`. For each number of resources it prints milliseconds, the median of many rounds that take turns.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures says what it measured, or ends")]

use constructs::cfn::{iam, sns, sqs};
use constructs::iam::{PolicyDocument, Statement};
use constructs::{Severity, Stack, check_template};
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|size| size.parse().unwrap()).collect();
    let mut times = vec![Vec::new(); sizes.len()];
    for _ in 0..ROUNDS {
        for (size, times) in sizes.iter().zip(&mut times) {
            times.push(took(*size));
        }
    }
    for (size, mut times) in sizes.into_iter().zip(times) {
        times.sort();
        println!("{size} {:.3}", times[ROUNDS / 2].as_secs_f64() * 1e3);
    }
}

fn took(resources: usize) -> Duration {
    let began = Instant::now();
    let synthesis = stack(resources).synth();
    let template = synthesis.template().unwrap();
    let text = template.to_json();
    let problems = check_template("large", template.as_json());
    let took = began.elapsed();
    assert!(problems.iter().all(|problem| problem.severity == Severity::Warning) && !text.is_empty(), "{problems:?}");
    assert_eq!(template.as_json()["Resources"].as_object().unwrap().len(), resources);
    took
}

/// Groups of five that point at each other, and at the group before.
fn stack(resources: usize) -> Stack {
    assert!(resources.is_multiple_of(5));
    let mut stack = Stack::new("large");
    let mut scope = stack.scope();
    let mut before = None;
    for number in 0..resources / 5 {
        let topic = scope.add(&format!("Topic{number}"), sns::Topic::new());
        let queue = scope.add(&format!("Queue{number}"), sqs::Queue::new());
        let subscription = sns::Subscription::new().protocol("sqs").topic_arn(topic.ref_()).endpoint(queue.arn());
        let subscription = scope.add(&format!("Subscription{number}"), subscription);
        let trust = PolicyDocument::assumed_by("lambda.amazonaws.com");
        let role = scope.add(&format!("Role{number}"), iam::Role::new().assume_role_policy_document(trust));
        // It brings a policy.
        scope.allow(&role, Statement::allow(["sqs:SendMessage"]).on([queue.arn()]));
        if let Some(before) = before.replace(subscription) {
            scope.options(&queue).depends_on(&before);
        }
    }
    stack
}
