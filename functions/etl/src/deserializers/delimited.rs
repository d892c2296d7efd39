//! `Delimited`: columns of CSV, TSV and the like.
//!
//! Imports: `build`, `component`, `event`, `payload`, `typed`.

use super::{Deserializer, EMPTY, Raw, Unread};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::Fault,
    typed::{Field, Fields},
};
use bon::Builder;
use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use payload::Payload;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const HEADER: Unread = Unread::Drop("header");
const NO_HEADER: Fault = Fault::new("there is no header before this line");
const OPEN_QUOTE: Fault = Fault::new("a quote that is not closed");
const TWO_LINES: Fault = Fault::new("the text is more than one line");

/// Reads a line of columns: CSV, TSV, fields between blanks.
///
/// The columns get their names from `fields`, by their place, or from a header in the object. Columns beyond the names are passed over, so a
/// format may grow at its end; a line with fewer columns has null for the others. A column that begins with a quote ends with the next one,
/// two quotes in it being one. Empty lines are dropped. Bytes that are not UTF-8 are read as U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct Delimited {
    /// What stands between two columns: one ASCII character. In YAML a tab is `"\t"`.
    #[serde(default = "comma")]
    #[builder(default = comma(), into)]
    pub delimiter: String,
    /// The quote: one ASCII character, or empty where quotes mean nothing.
    #[serde(default = "quote")]
    #[builder(default = quote(), into)]
    pub quote: String,
    /// Where the names of the columns are.
    #[serde(default)]
    #[builder(default)]
    pub header: Header,
    /// Without a header: name and type of each column, in their order. With one: the types of the columns that are not to be STRING.
    #[serde(default)]
    #[builder(default)]
    pub fields: Vec<Field>,
    /// A column with this text is null; `-` in most logs of AWS.
    #[builder(into)]
    pub null_text: Option<String>,
}

/// Where the names of columns are. A header belongs to an object of S3; a stream's records have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Header {
    /// In `fields`.
    #[default]
    None,
    /// In the first line of each object, which is no event.
    FirstLine,
    /// In the line `#Fields:` of each object, with blanks between them, as in W3C's extended log format, which CloudFront writes. No line
    /// that begins with `#` is an event.
    W3c,
}

fn comma() -> String {
    ",".to_owned()
}

fn quote() -> String {
    "\"".to_owned()
}

/// The one character of a setting.
fn ascii(text: &str) -> Option<u8> {
    let &[byte] = text.as_bytes() else { return None };
    (byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0)).then_some(byte)
}

impl Component for Delimited {
    const NAME: &'static str = "Delimited";
    const EXAMPLE: &'static str = "type: Delimited
delimiter: \" \"
header: FIRST_LINE
null_text: \"-\"
fields:
- {name: packets, type: NUMBER}
- {name: bytes, type: NUMBER}
";
    fn check(&self) -> Vec<Mistake> {
        let one = "write one ASCII character, such as `,` or `\"\\t\"`";
        let mut mistakes = vec![];
        if ascii(&self.delimiter).is_none() {
            mistakes.push(Mistake::new("delimiter", "the delimiter must be one ASCII character").help(one));
        }
        if !self.quote.is_empty() && ascii(&self.quote).is_none() {
            let help = "write one ASCII character, or `\"\"` where quotes mean nothing";
            mistakes.push(Mistake::new("quote", "the quote must be one ASCII character, or empty").help(help));
        } else if self.quote == self.delimiter {
            mistakes.push(Mistake::new("quote", "the quote is the delimiter").help("set `quote: \"\"`"));
        }
        if self.header == Header::None && self.fields.is_empty() {
            let help = "name them in `fields`, or set `header: FIRST_LINE`";
            mistakes.push(Mistake::new("fields", "the columns have no names").help(help));
        }
        mistakes
    }
}

/// What is used again for each line.
#[derive(Debug)]
pub struct State {
    /// The names that the config gives, or the object's header has given.
    fields: Option<Fields>,
    reader: Reader,
    text: String,
    columns: Columns,
}

/// The columns of a line, without their quotes.
#[derive(Debug, Default)]
struct Columns {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Columns {
    /// Column by number.
    fn get(&self, column: usize) -> Option<&str> {
        let begin = if column == 0 { 0 } else { *self.ends.get(column - 1)? };
        let end = *self.ends.get(column).filter(|_| column < self.count)?;
        // Cut at ASCII characters, so what was text is text.
        str::from_utf8(self.bytes.get(begin..end)?).ok()
    }

    fn split(&mut self, reader: &mut Reader, line: &str) -> Result<(), Fault> {
        reader.reset();
        self.bytes.resize(line.len() + 1, 0);
        let (mut input, mut made) = (line.as_bytes(), 0);
        self.count = 0;
        // The line's own end tells whether a quote is still open there.
        let mut ends = false;
        loop {
            let rest = if ends { &b"\n"[..] } else { input };
            if self.count == self.ends.len() {
                self.ends.resize((2 * self.count).max(32), 0);
            }
            let (bytes, to) = (&mut self.bytes[made..], &mut self.ends[self.count..]);
            let (result, used, wrote, columns) = reader.read_record(rest, bytes, to);
            (made, self.count) = (made + wrote, self.count + columns);
            match result {
                ReadRecordResult::OutputEndsFull if ends => {}
                ReadRecordResult::OutputEndsFull => input = input.get(used..).unwrap_or_default(),
                ReadRecordResult::InputEmpty if !ends => ends = true,
                ReadRecordResult::Record if ends => return Ok(()),
                ReadRecordResult::Record => {
                    let rest = input.get(used..).unwrap_or_default();
                    return if rest.iter().all(|byte| b"\r\n".contains(byte)) { Ok(()) } else { Err(TWO_LINES) };
                }
                _ => return Err(OPEN_QUOTE),
            }
        }
    }
}

impl Delimited {
    /// Names of a header, with the types that the config gives them.
    fn named<'n>(&self, names: impl Iterator<Item = &'n str>) -> Fields {
        let field = |name: &str| {
            let known = self.fields.iter().rev().find(|field| field.name == name);
            known.cloned().unwrap_or_else(|| Field::builder().name(name).build())
        };
        Fields::new(&names.map(field).collect::<Vec<_>>())
    }
}

impl Deserializer for Delimited {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(ascii(&self.delimiter).unwrap_or(b','));
        match ascii(&self.quote) {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        let fields = (self.header == Header::None).then(|| Fields::new(&self.fields));
        Ok(State { fields, reader: builder.build(), text: String::new(), columns: Columns::default() })
    }

    fn begin(&self, state: &mut State) {
        if self.header != Header::None {
            state.fields = None;
        }
    }

    fn read<'a>(&self, state: &mut State, raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        let State { fields, reader, text, columns } = state;
        raw.text(text);
        let line = text.strip_prefix('\u{feff}').unwrap_or(text);
        if line.trim_matches(['\r', '\n']).is_empty() {
            return Err(EMPTY);
        }
        if self.header == Header::W3c && line.starts_with('#') {
            if let Some(names) = line.strip_prefix("#Fields:") {
                *fields = Some(self.named(names.split_ascii_whitespace()));
            }
            return Err(HEADER);
        }
        columns.split(reader, line)?;
        let fields = match fields {
            Some(fields) => fields,
            None if self.header == Header::FirstLine => {
                *fields = Some(self.named((0..columns.count).map(|column| columns.get(column).unwrap_or_default())));
                return Err(HEADER);
            }
            None => return Err(NO_HEADER.into()),
        };
        let mut event = raw.arena.make()?;
        for column in 0..fields.len() {
            match columns.get(column) {
                text if text.is_none() || text == self.null_text.as_deref() => fields.add_null(&mut event, column)?,
                text => fields.add(&mut event, column, text)?,
            }
        }
        Ok(event.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_read, assert_unread, read_lines};
    use proptest::prelude::*;

    fn fields(names: &[&str]) -> Vec<Field> {
        names.iter().map(|name| Field::builder().name(*name).build()).collect()
    }

    #[test]
    fn columns_are_named_by_their_place() {
        let csv = Delimited::builder().fields(fields(&["a", "b", "c"])).build();
        assert_read(&csv, r#"1,"x, ""y""",é"#, r#"{"a": "1", "b": "x, \"y\"", "c": "é"}"#);
        assert_read(&csv, ",,,,more", r#"{"a": "", "b": "", "c": ""}"#);
        assert_read(&csv, "1", r#"{"a": "1", "b": null, "c": null}"#);
        assert_read(&csv, "1,\"two\nlines\"\r\n", r#"{"a": "1", "b": "two\nlines", "c": null}"#);
        assert_unread(&csv, "1,\"x", "a quote that is not closed");
        assert_unread(&csv, "1\n2", "the text is more than one line");
        assert_unread(&csv, "", "empty line");
    }

    #[test]
    fn more_columns_than_anybody_names_are_read() {
        let names: Vec<_> = (0..500).map(|n| format!("c{n}")).collect();
        let csv = Delimited::builder().fields(fields(&names.iter().map(|n| &**n).collect::<Vec<_>>())).build();
        let line = (0..1000).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
        let expected = (0..500).map(|n| format!("\"c{n}\":\"{n}\"")).collect::<Vec<_>>().join(",");
        assert_read(&csv, &line, &format!("{{{expected}}}"));
    }

    #[test]
    fn types_and_null_are_as_the_config_says() {
        let number = Field::builder().name("bytes").r#type(crate::typed::FieldType::Number).build();
        let line = Delimited::builder().delimiter(" ").fields(vec![number]).null_text("-").build();
        assert_read(&line, "17", r#"{"bytes": 17}"#);
        assert_read(&line, "-", r#"{"bytes": null}"#);
        assert_unread(&line, "x", "the text of a NUMBER field is not a number");
    }

    #[test]
    fn a_header_belongs_to_its_object() {
        let first = Delimited::builder().delimiter(" ").header(Header::FirstLine).build();
        let objects = [&["\u{feff}a b", "1 2", "", "3 4"][..], &["b", "5 6"]];
        assert_eq!(
            read_lines(&first, &objects),
            ["header", r#"{"a":"1","b":"2"}"#, "empty line", r#"{"a":"3","b":"4"}"#, "header", r#"{"b":"5"}"#]
        );
        let w3c = Delimited::builder().delimiter("\t").quote("").header(Header::W3c).build();
        let objects = [&["#Version: 1.0", "#Fields: a cs(b)", "\"1\t2"][..], &["5\t6"]];
        assert_eq!(
            read_lines(&w3c, &objects),
            ["header", "header", r#"{"a":"\"1","cs(b)":"2"}"#, "there is no header before this line"]
        );
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        let wrong = Delimited::builder().delimiter("::").quote("é").build();
        let settings: Vec<_> = wrong.check().into_iter().map(|mistake| mistake.setting).collect();
        assert_eq!(settings, ["delimiter", "quote", "fields"]);
        assert_eq!(Delimited::builder().delimiter("\"").header(Header::W3c).build().check().len(), 1);
    }

    proptest! {
        /// Whatever is written with quotes is read as it was.
        #[test]
        fn quoted_columns_are_read_as_they_were(columns in prop::collection::vec("[a,\"\r\n é|]{0,5}", 1..80), delimiter in ",|\t| ") {
            let names: Vec<_> = (0..columns.len()).map(|n| n.to_string()).collect();
            let line: Vec<_> = columns.iter().map(|column| format!("\"{}\"", column.replace('"', "\"\""))).collect();
            let fields = fields(&names.iter().map(|name| &**name).collect::<Vec<_>>());
            let csv = Delimited::builder().delimiter(&*delimiter).fields(fields).build();
            let expected: serde_json::Map<_, _> = names.into_iter().zip(columns.iter().map(|c| c.as_str().into())).collect();
            assert_read(&csv, &line.join(&delimiter), &serde_json::Value::from(expected).to_string());
        }
    }
}
