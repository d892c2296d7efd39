//! Invocations: every registered handler reads what it is given, or says that it is none of its own; every event is accounted for, and the
//! answer names nothing that was not there.

use super::kit;
use base64_simd::STANDARD;
use etl::{
    component::Rows as _,
    config::{PipelineConfig, Variables},
    event::Context,
    pipeline::{Environment, Failure, Ledger, Pipeline},
    registry::Registry,
    testing::World,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{collections::BTreeSet, io::Write as _, sync::LazyLock};

/// Each handler as its example has it.
static HANDLERS: LazyLock<Vec<(&str, PipelineConfig)>> = LazyLock::new(|| {
    let registry = Registry::default();
    registry.handlers.rows().map(|declared| (declared.name, config(&registry, declared.example))).collect()
});

fn config(registry: &Registry, handler: &str) -> PipelineConfig {
    let handler = handler.trim_end().replace('\n', "\n  ");
    let read = |transport: &str| {
        let text = format!(
            "version: 1\nhandler:\n  {handler}\nsources: [{{name: a, deserializer: {{type: GenericJson}}}}]\n\
             wrapper: {{type: PassthroughWrapper}}\nserializer: {{type: Json}}\ntransport: {{type: {transport}}}\n"
        );
        let variables = Variables::From(&|_| Some("what a variable holds".to_owned()));
        PipelineConfig::read(registry, "law.yaml", &text, variables)
    };
    read("Stdout").or_else(|_| read("FirehoseTransform")).expect("the handler goes with one of the two")
}

pub(crate) fn hold(bytes: &[u8]) {
    for (name, config) in &*HANDLERS {
        invoke(name, config, bytes);
    }
    // What CloudWatch Logs packs, by itself and inside a stream.
    let packed = STANDARD.encode_to_string(gzip(bytes));
    let record = json!({"kinesis": {"sequenceNumber": "1", "data": packed}, "eventID": "shardId-000000000000:1"});
    for invocation in [json!({"awslogs": {"data": packed}}), json!({"Records": [record]})] {
        for (name, config) in &*HANDLERS {
            if ["CloudWatchLogsHandler", "KinesisHandler"].contains(name) {
                invoke(name, config, invocation.to_string().as_bytes());
            }
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes all")
}

fn invoke(name: &str, config: &PipelineConfig, invocation: &[u8]) {
    let first = once(config, invocation);
    let (ledger, answer, _) = &first;
    assert!(ledger.balances(), "{name}: {ledger:?}");
    if let Ok(answer) = answer {
        // Every string of a batch response stood in the invocation.
        let mut known = BTreeSet::new();
        // Bytes that are no text may stand where nobody reads them.
        let text = String::from_utf8_lossy(invocation);
        let read = serde_json::from_str::<Value>(&text).unwrap_or_default();
        strings(&read, &mut |text| _ = known.insert(text.to_owned()));
        for failed in answer["batchItemFailures"].as_array().into_iter().flatten() {
            let id = failed["itemIdentifier"].as_str().expect("an item has an id");
            assert!(known.contains(id), "{name}: `{id}` was not there");
        }
        for record in answer["records"].as_array().into_iter().flatten() {
            let id = record["recordId"].as_str().expect("a record has an id");
            assert!(known.contains(id), "{name}: `{id}` was not there");
            let result = record["result"].as_str().expect("a record has a result");
            assert!(["Ok", "Dropped", "ProcessingFailed"].contains(&result), "{name}: {result}");
        }
    }
    assert_eq!(once(config, invocation), first, "{name}: the same again");
}

fn once(config: &PipelineConfig, invocation: &[u8]) -> (Ledger, Result<Value, Failure>, Vec<String>) {
    let world = World::new();
    world.objects.put("b", "k", Ok(b"{\"a\":1}\n{".to_vec()));
    let pipeline = Pipeline::new(config, Environment::default(), world.ports()).expect("the pipeline can be built");
    let context = Context {
        invoked_function_arn: Some("arn:aws:lambda:eu-west-1:123456789012:function:f".into()),
        deadline_ms: Some(etl::testing::FakeClock::BEGIN_MS + 60_000),
        ..Context::default()
    };
    let invoked = pipeline.with_bounds(kit::BOUNDS).invoke(invocation, &context);
    (invoked.ledger, invoked.answer, kit::written(&world))
}

fn strings(value: &Value, look: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => look(text),
        Value::Array(elements) => elements.iter().for_each(|element| strings(element, look)),
        Value::Object(members) => members.values().for_each(|member| strings(member, look)),
        _ => {}
    }
}
