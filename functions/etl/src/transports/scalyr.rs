//! `Scalyr`: the `uploadLogs` interface of Scalyr (`DataSet`).
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

/// Posts events to Scalyr, one a line.
///
/// The token is in the address, as the interface wants it, and is never logged.
///
/// # Delivery
///
/// As `HTTP` does it: at least once, in any order; a 2xx is success, what is refused for now is repeated, and what is not taken in time
/// is handed back to the trigger.
///
/// # Unlike Bender
///
/// - Certificates are checked. (Bender checks none, and whoever stands between reads the token.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[schemars(extend("additionalProperties" = false))]
pub struct Scalyr {
    /// Name of the host.
    #[serde(default = "hostname")]
    #[builder(default = hostname(), into)]
    pub hostname: Late<String>,
    /// A key that may write logs.
    pub token: ValueConfig,
    /// Name of the parser that reads the lines.
    #[serde(default = "parser")]
    #[builder(default = parser(), into)]
    #[schemars(regex(pattern = "^[A-Za-z0-9_.~-]+$"))]
    pub parser: String,
    /// How requests are made.
    #[serde(flatten)]
    #[builder(default)]
    pub requests: Requests,
}

fn hostname() -> Late<String> {
    "www.scalyr.com".into()
}
fn parser() -> String {
    "json".to_owned()
}

impl Component for Scalyr {
    const NAME: &'static str = "Scalyr";
    const EXAMPLE: &'static str = "type: Scalyr\ntoken:\n  type: SsmValue\n  name: /pipelines/scalyr-token\n";

    fn needs(&self) -> Vec<Need> {
        self.requests.needs([&self.token])
    }

    fn check(&self) -> Vec<Mistake> {
        host_mistake(&self.hostname).into_iter().collect()
    }
}

impl Transport for Scalyr {
    type State = Request;

    fn limits(&self) -> Limits {
        self.requests.limits()
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Request, BuildError> {
        let path = format!("/api/uploadLogs?parser={}&token=", self.parser);
        Ok(self.requests.to(&self.hostname, &path).ending_in(&self.token))
    }

    fn tail(&self, _: &mut Request, _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }

    fn call(&self, request: &mut Request, load: &Load<'_>) -> Next {
        request.send(load.packed)
    }

    fn judge(&self, request: &mut Request, _: &Load<'_>, answer: &Answer) -> Verdict {
        request.judge(answer, status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http;

    #[test]
    fn parser_and_token_are_in_the_query() {
        let text = r#"{"token":{"type":"StringValue","value":"tok"},"parser":"accessLog"}"#;
        let call = http(&serde_json::from_str::<Scalyr>(text).unwrap(), b"", &[]);
        assert_eq!(call.url, "https://www.scalyr.com:443/api/uploadLogs?parser=accessLog&token=");
        assert_eq!(call.url_end.reveal(), "tok");
    }
}
