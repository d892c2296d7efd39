//! A document as a tree, and the operations on it done the slow and obvious way.

use payload::{Arena, Change, Collision, Kind, Output, Payload, Reach, Style, Value};

/// A JSON document. Names are unescaped; a leaf is the JSON text of a string, number or literal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Leaf(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

impl Tree {
    pub(crate) fn text(text: &str) -> Self {
        Self::Leaf(quoted(text))
    }

    pub(crate) fn null() -> Self {
        Self::Leaf("null".into())
    }

    /// The tree of a value as the engine reads it.
    pub(crate) fn of(value: Value<'_>) -> Self {
        match value.kind() {
            Kind::Array => Self::Array(value.elements().map(Self::of).collect()),
            Kind::Object => Self::Object(value.members().map(|(name, value)| (name.into(), Self::of(value))).collect()),
            Kind::String => Self::text(&value.as_str().unwrap()),
            _ => Self::Leaf(value.to_text().into()),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
            Self::Leaf(text) => match text.as_bytes() {
                [b'"', ..] => Kind::String,
                b"null" => Kind::Null,
                b"true" | b"false" => Kind::Bool,
                number if number.contains(&b'.') => Kind::Float,
                _ => Kind::Integer,
            },
        }
    }

    /// Compact JSON.
    pub(crate) fn json(&self) -> String {
        match self {
            Self::Leaf(text) => text.clone(),
            Self::Array(list) => format!("[{}]", list.iter().map(Self::json).collect::<Vec<_>>().join(",")),
            Self::Object(list) => {
                let member = |(name, value): &(String, Self)| format!("{}:{}", quoted(name), value.json());
                format!("{{{}}}", list.iter().map(member).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Puts a member: in the place of one that has the name, or at the end.
    pub(crate) fn insert(&mut self, name: &str, value: Self) {
        let Self::Object(list) = self else { panic!("not an object") };
        match list.iter_mut().find(|member| member.0 == name) {
            Some(member) => member.1 = value,
            None => list.push((name.into(), value)),
        }
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(list) = self else { return None };
        list.iter().find(|member| member.0 == name).map(|member| &member.1)
    }

    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(list) = self else { return None };
        list.iter_mut().find(|member| member.0 == name).map(|member| &mut member.1)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<Self> {
        let Self::Object(list) = self else { return None };
        let at = list.iter().position(|member| member.0 == name)?;
        Some(list.remove(at).1)
    }

    /// What the document says: of repeated names the last value, in the place of the first; strings in one spelling.
    pub(crate) fn meaning(&self) -> Self {
        match self {
            Self::Leaf(text) if text.starts_with('"') => Self::text(&serde_json::from_str::<String>(text).unwrap()),
            Self::Leaf(text) => Self::Leaf(text.clone()),
            Self::Array(list) => Self::Array(list.iter().map(Self::meaning).collect()),
            Self::Object(list) => {
                let mut object = Self::Object(vec![]);
                for (name, value) in list {
                    object.insert(name, value.meaning());
                }
                object
            }
        }
    }

    /// `None` for a collision.
    pub(crate) fn rewrite(
        &self,
        reach: Reach,
        collision: Collision,
        rule: &dyn Fn(&str, Kind) -> Change,
    ) -> Option<Self> {
        let inner = |value: &Self| value.rewrite(reach, collision, rule);
        match self {
            Self::Leaf(_) => Some(self.clone()),
            Self::Array(list) => {
                let reached = |value: &&Self| match value.kind() {
                    Kind::Object => reach != Reach::Objects,
                    _ => reach == Reach::All,
                };
                let element = |value: &Self| if reached(&value) { inner(value) } else { Some(value.clone()) };
                list.iter().map(element).collect::<Option<_>>().map(Self::Array)
            }
            Self::Object(list) => {
                let mut object = Self::Object(vec![]);
                for (name, value) in list {
                    let name = match rule(name, value.kind()) {
                        Change::Keep => name.clone(),
                        Change::Drop => continue,
                        Change::Rename(name) => name,
                    };
                    if collision == Collision::Fail && object.member(&name).is_some() {
                        return None;
                    }
                    object.insert(&name, value.clone());
                }
                let Self::Object(list) = object else { return None };
                let list = list.into_iter().map(|(name, value)| Some((name, inner(&value)?)));
                list.collect::<Option<_>>().map(Self::Object)
            }
        }
    }

    /// `None` for a collision.
    pub(crate) fn flatten(&self, separator: &str, collision: Collision) -> Option<Self> {
        let mut flat = Self::Object(vec![]);
        self.flatten_into(None, separator, collision, &mut flat).then_some(flat)
    }

    fn flatten_into(&self, prefix: Option<&str>, separator: &str, collision: Collision, flat: &mut Self) -> bool {
        let children: Vec<(String, &Self)> = match self {
            Self::Leaf(_) => {
                let name = prefix.unwrap();
                if collision == Collision::Fail && flat.member(name).is_some() {
                    return false;
                }
                flat.insert(name, self.clone());
                return true;
            }
            Self::Array(list) => list.iter().enumerate().map(|(at, value)| ((at + 1).to_string(), value)).collect(),
            Self::Object(list) => list.iter().map(|(name, value)| (name.clone(), value)).collect(),
        };
        children.into_iter().all(|(name, value)| {
            let name = prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}{separator}{name}"));
            value.flatten_into(Some(&name), separator, collision, flat)
        })
    }

    /// Without members that are null.
    pub(crate) fn without_nulls(&self) -> Self {
        match self {
            Self::Leaf(_) => self.clone(),
            Self::Array(list) => Self::Array(list.iter().map(Self::without_nulls).collect()),
            Self::Object(list) => {
                let kept = list.iter().filter(|(_, value)| value.kind() != Kind::Null);
                Self::Object(kept.map(|(name, value)| (name.clone(), value.without_nulls())).collect())
            }
        }
    }
}

pub(crate) fn written(payload: &Payload<'_>) -> String {
    styled(payload, Style::Plain)
}

pub(crate) fn styled(payload: &Payload<'_>, style: Style) -> String {
    let mut out = Output::new();
    payload.write_as(style, &mut out);
    String::from_utf8(out.into_vec()).unwrap()
}

/// The tree of what a payload writes, checked on the way: it is JSON to `serde_json` too, and says the same there.
pub(crate) fn tree(payload: &Payload<'_>) -> Tree {
    tree_of_json(&written(payload))
}

pub(crate) fn tree_of_json(json: &str) -> Tree {
    let mut arena = Arena::new();
    let tree = Tree::of(arena.parse_slice(json.as_bytes()).expect("what is written is JSON").root());
    let read = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("what is written is JSON");
    // The exponent of a number may be beyond serde_json, which keeps floats.
    if serde_json::from_str::<serde_json::Value>(json).is_ok() {
        assert_eq!(read(json), read(&tree.json()));
    }
    tree
}
