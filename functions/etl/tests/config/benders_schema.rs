//! Bender's published schema, setting by setting against ours.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too, fail them")]

use crate::kit::{registry, shared};
use etl::reference::schema_of_configs;
use serde_json::Value;
use std::{collections::BTreeSet, fs};

/// What differs on purpose: the component (or form), the setting, what of it, and why.
const OTHERWISE: &[(&str, &str, &str, &str)] = &[
    ("*", "use_ssl", "default", "Bender's code has true, its schema says false"),
    ("*", "retry_count", "default", "without it, as often as the time that is left allows"),
    ("*", "threads", "range", "from 1 to 256: no threads deliver nothing, and a function has few sockets"),
    ("DevNull", "threads", "default", "it has no effect, here and there"),
    ("File", "threads", "default", "it has no effect, here and there"),
    ("Stdout", "threads", "default", "it has no effect, here and there"),
    ("ElasticSearch", "routing_field_name", "default", "Elasticsearch 7 and OpenSearch renamed `_routing`"),
    ("ElasticSearch", "document_type", "required", "`_type` is never sent"),
    ("GeoIpOperation", "dst_field_name", "required", "it has a default"),
    ("partition_specs", "interpreter", "required", "it has a default"),
    ("KmsValue", "region", "required", "by default the function's own"),
    ("UrlSigningAuth", "http_interceptor", "type", "an object of Java's that no config can write; taken and ignored"),
    ("UrlSigningAuth", "region", "required", "by default the function's own"),
];

fn bender() -> Option<Value> {
    let path = shared("bender/config-schema.json")?;
    Some(serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

/// A setting or form without what stands around it: references, `<NAME>` in its place, null.
fn bare<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
    loop {
        if let Some(name) = schema["$ref"].as_str().and_then(|at| at.strip_prefix("#/")) {
            schema = name.split('/').fold(root, |at, step| &at[step]);
            continue;
        }
        let forms = ["anyOf", "oneOf"].into_iter().find_map(|word| schema[word].as_array());
        let beside = |form: &&Value| form["type"] != "null" && form["$ref"] != "#/$defs/variable";
        match forms.map(|forms| forms.iter().filter(beside).collect::<Vec<_>>()).as_deref() {
            Some([one]) => schema = one,
            _ => return schema,
        }
    }
}

/// The forms that a value may have, each with its `type`.
fn forms<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let schema = bare(root, schema);
    match ["anyOf", "oneOf"].into_iter().find_map(|word| schema[word].as_array()) {
        Some(forms) => forms.iter().flat_map(|form| self::forms(root, form)).collect(),
        None => vec![schema],
    }
}

/// The words of a form's `type`, or of an enum.
fn words(schema: &Value) -> Vec<&str> {
    let one = schema.get("const").and_then(Value::as_str);
    one.into_iter().chain(schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str)).collect()
}

fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        kind => kind.as_str(),
    }
}

struct Comparison<'s> {
    theirs: &'s Value,
    ours: &'s Value,
    /// Forms that were compared already: operations are in operations.
    seen: BTreeSet<String>,
    settings: u32,
    used: Vec<usize>,
    wrong: Vec<String>,
}

impl<'s> Comparison<'s> {
    fn differs(&mut self, name: &str, setting: &str, what: &str, more: &str) {
        let is_meant =
            |row: &(&str, &str, &str, &str)| (row.0 == "*" || row.0 == name) && row.1 == setting && row.2 == what;
        match OTHERWISE.iter().position(is_meant) {
            Some(row) => self.used.push(row),
            None => self.wrong.push(format!("{name}.{setting}: {what}: {more}")),
        }
    }

    /// A value that may have several forms: each of theirs must be one of ours.
    fn value(&mut self, name: &str, setting: &str, theirs: &'s Value, ours: &'s Value) {
        let (their_forms, our_forms) = (forms(self.theirs, theirs), forms(self.ours, ours));
        for form in their_forms {
            let form_kind = kind(form).unwrap_or("string");
            match form_kind {
                "object" if words(&form["properties"]["type"]).len() == 1 => {
                    let tag = words(&form["properties"]["type"])[0];
                    let same = our_forms.iter().find(|ours| words(&ours["properties"]["type"]).contains(&tag));
                    match same {
                        Some(ours) => self.object(tag, form, ours),
                        None => self.differs(name, setting, "form", tag),
                    }
                }
                "object" if form["properties"].is_object() => {
                    match our_forms.iter().find(|ours| kind(ours) == Some("object")) {
                        Some(ours) => self.object(form["title"].as_str().unwrap_or(setting), form, ours),
                        None => self.differs(name, setting, "type", "object"),
                    }
                }
                "array" => match our_forms.iter().find(|ours| kind(ours) == Some("array")) {
                    Some(ours) => self.value(name, setting, &form["items"], &ours["items"]),
                    None => self.differs(name, setting, "type", "array"),
                },
                _ => {
                    let our_words: Vec<&str> = our_forms.iter().flat_map(|form| words(form)).collect();
                    let missing = |word: &&&str| !our_words.contains(*word);
                    if let (Some(word), false) = (words(form).iter().find(missing), our_words.is_empty()) {
                        self.differs(name, setting, "enum", word);
                    }
                    if our_words.is_empty() && !our_forms.iter().any(|ours| kind(ours) == Some(form_kind)) {
                        self.differs(name, setting, "type", form_kind);
                    }
                }
            }
        }
    }

    fn object(&mut self, name: &str, theirs: &'s Value, ours: &'s Value) {
        if !self.seen.insert(name.to_owned()) {
            return;
        }
        for (setting, their) in theirs["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, value)| *key != "type" || words(value).len() > 1)
        {
            self.settings += 1;
            let Some(our) = ours["properties"].get(setting) else {
                self.differs(name, setting, "missing", "");
                continue;
            };
            self.value(name, setting, their, our);
            let our = bare(self.ours, our);
            if let Some(default) = their.get("default").filter(|default| our.get("default") != Some(default)) {
                self.differs(name, setting, "default", &format!("{default}, ours {:?}", our.get("default")));
            }
            for limit in ["minimum", "maximum"] {
                let (their, our) = (their[limit].as_i64(), our[limit].as_i64());
                let looser = |t: i64, o: i64| if limit == "minimum" { o <= t } else { o >= t };
                let taken = match (their, our) {
                    (Some(their), Some(our)) => looser(their, our),
                    // Counts of nothing, and of more than Java can count.
                    (None, Some(our)) => our == 0 || our >= i64::from(i32::MAX),
                    _ => true,
                };
                if !taken {
                    self.differs(name, setting, "range", &format!("{limit} {their:?}, ours {our:?}"));
                }
            }
        }
        let list = |schema: &Value| -> Vec<String> {
            schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| Some(name.as_str()?.to_owned()))
                .collect()
        };
        let (theirs, ours) = (list(theirs), list(ours));
        let odd =
            theirs.iter().filter(|name| !ours.contains(name)).chain(ours.iter().filter(|name| !theirs.contains(name)));
        for setting in odd.filter(|name| *name != "type") {
            self.differs(name, setting, "required", "");
        }
    }
}

#[test]
fn every_setting_of_benders_schema_is_ours_with_its_type_range_and_default() {
    let Some(theirs) = bender() else { return };
    let ours = schema_of_configs(&registry());
    let mut all =
        Comparison { theirs: &theirs, ours: &ours, seen: BTreeSet::new(), settings: 0, used: vec![], wrong: vec![] };
    let (their_keys, our_keys) = (theirs["properties"].as_object().unwrap(), ours["properties"].as_object().unwrap());
    for (key, value) in their_keys {
        all.value("config", key, value, &our_keys[key]);
    }
    assert!(all.wrong.is_empty(), "{}", all.wrong.join("\n"));
    let unused: Vec<_> = (0..OTHERWISE.len()).filter(|row| !all.used.contains(row)).map(|row| OTHERWISE[row]).collect();
    assert!(unused.is_empty(), "these differ no more: {unused:?}");
    assert!(all.settings >= 250, "{} settings", all.settings);
    println!("{} settings", all.settings);
}
