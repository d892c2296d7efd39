//! What substitutions of a config make of an event.
//!
//! Imports: everything.

use crate::{
    config::{PipelineConfig, Variables},
    event::{Event, Facts},
    operations::Step,
    problem::Report,
    registry::Registry,
    testing::{cx, no_assets},
};
use payload::Arena;

/// The pipeline that has these substitutions, as YAML has them.
pub(super) fn read(substitutions: &str) -> Result<PipelineConfig, Report> {
    let text = format!(
        "version: 1
handler: {{type: KinesisHandler}}
sources:
- name: a
  deserializer: {{type: GenericJson}}
  operations: [{{type: SubstitutionOperation, substitutions: {substitutions}}}]
wrapper: {{type: PassthroughWrapper}}
serializer: {{type: Json}}
transport: {{type: DevNull}}
"
    );
    PipelineConfig::read(&Registry::default(), "test.yaml", &text, Variables::Bound(&[]))
}

/// What substitutions make of an event.
pub(super) fn substituted(config: &str, facts: &mut Facts, event: &str) -> Result<String, &'static str> {
    let config = read(config).unwrap_or_else(|report| panic!("{report}"));
    let step = config.operations_of(&config.sources[0])[0].build(&cx(&no_assets())).unwrap();
    let Step::Perform(mut operation) = step else { panic!("{step:?}") };
    let mut arena = Arena::new();
    let mut event = Event { payload: arena.parse_slice(event.as_bytes()).unwrap(), facts };
    operation.perform(&mut event).map_err(|fault| fault.reason)?;
    Ok(event.payload.root().to_text().into_owned())
}

#[track_caller]
pub(super) fn assert_substituted(config: &str, event: &str, expected: &str) {
    assert_eq!(substituted(config, &mut Facts::default(), event).as_deref(), Ok(expected), "{config} {event}");
}

/// The mistakes of substitutions: code, place, message.
pub(super) fn mistakes(config: &str) -> Vec<String> {
    let problems = read(config).map_or_else(|report| report.problems, |_| vec![]);
    let place = |path: &str| path.trim_start_matches("sources[0].operations[0].substitutions").to_owned();
    problems.iter().map(|p| format!("{} {}: {}", p.code.id, place(&p.path), p.message)).collect()
}
