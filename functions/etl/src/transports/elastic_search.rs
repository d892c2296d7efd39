//! `ElasticSearch`, also called `OpenSearch`: documents by the bulk interface.
//!
//! Imports: `build`, `component`, `document_id`, `event`, `late`, `need`, `payload`, `ports`, `time`.

use super::{
    Limits, Load, Next, Transport, Verdict, bulk,
    defaults::late_yes,
    request::{Request, Sending, host_mistake},
    values::{AuthConfig, now},
};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    document_id::DocumentId,
    event::{Event, Facts, Fault},
    late::Late,
    need::{Need, Target},
    ports::Answer,
    time::java::JavaTime,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Write as _;

/// Delivers events as documents to Elasticsearch or OpenSearch, by the bulk interface.
///
/// # Delivery
///
/// Each document's own answer counts: what was taken is safe, what the far side cannot take now (429, 5xx) is sent again alone, and what
/// it will never take (a mapping that does not fit, a closed index) fails as an event. A request that is too large is sent again in
/// halves. Delivery is at least once: without an id of its own, a document whose answer is lost is there twice; with a `document_id` the
/// repetition overwrites it. Requests go out at the same time, but with an id that two events may share they go one after the other, so
/// the later one stays.
///
/// # Unlike Bender
///
/// - A document that the mapping refuses fails, and is counted. (Bender takes it for delivered, and loses it.)
/// - After a refusal only what was refused is sent again. (Bender sends the whole batch, and doubles what was taken.)
/// - `_type` is never sent. (Elasticsearch 8 and OpenSearch 2 refuse all that Bender sends.)
/// - Routing and index are escaped, and an event without partitions has no routing. (Bender's requests are no JSON when a value has a
///   quote in it.)
/// - Packed requests say that they are JSON. (Bender's are refused.)
/// - `document_id: origin` tells equal lines apart. (`use_hashid` makes one document of them.)
/// - Certificates are checked. (Bender checks none.)
/// - `UserPassAuth` stands beside `http_headers`. (In Bender it takes them away.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct ElasticSearch {
    /// Name of the host: `search-logs-abc.eu-west-1.es.amazonaws.com`.
    #[builder(into)]
    pub hostname: Late<String>,
    /// Port of the host.
    #[serde(default = "port")]
    #[builder(default = port(), into)]
    #[schemars(range(min = 1))]
    pub port: Late<u16>,
    /// Whether the connection is encrypted (TLS).
    #[serde(default = "late_yes")]
    #[builder(default = late_yes(), into)]
    pub use_ssl: Late<bool>,
    /// Name of the index, or what it begins with when there is an `index_time_format`.
    #[builder(into)]
    pub index: Late<String>,
    /// The event's own time, in UTC, is put behind `index` by this pattern of Joda's letters: `yyyy-MM-dd`. A late event goes to the index
    /// that its time belongs to, and meets its first copy there.
    #[schemars(extend("format" = "java-time"))]
    #[builder(into)]
    pub index_time_format: Option<String>,
    /// Taken for the sake of old configs; has no effect, as documents have no types any more.
    #[builder(into)]
    pub document_type: Option<String>,
    /// How a document gets its id; without it, the far side makes one, and an event that is delivered twice is two documents.
    ///
    /// `hash`: SHA-1 of the event as it was read; two events with the same text are one document. `origin`: made of where the event was read;
    /// two deliveries of one event are one document, two equal events are two. A path, such as `$.id`: what is there in the event as it is
    /// delivered, envelope included; an event with nothing there, or more than 512 bytes, fails.
    pub document_id: Option<DocumentId>,
    /// The same as `document_id: hash`.
    #[serde(default)]
    #[builder(default)]
    pub use_hashid: bool,
    /// Whether the event's partitions choose its shard: `k1=v1/k2=v2`. An event without partitions is left to the far side.
    #[serde(default)]
    #[builder(default)]
    pub use_partitions_for_routing: bool,
    /// What the member with the routing is called. (Bender's default is `_routing`, which only Elasticsearch before 7 takes.)
    #[serde(default = "routing")]
    #[builder(default = routing(), into)]
    pub routing_field_name: String,
    /// Path of the bulk interface.
    #[serde(default = "bulk_path")]
    #[builder(default = bulk_path(), into)]
    #[schemars(regex(pattern = "^/"))]
    pub bulk_api_path: String,
    /// How requests are sent.
    #[serde(flatten)]
    #[builder(default)]
    pub sending: Sending,
    /// How requests say who we are.
    pub auth_config: Option<AuthConfig>,
}

fn port() -> Late<u16> {
    9200.into()
}
fn routing() -> String {
    "routing".to_owned()
}
fn bulk_path() -> String {
    "/_bulk".to_owned()
}

impl Component for ElasticSearch {
    const NAME: &'static str = "ElasticSearch";
    const ALIASES: &'static [&'static str] = &["OpenSearch"];
    const EXAMPLE: &'static str = "type: OpenSearch\nhostname: <OPENSEARCH_HOST>\nport: 443\nindex: events-\nindex_time_format: yyyy-MM-dd\n\
                                   document_id: origin\nauth_config:\n  type: UrlSigningAuth\n  service: es\n";

    fn needs(&self) -> Vec<Need> {
        let signed = matches!(&self.auth_config, Some(AuthConfig::UrlSigningAuth { service, .. }) if service == "es");
        let need = || Need {
            actions: &["es:ESHttpPost"],
            on: Target::Domain { host: self.hostname.clone(), path: self.bulk_api_path.clone() },
        };
        let password = match &self.auth_config {
            Some(AuthConfig::UserPassAuth { password, .. }) => Some(password),
            Some(AuthConfig::UrlSigningAuth { .. }) | None => None,
        };
        signed.then(need).into_iter().chain(self.sending.needs(password)).collect()
    }

    fn check(&self) -> Vec<Mistake> {
        let mut mistakes: Vec<_> = host_mistake(&self.hostname).into_iter().collect();
        if self.index.now().is_some_and(|index| !is_index(index)) {
            let mistake = Mistake::new("index", "no index can have this name");
            mistakes.push(mistake.help(
                "write it in lower case, without blanks and any of `\\/*?\"<>|,#:`, not beginning with `-`, `_` or `+`",
            ));
        }
        if self.use_hashid && self.document_id.as_ref().is_some_and(|id| *id != DocumentId::Hash) {
            let mistake = Mistake::new("use_hashid", "`use_hashid` and `document_id` ask for different ids");
            mistakes.push(mistake.help("leave one of the two away"));
        }
        mistakes
    }
}

/// The far side's rule for the names of indices, as far as their beginning can tell.
fn is_index(name: &str) -> bool {
    let forbidden = |c: char| c.is_uppercase() || c.is_whitespace() || "\\/*?\"<>|,#:".contains(c);
    !name.contains(forbidden) && !name.starts_with(['-', '_', '+'])
}

/// What is the same for all documents, written once.
#[derive(Debug)]
pub struct State {
    request: Request,
    id: Option<DocumentId>,
    /// `"routing":`
    routing: Option<Vec<u8>>,
    /// `"_index":"events-`
    index: Vec<u8>,
    time: Option<JavaTime>,
    text: String,
}

impl Transport for ElasticSearch {
    type State = State;

    fn limits(&self) -> Limits {
        // Of two versions of one document the later one must come last.
        let ordered = matches!(self.id(), Some(id) if !id.is_of_content());
        Limits { ordered, ..self.sending.limits() }
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let wrong = |error| BuildError::new(format!("index_time_format: {error}"));
        let place = (
            self.use_ssl.now().copied().unwrap_or(true),
            &*now(&self.hostname),
            self.port.now().copied().unwrap_or(9200),
            &*self.bulk_api_path,
        );
        let request = self.sending.to(place, "application/json; charset=UTF-8", self.auth_config.clone());
        let mut index = format!("\"_index\":{}", quoted(&now(&self.index)));
        index.pop();
        Ok(State {
            request,
            id: self.id(),
            routing: self.use_partitions_for_routing.then(|| (quoted(&self.routing_field_name) + ":").into_bytes()),
            index: index.into_bytes(),
            time: self.index_time_format.as_deref().map(JavaTime::new).transpose().map_err(wrong)?,
            text: String::new(),
        })
    }

    fn head(&self, state: &mut State, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.extend_from_slice(b"{\"index\": {");
        if let Some(id) = &state.id {
            out.extend_from_slice(b"\"_id\":");
            quote(&id.of(event)?, out);
            out.push(b',');
        }
        if let Some(name) = &state.routing
            && route(event.facts, &mut state.text)
        {
            out.extend_from_slice(name);
            quote(&state.text, out);
            out.push(b',');
        }
        out.extend_from_slice(&state.index);
        if let Some(time) = &mut state.time {
            let text = time.write(event.facts.event_ms());
            // Text in quotes may need escaping.
            if text.contains(['"', '\\']) {
                out.extend_from_slice(quoted(text).trim_matches('"').as_bytes());
            } else {
                out.extend_from_slice(text.as_bytes());
            }
        }
        out.extend_from_slice(b"\"}}\n");
        Ok(())
    }

    fn tail(&self, _: &mut State, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, state: &mut State, load: &Load<'_>) -> Next {
        // Some 300 bytes for a document that is taken; refusals say more.
        let answer_bytes = (64 << 10) + 4096 * load.ends.len();
        state.request.post(load.packed, answer_bytes)
    }

    fn judge(&self, state: &mut State, load: &Load<'_>, answer: &Answer) -> Verdict {
        state.request.judge(answer, |status, body| bulk::judge(status, body, load.ends.len()))
    }

    fn wants_hash(&self) -> bool {
        self.id().is_some_and(|id| id.wants_hash())
    }
}

impl ElasticSearch {
    fn id(&self) -> Option<DocumentId> {
        self.document_id.clone().or(self.use_hashid.then_some(DocumentId::Hash))
    }
}

/// Writes the partitions as a routing value. Whether there are any.
fn route(facts: &Facts, text: &mut String) -> bool {
    text.clear();
    for (name, value) in facts.partitions() {
        let slash = if text.is_empty() { "" } else { "/" };
        text.extend([slash, name, "=", value.unwrap_or("null")]);
    }
    !text.is_empty()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn quote(text: &str, out: &mut Output) {
    if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing to memory cannot fail.
        let _ = out.write_all(quoted(text).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{frame, http};
    use bytes::Bytes;

    fn config(settings: &str) -> ElasticSearch {
        serde_json::from_str(&format!(r#"{{"hostname":"h","index":"logs-"{settings}}}"#)).unwrap()
    }

    fn facts() -> Facts {
        let partitions = vec![("a\"".into(), Some("x".to_owned())), ("b".into(), None)];
        Facts { time_ms: Some(1_700_000_000_000), hash: Some([b'0'; 40]), partitions, ..Facts::default() }
    }

    #[test]
    fn a_document_has_its_action_line_and_no_type() {
        let (mut facts, event) = (facts(), r#"{"id":"\u0041\"","n":7}"#);
        let mut head = |settings: &str| {
            let framed = frame(&config(settings), &mut facts, event).unwrap();
            framed.strip_suffix("EVENT\n").unwrap().to_owned()
        };
        assert_eq!(head(""), "{\"index\": {\"_index\":\"logs-\"}}\n");
        assert_eq!(
            head(r#","index_time_format":"yyyy-MM-dd","document_type":"t""#),
            "{\"index\": {\"_index\":\"logs-2023-11-14\"}}\n"
        );
        let zeros = "0".repeat(40);
        assert_eq!(
            head(r#","use_hashid":true"#),
            format!("{{\"index\": {{\"_id\":\"{zeros}\",\"_index\":\"logs-\"}}}}\n")
        );
        assert_eq!(head(r#","document_id":"$.id""#), "{\"index\": {\"_id\":\"A\\\"\",\"_index\":\"logs-\"}}\n");
        assert_eq!(head(r#","document_id":"n""#), "{\"index\": {\"_id\":\"7\",\"_index\":\"logs-\"}}\n");
        assert_eq!(
            head(r#","use_partitions_for_routing":true,"routing_field_name":"_routing""#),
            "{\"index\": {\"_routing\":\"a\\\"=x/b=null\",\"_index\":\"logs-\"}}\n"
        );
        assert_eq!(head(r#","index_time_format":"'\"'yyyy""#), "{\"index\": {\"_index\":\"logs-\\\"2023\"}}\n");
    }

    #[test]
    fn without_partitions_there_is_no_routing() {
        let config = config(r#","use_partitions_for_routing":true"#);
        assert_eq!(
            frame(&config, &mut Facts::default(), "{}").unwrap(),
            "{\"index\": {\"_index\":\"logs-\"}}\nEVENT\n"
        );
    }

    #[test]
    fn an_event_without_its_id_fails() {
        let fault = frame(&config(r#","document_id":"$.id""#), &mut Facts::default(), "{}").unwrap_err();
        assert_eq!(fault.reason, "there is nothing at the path of the id");
    }

    #[test]
    fn the_request_is_benders() {
        let call = http(&config(r#","port":443,"use_gzip":false,"bulk_api_path":"/x/_bulk""#), b"ab", &[1, 2]);
        assert_eq!((call.url.as_str(), call.body), ("https://h:443/x/_bulk", Bytes::from_static(b"ab")));
        assert_eq!(call.headers[0].1.reveal(), "application/json; charset=UTF-8");
    }

    #[test]
    fn settings_that_do_not_fit_together_are_mistakes() {
        let wrong = |settings: &str| config(settings).check().into_iter().map(|m| m.setting).collect::<Vec<_>>();
        assert_eq!(wrong(r#","use_hashid":true,"document_id":"origin""#), ["use_hashid"]);
        assert!(wrong(r#","use_hashid":true,"document_id":"hash""#).is_empty());
        let mut config = config("");
        (config.hostname, config.index) = ("https://h/".into(), "Logs".into());
        assert_eq!(config.check().iter().map(|m| &*m.setting).collect::<Vec<_>>(), ["hostname", "index"]);
    }

    #[test]
    fn only_signed_requests_need_a_permission() {
        assert!(config("").needs().is_empty());
        let need = &config(r#","auth_config":{"type":"UrlSigningAuth","service":"es"}"#).needs()[0];
        assert_eq!(
            (need.actions, &need.on),
            (&["es:ESHttpPost"][..], &Target::Domain { host: "h".into(), path: "/_bulk".into() })
        );
    }

    #[test]
    fn documents_with_ids_of_their_own_keep_their_order() {
        assert!(config(r#","document_id":"$.id""#).limits().ordered);
        assert!(!config(r#","document_id":"origin""#).limits().ordered);
        assert_eq!(config("").limits().retries, None, "as the time left allows");
    }
}
