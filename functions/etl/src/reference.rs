//! What is written from the declarations: the JSON schema of a config, the reference pages, the page of all errors.
//!
//! Nothing here reads or writes a file: each function gives names and texts. A test holds them against
//! `functions/reference`.
//!
//! Imports: `codes`, `component`, `config`, `late`, `need`, `registry`.

use crate::{
    codes,
    component::{ALIAS, Declared, FILTER, Rows},
    config::{self, PipelineConfig, noun},
    late::LATE,
    need::{Need, Target},
    registry::Registry,
};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A file of the reference: its name and its text.
pub type File = (String, String);

const WRITTEN: &str = "<!-- Written by `cargo run docs` from the doc comments of the components. -->";

/// The JSON schema of a config (draft 2020-12), for editors and other tools.
pub fn schema(registry: &Registry) -> File {
    let text = serde_json::to_string_pretty(&schema_of_configs(registry)).unwrap_or_default();
    ("pipeline.schema.json".to_owned(), text + "\n")
}

/// The reference pages: the config as a whole, one page for each room, and the errors.
pub fn pages(registry: &Registry) -> Vec<File> {
    let mut pages = vec![("pipeline.md".to_owned(), pipeline(registry))];
    for (room, key, rows) in registry.rooms() {
        pages.push((format!("{room}.md"), page(registry, room, key, rows)));
    }
    pages.push(("bender.md".to_owned(), unlike_bender(registry)));
    pages.push(("errors.md".to_owned(), errors()));
    pages
}

/// The headings that doc comments of components have: what is delivered when, and which defects of Bender are mended.
const SECTIONS: [&str; 2] = ["Delivery", "Unlike Bender"];

/// What a description says under one of the [`SECTIONS`].
pub fn section<'d>(description: &'d str, title: &str) -> Option<&'d str> {
    let (_, rest) = description.split_once(&format!("# {title}\n"))?;
    Some(rest.split("\n# ").next().unwrap_or_default().trim())
}

/// A description with its headings as headings of a page, `level` deep.
fn headed(description: &Value, level: &str) -> String {
    let mut text = text(description);
    for title in SECTIONS {
        text = text.replace(&format!("# {title}\n"), &format!("{level} {title}\n"));
    }
    text
}

/// A description as an editor shows it beside a key: in plain text, a heading is a word.
fn hovered(description: &str) -> String {
    let mut text = description.to_owned();
    for title in SECTIONS {
        text = text.replace(&format!("# {title}\n\n- "), &format!("{title}:\n\n- "));
        text = text.replace(&format!("# {title}\n\n"), &format!("{title}: "));
    }
    text
}

/// The schema as a value.
pub fn schema_of_configs(registry: &Registry) -> Value {
    let mut defs = Map::new();
    for (_, key, room) in registry.rooms() {
        let names: Vec<String> = room.rows().map(|d| format!("{key}.{}", d.name)).collect();
        let refs: Vec<Value> = names.iter().map(|name| json!({ "$ref": format!("#/$defs/{name}") })).collect();
        // `oneOf` of nothing is no schema; in a room without components nothing is right.
        defs.insert(key.into(), if refs.is_empty() { json!(false) } else { json!({ "oneOf": refs }) });
        defs.extend(names.into_iter().zip(room.rows().map(tagged)));
    }
    let filters = registry.operations.rows().filter(|d| config::is_filter(registry, d.example));
    let filters: Vec<Value> = filters.map(|d| json!({ "$ref": format!("#/$defs/operation.{}", d.name) })).collect();
    defs.insert("filter".into(), if filters.is_empty() { json!(false) } else { json!({ "oneOf": filters }) });
    let variable = "A value of the environment.";
    defs.insert("variable".into(), json!({ "description": variable, "type": "string", "pattern": "<[A-Za-z0-9_]+>" }));
    let mut schema = PipelineConfig::schema().clone();
    schema["$defs"] = defs.into();
    publish(&mut schema);
    // Either form; the reader says more of what is missing than a validator can.
    schema["oneOf"] = json!([{ "required": ["transport", "wrapper", "serializer"] }, { "required": ["transports"] }]);
    let mut out = Map::new();
    out.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    out.insert("title".into(), "PipelineConfig".into());
    out.extend(schema.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    out.into()
}

/// A component's schema with its `type`.
fn tagged(declared: &Declared) -> Value {
    let mut schema = declared.schema().clone();
    let names: Vec<&str> = [declared.name].into_iter().chain(declared.aliases.iter().copied()).collect();
    let kind = if names.len() == 1 { json!({ "const": names[0] }) } else { json!({ "enum": names }) };
    let mut properties = Map::from_iter([("type".to_owned(), kind)]);
    properties.extend(schema["properties"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
    schema["properties"] = properties.into();
    let required = schema["required"].as_array().into_iter().flatten().cloned();
    schema["required"] = [Value::from("type")].into_iter().chain(required).collect();
    schema
}

/// Lets `<NAME>` stand for every value that has a type or form of its own, and takes our own marks out.
fn publish(schema: &mut Value) {
    let Value::Object(members) = schema else { return };
    members.shift_remove(LATE);
    members.shift_remove(ALIAS);
    if members.shift_remove(FILTER).is_some() {
        if let Some(room) = members.get_mut("$ref") {
            *room = "#/$defs/filter".into();
        }
        let forms = members.get_mut("anyOf").and_then(Value::as_array_mut).into_iter().flatten();
        forms.filter_map(|form| form.get_mut("$ref")).for_each(|room| *room = "#/$defs/filter".into());
    }
    if let Some(Value::String(about)) = members.get_mut("description") {
        *about = hovered(about);
    }
    // `regex` would be ECMA's to a validator.
    if let Some(format) = members.get_mut("format").filter(|format| *format == "regex") {
        *format = "java-regex".into();
    }
    for (word, part) in members {
        match (word.as_str(), part) {
            ("properties", Value::Object(settings)) => {
                let others = settings.values().filter_map(|s| Some((s[ALIAS].as_str()?.to_owned(), s.clone())));
                settings.extend(others.collect::<Vec<_>>());
                for (_, setting) in settings.iter_mut().filter(|(name, _)| *name != "type") {
                    publish(setting);
                    or_variable(setting);
                }
            }
            ("$defs", Value::Object(defs)) => defs.values_mut().for_each(publish),
            ("items" | "additionalProperties", part) => publish(part),
            ("oneOf" | "anyOf", Value::Array(forms)) => forms.iter_mut().for_each(publish),
            _ => {}
        }
    }
}

fn or_variable(setting: &mut Value) {
    let mine = |t: &Value| matches!(t.as_str(), Some("integer" | "number" | "boolean"));
    let typed = mine(&setting["type"]) || setting["type"].as_array().is_some_and(|t| t.iter().any(mine));
    let chosen = setting["oneOf"][0].get("const").or(setting.get("enum")).or(setting.get("pattern"));
    if !typed && chosen.is_none() {
        return;
    }
    let about = setting.as_object_mut().and_then(|s| s.shift_remove("description"));
    *setting = json!({ "anyOf": [setting.take(), { "$ref": "#/$defs/variable" }] });
    if let (Some(about), Some(s)) = (about, setting.as_object_mut()) {
        s.insert("description".into(), about);
    }
}

/// How paths are written: the doc comment of [`payload::Path`] in short.
const PATHS: &str = "
A path says where in an event a field is, in the notation of JsonPath:

| written | leads to |
| --- | --- |
| `$.a.b`, `a.b`, `$['a']['b']` | the member `b` of the member `a` |
| `$['a.b']` | a member whose name has dots or blanks; `\\'` is a quote in it |
| `$.list[0]`, `$.list[-1]` | an element, counted from 0, or from the end |
| `$.list[*]`, `$.a.*`, `$.list[1:3]`, `$.list[0,2]` | elements or members |
| `$.list[?(@.level == 'error' && @.code > 3)]` | elements that a filter accepts: `==`, `!=`, `<`, `<=`, `>`, `>=`, `in [1, 'b']`, `nin [...]`, `&&`, `\\|\\|`, `!`, brackets; `@.a` alone asks whether it is there |
| `$..b` | every `b`, at any depth |
| `$.list.length()` | how many elements or members it has; only where a value is read |

Where a setting takes *a path to one or many fields*, all of those are meant: all are deleted or set, and what is read is the list of them. Lists of names, other
functions, other comparisons, and filters in filters are refused (`ETL018`).
";

fn pipeline(registry: &Registry) -> String {
    let schema = PipelineConfig::schema();
    let mut page = format!("# A pipeline's config\n\n{WRITTEN}\n\n{}\n", headed(&schema["description"], "##"));
    page.push_str("\n## Variables\n");
    page.push_str(
        "\n`<NAME>` in a text is a value of the environment. It is put in after the document is read, so it cannot change the \
         document. It may stand where a number or a boolean is wanted and is then read as one. `\\<` is always a `<`; groups of \
         regular expressions, `(?<name>` and `\\k<name>`, are no variables.\n",
    );
    page.push_str("\n## Paths\n");
    page.push_str(PATHS);
    page.push_str("\n## Settings\n");
    settings(&mut page, schema);
    dead_letters(&mut page);
    page.push_str("\n## Components\n\nThe components, by the key that they stand under:\n\n");
    for (room, key, rows) in registry.rooms() {
        let names: Vec<String> =
            rows.rows().map(|d| format!("[{}]({room}.md#{})", d.name, d.name.to_lowercase())).collect();
        let _ = writeln!(page, "- {key}: {}", names.join(", "));
    }
    page
}

/// The form of dead letters.
fn dead_letters(page: &mut String) {
    page.push_str(
        "\n## Dead letters\n\nWhat a `dead_letter` transport takes: one JSON object for each event that failed. What failed of one event for several reasons is \
         several letters; what failed of it for one reason is one. Events that are handed back to their trigger become none, as they come \
         again; with `fail_on_exception: false` they do not come again, so they become letters.\n\n\
         | member | |\n| --- | --- |\n\
         | `dead_letter` | the form: 1 |\n\
         | `time` | when the invocation began, RFC 3339 |\n\
         | `stage`, `component`, `reason` | where it failed, and why, as in the ledger |\n\
         | `transport` | of several transports the one that it was on its way to; the others have it |\n\
         | `source` | the name of the source |\n\
         | `origin` | where it was read: `kind` (`kinesis`, `s3`, …) and the members that find it again |\n\
         | `offset` | where it begins in its object, in bytes after inflating |\n\
         | `arrival_ms` | when it arrived at AWS: milliseconds since 1970 |\n\
         | `elements` | of an event that was split or forked: which parts failed, as their numbers in each split. Not there: all of it, or more than 10,000 |\n\
         | `event` | its text, if that is UTF-8 |\n\
         | `event_base64` | its bytes, if they are not |\n\
         | `left_out_bytes` | how many bytes it has, if the transport takes no letter as large |\n\n\
         A letter is delivered at least once: when a trigger comes again, so do the letters about what failed of it. `synth replay` and the function (as the invocation \
         `{\"dead_letters\": […]}`) take letters through the pipeline again, from the same origin, and only the parts that failed. Letters without \
         an event say where to find it. A transport that finishes its objects at the end of an invocation may refuse them when it is too late for letters: then the events are handed back.\n",
    );
}

fn page(registry: &Registry, room: &str, key: &str, rows: &dyn Rows) -> String {
    let title = room.chars().next().map(|c| c.to_ascii_uppercase()).into_iter().chain(room.chars().skip(1));
    let mut page = format!("# {}\n\n{WRITTEN}\n", title.collect::<String>());
    for declared in rows.rows() {
        let _ = write!(page, "\n## {}\n\n", declared.name);
        if !declared.aliases.is_empty() {
            let _ = write!(page, "Also called `{}`.\n\n", declared.aliases.join("`, `"));
        }
        let _ = writeln!(page, "{}", headed(&declared.schema()["description"], "###"));
        if declared.schema()["properties"].as_object().is_some_and(|settings| !settings.is_empty()) {
            page.push_str("\n### Settings\n");
        }
        settings(&mut page, declared.schema());
        page.push_str("\n### Example\n");
        if let Ok((_, needs)) = config::component(registry, key, declared.example) {
            permissions(&mut page, &needs);
        }
        let _ = write!(page, "\n```yaml\n{}\n```\n", declared.example.trim_end());
    }
    page
}

/// All that is mended, for those who bring a config of Bender's.
fn unlike_bender(registry: &Registry) -> String {
    let mut page = format!(
        "# Unlike Bender\n\n{WRITTEN}\n\nConfigs of Bender run here as they are, with the same results, but for these defects of Bender's, \
         which are mended.\n"
    );
    let config = text(&PipelineConfig::schema()["description"]);
    if let Some(mended) = section(&config, "Unlike Bender") {
        let _ = write!(page, "\n## [Every pipeline](pipeline.md)\n\n{mended}\n");
    }
    for (room, _, rows) in registry.rooms() {
        for declared in rows.rows() {
            let about = text(&declared.schema()["description"]);
            let Some(mended) = section(&about, "Unlike Bender") else { continue };
            let (name, anchor) = (declared.name, declared.name.to_lowercase());
            let _ = write!(page, "\n## [{name}]({room}.md#{anchor})\n\n{mended}\n");
        }
    }
    page
}

fn errors() -> String {
    let mut page = format!("# Errors\n\n{WRITTEN}\n\n`cargo run explain CODE` prints these texts.\n");
    for code in codes::ALL {
        let _ = write!(page, "\n## {}\n\n**{}.** {}\n", code.id, capital(code.title), code.explain);
    }
    page
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// What the component of an example must be allowed to do.
fn permissions(page: &mut String, needs: &[Need]) {
    if needs.is_empty() {
        return;
    }
    page.push_str("\nWith the settings below it needs\n\n");
    for need in needs {
        let on = match &need.on {
            Target::DeliveryStream(name) => format!("the delivery stream `{name}`"),
            Target::Objects { bucket, prefix } => format!("the objects `{prefix}*` of the bucket `{bucket}`"),
            Target::Object(address) => format!("the object `{address}`"),
            Target::Domain { host, path } => format!("`{path}` of the domain at `{host}`"),
            Target::Metrics { namespace } => format!("metrics of the namespace `{namespace}`"),
            Target::Topic(arn) => format!("the topic `{arn}`"),
            Target::Stream { name, .. } => format!("the stream `{name}`"),
            Target::Queue(url) => format!("the queue `{url}`"),
            Target::Parameter { name, .. } => format!("the parameter `{name}`"),
            Target::Secret { id, .. } => format!("the secret `{id}`"),
            Target::Key(arn) => format!("the key `{arn}`"),
            Target::FunctionTags => "the function itself".to_owned(),
            Target::KmsKey => "the key that made the ciphertext".to_owned(),
        };
        let _ = writeln!(page, "- `{}` on {on}", need.actions.join("`, `"));
    }
}

fn settings(page: &mut String, schema: &Value) {
    let mut rows = vec![];
    collect(&mut rows, "", schema);
    if rows.is_empty() {
        return;
    }
    page.push_str("\n| setting | value | default | |\n| --- | --- | --- | --- |\n");
    for [name, what, default, about] in rows {
        let _ = writeln!(page, "| `{name}` | {what} | {default} | {about} |");
    }
}

/// A row for each setting, and for those inside it: `partition_specs[].name`.
fn collect(rows: &mut Vec<[String; 4]>, prefix: &str, schema: &Value) {
    for (name, setting) in schema["properties"].as_object().into_iter().flatten() {
        if setting.get("const").is_some() {
            continue; // the `type` of one of several forms
        }
        let required = schema["required"].as_array().is_some_and(|r| r.iter().any(|r| r == name));
        let default = match setting.get("default") {
            _ if required => "required".to_owned(),
            None | Some(Value::Null) => String::new(),
            Some(Value::Array(items)) if items.is_empty() => String::new(),
            Some(Value::Object(members)) if members.is_empty() => String::new(),
            Some(default) => format!("`{default}`"),
        };
        let path = format!("{prefix}{name}");
        let other = setting[ALIAS].as_str().map(|name| format!(" Also called `{name}`.")).unwrap_or_default();
        let about = text(&setting["description"]) + &other;
        rows.push([path.clone(), cell(&what(setting)), cell(&default), cell(&about)]);
        inner(rows, &path, setting);
    }
}

fn inner(rows: &mut Vec<[String; 4]>, path: &str, setting: &Value) {
    if setting["properties"].is_object() {
        collect(rows, &format!("{path}."), setting);
    }
    if setting["items"].is_object() {
        inner(rows, &format!("{path}[]"), &setting["items"]);
    }
    if setting["additionalProperties"].is_object() {
        inner(rows, &format!("{path}.*"), &setting["additionalProperties"]);
    }
    for form in forms(setting) {
        match form["properties"]["type"]["const"].as_str() {
            Some(name) => collect(rows, &format!("{path} ({name})."), form),
            None => inner(rows, path, form),
        }
    }
}

fn forms(setting: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|word| setting[word].as_array()).flatten()
}

fn text(description: &Value) -> String {
    description.as_str().unwrap_or_default().to_owned()
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// What may stand in a setting, in words.
fn what(setting: &Value) -> String {
    if let Some(room) = setting["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return format!("a component: {room}");
    }
    let given: Vec<String> = forms(setting).filter(|form| form["type"] != "null").map(form).collect();
    if !given.is_empty() {
        return given.join(", ");
    }
    let listed = setting["enum"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let listed: Vec<String> = listed.map(|word| format!("`{word}`")).collect();
    if !listed.is_empty() {
        return listed.join(", ");
    }
    let types = setting["type"].as_array().map_or(std::slice::from_ref(&setting["type"]), Vec::as_slice);
    let types: Vec<&str> = types.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect();
    let mut words = types.iter().map(|t| noun(t)).collect::<Vec<_>>().join(" or ");
    if types == ["array"] && setting["items"].is_object() {
        words = format!("a list of: {}", what(&setting["items"]));
    }
    if types == ["object"] && setting["additionalProperties"].is_object() {
        words = format!("a map of: {}", what(&setting["additionalProperties"]));
    }
    if let Some(noun) = setting["format"].as_str().and_then(config::format::noun_of) {
        noun.clone_into(&mut words);
    }
    for (limit, word) in [
        ("minimum", "at least"),
        ("exclusiveMinimum", "more than"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "less than"),
    ] {
        if let Some(n) = setting[limit].as_f64().filter(|n| limit != "minimum" || *n != 0.0) {
            let _ = write!(words, ", {word} {n}");
        }
    }
    if let Some(pattern) = setting["pattern"].as_str() {
        let _ = write!(words, " like `{pattern}`");
    }
    if setting[LATE] == true {
        words.push_str(", or a variable that a stack binds");
    }
    words
}

/// One of several forms of a setting.
fn form(form: &Value) -> String {
    match (&form["const"], &form["properties"]["type"]["const"]) {
        (Value::String(word), _) | (_, Value::String(word)) => format!("`{word}`"),
        _ => what(form),
    }
}
