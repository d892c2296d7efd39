//! Operations and substitutions, one by one and in chains.

use crate::{
    events::{json, names},
    kit::{Parts, entry, examples, numbers, run, runner, written},
};
use etl::{config::PipelineConfig, pipeline::Ledger, registry::Registry, testing::World};
use proptest::prelude::*;
use std::cell::Cell;

/// What an example alone does not try.
pub(crate) const RICHER: [&str; 28] = [
    "type: ConditionalOperation\nfilter_non_match: true\nconditions:\n- condition: {type: RegexFilterOperation, regex: error, path: $.level}\n  operations:\n  - {type: DeleteFieldOperation, key_field: $.level}\n- condition: {type: SampleOperation, of: 2}\n  operations: [{type: FlattenOperation}]",
    "type: DedupeOperation\nfields: [$.id, $.a.b]\nremember: 2",
    "type: DeleteFieldOperation\nkey_field: $..id",
    "type: DeleteFieldOperation\nkey_field: '$.a[0]'",
    "type: FlattenOperation\nseparator: ''",
    "type: ForkOperation\nforks:\n- operations: []\n- operations: [{type: JsonArraySplitOperation, path: $.a}]",
    "type: GelfOperation\nsrc_host_field: [$.id, $.a]\nsrc_short_message_field: [$.a.b, $.message]\nsrc_full_message_field: [$.message]\nsrc_level_field: [$.level]",
    "type: JsonArraySplitOperation\npath: $..a\nfields_to_keep: [id, b]",
    "type: JsonArraySplitOperation\npath: $.a\nfields_to_keep: [a, id]",
    "type: JsonReplaceKVOperation\nkey: $.a.b\nvalue: \"\\u0000 é \\\" 😀\"",
    "type: JsonRootNodeOperation\nroot_path: $.a",
    "type: KeepFieldsOperation\nfields: [$..id, '$.a[*].b', a.b]",
    "type: KeyNameReplacementOperation\nregex: '[a-z]*'\nreplacement: '$0$0'",
    "type: KeyNameReplacementOperation\nregex: '(?=b)'\ndrop: true",
    "type: ParseJsonOperation\nfield: $.message\ntarget: $.a.made\non_failure: KEEP",
    "type: ParseJsonOperation\nfield: $.a\non_failure: DROP",
    "type: ParseRegexOperation\nfield: $.message\nregex: '(?<first>.)(?<rest>.*)'\ntarget: $.a.made\non_failure: KEEP",
    "type: RedactOperation\nfields: [$..id, '$.a[*]']\naction: REMOVE",
    "type: RedactOperation\npatterns: ['[0-9]*']\ndetect: [EMAIL, IPV4, CREDIT_CARD]\naction: MASK\nmask: ''",
    "type: RedactOperation\nfields: [$.a, $.id]\npatterns: ['(?<=b)o+']\naction: HASH\nhash_key: a secret of sixteen characters",
    "type: RenameFieldOperation\nfrom: $.a\nto: $.b.a\noverwrite: true",
    "type: RenameFieldOperation\nfrom: $.id\nto: $.a.id",
    "type: SampleOperation\nof: 3\nkeep: 2\nfield: $.id",
    "type: PartitionOperation\npartition_specs:\n- {name: p, sources: [$.id, $..a], string_format: TOUPPER}\n- {name: t, sources: [$.time], interpreter: SECONDS, format: yyyy-MM-dd/HH, seconds_to_round: 3600}\n- {name: s, interpreter: STATIC, format: x}",
    "type: TimeOperation\ntime_field: $.time\ntime_field_type: SECONDS",
    "type: TimeOperation\ntime_field: $.time\ntime_field_type: ISO8601",
    "type: UrlDecodeOperation\nfields: [$.message, $.a.b]\ntimes: 3",
    "type: SubstitutionOperation\nsubstitutions:\n- {type: FieldSubstitution, key: $.a.b, src_fields: [$..id, $.a], remove_src_field: true, fail_src_not_found: false}\n- {type: FieldSubstitution, key: $.a, src_fields: [$.b], remove_src_field: true, fail_src_not_found: false}\n- type: FormattedSubstitution\n  key: $.message\n  format: \"{0}'{0}'{1}{7}\"\n  variables: [{type: FieldVariable, src_fields: [$.a], fail_src_not_found: false, remove_src_field: true}, {type: StaticVariable, value: x}]\n- {type: RegexSubstitution, pattern: '(?<w>\\w)(?<r>.*)', src_fields: [$.message, $.id], fail_src_not_found: false, remove_src_field: true, fields: [{regex_group_name: w, type: STRING, key: $.w}, {regex_group_name: r, type: BOOLEAN, key: $.r}]}",
];

fn config(registry: &Registry, operations: &str) -> PipelineConfig {
    Parts { operations, wrapper: "type: BasicWrapper", ..Parts::default() }.config(registry)
}

/// There is a table to look things up in, and no other file.
pub(crate) fn files(world: &World) {
    let table = b"account_id,name,team\n0,zero,a\nerror,\"a \"\"b\"\"\",b\n";
    world.objects.put("my-bucket", "accounts.csv", Ok(table.to_vec()));
}

/// What is delivered of records, and the ledger.
fn delivered(config: &PipelineConfig, records: &[String]) -> (String, Ledger) {
    let world = World::new();
    files(&world);
    let ledger = run(config, &world, records).ledger;
    (written(&world), ledger)
}

/// What must hold, whatever the operations are. Counts what is delivered.
fn laws(config: &PipelineConfig, records: &[String], all: &Cell<u64>) -> Result<(), TestCaseError> {
    let (text, ledger) = delivered(config, records);
    prop_assert!(ledger.balances(), "{:?}", ledger);
    prop_assert_eq!(ledger.received, records.len() as u64);
    prop_assert_eq!(text.lines().count() as u64, ledger.delivered);
    all.set(all.get() + ledger.delivered);
    for (name, number) in text.lines().flat_map(numbers) {
        let came = records.iter().any(|record| record.contains(&number));
        // Times are of the wrapper, of what is known about an event, and of the format that Graylog reads.
        let time = name.contains("timestamp") || name.ends_with("EpochMs") || name == "sourceLagMs";
        prop_assert!(came || time, "{}: {} came from nowhere: {:?}", name, number, records);
    }
    prop_assert_eq!(delivered(config, records), (text, ledger), "the same again");
    Ok(())
}

/// The laws of one operation on its own, which must let something through.
fn alone(registry: &Registry, operation: &str) {
    let (config, delivered) = (config(registry, &entry(operation)), Cell::new(0));
    let records = prop::collection::vec(json(names(operation)), 1..6);
    let result = runner(60).run(&records, |records| laws(&config, &records, &delivered));
    result.unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert!(delivered.get() > 0, "nothing is ever delivered by {operation}");
}

#[test]
fn every_operation_accounts_for_every_event_and_keeps_the_text_of_numbers() {
    let registry = Registry::default();
    let examples = examples(&registry, "operation");
    assert!(examples.len() >= 19, "{}", examples.len());
    for operation in examples.iter().map(|(_, example)| *example).chain(RICHER) {
        alone(&registry, operation);
    }
}

#[test]
fn so_does_every_substitution() {
    let registry = Registry::default();
    let examples = examples(&registry, "substitution");
    assert!(examples.len() >= 7, "{}", examples.len());
    for (_, example) in examples {
        alone(&registry, &format!("type: SubstitutionOperation\nsubstitutions:\n{}", entry(example)));
        // Its key is a member's name, and its sources are paths of the whole event.
        let inside = entry(&format!("type: NestedSubstitution\nkey: $.made\nsubstitutions:\n{}", entry(example)));
        alone(&registry, &format!("type: SubstitutionOperation\nsubstitutions:\n{inside}"));
    }
}

#[test]
fn so_does_every_chain_of_operations_and_every_fork_of_chains() {
    let registry = Registry::default();
    let of_registry = examples(&registry, "operation");
    let examples: Vec<&str> = of_registry.iter().map(|(_, example)| *example).chain(RICHER).collect();
    let all = examples.join("\n");
    let chain = || prop::collection::vec(prop::sample::select(examples.clone()), 0..4);
    let delivered = Cell::new(0);
    let made = (chain(), chain(), chain(), prop::collection::vec(json(names(&all)), 1..5));
    let result = runner(200).run(&made, |(first, second, behind, records)| {
        let list = |chain: &[&str]| chain.iter().map(|example| entry(example)).collect::<String>();
        let branch = |chain: &[&str]| {
            let operations = if chain.is_empty() { " []".to_owned() } else { format!("\n{}", list(chain)) };
            entry(&format!("operations:{operations}"))
        };
        let fork = format!("type: ForkOperation\nforks:\n{}{}", branch(&first), branch(&second));
        laws(&config(&registry, &(entry(&fork) + &list(&behind))), &records, &delivered)
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    assert!(delivered.get() > 100, "{}", delivered.get());
}

/// Names are remembered from event to event, up to a bound; behind an event with more names than that, all is learned anew.
#[test]
fn what_came_before_changes_nothing_of_an_event() {
    let registry = Registry::default();
    let members: Vec<_> = (0..70_000).map(|n| format!(r#""k{n}":{n}"#)).collect();
    let wide = format!("{{{}}}", members.join(","));
    for operation in examples(&registry, "operation").iter().map(|(_, example)| *example).chain(RICHER) {
        // Which is there to remember.
        if operation.contains("DedupeOperation") {
            continue;
        }
        let config = config(&registry, &entry(operation));
        let records = prop::collection::vec(json(names(operation)), 4..12);
        let result = runner(1).run(&records, |records| {
            let first = delivered(&config, &records).0;
            let with = [&records[..], std::slice::from_ref(&wide), &records[..]].concat();
            let text = delivered(&config, &with).0;
            prop_assert!(text.starts_with(&first) && text.ends_with(&first), "{} {}", first, text.len());
            Ok(())
        });
        result.unwrap_or_else(|error| panic!("{operation}: {error}"));
    }
}
