//! What holds of reading configs. As this is another crate, the components of `kit` are a user's own.

use crate::kit::{Auth, KV, MaskOperation, RELAY, Relay, environment, mistakes, read, registry, with};
use etl::{
    codes,
    component::Any,
    config::{OperationConfig, PipelineConfig, Source, Variables},
    deserializers::GenericJson,
    handlers::KinesisHandler,
    late::{EnvName, Late},
    need::{Need, Target},
    operations::JsonReplaceKVOperation,
    serializers::Json,
    wrappers::KinesisWrapper,
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = include_str!("wrong.yaml");
    let report = PipelineConfig::read(&registry(), "wrong.yaml", text, Variables::From(&environment)).unwrap_err();
    insta::assert_snapshot!("all_mistakes_at_once", report);
    let lines: Vec<String> = report.lines().collect();
    assert_eq!(
        lines[1],
        "wrong.yaml:10:3: error[ETL012]: there is no setting `source_regexp` here; did you mean `source_regex`?"
    );
    let mut kinds: Vec<&str> = report.problems.iter().map(|p| p.code.id).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!((kinds.len(), report.problems.len()), (10, 10));
}

#[test]
fn programs_read_the_mistakes_as_json() {
    let report = read(&with(KV, "type: Relay, stream_name: s, packing: BACH")).unwrap_err();
    let want = json!({"file": "pipeline.yaml", "problems": [{
        "code": "ETL015", "title": "a value that is not one of those allowed", "path": "transport.packing",
        "line": 9, "column": 51, "message": "`packing` is not one of the values allowed", "given": "BACH",
        "allowed": ["`BATCH`", "`SIMPLE`"], "help": "did you mean `BATCH`?", "also": [],
    }]});
    assert_eq!(serde_json::to_value(&report).unwrap(), want);
}

/// Holds a config against its mistakes, whose places are marked with `¦` in the text.
#[track_caller]
fn assert_marked(marked: &str, want: &[&str]) {
    let text = marked.replace('¦', "");
    let marks: Vec<usize> = marked.match_indices('¦').enumerate().map(|(n, (at, mark))| at - n * mark.len()).collect();
    let report = read(&text).expect_err("something is wrong");
    let found: Vec<String> = report.problems.iter().map(|p| format!("{} {}", p.code.id, p.path)).collect();
    assert_eq!(found, want, "{report}");
    let places: Vec<usize> = report.problems.iter().map(|p| p.at.start).collect();
    assert_eq!(places, marks, "{report}");
}

#[test]
fn each_mistake_has_its_code_and_its_exact_place() {
    for (operation, want) in [
        ("type: ¦JsonReplaceKV, key: a", "ETL010 sources[0].operations[0].type"),
        ("¦key: a", "ETL013 sources[0].operations[0].type"),
        ("type: JsonReplaceKVOperation, ¦kee: a, value: b", "ETL012 sources[0].operations[0].kee"),
        ("type: ¦JsonReplaceKVOperation, key: a", "ETL013 sources[0].operations[0].value"),
        ("type: JsonReplaceKVOperation, key: a, value: ¦0755", "ETL014 sources[0].operations[0].value"),
        ("type: JsonReplaceKVOperation, key: a, value: b, ¦key: c", "ETL002 sources[0].operations[0].key"),
        ("type: JsonReplaceKVOperation, key: '$.a[¦', value: b", "ETL018 sources[0].operations[0].key"),
        ("type: MaskOperation, field: ¦''", "ETL017 sources[0].operations[0].field"),
        ("type: MaskOperation, field: f, keep: ¦3", "ETL019 sources[0].operations[0].keep"),
        ("type: MaskOperation, field: f, keep: ¦5000000000", "ETL016 sources[0].operations[0].keep"),
        ("type: MaskOperation, field: f, only: 'it''s ¦(a'", "ETL021 sources[0].operations[0].only"),
        ("type: MaskOperation, field: f, only: \"\\u00e9\\t¦[\"", "ETL021 sources[0].operations[0].only"),
        ("type: MaskOperation, field: f, only: '<YES>¦(<PORT>'", "ETL021 sources[0].operations[0].only"),
        ("type: MaskOperation, field: ¦[f]", "ETL014 sources[0].operations[0].field"),
    ] {
        // What a map lacks is said of the whole map.
        assert_marked(&with(operation, RELAY).replace("- {¦", "- ¦{"), &[want]);
    }
    for (settings, want) in [
        ("stream_name: ¦a b", "ETL018 transport.stream_name"),
        ("stream_name: s, packing: ¦simple", "ETL015 transport.packing"),
        ("stream_name: s, threads: ¦0", "ETL016 transport.threads"),
        ("stream_name: s, threads: ¦007", "ETL014 transport.threads"),
        ("stream_name: s, threads: ¦1.5", "ETL014 transport.threads"),
        ("stream_name: s, verbose: ¦yes", "ETL014 transport.verbose"),
        ("stream_name: s, port: ¦70000", "ETL016 transport.port"),
        ("stream_name: s, retry_delay: ¦0", "ETL016 transport.retry_delay"),
        ("stream_name: s, region: ¦us_east_1", "ETL018 transport.region"),
        ("stream_name: s, topic: ¦my-topic", "ETL018 transport.topic"),
        ("stream_name: s, auth: {type: ¦User}", "ETL010 transport.auth.type"),
        ("stream_name: s, auth: ¦[a]", "ETL014 transport.auth"),
        ("stream_name: s, auth: {type: ¦UrlSigningAuth}", "ETL013 transport.auth.region"),
        ("stream_name: ¦[s]", "ETL014 transport.stream_name"),
        ("¦stream_name: ", "ETL014 transport.stream_name"),
    ] {
        assert_marked(&with(KV, &format!("type: Relay, {settings}")), &[want]);
    }
    assert_marked(&with(KV, "type: ¦5, stream_name: s"), &["ETL014 transport.type"]);
    assert_marked(&with(KV, RELAY).replace(&format!("{{{KV}}}"), "¦[a]"), &["ETL014 sources[0].operations[0]"]);
    assert_eq!(mistakes(&with(KV, "type: RelayTransport, stream_name: s, region: eu-west-1, topic: null")), [""; 0]);
}

#[test]
fn a_setting_may_be_written_by_its_other_name_but_not_by_both() {
    let config = read(&with(KV, "type: Relay, stream_name: s, chatty: false")).unwrap();
    assert_eq!(config.transport.as_ref().unwrap().to_json()["verbose"], false);
    let both = "type: Relay, stream_name: s, verbose: true, ¦chatty: false";
    assert_marked(&with(KV, both), &["ETL012 transport.chatty"]);
}

#[test]
fn what_is_missing_at_the_root_is_named() {
    assert_eq!(
        mistakes("handler: {type: KinesisHandler}\n"),
        ["ETL013 - serializer", "ETL013 - sources", "ETL013 - transport", "ETL013 - wrapper"]
    );
    let none = with(KV, RELAY).replace("  deserializer: {type: GenericJson}\n", "");
    assert_eq!(mistakes(&none), ["ETL013 5:9 sources[0].deserializer"]);
    let letters = |to: &str| mistakes(&(format!("dead_letter: {to}\n") + &with(KV, RELAY)));
    assert_eq!(letters("{}"), ["ETL013 1:1 dead_letter.type"]);
    assert_eq!(letters("{type: Relay, stream_name: s, port: 0}"), ["ETL016 1:50 dead_letter.port"]);
    assert_eq!(mistakes("[]"), ["ETL014 1:1 "]);
}

#[test]
fn several_transports_are_checked_one_by_one() {
    let config = |transports: &str| {
        let text = "handler: {type: KinesisHandler}\nserializer: {type: Json}\nsources:\n- name: a\n  deserializer: {type: \
                    GenericJson}\ntransports:\n";
        text.to_owned() + transports
    };
    let fine = "- {name: a, wrapper: {type: KinesisWrapper}, transport: {type: Stdout}}\n";
    assert_eq!(mistakes(&config(fine)), [""; 0]);
    let written = read(&config(fine)).unwrap();
    assert_eq!(read(&written.to_json()).unwrap(), written);
    assert_eq!(mistakes(&(config(fine) + "transport: {type: Stdout}\n")), ["ETL020 6:1 transports"]);
    assert_eq!(mistakes(&config("  []\n")), ["ETL017 6:1 transports"]);
    let wrong = "- {name: a, wrapper: {type: S3Wrapper}, transport: {type: Stdout}}\n\
                 - {name: a, transport: {type: Stdout}}\n\
                 - {name: c, wrapper: {type: BasicWrapper}, transport: {type: Stdout}, when: {type: BasicFilterOperation}}\n\
                 - {name: d, wrapper: {type: BasicWrapper}, transport: {type: Stdout}, when: {type: LowerCaseKeyOperation}}\n";
    assert_eq!(
        mistakes(&config(wrong)),
        [
            "ETL024 7:29 transports[0].wrapper",
            "ETL013 8:10 transports[1].wrapper",
            "ETL025 8:10 transports[1].name",
            "ETL028 9:84 transports[2].when",
            "ETL027 10:84 transports[3].when"
        ]
    );
}

#[test]
fn a_handler_that_answers_for_its_records_and_the_answer_go_together() {
    let config = |handler: &str, transports: &str| {
        let common = "wrapper: {type: PassthroughWrapper}\nserializer: {type: Json}\nsources: [{name: a, deserializer: {type: GenericJson}}]\n";
        format!("handler: {{type: {handler}}}\n{common}{transports}\n")
    };
    let (one, ours) = ("transport: {type: FirehoseTransform}", "FirehoseTransformHandler");
    assert_eq!(mistakes(&config(ours, one)), [""; 0]);
    assert_eq!(mistakes(&config("KinesisHandler", one)), ["ETL036 5:19 transport"]);
    assert_eq!(mistakes(&config(ours, "transport: {type: Stdout}")), ["ETL036 5:19 transport"]);
    let list = |types: &[&str]| {
        let entry = |(n, name)| format!("- {{name: t{n}, transport: {{type: {name}}}}}\n");
        "transports:\n".to_owned() + &types.iter().enumerate().map(entry).collect::<String>()
    };
    assert_eq!(mistakes(&config(ours, &list(&["Stdout", "FirehoseTransform"]))), [""; 0]);
    assert_eq!(mistakes(&config(ours, &list(&["Stdout", "DevNull"]))), ["ETL036 6:32 transports[0].transport"]);
    let twice = list(&["FirehoseTransform", "FirehoseTransform"]);
    assert_eq!(mistakes(&config(ours, &twice)), ["ETL036 7:32 transports[1].transport"]);
    let letters = one.to_owned() + "\ndead_letter: {type: FirehoseTransform}";
    assert_eq!(mistakes(&config(ours, &letters)), ["ETL036 6:21 dead_letter"]);
    assert_eq!(mistakes(&config(ours, "transport: {type: Stdut}")), ["ETL010 5:19 transport.type"]);
}

#[test]
fn places_hold_behind_aliases_and_merges() {
    let merged = "handler: {type: KinesisHandler}\nwrapper: {type: KinesisWrapper}\nserializer: {type: Json}\n\
                  transport: {type: Relay, stream_name: s}\nsources:\n- &a\n  name: a\n  source_regex: x\n  \
                  regex_patterns: ['¦(']\n  deserializer: {type: GenericJson}\n- <<: *a\n  name: b\n  source_regex: y\n";
    // Reported once, though both sources have it.
    assert_marked(merged, &["ETL021 sources[0].regex_patterns[0]"]);
    let text =
        with(KV, RELAY).replace("{type: Relay", "\n  <<: &x {threads: ¦0}\n  type: Relay").replace(": s}", ": s");
    let text = text.replace(", stream_name", "\n  stream_name");
    assert_marked(&text, &["ETL016 transport.threads"]);
    let report = read(&text.replace('¦', "")).unwrap_err();
    assert!(report.to_string().contains("used here"), "{report}");
}

#[test]
fn in_json_the_same_mistakes_have_lines_and_columns() {
    let json = r#"{"handler": {"type": "KinesisHandler"}, "wrapper": {"type": "KinesisWrapper"}, "serializer": {"type": "Json"},
 "transport": {"type": "Relay",
 "stream_name": "s", "threads": "1", "packing": "BACH"}, "sources": [{"name": "a", "deserializer": {"type": "GenericJson"},
 "operations": [{"type": "JsonReplaceKV"}], "name": "b"}]}"#;
    let want = [
        "ETL014 3:33 transport.threads",
        "ETL015 3:49 transport.packing",
        "ETL010 4:26 sources[0].operations[0].type",
        "ETL002 4:45 sources[0].name",
    ];
    assert_eq!(mistakes(json), want);
    let file = |text| PipelineConfig::read(&registry(), "c.json", text, Variables::From(&environment)).unwrap_err();
    assert_eq!(
        file(json).lines().next().unwrap(),
        "c.json:3:33: error[ETL014]: `threads` must be a whole number; leave the quotes away: 1"
    );
    let comma = file("{\n  \"handler\": {},\n}");
    assert_eq!(
        comma.lines().collect::<Vec<_>>(),
        ["c.json:3:1: error[ETL001]: the config cannot be read as JSON: trailing comma"]
    );
}

#[test]
fn a_variable_is_a_value_and_never_structure() {
    let transport = "type: Relay, stream_name: s, port: <PORT>, note: '<HOST> <PORT> \\<x>', verbose: <YES>";
    let config = read(&with("type: MaskOperation, field: '(?<level>', only: (?<level>a)", transport)).unwrap();
    let want = json!({"type": "Relay", "stream_name": "s", "port": 443, "note": "host: {a: 1} 443 \\<x>"});
    assert_eq!(config.transport.as_ref().unwrap().to_json(), want);
    let evil = |_: &str| Some("x, threads: 500}\n- 'y\"".to_owned());
    let text = with(KV, "type: Relay, stream_name: s, note: <EVIL>");
    let config = PipelineConfig::read(&registry(), "p.yaml", &text, Variables::From(&evil)).unwrap();
    assert_eq!(config.transport.as_ref().unwrap().to_json()["note"], "x, threads: 500}\n- 'y\"");
}

#[test]
fn a_variable_that_nothing_gives_is_one_mistake_with_its_place() {
    let text = with(
        "type: JsonReplaceKVOperation, key: ¦<A>, value: ¦<B>",
        "type: Relay, stream_name: s, threads: ¦<D>, verbose: ¦<SECRET>",
    );
    let want = [
        "ETL003 sources[0].operations[0].key",
        "ETL003 sources[0].operations[0].value",
        "ETL003 transport.threads",
        "ETL014 transport.verbose",
    ];
    assert_marked(&text, &want);
}

#[test]
fn no_message_tells_the_value_of_a_variable() {
    let texts = [
        with(
            "type: <SECRET>",
            "type: Relay, stream_name: s, region: <SECRET>, topic: <SECRET>, packing: <SECRET>, port: <SECRET>",
        ),
        with("type: MaskOperation, field: f, only: '(<SECRET>'", "type: Relay, stream_name: '<SECRET> x'"),
        with(KV, RELAY).replace("name: a", "name: <SECRET>") + "x: 1\n",
        with(KV, RELAY).replace("GenericJson", "<SECRET>"),
        with("type: MaskOperation, field: f, keep: <SECRET>", "type: Relay, stream_name: s, auth: {type: <SECRET>}"),
    ];
    for text in texts {
        let report = read(&text).unwrap_err();
        let all = format!("{report}{}{}", serde_json::to_string(&report).unwrap(), report.lines().collect::<String>());
        assert!(!all.contains("hunter2"), "{all}");
    }
}

#[test]
fn a_config_without_version_is_read_as_bender_reads_it() {
    let value = r"'a \< b > c \\d \d \} } { {{x}} $y #z'";
    let text = with(&format!("type: JsonReplaceKVOperation, key: k, value: {value}"), RELAY);
    let read_value = |text: &str| read(text).unwrap().sources[0].operations[0].to_json()["value"].clone();
    assert_eq!(read_value(&text), r"a < b > c \d \d } } { {{x}} $y #z");
    // With one, a backslash is a backslash.
    assert_eq!(read_value(&format!("version: 1\n{text}")), r"a < b > c \\d \d \} } { {{x}} $y #z");
    let template = with("type: JsonReplaceKVOperation, key: k, value: '<if(X)>set<endif>'", RELAY);
    assert_eq!(mistakes(&template), ["ETL006 8:51 sources[0].operations[0].value"]);
}

#[test]
fn a_config_of_a_newer_language_is_refused_and_nothing_else_is_said() {
    let text = format!("version: 2\n{}", with("type: NotYetInvented", RELAY));
    assert_eq!(mistakes(&text), ["ETL005 1:10 version"]);
    assert_eq!(mistakes(&format!("version: 0\n{}", with(KV, RELAY))), ["ETL016 1:10 version"]);
    assert_eq!(mistakes(&format!("version: '1'\n{}", with(KV, RELAY))), ["ETL014 1:10 version"]);
}

#[test]
fn a_stack_reads_a_config_whose_variables_are_bound_and_writes_it_again() {
    let transport = "type: Relay, stream_name: <STREAM>, port: <PORT>, note: 'a-<STAGE> \\<b>', auth: {type: UserPassAuth, username: <USER>, password: <PASSWORD>}";
    let text = with("type: MaskOperation, field: <FIELD>, only: 'x<STAGE>'", transport);
    let names = ["STREAM", "PORT", "STAGE", "USER", "PASSWORD", "FIELD"];
    let bound = |text: &str| PipelineConfig::read(&registry(), "p.yaml", text, Variables::Bound(&names));
    let config = bound(&text).unwrap();
    let want = json!({
        "type": "Relay", "stream_name": "<STREAM>", "port": "<PORT>",
        "auth": {"type": "UserPassAuth", "username": "<USER>", "password": "<PASSWORD>"}, "note": "a-<STAGE> \\<b>",
    });
    assert_eq!(config.transport.as_ref().unwrap().to_json(), want);
    assert_eq!(config.sources[0].operations[0].to_json()["only"], "x<STAGE>");
    let name = |name: &str| EnvName::new(name).unwrap();
    let need = Need { actions: &["firehose:PutRecordBatch"], on: Target::DeliveryStream(Late::Env(name("STREAM"))) };
    assert_eq!(config.needs(), [need]);
    // It is a fixed point, and the function reads the same with the values.
    assert_eq!(bound(&config.to_json()).unwrap().to_json(), config.to_json());
    let values = |name: &str| Some(if name == "PORT" { "1".to_owned() } else { name.to_lowercase() });
    let late = PipelineConfig::read(&registry(), "inline", &config.to_json(), Variables::From(&values)).unwrap();
    assert_eq!(late.transport.as_ref().unwrap().to_json()["note"], "a-stage \\<b>");
    assert_eq!(late, PipelineConfig::read(&registry(), "p.yaml", &text, Variables::From(&values)).unwrap());
}

#[test]
fn what_must_be_known_when_the_template_is_made_cannot_be_bound() {
    let text = with(
        "type: MaskOperation, field: f, keep: <N>",
        "type: Relay, stream_name: a-<N>, packing: <N>, verbose: <N>, region: <N>, threads: <N>, note: <M>",
    );
    let report = PipelineConfig::read(&registry(), "p.yaml", &text, Variables::Bound(&["N"])).unwrap_err();
    let found: Vec<String> = report.problems.iter().map(|p| format!("{} {}", p.code.id, p.path)).collect();
    let want = [
        "ETL030 sources[0].operations[0].keep",
        "ETL030 transport.stream_name",
        "ETL030 transport.packing",
        "ETL030 transport.verbose",
        "ETL030 transport.region",
        "ETL030 transport.threads",
        "ETL003 transport.note",
    ];
    assert_eq!(found, want);
}

#[test]
fn a_stack_writes_what_a_function_reads() {
    let replace = JsonReplaceKVOperation::builder().key("team").value("<b>").build();
    let events = Source::builder()
        .name("Events")
        .source_regex(".*:stream/events".parse().unwrap())
        .deserializer(GenericJson::builder().build())
        .operations(vec![replace.into(), MaskOperation::builder().field("card").keep(2).build().into()])
        .build();
    let stream = EnvName::new("STREAM").unwrap();
    let config = PipelineConfig::builder()
        .handler(KinesisHandler::builder().build())
        .sources(vec![events])
        .wrapper(KinesisWrapper {})
        .serializer(Json::builder().build())
        .transport(Relay::builder().stream_name(stream).port(443).build())
        .build();
    let want = json!({
        "version": 1,
        "handler": {"type": "KinesisHandler"},
        "sources": [{"name": "Events", "source_regex": ".*:stream/events", "deserializer": {"type": "GenericJson"}, "operations": [
            {"type": "JsonReplaceKVOperation", "key": "team", "value": "\\<b>"},
            {"type": "MaskOperation", "field": "card", "keep": 2},
        ]}],
        "wrapper": {"type": "KinesisWrapper"},
        "serializer": {"type": "Json"},
        "transport": {"type": "Relay", "stream_name": "<STREAM>", "port": 443},
    });
    assert_eq!(config.to_json(), want.to_string());
    let again = PipelineConfig::read(&registry(), "inline", &config.to_json(), Variables::Bound(&["STREAM"]));
    assert_eq!(again.unwrap(), config);
    assert_eq!(EnvName::new("no-name"), None);
}

#[test]
fn operations_stand_in_a_source_or_beside_the_sources() {
    let inside = with(KV, RELAY);
    let beside = inside.replace("  deserializer", "deserializer").replace("  operations", "operations");
    let work = |c: &PipelineConfig| -> Vec<OperationConfig> { c.operations_of(&c.sources[0]).to_vec() };
    let (inside, beside) = (read(&inside).unwrap(), read(&beside).unwrap());
    assert_eq!((work(&inside).len(), work(&inside)), (1, work(&beside)));
    assert_eq!(inside.deserializer_of(&inside.sources[0]), beside.deserializer_of(&beside.sources[0]));
    let both = format!("deserializer: {{type: GenericJson}}\n{}", with(KV, RELAY));
    assert_eq!(mistakes(&both), ["ETL020 7:3 sources[0].deserializer"]);
}

#[test]
fn sources_that_cannot_be_told_apart_are_refused() {
    let more = |source: &str| with(KV, RELAY) + "deserializer: {type: GenericJson}\n" + source;
    let two = |first: &str, second: &str| {
        more("")
            .replace("- name: a\n  deserializer: {type: GenericJson}\n", &format!("- {first}\n- {second}\n"))
            .replace("  operations:\n", "operations:\n")
    };
    assert_eq!(mistakes(&two("{name: a, source_regex: x}", "{name: b}")), Vec::<String>::new());
    assert_eq!(mistakes(&two("{name: a}", "{name: b}")), ["ETL026 6:10 sources[1].source_regex"]);
    assert_eq!(mistakes(&two("{name: a}", "{name: b, source_regex: x}")), ["ETL026 6:27 sources[1].source_regex"]);
    assert_eq!(
        mistakes(&two("{name: a, source_regex: x}", "{name: a, source_regex: x}")),
        ["ETL025 6:10 sources[1].name", "ETL026 6:27 sources[1].source_regex"]
    );
}

#[test]
fn nested_components_are_read_checked_and_written_like_others() {
    let nested = "type: AllOperation, operations: [{type: MaskOperation, field: f, keep: 4}, {type: AllOperation, operations: []}]";
    let config = read(&with(nested, RELAY)).unwrap();
    let inner: Value = config.sources[0].operations[0].to_json()["operations"].clone();
    assert_eq!(
        inner,
        json!([{"type": "MaskOperation", "field": "f", "keep": 4}, {"type": "AllOperation", "operations": []}])
    );
    let wrong = "type: AllOperation, operations: [{type: MaskOperation, field: f, keep: ¦3}, {type: ¦Nope}]";
    let path = |index, key: &str| format!("sources[0].operations[0].operations[{index}].{key}");
    assert_marked(
        &with(wrong, RELAY),
        &[&format!("ETL019 {}", path(0, "keep")), &format!("ETL010 {}", path(1, "type"))],
    );
}

#[test]
fn a_component_of_the_same_name_takes_the_place_of_ours() {
    let mut registry = registry();
    registry.operations.add::<MaskOperation>();
    let names = registry.rooms().into_iter().find(|(room, ..)| *room == "operations").unwrap().2.names();
    assert_eq!(names.iter().filter(|name| **name == "MaskOperation").count(), 1);
    let clone: Any<_> = OperationConfig::from(MaskOperation::builder().field("f").build());
    assert_eq!((clone.name(), clone.clone()), ("MaskOperation", clone));
}

#[test]
fn settings_inside_tagged_forms_are_read_as_what_they_are() {
    let config =
        read(&with(KV, "type: Relay, stream_name: s, auth: {type: UrlSigningAuth, region: US_EAST_1}")).unwrap();
    assert_eq!(
        config.transport.as_ref().unwrap().to_json()["auth"],
        json!({"type": "UrlSigningAuth", "region": "us-east-1"})
    );
    let auth = Auth::UserPassAuth { username: "u".into(), password: Late::Env(EnvName::new("P").unwrap()) };
    let relay = Relay::builder().stream_name("s").auth(auth).build();
    let config = etl::config::TransportConfig::from(relay);
    assert_eq!(config.to_json()["auth"]["password"], "<P>");
}

#[test]
fn every_code_that_a_report_uses_is_explained() {
    for text in [include_str!("wrong.yaml"), "", "a: 1\n---\nb: 1"] {
        for problem in read(text).unwrap_err().problems {
            assert_eq!(codes::find(problem.code.id), Some(problem.code));
        }
    }
}

/// Texts that are nearly configs: a good one or a wrong one with some stretches replaced.
fn nearly_configs() -> impl Strategy<Value = String> {
    let yaml = include_str!("wrong.yaml").to_owned();
    let good =
        with("type: MaskOperation, field: f, only: '(?<a>b+)'", "type: Relay, stream_name: <HOST>, port: <PORT>");
    let json = read(&good).map(|config| config.to_json()).unwrap_or_default();
    let edit = (any::<prop::sample::Index>(), 0..6_usize, r#"[-\[\]{}:,'"&*!<>|?\\# \n\ta0é.%@`~]{0,4}"#);
    (prop::sample::select(vec![yaml, good, json]), prop::collection::vec(edit, 0..4)).prop_map(|(mut text, edits)| {
        for (at, length, new) in edits {
            let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let from = at.index(starts.len());
            let to = (from + length).min(starts.len() - 1);
            text.replace_range(starts[from]..starts[to], &new);
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No text makes the reader panic; what it says has places in the text and can be shown; what it reads, it writes.
    #[test]
    fn whatever_the_text_is_the_answer_can_be_shown(text in nearly_configs(), file in prop::sample::select(vec!["c.yaml", "c.json"])) {
        match PipelineConfig::read(&registry(), file, &text, Variables::From(&environment)) {
            Ok(config) => {
                let again = PipelineConfig::read(&registry(), "inline", &config.to_json(), Variables::From(&environment));
                prop_assert_eq!(again.map(|c| c.to_json()), Ok(config.to_json()));
            }
            Err(report) => {
                prop_assert!(!report.problems.is_empty());
                for problem in &report.problems {
                    prop_assert!(text.get(problem.at.clone()).is_some());
                }
                prop_assert!(report.to_string().contains("mistake"));
                prop_assert_eq!(report.lines().count(), report.problems.len());
            }
        }
    }
}

#[test]
fn tests_are_read_as_they_are_and_never_deployed() {
    let case = "tests:\n- {name: a, input: '<134>1 \\{', output: [{n: 1}], now: 2026-11-23T16:00:00Z, source: a}\n";
    let text = with(KV, RELAY) + case;
    let config = read(&text).unwrap();
    assert_eq!((config.tests[0].text(), config.tests[0].now_ms()), ("<134>1 \\{".to_owned(), 1_795_449_600_000));
    assert!(!config.to_json().contains("tests"));
    let wrong = with(KV, RELAY) + "tests:\n- {name: a, input: x, now: noon, source: b}\n- {name: a, output: x}\n";
    let line = with(KV, RELAY).lines().count() + 2;
    assert_eq!(
        mistakes(&wrong),
        [
            format!("ETL018 {line}:28 tests[0].now"),
            format!("ETL015 {line}:42 tests[0].source"),
            format!("ETL013 {}:3 tests[1].input", line + 1),
            format!("ETL025 {}:10 tests[1].name", line + 1),
            format!("ETL014 {}:21 tests[1].output", line + 1),
        ]
    );
}

#[test]
fn a_mistake_inside_a_component_does_not_hide_what_the_component_itself_objects_to() {
    let condition = "condition: {type: FlattenOperation}";
    let inner = "operations: [{type: MaskOperation, field: f, keep: 3}, {type: Nope}]";
    let text = with(&format!("type: ConditionalOperation, conditions: [{{{condition}, {inner}}}]"), RELAY);
    let codes: Vec<String> =
        mistakes(&text).iter().map(|mistake| mistake.split(' ').next().unwrap().to_owned()).collect();
    // The condition that is none, the odd number, the operation that there is not.
    assert_eq!(codes, ["ETL027", "ETL019", "ETL010"], "{:?}", mistakes(&text));
}
