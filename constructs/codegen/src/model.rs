//! A resource type as we want to write it down: structs, enums, attributes, and what a value must satisfy.

#[derive(Debug)]
pub(crate) struct Resource {
    /// `AWS::SQS::Queue`
    pub aws: String,
    /// `sqs`
    pub service: String,
    /// `queue`
    pub module: String,
    /// The resource's own first.
    pub structs: Vec<Struct>,
    pub enums: Vec<Enum>,
    pub attributes: Vec<(String, Node)>,
    pub create_only: Vec<String>,
    pub conditional_create_only: Vec<String>,
    pub primary_identifier: Vec<String>,
    /// What `Ref` gives.
    pub reference: Node,
}

#[derive(Debug)]
pub(crate) struct Struct {
    pub name: String,
    /// AWS's name, for messages.
    pub aws: String,
    pub fields: Vec<Field>,
    pub groups: Vec<Group>,
    /// Exactly one field is set: each gets a constructor of its own.
    pub union: bool,
    /// Takes any further property (custom resources).
    pub open: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub aws: String,
    pub rust: String,
    pub node: Node,
    pub required: bool,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub name: String,
    /// Rust's name, AWS's spelling.
    pub variants: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub kind: Kind,
    pub limits: Limits,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    String,
    /// Of a resource type: `AWS::SQS::Queue`.
    Arn(String),
    Integer,
    Number,
    Boolean,
    Json,
    Tag,
    Enum(String),
    Struct(String),
    List(Box<Node>),
    Map(Box<Node>),
}

/// Rules over several properties of one object.
#[derive(Clone, Debug)]
pub(crate) enum Group {
    AnyOf(Vec<String>),
    OneOf(Vec<String>),
    With(String, Vec<String>),
    Without(String, Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub pattern: Option<String>,
    pub length: (Option<u64>, Option<u64>),
    pub range: (Option<f64>, Option<f64>),
    pub words: Vec<String>,
    pub numbers: Vec<i64>,
    /// The pattern of a map's keys.
    pub keys: Option<String>,
    pub unique: bool,
}

impl From<Kind> for Node {
    fn from(kind: Kind) -> Self {
        Self { kind, limits: Limits::default() }
    }
}
