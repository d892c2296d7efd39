//! A schema -> a model.
//!
//! Decisions: a property that several types can hold, and one that has no type, is free JSON; of `oneOf` with one typed
//! branch, that branch; of `oneOf` of objects with one property each, a union; other branches are merged, their rule goes
//! into a `Group`. Names of types follow only from the definition's name, or parent and property, so that an update of a
//! schema does not rename neighbours.

use crate::limits::{groups, limits, list};
use crate::model::{Enum, Field, Kind, Node, Resource, Struct};
use crate::names;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use std::collections::{BTreeMap, BTreeSet};

/// Names that a generated file imports; a type of AWS's with such a name gets `Property` behind it.
const BUILT_IN: &[&str] = &[
    "Arn",
    "IntoJson",
    "IntoValue",
    "Json",
    "Literal",
    "Members",
    "Option",
    "Ref",
    "Resource",
    "ResourceType",
    "Schema",
    "Set",
    "String",
    "Tag",
    "Value",
    "Vec",
];

struct Reader<'a> {
    schema: &'a Json,
    aws: &'a str,
    /// The resource types that we have: the ARNs of others are text.
    pinned: &'a BTreeSet<String>,
    read_only: BTreeSet<String>,
    structs: IndexMap<String, Option<Struct>>,
    enums: IndexMap<String, Enum>,
    /// Names of types by where they stand in the schema, so that each is written once.
    known: BTreeMap<String, String>,
    /// Definitions being followed, so that one which is only itself ends.
    open: Vec<String>,
}

/// Reads a schema whose patches are applied.
pub(crate) fn read(schema: &Json, pinned: &BTreeSet<String>) -> Result<Resource, String> {
    let aws = schema["typeName"].as_str().unwrap_or_default();
    let [_, service, name] = aws.split("::").collect::<Vec<_>>()[..] else {
        return Err(format!("`{aws}` is no name of a resource type"));
    };
    let mut reader = Reader {
        schema,
        aws,
        pinned,
        read_only: BTreeSet::new(),
        structs: IndexMap::new(),
        enums: IndexMap::new(),
        known: BTreeMap::new(),
        open: vec![],
    };
    let read_only = pointers(schema, "readOnlyProperties");
    reader.read_only = read_only.iter().filter_map(|path| reader.lookup(path)).map(|(place, _)| place).collect();
    reader.object(&names::type_name(name), "", schema);
    let written = pointers(schema, "additionalAttributes");
    let attributes = read_only.iter().chain(&written).filter(|p| !p.contains('*'));
    let mut attributes: Vec<(String, Node)> = attributes.map(|p| reader.attribute(p, name)).collect();
    let patterns = list(&schema["attributePatterns"]).iter().filter_map(Json::as_str);
    attributes.extend(patterns.map(|pattern| (pattern.to_owned(), Kind::String.into())));
    let primary_identifier: Vec<String> = pointers(schema, "primaryIdentifier").iter().map(|p| dotted(p)).collect();
    let reference = match &primary_identifier[..] {
        _ if schema["refReturns"] == "text" => None,
        [only] => attributes.iter().find(|(name, node)| name == only && matches!(node.kind, Kind::Arn(_))),
        _ => None,
    };
    Ok(Resource {
        service: names::words(service).concat(),
        module: names::snake(name),
        reference: reference.map_or(Kind::String.into(), |(_, node)| node.clone()),
        attributes,
        create_only: pointers(schema, "createOnlyProperties"),
        conditional_create_only: pointers(schema, "conditionalCreateOnlyProperties"),
        primary_identifier,
        structs: reader.structs.into_values().flatten().collect(),
        enums: reader.enums.into_values().collect(),
        aws: aws.to_owned(),
    })
}

/// `/properties/A/properties/B` -> `A/B`
fn pointers(schema: &Json, key: &str) -> Vec<String> {
    let pointers = list(&schema[key]).iter().filter_map(Json::as_str);
    let clean = |p: &str| p.trim_start_matches("/properties/").replace("/properties/", "/").replace("/items/", "/*/");
    pointers.map(clean).collect()
}

fn dotted(path: &str) -> String {
    path.replace('/', ".")
}

impl<'a> Reader<'a> {
    /// `#/definitions/X` and `#/properties/X`, followed once.
    fn follow(&self, node: &'a Json) -> Option<(String, &'a Json)> {
        let path = node["$ref"].as_str()?.trim_start_matches("#/").to_owned();
        let found = path.split('/').try_fold(self.schema, |at, step| at.get(step))?;
        Some((path, found))
    }

    /// The schema at `A/B`, and the place it is written at, references followed.
    fn lookup(&self, path: &str) -> Option<(String, &'a Json)> {
        let (mut at, mut place) = (self.schema, String::new());
        for step in path.split('/') {
            while let Some((path, found)) = self.follow(at) {
                (at, place) = (found, path);
            }
            (at, place) = match step {
                "*" => (at.get("items")?, place + "/items"),
                _ => (at.get("properties")?.get(step)?, format!("{place}/properties/{step}")),
            };
        }
        Some((place, at))
    }

    /// What `Fn::GetAtt` of a property gives.
    fn attribute(&mut self, path: &str, resource: &str) -> (String, Node) {
        let type_name = names::type_name(path.rsplit('/').next().unwrap_or(path));
        let mut node: Node = match self.lookup(path) {
            // Nobody writes it, so it needs no type of its own.
            Some((_, found)) if self.object_at(found) => Kind::Json.into(),
            Some((place, found)) => self.node(found, &type_name, &place),
            None => Kind::String.into(),
        };
        let own = [String::from("arn"), format!("{resource}arn").to_ascii_lowercase()];
        if node.kind == Kind::String && own.contains(&path.to_ascii_lowercase()) {
            node.kind = Kind::Arn(self.aws.to_owned());
        }
        (dotted(path), node)
    }

    fn node(&mut self, schema: &'a Json, name: &str, place: &str) -> Node {
        if let Some((path, found)) = self.follow(schema) {
            let name = path.rsplit('/').next().unwrap_or(name).to_owned();
            if self.open.contains(&path) && !is_object(found) {
                return Kind::Json.into();
            }
            self.open.push(path.clone());
            let node = self.node(found, &name, &path);
            self.open.pop();
            return node;
        }
        let limits = limits(schema);
        let kind = match &schema["type"] {
            Json::Array(_) => Kind::Json,
            _ if is_object(schema) && name.contains("Tag") && is_tag(schema) => Kind::Tag,
            _ if is_object(schema) => Kind::Struct(self.object(name, place, schema)),
            Json::Null | Json::String(_) if words(schema).is_some() => {
                Kind::Enum(self.enumeration(name, place, &words(schema).unwrap_or_default()))
            }
            Json::String(t) if t == "string" => self.text(schema),
            Json::String(t) if t == "integer" => Kind::Integer,
            Json::String(t) if t == "number" => Kind::Number,
            Json::String(t) if t == "boolean" => Kind::Boolean,
            _ if schema.get("items").is_some() => {
                Kind::List(Box::new(self.node(&schema["items"], &format!("{name}Item"), &format!("{place}/items"))))
            }
            _ if let Some(value) = only_pattern(schema) => {
                Kind::Map(Box::new(self.node(value, &format!("{name}Value"), &format!("{place}/*"))))
            }
            _ => {
                let mut branches = list(&schema["oneOf"]).iter().chain(list(&schema["anyOf"]));
                let typed = branches.find(|b| b.get("$ref").is_some() || b["type"].is_string());
                return typed.map_or(Kind::Json.into(), |branch| self.node(branch, name, place));
            }
        };
        Node { kind, limits }
    }

    fn object_at(&self, schema: &'a Json) -> bool {
        is_object(self.follow(schema).map_or(schema, |(_, found)| found))
    }

    fn text(&self, schema: &Json) -> Kind {
        let of = schema["format"].as_str().and_then(|format| format.strip_suffix(".Arn"));
        of.filter(|of| self.pinned.contains(*of)).map_or(Kind::String, |of| Kind::Arn(of.to_owned()))
    }

    fn claim(&mut self, name: &str, place: &str) -> String {
        let mut name = names::type_name(name);
        while self.known.values().any(|taken| *taken == name) || BUILT_IN.contains(&name.as_str()) {
            name += "Property";
        }
        self.known.insert(place.to_owned(), name.clone());
        name
    }

    fn object(&mut self, aws: &str, place: &str, schema: &'a Json) -> String {
        if let Some(name) = self.known.get(place) {
            return name.clone();
        }
        let name = self.claim(aws, place);
        self.structs.insert(name.clone(), None); // holds the place: parents before children, recursion ends
        let branches: Vec<&'a Json> = ["oneOf", "anyOf"].iter().flat_map(|k| list(&schema[*k])).collect();
        let mut properties: IndexMap<&str, &'a Json> = IndexMap::new();
        for part in std::iter::once(schema).chain(branches.iter().copied()).chain(list(&schema["allOf"])) {
            for (key, value) in part["properties"].as_object().into_iter().flatten() {
                properties.entry(key).or_insert(value);
            }
        }
        properties.sort_keys();
        let parts = std::iter::once(schema).chain(list(&schema["allOf"]));
        let required: Vec<&str> = parts.flat_map(|part| list(&part["required"])).filter_map(Json::as_str).collect();
        let mut fields: Vec<Field> = vec![];
        for (aws, value) in properties {
            let at = format!("{place}/properties/{aws}");
            if self.read_only.contains(&at) {
                continue;
            }
            let own = names::type_name(aws);
            let own = if place.is_empty() { own } else { name.clone() + &own };
            let node = self.node(value, &own, &at);
            let mut rust = names::snake(aws);
            while fields.iter().any(|f| f.rust == rust) {
                rust += "_";
            }
            fields.push(Field { aws: aws.to_owned(), rust, node, required: required.contains(&aws) });
        }
        let alone = |b: &Json| b["properties"].as_object().is_some_and(|p| p.len() == 1);
        let union = schema.get("oneOf").is_some()
            && branches.iter().all(|b| alone(b))
            && schema["properties"].as_object().is_none_or(Map::is_empty);
        let known: Vec<&str> = fields.iter().map(|f| f.aws.as_str()).collect();
        let made = Struct {
            name: name.clone(),
            aws: if place.is_empty() { self.aws.to_owned() } else { aws.to_owned() },
            groups: groups(schema, &known, union),
            union,
            open: place.is_empty() && schema.get("patternProperties").is_some(),
            fields,
        };
        self.structs.insert(name.clone(), Some(made));
        name
    }

    fn enumeration(&mut self, name: &str, place: &str, values: &[&str]) -> String {
        if let Some(name) = self.known.get(place) {
            return name.clone();
        }
        let name = self.claim(name, place);
        let mut variants: Vec<(String, String)> = vec![];
        for value in values {
            let mut rust = names::variant(value);
            // Two values of S3 differ by case only.
            while variants.iter().any(|(taken, _)| *taken == rust) {
                rust += match value {
                    v if *v == v.to_ascii_uppercase() => "Upper",
                    v if *v == v.to_ascii_lowercase() => "Lower",
                    _ => "Mixed",
                };
            }
            variants.push((rust, (*value).to_owned()));
        }
        self.enums.insert(name.clone(), Enum { name: name.clone(), variants });
        name
    }
}

fn is_object(schema: &Json) -> bool {
    let has = |s: &Json| s["properties"].as_object().is_some_and(|p| !p.is_empty());
    let may_be = matches!(schema["type"].as_str(), None | Some("object")) && !schema["type"].is_array();
    may_be && (has(schema) || ["oneOf", "anyOf", "allOf"].iter().any(|k| list(&schema[*k]).iter().any(has)))
}

/// `{Key, Value}`, both text. A dimension looks the same, so the name counts too.
fn is_tag(schema: &Json) -> bool {
    let plain = |v: &Json| v["type"] == "string" && v.get("enum").is_none();
    let member = |p: &Map<String, Json>, key: &str| p.get(key).is_some_and(plain);
    schema["properties"].as_object().is_some_and(|p| p.len() == 2 && member(p, "Key") && member(p, "Value"))
}

/// What a map's values are, if the schema is one of a map.
fn only_pattern(schema: &Json) -> Option<&Json> {
    let patterns = schema["patternProperties"].as_object().filter(|p| p.len() == 1)?;
    patterns.values().next()
}

fn words(schema: &Json) -> Option<Vec<&str>> {
    schema["enum"].as_array()?.iter().map(Json::as_str).collect()
}
