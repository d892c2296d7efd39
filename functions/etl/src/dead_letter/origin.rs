//! Origins as JSON: the members of each kind, under the names that they have in [`crate::event`].
//!
//! Imports: `event`.

use crate::event::{
    DynamodbOrigin, EventBridgeOrigin, FirehoseOrigin, KinesisOrigin, LogOrigin, MessageOrigin, Origin, OriginKind,
    S3Origin,
};
use serde_json::{Map, Value};

/// Names that origins know as constants.
const NAMES: &[&str] = &[
    "aws:dynamodb",
    "aws:events",
    "aws:kinesis",
    "aws:logs",
    "aws:s3",
    "aws:sns",
    "aws:sqs",
    "aws:firehose",
    "__filename__",
    "__keys__",
    "__shardid__",
];

pub(super) fn write(origin: &Origin) -> Map<String, Value> {
    let mut out = Out(Map::new());
    let kind = match &origin.kind {
        OriginKind::None => "none",
        OriginKind::Kinesis(_) => "kinesis",
        OriginKind::S3(_) => "s3",
        OriginKind::Dynamodb(_) => "dynamodb",
        OriginKind::Sqs(_) => "sqs",
        OriginKind::Sns(_) => "sns",
        OriginKind::EventBridge(_) => "event_bridge",
        OriginKind::Logs(_) => "logs",
        OriginKind::Firehose(_) => "firehose",
    };
    out.put("kind", kind);
    out.put("source_name", origin.source_name);
    out.put("region", &origin.region);
    if let Some((name, value)) = &origin.partition {
        out.put("partition", name);
        out.put("partition_value", value);
    }
    match &origin.kind {
        OriginKind::None => {}
        OriginKind::Kinesis(record) => {
            out.must("stream_arn", &record.stream_arn);
            out.must("shard_id", &record.shard_id);
            out.must("sequence_number", &record.sequence_number);
            if let Some(number) = record.sub_sequence {
                out.0.insert("sub_sequence".to_owned(), number.into());
            }
            out.may("partition_key", record.partition_key.as_deref());
            out.may("event_source", record.event_source.as_deref());
        }
        OriginKind::S3(object) => {
            out.must("bucket", &object.bucket);
            out.must("key", &object.key);
            out.may("version_id", object.version_id.as_deref());
            out.may("sequencer", object.sequencer.as_deref());
        }
        OriginKind::Dynamodb(record) => {
            out.must("stream_arn", &record.stream_arn);
            out.must("sequence_number", &record.sequence_number);
            out.may("event_id", record.event_id.as_deref());
            out.may("event_name", record.event_name.as_deref());
            out.may("event_source", record.event_source.as_deref());
        }
        OriginKind::Sqs(message) | OriginKind::Sns(message) => {
            out.must("arn", &message.arn);
            out.must("message_id", &message.message_id);
        }
        OriginKind::EventBridge(event) => {
            out.must("source", &event.source);
            out.must("detail_type", &event.detail_type);
            out.must("account", &event.account);
            out.must("event_id", &event.event_id);
        }
        OriginKind::Logs(event) => {
            out.must("owner", &event.owner);
            out.must("log_group", &event.log_group);
            out.must("log_stream", &event.log_stream);
            out.must("event_id", &event.event_id);
        }
        OriginKind::Firehose(record) => {
            out.must("stream_arn", &record.stream_arn);
            out.must("record_id", &record.record_id);
        }
    }
    out.0
}

struct Out(Map<String, Value>);

impl Out {
    fn must(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.into());
    }
    fn may(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.must(name, value);
        }
    }
    fn put(&mut self, name: &str, value: &str) {
        self.may(name, Some(value).filter(|value| !value.is_empty()));
    }
}

/// What is not there is as in `like`.
pub(super) fn read(origin: &Map<String, Value>, like: &Origin) -> Origin {
    let text = |name: &str| origin.get(name).and_then(Value::as_str);
    let must = |name: &str| text(name).unwrap_or_default();
    let may = |name: &str| text(name).map(str::to_owned);
    let constant = |name: &str| NAMES.iter().copied().find(|known| text(name) == Some(known));
    let message = || MessageOrigin { arn: must("arn").into(), message_id: must("message_id").to_owned() };
    let kind = match text("kind") {
        Some("kinesis") => OriginKind::Kinesis(KinesisOrigin {
            stream_arn: must("stream_arn").into(),
            shard_id: must("shard_id").into(),
            sequence_number: must("sequence_number").to_owned(),
            sub_sequence: origin.get("sub_sequence").and_then(Value::as_u64),
            partition_key: may("partition_key"),
            event_source: text("event_source").map(Into::into),
        }),
        Some("s3") => OriginKind::S3(S3Origin {
            bucket: must("bucket").to_owned(),
            key: must("key").to_owned(),
            version_id: may("version_id"),
            sequencer: may("sequencer"),
        }),
        Some("dynamodb") => OriginKind::Dynamodb(DynamodbOrigin {
            stream_arn: must("stream_arn").into(),
            sequence_number: must("sequence_number").to_owned(),
            event_id: may("event_id"),
            event_name: may("event_name"),
            event_source: text("event_source").map(Into::into),
        }),
        Some("sqs") => OriginKind::Sqs(message()),
        Some("sns") => OriginKind::Sns(message()),
        Some("event_bridge") => OriginKind::EventBridge(EventBridgeOrigin {
            source: must("source").to_owned(),
            detail_type: must("detail_type").to_owned(),
            account: must("account").to_owned(),
            event_id: must("event_id").to_owned(),
        }),
        Some("logs") => OriginKind::Logs(LogOrigin {
            owner: must("owner").into(),
            log_group: must("log_group").into(),
            log_stream: must("log_stream").into(),
            event_id: must("event_id").to_owned(),
        }),
        Some("firehose") => OriginKind::Firehose(FirehoseOrigin {
            stream_arn: must("stream_arn").into(),
            record_id: must("record_id").to_owned(),
        }),
        Some("none") => OriginKind::None,
        _ => return like.clone(),
    };
    let partition = constant("partition").map(|name| (name, must("partition_value").into()));
    Origin {
        kind,
        source_name: constant("source_name").unwrap_or(like.source_name),
        region: text("region").map_or_else(|| like.region.clone(), Into::into),
        partition,
    }
}
