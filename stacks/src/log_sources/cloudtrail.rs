//! CloudTrail: who did what in an account.
//!
//! A file is one JSON object whose `Records` are the events. Each becomes a document of its own, with key names that say the type
//! of the value (`awsregion__str`), so that one name never has two types.

use crate::search::{daily_index, pattern, typed_keys};
use constructs::{
    Text,
    cfn::{IntoValue as _, intrinsic},
    patterns::FileLayout,
};
use etl::{
    config::{PipelineConfig, Source},
    deserializers::GenericJson,
    handlers::SNSS3Handler,
    late::Late,
    operations::{
        GeoIpOperation, JsonArraySplitOperation, JsonKeyNameOperation, TimeOperation, geo_ip::GeoProperty,
        time::TimeFieldType,
    },
    reporters::CloudWatchEmbeddedMetrics,
    serializers::Json,
    transports::ElasticSearch,
    wrappers::PassthroughWrapper,
};
use serde_json::{Value, json};

/// The patterns of its indices.
pub const INDEX_PATTERN: &str = "cloudtrail-*";

/// Where CloudTrail puts its files. The digests lie below `CloudTrail-Digest/`, which does not begin so.
pub fn files() -> FileLayout {
    let prefix = Text::new().text("AWSLogs/").value(intrinsic::account_id()).text("/CloudTrail/");
    FileLayout { prefix: prefix.into_value(), suffix: ".json.gz" }
}

/// From CloudTrail's files to documents of a search domain.
///
/// `geo_database` is a MaxMind database of cities, in a bucket. With one, each document says where its source
/// address is. It is looked up after the keys are renamed, so that `geo_ip.location` keeps the form that OpenSearch draws on maps.
pub fn pipeline(host: Late<String>, geo_database: Option<Late<String>>) -> PipelineConfig {
    let mut operations = vec![
        JsonArraySplitOperation::builder().path("$.Records").build().into(),
        TimeOperation::builder().time_field("$.eventTime").time_field_type(TimeFieldType::Iso8601).build().into(),
        JsonKeyNameOperation::builder().build().into(),
    ];
    operations.extend(geo_database.map(|database| {
        GeoIpOperation::builder()
            .src_field_name("$.sourceipaddress__str")
            .geo_lite_db(database)
            .geo_properties(vec![
                GeoProperty::CountryName,
                GeoProperty::CountryIsoCode,
                GeoProperty::SubdivisionName,
                GeoProperty::CityName,
                GeoProperty::Location,
            ])
            .build()
            .into()
    }));
    let source = Source::builder()
        .name("CloudTrail")
        .source_regex(pattern("s3://[^/]+/(.*/)?AWSLogs/.*/CloudTrail/.*"))
        .deserializer(GenericJson::builder().build())
        .operations(operations)
        .build();
    PipelineConfig::builder()
        .handler(SNSS3Handler::builder().build())
        .sources(vec![source])
        .wrapper(PassthroughWrapper::builder().build())
        .serializer(Json::builder().build())
        .transport(ElasticSearch { use_hashid: true, ..daily_index(host, "cloudtrail-") })
        .reporters(vec![CloudWatchEmbeddedMetrics::builder().namespace("Flexo").build().into()])
        .build()
}

/// How its documents are indexed, so that every one of them is taken, whatever a service has put into it.
///
/// What a caller asked for and what was answered has thousands of names over time, and one name that is text in one service is an
/// object in another. So these members are each one field (`flat_object`) that can be searched by path and never grows the mapping;
/// arrays are kept as they are and not indexed.
pub fn index_template() -> Value {
    let flat = json!({"type": "flat_object"});
    typed_keys(
        INDEX_PATTERN,
        &json!({
            "eventtime__str": {"type": "date"},
            "additionaleventdata": flat,
            "insightdetails": flat,
            "requestparameters": flat,
            "responseelements": flat,
            "serviceeventdetails": flat,
            "geo_ip": {"properties": {"location": {"type": "geo_point"}}}
        }),
    )
}
