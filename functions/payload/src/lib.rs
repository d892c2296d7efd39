//! The payload of an event: a JSON value that operations read and change, and that is written as JSON again.
//!
//! An [`Arena`] owns the bytes of one input and a flat tape of its values, and is used again for the next input, so a
//! running pipeline allocates nothing. A [`Payload`] is one event in it. Strings, numbers and untouched containers
//! stay the bytes they were; keys become small numbers, so what an operation decides about a key is decided once.
//!
//! | to | use |
//! | --- | --- |
//! | read an input | [`Arena::load`], then [`Arena::parse`] of all of it, or of each of its [`Lines`] |
//! | read what only Gson can | [`Arena::parse_lenient`] |
//! | read a document too big for a tape | [`Arena::elements`] |
//! | make an event of parts | [`Arena::make`] |
//! | find values | [`Payload::get`] by [`Path`], [`Value`] |
//! | change them | [`Payload::set`], [`remove`](Payload::remove), [`rename`](Payload::rename), [`copy_value`](Payload::copy_value), [`promote`](Payload::promote) |
//! | keep some values, put texts in place of some | [`Payload::keep`], [`Payload::replace`] |
//! | change all names | [`Payload::rewrite`], [`Payload::flatten`] |
//! | make many events of one, or a second one | [`Payload::split`], [`Payload::copy`], [`Payload::copies`] |
//! | write | [`Payload::wrap`], [`Payload::write_to`], [`Payload::write_as`] |
//!
//! **Bounds.** Inputs of 2 GiB, [`MAX_DEPTH`] levels; what operations make of an event, [`Limits`] and
//! [`MAX_MADE_DEPTH`]. Beyond them is an error, never a panic. No type shows an event's content by `Debug`.
//!
//! Names come from strangers: their tables are seeded by the process, and no output depends on the seed.

#![expect(
    clippy::inline_always,
    reason = "parsing is a twentieth faster when its small steps are merged whatever the compiler thinks"
)]

mod arena;
mod elements;
mod envelope;
mod error;
mod escape;
mod filter;
mod find;
mod flatten;
mod gson;
mod keep;
mod keys;
mod lenient;
mod lines;
mod make;
mod name;
mod new;
mod node;
mod parse;
mod path;
mod payload;
mod replace;
mod rewrite;
mod scan;
mod shape;
mod split;
mod value;
mod way;
mod write;

pub use arena::{Arena, Limits, MAX_MADE_DEPTH};
pub use elements::Elements;
pub use envelope::{Envelope, Fixed};
pub use error::{ChangeError, JsonError};
pub use flatten::Flattener;
pub use lines::Lines;
pub use make::Maker;
pub use name::Name;
pub use new::New;
pub use node::Kind;
pub use parse::MAX_DEPTH;
pub use path::{Path, PathError};
pub use payload::Payload;
pub use replace::Replace;
pub use rewrite::{Change, Collision, Reach, Rewriter};
pub use split::{Copies, Split};
pub use value::Value;
pub use write::{Output, Style};
