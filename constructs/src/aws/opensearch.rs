//! OpenSearch Service: domains.
//!
//! Imports: `aws`, `cfn`, `iam`, `text`, `tree`.

use super::{cloudwatch::Metric, iam::RoleHandle, logs::LogGroup};
use crate::{
    Text,
    iam::{PolicyDocument, Principal, Statement},
    text::json_text,
    tree::{Construct, Scope},
};
use cfn::{
    Arn, IntoJson as _, IntoValue, Value, intrinsic, logs,
    opensearchservice::{self as opensearch, domain as d},
};

/// What a domain runs on.
#[derive(Clone, Debug)]
pub enum Topology {
    /// Data nodes over three zones and three dedicated masters: survives the loss of a zone.
    Production {
        /// Type of the data nodes, such as `r7g.large.search`.
        data_type: Value<String>,
        /// How many; a multiple of three.
        data_count: Value<i64>,
        /// Type of the masters, such as `m7g.large.search`.
        master_type: Value<String>,
        /// GiB of storage of each data node.
        volume_gib: Value<i64>,
    },
    /// One `t3.small.search` with 10 GiB, for trying out: a restart is an outage, a lost disk is lost data.
    Small,
}

/// A domain: encrypted at rest, between its nodes and on the way (TLS 1.2), asked with signed requests only, and inside it every
/// role has what it was given (fine-grained access control). Retained when the stack goes; a new engine version is an upgrade in place.
#[derive(Clone, Debug, bon::Builder)]
pub struct Domain {
    /// What it runs on.
    topology: Topology,
    /// The role that may do everything inside it: it maps the others.
    master: RoleHandle,
    /// How many days its logs are kept; a number that CloudWatch Logs knows.
    #[builder(with = |days: impl IntoValue<i64>| days.into_value())]
    log_retention_days: Value<i64>,
}

/// The engine of a new domain.
pub const ENGINE: &str = "OpenSearch_2.19";

/// A domain of this stack.
#[derive(Clone, Debug)]
pub struct DomainHandle {
    domain: cfn::Ref<opensearch::Domain>,
    arn: Value<Arn<opensearch::Domain>>,
    name: Value<String>,
    endpoint: Value<String>,
}

impl Construct for Domain {
    type Handle = DomainHandle;

    fn build(self, scope: &mut Scope<'_>) -> DomainHandle {
        let retention = self.log_retention_days;
        let application = scope.add("ApplicationLog", LogGroup::builder().retention_days(retention.clone()).build());
        let audit = scope.add("AuditLog", LogGroup::builder().retention_days(retention).build());
        let leave = Statement::allow(["logs:CreateLogStream", "logs:PutLogEvents"])
            .by(Principal::service("es.amazonaws.com"))
            .on([application.arn().into_text(), audit.arn().into_text()])
            .when("StringEquals", "aws:SourceAccount", intrinsic::account_id());
        let policy: Value<cfn::Json> = PolicyDocument::new([leave]).into_value();
        // One namespace for the whole account and region.
        let path = scope.path();
        let within = path.split_once('/').map_or("", |(_, within)| within).replace('/', "-");
        let policy_name: Value<String> =
            Text::new().value(intrinsic::stack_name()).text("-").text(&within).into_value();
        let log_policy = scope.add(
            "LogPolicy",
            logs::ResourcePolicy::new().policy_name(policy_name).policy_document(json_text(&policy.into_json())),
        );
        let publish = |group: Value<Arn<logs::LogGroup>>| {
            d::LogPublishingOption::new().cloud_watch_logs_log_group_arn(group).enabled(true)
        };
        // Who of the account may ask is said by IAM; what they may do inside, by the domain.
        let access = Statement::allow(["es:ESHttp*"]).by(Principal::this_account()).on(["*"]);
        let (cluster, volume) = topology(self.topology);
        let domain = scope.add(
            "Resource",
            opensearch::Domain::new()
                .engine_version(ENGINE)
                .cluster_config(cluster)
                .ebs_options(d::EBSOptions::new().ebs_enabled(true).volume_type("gp3").volume_size(volume))
                .encryption_at_rest_options(d::EncryptionAtRestOptions::new().enabled(true))
                .node_to_node_encryption_options(d::NodeToNodeEncryptionOptions::new().enabled(true))
                .domain_endpoint_options(
                    d::DomainEndpointOptions::new()
                        .enforce_https(true)
                        .tls_security_policy("Policy-Min-TLS-1-2-PFS-2023-10"),
                )
                .advanced_security_options(
                    d::AdvancedSecurityOptionsInput::new()
                        .enabled(true)
                        .internal_user_database_enabled(false)
                        .master_user_options(
                            d::MasterUserOptions::new().master_user_arn(self.master.arn().into_text()),
                        ),
                )
                .access_policies(PolicyDocument::new([access]))
                .log_publishing_options([
                    ("AUDIT_LOGS", publish(audit.arn())),
                    ("ES_APPLICATION_LOGS", publish(application.arn())),
                ])
                .software_update_options(d::SoftwareUpdateOptions::new().auto_software_update_enabled(true))
                .off_peak_window_options(d::OffPeakWindowOptions::new().enabled(true)),
        );
        scope.options(&domain).retain();
        scope.options(&domain).update_policy(serde_json::json!({ "EnableVersionUpgrade": true }));
        scope.options(&domain).depends_on(&log_policy);
        DomainHandle { arn: domain.arn(), name: domain.ref_(), endpoint: domain.domain_endpoint(), domain }
    }
}

fn topology(topology: Topology) -> (d::ClusterConfig, Value<i64>) {
    match topology {
        Topology::Production { data_type, data_count, master_type, volume_gib } => {
            let cluster = d::ClusterConfig::new()
                .instance_type(data_type)
                .instance_count(data_count)
                .dedicated_master_enabled(true)
                .dedicated_master_count(3)
                .dedicated_master_type(master_type)
                .zone_awareness_enabled(true)
                .zone_awareness_config(d::ZoneAwarenessConfig::new().availability_zone_count(3));
            (cluster, volume_gib)
        }
        Topology::Small => {
            let cluster = d::ClusterConfig::new()
                .instance_type("t3.small.search")
                .instance_count(1)
                .dedicated_master_enabled(false);
            (cluster, Value::Known(10))
        }
    }
}

impl DomainHandle {
    /// Its endpoint: a host name, asked over HTTPS at port 443.
    pub fn endpoint(&self) -> Value<String> {
        self.endpoint.clone()
    }

    /// Its ARN.
    pub fn arn(&self) -> Value<Arn<opensearch::Domain>> {
        self.arn.clone()
    }

    /// The resource, for what must wait until it stands.
    pub fn resource(&self) -> &cfn::Ref<opensearch::Domain> {
        &self.domain
    }

    /// Lets `role` post bulk requests. Which indices it may write is said inside the domain.
    pub fn grant_bulk(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        let bulk: Value<String> = Text::new().value(self.arn.clone()).text("/_bulk").into_value();
        role.allow(scope, Statement::allow(["es:ESHttpPost"]).on([bulk]));
    }

    /// Lets `role` put and remove what the domain's administration has: index templates, roles, mappings.
    pub fn grant_setup(&self, scope: &mut Scope<'_>, role: &RoleHandle) {
        for path in ["/_index_template/*", "/_plugins/_security/api/*"] {
            let path: Value<String> = Text::new().value(self.arn.clone()).text(path).into_value();
            role.allow(scope, Statement::allow(["es:ESHttpDelete", "es:ESHttpPut"]).on([path]));
        }
    }

    /// 1 while a primary shard has no home: data is missing from searches.
    pub fn metric_red(&self) -> Metric {
        self.metric("ClusterStatus.red", "Maximum")
    }

    /// 1 while the domain takes no writes.
    pub fn metric_writes_blocked(&self) -> Metric {
        self.metric("ClusterIndexWritesBlocked", "Maximum")
    }

    /// MiB free on the fullest node.
    pub fn metric_free_storage(&self) -> Metric {
        self.metric("FreeStorageSpace", "Minimum")
    }

    fn metric(&self, name: &'static str, statistic: &'static str) -> Metric {
        Metric::new("AWS/ES", name, statistic)
            .of("DomainName", self.name.clone())
            .of("ClientId", intrinsic::account_id())
    }
}
