//! One event through one operation, ours or yours. What cannot be, such as text that is no JSON, ends the test.
//!
//! Imports: `asset`, `build`, `event`, `operations`, `payload`, `ports`, `testing`.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "what a test cannot unwrap, it fails for")]

use super::World;
use crate::{
    asset::Assets,
    build::BuildCx,
    event::{Event, Facts, Fault, Outage, Outcome},
    operations::Operation,
    ports::{Level, Log},
};
use payload::{Arena, Output};
use std::{fmt, sync::Arc};

/// The files of a world without any.
pub(crate) fn no_assets() -> Arc<Assets> {
    Arc::new(Assets::new(World::new().ports()))
}

/// Nobody reads what is logged.
#[derive(Debug)]
struct NoLog;

impl Log for NoLog {
    fn line(&self, _: Level, _: &str, _: &[(&'static str, &dyn fmt::Display)]) {}
}

/// What components are built with.
pub(crate) fn cx(assets: &Arc<Assets>) -> BuildCx<'_> {
    BuildCx { region: "eu-west-1", assets, log: &NoLog }
}

/// What becomes of an event: its text, or why it was dropped.
pub fn perform(
    operation: &impl Operation,
    facts: &mut Facts,
    text: &str,
) -> Result<Result<String, &'static str>, Fault> {
    perform_with(operation, &no_assets(), facts, text)
}

/// The same with files to read.
pub fn perform_with(
    operation: &impl Operation,
    assets: &Arc<Assets>,
    facts: &mut Facts,
    text: &str,
) -> Result<Result<String, &'static str>, Fault> {
    let mut state = operation.state(&cx(assets)).unwrap();
    step(operation, &mut state, facts, text)
}

/// What becomes of an event that comes behind others: its text, or why it was dropped or handed back.
pub fn step<O: Operation>(
    operation: &O,
    state: &mut O::State,
    facts: &mut Facts,
    text: &str,
) -> Result<Result<String, &'static str>, Fault> {
    let (mut arena, mut out) = (Arena::new(), Output::new());
    let mut event = Event { payload: arena.parse_slice(text.as_bytes()).unwrap(), facts };
    match operation.perform(state, &mut event)? {
        Outcome::Pass => {}
        Outcome::Drop(reason) | Outcome::HandBack(Outage { reason }) => return Ok(Err(reason)),
    }
    event.payload.write_to(&mut out);
    Ok(Ok(String::from_utf8(out.into_vec()).unwrap()))
}

/// The operation makes `expected` of an event, member order included.
#[track_caller]
pub fn assert_becomes(operation: &impl Operation, text: &str, expected: &str) {
    assert_eq!(perform(operation, &mut Facts::default(), text), Ok(Ok(expected.to_owned())), "{text}");
}

/// The operation fails with this reason.
#[track_caller]
pub fn assert_fails(operation: &impl Operation, text: &str, reason: &str) {
    assert_eq!(perform(operation, &mut Facts::default(), text).map_err(|fault| fault.reason), Err(reason), "{text}");
}
