//! AWS's spelling -> Rust's. Types keep AWS's words (`SSESpecification`); fields, methods and variants get Rust's.

/// Words that Rust reserves, and methods that every generated type has.
const TAKEN: &[&str] = &[
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "struct",
    "super",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "get",
    "into_json",
    "into_value",
    "maybe",
    "new",
    "put",
    "with",
];

/// Words whose inner capitals do not start another word. `ARNs`, `IPv6`, `DBv2` need no entry: see [`split`].
const WHOLE: &[&str] = &["AWS", "OpenX", "SerDe", "OAuth", "VCpu", "vCpu", "GiB", "MiB", "QoS", "XRay"];

/// `SSESpecification` -> sse, specification; `S3DestinationConfiguration` -> s3, destination, configuration;
/// `ClusterARNs` -> cluster, arns; `IPv6CidrBlock` -> ipv6, cidr, block; `aws:kms` -> aws, kms.
pub(crate) fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(split).map(str::to_ascii_lowercase).collect()
}

fn split(part: &str) -> Vec<&str> {
    let mut out = vec![];
    let mut rest = part;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(word_length(rest));
        out.push(word);
        rest = after;
    }
    out
}

/// How much of `rest` (ASCII letters and digits, not empty) is its first word; at least one.
fn word_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
    if let Some(whole) = WHOLE.iter().find(|w| rest.starts_with(**w) && !at(w.len()).is_ascii_lowercase()) {
        return whole.len();
    }
    let run = |from: usize, of: fn(&u8) -> bool| from + bytes.iter().skip(from).take_while(|b| of(b)).count();
    let capitals = run(0, u8::is_ascii_uppercase);
    let next = at(capitals);
    let mut end = match capitals {
        // ARNs
        2.. if next == b's' && !at(capitals + 1).is_ascii_lowercase() => capitals + 1,
        // IPv6
        2.. if next == b'v' && at(capitals + 1).is_ascii_digit() => capitals + 1,
        // HTTPEndpoint: the last capital opens the next word
        2.. if next.is_ascii_lowercase() => capitals - 1,
        _ => run(capitals, u8::is_ascii_lowercase),
    };
    let letters = end;
    end = run(end, u8::is_ascii_digit);
    if end > letters {
        end = run(end, |b| b.is_ascii_lowercase() || b.is_ascii_digit());
    }
    end.max(1)
}

/// The name of a method or a module.
pub(crate) fn snake(name: &str) -> String {
    let name = words(name).join("_");
    let name = if name.starts_with(|c: char| c.is_ascii_digit()) { format!("n{name}") } else { name };
    if TAKEN.contains(&name.as_str()) { name + "_" } else { name }
}

/// The name of a static.
pub(crate) fn constant(name: &str) -> String {
    words(name).join("_").to_ascii_uppercase()
}

/// A type's name: AWS's own, but for what Rust does not take.
pub(crate) fn type_name(name: &str) -> String {
    let out: String = name.split(|c: char| !c.is_ascii_alphanumeric()).map(capital).collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) { format!("N{out}") } else { out }
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_ascii_uppercase().to_string() + chars.as_str())
}

/// `aws:kms` -> `AwsKms`, `STANDARD_IA` -> `StandardIa`, `python3.12` -> `Python3_12`, the empty word -> `Empty`.
pub(crate) fn variant(value: &str) -> String {
    let spelled = value.replace('+', " Plus ").replace('*', " Star ");
    let mut out = String::new();
    for word in words(&spelled) {
        if word.starts_with(|c: char| c.is_ascii_digit()) && out.ends_with(|c: char| c.is_ascii_digit()) {
            out.push('_');
        }
        out.push_str(&capital(&word));
    }
    match out.as_str() {
        "" => "Empty".into(),
        "Self" | "Unlisted" => out + "Value",
        _ if out.starts_with(|c: char| c.is_ascii_digit()) => format!("V{out}"),
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::{snake, variant};

    #[test]
    fn a_name_reads_as_one_would_expect() {
        for (aws, rust) in [
            ("SSESpecification", "sse_specification"),
            ("KMSMasterKeyID", "kms_master_key_id"),
            ("S3DestinationConfiguration", "s3_destination_configuration"),
            ("IPv6CidrBlock", "ipv6_cidr_block"),
            ("ClusterARNs", "cluster_arns"),
            ("SecurityGroupIds", "security_group_ids"),
            ("OpenXJsonSerDe", "openx_json_serde"),
            ("DynamoDBv2Action", "dynamo_dbv2_action"),
            ("HttpEndpointDestinationConfiguration", "http_endpoint_destination_configuration"),
            ("AWSKMSKeyARN", "aws_kms_key_arn"),
            ("SaslScram512Auth", "sasl_scram512_auth"),
            ("EBSOptions", "ebs_options"),
            ("Type", "type_"),
            ("Ref", "ref_"),
            ("MD5OfBody", "md5_of_body"),
            ("EnableSNI", "enable_sni"),
            ("VPCConfig", "vpc_config"),
            ("HECEndpoint", "hec_endpoint"),
        ] {
            assert_eq!(snake(aws), rust, "{aws}");
        }
    }

    #[test]
    fn a_word_of_aws_becomes_a_variant() {
        for (value, rust) in [
            ("aws:kms:dsse", "AwsKmsDsse"),
            ("STANDARD_IA", "StandardIa"),
            ("python3.12", "Python3_12"),
            ("t3.small.search", "T3SmallSearch"),
            ("AES256", "Aes256"),
            ("provided.al2023", "ProvidedAl2023"),
            ("nodejs20.x", "Nodejs20X"),
            ("", "Empty"),
            ("1.5", "V1_5"),
            ("s3:ObjectCreated:*", "S3ObjectCreatedStar"),
        ] {
            assert_eq!(variant(value), rust, "{value}");
        }
    }
}
