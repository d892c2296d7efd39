//! Where alarms go.
//!
//! Imports: `aws`, `cfn`, `template`, `tree`.

use crate::{
    aws::{
        kms::{KeyHandle, Service},
        sns::{Topic, TopicHandle},
    },
    template::{Condition, Parameter},
    tree::{Construct, Scope},
};
use cfn::sns;

/// A topic that CloudWatch's alarms are sent to. The parameter `AlarmEmail` names somebody who is told; AWS asks them first
/// whether they want to be.
#[derive(Clone, Debug, bon::Builder)]
pub struct AlarmTopic {
    /// Encrypts the messages.
    key: KeyHandle,
}

impl Construct for AlarmTopic {
    type Handle = TopicHandle;

    fn build(self, scope: &mut Scope<'_>) -> TopicHandle {
        let topic = scope.add("Topic", Topic::builder().key(self.key).build());
        topic.admit(scope, Service::CloudWatch);
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
