//! Every known defect of Bender, numbered as it was found, with the sentence of the reference that says what happens here instead, and the tests
//! that show it. A defect without a sentence, a sentence that nobody can read, and a test that is not there fail.
//!
//! `D1` to `D3e` lose events without a word, `D4` is data that ends an invocation, `D5` waits for ever, `D6` to `D20` give wrong results,
//! `D21` to `D29` were seen when Bender ran. What each is, the sentences say in brackets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail them")]

use crate::kit::registry;
use etl::reference::{pages, section};
use std::{collections::BTreeSet, fs, path::Path};

/// Its number, the component whose page tells of it ("" for every pipeline), the beginning of the sentence, and the names of the tests.
const MENDED: &[(&str, &str, &str, &[&str])] = &[
    (
        "D1",
        "Firehose",
        "A call that fails is repeated and then handed back.",
        &["an_exception_of_a_far_side_is_never_taken_for_success", "nothing_is_lost_when_the_whole_call_fails"],
    ),
    (
        "D1",
        "S3",
        "A call that S3 refuses is repeated, then handed back.",
        &["an_upload_that_fails_half_way_is_ended_at_s3_and_handed_back_as_a_whole"],
    ),
    ("D2", "Firehose", "An event that is too large fails alone.", &["an_event_that_is_too_large_fails_alone"]),
    ("D2", "Datadog", "An event that is too large fails alone.", &["an_event_that_is_too_large_fails_alone"]),
    ("D2", "Gelf", "An event that is too large fails alone.", &["an_event_that_is_too_large_fails_alone"]),
    ("D2", "S3", "An event that is too large fails alone.", &["an_event_that_is_too_large_fails_alone"]),
    (
        "D3",
        "Firehose",
        "Records that Firehose refuses for now are sent again.",
        &["a_refused_record_of_firehose_brings_back_all_events_in_it_and_no_other"],
    ),
    (
        "D3",
        "ElasticSearch",
        "A document that the mapping refuses fails, and is counted.",
        &[
            "one_document_that_spoils_a_request_fails_and_its_neighbours_arrive",
            "every_captured_answer_is_judged_item_by_item",
        ],
    ),
    (
        "D3",
        "",
        "What fails can be kept, with `dead_letter`.",
        &["an_event_that_fails_is_kept_as_it_was_received", "what_the_far_side_refuses_for_good_is_kept_too"],
    ),
    (
        "D3",
        "",
        "Whatever is not delivered is counted.",
        &["every_event_is_accounted_for_and_nothing_is_safe_that_is_not"],
    ),
    (
        "D3b",
        "KinesisHandler",
        "`fail_on_exception: false` loses what could not be delivered and nothing else.",
        &["without_fail_on_exception_the_invocation_succeeds_and_says_what_was_lost"],
    ),
    (
        "D3c",
        "SNSS3Handler",
        "A message with nothing to read does not keep those behind it from being read.",
        &["every_message_is_worked_on_whatever_the_others_are"],
    ),
    (
        "D3d",
        "FieldSubstitution",
        "A field is never lost on its way.",
        &["a_field_is_moved_only_where_nothing_is_lost_by_it"],
    ),
    (
        "D3e",
        "JsonKeyNameOperation",
        "Members whose names collide fail the event, which is counted.",
        &["fails_rather_than_lose_a_value"],
    ),
    (
        "D3e",
        "LowerCaseKeyOperation",
        "Members whose names collide fail the event, which is counted.",
        &["fails_rather_than_lose_a_value"],
    ),
    (
        "D3e",
        "KeyNameReplacementOperation",
        "Members whose names collide fail the event, which is counted.",
        &["an_event_fails_rather_than_lose_a_value"],
    ),
    ("D4", "KinesisHandler", "One bad record fails alone.", &[SPOILS]),
    ("D4", "GenericJson", "A field of `nested_field_configs` that is no text stays as it is.", &[SPOILS]),
    ("D4", "GenericJson", "An event with anything but an object at `root_node_override_path` fails alone.", &[SPOILS]),
    ("D4", "Regex", "A NUMBER whose text is none fails its event, alone.", &[SPOILS]),
    ("D4", "TimeOperation", "A text that is no time fails its event.", &[SPOILS]),
    ("D4", "PartitionOperation", "A field that is no time fails its event.", &[SPOILS]),
    ("D4", "StaticSubstitution", "A key below a text or a number fails its event, alone.", &[SPOILS]),
    ("D4", "GeoIpOperation", "A field of commas alone has no address.", &[SPOILS]),
    ("D4", "RegexSubstitution", "A group that the expression does not have is a mistake of the config.", &[IMPOSSIBLE]),
    (
        "D4",
        "FormattedSubstitution",
        "A format that no text can have, `{0,number}`, is a mistake of the config.",
        &[IMPOSSIBLE],
    ),
    (
        "D5",
        "S3Handler",
        "An object that is missing, empty or damaged is accounted for, and the others are read.",
        &[WAITS],
    ),
    ("D5", "KinesisHandler", "A record that should be compressed and is not fails alone.", &[WAITS]),
    (
        "D5",
        "DynamodbHandler",
        "A record that does not say when the item changed is taken to have changed now.",
        &["a_change_of_unknown_time_is_not_lost"],
    ),
    ("D5", "ForkOperation", "A fork without operations lets its copy pass.", &[WAITS]),
    ("D5", "ForkOperation", "What fails in a fork fails alone.", &[WAITS]),
    ("D5", "ConditionalOperation", "A condition without operations lets its events pass.", &[WAITS]),
    ("D6", "ForkOperation", "They know their Kinesis record or S3 object.", &[KNOW]),
    ("D6", "JsonArraySplitOperation", "The events know their Kinesis record or S3 object.", &[KNOW]),
    ("D6", "KinesisWrapper", "The events of a split or a fork have the facts of their record.", &[KNOW]),
    ("D6", "MetadataSubstitution", "The events of a split know what their record or object was.", &[KNOW]),
    (
        "D7",
        "JsonArraySplitOperation",
        "Each event has a copy of the fields to keep.",
        &["each_event_of_a_split_has_its_own_copy_of_what_is_kept"],
    ),
    (
        "D8",
        "S3Handler",
        "Each object belongs to the first source of the config that matches.",
        &["the_first_source_that_matches_takes_each_trigger_for_itself"],
    ),
    (
        "D9",
        "S3",
        "Parts are never smaller than S3 allows (5 MiB), however well they pack.",
        &["what_packs_well_waits_until_a_part_is_large_enough", "a_large_partition_is_sent_in_parts_of_5_mib_at_least"],
    ),
    ("D9", "S3", "An upload that fails is ended at S3.", &["an_upload_that_is_given_up_is_ended_at_s3"]),
    (
        "D10",
        "S3Handler",
        "A download that breaks off goes on where it was, or the object comes again.",
        &[
            "a_broken_download_goes_on_where_it_was_if_the_object_is_the_same",
            "a_far_side_that_breaks_off_is_an_outage_and_no_fault",
        ],
    ),
    ("D11", "ElasticSearch", "`_type` is never sent.", &["a_document_has_its_action_line_and_no_type"]),
    (
        "D11",
        "ElasticSearch",
        "After a refusal only what was refused is sent again.",
        &["documents_that_are_refused_for_now_are_sent_again_alone"],
    ),
    (
        "D11",
        "ElasticSearch",
        "Routing and index are escaped, and an event without partitions has no routing.",
        &[PACKED, "without_partitions_there_is_no_routing"],
    ),
    (
        "D11",
        "ElasticSearch",
        "`document_id: origin` tells equal lines apart.",
        &["the_id_of_an_origin_is_the_same_every_time_and_another_one_for_every_place"],
    ),
    (
        "D12",
        "CloudWatchEmbeddedMetrics",
        "Each component has figures of its own.",
        &["each_set_of_tags_has_a_line_of_its_own"],
    ),
    (
        "D13",
        "RegexFilterOperation",
        "Its time and its events are counted as those of other operations are.",
        &[FIGURES],
    ),
    ("D13", "ConditionalOperation", "Its figures carry its own name.", &[FIGURES]),
    (
        "D13",
        "DataDog",
        "`stat_filters` look at the values of tags.",
        &["a_filter_names_a_figure_its_tags_and_whether_only_zeros_are_left_out"],
    ),
    (
        "D14",
        "ContextSubstitution",
        "Every substitution sees all of it.",
        &["every_substitution_sees_the_whole_context"],
    ),
    (
        "D15",
        "PartitionOperation",
        "`seconds_to_round` brings a time down.",
        &["times_are_brought_down_and_written_by_their_pattern"],
    ),
    (
        "D16",
        "File",
        "All of an invocation stays in the file.",
        &["an_invocation_begins_the_file_anew_and_then_appends"],
    ),
    ("D17", "TimeOperation", "A time without an offset is UTC.", &["parts_may_be_left_out_and_no_offset_is_utc"]),
    ("D17", "Json", "The text is UTF-8 on every machine.", &[FIGURES]),
    ("D18", "DataDog", "Sizes are bytes, of any number.", &[FIGURES]),
    ("D19", "HTTP2", "The query of `path` is sent.", &["the_query_is_kept_and_a_packed_body_says_so"]),
    ("D19", "HTTP2", "Packed requests say that they are packed.", &["the_query_is_kept_and_a_packed_body_says_so"]),
    ("D19b", "ElasticSearch", "Packed requests say that they are JSON.", &[PACKED]),
    (
        "D19c",
        "KinesisHandler",
        "`include_function_tags` asks for the function without the alias that invoked it",
        &["the_tags_are_those_of_the_function_that_an_alias_points_at"],
    ),
    (
        "D19d",
        "KinesisHandler",
        "Nothing of an invocation that failed is left for the next one.",
        &["an_invocation_that_failed_leaves_nothing_for_the_next_one"],
    ),
    (
        "D19e",
        "JsonArraySplitOperation",
        "A partition without a value stays one.",
        &["a_partition_without_a_value_goes_through_a_split"],
    ),
    (
        "D20",
        "",
        "All mistakes of a config are told at once, and a misspelt or impossible setting is one.",
        &["every_sample_is_a_sound_config", "all_mistakes_are_reported_at_once"],
    ),
    (
        "D20",
        "PartitionOperation",
        "The settings of a partition may stand in any order.",
        &["what_bender_does_is_done_here_too"],
    ),
    ("D21", "", "One event that fails takes no other with it.", &[SPOILS]),
    (
        "D22",
        "UrlDecodeOperation",
        "What is not ASCII stays as it is.",
        &["a_field_is_decoded_and_what_is_not_ascii_stays"],
    ),
    ("D23", "TimeOperation", "Nanoseconds are read.", &["digits_say_what_a_number_counts"]),
    ("D24", "JsonKeyNameOperation", "Members keep their order.", &["names_say_the_type_of_their_value"]),
    (
        "D25",
        "FieldSubstitution",
        "What is missing is not in a list of what a path finds.",
        &["what_is_found_is_a_list_where_there_may_be_several"],
    ),
    (
        "D26",
        "",
        "A config without a wrapper, a serializer or a transport is refused.",
        &["what_is_missing_at_the_root_is_named"],
    ),
    ("D26", "", "A variable is a value.", &["a_variable_is_a_value_and_never_structure"]),
    (
        "D27",
        "HTTP",
        "Certificates and host names are checked.",
        &["a_certificate_that_is_not_trusted_is_refused_and_nothing_is_sent"],
    ),
    ("D28", "", "Nothing of an event is logged.", &["bad_text_fails_alone_with_a_reason_and_without_its_content"]),
    (
        "D28",
        "GeoIpOperation",
        "Only addresses are looked up.",
        &["the_first_address_is_looked_up_and_nothing_is_resolved"],
    ),
    (
        "D29",
        "",
        "Memory has one bound, however many partitions there are.",
        &["all_lanes_together_stay_within_the_bound_and_the_fullest_goes_first"],
    ),
];

const SPOILS: &str = "what_ends_an_invocation_of_benders_concerns_one_event_alone";
const IMPOSSIBLE: &str = "what_no_event_could_pass_is_a_mistake_of_the_config";
const WAITS: &str = "nothing_waits_for_what_will_never_come";
const KNOW: &str = "the_events_of_a_split_or_a_fork_know_their_record";
const FIGURES: &str = "sizes_are_bytes_and_a_filter_counts_what_it_lets_through";
const PACKED: &str = "a_packed_bulk_request_says_that_it_is_json_and_routing_is_escaped";

/// What the reference says is mended in a component, or in every pipeline.
fn told(component: &str) -> String {
    let ours = registry();
    let about = if component.is_empty() {
        let (_, page) = pages(&ours).into_iter().find(|(name, _)| name == "pipeline.md").unwrap();
        page.replace("\n## ", "\n# ")
    } else {
        let found = ours.rooms().into_iter().find_map(|(_, _, room)| room.find(component));
        let found = found.unwrap_or_else(|| panic!("there is no {component}"));
        found.schema()["description"].as_str().unwrap().to_owned()
    };
    section(&about, "Unlike Bender").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_defect_has_its_sentence_in_the_reference() {
    for (number, component, sentence, tests) in MENDED {
        assert!(told(component).contains(sentence), "{number}: {component} does not say: {sentence}");
        assert!(!tests.is_empty(), "{number}: {sentence} is shown by no test");
    }
}

/// The names of all tests of the functions, wherever they stand.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text.lines().map(str::trim);
            while let Some(line) = lines.next() {
                if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    let head = lines.find(|line| line.contains("fn ")).unwrap_or_default();
                    let (_, name) = head.split_once("fn ").unwrap_or_default();
                    found.extend(name.split_once('(').map(|(name, _)| name.to_owned()));
                }
            }
        }
    }
}

#[test]
fn every_defect_has_a_test_that_shows_it_does_not_occur() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = BTreeSet::new();
    for folder in ["src", "tests", "../src", "../etl-adapters"] {
        tests_below(&ours.join(folder), &mut all);
    }
    for (number, _, sentence, tests) in MENDED {
        for test in *tests {
            assert!(all.contains(*test), "{number}: {sentence} There is no test `{test}`");
        }
    }
}

#[test]
fn no_number_is_left_out() {
    let mended: BTreeSet<&str> = MENDED.iter().map(|row| row.0).collect();
    let parts = ["D3b", "D3c", "D3d", "D3e", "D19b", "D19c", "D19d", "D19e"].map(str::to_owned);
    let all: BTreeSet<String> = (1..=29).map(|number| format!("D{number}")).chain(parts).collect();
    assert_eq!(mended, all.iter().map(String::as_str).collect());
}
