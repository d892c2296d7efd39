//! Tables that are looked up: rows of a CSV or JSON file by the text in one of their columns.

use indexmap::IndexMap;
use payload::{Arena, Kind, Name, Output, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Bytes that a table may take in memory: of keys and rows.
const MOST: usize = 128 << 20;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TableFormat {
    /// Comma-separated values (RFC 4180), the names of the columns in the first line. Every value is a text.
    Csv,
    /// A JSON array of objects, their names being the columns. Values are what they are, and numbers keep their digits.
    Json,
}

impl TableFormat {
    /// What a file's name says.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Which columns are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns<'a> {
    pub(super) key: &'a str,
    /// Empty: all but the key.
    pub(super) wanted: &'a [String],
}

impl Columns<'_> {
    fn wants(&self, name: &str) -> bool {
        if self.wanted.is_empty() { name != self.key } else { self.wanted.iter().any(|wanted| wanted == name) }
    }
}

/// Objects, as JSON text, by key.
#[derive(Default)]
pub(super) struct Table {
    rows: IndexMap<Box<str>, Box<str>>,
    bytes: usize,
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}

impl Table {
    /// The object of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.rows.get(key).map(|row| &**row)
    }

    /// Reads a table, or says what is wrong with it.
    pub(super) fn read(format: TableFormat, bytes: &[u8], columns: Columns<'_>) -> Result<Self, String> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match format {
            TableFormat::Csv => Self::csv(bytes, columns),
            TableFormat::Json => Self::json(bytes, columns),
        }
    }

    fn csv(bytes: &[u8], columns: Columns<'_>) -> Result<Self, String> {
        let mut reader = csv::Reader::from_reader(bytes);
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let find = |name: &str| {
            let there = || {
                format!("there is no column `{name}`; there are `{}`", header.iter().collect::<Vec<_>>().join("`, `"))
            };
            header.iter().position(|column| column == name).ok_or_else(there)
        };
        let key = find(columns.key)?;
        for wanted in columns.wanted {
            find(wanted)?;
        }
        let names = header.iter().enumerate().filter(|(_, name)| columns.wants(name));
        let names: Vec<_> = names.map(|(number, name)| (number, quoted(name))).collect();
        let (mut table, mut row) = (Self::default(), csv::StringRecord::new());
        while reader.read_record(&mut row).map_err(|error| error.to_string())? {
            let members = names.iter().map(|(number, name)| (name, quoted(row.get(*number).unwrap_or_default())));
            let members: Vec<_> = members.map(|(name, value)| format!("{name}:{value}")).collect();
            table.add(row.get(key).unwrap_or_default(), &members)?;
        }
        Ok(table)
    }

    fn json(bytes: &[u8], columns: Columns<'_>) -> Result<Self, String> {
        let mut arena = Arena::new();
        let file = arena.parse_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))?;
        if file.kind() != Kind::Array {
            return Err("it is not an array of objects".to_owned());
        }
        let (mut table, key) = (Self::default(), Name::new(columns.key));
        for (number, row) in file.root().elements().enumerate() {
            if row.kind() != Kind::Object {
                return Err(format!("element {number} of the array is not an object"));
            }
            let Some(key) = row.member(&key).filter(|key| !key.is_null()) else {
                return Err(format!("element {number} of the array has no `{}`", columns.key));
            };
            let members = row.members().filter(|(name, _)| columns.wants(name));
            let members = members.map(|(name, value)| format!("{}:{}", quoted(&name), compact(value)));
            table.add(&key.to_text(), &members.collect::<Vec<_>>())?;
        }
        Ok(table)
    }

    fn add(&mut self, key: &str, members: &[String]) -> Result<(), String> {
        let row = format!("{{{}}}", members.join(","));
        // What the map itself takes for a row: two pointers with lengths, and room to grow.
        self.bytes += key.len() + row.len() + 64;
        if self.bytes > MOST {
            return Err(format!("it takes more than {MOST} bytes of memory"));
        }
        self.rows.insert(key.into(), row.into());
        Ok(())
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn compact(value: Value<'_>) -> String {
    let mut out = Output::new();
    value.write_to(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: TableFormat, text: &str, wanted: &[&str]) -> Result<Table, String> {
        let wanted: Vec<_> = wanted.iter().map(|&name| name.to_owned()).collect();
        Table::read(format, text.as_bytes(), Columns { key: "id", wanted: &wanted })
    }

    #[test]
    fn a_csv_file_has_texts_by_the_names_of_its_first_line() {
        let text = "\u{feff}id,name,\"the \"\"team\"\"\"\r\n1,Ada,\"a,\nb\"\r\n2,é,\r\n1,Bea,c\r\n";
        let table = read(TableFormat::Csv, text, &[]).unwrap();
        assert_eq!(table.get("2"), Some(r#"{"name":"é","the \"team\"":""}"#));
        assert_eq!(table.get("1"), Some(r#"{"name":"Bea","the \"team\"":"c"}"#), "the last row counts");
        assert_eq!(table.get("id"), None);
        assert_eq!(read(TableFormat::Csv, text, &["name"]).unwrap().get("2"), Some(r#"{"name":"é"}"#));
        assert_eq!(read(TableFormat::Csv, text, &["id"]).unwrap().get("2"), Some(r#"{"id":"2"}"#));
    }

    #[test]
    fn a_json_file_has_values_of_any_kind() {
        let text = r#"[{"id": 7, "n": 1.50, "list": [1, null]}, {"id": "x", "n": null}]"#;
        let table = read(TableFormat::Json, text, &[]).unwrap();
        assert_eq!(table.get("7"), Some(r#"{"n":1.50,"list":[1,null]}"#));
        assert_eq!(table.get("x"), Some(r#"{"n":null}"#));
        assert_eq!(read(TableFormat::Json, text, &["list", "none"]).unwrap().get("x"), Some("{}"));
    }

    #[test]
    fn what_is_no_table_is_told_with_its_place() {
        for (format, text, wrong) in [
            (TableFormat::Csv, "a,b\n1,2\n", "there is no column `id`; there are `a`, `b`"),
            (TableFormat::Csv, "", "there is no column `id`"),
            (TableFormat::Csv, "id,b\n1,2\n3\n", "found record with 1 fields"),
            (TableFormat::Json, "{}", "it is not an array of objects"),
            (TableFormat::Json, "[1]", "element 0 of the array is not an object"),
            (TableFormat::Json, r#"[{"id":1},{"id":null}]"#, "element 1 of the array has no `id`"),
            (TableFormat::Json, "[", "it is not JSON"),
        ] {
            let error = read(format, text, &[]).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
