//! What Bender's template engine did to the text of a config, as far as configs rely on it.
//!
//! Bender renders a config with `StringTemplate` before it parses it. `\<` is `<`, `\\` is `\`, `\}` is `}`; every other
//! backslash stays. A config without `version` is read so, which gives the same values for every config that Bender can
//! read; one with `version` escapes nothing but `<`, so its backslashes stand for themselves.

/// The character that `text` begins with when it is escaped, and how many bytes that takes.
pub(super) fn escape(text: &str, benders: bool) -> Option<(char, usize)> {
    let escaped = text.strip_prefix('\\')?.chars().next()?;
    (escaped == '<' || benders && matches!(escaped, '\\' | '}')).then_some((escaped, 2))
}

/// What a template expression other than a variable looks like, if the text has one.
pub(super) fn template(text: &str) -> Option<&'static str> {
    let begins = |mark: &str| {
        text.match_indices(mark).any(|(at, _)| !text[..at].ends_with(['\\', '?']) && text[at..].contains('>'))
    };
    let comment =
        text.match_indices("<!").any(|(at, _)| !text[..at].ends_with(['\\', '?']) && text[at..].contains("!>"));
    match () {
        () if comment => Some("<! … !>"),
        () if begins("<if(") || begins("<elseif(") => Some("<if(…)>"),
        () if begins("<else>") => Some("<else>"),
        () if begins("<endif>") => Some("<endif>"),
        () => None,
    }
}

/// Every component that Bender has, so that one which is not here is known by name.
const COMPONENTS: &str = "KinesisHandler DynamodbHandler S3Handler SNSS3Handler GenericJson Regex TimeOperation \
    PartitionOperation JsonArraySplitOperation JsonRootNodeOperation JsonKeyNameOperation JsonDropArraysOperation \
    JsonReplaceKVOperation LowerCaseKeyOperation FlattenOperation KeyNameReplacementOperation UrlDecodeOperation \
    DeleteFieldOperation RegexFilterOperation BasicFilterOperation ForkOperation ConditionalOperation GeoIpOperation \
    GelfOperation SubstitutionOperation BasicWrapper KinesisWrapper S3Wrapper DynamodbWrapper PassthroughWrapper Json HTTP \
    HTTP2 ElasticSearch Splunk SumoLogic Scalyr Datadog Gelf Firehose S3 File Stdout DevNull Cloudwatch \
    CloudWatchEmbeddedMetrics DataDog";

/// Whether Bender has a component of this name.
pub(super) fn has(name: &str) -> bool {
    COMPONENTS.split_ascii_whitespace().any(|component| component == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_expressions_are_known_by_their_look() {
        assert_eq!(template("<if(GOLDEN_NAME)>set<else>unset<endif>"), Some("<if(…)>"));
        assert_eq!(template("x<! a comment !>"), Some("<! … !>"));
        assert_eq!(template("a<endif>"), Some("<endif>"));
        for text in ["<NAME>", "(?<!a)b", "(?\\<!a)!>", "\\<if(x)>", "a <! b", "<iffy>"] {
            assert_eq!(template(text), None, "{text}");
        }
    }
}
