//! `Gelf`: Graylog's log format over TCP.
//!
//! Imports: `build`, `component`, `event`, `payload`, `ports`.

use super::{
    Limits, Load, Next, Transport, Verdict,
    tcp::{Connections, judge},
};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Event, Fault},
    ports::{Answer, Secret},
};
use bon::Builder;
use payload::Output;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sends events to Graylog's GELF input over TCP, a zero byte behind each. `GelfOperation` makes an event what Graylog wants.
///
/// # Delivery
///
/// Each batch has a connection of its own, which is closed behind it. Graylog answers nothing: a batch is taken when all of it was
/// written and the connection was closed without a complaint. If that fails, all of the batch is sent again on a new connection, so
/// delivery is at least once; but what Graylog loses after it accepted the bytes, nobody is told. Batches go out at the same time, so
/// events may change their order. An event of more than `max_buffer_size` fails alone.
///
/// # Unlike Bender
///
/// - A connection is closed behind its batch, and a repetition takes a new one. (Bender never closes one, and repeats on the broken one.)
/// - An event that is too large fails alone. (In Bender all events behind it are lost, from 10 KiB on.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct Gelf {
    /// How connections are made.
    #[serde(flatten)]
    pub connections: Connections,
}

impl Component for Gelf {
    const NAME: &'static str = "Gelf";
    const EXAMPLE: &'static str = "type: Gelf\nhostname: <GRAYLOG_HOST>\nport: 12201\nmax_buffer_size: 1048576\n";
}

impl Transport for Gelf {
    type State = ();

    fn limits(&self) -> Limits {
        self.connections.limits()
    }

    fn state(&self, cx: &BuildCx<'_>) -> Result<(), BuildError> {
        self.connections.warn(cx, Self::NAME);
        Ok(())
    }

    fn tail(&self, (): &mut (), _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\0');
        Ok(())
    }

    fn call(&self, (): &mut (), load: &Load<'_>) -> Next {
        self.connections.send(Secret::default(), load)
    }

    fn judge(&self, (): &mut (), _: &Load<'_>, answer: &Answer) -> Verdict {
        judge(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        event::Facts,
        ports::{Call, Tls},
        testing::{call, frame},
    };

    #[test]
    fn a_zero_byte_ends_each_event() {
        let config = |settings: &str| -> Gelf {
            serde_json::from_str(&format!(r#"{{"hostname":"h","port":12201{settings}}}"#)).unwrap()
        };
        assert_eq!(frame(&config(""), &mut Facts::default(), "{}").unwrap(), "EVENT\0");
        let tls = |settings: &str| match call(&config(settings), b"a\0", &[2]) {
            Next::Call(Call::Tcp(tcp)) => tcp.tls,
            other => panic!("{other:?}"),
        };
        assert_eq!(tls(""), Tls::Verified);
        assert_eq!(tls(r#","verify_ssl":false"#), Tls::Unverified);
        assert_eq!(tls(r#","use_ssl":false"#), Tls::None);
    }

    #[test]
    fn settings_of_connections_bound_what_is_sent_and_how_often() {
        let settings = r#"{"hostname":"h","port":1,"max_buffer_size":2048,"threads":2,"retry_count":3,"retry_delay":70,"timeout":1500}"#;
        let limits = serde_json::from_str::<Gelf>(settings).unwrap().limits();
        assert_eq!((limits.bytes, limits.event_bytes, limits.threads, limits.retries), (2048, 2048, 2, Some(3)));
        assert_eq!((limits.retry_delay.as_millis(), limits.time_limit.as_millis()), (70, 1500));
    }
}
