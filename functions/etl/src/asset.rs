//! Files that components work with: a database, a table. Read when the first event needs them, not when the function starts.
//!
//! A component keeps an [`Asset`]. What cannot be read is an [`Outage`] and no fault: the event is handed back to its trigger
//! ([`Outcome::HandBack`](crate::event::Outcome::HandBack)), and the next invocation tries again. Components that name one file share
//! its bytes for as long as one of them holds them.
//!
//! Imports: `component`, `event`, `late`, `need`, `ports`.

use crate::{
    component::Mistake,
    event::Outage,
    late::Late,
    need::{Need, Target},
    ports::{Level, Object, ObjectError, Ports},
};
use std::{
    collections::BTreeMap,
    fmt,
    io::Read as _,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// How often a file is tried to be opened, and the wait before the second time.
const OPENINGS: u32 = 3;
const OPENING_DELAY: Duration = Duration::from_millis(100);

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'a> {
    Object { bucket: &'a str, key: &'a str },
    File(&'a str),
}

impl<'a> Place<'a> {
    /// `s3://bucket/key`, `file://path`, or a path.
    fn of(address: &'a str) -> Option<Self> {
        match address.split_once("://") {
            Some(("s3", object)) => {
                let (bucket, key) = object.split_once('/')?;
                (!bucket.is_empty() && !key.is_empty()).then_some(Self::Object { bucket, key })
            }
            Some(("file", path)) if !path.is_empty() => Some(Self::File(path)),
            None if !address.is_empty() => Some(Self::File(address)),
            _ => None,
        }
    }
}

/// What is wrong with the address of a file.
pub(crate) fn mistake(setting: &str, address: &Late<String>) -> Option<Mistake> {
    match address {
        Late::Now(address) if Place::of(address).is_some() => None,
        Late::Now(_) => {
            let mistake = Mistake::new(setting, "this is neither an object of a bucket nor a file");
            Some(mistake.help("write `s3://bucket/key`, or the path of a file of the function's package"))
        }
        Late::Env(_) => None,
    }
}

/// What is needed to read the file at an address. Nobody names a file of the package by a variable: with another package comes another
/// config.
pub(crate) fn need(address: &Late<String>) -> Option<Need> {
    let elsewhere = address.now().is_none_or(|address| matches!(Place::of(address), Some(Place::Object { .. })));
    elsewhere.then(|| Need { actions: &["s3:GetObject"], on: Target::Object(address.clone()) })
}

/// The bytes of a file.
pub(crate) struct Content(Vec<u8>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// The files of one pipeline.
pub struct Assets {
    ports: Ports,
    read: Mutex<BTreeMap<String, Weak<Content>>>,
}

impl fmt::Debug for Assets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Assets")
    }
}

impl Assets {
    /// Nothing is read yet.
    pub fn new(ports: Ports) -> Self {
        Self { ports, read: Mutex::default() }
    }

    /// The file at an address, of `limit` bytes at most.
    fn read(&self, address: &str, limit: u64) -> Result<Arc<Content>, Failure> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(content) = read.get(address).and_then(Weak::upgrade) {
            return if content.0.len() as u64 > limit { Err(Failure::too_large(limit)) } else { Ok(content) };
        }
        let object = self.open(address).map_err(|error| Failure::of(&error))?;
        let size = object.size.unwrap_or_default();
        if size > limit {
            return Err(Failure::too_large(limit));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        object.reader.take(limit + 1).read_to_end(&mut bytes).map_err(|error| Failure::new(NOT_NOW, error))?;
        if bytes.len() as u64 > limit {
            return Err(Failure::too_large(limit));
        }
        let content = Arc::new(Content(bytes));
        read.insert(address.to_owned(), Arc::downgrade(&content));
        Ok(content)
    }

    fn open(&self, address: &str) -> Result<Object, ObjectError> {
        let Ports { objects, clock, .. } = &self.ports;
        let open = || match Place::of(address) {
            Some(Place::Object { bucket, key }) => objects.open(bucket, key, None),
            Some(Place::File(path)) => objects.file(path),
            None => Err(ObjectError::Gone),
        };
        let mut delay = OPENING_DELAY;
        for _ in 1..OPENINGS {
            match open() {
                Err(ObjectError::Outage(_)) => {}
                done => return done,
            }
            clock.sleep(delay);
            delay *= 2;
        }
        open()
    }
}

const NOT_NOW: &str = "the file that it works with cannot be read now";

/// Why a file is of no use: in the program's words for the ledger, in its own for the log.
struct Failure {
    reason: &'static str,
    why: String,
}

impl Failure {
    fn new(reason: &'static str, why: impl fmt::Display) -> Self {
        Self { reason, why: why.to_string() }
    }

    fn of(error: &ObjectError) -> Self {
        let reason = match error {
            ObjectError::Gone => "the file that it works with is not there",
            ObjectError::Denied(_) => "access to the file that it works with is denied",
            ObjectError::Outage(_) => NOT_NOW,
        };
        Self::new(reason, error)
    }

    fn too_large(limit: u64) -> Self {
        Self::new("the file that it works with is too large", format!("it has more than {limit} bytes"))
    }
}

/// What one component makes of a file: a database, a table.
pub(crate) struct Asset<T> {
    assets: Arc<Assets>,
    /// The component's name.
    of: &'static str,
    address: String,
    limit: u64,
    value: Option<T>,
    /// It was tried in this invocation.
    outage: Option<Outage>,
}

impl<T> fmt::Debug for Asset<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Asset");
        shown.field("address", &self.address).field("read", &self.value.is_some()).finish_non_exhaustive()
    }
}

impl<T> Asset<T> {
    /// A file that is still to be read, of `limit` bytes at most.
    pub(crate) fn new(assets: &Arc<Assets>, of: &'static str, address: &Late<String>, limit: u64) -> Self {
        let address = address.now().cloned().unwrap_or_default();
        Self { assets: Arc::clone(assets), of, address, limit, value: None, outage: None }
    }

    /// An invocation begins: what could not be read is tried again.
    pub(crate) fn begin(&mut self) {
        self.outage = None;
    }

    /// What `make` makes of the file, which is read when it is asked for the first time. When it cannot be, the log says why, once in an
    /// invocation.
    pub(crate) fn get(&mut self, make: impl FnOnce(&Arc<Content>) -> Result<T, String>) -> Result<&T, Outage> {
        if self.value.is_none() {
            match self.outage {
                Some(outage) => return Err(outage),
                None => self.load(make)?,
            }
        }
        self.value.as_ref().ok_or(Outage { reason: NOT_NOW })
    }

    fn load(&mut self, make: impl FnOnce(&Arc<Content>) -> Result<T, String>) -> Result<(), Outage> {
        let not_of_its_form = |why| Failure::new("the file that it works with is not of its form", why);
        let content = self.assets.read(&self.address, self.limit);
        match content.and_then(|content| make(&content).map_err(not_of_its_form)) {
            Ok(value) => {
                self.value = Some(value);
                Ok(())
            }
            Err(Failure { reason, why }) => {
                let fields: [(&'static str, &dyn fmt::Display); 3] =
                    [("component", &self.of), ("file", &self.address), ("why", &why)];
                self.assets.ports.log.line(Level::Error, "a file that a component works with cannot be used", &fields);
                let outage = Outage { reason };
                self.outage = Some(outage);
                Err(outage)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{late::EnvName, ports::Clock as _, testing::World};

    fn text(content: &Arc<Content>) -> Result<String, String> {
        String::from_utf8(content.0.clone()).map_err(|_| "it is not UTF-8".to_owned())
    }

    #[expect(clippy::unnecessary_wraps, reason = "the form of what makes a value of a file")]
    fn share(content: &Arc<Content>) -> Result<Arc<Content>, String> {
        Ok(Arc::clone(content))
    }

    fn asset(assets: &Arc<Assets>, address: &str, limit: u64) -> Asset<String> {
        Asset::new(assets, "It", &address.into(), limit)
    }

    #[test]
    fn a_file_is_read_when_it_is_needed_and_once_for_all_who_need_it() {
        let world = World::new();
        world.objects.put("b", "k", Ok(b"content".to_vec()));
        let assets = Arc::new(Assets::new(world.ports()));
        let [mut one, mut other] = [(); 2].map(|()| Asset::new(&assets, "It", &"s3://b/k".into(), 7));
        assert_eq!(world.objects.opened(), Vec::<String>::new());
        for _ in 0..2 {
            assert!(one.get(share).is_ok_and(|content| content.0 == b"content"));
            assert!(other.get(share).is_ok());
        }
        assert_eq!(world.objects.opened(), ["b/k"]);
    }

    #[test]
    fn what_cannot_be_read_is_tried_once_in_an_invocation_and_told_in_the_log() {
        let world = World::new();
        let assets = Arc::new(Assets::new(world.ports()));
        for (stored, limit, reason, why) in [
            (Err(ObjectError::Gone), 9, "the file that it works with is not there", "the object is gone"),
            (
                Err(ObjectError::Denied("AccessDenied".into())),
                9,
                "access to the file that it works with is denied",
                "access denied (AccessDenied)",
            ),
            (Err(ObjectError::Outage("SlowDown".into())), 9, NOT_NOW, "cannot read now (SlowDown)"),
            (Ok(b"123".to_vec()), 2, "the file that it works with is too large", "it has more than 2 bytes"),
            (Ok(b"\xff".to_vec()), 2, "the file that it works with is not of its form", "it is not UTF-8"),
        ] {
            world.objects.put("b", "k", stored);
            let mut asset = asset(&assets, "s3://b/k", limit);
            for _ in 0..2 {
                assert_eq!(asset.get(text).map(String::as_str), Err(Outage { reason }));
            }
            let line =
                format!("a file that a component works with cannot be used component=It file=s3://b/k why={why}");
            assert_eq!(world.log.lines().iter().filter(|(_, said)| *said == line).count(), 1, "{line}");
            world.objects.put("b", "k", Ok(b"ok".to_vec()));
            assert_eq!(
                asset.get(text).map(String::as_str),
                Err(Outage { reason }),
                "the same for all of an invocation"
            );
            asset.begin();
            assert_eq!(asset.get(text).map(String::as_str), Ok("ok"));
        }
        assert_eq!(world.clock.monotonic(), OPENING_DELAY * 3, "only what may work soon is waited for");
    }

    #[test]
    fn an_address_is_an_object_of_a_bucket_or_a_file() {
        for (address, object) in [("s3://b/k/l.csv", true), ("table.csv", false), ("file:///opt/t.csv", false)] {
            let address = Late::from(address);
            assert_eq!(mistake("file", &address), None, "{address}");
            let on = need(&address).map(|need| need.on);
            assert_eq!(on, object.then(|| Target::Object(address.clone())), "{address}");
        }
        for address in ["", "s3://b", "s3://b/", "s3:///k", "file://", "https://x/y"] {
            assert!(mistake("file", &address.into()).is_some(), "{address}");
            assert_eq!(need(&address.into()), None, "{address}");
        }
        let late = EnvName::new("TABLE").map(Late::from).unwrap();
        assert_eq!((mistake("file", &late), need(&late).is_some()), (None, true));
    }
}
