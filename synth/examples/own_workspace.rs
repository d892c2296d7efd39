//! The command of a workspace of your own: its stacks, and a component that nobody else has.
//!
//! `cargo run -p synth --example own_workspace -- list`. The pages in `tests/cli` show what this one prints.

use std::process::ExitCode;

use constructs::cfn::sqs;
use constructs::{Output, Parameter, Stack};
use etl::build::{BuildCx, BuildError};
use etl::component::Component;
use etl::event::{Event, Fault, Outcome};
use etl::operations::Operation;
use etl::registry::Registry;
use payload::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> ExitCode {
    let mut registry = Registry::default();
    registry.operations.add::<MaskOperation>();
    synth::main_with([orders(), returns()], registry)
}

/// A queue for orders, and one for those that could not be worked on.
fn orders() -> Stack {
    let mut stack = Stack::new("orders").description("Orders on their way.");
    let mut scope = stack.scope();
    let days =
        Parameter::number().description("Days that an order may wait.").default_value(4).min_value(1).max_value(14);
    let days = scope.parameter("RetentionDays", days);
    let failed = scope.add("Failed", sqs::Queue::new().queue_name("orders-failed"));
    scope.options(&failed).retain();
    let redrive =
        serde_json::json!({"deadLetterTargetArn": {"Fn::GetAtt": [failed.logical_id(), "Arn"]}, "maxReceiveCount": 5});
    let queue =
        sqs::Queue::new().visibility_timeout(60).redrive_policy(redrive).message_retention_period(days.number());
    let queue = scope.add("Queue", queue);
    scope.output("QueueUrl", Output::new(queue.ref_()).description("Where orders are sent."));
    stack
}

/// One queue, and nothing to say about it.
fn returns() -> Stack {
    let mut stack = Stack::new("returns");
    stack.scope().add("Queue", sqs::Queue::new().visibility_timeout(30));
    stack
}

/// Puts `***` in the place of a value, so that nobody downstream can read it.
///
/// An event without the field stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MaskOperation {
    /// The field, at the top of the event, or a path: `$.card.number`.
    field: String,
}

impl Component for MaskOperation {
    const NAME: &'static str = "MaskOperation";
    const EXAMPLE: &'static str = "type: MaskOperation\nfield: $.card.number\n";
}

impl Operation for MaskOperation {
    type State = Path;

    fn state(&self, _: &BuildCx<'_>) -> Result<Path, BuildError> {
        Path::new(&self.field).map_err(|error| BuildError::new(format!("field: {error}")))
    }

    fn perform(&self, field: &mut Path, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        if event.payload.get(field).is_some() {
            event.payload.set(field, "***")?;
        }
        Ok(Outcome::Pass)
    }
}
