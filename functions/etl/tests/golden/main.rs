//! Bender's own behaviour, observed on some 150 configs: every case whose components exist here runs through the real config reader, handler
//! and pipeline, and comes out as Bender's does, except where the case shows a defect; `mended.rs` says what is right there.

#![expect(clippy::unwrap_used, reason = "what a test cannot unwrap, it fails for")]

mod canonical;
mod case;
mod delivery;
mod mended;
mod plain;

use canonical::canonical;
use case::{Case, Content};
use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    config::{PipelineConfig, TransportConfig, Variables},
    event::{Event, Fault},
    pipeline::{Environment, Invoked, Pipeline},
    ports::{Answer, Call, Ports},
    problem::Report,
    registry::Registry,
    testing::World,
    transports::{Limits, Load, Next, Transport, Verdict},
};
use mended::Right;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, ops::Range, sync::Arc};

/// Takes events in the place of the config's transport: each is a line of its partitions, a tab, and its text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Capture {}

impl Component for Capture {
    const NAME: &'static str = "Capture";
    const EXAMPLE: &'static str = "type: Capture\n";
}

impl Transport for Capture {
    type State = ();
    fn limits(&self) -> Limits {
        Limits { by_partition: false, event_bytes: usize::MAX, bytes: usize::MAX, ..Limits::default() }
    }
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn head(&self, (): &mut (), event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        let partitions: serde_json::Map<_, _> =
            event.facts.partitions().map(|(name, value)| (name.to_owned(), value.into())).collect();
        write!(out, "{}\t", serde_json::Value::from(partitions)).unwrap();
        Ok(())
    }
    fn tail(&self, (): &mut (), _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }
    fn call(&self, (): &mut (), load: &Load<'_>) -> Next {
        Next::Call(Call::Stdout(load.bytes.clone()))
    }
    fn judge(&self, (): &mut (), _: &Load<'_>, _: &Answer) -> Verdict {
        Verdict::Taken
    }
    fn wants_hash(&self) -> bool {
        true
    }
}

fn read(case: &Case, registry: &Registry) -> Result<PipelineConfig, Report> {
    let config = mended::config(&case.name, &case.config);
    PipelineConfig::read(registry, case.file, &config, Variables::From(&|name| case.variable(name)))
}

/// One invocation with some of the inputs.
fn invoke(case: &Case, config: &PipelineConfig, world: &World, inputs: Range<usize>) -> Invoked {
    let (invocation, content) = case.invocation(inputs);
    let ports = Ports { objects: Arc::new(Content(content)), ..world.ports() };
    let mut pipeline = Pipeline::new(config, Environment::default(), ports).unwrap();
    let invoked = pipeline.invoke(invocation.to_string().as_bytes(), &case.context());
    assert!(invoked.ledger.balances(), "{}: {:?}", case.name, invoked.ledger);
    invoked
}

/// What became of one input: its events, whether anything failed, and whether it was dropped.
fn outcome(case: &Case, config: &PipelineConfig, input: usize) -> Right {
    let world = World::new();
    let invoked = invoke(case, config, &world, input..input + 1);
    let mut right = Right {
        failed: invoked.ledger.all_failed() > 0,
        dropped: invoked.ledger.all_dropped() > 0,
        ..Right::default()
    };
    for call in world.calls.made() {
        let Call::Stdout(lines) = call else { continue };
        for line in String::from_utf8(lines.to_vec()).unwrap().lines() {
            let (partitions, event) = line.split_once('\t').unwrap();
            right.partitions.push(canonical(partitions));
            right.out.push(canonical(event));
        }
    }
    right
}

#[test]
fn what_bender_does_is_done_here_too() {
    let Some(cases) = Case::all() else { return println!("skipped: the corpus is not there") };
    let registry = Registry::default();
    let capture: TransportConfig = Capture {}.into();
    let (mut ran, mut records, mut deliveries) = (0, 0, 0);
    let mut skipped: BTreeMap<String, u32> = BTreeMap::new();
    let mut wrong = String::new();
    for case in &cases {
        let refused = case.expected.first().is_some_and(|line| line.get("config_error").is_some());
        let refused = refused || mended::is_refused(&case.name);
        let missing = case.missing(&registry);
        if let (Some(component), false) = (missing.first(), refused) {
            *skipped.entry(component.clone()).or_default() += 1;
            continue;
        }
        ran += 1;
        let mut differs = |what: String| writeln!(wrong, "{}: {what}", case.name).unwrap();
        let config = match read(case, &registry) {
            Ok(_) if refused => {
                differs("the config should be refused".to_owned());
                continue;
            }
            Err(_) if refused => continue,
            Ok(config) => config,
            Err(report) => {
                differs(report.to_string());
                continue;
            }
        };
        let captured = PipelineConfig { transport: Some(capture.clone()), ..config.clone() };
        for (input, line) in case.expected.iter().enumerate() {
            records += 1;
            let mut right = mended::of(&case.name, input, line);
            let mut ours = outcome(case, &captured, input);
            if right.partitions.is_empty() {
                ours.partitions.clear();
            }
            if case.facts["unordered"] == true {
                ours.out.sort();
                right.out.sort();
            }
            if ours != right {
                differs(format!("record {}\n  ours  {ours:?}\n  right {right:?}", input + 1));
            }
        }
        if let Some(expected) = &case.delivery {
            match delivery::compare(case, &config, expected) {
                Some(Ok(())) => deliveries += 1,
                Some(Err(what)) => differs(what),
                None => {}
            }
        }
    }
    println!(
        "{ran} of {} cases ran: {records} records, {deliveries} deliveries; without these components the others did not:",
        cases.len()
    );
    for (component, count) in &skipped {
        println!("  {component}: {count}");
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(
        ran >= 156 && records >= 1325 && deliveries >= 38,
        "{ran} cases, {records} records, {deliveries} deliveries"
    );
}
