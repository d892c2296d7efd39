//! Signature Version 4, as the receiving side checks it.
//!
//! Written from AWS's description of the protocol and held against AWS's own vectors, not taken from a client: so that a client
//! that signs wrongly does not find its own mistake here.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest as _, Sha256};

/// How far a request's date may be from ours, either way: what AWS allows.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// A request as it came over the wire.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path as sent, still percent-encoded.
    pub path: &'a str,
    /// What stood after `?`, as sent; empty without one.
    pub query: &'a str,
    /// Names in any case, in the order of arrival.
    pub headers: &'a [(String, String)],
    /// The whole body.
    pub body: &'a [u8],
}

/// What a request is held against.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The secret access key.
    pub secret: String,
    /// The session token that goes with a temporary key.
    pub token: Option<String>,
}

/// Where a signature has to be meant for.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `us-east-1`, …
    pub region: &'a str,
    /// `es` for a domain.
    pub service: &'a str,
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No `Authorization: AWS4-HMAC-SHA256 …`.
    Unsigned,
    /// The header is there and cannot be read, or leaves out what must be signed.
    Incomplete(String),
    /// Signed for another region, service or day.
    Scope(String),
    /// Too old, or from the future.
    Date(String),
    /// The session token is missing, or another one.
    Token,
    /// The body is not the one that was signed.
    Payload,
    /// The signature is another one. Holds the canonical request that was expected.
    Signature(String),
}

/// The `Authorization` header, taken apart.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose key it claims to be signed with.
    pub access_key: String,
    scope: String,
    signed: Vec<String>,
    signature: String,
}

impl Claim {
    /// Reads who claims to have signed `request`.
    pub fn of(request: &Request<'_>) -> Result<Self, Refusal> {
        let header = request.header("authorization").ok_or(Refusal::Unsigned)?;
        let parts = header.strip_prefix("AWS4-HMAC-SHA256").ok_or(Refusal::Unsigned)?;
        let part = |name: &str| {
            parts
                .split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| Refusal::Incomplete(format!("Authorization header requires '{name}' parameter.")))
        };
        let (access_key, scope) = part("Credential")?
            .split_once('/')
            .ok_or_else(|| Refusal::Incomplete("Credential must be KEY/DATE/REGION/SERVICE/aws4_request.".into()))?;
        Ok(Self {
            access_key: access_key.to_owned(),
            scope: scope.to_owned(),
            signed: part("SignedHeaders")?.split(';').map(str::to_owned).collect(),
            signature: part("Signature")?.to_owned(),
        })
    }

    /// Whether whoever holds `credential` signed exactly this request for `scope`, about `now`.
    pub fn check(
        &self,
        request: &Request<'_>,
        credential: &Credential,
        scope: Scope<'_>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let date = request.header("x-amz-date").ok_or_else(|| {
            Refusal::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into(),
            )
        })?;
        let token = request.header("x-amz-security-token");
        for name in ["host", "x-amz-date"].into_iter().chain(token.is_some().then_some("x-amz-security-token")) {
            if !self.signed.iter().any(|signed| signed == name) {
                return Err(Refusal::Incomplete(format!(
                    "'{name}' must be a 'SignedHeader' in the AWS Authorization."
                )));
            }
        }
        let expected = format!("{}/{}/{}/aws4_request", date.get(..8).unwrap_or(date), scope.region, scope.service);
        if self.scope != expected {
            return Err(Refusal::Scope(format!(
                "Credential should be scoped to '{expected}', not to '{}'.",
                self.scope
            )));
        }
        let signed_at = DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .and_then(|date| TimeZone::UTC.to_timestamp(date))
            .map_err(|_| Refusal::Date(format!("Date must be in ISO-8601 'basic format'. Got '{date}'.")))?;
        if now.duration_since(signed_at).abs() > SKEW {
            return Err(Refusal::Date(format!("Signature expired: {date} is more than 5 minutes from {now}.")));
        }
        if token != credential.token.as_deref() {
            return Err(Refusal::Token);
        }
        if request.header("x-amz-content-sha256").is_some_and(|claimed| claimed != hex(&Sha256::digest(request.body))) {
            return Err(Refusal::Payload);
        }
        let canonical = request.canonical(&self.signed);
        if !same(&signature(&credential.secret, date, &self.scope, &canonical), &self.signature) {
            return Err(Refusal::Signature(canonical));
        }
        Ok(())
    }
}

impl<'a> Request<'a> {
    fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(this, _)| this.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The text that is signed in place of the request.
    fn canonical(&self, signed: &[String]) -> String {
        let mut text = format!("{}\n{}\n{}\n", self.method, canonical_path(self.path), canonical_query(self.query));
        for name in signed {
            let values: Vec<String> = self
                .headers
                .iter()
                .filter(|(this, _)| this.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            let _ = writeln!(text, "{name}:{}", values.join(","));
        }
        text + "\n" + &signed.join(";") + "\n" + &hex(&Sha256::digest(self.body))
    }
}

fn signature(secret: &str, date: &str, scope: &str, canonical: &str) -> String {
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part);
    }
    hex(&hmac(&key, &text))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Whether two texts are equal, without telling by the time where they differ.
fn same(ours: &str, theirs: &str) -> bool {
    ours.len() == theirs.len() && ours.bytes().zip(theirs.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `.`, `..` and empty segments resolved, then each byte encoded once more: what every service but S3 does.
fn canonical_path(path: &str) -> String {
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(encode(other.as_bytes())),
        }
    }
    let slash = if segments.is_empty() || !path.ends_with('/') { "" } else { "/" };
    format!("/{}{slash}", segments.join("/"))
}

/// Names and values decoded, encoded AWS's way, and sorted.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name)), encode(&decode(value)))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%')
            .then(|| after.split_at_checked(2))
            .flatten()
            .and_then(|(digits, after)| Some((u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?, after)));
        let (byte, after) = escaped.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write as _, path::Path};

    const SCOPE: Scope<'static> = Scope { region: "us-east-1", service: "service" };

    fn now() -> Timestamp {
        "2015-08-30T12:36:30Z".parse().unwrap()
    }

    fn credential() -> Credential {
        Credential { secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(), token: None }
    }

    /// A request of AWS's test suite: the head's lines, a blank one, the body.
    struct Vector {
        method: String,
        path: String,
        query: String,
        headers: Vec<(String, String)>,
        body: String,
    }

    impl Vector {
        fn read(request: &Path) -> Self {
            let text = fs::read_to_string(request).unwrap().replace("\r\n", "\n");
            let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
            let mut lines = head.lines();
            let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
            let target = rest.strip_suffix(" HTTP/1.1").unwrap();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            let mut headers: Vec<_> =
                lines.map(|line| line.split_once(':').unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
            headers.push((
                "Authorization".into(),
                fs::read_to_string(request.with_extension("authz")).unwrap().trim().to_owned(),
            ));
            Self { method: method.into(), path: path.into(), query: query.into(), headers, body: body.into() }
        }

        fn request(&self) -> Request<'_> {
            Request {
                method: &self.method,
                path: &self.path,
                query: &self.query,
                headers: &self.headers,
                body: self.body.as_bytes(),
            }
        }

        fn check(&self, credential: &Credential, scope: Scope<'_>, now: Timestamp) -> Result<(), Refusal> {
            Claim::of(&self.request())?.check(&self.request(), credential, scope, now)
        }
    }

    fn requests(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                requests(&path, into);
            } else if path.extension().is_some_and(|extension| extension == "req") {
                into.push(path);
            }
        }
    }

    #[test]
    fn every_vector_of_aws_is_accepted() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/sigv4");
        if !corpus.is_dir() {
            let _ = writeln!(std::io::stderr(), "skipped: there is no {}", corpus.display());
            return;
        }
        let mut files = Vec::new();
        requests(&corpus, &mut files);
        assert!(files.len() >= 18, "only {} vectors", files.len());
        for file in files {
            let vector = Vector::read(&file);
            let token = vector.request().header("x-amz-security-token").map(str::to_owned);
            let held = Credential { token, ..credential() };
            assert_eq!(vector.check(&held, SCOPE, now()), Ok(()), "{}", file.display());
        }
    }

    /// Our own request, signed for the day of the vectors.
    fn signed(body: &str) -> Vector {
        let mut vector = Vector {
            method: "POST".into(),
            path: "/logs-2015.08.30/_bulk".into(),
            query: "filter_path=errors%2Citems".into(),
            headers: vec![
                ("host".into(), "localhost".into()),
                ("x-amz-date".into(), "20150830T123600Z".into()),
                ("x-amz-security-token".into(), "TOKEN".into()),
            ],
            body: body.into(),
        };
        let names = ["host", "x-amz-date", "x-amz-security-token"].map(str::to_owned);
        let scope = "20150830/us-east-1/service/aws4_request";
        let signature = signature(&credential().secret, "20150830T123600Z", scope, &vector.request().canonical(&names));
        vector.headers.push((
            "authorization".into(),
            format!(
                "AWS4-HMAC-SHA256 Credential=ASIA1/{scope},SignedHeaders={},Signature={signature}",
                names.join(";")
            ),
        ));
        vector
    }

    fn with_token() -> Credential {
        Credential { token: Some("TOKEN".into()), ..credential() }
    }

    #[test]
    fn the_holder_of_the_secret_is_let_in() {
        assert_eq!(signed("{}").check(&with_token(), SCOPE, now()), Ok(()));
        assert_eq!(Claim::of(&signed("{}").request()).unwrap().access_key, "ASIA1");
    }

    #[test]
    fn another_secret_is_refused() {
        let other = Credential { secret: "another".into(), ..with_token() };
        assert!(matches!(signed("{}").check(&other, SCOPE, now()), Err(Refusal::Signature(_))));
    }

    #[test]
    fn another_body_path_query_or_method_is_refused() {
        let changes: [fn(&mut Vector); 4] = [
            |vector| vector.body.push(' '),
            |vector| vector.path.push('x'),
            |vector| vector.query.push('x'),
            |vector| vector.method = "PUT".into(),
        ];
        for change in changes {
            let mut vector = signed("{}");
            change(&mut vector);
            assert!(matches!(vector.check(&with_token(), SCOPE, now()), Err(Refusal::Signature(_))));
        }
    }

    #[test]
    fn a_body_that_differs_from_its_declared_hash_is_refused() {
        let mut vector = signed("{}");
        vector.headers.push(("x-amz-content-sha256".into(), hex(&Sha256::digest("{ }"))));
        assert_eq!(vector.check(&with_token(), SCOPE, now()), Err(Refusal::Payload));
    }

    #[test]
    fn an_old_or_early_date_is_refused() {
        for moment in ["2015-08-30T12:41:01Z", "2015-08-30T12:30:59Z"] {
            let outcome = signed("{}").check(&with_token(), SCOPE, moment.parse().unwrap());
            assert!(matches!(outcome, Err(Refusal::Date(_))), "{outcome:?}");
        }
    }

    #[test]
    fn a_session_without_its_token_or_with_another_is_refused() {
        for token in [None, Some("OTHER".into())] {
            let held = Credential { token, ..credential() };
            assert_eq!(signed("{}").check(&held, SCOPE, now()), Err(Refusal::Token));
        }
    }

    #[test]
    fn a_signature_for_another_service_or_region_is_refused() {
        for scope in [Scope { service: "s3", ..SCOPE }, Scope { region: "eu-west-1", ..SCOPE }] {
            assert!(matches!(signed("{}").check(&with_token(), scope, now()), Err(Refusal::Scope(_))));
        }
    }

    #[test]
    fn what_must_be_signed_and_is_not_is_refused() {
        let mut vector = signed("{}");
        let authorization = &mut vector.headers.last_mut().unwrap().1;
        *authorization = authorization.replace("host;", "");
        assert!(matches!(vector.check(&with_token(), SCOPE, now()), Err(Refusal::Incomplete(_))));
        vector.headers.pop();
        assert_eq!(Claim::of(&vector.request()).unwrap_err(), Refusal::Unsigned);
    }
}
