//! Where dead letters go: a transport like any other, whose events are the letters.
//!
//! Imports: `build`, `config`, `dead_letter`, `event`, `payload`, `ports`, `serializers`.

use super::{
    books::Cargo,
    delivery::{Cx, Delivery},
    letters::Letter,
};
use crate::{
    build::{BuildCx, BuildError},
    config::TransportConfig,
    dead_letter::DeadLetter,
    event::{Event, Facts, Fault, sha1_hex},
    ports::Level,
    serializers::RunSerializer,
};
use payload::{Arena, Output};

/// Where dead letters go.
#[derive(Debug)]
pub(super) struct LetterBox {
    pub(super) delivery: Delivery,
    wants_hash: bool,
    arena: Arena,
}

/// Letters are written as they are.
#[derive(Debug)]
struct AsItIs;

impl RunSerializer for AsItIs {
    fn write(&mut self, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        event.payload.write_to(out);
        Ok(())
    }
}

impl LetterBox {
    /// `number`: which delivery it is, of `of`.
    pub(super) fn new(
        config: &TransportConfig,
        cx: &BuildCx<'_>,
        number: usize,
        of: usize,
    ) -> Result<Self, BuildError> {
        let transport = config.build(cx).map_err(|error| error.of(config.name()))?;
        let wants_hash = transport.wants_hash();
        Ok(Self { delivery: Delivery::new(Cargo::Letters, transport, number, of), wants_hash, arena: Arena::new() })
    }

    /// Puts a letter on its way; without the event, if it is too large with it.
    pub(super) fn put(&mut self, letter: Letter, cx: &mut Cx<'_>) {
        let Letter { trigger, mut facts, content: letter } = letter;
        facts.partitions.clear();
        if self.frame(&letter, &mut facts) || self.frame(&letter.without_event(), &mut facts) {
            self.delivery.push(&facts, trigger, cx);
        } else {
            // The event stays in the ledger, by how it failed.
            cx.ports.log.line(
                Level::Error,
                "a dead letter cannot be written in the transport's form, and is lost",
                &[],
            );
        }
    }

    fn frame(&mut self, letter: &DeadLetter<'_>, facts: &mut Facts) -> bool {
        let Ok(text) = serde_json::to_vec(letter) else { return false };
        facts.hash = self.wants_hash.then(|| sha1_hex(&text));
        let Ok(payload) = self.arena.parse_slice(&text) else { return false };
        self.delivery.frame(&Event { payload, facts }, &mut AsItIs, "").is_ok()
    }
}
