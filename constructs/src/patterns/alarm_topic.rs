//! Where alarms go.
//!
//! Imports: `aws`, `cfn`, `template`, `tree`.

use crate::{
    aws::{
        kms::{KeyHandle, Service},
        sns::{Topic, TopicHandle},
    },
    template::{Condition, ConditionHandle, Parameter, ParameterHandle},
    tree::{Construct, Scope},
};
use cfn::sns;

/// The ARN of a topic, as a regular expression.
pub(super) const TOPIC_ARN: &str = "arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}";

/// A topic that CloudWatch's alarms are sent to: one that stands already, if the parameter `AlarmTopicArn` names it, else one of
/// this stack. The parameter `AlarmEmail` names somebody who is told; AWS asks them first whether they want to be.
#[derive(Clone, Debug, bon::Builder)]
pub struct AlarmTopic {
    /// Encrypts the messages.
    key: KeyHandle,
}

impl AlarmTopic {
    /// Adds the parameter `AlarmTopicArn`. What comes back holds where the stack makes a topic of its own.
    pub fn is_made(scope: &mut Scope<'_>) -> ConditionHandle {
        let given = existing(scope);
        scope.condition("AlarmTopicIsMade", Condition::equals(given.text(), ""))
    }
}

fn existing(scope: &mut Scope<'_>) -> ParameterHandle {
    scope.parameter(
        "AlarmTopicArn",
        Parameter::string()
            .description(
                "ARN of an existing SNS topic that alarms go to; one is made when it is empty. It must be of this region, and its \
                 policy, and its key if it has one, must admit CloudWatch.",
            )
            .allowed_pattern(&format!("|{TOPIC_ARN}"))
            .constraint_description("the ARN of an SNS topic, or nothing")
            .default_value("")
            .group("Operation"),
    )
}

impl Construct for AlarmTopic {
    type Handle = TopicHandle;

    fn build(self, scope: &mut Scope<'_>) -> TopicHandle {
        let (made, given) = (Self::is_made(scope), existing(scope));
        let mut own = scope.only_if(&made);
        let topic = own.add("Topic", Topic::builder().key(self.key).build());
        topic.admit(&mut own, Service::CloudWatch);
        let topic = topic.unless_given(&made, given.arn::<sns::Topic>());
        let email = scope.parameter(
            "AlarmEmail",
            Parameter::string()
                .description("Who is told of alarms, by e-mail; nobody when it is empty. Other subscribers can be added to the topic.")
                .allowed_pattern("|[^@ ]+@[^@ ]+")
                .constraint_description("an e-mail address, or nothing")
                .default_value("")
                .group("Operation"),
        );
        let given = scope.condition("AlarmEmailIsGiven", Condition::not(Condition::equals(email.text(), "")));
        let subscription = scope
            .add("Email", sns::Subscription::new().protocol("email").topic_arn(topic.arn()).endpoint(email.text()));
        scope.options(&subscription).condition(&given);
        topic
    }
}
