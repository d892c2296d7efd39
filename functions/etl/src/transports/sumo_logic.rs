//! `SumoLogic`: an HTTP source of Sumo Logic.
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

/// Posts events to an HTTP source of Sumo Logic, one a line.
///
/// The token is the last part of the source's address, and is never logged.
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
pub struct SumoLogic {
    /// Name of the host: `endpoint1.collection.sumologic.com`.
    #[builder(into)]
    pub hostname: Late<String>,
    /// Token of the source: what follows `/receiver/v1/http/` in its address.
    pub auth_token: ValueConfig,
    /// How requests are made.
    #[serde(flatten)]
    #[builder(default)]
    pub requests: Requests,
}

impl Component for SumoLogic {
    const NAME: &'static str = "SumoLogic";
    const EXAMPLE: &'static str = "type: SumoLogic\nhostname: endpoint1.collection.sumologic.com\nauth_token:\n  type: SsmValue\n  name: \
                                   /pipelines/sumo-token\nuse_gzip: true\n";

    fn needs(&self) -> Vec<Need> {
        self.requests.needs([&self.auth_token])
    }

    fn check(&self) -> Vec<Mistake> {
        host_mistake(&self.hostname).into_iter().collect()
    }
}

impl Transport for SumoLogic {
    type State = Request;

    fn limits(&self) -> Limits {
        self.requests.limits()
    }

    fn state(&self, _: &BuildCx<'_>) -> Result<Request, BuildError> {
        Ok(self.requests.to(&self.hostname, "/receiver/v1/http/").ending_in(&self.auth_token))
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
    fn the_token_ends_the_address_and_is_not_printed() {
        let text = r#"{"hostname":"h","auth_token":{"type":"StringValue","value":"tok=="}}"#;
        let call = http(&serde_json::from_str::<SumoLogic>(text).unwrap(), b"", &[]);
        assert_eq!((call.url.as_str(), call.url_end.reveal()), ("https://h:443/receiver/v1/http/", "tok=="));
        assert!(!format!("{call:?}").contains("tok=="));
    }
}
