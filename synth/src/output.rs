//! Where the command writes: the product to stdout, the talk to stderr.
//!
//! What a person or a program asked for is the *product*; it can be redirected into a file and is then nothing but
//! that. Everything else (what is being done, how long it was, what is wrong) is *talk*. Both lose their colours
//! when they do not go to a terminal.

use std::fmt::{self, Display};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;

/// The two streams of the command.
#[derive(Debug)]
pub struct Output {
    product: Product,
    talk: Talk,
    /// Whether the product goes where colours are wanted.
    colours: bool,
    terminals: Terminals,
}

/// Which of the streams a person looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// The product goes to a terminal.
    pub product: bool,
    /// The talk goes to a terminal.
    pub talk: bool,
}

impl Output {
    /// The process's stdout and stderr.
    pub fn of_process() -> Self {
        let colours = anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let terminals = Terminals { product: io::stdout().is_terminal(), talk: io::stderr().is_terminal() };
        Self { product: Product::new(io::stdout()), talk: Talk::new(anstream::stderr()), colours, terminals }
    }

    /// Any two streams, without colours.
    pub fn to(product: Product, talk: Talk) -> Self {
        Self { product, talk, colours: false, terminals: Terminals::default() }
    }

    /// Which of the streams a person looks at.
    pub fn terminals(&self) -> Terminals {
        self.terminals
    }

    /// One line (or several) of the product, with a line break at the end.
    pub fn product(&mut self, text: impl Display) -> io::Result<()> {
        self.product.write(format!("{text}\n").as_bytes())
    }

    /// The same for text with colours in it, which are taken out where none are wanted.
    pub fn coloured(&mut self, text: &str) -> io::Result<()> {
        if self.colours { self.product(text) } else { self.product(anstream::adapter::strip_str(text)) }
    }

    /// The product as a stream of bytes, for others to write to.
    pub fn stream(&self) -> Product {
        self.product.clone()
    }

    /// One line of talk.
    pub fn talk(&mut self, text: impl Display) {
        // What was produced before stands before it on a terminal that shows both; a product that cannot be written
        // is noticed by the next `product` or by `finish`.
        let _ = self.product.flush();
        self.talk.line(text);
    }

    /// The talk, for others to add to.
    pub fn talker(&self) -> Talk {
        self.talk.clone()
    }

    /// Hands over what is still in the buffer.
    pub fn finish(&mut self) -> io::Result<()> {
        self.product.flush()
    }
}

/// Where the product goes: buffered, byte by byte as it is given.
#[derive(Clone)]
pub struct Product(Arc<Mutex<BufWriter<Box<dyn Write + Send>>>>);

impl Product {
    /// Any stream.
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(BufWriter::with_capacity(1 << 16, Box::new(stream)))))
    }

    /// All of the bytes.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(bytes)
    }

    /// Hands over what is still in the buffer.
    pub fn flush(&self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Product")
    }
}

/// Where the talk goes: line by line, around a progress bar if there is one.
#[derive(Clone)]
pub struct Talk {
    stream: Arc<Mutex<Box<dyn Write + Send>>>,
    bar: Option<ProgressBar>,
}

impl Talk {
    /// Any stream.
    pub fn new(stream: impl Write + Send + 'static) -> Self {
        Self { stream: Arc::new(Mutex::new(Box::new(stream))), bar: None }
    }

    /// The same stream, with lines that leave the bar in peace.
    #[must_use]
    pub fn around(self, bar: ProgressBar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// One line. That nobody listens is no error: the product counts.
    pub fn line(&self, text: impl Display) {
        let write = || {
            let _ = writeln!(self.stream.lock().unwrap_or_else(PoisonError::into_inner), "{text}");
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talk")
    }
}

/// How a command that could answer ended; an `Err` is "could not answer", exit code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Exit code 0.
    Fine,
    /// Findings, or a difference: exit code 1.
    Findings,
}

/// For a person or for a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For machines: one JSON document.
    Json,
}

/// Whether a program that reads our product went away before the end (`synth run … | head`): no failure of ours.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

/// "no stack is called `x`; there is `y`, `z`; did you mean `y`?"
pub fn unknown<N: AsRef<str>>(kind: &str, name: &str, there: &[N]) -> String {
    let listed: Vec<String> = there.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    let there_is = if listed.is_empty() { "none".to_owned() } else { listed.join(", ") };
    let near = nearest(name, there.iter().map(AsRef::as_ref));
    let suggestion = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("no {kind} is called `{name}`; there is {there_is}{suggestion}")
}

/// The name that was probably meant.
pub fn nearest<'a>(name: &str, there: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    there
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| *distance <= known.chars().count().div_ceil(3))
        .map(|(_, known)| known)
}

/// What was written, to be looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_suggested() {
        assert_eq!(
            unknown("stack", "cloudtrial", &["cloudtrail", "events"]),
            "no stack is called `cloudtrial`; there is `cloudtrail`, `events`; did you mean `cloudtrail`?"
        );
        assert_eq!(unknown("stack", "vpc", &["events"]), "no stack is called `vpc`; there is `events`");
        assert_eq!(unknown::<&str>("stack", "vpc", &[]), "no stack is called `vpc`; there is none");
    }

    #[test]
    fn a_broken_pipe_is_known_below_any_context() {
        use anyhow::Context as _;
        let error = Err::<(), _>(io::Error::from(io::ErrorKind::BrokenPipe)).context("cannot write").unwrap_err();
        assert!(is_broken_pipe(&error));
        assert!(!is_broken_pipe(&anyhow::anyhow!("broken pipe")));
    }
}
