//! The node, as its administrator sees it: what tests count and compare.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, header};
use serde_json::{Value, json};

use crate::{client::Client, rig::runtime};

/// A node, asked past the front door.
#[derive(Clone, Debug)]
pub struct Node(Client);

impl Node {
    pub(crate) fn of(client: &Client) -> Self {
        Self(client.with_basic_auth("admin", "admin"))
    }

    /// Sends one request; the answer's status and body (`null` when it has none, text when it is no JSON).
    pub fn request(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let request =
            Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json").body(body)?;
        let answer = runtime().block_on(self.0.send(request))?;
        let text = String::from_utf8_lossy(answer.body());
        let value = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref()))
        };
        Ok((answer.status().as_u16(), value))
    }

    /// The same, for an answer of success. The shard of an index that was made a moment ago may not be ready: that is waited for.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let mut waits = 0;
        loop {
            let (status, answer) = self.request(method, path, body)?;
            if status == 503 && waits < 50 {
                waits += 1;
                std::thread::sleep(Duration::from_millis(200));
                continue;
            }
            ensure!(status < 300, "{method} {path}: {status} {answer}");
            return Ok(answer);
        }
    }

    /// Makes everything written so far visible to searches.
    pub fn refresh(&self, index: &str) -> anyhow::Result<()> {
        self.ask("POST", &format!("/{index}/_refresh?ignore_unavailable=true"), &Value::Null).map(drop)
    }

    /// How many documents an index, or a pattern of them, holds. None yet is 0.
    pub fn count(&self, index: &str) -> anyhow::Result<u64> {
        self.refresh(index)?;
        let path = format!("/{index}/_count?ignore_unavailable=true");
        self.ask("GET", &path, &Value::Null)?["count"].as_u64().context("an answer without a count")
    }

    /// Searches with a body of the query language.
    pub fn search(&self, index: &str, body: &Value) -> anyhow::Result<Value> {
        self.refresh(index)?;
        self.ask("POST", &format!("/{index}/_search?ignore_unavailable=true"), body)
    }

    /// All documents by `index/id`; at most 10,000, and an error when there are more.
    pub fn documents(&self, index: &str) -> anyhow::Result<BTreeMap<String, Value>> {
        let answer = self.search(index, &json!({ "size": 10_000, "track_total_hits": true }))?;
        let hits = answer["hits"]["hits"].as_array().context("an answer without hits")?;
        let total = answer["hits"]["total"]["value"].as_u64();
        ensure!(total == u64::try_from(hits.len()).ok(), "{total:?} documents, {} read", hits.len());
        let key =
            |hit: &Value| format!("{}/{}", hit["_index"].as_str().unwrap_or(""), hit["_id"].as_str().unwrap_or(""));
        Ok(hits.iter().map(|hit| (key(hit), hit["_source"].clone())).collect())
    }

    /// Lets `backend_role` (a role's ARN) write and read the indices of `pattern` through the node's role `name`.
    pub fn map_role(&self, name: &str, backend_role: &str, pattern: &str) -> anyhow::Result<()> {
        let role = json!({
            "cluster_permissions": ["indices:data/write/bulk"],
            "index_permissions": [{ "index_patterns": [pattern], "allowed_actions": ["create_index", "crud"] }],
        });
        self.ask("PUT", &format!("/_plugins/_security/api/roles/{name}"), &role)?;
        let mapping = json!({ "backend_roles": [backend_role] });
        self.ask("PUT", &format!("/_plugins/_security/api/rolesmapping/{name}"), &mapping).map(drop)
    }
}
