//! Settings that all transports over plain TCP share, and the call that they make.
//!
//! Imports: `bounded`, `build`, `late`, `ports`.

use super::{
    Limits, Load, Next, Verdict,
    defaults::{late_yes, retry_delay, threads},
    silence,
    values::now,
};
use crate::{
    bounded::Bounded,
    build::BuildCx,
    late::Late,
    ports::{Answer, Call, Level, Secret, TcpCall, Tls},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How connections are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
pub struct Connections {
    /// Name of the host.
    #[builder(into)]
    pub hostname: Late<String>,
    /// Port of the host.
    #[builder(into)]
    #[schemars(range(min = 1))]
    pub port: Late<u16>,
    /// Whether the connection is encrypted (TLS).
    #[serde(default = "late_yes")]
    #[builder(default = late_yes(), into)]
    pub use_ssl: Late<bool>,
    /// Whether the host's certificate is checked. If not, whoever can stand between may read and change all; each start says so in the log.
    #[serde(default = "late_yes")]
    #[builder(default = late_yes(), into)]
    pub verify_ssl: Late<bool>,
    /// Bytes that are gathered before they are sent, on a connection of their own. An event of more bytes fails, and its neighbours go on.
    /// (In Bender it and all behind it are lost.)
    #[serde(default = "buffer")]
    #[builder(default = buffer())]
    pub max_buffer_size: Bounded<1024, 10_485_760>,
    /// Connections at the same time.
    #[serde(default = "threads")]
    #[builder(default = threads())]
    pub threads: Bounded<1, 256>,
    /// How often sending is repeated; by default, as often as the time that the invocation has left allows. (Bender does not repeat unless
    /// told to.)
    pub retry_count: Option<Bounded<0, 10>>,
    /// The wait before the first repetition, in milliseconds. It doubles from there.
    #[serde(default = "retry_delay")]
    #[builder(default = retry_delay())]
    pub retry_delay: Bounded<1, 60_000>,
    /// How long connecting and sending may take, in milliseconds.
    #[serde(default = "timeout")]
    #[builder(default = timeout())]
    pub timeout: Bounded<1000, 60_000>,
}

fn buffer() -> Bounded<1024, 10_485_760> {
    Bounded::of::<10_240>()
}
fn timeout() -> Bounded<1000, 60_000> {
    Bounded::of::<30_000>()
}

impl Connections {
    pub(super) fn limits(&self) -> Limits {
        let bytes = self.max_buffer_size.size();
        Limits {
            event_bytes: bytes,
            bytes,
            threads: self.threads.size(),
            by_partition: false,
            ordered: false,
            retries: self.retry_count.and_then(|count| u32::try_from(count.get()).ok()),
            retry_delay: Duration::from_millis(self.retry_delay.get()),
            time_limit: Duration::from_millis(self.timeout.get()),
            ..Limits::default()
        }
    }

    /// Says in the log when certificates are not to be checked.
    pub(super) fn warn(&self, cx: &BuildCx<'_>, transport: &str) {
        if self.tls() == Tls::Unverified {
            let fields: [(&'static str, &dyn std::fmt::Display); 2] =
                [("transport", &transport), ("host", &self.hostname)];
            cx.log.line(Level::Warn, "the far side's certificate is not checked: verify_ssl is false", &fields);
        }
    }

    fn tls(&self) -> Tls {
        let is = |setting: &Late<bool>| setting.now().copied().unwrap_or(true);
        match (is(&self.use_ssl), is(&self.verify_ssl)) {
            (false, _) => Tls::None,
            (true, true) => Tls::Verified,
            (true, false) => Tls::Unverified,
        }
    }

    pub(super) fn send(&self, before_each: Secret, load: &Load<'_>) -> Next {
        Next::Call(Call::Tcp(TcpCall {
            host: now(&self.hostname),
            port: self.port.now().copied().unwrap_or_default(),
            tls: self.tls(),
            before_each,
            units: load.units().collect(),
        }))
    }
}

/// What the end of a connection means.
pub(super) fn judge(answer: &Answer) -> Verdict {
    match answer {
        Answer::Done(_) => Verdict::Taken,
        answer => silence(answer),
    }
}
