//! `LookupOperation`: what a table says of a field's value.
//!
//! Imports: `asset`, `build`, `component`, `event`, `field`, `late`, `need`, `payload`.

mod table;

pub use table::TableFormat;

use super::{OnFailure, Operation};
use crate::{
    asset::{self, Asset},
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    late::Late,
    need::Need,
};
use bon::Builder;
use payload::{New, Path};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use table::{Columns, Table};

/// Bytes of a table's file.
const MAX_BYTES: u64 = 64 << 20;
const NOT_FOUND: Fault = Fault::new("no row of the table has the field's value");

/// Looks a field's value up in a table and adds the columns of its row as an object.
///
/// A number and its text find the same row. Of several rows with one key the last counts. The table is read when the first event needs it and
/// kept in memory until the function's code or config changes or Lambda ends the sandbox; a file of up to 64 MiB, and 128 MiB in memory. While
/// it cannot be read, or is no table, events that have the field are handed back to the trigger, and the log says why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct LookupOperation {
    /// Path of the field whose value is looked up: `$.userIdentity.accountId`.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub field: String,
    /// The table: `s3://bucket/key`, or a file of the function's package (`accounts.csv`, `file://…`).
    #[builder(into)]
    pub file: Late<String>,
    /// How the table is written; by default what the name's ending says, `.csv` or `.json`.
    pub format: Option<TableFormat>,
    /// The column in which the value is looked for.
    #[builder(into)]
    pub key: String,
    /// The columns that are added; by default all but `key`.
    #[serde(default)]
    #[builder(default)]
    pub columns: Vec<String>,
    /// Path of the object that is added, in place of what is there. Objects that are missing on the way are made.
    #[builder(into)]
    #[schemars(extend("format" = "path"))]
    pub target: String,
    /// What becomes of an event whose value no row has, whose field is missing or null, or whose target cannot hold an object.
    #[serde(default = "keep")]
    #[builder(default = keep())]
    pub on_missing: OnFailure,
}

fn keep() -> OnFailure {
    OnFailure::Keep
}

impl Component for LookupOperation {
    const NAME: &'static str = "LookupOperation";
    const EXAMPLE: &'static str = "type: LookupOperation
field: $.userIdentity.accountId
file: s3://my-bucket/accounts.csv
key: account_id
columns: [name, team]
target: $.account
";

    fn needs(&self) -> Vec<Need> {
        asset::need(&self.file).into_iter().collect()
    }

    fn check(&self) -> Vec<Mistake> {
        let mut mistakes: Vec<_> = asset::mistake("file", &self.file).into_iter().collect();
        if let (Some(file), true) = (self.file.now(), mistakes.is_empty() && self.table_format().is_none()) {
            let mistake = Mistake::new("format", format!("the name `{file}` does not say how the table is written"));
            mistakes.push(mistake.help("add `format: CSV` or `format: JSON`"));
        }
        mistakes
    }
}

/// The table, and the paths.
#[derive(Debug)]
pub struct State {
    field: Path,
    target: Path,
    table: Asset<Table>,
}

impl Operation for LookupOperation {
    type State = State;

    fn state(&self, cx: &BuildCx<'_>) -> Result<State, BuildError> {
        Ok(State {
            field: field::path(&self.field)?,
            target: field::path(&self.target)?,
            table: Asset::new(cx.assets, Self::NAME, &self.file, MAX_BYTES),
        })
    }

    fn begin(&self, state: &mut State) {
        state.table.begin();
    }

    fn perform(&self, State { field, target, table }: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        let Some(value) = field::text(&event.payload, field) else { return self.on_missing.outcome(NOT_FOUND) };
        let columns = Columns { key: &self.key, wanted: &self.columns };
        let format = self.table_format().unwrap_or(TableFormat::Csv);
        let table = match table.get(|content| Table::read(format, (**content).as_ref(), columns)) {
            Ok(table) => table,
            Err(outage) => return Ok(Outcome::HandBack(outage)),
        };
        let Some(row) = table.get(&value) else { return self.on_missing.outcome(NOT_FOUND) };
        match field::put(&mut event.payload, target, New::Json(row)) {
            Ok(()) => Ok(Outcome::Pass),
            Err(error) => self.on_missing.outcome(error),
        }
    }
}

impl LookupOperation {
    fn table_format(&self) -> Option<TableFormat> {
        self.format.or_else(|| TableFormat::of(self.file.now()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        asset::Assets,
        event::Facts,
        operations::DeleteFieldOperation,
        testing::{World, cx, document, perform, perform_with, sorted, step},
    };
    use proptest::prelude::*;
    use std::sync::Arc;

    const TABLE: &str = "id,name,team\n1,Ada,red\n1.50,Bea,blue\n";

    fn lookup(on_missing: OnFailure) -> LookupOperation {
        let lookup = LookupOperation::builder().field("$.a").file("s3://b/t.csv").key("id").target("$.new.row");
        lookup.on_missing(on_missing).build()
    }

    fn world(table: &str) -> (World, Arc<Assets>) {
        let world = World::new();
        world.objects.put("b", "t.csv", Ok(table.as_bytes().to_vec()));
        let assets = Arc::new(Assets::new(world.ports()));
        (world, assets)
    }

    fn looked_up(operation: &LookupOperation, text: &str) -> Result<Result<String, &'static str>, Fault> {
        perform_with(operation, &world(TABLE).1, &mut Facts::default(), text)
    }

    #[test]
    fn the_row_of_a_value_is_added_as_an_object() {
        let found = |text, columns: &[&str]| {
            let columns = columns.iter().map(|&column| column.to_owned()).collect();
            looked_up(&LookupOperation { columns, ..lookup(OnFailure::Fail) }, text).unwrap().unwrap()
        };
        assert_eq!(found(r#"{"a":"1"}"#, &[]), r#"{"a":"1","new":{"row":{"name":"Ada","team":"red"}}}"#);
        assert_eq!(found(r#"{"a":1,"new":{"row":1}}"#, &["team"]), r#"{"a":1,"new":{"row":{"team":"red"}}}"#);
        assert_eq!(found(r#"{"a":1.50}"#, &["name"]), r#"{"a":1.50,"new":{"row":{"name":"Bea"}}}"#);
    }

    #[test]
    fn what_becomes_of_an_event_without_a_row_is_a_setting() {
        for text in [r#"{"a":"2"}"#, r#"{"a":null}"#, "{}", r#"{"a":[1]}"#, r#"{"a":1,"new":5}"#] {
            assert_eq!(looked_up(&lookup(OnFailure::Keep), text), Ok(Ok(text.to_owned())));
            assert!(looked_up(&lookup(OnFailure::Fail), text).is_err(), "{text}");
            assert!(looked_up(&lookup(OnFailure::Drop), text).unwrap().is_err(), "{text}");
        }
    }

    #[test]
    fn the_table_is_read_when_an_event_needs_it_and_events_are_handed_back_while_it_is_none() {
        let (world, assets) = world("no,table\n");
        let operation = lookup(OnFailure::Keep);
        let mut state = operation.state(&cx(&assets)).unwrap();
        let mut perform = |text: &str| {
            operation.begin(&mut state);
            step(&operation, &mut state, &mut Facts::default(), text).unwrap()
        };
        assert_eq!(perform("{}"), Ok("{}".to_owned()));
        assert_eq!(world.objects.opened(), Vec::<String>::new());
        assert_eq!(perform(r#"{"a":1}"#), Err("the file that it works with is not of its form"));
        let (_, line) = world.log.lines().pop().unwrap();
        assert!(line.ends_with("why=there is no column `id`; there are `no`, `table`"), "{line}");
        world.objects.put("b", "t.csv", Ok(TABLE.as_bytes().to_vec()));
        for _ in 0..2 {
            assert!(perform(r#"{"a":1}"#).unwrap().contains("Ada"));
        }
        assert_eq!(world.objects.opened().len(), 2);
    }

    #[test]
    fn a_table_is_somewhere_and_of_a_form() {
        let told = |file: &str, format| {
            let operation = LookupOperation { file: file.into(), format, ..lookup(OnFailure::Keep) };
            operation.check().into_iter().map(|mistake| mistake.setting).collect::<Vec<_>>()
        };
        assert_eq!(told("https://x/t.csv", None), ["file"]);
        assert_eq!(told("table.txt", None), ["format"]);
        assert_eq!(told("table.txt", Some(TableFormat::Csv)), Vec::<String>::new());
        assert_eq!(told("file://t.JSON", None), Vec::<String>::new());
        assert_eq!(lookup(OnFailure::Keep).needs().len(), 1);
    }

    proptest! {
        /// An event has all that it had, and at most its row more.
        #[test]
        fn nothing_but_the_row_is_added(text in document()) {
            let made = looked_up(&lookup(OnFailure::Keep), &text).unwrap().unwrap();
            let delete = DeleteFieldOperation::builder().key_field("new").build();
            let without = perform(&delete, &mut Facts::default(), &made).unwrap().unwrap();
            prop_assert_eq!(sorted(&without), sorted(&text));
        }
    }
}
