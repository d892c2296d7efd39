//! What every component is: one struct that gives the reader, the schema, the reference page and the builder.
//!
//! A component's author writes [`Component`] and the trait of its room. Everything else sees it through [`Settings`],
//! which every component has, and holds it as an [`Any`] of its room.
//!
//! Imports: `codes`, `config`, `need`.

use crate::{
    codes::{self, Code},
    config::{
        tree::{Node, ReadError, Untyped},
        variables,
    },
    need::Need,
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{
    Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};
use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

/// A component: one struct. Its doc comments are the manual, its fields the settings.
///
/// Fields carry `#[serde(default …)]` where they may be left out; `#[serde(deny_unknown_fields)]` on the struct makes a
/// misspelt setting an error. No `skip_serializing_if` is needed: what equals its default is left out when a config is
/// written. A setting's other name, if Bender has one, is `#[schemars(extend("x-alias" = "…"))]`.
pub trait Component: Clone + fmt::Debug + Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The word that a config uses: `type: Firehose`.
    const NAME: &'static str;
    /// Other words for the same.
    const ALIASES: &'static [&'static str] = &[];
    /// A working example in YAML, `type` included. The reference prints it; tests read it.
    const EXAMPLE: &'static str;
    /// What it must be allowed to do. One that holds other components adds theirs.
    fn needs(&self) -> Vec<Need> {
        vec![]
    }
    /// What is wrong with settings that are fine one by one but not together. Values may be missing still when a stack
    /// reads the config: see [`Late`](crate::late::Late).
    fn check(&self) -> Vec<Mistake> {
        vec![]
    }
}

/// Something that a component itself objects to.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// [`codes::REFUSED`], unless there is a better one.
    pub code: &'static Code,
    /// The setting to point at: `index_time_format`, `conditions[1]`. Empty for the component as a whole.
    pub setting: String,
    /// What is wrong, in one line.
    pub message: String,
    /// The way out, in one imperative.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake at a setting.
    pub fn new(setting: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: codes::REFUSED, setting: setting.into(), message: message.into(), help: None }
    }
    /// Says the way out.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The face of a component that is the same for all. Every [`Component`] has it; nobody implements it by hand.
pub trait Settings: fmt::Debug + Send + Sync {
    /// The component's name: its [`Component::NAME`].
    fn name(&self) -> &'static str;
    /// Its settings with its `type`, values as they are: those that equal their default are left out, and what
    /// [`Any::to_json`] writes as `<NAME>` is still marked.
    #[doc(hidden)]
    fn raw_json(&self) -> Value;
    /// What it must be allowed to do.
    fn all_needs(&self) -> Vec<Need>;
}

impl<T: Component> Settings for T {
    fn name(&self) -> &'static str {
        T::NAME
    }
    fn raw_json(&self) -> Value {
        let mut out = Map::from_iter([("type".to_owned(), Value::from(T::NAME))]);
        if let Ok(Value::Object(settings)) = serde_json::to_value(self) {
            let schema = schema_of::<T>();
            let default = |key: &str| &schema["properties"][key]["default"];
            out.extend(settings.into_iter().filter(|(key, v)| !v.is_null() && default(key) != v));
        }
        Value::Object(out)
    }
    fn all_needs(&self) -> Vec<Need> {
        Component::needs(self)
    }
}

/// The word in a schema that says another name of a setting.
pub(crate) const ALIAS: &str = "x-alias";

/// The word in a schema that says that only filters may stand there.
pub(crate) const FILTER: &str = "x-filter";

/// The schema of one type, with nothing outside itself but the rooms.
pub(crate) fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| (s.inline_subschemas, s.meta_schema) = (true, None));
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    schema.as_object_mut().map(|s| s.remove("title"));
    schema
}

/// A row of the register: what is known of a component without its type.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// A working example in YAML.
    pub example: &'static str,
    make_schema: fn() -> Value,
    schema: OnceLock<Value>,
}

impl Declared {
    /// Whether a config means this one by `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
    /// The JSON schema of its settings, without `type`. Made when somebody asks: a config pays only for the components
    /// that it names.
    pub fn schema(&self) -> &Value {
        self.schema.get_or_init(self.make_schema)
    }
}

/// How a component is made of a config's part.
pub(crate) type Build<B> = fn(&Node) -> Result<Arc<B>, ReadError>;

/// The components that may stand in one place of a config, `B` being what they can do.
pub struct Room<B: ?Sized> {
    rows: Vec<Arc<(Declared, Build<B>)>>,
}

impl<B: ?Sized> Default for Room<B> {
    fn default() -> Self {
        Self { rows: vec![] }
    }
}
impl<B: ?Sized> Clone for Room<B> {
    fn clone(&self) -> Self {
        Self { rows: self.rows.clone() }
    }
}
impl<B: ?Sized> fmt::Debug for Room<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|row| row.0.name)).finish()
    }
}

impl<B: ?Sized> Room<B> {
    /// Two of one name: the later one wins, so a user may replace one of ours.
    pub(crate) fn enter<T: Component>(&mut self, build: Build<B>) -> &mut Self {
        let declared = Declared {
            name: T::NAME,
            aliases: T::ALIASES,
            example: T::EXAMPLE,
            make_schema: schema_of::<T>,
            schema: OnceLock::new(),
        };
        self.rows.retain(|row| row.0.name != T::NAME);
        self.rows.push(Arc::new((declared, build)));
        self
    }
    pub(crate) fn read(&self, node: &Node) -> Result<Arc<B>, ReadError> {
        let name = node.get("type").and_then(Node::as_str).unwrap_or_default();
        let row = self.rows.iter().find(|row| row.0.is(name));
        let row = row.ok_or_else(|| ReadError::custom(format!("no component is called `{name}`")))?;
        row.1(node)
    }
}

/// Makes a component of a config's part, and lets it object.
pub(crate) fn build<T: Component>(node: &Node) -> Result<T, ReadError> {
    let component = T::deserialize(Untyped(node))?;
    let mistakes = component.check();
    match mistakes.first() {
        None => Ok(component),
        Some(first) => Err(ReadError { message: first.message.clone(), at: None, mistakes }),
    }
}

/// A room without the type of its components, for those who only look.
pub trait Rows {
    /// What is in it, in the order of entering.
    fn rows(&self) -> Box<dyn Iterator<Item = &Declared> + '_>;
    /// The component that a config means by `name`.
    fn find(&self, name: &str) -> Option<&Declared> {
        self.rows().find(|declared| declared.is(name))
    }
    /// All names that a config may use, aliases included.
    fn names(&self) -> Vec<&'static str> {
        self.rows().flat_map(|d| [d.name].into_iter().chain(d.aliases.iter().copied())).collect()
    }
}

impl<B: ?Sized> Rows for Room<B> {
    fn rows(&self) -> Box<dyn Iterator<Item = &Declared> + '_> {
        Box::new(self.rows.iter().map(|row| &row.0))
    }
}

/// A component of a room, whichever it is. Cheap to clone.
pub struct Any<B: ?Sized>(Arc<B>);

impl<B: ?Sized> Any<B> {
    /// Holds a component.
    pub fn new(component: Arc<B>) -> Self {
        Self(component)
    }
}
impl<B: Settings + ?Sized> Any<B> {
    /// The component's name.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }
    /// What it must be allowed to do.
    pub fn needs(&self) -> Vec<Need> {
        self.0.all_needs()
    }
    /// As a config writes it, in the shortest form: settings that have their default are left out.
    pub fn to_json(&self) -> Value {
        variables::written(self.0.raw_json())
    }
}
impl<B: ?Sized> Clone for Any<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
impl<B: ?Sized> Deref for Any<B> {
    type Target = B;
    fn deref(&self) -> &B {
        &self.0
    }
}
impl<B: Settings + ?Sized> fmt::Debug for Any<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<B: Settings + ?Sized> PartialEq for Any<B> {
    fn eq(&self, other: &Self) -> bool {
        self.0.raw_json() == other.0.raw_json()
    }
}
/// For components that hold components. To write one by itself, use [`Any::to_json`].
impl<B: Settings + ?Sized> Serialize for Any<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.raw_json().serialize(serializer)
    }
}
