//! What CloudFormation accepts, as a table: written by the generator, read by [`crate::constraint`].

/// The properties of a resource type or of a nested type.
#[derive(Debug)]
pub struct Schema {
    /// AWS's name of it.
    pub name: &'static str,
    /// Its properties, sorted by name.
    pub properties: &'static [Property],
    /// Rules over several properties.
    pub groups: &'static [Group],
    /// Takes properties that are not listed (custom resources).
    pub open: bool,
}

impl Schema {
    /// The property of this name.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        let at = self.properties.binary_search_by(|p| p.name.cmp(name)).ok()?;
        self.properties.get(at)
    }
}

/// A property and what it may be.
#[derive(Debug)]
pub struct Property {
    /// AWS's name of it.
    pub name: &'static str,
    /// Whether the resource is refused without it.
    pub required: bool,
    /// What it may be.
    pub value: ValueSchema,
}

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub struct ValueSchema {
    /// Its type.
    pub kind: Kind,
    /// An ECMA regular expression that some part of the text must match; empty for none.
    pub pattern: &'static str,
    /// Least and most: characters of text, items of a list, members of a map.
    pub length: (u64, u64),
    /// Least and most of a number.
    pub range: (f64, f64),
    /// The words known when the schema was pinned; AWS adds to them.
    pub words: &'static [&'static str],
    /// The only numbers allowed.
    pub numbers: &'static [i64],
    /// The pattern of a map's keys; empty for none.
    pub keys: &'static str,
    /// No two items of the list may be equal.
    pub unique: bool,
}

/// The type of a value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    String,
    /// Text: the ARN of a resource of this type.
    Arn(&'static str),
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// Anything.
    Json,
    /// A nested type.
    Object(&'static Schema),
    /// A list.
    List(&'static ValueSchema),
    /// A map with keys of the user's choice.
    Map(&'static ValueSchema),
}

impl Kind {
    /// For messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "text",
            Self::Arn(_) => "an ARN",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Json => "JSON",
            Self::Object(schema) => schema.name,
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// A rule over several properties of one object.
#[derive(Debug)]
pub enum Group {
    /// At least one of these.
    AnyOf(&'static [&'static str]),
    /// Exactly one of these.
    OneOf(&'static [&'static str]),
    /// Where the first stands, all of the others must.
    With(&'static str, &'static [&'static str]),
    /// Where the first stands, none of the others may.
    Without(&'static str, &'static [&'static str]),
}

pub(crate) const STRING: ValueSchema = value(Kind::String);
pub(crate) const INTEGER: ValueSchema = value(Kind::Integer);
pub(crate) const NUMBER: ValueSchema = value(Kind::Number);
pub(crate) const BOOLEAN: ValueSchema = value(Kind::Boolean);
pub(crate) const JSON: ValueSchema = value(Kind::Json);
pub(crate) static TAG: Schema = Schema {
    name: "Tag",
    properties: &[must("Key", STRING.length(1, 128)), must("Value", STRING.length(0, 256))],
    groups: &[],
    open: false,
};

const fn value(kind: Kind) -> ValueSchema {
    ValueSchema {
        kind,
        pattern: "",
        length: (0, u64::MAX),
        range: (f64::NEG_INFINITY, f64::INFINITY),
        words: &[],
        numbers: &[],
        keys: "",
        unique: false,
    }
}

pub(crate) const fn arn(of: &'static str) -> ValueSchema {
    value(Kind::Arn(of))
}

pub(crate) const fn object(schema: &'static Schema) -> ValueSchema {
    value(Kind::Object(schema))
}

pub(crate) const fn list(items: &'static ValueSchema) -> ValueSchema {
    value(Kind::List(items))
}

pub(crate) const fn map(values: &'static ValueSchema) -> ValueSchema {
    value(Kind::Map(values))
}

pub(crate) const fn must(name: &'static str, value: ValueSchema) -> Property {
    Property { name, required: true, value }
}

pub(crate) const fn may(name: &'static str, value: ValueSchema) -> Property {
    Property { name, required: false, value }
}

impl ValueSchema {
    pub(crate) const fn pattern(self, pattern: &'static str) -> Self {
        Self { pattern, ..self }
    }

    pub(crate) const fn length(self, least: u64, most: u64) -> Self {
        Self { length: (least, most), ..self }
    }

    pub(crate) const fn range(self, least: f64, most: f64) -> Self {
        Self { range: (least, most), ..self }
    }

    pub(crate) const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    pub(crate) const fn numbers(self, numbers: &'static [i64]) -> Self {
        Self { numbers, ..self }
    }

    pub(crate) const fn keys(self, keys: &'static str) -> Self {
        Self { keys, ..self }
    }

    pub(crate) const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }
}
