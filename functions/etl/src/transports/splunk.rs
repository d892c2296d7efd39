//! `Splunk`: the HTTP event collector.
//!
//! Imports: `build`, `component`, `event`, `late`, `need`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    request::{Request, Requests, host_mistake, status},
    values::ValueConfig,
};
use crate::{
    build::{BuildCx, BuildError},
    component::{Component, Mistake},
    event::{Event, Fault},
    late::Late,
    need::Need,
    ports::Answer,
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::Write as _;

/// Posts events to Splunk's HTTP event collector, with their time.
///
/// The time is the event's own if an operation found it, else that of its arrival.
///
/// # Delivery
///
/// As `HTTP` does it: at least once, in any order; what is refused for now is repeated, and what is not taken in time is handed back to
/// the trigger. Splunk answers 200 when it has queued a request, and that counts as delivered: acknowledgement (`useACK`) is not waited
/// for.
///
/// # Unlike Bender
///
/// - Certificates are checked. (Bender checks none, and whoever stands between reads the token.)
/// - `index` is escaped. (In Bender it is not.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct Splunk {
    /// Name of the host.
    #[builder(into)]
    pub hostname: Late<String>,
    /// Token of the collector.
    pub auth_token: ValueConfig,
    /// Index that events go to; by default the token's own.
    #[builder(into)]
    pub index: Option<Late<String>>,
    /// How requests are made.
    #[serde(flatten)]
    #[builder(default)]
    pub requests: Requests,
}

impl Component for Splunk {
    const NAME: &'static str = "Splunk";
    const EXAMPLE: &'static str = "type: Splunk\nhostname: <SPLUNK_HOST>\nport: 8088\nauth_token:\n  type: SecretsManagerValue\n  \
                                   secret_id: splunk\n  json_key: token\nindex: main\n";

    fn needs(&self) -> Vec<Need> {
        self.requests.needs([&self.auth_token])
    }

    fn check(&self) -> Vec<Mistake> {
        host_mistake(&self.hostname).into_iter().collect()
    }
}

impl Transport for Splunk {
    type State = State;

    fn limits(&self) -> Limits {
        self.requests.limits()
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<State, BuildError> {
        let request = self.requests.to(&self.hostname, "/services/collector");
        let index = |index: &Late<String>| {
            let index = index.now().map(|index| serde_json::Value::from(index.as_str()).to_string());
            format!("\"index\":{},", index.unwrap_or_default())
        };
        Ok(State {
            request: request.with_header("Authorization", "Splunk", &self.auth_token),
            head: format!("{{{}\"event\":", self.index.as_ref().map(index).unwrap_or_default()),
        })
    }

    fn head(&self, state: &mut State, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.extend_from_slice(state.head.as_bytes());
        Ok(())
    }

    fn tail(&self, _: &mut State, event: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        let time = event.facts.event_ms();
        let sign = if time < 0 { "-" } else { "" };
        let (seconds, millis) = (time.unsigned_abs() / 1000, time.unsigned_abs() % 1000);
        // Writing to memory cannot fail.
        let _ = write!(out, ",\"time\": {sign}{seconds}.{millis:03}}}");
        Ok(())
    }

    fn call(&self, state: &mut State, load: &Load<'_>) -> Next {
        state.request.send(load.packed)
    }

    fn judge(&self, state: &mut State, _: &Load<'_>, answer: &Answer) -> Verdict {
        state.request.judge(answer, status)
    }
}

/// What is the same for all events.
#[derive(Debug)]
pub struct State {
    request: Request,
    /// What stands before an event.
    head: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        testing::{frame, http},
    };

    fn config(settings: &str) -> Splunk {
        let text = format!(r#"{{"hostname":"h","auth_token":{{"type":"StringValue","value":"tok"}}{settings}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_event_has_its_time_in_seconds_and_perhaps_an_index() {
        let framed = |settings: &str, time_ms| {
            frame(&config(settings), &mut Facts { time_ms: Some(time_ms), ..Facts::default() }, "{}").unwrap()
        };
        assert_eq!(framed("", 1_700_000_000_007), r#"{"event":EVENT,"time": 1700000000.007}"#);
        assert_eq!(framed(r#","index":"a\"b""#, -1), r#"{"index":"a\"b","event":EVENT,"time": -0.001}"#);
    }

    #[test]
    fn the_token_is_a_header() {
        let call = http(&config(r#","port":8088"#), b"", &[]);
        assert_eq!(call.url, "https://h:8088/services/collector");
        let (name, value) = call.headers.last().unwrap();
        assert_eq!((name.as_str(), value.reveal()), ("Authorization", "Splunk tok"));
    }
}
