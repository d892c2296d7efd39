//! The register of all components: a value, so anyone may add to it.
//!
//! [`Registry::default`] has ours. A component of another crate is added by one line,
//! `registry.operations.add::<MaskOperation>()`, and is then in configs, schema, reference and function like ours.
//!
//! Imports: `component`, `config`, `need`, `substitutions`, the rooms.

use crate::{
    component::{Any, Component, Declared, Room, Rows, Settings, build},
    config::tree::{Node, ReadError},
    deserializers::{self, BuildDeserializer},
    handlers::{self, BuildHandler},
    need::Need,
    operations::{self, BuildOperation},
    reporters::{self, BuildReporter},
    serializers::{self, BuildSerializer},
    substitutions::{self, BuildSubstitution},
    transports::{self, BuildTransport},
    wrappers::{self, BuildWrapper},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Value;
use std::{borrow::Cow, cell::RefCell, fmt, sync::Arc};

thread_local! {
    /// The registry of the read that is going on. A derived `Deserialize` has no other way to be told.
    static CURRENT: RefCell<Option<Registry>> = const { RefCell::new(None) };
}

/// What a room's behaviour knows of the room.
pub trait InRoom: Settings {
    /// What schemas call a component of the room: `transport`.
    const KEY: &'static str;
    /// The room in a registry.
    fn room(registry: &Registry) -> &Room<Self>;
}

/// A component as a config has it: its text in shortest form, and what it must be allowed to do.
pub(crate) type Sample = (Value, Vec<Need>);

macro_rules! rooms {
    ($($(#[$doc:meta])* $room:ident: $key:literal $Behaviour:ident;)+) => {
        /// Every component that a config may name. Cheap to clone.
        #[derive(Clone)]
        pub struct Registry { $($(#[$doc])* pub $room: Room<dyn $Behaviour>),+ }

        /// Our own components.
        impl Default for Registry {
            fn default() -> Self {
                let mut registry = Self { $($room: Room::default()),+ };
                $($room::register(&mut registry.$room);)+
                registry
            }
        }

        impl Registry {
            /// The rooms: the name of each, what schemas call a component of it, and what is in it.
            pub fn rooms(&self) -> [(&'static str, &'static str, &dyn Rows); [$($key),+].len()] {
                [$((stringify!($room), $key, &self.$room)),+]
            }
            /// Makes a component of the room that schemas call `key`.
            pub(crate) fn sample(&self, key: &str, node: &Node) -> Result<Sample, ReadError> {
                self.reading(|| match key {
                    $($key => self.$room.read(node).map(|c| (Any::new(Arc::clone(&c)).to_json(), c.all_needs())),)+
                    _ => Err(ReadError::custom(format!("there is no room of `{key}`"))),
                })
            }
        }

        $(
            impl InRoom for dyn $Behaviour {
                const KEY: &'static str = $key;
                fn room(registry: &Registry) -> &Room<Self> {
                    &registry.$room
                }
            }
            impl Room<dyn $Behaviour> {
                /// Registers a component. One of the same name is replaced.
                pub fn add<T: Component + $Behaviour>(&mut self) -> &mut Self {
                    self.enter::<T>(|node| build::<T>(node).map(|c| Arc::new(c) as Arc<dyn $Behaviour>))
                }
            }
            impl<T: Component + $Behaviour> From<T> for Any<dyn $Behaviour> {
                fn from(component: T) -> Self {
                    Self::new(Arc::new(component))
                }
            }
        )+
    };
}
rooms! {
    /// What Lambda hands over.
    handlers: "handler" BuildHandler;
    /// Text to payload.
    deserializers: "deserializer" BuildDeserializer;
    /// The steps of a source.
    operations: "operation" BuildOperation;
    /// The values that a `SubstitutionOperation` puts in.
    substitutions: "substitution" BuildSubstitution;
    /// The envelope of an event.
    wrappers: "wrapper" BuildWrapper;
    /// Payload to text.
    serializers: "serializer" BuildSerializer;
    /// Where to.
    transports: "transport" BuildTransport;
    /// Where the figures are told.
    reporters: "reporter" BuildReporter;
}

impl Registry {
    /// The row of a component: `room` is what schemas call a component of its room.
    pub fn declared(&self, room: &str, name: &str) -> Option<&Declared> {
        let (_, _, rows) = self.rooms().into_iter().find(|(_, key, _)| *key == room)?;
        rows.find(name)
    }
    /// Reads typed values while this is the registry that components are looked up in.
    pub(crate) fn reading<T>(&self, read: impl FnOnce() -> T) -> T {
        struct Restore(Option<Registry>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(self.clone())));
        read()
    }
    pub(crate) fn typed<T: DeserializeOwned>(&self, node: &Node) -> Result<T, ReadError> {
        self.reading(|| T::deserialize(node))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.rooms().map(|(room, _, rows)| (room, rows.names()))).finish()
    }
}

impl<'de, B: InRoom + ?Sized> Deserialize<'de> for Any<B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        let room = CURRENT.with_borrow(|registry| registry.as_ref().map(|registry| B::room(registry).clone()));
        let room = room.ok_or_else(|| D::Error::custom("a config is read with a registry: `PipelineConfig::read`"))?;
        room.read(&node).map(Self::new).map_err(D::Error::custom)
    }
}

impl<B: InRoom + ?Sized> JsonSchema for Any<B> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        B::KEY.into()
    }
    /// The room is looked up where the schema is used: it is not known which registry that will be.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "$ref": format!("#/$defs/{}", B::KEY) })
    }
}
