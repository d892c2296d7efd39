//! A pipeline that runs: one invocation after another, from what Lambda hands over to what it is answered.
//!
//! Single-threaded and depth first. What waits on far sides goes through [`ports`](crate::ports), and what may be done beside: loads are
//! packed while the next ones are gathered, and the next objects are on their way while one is read. An invocation ends before its
//! deadline, whatever far sides do, with every event in its [`Ledger`].
//!
//! | to | use |
//! | --- | --- |
//! | be a function | [`Pipeline::invoke`] |
//! | run on files | [`Pipeline::begin`], [`Run::record`], [`Run::object`], [`Run::finish`] |
//!
//! Imports: `asset`, `build`, `config`, `dead_letter`, `event`, `handlers`, `payload`, `ports`, the rooms' object-safe traits.

mod again;
mod aggregate;
mod books;
mod branches;
mod buffer;
mod chain;
mod delivery;
mod exits;
mod flight;
mod inflate;
mod ledger;
mod letter_box;
mod letters;
mod lines;
mod log_message;
mod open;
mod outcome;
mod reply;
mod report;
mod run;
mod safety;
mod source;
mod tell;

pub use ledger::{Failed, Ledger};
pub use outcome::{Failure, Invoked};
pub use run::Run;

use crate::{
    asset::Assets,
    build::{BuildCx, BuildError},
    config::{HandlerConfig, PipelineConfig, ReporterConfig},
    dead_letter::DeadLetter,
    event::Context,
    handlers::Common,
    ports::Ports,
};
use exits::{Exit, Exits};
use letter_box::LetterBox;
use outcome::Came;
use payload::Arena;
use serde::Deserialize;
use source::{Choice, Source};
use std::sync::Arc;

/// A pipeline that runs.
#[derive(Debug)]
pub struct Pipeline {
    handler: HandlerConfig,
    common: Common,
    choice: Choice,
    sources: Vec<Source>,
    exits: Exits,
    reporters: Vec<ReporterConfig>,
    environment: Environment,
    bounds: Bounds,
    ports: Ports,
    arena: Arena,
    /// A record between base64 and gzip.
    decoded: Vec<u8>,
    /// Whether any event was delivered or filtered out since the start. If not, a failure of all may be ours.
    has_worked: bool,
}

/// What is known of the place that a pipeline runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// AWS's name of the function's region.
    pub region: String,
    /// The function's own tags, when the handler's `include_function_tags` asks for them.
    pub function_tags: Vec<(String, String)>,
}

/// How much memory a pipeline may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of one record or line, inflated. A larger one is a fault of that one.
    pub event_bytes: usize,
    /// Bytes of all events that are on their way out.
    pub buffer_bytes: usize,
}

impl Default for Bounds {
    /// 256 MiB for a line (a whole CloudTrail object is one), 64 MiB for what is on its way out.
    fn default() -> Self {
        Self { event_bytes: 256 << 20, buffer_bytes: 64 << 20 }
    }
}

/// An invocation with dead letters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeadLetters<'a> {
    #[serde(borrow)]
    dead_letters: Vec<DeadLetter<'a>>,
}

/// Memory that an arena may keep from one invocation to the next.
const KEEP: usize = 32 << 20;

impl Pipeline {
    /// Builds a pipeline: once in the life of a function.
    ///
    /// # Errors
    /// What only the place can tell.
    pub fn new(config: &PipelineConfig, environment: Environment, ports: Ports) -> Result<Self, BuildError> {
        let assets = Arc::new(Assets::new(ports.clone()));
        let cx = BuildCx { region: &environment.region, assets: &assets, log: &*ports.log };
        let exits = config.exits();
        let count = exits.len() + usize::from(config.dead_letter.is_some());
        let letters = config.dead_letter.as_ref().map(|letters| LetterBox::new(letters, &cx, exits.len(), count));
        let letters = letters.transpose()?;
        let built = exits.iter().enumerate().map(|(number, exit)| Exit::new(exit, &cx, number, count));
        let exits = built.collect::<Result<Vec<_>, _>>()?;
        let wants_hash = exits.iter().any(Exit::wants_hash);
        let sources = config.sources.iter().map(|source| Source::new(config, source, &cx, wants_hash));
        let sources = sources.collect::<Result<_, _>>()?;
        let bounds = Bounds::default();
        Ok(Self {
            common: config.handler.common(),
            handler: config.handler.clone(),
            choice: Choice::default(),
            sources,
            exits: Exits::new(exits, letters),
            reporters: config.reporters.clone(),
            environment,
            bounds,
            ports,
            arena: Arena::new(),
            decoded: vec![],
            has_worked: false,
        })
    }

    /// The same pipeline with other bounds.
    #[must_use]
    pub fn with_bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// One invocation as Lambda delivers it, or [dead letters](crate::dead_letter::DeadLetter) that are handed over again:
    /// `{"dead_letters": […]}`.
    pub fn invoke(&mut self, invocation: &[u8], context: &Context) -> Invoked {
        let handler = self.handler.clone();
        let mut run = self.begin(context);
        if let Ok(DeadLetters { dead_letters }) = serde_json::from_slice(invocation) {
            for letter in &dead_letters {
                run.letter_again(letter);
            }
            return run.conclude(Came::AtOnce(&[]));
        }
        if let Some(triggers) = handler.one_by_one(invocation) {
            run.one_by_one(&*triggers);
            return run.conclude(Came::OneByOne(&*triggers));
        }
        match handler.read(invocation) {
            Ok(mut batch) => {
                run.batch(&mut batch);
                run.conclude(Came::AtOnce(&batch.triggers))
            }
            Err(error) => run.refuse(&error),
        }
    }

    /// Begins an invocation whose input is handed over piece by piece.
    pub fn begin(&mut self, context: &Context) -> Run<'_> {
        Run::new(self, context)
    }

    fn trim(&mut self) {
        if self.arena.capacity() > 2 * KEEP {
            self.arena.trim(KEEP);
        }
        self.decoded.clear();
        self.decoded.shrink_to(KEEP);
    }
}
