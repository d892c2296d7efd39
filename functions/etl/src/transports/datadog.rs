//! `Datadog`: logs over TCP.
//!
//! Imports: `build`, `component`, `event`, `need`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    secrets::Secrets,
    tcp::{Connections, judge},
    values::ValueConfig,
};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    need::Need,
    ports::{Answer, Secret},
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::iter;

/// Sends events to Datadog's log intake over TCP, one a line, each behind the key.
///
/// The key is never logged, and does not count for `max_buffer_size`. For acknowledged delivery use `HTTP` with Datadog's HTTP intake.
///
/// # Delivery
///
/// Each batch has a connection of its own, which is closed behind it. Datadog answers nothing: a batch is taken when all of it was
/// written and the connection was closed without a complaint. If that fails, all of the batch is sent again on a new connection, so
/// delivery is at least once; but what Datadog loses after it accepted the bytes, nobody is told. Batches go out at the same time, so
/// events may change their order. An event of more than `max_buffer_size` fails alone.
///
/// # Unlike Bender
///
/// - A connection is closed behind its batch, and a repetition takes a new one. (Bender never closes one, and repeats on the broken one.)
/// - An event that is too large fails alone. (In Bender all events behind it are lost, from 10 KiB on.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct Datadog {
    /// The key of the account.
    pub api_key: ValueConfig,
    /// How connections are made.
    #[serde(flatten)]
    pub connections: Connections,
}

impl Component for Datadog {
    const NAME: &'static str = "Datadog";
    const EXAMPLE: &'static str = "type: Datadog\nhostname: intake.logs.datadoghq.com\nport: 10516\napi_key:\n  type: SecretsManagerValue\n  \
                                   secret_id: datadog\n  json_key: api_key\nmax_buffer_size: 1048576\n";

    fn needs(&self) -> Vec<Need> {
        self.api_key.needs()
    }
}

/// The key.
#[derive(Debug)]
pub struct State(Secrets);

impl Transport for Datadog {
    type State = State;

    fn limits(&self) -> Limits {
        self.connections.limits()
    }

    fn state(&self, cx: &BuildCx<'_>) -> Result<State, BuildError> {
        self.connections.warn(cx, Self::NAME);
        Ok(State(Secrets::of([&self.api_key])))
    }

    fn tail(&self, _: &mut State, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, State(secrets): &mut State, load: &Load<'_>) -> Next {
        let send = || {
            let key = secrets.reveal(&self.api_key);
            self.connections.send(Secret::new(format!("{} ", key.reveal())), load)
        };
        secrets.missing().unwrap_or_else(send)
    }

    fn judge(&self, State(secrets): &mut State, _: &Load<'_>, answer: &Answer) -> Verdict {
        secrets.judge(answer, iter::once(&self.api_key)).unwrap_or_else(|| judge(answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ports::{Call, SecretPlace, Tls},
        testing::{call, judge},
    };

    fn config(settings: &str) -> Datadog {
        let text = format!(r#"{{"hostname":"h","port":10516{settings}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    const KEY: &str = r#","api_key":{"type":"StringValue","value":"KEY"}"#;

    #[test]
    fn the_key_stands_before_each_event_and_is_not_printed() {
        let Next::Call(Call::Tcp(tcp)) = call(&config(KEY), b"a\nb\n", &[2, 4]) else { panic!("a connection") };
        assert_eq!((tcp.host.as_str(), tcp.port, tcp.tls), ("h", 10516, Tls::Verified));
        assert_eq!((tcp.before_each.reveal(), tcp.units.len()), ("KEY ", 2));
        assert!(!format!("{tcp:?}").contains("KEY"));
    }

    #[test]
    fn a_key_in_the_parameter_store_is_read_before_the_first_connection() {
        let of = SecretPlace::Parameter { name: "/k".into(), region: None };
        let config = config(r#","api_key":{"type":"SsmValue","name":"/k"}"#);
        assert_eq!(call(&config, b"a\n", &[2]), Next::Call(Call::Secret(of.clone())));
        let told = Answer::Secret { of, value: Secret::new("K") };
        assert_eq!(judge(&config, b"a\n", &[2], &told), Verdict::More);
        let refused = Answer::Refused { code: "AccessDeniedException".into(), status: Some(400) };
        assert!(matches!(judge(&config, b"a\n", &[2], &refused), Verdict::Denied(_)));
    }

    #[test]
    fn a_broken_connection_sends_the_batch_again() {
        assert_eq!(judge(&config(KEY), b"a\n", &[2], &Answer::Done(None)), Verdict::Taken);
        let broken = Answer::Silence("Connection reset by peer (os error 104)".into());
        assert!(matches!(judge(&config(KEY), b"a\n", &[2], &broken), Verdict::Again(_)));
        let forged = Answer::Silence("invalid peer certificate: UnknownIssuer".into());
        assert!(matches!(judge(&config(KEY), b"a\n", &[2], &forged), Verdict::Denied(_)));
    }
}
