//! `RedactOperation`: events without what nobody should read in them.
//!
//! Imports: `build`, `component`, `event`, `field`, `late`, `pattern`, `payload`.

mod known;

pub use known::Known;

use super::Operation;
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault, Outcome},
    field,
    late::Late,
    pattern::{Exhausted, Groups, Pattern},
};
use bon::Builder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use payload::{ChangeError, Path, Payload, Replace};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{
    fmt::{self, Write as _},
    ops::Range,
};

const EXHAUSTED: Fault = Fault::new("a pattern takes too many steps on a text of the event");
/// Characters that a key has at least.
const KEY_LENGTH: usize = 16;

/// Takes out, masks or hashes what nobody should read: whole fields, or what an expression finds in texts.
///
/// | given | what is redacted |
/// | --- | --- |
/// | `fields` | the fields, whatever is in them |
/// | `patterns` or `detect` | what they find in any text of the event |
/// | both | what they find in texts of these fields, and in what is in them |
///
/// Names and numbers are not looked through: a card number that stands as a number is redacted by its field. A field that is missing or null
/// stays as it is. What several patterns find in one place is redacted once. A pattern that takes too many steps fails the event, so nothing
/// passes that was not looked at.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct RedactOperation {
    /// Paths of fields: `$.user.email`; also of several at once: `$.users[*].email`, `$..password`.
    #[serde(default)]
    #[builder(default)]
    #[schemars(extend("items" = { "type": "string", "format": "paths" }))]
    pub fields: Vec<String>,
    /// Regular expressions, Java's, that are looked for anywhere in a text.
    #[serde(default)]
    #[builder(default)]
    pub patterns: Vec<Pattern>,
    /// Kinds of personal data that are found by what they look like.
    #[serde(default)]
    #[builder(default)]
    pub detect: Vec<Known>,
    /// What is done.
    #[serde(default)]
    #[builder(default)]
    pub action: Redaction,
    /// For MASK: the text that takes the place of what is redacted; by default `***`.
    #[builder(into)]
    pub mask: Option<String>,
    /// For HASH: the secret key, of at least 16 characters. Write it as `<NAME>`, the value of an environment variable: what stands here itself
    /// can be read by everybody who reads the config.
    #[builder(into)]
    pub hash_key: Option<Late<String>>,
}

/// What is done with what is redacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Redaction {
    /// It is taken out: the field, or the part of the text.
    Remove,
    /// A fixed text takes its place.
    #[default]
    Mask,
    /// Its HMAC-SHA-256 takes its place, as 64 hexadecimal digits: equal values stay equal, and without the key nobody can try values out. A
    /// number is hashed as it is written, an object or array as compact JSON.
    Hash,
}

/// Without the key.
impl fmt::Debug for RedactOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fields, patterns, detect, action, mask, hash_key: _ } = self;
        let mut shown = f.debug_struct("RedactOperation");
        shown.field("fields", fields).field("patterns", patterns).field("detect", detect);
        shown.field("action", action).field("mask", mask).finish_non_exhaustive()
    }
}

impl Component for RedactOperation {
    const NAME: &'static str = "RedactOperation";
    const EXAMPLE: &'static str =
        "type: RedactOperation\nfields: [$.user.email, '$..clientIp']\naction: HASH\nhash_key: <REDACTION_KEY>\n";

    fn check(&self) -> Vec<Mistake> {
        let mut mistakes = vec![];
        let by_pattern = !self.patterns.is_empty() || !self.detect.is_empty();
        if self.fields.is_empty() && !by_pattern {
            let mistake = Mistake::new("", "nothing says what is redacted");
            mistakes.push(mistake.help("give `fields`, `patterns` or `detect`, or several of them"));
        }
        for (number, field) in self.fields.iter().enumerate() {
            if !by_pattern && Path::new(field).is_ok_and(|path| path.is_root()) {
                let mistake = Mistake::new(format!("fields[{number}]"), "this is the whole event");
                mistakes.push(mistake.help("name fields of it, or drop events by a filter"));
            }
        }
        if self.mask.is_some() && self.action != Redaction::Mask {
            let mistake = Mistake::new("mask", "no mask is put where `action` is not MASK");
            mistakes.push(mistake.help("take `mask` away, or set `action: MASK`"));
        }
        match (&self.hash_key, self.action) {
            (None, Redaction::Hash) => {
                let mistake =
                    Mistake::new("action", "HASH needs a key: hashes without one are undone by trying values out");
                mistakes.push(mistake.help("add `hash_key: <NAME>`, a secret of the environment"));
            }
            (Some(Late::Now(key)), Redaction::Hash) if key.chars().count() < KEY_LENGTH => {
                let mistake = Mistake::new("hash_key", format!("the key has fewer than {KEY_LENGTH} characters"));
                mistakes.push(mistake.help("make a long random one: `openssl rand -hex 32`"));
            }
            (Some(_), Redaction::Remove | Redaction::Mask) => {
                let mistake = Mistake::new("hash_key", "nothing is hashed where `action` is not HASH");
                mistakes.push(mistake.help("take `hash_key` away, or set `action: HASH`"));
            }
            _ => {}
        }
        mistakes
    }
}

/// What is used again for each event.
pub struct State {
    fields: Vec<Path>,
    finders: Vec<(Pattern, Option<Known>)>,
    action: Doing,
    groups: Groups,
    found: Vec<Range<usize>>,
}

enum Doing {
    Remove,
    Mask(String),
    Hash(Hmac<Sha256>),
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl Operation for RedactOperation {
    type State = State;

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let mut finders: Vec<_> = self.patterns.iter().map(|pattern| (pattern.clone(), None)).collect();
        for known in &self.detect {
            let pattern = known.pattern().map_err(|error| BuildError::new(error.message))?;
            finders.push((pattern, Some(*known)));
        }
        let mut fields = self.fields.iter().map(|path| field::places(path)).collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            fields.push(field::path("$")?);
        }
        let key = self.hash_key.as_ref().and_then(Late::now).map(String::as_bytes).unwrap_or_default();
        let hmac = || Hmac::new_from_slice(key).map_err(|_| BuildError::new("the key cannot be used"));
        let action = match self.action {
            Redaction::Remove => Doing::Remove,
            Redaction::Mask => Doing::Mask(self.mask.clone().unwrap_or_else(|| "***".to_owned())),
            Redaction::Hash => Doing::Hash(hmac()?),
        };
        Ok(State { fields, finders, action, groups: Groups::default(), found: vec![] })
    }

    fn perform(&self, state: &mut State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        if state.finders.is_empty() {
            for path in &state.fields {
                state.action.redact(&mut event.payload, path)?;
            }
            return Ok(Outcome::Pass);
        }
        let State { fields, finders, action, groups, found } = state;
        let mut exhausted = false;
        for path in fields {
            event.payload.replace(path, Replace::Strings, |value, out| {
                let Some(text) = value.as_str() else { return false };
                exhausted |= find(finders, groups, &text, found).is_err();
                if !found.is_empty() {
                    action.rewrite(&text, found, out);
                }
                !found.is_empty()
            })?;
        }
        if exhausted { Err(EXHAUSTED) } else { Ok(Outcome::Pass) }
    }
}

/// All that is to be redacted in a text, in order and apart from each other.
fn find(
    finders: &[(Pattern, Option<Known>)],
    groups: &mut Groups,
    text: &str,
    found: &mut Vec<Range<usize>>,
) -> Result<(), Exhausted> {
    found.clear();
    for (pattern, known) in finders {
        let mut at = 0;
        while pattern.find_groups(text, at, groups)? {
            let Some(span) = groups.span(0) else { break };
            at = if span.is_empty() { text.ceil_char_boundary(span.end + 1) } else { span.end };
            match known {
                Some(known) => known.add(text, span, found),
                None if span.is_empty() => {}
                None => found.push(span),
            }
            if at >= text.len() {
                break;
            }
        }
    }
    found.sort_unstable_by_key(|span| (span.start, span.end));
    found.dedup_by(|next, last| {
        let overlap = next.start < last.end;
        if overlap {
            last.end = last.end.max(next.end);
        }
        overlap
    });
    Ok(())
}

impl Doing {
    /// Redacts all that is at a path.
    fn redact(&self, payload: &mut Payload<'_>, path: &Path) -> Result<(), Fault> {
        let done = match self {
            Self::Remove => payload.remove(path).map(drop),
            _ => payload
                .replace(path, Replace::Values, |value, out| {
                    self.write(&value.to_text(), out);
                    !value.is_null()
                })
                .map(drop),
        };
        match done {
            Ok(()) | Err(ChangeError::WrongParent(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a text with other things in place of what was found.
    fn rewrite(&self, text: &str, found: &[Range<usize>], out: &mut String) {
        let mut at = 0;
        for span in found {
            out.push_str(text.get(at..span.start).unwrap_or_default());
            self.write(text.get(span.clone()).unwrap_or_default(), out);
            at = span.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
    }

    /// Writes what takes the place of a text.
    fn write(&self, text: &str, out: &mut String) {
        match self {
            Self::Remove => {}
            Self::Mask(mask) => out.push_str(mask),
            Self::Hash(hmac) => {
                let digest = hmac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
                for byte in digest {
                    // Writing to memory cannot fail.
                    let _ = write!(out, "{byte:02x}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        late::EnvName,
        testing::{assert_becomes, assert_fails, document, perform, sorted},
    };
    use proptest::prelude::*;

    fn fields(action: Redaction, fields: &[&str]) -> RedactOperation {
        let fields = fields.iter().map(|&field| field.to_owned()).collect();
        let key = (action == Redaction::Hash).then(|| Late::from("0123456789abcdef"));
        RedactOperation::builder().fields(fields).action(action).maybe_hash_key(key).build()
    }

    fn patterns(action: Redaction, patterns: &[&str]) -> RedactOperation {
        let patterns = patterns.iter().map(|pattern| Pattern::new(pattern).unwrap()).collect();
        RedactOperation { patterns, ..fields(action, &[]) }
    }

    #[test]
    fn fields_are_taken_out_masked_or_hashed_whatever_is_in_them() {
        let text = r#"{"a":{"pw":"x","n":1.50},"list":[{"pw":null},{"pw":[1]}],"b":2}"#;
        let remove = fields(Redaction::Remove, &["$..pw", "$.b", "$.none", "$.b.none"]);
        assert_becomes(&remove, text, r#"{"a":{"n":1.50},"list":[{},{}]}"#);
        let mask = fields(Redaction::Mask, &["$.a", "$..pw"]);
        assert_becomes(&mask, text, r#"{"a":"***","list":[{"pw":null},{"pw":"***"}],"b":2}"#);
        // By OpenSSL: `printf 2 | openssl dgst -sha256 -hmac 0123456789abcdef`.
        let two = "c6c718d2551697a7b265a3113e04b08bc61170ba215a06859adb6eedebb966b8";
        assert_becomes(&fields(Redaction::Hash, &["b"]), r#"{"b":2}"#, &format!(r#"{{"b":"{two}"}}"#));
        assert_becomes(&fields(Redaction::Hash, &["b"]), r#"{"b":"2"}"#, &format!(r#"{{"b":"{two}"}}"#));
    }

    #[test]
    fn what_patterns_find_is_redacted_in_every_text_and_once() {
        let masked = patterns(Redaction::Mask, &[r"\d{3,}", r"id=\d+", "x*"]);
        assert_becomes(
            &masked,
            r#"{"id=1":["é id=1234, 567",{"t":"a\n99 xx"}],"n":1234}"#,
            r#"{"id=1":["é ***, ***",{"t":"a\n99 ***"}],"n":1234}"#,
        );
        assert_becomes(&patterns(Redaction::Remove, &["b+"]), r#"{"a":"abbbc","b":""}"#, r#"{"a":"ac","b":""}"#);
        let only = RedactOperation { fields: vec!["$.a".into()], ..patterns(Redaction::Mask, &["b"]) };
        assert_becomes(&only, r#"{"a":{"t":["b"]},"b":"b"}"#, r#"{"a":{"t":["***"]},"b":"b"}"#);
        assert_fails(
            &patterns(Redaction::Mask, &[r"((a+)\2?)+b"]),
            &format!(r#"{{"a":"{}"}}"#, "a".repeat(60)),
            EXHAUSTED.reason,
        );
    }

    #[test]
    fn personal_data_are_known_by_what_they_look_like() {
        let all = vec![Known::Email, Known::Ipv4, Known::CreditCard];
        let operation = RedactOperation::builder().detect(all).mask("_").build();
        for (text, expected) in [
            ("mail ada.b+c@mail.example.co.uk!", "mail _!"),
            ("from 81.2.69.142:80 to 10.0.0.1", "from _:80 to _"),
            ("v1.2.3 at 12:30, 999.1.1.1", "v1.2.3 at 12:30, 999.1.1.1"),
            ("paid by 4111-1111-1111-1111, order 4111111111111112", "paid by _, order 4111111111111112"),
            ("a@b, @x.org, 2024-05-01T00:00:00.123Z", "a@b, @x.org, 2024-05-01T00:00:00.123Z"),
        ] {
            let [event, expected] = [text, expected].map(|text| serde_json::json!({ "m": text }).to_string());
            assert_becomes(&operation, &event, &expected);
        }
    }

    #[test]
    fn settings_that_do_not_go_together_are_told() {
        let told = |operation: &RedactOperation| {
            operation.check().into_iter().map(|mistake| mistake.setting).collect::<Vec<_>>()
        };
        assert_eq!(told(&fields(Redaction::Mask, &[])), [""]);
        assert_eq!(told(&fields(Redaction::Mask, &["$"])), ["fields[0]"]);
        assert_eq!(told(&RedactOperation { mask: Some("x".into()), ..fields(Redaction::Remove, &["a"]) }), ["mask"]);
        assert_eq!(told(&RedactOperation { hash_key: None, ..fields(Redaction::Hash, &["a"]) }), ["action"]);
        let keyed = |key: Late<String>, action| RedactOperation { hash_key: Some(key), ..fields(action, &["a"]) };
        assert_eq!(told(&keyed("short".into(), Redaction::Hash)), ["hash_key"]);
        assert_eq!(told(&keyed("0123456789abcdef".into(), Redaction::Mask)), ["hash_key"]);
        assert_eq!(told(&keyed(EnvName::new("KEY").unwrap().into(), Redaction::Hash)), Vec::<String>::new());
        assert!(!format!("{:?}", keyed("the secret".into(), Redaction::Hash)).contains("secret"));
    }

    proptest! {
        /// Where there is nothing to redact, an event stays byte for byte; where there is, nothing of it is left in any text.
        #[test]
        fn what_is_redacted_is_gone_and_nothing_else_is(text in document()) {
            let stays = perform(&patterns(Redaction::Hash, &["never there"]), &mut Facts::default(), &text).unwrap().unwrap();
            prop_assert_eq!(sorted(&stays), sorted(&text));
            for action in [Redaction::Mask, Redaction::Remove] {
                let operation = patterns(action, &["[a-z]", r"\d"]);
                let once = perform(&operation, &mut Facts::default(), &text).unwrap().unwrap();
                prop_assert_eq!(&perform(&operation, &mut Facts::default(), &once).unwrap().unwrap(), &once);
                let mut arena = payload::Arena::new();
                let event = arena.parse_slice(once.as_bytes()).unwrap();
                for value in event.find_all(&Path::new("$..*").unwrap()) {
                    let text = value.as_str().unwrap_or_default();
                    prop_assert!(!text.contains(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit()), "{}", text);
                }
            }
        }
    }
}
