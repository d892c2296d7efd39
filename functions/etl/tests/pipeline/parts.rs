//! Components and helpers of these tests.

use base64_simd::STANDARD;
use bytes::Bytes;
use etl::{
    build::{BuildCx, BuildError},
    component::Component,
    config::{HandlerConfig, OperationConfig, PipelineConfig, Source},
    deserializers::{Deserializer, GenericJson, Raw, Unread},
    event::{Context, Event, Fault, Outcome},
    operations::Operation,
    pipeline::{Bounds, Environment, Invoked, Pipeline},
    ports::{Answer, Call},
    serializers::Json,
    testing::World,
    transports::{Limits, Load, Next, Partition, Transport, UnitVerdict, Verdict},
    wrappers::PassthroughWrapper,
};
use payload::{Output, Path, Payload};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(crate) const ARN: &str = "arn:aws:kinesis:us-east-1:123456789012:stream/s";

/// Does what an event's `do` says.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Gate {}

impl Component for Gate {
    const NAME: &'static str = "Gate";
    const EXAMPLE: &'static str = "type: Gate\n";
}

impl Operation for Gate {
    type State = [Path; 2];
    fn state(&self, _: &BuildCx<'_>) -> Result<Self::State, BuildError> {
        Ok(["$.do", "$.p"].map(|path| Path::new(path).unwrap()))
    }
    fn perform(&self, [what, partition]: &mut Self::State, event: &mut Event<'_>) -> Result<Outcome, Fault> {
        if let Some(value) = event.payload.get_str(partition) {
            event.facts.partitions.push(("p".into(), Some(value.into_owned())));
        }
        match event.payload.get_str(what).as_deref() {
            Some("drop") => Ok(Outcome::Drop("gate closed")),
            Some("fail") => Err(Fault::new("gate broken")),
            _ => Ok(Outcome::Pass),
        }
    }
}

/// Plain JSON that is never laid out as a whole: it can only be read element by element.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Elementwise {}

impl Component for Elementwise {
    const NAME: &'static str = "Elementwise";
    const EXAMPLE: &'static str = "type: Elementwise\n";
}

impl Deserializer for Elementwise {
    type State = ();
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn read<'a>(&self, (): &mut (), _: Raw<'a>) -> Result<Payload<'a>, Unread> {
        Err(Fault::new("laid out as a whole").into())
    }
    fn is_plain_json(&self) -> bool {
        true
    }
}

/// Any text, as the member `text`. Of a record alone: it takes the place of what is loaded.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Verbatim {}

impl Component for Verbatim {
    const NAME: &'static str = "Verbatim";
    const EXAMPLE: &'static str = "type: Verbatim\n";
}

impl Deserializer for Verbatim {
    type State = ();
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn read<'a>(&self, (): &mut (), raw: Raw<'a>) -> Result<Payload<'a>, Unread> {
        let json = serde_json::json!({ "text": String::from_utf8_lossy(raw.bytes()) }).to_string();
        Ok(raw.arena.parse_slice(json.as_bytes()).map_err(Fault::from)?)
    }
}

/// A far side that answers for each unit, or for all of a call.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Take {
    /// Stands before the name of every stream.
    pub(crate) to: String,
    pub(crate) event_bytes: usize,
    pub(crate) unit_bytes: usize,
    pub(crate) units: usize,
    pub(crate) threads: usize,
    pub(crate) ordered: bool,
    pub(crate) by_partition: bool,
    pub(crate) retries: Option<u32>,
    /// Whether all of a partition is safe only with its last call.
    pub(crate) closes: bool,
}

impl Default for Take {
    fn default() -> Self {
        Self {
            to: String::new(),
            event_bytes: 1000,
            unit_bytes: 0,
            units: 10,
            threads: 2,
            ordered: true,
            by_partition: true,
            retries: None,
            closes: false,
        }
    }
}

impl Component for Take {
    const NAME: &'static str = "Take";
    const EXAMPLE: &'static str = "type: Take\n";
}

/// The stream that a partition is sent to.
pub(crate) fn stream(partition: &Partition) -> String {
    let parts = partition.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("null")));
    parts.collect::<Vec<_>>().join("/")
}

impl Transport for Take {
    type State = ();
    fn limits(&self) -> Limits {
        Limits {
            event_bytes: self.event_bytes,
            unit_bytes: self.unit_bytes,
            units: self.units,
            bytes: 1 << 20,
            threads: self.threads,
            ordered: self.ordered,
            by_partition: self.by_partition,
            closes: self.closes,
            retries: self.retries,
            time_limit: Duration::from_millis(50),
            ..Limits::default()
        }
    }
    fn state(&self, _: &BuildCx<'_>) -> Result<(), BuildError> {
        Ok(())
    }
    fn tail(&self, (): &mut (), _: &Event<'_>, out: &mut Output) -> Result<(), Fault> {
        out.push(b'\n');
        Ok(())
    }
    fn call(&self, (): &mut (), load: &Load<'_>) -> Next {
        let stream = self.to.clone() + &stream(load.partition) + if self.closes && load.last { "!" } else { "" };
        Next::Call(Call::PutRecordBatch { stream, region: None, records: load.units().collect() })
    }
    fn judge(&self, (): &mut (), load: &Load<'_>, answer: &Answer) -> Verdict {
        match answer {
            Answer::Records(codes) => Verdict::Units(
                codes
                    .iter()
                    .map(|code| match code.as_deref() {
                        None => UnitVerdict::Taken,
                        Some("again") => UnitVerdict::Again("throttled"),
                        Some(_) => UnitVerdict::Refused("mapping conflict"),
                    })
                    .collect(),
            ),
            Answer::Done(_) if self.closes && !load.last => Verdict::Held,
            Answer::Done(_) => Verdict::Taken,
            Answer::Refused { code, .. } if code == "never" => Verdict::Refused("refused"),
            _ => Verdict::Again("no answer"),
        }
    }
    fn abandon(&self, (): &mut (), partition: &Partition) -> Option<Call> {
        self.closes.then(|| Call::PutRecordBatch {
            stream: self.to.clone() + &stream(partition) + "?",
            region: None,
            records: vec![],
        })
    }
}

/// A pipeline of `GenericJson`, these operations, and a `Take`.
pub(crate) fn config(
    handler: impl Into<HandlerConfig>,
    operations: Vec<OperationConfig>,
    take: Take,
) -> PipelineConfig {
    let source =
        Source::builder().name("all").deserializer(GenericJson::builder().build()).operations(operations).build();
    PipelineConfig::builder()
        .handler(handler)
        .sources(vec![source])
        .wrapper(PassthroughWrapper {})
        .serializer(Json::builder().build())
        .transport(take)
        .build()
}

pub(crate) fn pipeline(world: &World, config: &PipelineConfig) -> Pipeline {
    Pipeline::new(config, Environment::default(), world.ports()).unwrap()
}

/// The same with room for little.
pub(crate) fn small(pipeline: Pipeline, buffer_bytes: usize) -> Pipeline {
    pipeline.with_bounds(Bounds { event_bytes: 1 << 20, buffer_bytes })
}

/// An invocation with these records; their sequence numbers count from 0.
pub(crate) fn kinesis<R: AsRef<[u8]>>(records: &[R]) -> Vec<u8> {
    let record = |(number, data): (usize, &R)| {
        serde_json::json!({
            "kinesis": {
                "partitionKey": "k", "sequenceNumber": number.to_string(), "data": STANDARD.encode_to_string(data.as_ref()),
                "approximateArrivalTimestamp": 1_795_449_598.0,
            },
            "eventSource": "aws:kinesis", "eventID": format!("shardId-000000000000:{number}"), "awsRegion": "us-east-1",
            "eventSourceARN": ARN,
        })
    };
    let records: Vec<_> = records.iter().enumerate().map(record).collect();
    serde_json::json!({ "Records": records }).to_string().into_bytes()
}

/// An invocation that announces objects of the bucket `b`.
pub(crate) fn s3(keys: &[&str]) -> Vec<u8> {
    let record = |key: &&str| {
        serde_json::json!({
            "eventSource": "aws:s3", "awsRegion": "us-east-1", "eventTime": "2026-11-23T15:59:57.000Z",
            "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": key, "sequencer": "1"}},
        })
    };
    serde_json::json!({ "Records": keys.iter().map(record).collect::<Vec<_>>() }).to_string().into_bytes()
}

/// An invocation that ends this long after it began.
pub(crate) fn within(time: Duration) -> Context {
    let deadline_ms = etl::testing::FakeClock::BEGIN_MS + i64::try_from(time.as_millis()).unwrap();
    Context { deadline_ms: Some(deadline_ms), ..Context::default() }
}

/// Where in a batch response an invocation is to go on.
pub(crate) fn goes_on_at(invoked: &Invoked) -> Option<usize> {
    let answer = invoked.answer.as_ref().unwrap();
    let id = answer["batchItemFailures"].as_array().unwrap().first()?["itemIdentifier"].as_str().unwrap();
    Some(id.parse().unwrap())
}

/// The lines in units.
pub(crate) fn lines(records: &[Bytes]) -> Vec<String> {
    let text = |record: &Bytes| String::from_utf8(record.to_vec()).unwrap();
    records.iter().flat_map(|record| text(record).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}
