//! Where a function's config is, and its text.

use crate::{ask::ask, env::Env};
use etl::ports::{Answer, Call, Calls, Object, ObjectError, Objects, SecretPlace};
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// The variable that holds a config.
const INLINE: &str = "BENDER_CONFIG_INLINE";
/// The variable that says where one is.
const ELSEWHERE: &str = "BENDER_CONFIG";
/// The variable that says what a config elsewhere must be: the SHA-256 of its text, in hexadecimal.
pub(crate) const PINNED: &str = "BENDER_CONFIG_SHA256";
/// No config is larger; a small gzip may be.
const MOST_BYTES: u64 = 8 << 20;

/// Where a config is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the environment.
    Inline(String),
    /// An object of S3.
    Object { bucket: String, key: String },
    /// A parameter of Systems Manager, by its name (perhaps with `:version` or `:label`) or ARN.
    Parameter(String),
    /// A file of the machine, or of the package if its path is relative.
    File(String),
    /// In the package, by the alias that the function is invoked as.
    ByAlias,
}

impl Place {
    /// Where the environment says.
    pub(crate) fn of(env: &Env) -> Result<Self, String> {
        match (env.set(INLINE), env.set(ELSEWHERE)) {
            (Some(_), Some(_)) => Err(format!("{INLINE} and {ELSEWHERE} are both set; remove one of them")),
            (Some(text), None) => Ok(Self::Inline(text.to_owned())),
            (None, Some(address)) => Self::at(address),
            (None, None) => Ok(Self::ByAlias),
        }
    }

    fn at(address: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{ELSEWHERE} is `{address}`; write `s3://bucket/key`, `ssm:///name`, `file://path`, or the path of a file of the \
                 package"
            )
        };
        match address.split_once("://") {
            Some(("s3", object)) => {
                let (bucket, key) = object.split_once('/').ok_or_else(wrong)?;
                if bucket.is_empty() || key.is_empty() {
                    return Err(wrong());
                }
                Ok(Self::Object { bucket: bucket.to_owned(), key: key.to_owned() })
            }
            Some(("ssm", name)) if !name.trim_matches('/').is_empty() => Ok(Self::Parameter(parameter(name))),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            Some(_) => Err(wrong()),
            // Bender's resource names: the root is the package's.
            None => Ok(Self::File(address.trim_start_matches('/').to_owned())),
        }
    }

    /// The text, and the name that its mistakes are reported under. `alias`: what the function was invoked as; `pinned`: the hash that a
    /// text from elsewhere must have.
    pub(crate) fn read(
        &self,
        objects: &dyn Objects,
        calls: &dyn Calls,
        alias: &str,
        pinned: Option<&str>,
    ) -> Result<(String, String), String> {
        let (name, text) = self.find(objects, calls, alias)?;
        match pinned.filter(|_| !matches!(self, Self::Inline(_))) {
            Some(pinned) if !pinned.eq_ignore_ascii_case(&sha256(&text)) => Err(format!(
                "the config `{name}` is not the one that this version of the function was deployed with: its SHA-256 is {}, and {PINNED} \
                 is {pinned}. Put that one back, or deploy with this one",
                sha256(&text)
            )),
            _ => Ok((name, text)),
        }
    }

    fn find(&self, objects: &dyn Objects, calls: &dyn Calls, alias: &str) -> Result<(String, String), String> {
        match self {
            Self::Inline(text) => Ok((INLINE.to_owned(), inline(text)?)),
            Self::Object { bucket, key } => {
                let name = format!("s3://{bucket}/{key}");
                let text = text(objects.open(bucket, key, None)).map_err(|e| cannot(&name, &e))?;
                Ok((name, text))
            }
            Self::Parameter(parameter) => {
                let name = format!("ssm://{parameter}");
                let text = value_of(calls, parameter).map_err(|e| cannot(&name, &e))?;
                Ok((name, text))
            }
            Self::File(path) => named(objects, path),
            Self::ByAlias => named(objects, &format!("config/{alias}")).map_err(|e| {
                format!("{e}. The function was invoked as `{alias}`; without {INLINE} and {ELSEWHERE} its package must have a config of that name")
            }),
        }
    }
}

/// A parameter's name: one with a slash in it begins with one, whether or not its address shows that.
fn parameter(name: &str) -> String {
    let whole = name.starts_with("arn:") || name.starts_with('/') || !name.contains('/');
    if whole { name.to_owned() } else { format!("/{name}") }
}

/// `GetParameter`; one that is encrypted is decrypted.
fn value_of(calls: &dyn Calls, name: &str) -> Result<String, Unread> {
    let place = SecretPlace::Parameter { name: name.to_owned(), region: None };
    match ask(calls, Call::Secret(place)) {
        Answer::Secret { value, .. } => Ok(value.reveal().to_owned()),
        Answer::Refused { code, .. } if code.starts_with("Parameter") && code.ends_with("NotFound") => {
            Err(Unread::Gone)
        }
        Answer::Refused { code, .. } if code.starts_with("AccessDenied") => Err(Unread::Other(format!(
            "access denied ({code}): the function's role needs ssm:GetParameter on the parameter, and kms:Decrypt on its key if \
             it is a SecureString under a key of yours"
        ))),
        Answer::Refused { code, .. } => Err(Unread::Other(format!("Systems Manager says {code}"))),
        Answer::Silence(why) => Err(Unread::Other(format!("cannot read now ({why})"))),
        _ => Err(Unread::Other("an answer without a value".to_owned())),
    }
}

/// A file; without `.json`, `.yaml` or `.yml` at its end, the first that is there with one.
fn named(objects: &dyn Objects, path: &str) -> Result<(String, String), String> {
    let kinds = [".json", ".yaml", ".yml"];
    let whole = kinds.iter().any(|kind| path.ends_with(kind));
    let paths = if whole { vec![path.to_owned()] } else { kinds.map(|kind| format!("{path}{kind}")).to_vec() };
    for path in &paths {
        match text(objects.file(path)) {
            Ok(text) => return Ok((path.clone(), text)),
            Err(Unread::Gone) => {}
            Err(e) => return Err(cannot(path, &e)),
        }
    }
    Err(cannot(&paths.join("`, `"), &Unread::Gone))
}

enum Unread {
    Gone,
    Other(String),
}

fn cannot(name: &str, why: &Unread) -> String {
    match why {
        Unread::Gone => format!("the config `{name}` is not there"),
        Unread::Other(why) => format!("the config `{name}` cannot be read: {why}"),
    }
}

fn text(opened: Result<Object, ObjectError>) -> Result<String, Unread> {
    let object = opened.map_err(|e| match e {
        ObjectError::Gone => Unread::Gone,
        other => Unread::Other(other.to_string()),
    })?;
    bounded(object.reader).map_err(Unread::Other)
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"))
}

fn bounded(reader: impl Read) -> Result<String, String> {
    let mut text = String::new();
    let read = reader.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData => "it is not UTF-8".to_owned(),
        _ => e.to_string(),
    })?;
    if read as u64 > MOST_BYTES {
        return Err(format!("it has more than {MOST_BYTES} bytes"));
    }
    Ok(text)
}

/// JSON as it is, or packed by gzip and base64 where it was too long.
fn inline(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.starts_with('{') {
        return Ok(text.to_owned());
    }
    let wrong = |why: &str| format!("{INLINE} is neither a JSON object nor base64 of gzip of one: {why}");
    let packed = base64_simd::STANDARD.decode_to_vec(text).map_err(|_| wrong("it is not base64"))?;
    bounded(MultiGzDecoder::new(packed.as_slice())).map_err(|why| wrong(&why))
}

#[cfg(test)]
mod tests {
    use super::*;
    use etl::ports::{Secret, Ticket};
    use std::{collections::BTreeMap, io::Write as _, sync::mpsc::Sender, time::Duration};

    /// Files and objects by name.
    struct Shelf(BTreeMap<&'static str, &'static [u8]>);

    impl Objects for Shelf {
        fn open(&self, bucket: &str, key: &str, _: Option<&str>) -> Result<Object, ObjectError> {
            self.file(&format!("{bucket}|{key}"))
        }
        fn file(&self, path: &str) -> Result<Object, ObjectError> {
            if path.contains("secret") {
                return Err(ObjectError::Denied("AccessDenied".to_owned()));
            }
            let bytes = *self.0.get(path).ok_or(ObjectError::Gone)?;
            Ok(Object { reader: Box::new(bytes), size: None })
        }
    }

    /// Parameters by name.
    struct Store;

    impl Calls for Store {
        fn start(&self, ticket: Ticket, call: Call, _: Duration, answers: &Sender<(Ticket, Answer)>) {
            let Call::Secret(of) = call else { panic!("{call:?}") };
            let SecretPlace::Parameter { name, .. } = &of else { panic!("{of:?}") };
            let refused = |code: &str| Answer::Refused { code: code.to_owned(), status: Some(400) };
            let answer = match name.as_str() {
                "/flexo/orders" | "orders" | "/flexo/orders:3" => {
                    Answer::Secret { value: Secret::new(format!("value of {name}")), of }
                }
                "/secret" => refused("AccessDeniedException"),
                "/busy" => refused("ThrottlingException"),
                "/far" => Answer::Silence("timed out".to_owned()),
                "/flexo/orders:9" => refused("ParameterVersionNotFound"),
                _ => refused("ParameterNotFound"),
            };
            answers.send((ticket, answer)).unwrap();
        }
    }

    fn read(env: &Env, alias: &str) -> Result<(String, String), String> {
        let shelf = Shelf(BTreeMap::from([
            ("logs|a/b.json", b"object".as_slice()),
            ("config/$LATEST.yaml", b"latest"),
            ("config/prod.json", b"prod"),
            ("/etc/c.yaml", b"etc"),
            ("bad.json", b"\xff"),
        ]));
        Place::of(env)?.read(&shelf, &Store, alias, env.set(PINNED))
    }

    fn found(env: &Env, alias: &str) -> (String, String) {
        read(env, alias).unwrap()
    }

    fn pair(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn each_place_is_read_where_it_says() {
        assert_eq!(found(&[(INLINE, " {\"a\":1}")].into(), ""), pair(INLINE, "{\"a\":1}"));
        assert_eq!(found(&[(ELSEWHERE, "s3://logs/a/b.json")].into(), ""), pair("s3://logs/a/b.json", "object"));
        // The third slash is the name's own; one with a slash inside has it, whoever forgets it.
        for (address, name) in [
            ("ssm:///flexo/orders", "/flexo/orders"),
            ("ssm://flexo/orders", "/flexo/orders"),
            ("ssm:///flexo/orders:3", "/flexo/orders:3"),
            ("ssm://orders", "orders"),
        ] {
            let right = pair(&format!("ssm://{name}"), &format!("value of {name}"));
            assert_eq!(found(&[(ELSEWHERE, address)].into(), ""), right);
        }
        assert_eq!(found(&[(ELSEWHERE, "file:///etc/c.yaml")].into(), ""), pair("/etc/c.yaml", "etc"));
        assert_eq!(found(&[(ELSEWHERE, "/config/prod")].into(), "x"), pair("config/prod.json", "prod"));
        assert_eq!(found(&[].into(), "prod"), pair("config/prod.json", "prod"));
        assert_eq!(found(&[(INLINE, "")].into(), "$LATEST"), pair("config/$LATEST.yaml", "latest"));
    }

    #[test]
    fn a_packed_config_is_unpacked_and_a_broken_one_says_so() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"{\"b\":2}").unwrap();
        let gzip = gzip.finish().unwrap();
        let text = base64_simd::STANDARD.encode_to_string(&gzip);
        assert_eq!(found(&[(INLINE, text.as_str())].into(), "").1, "{\"b\":2}");
        let cut = base64_simd::STANDARD.encode_to_string(&gzip[..15]);
        for (text, why) in [("handler: x", "it is not base64"), ("aGFuZGxlcg==", "gzip"), (cut.as_str(), "incomplete")]
        {
            let said = read(&[(INLINE, text)].into(), "").unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_small_text_that_unpacks_to_too_much_is_refused() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&vec![b' '; 9 << 20]).unwrap();
        let text = base64_simd::STANDARD.encode_to_string(gzip.finish().unwrap());
        let said = read(&[(INLINE, text.as_str())].into(), "").unwrap_err();
        assert!(said.ends_with("it has more than 8388608 bytes"), "{said}");
    }

    #[test]
    fn a_config_elsewhere_is_the_one_that_was_pinned_or_none() {
        // Of `object`, as `sha256sum` says.
        let pin = "2958d416d08aa5a472d7b509036cb7eafd542add84527e66a145ea64cb4cdc75";
        let at = (ELSEWHERE, "s3://logs/a/b.json");
        assert_eq!(found(&[at, (PINNED, pin)].into(), "").1, "object");
        let other = read(&[(ELSEWHERE, "ssm://orders"), (PINNED, pin)].into(), "").unwrap_err();
        assert!(other.starts_with("the config `ssm://orders` is not the one that"), "{other}");
        assert_eq!(found(&[at, (PINNED, pin.to_uppercase().as_str())].into(), "").1, "object");
        let said = read(&[at, (PINNED, "00")].into(), "").unwrap_err();
        assert!(said.contains(pin) && said.contains("BENDER_CONFIG_SHA256 is 00. Put that one back"), "{said}");
        // A constant is pinned by being one.
        assert_eq!(found(&[(INLINE, "{}"), (PINNED, "00")].into(), "").1, "{}");
    }

    #[test]
    fn what_cannot_be_read_says_what_and_why() {
        for (address, said) in [
            ("s3://logs", "write `s3://bucket/key`"),
            ("ssm:///", "write `s3://bucket/key`, `ssm:///name`, `file://path`"),
            ("ftp://x", "BENDER_CONFIG is `ftp://x`; write"),
            ("ssm:///none", "the config `ssm:///none` is not there"),
            ("ssm:///flexo/orders:9", "the config `ssm:///flexo/orders:9` is not there"),
            (
                "ssm:///secret",
                "cannot be read: access denied (AccessDeniedException): the function's role needs ssm:GetParameter",
            ),
            ("ssm:///busy", "cannot be read: Systems Manager says ThrottlingException"),
            ("ssm:///far", "cannot be read: cannot read now (timed out)"),
            ("s3://logs/none", "the config `s3://logs/none` is not there"),
            ("s3://logs/secret", "cannot be read: access denied (AccessDenied)"),
            ("bad.json", "`bad.json` cannot be read: it is not UTF-8"),
            ("none", "`none.json`, `none.yaml`, `none.yml` is not there"),
        ] {
            let error = read(&[(ELSEWHERE, address)].into(), "").unwrap_err();
            assert!(error.contains(said), "{error}");
        }
        assert!(read(&[(INLINE, "{}"), (ELSEWHERE, "x")].into(), "").unwrap_err().contains("both set"));
        assert!(read(&[].into(), "stage").unwrap_err().contains("invoked as `stage`"));
    }
}
