//! Configs: what is read is written so that it reads the same; what is refused has its places in the text.

use etl::{
    config::{PipelineConfig, Variables},
    pipeline::{Environment, Pipeline},
    problem::Report,
    registry::Registry,
    testing::World,
};
use std::{ops::Range, sync::LazyLock};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::default);

/// The text is read as YAML, and as strict JSON.
pub(crate) fn hold(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let yaml = read("a.yaml", text);
    if let Some(json) = read("a.json", text) {
        assert_eq!(yaml, Some(json), "JSON is YAML");
    }
}

fn read(file: &str, text: &str) -> Option<PipelineConfig> {
    let variables = Variables::From(&|name| (name != "NONE").then(|| "what < a > variable holds".to_owned()));
    match PipelineConfig::read(&REGISTRY, file, text, variables) {
        Ok(config) => {
            accepted(&config);
            Some(config)
        }
        Err(report) => {
            refused(&report, text);
            None
        }
    }
}

fn accepted(config: &PipelineConfig) {
    let written = config.to_json();
    let again = PipelineConfig::read(&REGISTRY, "again.json", &written, Variables::From(&|_| None));
    let again = again.unwrap_or_else(|report| panic!("what was written is not read: {report}"));
    assert_eq!(again.to_json(), written, "what is written is read the same");
    assert_eq!(again.needs(), config.needs());
    // What only the place can tell is an error, and no more.
    let _ = Pipeline::new(config, Environment::default(), World::new().ports());
}

fn refused(report: &Report, text: &str) {
    assert!(!report.problems.is_empty(), "a refusal says why");
    for problem in &report.problems {
        let inside = |at: &Range<usize>| text.get(at.clone()).is_some();
        assert!(inside(&problem.at) && problem.also.iter().all(|(at, _)| inside(at)), "{problem:?}");
        if let Some((line, column)) = report.position(problem) {
            let line = text.split('\n').nth(line - 1).expect("the line is in the text");
            assert!(column <= line.chars().count() + 1, "{problem:?}");
        }
        assert!(!problem.message.is_empty() && !problem.code.id.is_empty());
    }
    assert_eq!(report.lines().count(), report.problems.len());
    assert!(report.to_string().contains(" in a."));
    assert!(serde_json::to_string(report).is_ok());
}
