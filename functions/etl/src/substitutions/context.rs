//! `ContextSubstitution`: what Lambda says about the invocation.
//!
//! Imports: `build`, `component`, `event`.

use super::{
    Key, Keys, Place, Substitution,
    selection::{object, selected},
    yes,
};
use crate::{
    build::{BuildCx, BuildError},
    component::Component,
    event::{Context, Event, Fault},
};
use bon::Builder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Puts an object under a key that says by which invocation the event was handled: `functionName`, `functionVersion`, `awsRequestId`,
/// `invokedFunctionArn`, `logGroupName`, `logStreamName`. What is not known is left out.
///
/// # Unlike Bender
///
/// - Every substitution sees all of it. (In Bender `includes` and `excludes` also take it away from those that follow.)
/// - Members that begin with `clientContext` are not here, as no trigger has any. (Bender knows them.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Builder)]
#[serde(deny_unknown_fields)]
pub struct ContextSubstitution {
    /// Path of the field to set; in a `NestedSubstitution`, the name of the member. Where its parent is missing, nothing is set.
    #[builder(into)]
    pub key: String,
    /// The members to write; all of them if none is named. Names that there are not are passed over.
    #[serde(default)]
    #[builder(default)]
    pub includes: Vec<String>,
    /// Members not to write.
    #[serde(default)]
    #[builder(default)]
    pub excludes: Vec<String>,
    /// Taken for the sake of old configs; has no effect, as in Bender.
    #[serde(default = "yes")]
    #[builder(default = true)]
    pub fail_dst_not_found: bool,
}

const MEMBERS: [&str; 6] =
    ["functionName", "functionVersion", "awsRequestId", "invokedFunctionArn", "logGroupName", "logStreamName"];

fn member<'c>(context: &'c Context, name: &str) -> Option<&'c str> {
    match name {
        "functionName" => context.function_name.as_deref(),
        "functionVersion" => context.function_version.as_deref(),
        "awsRequestId" => context.aws_request_id.as_deref(),
        "invokedFunctionArn" => context.invoked_function_arn.as_deref(),
        "logGroupName" => context.log_group_name.as_deref(),
        _ => context.log_stream_name.as_deref(),
    }
}

impl Component for ContextSubstitution {
    const NAME: &'static str = "ContextSubstitution";
    const EXAMPLE: &'static str =
        "type: ContextSubstitution\nkey: $.handled_by\nincludes: [functionName, functionVersion, awsRequestId]\n";
}

impl Substitution for ContextSubstitution {
    type State = (Key, Vec<&'static str>);

    fn state(&self, _: &BuildCx<'_>, keys: Keys) -> Result<Self::State, BuildError> {
        Ok((keys.read(&self.key)?, selected(&MEMBERS, &self.includes, &self.excludes)))
    }

    fn keys(&self) -> Vec<(String, &str)> {
        vec![("key".to_owned(), &self.key)]
    }

    fn substitute(
        &self,
        (key, names): &mut Self::State,
        event: &mut Event<'_>,
        place: &mut Place<'_>,
    ) -> Result<(), Fault> {
        let made = object(names, |name| Some(member(&event.facts.context, name)?.into()));
        place.put(event, key, made)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        event::{Context, Facts},
        substitutions::testing::substituted,
    };

    #[test]
    fn every_substitution_sees_the_whole_context() {
        let config = "[{type: ContextSubstitution, key: first, excludes: [functionName]},
            {type: ContextSubstitution, key: second, includes: [functionName, nope]}]";
        let context =
            Context { function_name: Some("f\"".into()), aws_request_id: Some("r".into()), ..Context::default() };
        let mut facts = Facts { context: context.into(), ..Facts::default() };
        let expected = r#"{"first":{"awsRequestId":"r"},"second":{"functionName":"f\""}}"#;
        assert_eq!(substituted(config, &mut facts, "{}").as_deref(), Ok(expected));
    }
}
