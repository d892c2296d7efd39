//! The function's own tags, which `include_function_tags` makes tags of all metrics.

use crate::{ask::ask, env::Env};
use bytes::Bytes;
use etl::ports::{Answer, Auth, Call, Calls, HttpCall, Secret};
use serde_json::Value;
use std::collections::BTreeMap;

/// Lambda's `ListTags`, sorted by key.
///
/// # Errors
/// In a few words, for the log.
pub(crate) fn read(calls: &dyn Calls, env: &Env, invoked_arn: &str) -> Result<Vec<(String, String)>, String> {
    let call = HttpCall {
        method: "GET",
        url: address(env, invoked_arn),
        url_end: Secret::default(),
        headers: Vec::new(),
        body: Bytes::new(),
        auth: Auth::SigV4 { service: "lambda".to_owned(), region: None },
        http2: false,
        answer_bytes: 64 << 10,
    };
    match ask(calls, Call::Http(call)) {
        Answer::Http { status: 200, body } => tags(&body).ok_or_else(|| "an answer without tags".to_owned()),
        Answer::Http { status, .. } => Err(format!("HTTP {status}: the function's role needs lambda:ListTags")),
        Answer::Silence(why) => Err(why),
        _ => Err("no answer".to_owned()),
    }
}

fn address(env: &Env, invoked_arn: &str) -> String {
    // Tags are the function's, not an alias's: `arn:aws:lambda:region:account:function:name`.
    let arn: Vec<&str> = invoked_arn.split(':').take(7).collect();
    let part = |at: usize| arn.get(at).copied().unwrap_or_default();
    let end = if part(1) == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let own = format!("https://lambda.{}.{end}", part(3));
    let endpoint = env.set("AWS_ENDPOINT_URL_LAMBDA").or_else(|| env.set("AWS_ENDPOINT_URL")).unwrap_or(&own);
    format!("{}/2017-03-31/tags/{}", endpoint.trim_end_matches('/'), arn.join("%3A"))
}

fn tags(body: &[u8]) -> Option<Vec<(String, String)>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let tags = answer.get("Tags")?.as_object()?;
    let tags: BTreeMap<_, _> =
        tags.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect();
    Some(tags.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use etl::ports::Ticket;
    use std::{sync::mpsc, time::Duration};

    struct Lambda(Answer);

    impl Calls for Lambda {
        fn start(&self, ticket: Ticket, call: Call, _: Duration, answers: &mpsc::Sender<(Ticket, Answer)>) {
            let Call::Http(call) = call else { panic!() };
            let arn = "arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Aetl";
            assert_eq!(call.url, format!("https://lambda.eu-west-1.amazonaws.com/2017-03-31/tags/{arn}"));
            answers.send((ticket, self.0.clone())).unwrap();
        }
    }

    fn ask(status: u16, body: &'static str) -> Result<Vec<(String, String)>, String> {
        let lambda = Lambda(Answer::Http { status, body: Bytes::from_static(body.as_bytes()) });
        read(&lambda, &Env::default(), "arn:aws:lambda:eu-west-1:111122223333:function:etl:prod")
    }

    #[test]
    fn the_tags_are_those_of_the_function_that_an_alias_points_at() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            ask(200, r#"{"Tags":{"team":"logs","env":"prod"}}"#),
            Ok(vec![tag("env", "prod"), tag("team", "logs")])
        );
    }

    #[test]
    fn a_refusal_says_what_is_needed() {
        assert!(ask(403, "{}").unwrap_err().contains("lambda:ListTags"));
        assert_eq!(ask(200, "<html>"), Err("an answer without tags".to_owned()));
    }

    #[test]
    fn an_emulator_and_china_have_their_own_addresses() {
        let arn = "arn:aws-cn:lambda:cn-north-1:111122223333:function:etl";
        assert!(address(&Env::default(), arn).starts_with("https://lambda.cn-north-1.amazonaws.com.cn/"));
        let local = Env::from([("AWS_ENDPOINT_URL", "http://localhost:5000/")]);
        assert!(address(&local, arn).starts_with("http://localhost:5000/2017-03-31/tags/arn%3Aaws-cn"));
    }
}
