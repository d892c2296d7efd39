//! Keys known beforehand.

use crate::{escape, keys::Keys};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// A key known beforehand: a setting, a constant.
///
/// It remembers its number in the arena that asked last, so a look-up is one comparison. Make it once, not for each
/// event.
pub struct Name {
    text: Box<str>,
    /// As it is escaped in JSON.
    raw: Box<[u8]>,
    /// The table's tag, then the number in it.
    cache: AtomicU64,
}

impl Name {
    /// The key that reads `text`.
    pub fn new(text: &str) -> Self {
        let mut raw = vec![];
        escape::escape_into(text, &mut raw);
        Self { text: text.into(), raw: raw.into(), cache: AtomicU64::new(0) }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key as it stands in JSON, without quotes.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    #[inline(always)]
    fn cached(&self, keys: &Keys) -> Option<u32> {
        let cached = self.cache.load(Ordering::Relaxed);
        let key = u32::try_from(cached & u64::from(u32::MAX)).ok()?;
        (cached >> 32 == u64::from(keys.tag)).then_some(key)
    }

    fn remember(&self, keys: &Keys, key: u32) -> u32 {
        self.cache.store(u64::from(keys.tag) << 32 | u64::from(key), Ordering::Relaxed);
        key
    }

    #[inline]
    pub(crate) fn find(&self, keys: &Keys) -> Option<u32> {
        self.cached(keys).or_else(|| keys.find(&self.raw).map(|key| self.remember(keys, key)))
    }

    #[inline]
    pub(crate) fn intern(&self, keys: &mut Keys) -> u32 {
        self.cached(keys).unwrap_or_else(|| {
            let key = keys.intern(&self.raw);
            self.remember(keys, key)
        })
    }
}

impl Clone for Name {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), raw: self.raw.clone(), cache: AtomicU64::new(0) }
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}
