//! Java's `MessageFormat`, as far as it goes with texts: `{0}` is the first value, `'` quotes, `''` is a quote.
//!
//! Imports: nothing.

/// A format, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFormat(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(usize),
}

/// Why a text is no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormatError {
    /// What is wrong.
    pub message: &'static str,
    /// The way out.
    pub help: &'static str,
}

/// More values than anybody has.
const MAX_VALUE: usize = 10_000;

impl MessageFormat {
    /// Reads a format.
    ///
    /// # Errors
    /// What Java refuses, and `{0,number}` and the like: they fail on texts.
    pub fn new(text: &str) -> Result<Self, FormatError> {
        let (mut parts, mut plain, mut quoted) = (vec![], String::new(), false);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\'' if chars.next_if_eq(&'\'').is_some() => plain.push('\''),
                '\'' => quoted = !quoted,
                '{' if !quoted => {
                    let mut inside = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) => inside.push(c),
                            None => {
                                return Err(FormatError {
                                    message: "a `{` has no `}`",
                                    help: "write `{0}` for the first value, or `'{'` for the character",
                                });
                            }
                        }
                    }
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Value(value(&inside)?));
                }
                c => plain.push(c),
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self(parts))
    }

    /// The text with its values. What is not there is `null`; a number that there is no value for stays as it is.
    pub fn format(&self, values: &[Option<&str>]) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Value(number) => match values.get(*number) {
                    Some(value) => out.push_str(value.unwrap_or("null")),
                    None => out.extend(["{", itoa::Buffer::new().format(*number), "}"]),
                },
            }
        }
        out
    }
}

fn value(inside: &str) -> Result<usize, FormatError> {
    if inside.contains(',') {
        return Err(FormatError {
            message: "a value has a format of its own, and all values are texts",
            help: "write `{0}` without a comma",
        });
    }
    let number = inside.parse().ok().filter(|number| *number < MAX_VALUE && !inside.starts_with('+'));
    number.ok_or(FormatError {
        message: "a `{` is followed by no number",
        help: "write `{0}` for the first value, or `'{'` for the character",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(format: &str) -> Result<String, &'static str> {
        let format = MessageFormat::new(format).map_err(|error| error.message)?;
        Ok(format.format(&[Some("x"), None, Some("{0}'")]))
    }

    #[test]
    fn it_is_written_as_java_writes_it() {
        for (format, expected) in [
            ("{0}-{1}-{2}", "x-null-{0}'"),
            ("it''s '{'literal'}' {0}", "it's {literal} x"),
            ("it's {0}", "its {0}"),
            ("a}b{0}", "a}bx"),
            ("''''{0}", "''x"),
            ("'{''}'", "{'}"),
            ("{3}{0}", "{3}x"),
            ("{00}", "x"),
            ("", ""),
        ] {
            assert_eq!(formatted(format).as_deref(), Ok(expected), "{format}");
        }
    }

    #[test]
    fn what_java_refuses_is_refused_and_so_is_what_fails_on_texts() {
        for format in ["{", "{0", "a{0}{"] {
            assert_eq!(formatted(format), Err("a `{` has no `}`"), "{format}");
        }
        for format in ["{}", "{a}", "{-1}", "{+1}", "{ 0 }", "{99999999999}", "{{0}}"] {
            assert_eq!(formatted(format), Err("a `{` is followed by no number"), "{format}");
        }
        for format in ["{0,number,#.##}", "{0,date}"] {
            assert!(formatted(format).is_err(), "{format}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_format_or_refused(text in "[{}'0-9,a é]{0,12}") {
            if let Ok(format) = MessageFormat::new(&text) {
                format.format(&[Some("x")]);
            }
        }
    }
}
