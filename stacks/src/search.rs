//! What all pipelines to a search domain have in common: how they deliver, and how their documents are indexed.

use etl::{
    bounded::Bounded,
    late::Late,
    pattern::WholePattern,
    transports::{ElasticSearch, request::Sending, values::AuthConfig},
};
use serde_json::{Value, json};

/// Delivery to a domain of OpenSearch Service: signed requests, packed, an index for each day of the events' own time.
pub fn daily_index(host: Late<String>, index: &str) -> ElasticSearch {
    let signed = AuthConfig::UrlSigningAuth { region: None, service: "es".to_owned(), http_interceptor: None };
    ElasticSearch::builder()
        .hostname(host)
        .port(443)
        .auth_config(signed)
        .index(index)
        .index_time_format("yyyy-MM-dd")
        .sending(Sending::builder().use_gzip(true).batch_size(Bounded::of::<2_000>()).build())
        .build()
}

/// The template of indices whose documents have keys that say the type of their value, as `JsonKeyNameOperation` writes them. No
/// document is refused: a name has one type, a text too long to be searched is kept, arrays are kept as they are and not indexed.
///
/// `properties` are what is known of particular members.
pub fn typed_keys(pattern: &str, properties: &Value) -> Value {
    json!({
        "index_patterns": [pattern],
        "priority": 100,
        "template": {
            "settings": {
                "index.mapping.total_fields.limit": 2000,
                "index.mapping.ignore_malformed": true,
                // Searchable within a minute asks for no more.
                "index.refresh_interval": "10s"
            },
            "mappings": {
                "dynamic_templates": [
                    {"arrays": {"match": "*__arr", "mapping": {"type": "object", "enabled": false}}},
                    {"texts": {"match": "*__str", "mapping": {"type": "keyword", "ignore_above": 8191}}},
                    {"longs": {"match": "*__long", "mapping": {"type": "long"}}},
                    {"floats": {"match": "*__float", "mapping": {"type": "double"}}},
                    {"booleans": {"match": "*__bool", "mapping": {"type": "boolean"}}}
                ],
                "properties": properties
            }
        }
    })
}

/// A pattern that stands in the code, for a source's whole name.
///
/// # Panics
/// When it is none.
pub fn pattern(text: &str) -> WholePattern {
    WholePattern::new(text).expect("a pattern in the code is one")
}
