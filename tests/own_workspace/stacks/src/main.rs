//! The command: Flexo's verbs, with our stacks and our components.

use components::{MaskOperation, registry};
use constructs::{
    Stack,
    asset::FunctionCode,
    aws::{kinesis::Stream, kms::Key},
    cfn::Value,
    patterns::{AlarmTopic, Archive, Bindings, EtlFunction, Trigger},
};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::KinesisHandler,
    late::Late,
    serializers::Json,
    transports::Firehose,
    wrappers::KinesisWrapper,
};
use std::process::ExitCode;

fn main() -> ExitCode {
    synth::main_with([payments()], registry())
}

/// Payments from a stream to an archive, where nobody reads a card's number.
fn payments() -> Stack {
    let mut stack = Stack::new("payments");
    let mut scope = stack.scope();
    let key = scope.add("Key", Key::builder().description("alarms").build());
    let alarms = scope.add("Alarms", AlarmTopic::builder().key(key).build());
    let days = Value::Known(30);
    let stream = scope.add("Stream", Stream::builder().build());
    let archive = Archive::builder().prefix("payments").log_retention_days(days.clone()).alarms(alarms.clone()).build();
    let archive = scope.add("Archive", archive);
    let code = FunctionCode::of_kind(&mut scope, "Etl");
    let mut names = Bindings::new();
    let pipeline = masked(names.bind("ARCHIVE_STREAM", &archive.stream));
    let trigger = Trigger::Kinesis { stream, batch_size: Value::Known(1_000), batching_seconds: Value::Known(5) };
    let function = EtlFunction::builder()
        .pipeline(pipeline)
        .registry(registry())
        .names(names)
        .trigger(trigger)
        .code(code)
        .description("Payments of the stream to the archive")
        .log_retention_days(days)
        .alarms(alarms)
        .build();
    scope.add("ToArchive", function);
    stack
}

fn masked(archive: Late<String>) -> PipelineConfig {
    let source = Source::builder()
        .name("Payments")
        .deserializer(GenericJson::builder().build())
        .operations(vec![MaskOperation { field: "$.card".to_owned(), keep: 4 }.into()])
        .build();
    PipelineConfig::builder()
        .handler(KinesisHandler::builder().build())
        .sources(vec![source])
        .wrapper(KinesisWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(Firehose::builder().stream_name(archive).build())
        .build()
}
