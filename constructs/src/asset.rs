//! The code of functions, as parameters: the template does not change when only the binary does.
//!
//! `CodeBucket` and `EtlCodeKey` say where the zip of a kind of function (`Etl`) lies, `EtlCodeSha256` its hash as Lambda computes
//! it. The key holds a hash too, so new code is a new key. `CodeSha256` of a version makes CloudFormation publish
//! a new version when the code is another, and refuse code that is not the one meant. `synth package` writes all three.
//!
//! Imports: `cfn`, `template`, `tree`.

use crate::template::Parameter;
use crate::tree::Scope;
use cfn::Value;

/// Where the code of a kind of function lies.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionCode {
    /// The bucket of the zip.
    pub bucket: Value<String>,
    /// The key of the zip.
    pub key: Value<String>,
    /// The SHA-256 of the zip in base64, as `CodeSha256` of a function's version wants it.
    pub sha256: Value<String>,
}

impl FunctionCode {
    /// The code of the functions of this kind: letters and digits, `Etl`. All functions of a kind in a stack share it.
    pub fn of_kind(scope: &mut Scope<'_>, kind: &str) -> Self {
        let bucket = Parameter::string()
            .description("The bucket that holds the zips of all functions.")
            .allowed_pattern("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
            .constraint_description("the name of a bucket")
            .group("Code");
        let key = Parameter::string()
            .description("The key of the zip, as `synth package` wrote it.")
            .allowed_pattern(r"[A-Za-z0-9!_.*'()/-]{0,900}[0-9a-f]{16,64}\.zip")
            .constraint_description("a key that ends in the beginning of the zip's SHA-256, in hexadecimal, and `.zip`")
            .group("Code");
        let sha256 = Parameter::string()
            .description("The SHA-256 of the zip in base64, as `synth package` wrote it.")
            .allowed_pattern("[A-Za-z0-9+/]{43}=")
            .constraint_description("a SHA-256 in base64: 44 characters")
            .group("Code");
        Self {
            bucket: scope.parameter("CodeBucket", bucket).text(),
            key: scope.parameter(&format!("{kind}CodeKey"), key).text(),
            sha256: scope.parameter(&format!("{kind}CodeSha256"), sha256).text(),
        }
    }
}
