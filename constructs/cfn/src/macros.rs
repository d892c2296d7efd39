//! What each generated type is made of. No derive of another crate: check time of the whole layer hangs on it.

/// A property type: JSON inside, typed by its methods. One type parameter for each required property.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[must_use = "it does nothing until it is added, or handed to a property"]
        pub struct $name(Members);
        object! { @methods [] $name }
        impl Literal for $name {}
        impl IntoJson for $name { fn into_json(self) -> Json { Json::Object(self.0) } }
    };
    ($(#[$doc:meta])* $name:ident<$($state:ident),+>) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[must_use = "it does nothing until it is added, or handed to a property"]
        pub struct $name<$($state = Set),+>(Members, std::marker::PhantomData<($($state,)+)>);
        object! { @methods [$($state),+] $name<$($state),+> }
        impl Literal for $name {}
        impl IntoJson for $name { fn into_json(self) -> Json { Json::Object(self.0) } }
    };
    (@methods [$($state:ident),*] $name:ty) => {
        impl<$($state),*> $name {
            /// Sets any property by AWS's name for it, also one that the schema does not know.
            pub fn with(self, name: &str, value: impl IntoValue<Json>) -> Self {
                self.put(name, value.into_value())
            }

            /// What has been set so far.
            pub fn get(&self, name: &str) -> Option<&Json> {
                self.0.get(name)
            }

            fn put<T: IntoJson>(mut self, name: &str, value: Value<T>) -> Self {
                self.0.insert(name.to_owned(), value.into_json());
                self
            }
        }
    };
}
pub(crate) use object;

/// An enum of words that AWS may extend: `Unlisted` says one that the pinned schema does not know.
macro_rules! words { ($(#[$doc:meta])* $name:ident $($variant:ident = $word:literal,)*) => {
    $(#[$doc])*
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum $name {
        $(#[doc = concat!("`", $word, "`")] $variant,)*
        /// A value that is newer than the pinned schema; synth warns of it.
        Unlisted(String),
    }
    impl $name {
        /// The values of the pinned schema.
        pub const VALUES: &'static [&'static str] = &[$($word),*];

        /// AWS's spelling.
        pub fn as_str(&self) -> &str {
            match self { $(Self::$variant => $word,)* Self::Unlisted(word) => word }
        }
    }
    impl Literal for $name {}
    impl IntoJson for $name { fn into_json(self) -> Json { self.as_str().into() } }
} }
pub(crate) use words;

/// Markers for required properties that a builder was not given yet; the compiler's errors name them.
macro_rules! missing { ($($name:ident)*) => { $(
    #[doc = concat!("The required property of `", stringify!($name), "` was not given yet.")]
    #[derive(Debug)]
    pub enum $name {}
)* } }
pub(crate) use missing;
