//! Every code of a problem, with what `explain` prints of it. A code is never used again for something else.
//!
//! To add one: a row in the table below, with the next free number of its group: 001 to 009 the text, 010 to 029 single
//! settings and parts that do not fit together, 030 to 049 what only a stack can get wrong. A retired code stays in
//! `RETIRED`.
//!
//! Imports: nothing.

/// The name of a kind of problem.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// What is printed: `ETL012`.
    pub id: &'static str,
    /// The problem in one line.
    pub title: &'static str,
    /// What it means, why it is refused, and what to do.
    pub explain: &'static str,
}

/// The code of this id, in any case of letters.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explain:literal)+) => {
        $(#[doc = $title] pub const $name: &Code = &Code { id: $id, title: $title, explain: $explain };)+
        /// All of them, by number.
        pub const ALL: &[&Code] = &[$($name),+];
    };
}

codes! {
    SYNTAX "ETL001" "the text is neither YAML nor JSON"
    "The file cannot be read as a document, so nothing else of it was looked at. In YAML the usual reasons are \
     indentation that does not line up, a tab in it, and a `: ` or a ` #` inside a text without quotes. Put such a text \
     into single quotes. A file whose name ends in `.json` must be strict JSON: no comments, no comma after the last \
     member. Only the first place is reported, as what follows it cannot be told."
    DUPLICATE_KEY "ETL002" "a key is written twice"
    "A map has the same key twice. Most readers keep the last and say nothing, so a setting that stands in the file \
     would have no effect. Take one of the two away. A key that comes through a merge (`<<: *name`) may be written again: \
     what is written in the map itself holds."
    NO_VARIABLE "ETL003" "a variable that nothing gives"
    "`<NAME>` stands for a value of the environment, and the environment has no such name. In a function: set the \
     variable in its configuration. In a stack: bind the name to a handle's attribute. On your machine: set it for the \
     command. Only letters, digits and `_` make a name; where a text is meant to hold `<NAME>` itself, write \
     `\\<NAME>`. Groups of regular expressions (`(?<name>…)`, `\\k<name>`) are no variables."
    YAML "ETL004" "a part of YAML that configs do not have"
    "A config is made of maps, lists, texts, numbers, true, false and null. Tags (other than `!!str`), keys that are not \
     texts, several documents in one file, and aliases that repeat so much that the document becomes huge are refused. \
     Write the value out, or put each document into a file of its own."
    TOO_NEW "ETL005" "the config is written in a newer language than this program reads"
    "`version` says which version of the config's language a config is written in. This program is older than the \
     config: it may not know settings that matter, so it reads nothing rather than half of it. Deploy the function's \
     code from the same revision as the stack, or roll the stack back."
    TEMPLATE "ETL006" "a template expression other than a variable"
    "Bender ran configs through a template engine, so `<if(NAME)>…<endif>` and comments `<! … !>` worked by accident. \
     Here only `<NAME>` is replaced. Write the two variants as two configs, or choose the value in the stack that makes \
     the config; write comments as YAML does, with `#`."
    UNKNOWN_TYPE "ETL010" "no component has this type"
    "`type` names a component, and the room of this place has none of that name. The room is said by the key: \
     `transport` takes transports, each entry of `operations` an operation. Names are written as the reference pages \
     have them, capitals included. A component of your own must be added to the registry that reads the config."
    UNKNOWN_KEY "ETL012" "a setting that does not exist"
    "The component, or the config itself, has no setting of this name. A misspelt setting would otherwise have no effect \
     and nobody would know. The list of what is allowed leaves out the settings that are there already. Where \
     `stream_nam: logs` stands, write `stream_name: logs`."
    MISSING "ETL013" "a setting that must be there is not"
    "The component cannot work without this setting, and no value would be right for everybody. Add it. A config as a \
     whole needs `handler`, `sources`, `wrapper`, `serializer` and `transport` (or `transports`, which may have wrappers \
     and serializers of their own); each source needs a `deserializer`, its own or the one beside `sources`. (Bender fails at the start of the function when one is absent.)"
    WRONG_TYPE "ETL014" "a value of the wrong type"
    "A text stands where a number is wanted, or the other way round. Texts that look like numbers need quotes: \
     `value: 1.10` is the number 1.1 to many readers, `value: \"1.10\"` is the text. `yes`, `no`, `on` and `off` are texts: \
     write `true` and `false`. Numbers are written in decimal: `0755`, `0x1F` and `1_000` are read differently by \
     different programs, so they are refused. A variable may stand for a number or a boolean when its value reads as one."
    NOT_ALLOWED "ETL015" "a value that is not one of those allowed"
    "The setting takes one of a few words, and this is none of them. Words are written exactly as listed, capitals \
     included: not `firehose_buffer: batch` but `firehose_buffer: BATCH`."
    OUT_OF_RANGE "ETL016" "a number outside its range"
    "The setting has limits: AWS's own where there are some, else Bender's. The message says both ends: for \
     `port: 70000`, 1 and 65535."
    LENGTH "ETL017" "a text or list that is too short or too long"
    "A text of no characters where a name must be, a list that needs at least one entry, or more than AWS takes. \
     Not `name: \"\"` but `name: events`; not `sources: []` but one source at least."
    FORM "ETL018" "a text that does not have the form asked for"
    "The setting is a name, an ARN, a region or a path that AWS or the component reads by fixed rules, and the text does \
     not follow them. The message says the rule: a path is `$.user.name` and not `$.user[`, a region `EU_WEST_1` or \
     `eu-west-1` and not `Ireland`, a topic `arn:aws:sns:eu-west-1:123456789012:events` and not `events`."
    REFUSED "ETL019" "a component refused its settings"
    "Each setting is fine by itself, but the component cannot be made of them. The message is the component's own. \
     `use_hashid: true` beside `document_id: origin` gives two ids to one document: keep one of the two."
    GIVEN_TWICE "ETL020" "one thing is said in two places"
    "`deserializer` and `operations` may stand inside each source or, once for all sources, beside `sources`; where events \
     go is said by `transport` or by `transports`. When both are there, nothing says which one is meant. Keep one of the \
     two."
    REGEX "ETL021" "a regular expression that cannot be used"
    "Regular expressions are Java's, as in Bender: `\\d`, `\\w`, `\\s`, `\\b` and the POSIX classes know ASCII only, `$` \
     also matches before a last line end, `.` matches no line end. They are checked when the config is read. What Java \
     would refuse is refused, and so are the few constructs that would silently mean something else here: `\\G`, `\\X`, \
     `\\N{…}`, the flags `d`, `u` and `U`, and `&&` between anything but a class and a nested class. The place is the \
     construct's own. In YAML, single quotes keep backslashes as they are."
    WRAPPER_ORIGIN "ETL024" "the wrapper reads what the handler does not give"
    "`KinesisWrapper` writes the partition key and the sequence number of the Kinesis record, `S3Wrapper` the object's \
     key and version, and so on. Events from another handler have none of it: every event would fail. Use the wrapper of \
     the handler's kind, or `BasicWrapper` or `PassthroughWrapper`, which wrap anything."
    SAME_NAME "ETL025" "two sources or transports have one name"
    "A name is what metrics and failures are counted by, so two of one name could not be told apart. (Of two sources, \
     Bender keeps the last one and drops the other without a word.) Give each its own: `name: search`, `name: archive`."
    SAME_REGEX "ETL026" "a source that can never get an event"
    "An event belongs to the first source whose `source_regex` matches where it came from. A later source with the same \
     expression, or one behind a source that takes everything (`.*`, the default), gets nothing. Put the more particular \
     source first, or give it an expression of its own. (In Bender the winner is arbitrary.)"
    NOT_A_FILTER "ETL027" "an operation that is no condition"
    "A condition only decides which events pass, so it must be a filter: `RegexFilterOperation`, `BasicFilterOperation`, \
     `SampleOperation`, or one of your own that says it is one. Any other operation would change the event, or make several \
     of it. Put such a step among the `operations`."
    NEVER "ETL028" "a part of the config that no event can reach"
    "The condition lets nothing pass, or an earlier one takes everything, so what stands behind it would never be used: a \
     transport that no event goes to, a branch that is never taken. `BasicFilterOperation` lets nothing pass unless \
     `pass: true` is set. Take the part away, or mend its condition."
    NOT_LATE "ETL030" "a setting that must be known when the template is made"
    "The stack binds this variable to a value that only exists after the deployment, but the setting decides what the \
     template or the pipeline looks like: it is a number, a word of a list, a regular expression, or a resource name \
     that permissions are made from. Write the value itself, or bind the whole setting to one variable where the \
     reference says that it may come late. In a text made of several parts, such as `logs-<STAGE>`, give the stack the \
     value of the part."
    NO_ANSWER "ETL036" "the handler and the answer to it do not go together"
    "`FirehoseTransformHandler` answers Firehose with what becomes of each record. The transport `FirehoseTransform` is that \
     answer: without it every record would be answered as dropped, and with another handler there is nobody who reads it. \
     Use the two together. Further `transports` may stand beside it."
}

/// Codes that were used once and must never be used again.
pub const RETIRED: &[&str] = &[];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_explained_and_never_a_retired_one() {
        for pair in ALL.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} stands before {}", pair[0].id, pair[1].id);
        }
        for code in ALL {
            assert!(code.explain.len() > code.title.len() + 40, "{} is not explained", code.id);
            assert!(!code.explain.contains("  "), "{} has a hole in its text", code.id);
            assert!(!RETIRED.contains(&code.id), "{} is retired", code.id);
            assert_eq!(find(&code.id.to_lowercase()), Some(*code));
        }
        assert_eq!(find("ETL999"), None);
    }
}
