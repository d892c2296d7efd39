//! CloudTrail: trails.
//!
//! Imports: `aws`, `cfn`, `text`, `tree`.

use super::s3::BucketHandle;
use crate::{
    Text,
    tree::{Construct, Scope},
};
use cfn::{IntoValue, Value, cloudtrail, intrinsic};

/// A trail of management events of all regions, with digests by which AWS proves that no file was changed or removed.
#[derive(Clone, Debug, bon::Builder)]
pub struct Trail {
    /// Its name: 3 to 128 letters, digits, `.`, `_`, `-`. The bucket's policy says the same name.
    #[builder(with = |name: impl IntoValue<String>| name.into_value())]
    name: Value<String>,
    /// Where its files go, below `AWSLogs/<account>/CloudTrail/`, the digests below `AWSLogs/<account>/CloudTrail-Digest/`.
    bucket: BucketHandle,
}

impl Construct for Trail {
    type Handle = ();

    fn build(self, scope: &mut Scope<'_>) {
        let trail = scope.add(
            "Resource",
            cloudtrail::Trail::new()
                .trail_name(self.name)
                .s3_bucket_name(self.bucket.name())
                .is_logging(true)
                .is_multi_region_trail(true)
                .include_global_service_events(true)
                .enable_log_file_validation(true),
        );
        // CloudTrail writes a trial file while the trail is made.
        self.bucket.before(scope, &trail);
    }
}

/// ARN of a trail of this account in this region, by its name.
pub(super) fn arn_of(name: &Value<String>) -> Value<String> {
    let here = intrinsic::sub("arn:${AWS::Partition}:cloudtrail:${AWS::Region}:${AWS::AccountId}:trail/");
    Text::new().value(here).value(name.clone()).into_value()
}
