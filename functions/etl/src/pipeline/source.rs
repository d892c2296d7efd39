//! Sources: which one a trigger belongs to, what it does not want, and its chain of steps.
//!
//! The first source of the config whose expression matches takes a trigger; each trigger of an invocation is matched on its own.
//!
//! Imports: `build`, `config`, `deserializers`, `event`, `operations`, `pattern`.

use super::{
    branches::{self, Link},
    report::Tally,
};
use crate::{
    build::{BuildCx, BuildError},
    config::{self, PipelineConfig},
    deserializers::RunDeserializer,
    event::Fault,
    operations,
    pattern::{Exhausted, Pattern, WholePattern},
};
use memchr::memmem::Finder;

const EXHAUSTED: Fault = Fault::new("a regular expression takes too many steps");

/// A source that runs.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    matches: WholePattern,
    unwanted_texts: Vec<Finder<'static>>,
    unwanted_patterns: Vec<Pattern>,
    pub(super) deserializer: Box<dyn RunDeserializer>,
    pub(super) deserializer_name: &'static str,
    pub(super) reading: Tally,
    pub(super) chain: Vec<Link>,
    /// Whether the event's own text is to be hashed, before anything is made of it.
    pub(super) hashes_text: bool,
}

impl Source {
    pub(super) fn new(
        config: &PipelineConfig,
        source: &config::Source,
        cx: &BuildCx<'_>,
        exit_wants_hash: bool,
    ) -> Result<Self, BuildError> {
        let missing = || BuildError::new("it has no deserializer").of(&source.name);
        let deserializer = config.deserializer_of(source).ok_or_else(missing)?;
        let mut wanted = exit_wants_hash;
        let chain = branches::chain(operations::branch(config.operations_of(source), cx)?, &mut wanted);
        let text = |text: &String| Finder::new(text).into_owned();
        Ok(Self {
            name: source.name.clone(),
            matches: source.source_regex.clone(),
            unwanted_texts: source.contains_strings.iter().map(text).collect(),
            unwanted_patterns: source.regex_patterns.clone(),
            deserializer: deserializer.build(cx).map_err(|error| error.of(deserializer.name()))?,
            deserializer_name: deserializer.name(),
            reading: Tally::default(),
            chain,
            hashes_text: wanted,
        })
    }

    /// An invocation begins.
    pub(super) fn begin(&mut self) {
        self.chain.iter_mut().for_each(Link::begin);
    }

    /// Why an event is not wanted, whatever is in it.
    pub(super) fn unwanted(&self, raw: &[u8]) -> Result<Option<&'static str>, Fault> {
        if self.unwanted_texts.iter().any(|text| text.find(raw).is_some()) {
            return Ok(Some("contains_strings"));
        }
        for pattern in &self.unwanted_patterns {
            if pattern.is_match(raw).map_err(|Exhausted| EXHAUSTED)? {
                return Ok(Some("regex_patterns"));
            }
        }
        Ok(None)
    }
}

/// Finds sources, and remembers the last answer: most triggers of an invocation are of one stream.
#[derive(Debug, Default)]
pub(super) struct Choice {
    last: Option<(String, Option<usize>)>,
}

impl Choice {
    /// The number of the first source that matches.
    pub(super) fn choose(&mut self, sources: &[Source], place: &str) -> Option<usize> {
        match &self.last {
            Some((last, number)) if last == place => *number,
            _ => {
                // An expression that gives up on a name does not match it.
                let number = sources.iter().position(|s| s.matches.is_match(place.as_bytes()).unwrap_or(false));
                self.last = Some((place.to_owned(), number));
                number
            }
        }
    }
}
