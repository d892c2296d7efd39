//! Against a real node with its security plugin.

use super::*;
use bytes::Bytes;
use etl::ports::{Answer, HttpCall, Secret};
use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

/// A node that is stopped when the test ends.
struct Node {
    rig: PathBuf,
    port: u16,
    home: tempfile::TempDir,
}

impl Node {
    /// None, saying why, when it cannot be had here.
    fn start() -> Option<Self> {
        let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/rig/opensearch");
        if env::var_os("FLEXO_RIG").is_some_and(|rig| rig == "off") {
            return skipped("FLEXO_RIG is `off`");
        }
        if Command::new("mvn").arg("-v").output().is_err() {
            return skipped("there is no JDK with Maven");
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let node = Self { rig, port, home: tempfile::tempdir().unwrap() };
        assert!(node.script("start.sh").status().unwrap().success(), "the node did not start");
        Some(node)
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.rig.join(name));
        command
            .env("OPENSEARCH_SECURITY", "1")
            .env("OPENSEARCH_PORT", self.port.to_string())
            .env("OPENSEARCH_HEAP", "512m")
            .env("OPENSEARCH_HOME", self.home.path());
        command
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.script("stop.sh").status();
    }
}

/// Says why, and is a failure where the rig is required.
fn skipped(why: &str) -> Option<Node> {
    assert!(env::var_os("FLEXO_RIG").is_none_or(|rig| rig != "required"), "{why}");
    println!("skipped: {why}");
    None
}

const PASSWORD: &str = "Nobody-9-knows-It";

fn user(name: &str, password: &str) -> Auth {
    Auth::Basic { username: name.to_owned(), password: Secret::new(password) }
}

/// The node, and a client that trusts it.
struct Far {
    http: HttpClient,
    address: String,
    admin: Auth,
    etl: Auth,
}

impl Far {
    fn new(node: &Node) -> Self {
        let ca = fs::read(node.home.path().join("config/ca.pem")).unwrap();
        Self {
            http: HttpClient::with_root(sdk(), &ca).unwrap(),
            address: format!("https://127.0.0.1:{}", node.port),
            admin: user("admin", "admin"),
            etl: user("etl", PASSWORD),
        }
    }

    async fn ask(&self, auth: &Auth, method: &'static str, path: &str, body: &str) -> (u16, Value) {
        let call = HttpCall {
            method,
            url: format!("{}/{path}", self.address),
            url_end: Secret::default(),
            headers: vec![("content-type".to_owned(), Secret::new("application/json"))],
            body: Bytes::from(body.to_owned()),
            auth: auth.clone(),
            http2: false,
            answer_bytes: usize::MAX,
        };
        let Answer::Http { status, body } = self.http.send(&call).await else {
            panic!("{method} {path} had no answer")
        };
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The status of each document written by the ETL function's user.
    async fn write(&self, documents: &[(&str, &str)]) -> Vec<u64> {
        let lines = documents.iter().map(|(index, doc)| format!("{{\"index\":{{\"_index\":\"{index}\"}}}}\n{doc}\n"));
        let body = lines.collect::<Vec<_>>().concat();
        let (status, answer) = self.ask(&self.etl, "POST", "_bulk", &body).await;
        let Some(items) = answer["items"].as_array() else { return vec![u64::from(status)] };
        items.iter().map(|item| item["index"]["status"].as_u64().unwrap()).collect()
    }

    async fn status(&self, path: &str) -> u16 {
        self.ask(&self.admin, "GET", path, "").await.0
    }

    async fn setup(&self, event: Value) -> Value {
        let cloudformation = FarSide::new(|_, _| Say::json(200, ""));
        let (told, _, result) =
            run(&self.http, &self.address, &self.admin, &cloudformation, event, Duration::from_mins(3)).await;
        assert_eq!(result, Ok(()));
        told
    }
}

#[tokio::test]
async fn on_a_real_node_an_etl_role_may_write_its_indices_and_nothing_else() {
    let Some(node) = Node::start() else { return };
    let far = Far::new(&node);
    let user = json!({"password": PASSWORD, "backend_roles": ["arn:aws:iam::111122223333:role/etl"]}).to_string();
    let made = far.ask(&far.admin, "PUT", "_plugins/_security/api/internalusers/etl", &user).await;
    assert_eq!(made.0, 201, "{}", made.1);
    // The plugin's demonstration lets any user write a bulk. A domain of Amazon's does not.
    far.ask(&far.admin, "DELETE", "_plugins/_security/api/rolesmapping/own_index", "").await;
    assert_eq!(far.write(&[("etl-1", "{}")]).await, [403], "the user may write before the setup");

    let answer = far.setup(create()).await;
    assert_eq!(answer["Status"], "SUCCESS", "{answer}");
    let documents = [("etl-1", r#"{"id__str":"a"}"#), ("etl-1", r#"{"new":{"field":1}}"#), ("other-1", "{}")];
    assert_eq!(far.write(&documents).await, [201, 201, 403]);
    for (method, path) in
        [("GET", "etl-1/_search"), ("DELETE", "etl-1"), ("GET", "_cluster/settings"), ("GET", "_search")]
    {
        assert_eq!(far.ask(&far.etl, method, path, "").await.0, 403, "{method} {path}");
    }
    let (_, index) = far.ask(&far.admin, "GET", "etl-1", "").await;
    assert_eq!(index.pointer("/etl-1/settings/index/mapping/total_fields/limit"), Some(&json!("5000")), "{index}");
    assert_eq!(index.pointer("/etl-1/mappings/date_detection"), Some(&json!(false)), "{index}");
    assert_eq!(index.pointer("/etl-1/mappings/properties/id__str/ignore_above"), Some(&json!(256)), "{index}");

    // Again the same, and then another role and template in place of the first.
    assert_eq!(far.setup(create()).await["Status"], "SUCCESS");
    let mut other = properties("second", "other");
    other["RoleMappings"][0]["IndexPatterns"] = json!(["other-*"]);
    let update = json!({
        "RequestType": "Update", "PhysicalResourceId": "logs-Setup",
        "OldResourceProperties": properties("writer", "etl"), "ResourceProperties": other,
    });
    assert_eq!(far.setup(update.clone()).await["Status"], "SUCCESS");
    assert_eq!(far.write(&[("etl-1", "{}"), ("other-1", "{}")]).await, [403, 201]);
    for gone in
        ["_plugins/_security/api/roles/writer", "_plugins/_security/api/rolesmapping/writer", "_index_template/etl"]
    {
        assert_eq!(far.status(gone).await, 404, "{gone}");
    }
    // Repeated, as Lambda may: what is gone already is no mistake.
    assert_eq!(far.setup(update).await["Status"], "SUCCESS");

    let mut wrong = create();
    wrong["ResourceProperties"]["IndexTemplates"]["etl"]["template"]["settings"]["index.no_such_setting"] = json!("1");
    let reason = far.setup(wrong).await["Reason"].to_string();
    assert!(reason.contains("index.no_such_setting"), "{reason}");
    let mut reserved = create();
    reserved["ResourceProperties"]["RoleMappings"][0]["Role"] = json!("all_access");
    let reason = far.setup(reserved).await["Reason"].to_string();
    assert!(reason.contains("Choose another name"), "{reason}");

    let mut delete = delete("logs-Setup");
    delete["ResourceProperties"] = other;
    for _ in 0..2 {
        assert_eq!(far.setup(delete.clone()).await["Status"], "SUCCESS");
    }
    assert_eq!(far.write(&[("other-1", "{}")]).await, [403]);
    for gone in
        ["_plugins/_security/api/roles/second", "_plugins/_security/api/rolesmapping/second", "_index_template/other"]
    {
        assert_eq!(far.status(gone).await, 404, "{gone}");
    }
    assert_eq!((far.status("etl-1").await, far.status("other-1").await), (200, 200), "an index was removed");

    // Nobody vouches for its certificate here, so it is not told who asks.
    let cloudformation = FarSide::new(|_, _| Say::json(200, ""));
    let (told, _, _) = run(&HttpClient::new(sdk()), &far.address, &far.admin, &cloudformation, delete, A_SECOND).await;
    assert!(told["Reason"].to_string().contains("invalid peer certificate"), "{told}");
}
