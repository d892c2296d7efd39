//! What every stack offers its operator: where alarms go, how long logs are kept, how large a search domain is.

use constructs::{
    Condition, ConditionHandle, Parameter, Scope,
    aws::{
        kms::{Key, KeyHandle},
        opensearch::Topology,
        sns::TopicHandle,
    },
    cfn::Value,
    patterns::AlarmTopic,
};

/// What the constructs of a stack share.
pub(crate) struct Operation {
    /// Encrypts the messages of topics.
    pub(crate) key: KeyHandle,
    /// Where alarms go.
    pub(crate) alarms: TopicHandle,
    /// How many days logs of functions and services are kept.
    pub(crate) log_retention_days: Value<i64>,
}

/// The numbers of days that CloudWatch Logs knows, up to ten years.
const LOG_DAYS: [i64; 18] = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 3_653];

/// Adds what the constructs of a stack share. `topics`: holds where the stack makes topics besides the one for alarms, if not always.
pub(crate) fn operation(scope: &mut Scope<'_>, topics: Option<&ConditionHandle>) -> Operation {
    let alarms = AlarmTopic::is_made(scope);
    let used = match topics {
        Some(topics) => scope.condition("KeyIsUsed", Condition::or([alarms.holds(), topics.holds()])),
        None => alarms,
    };
    let key = scope.only_if(&used).add("Key", Key::builder().description("Messages of this stack's topics").build());
    let alarms = scope.add("Alarms", AlarmTopic::builder().key(key.clone()).build());
    let days = Parameter::number()
        .description("How many days the logs of functions and services are kept.")
        .allowed_values(LOG_DAYS)
        .default_value(30)
        .group("Operation");
    let log_retention_days = scope.parameter("LogRetentionDays", days).number();
    Operation { key, alarms, log_retention_days }
}

/// How large a search domain is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size {
    /// Three data nodes over three zones and three dedicated masters, at least; the operator chooses types, number and volumes.
    #[default]
    Production,
    /// One small node, for trying out.
    Small,
}

/// What a domain runs on, with the parameters that an operator chooses it by.
pub(crate) fn topology(scope: &mut Scope<'_>, size: Size) -> Topology {
    if size == Size::Small {
        return Topology::Small;
    }
    let node = |description: &str, default: &str| {
        Parameter::string()
            .description(description)
            .allowed_pattern(r"[a-z0-9]+\.[a-z0-9]+\.search")
            .constraint_description("a type of OpenSearch Service, such as `r7g.large.search`")
            .default_value(default)
            .group("Sizes")
    };
    let data = node("Type of the search domain's data nodes.", "r7g.large.search");
    let master = node("Type of the search domain's dedicated masters.", "m7g.large.search");
    let count = Parameter::number()
        .description("Number of the search domain's data nodes; they are spread over three zones.")
        .allowed_values((1..=26).map(|nodes| nodes * 3))
        .default_value(3)
        .group("Sizes");
    let volume = Parameter::number()
        .description("GiB of storage of each data node.")
        .min_value(10)
        .max_value(12_288)
        .default_value(100)
        .group("Sizes");
    Topology::Production {
        data_type: scope.parameter("SearchDataType", data).text(),
        data_count: scope.parameter("SearchDataCount", count).number(),
        master_type: scope.parameter("SearchMasterType", master).text(),
        volume_gib: scope.parameter("SearchVolumeGiB", volume).number(),
    }
}
