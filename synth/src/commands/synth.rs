//! `synth synth`: stacks as templates.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use constructs::Template;
use serde_json::{Map, Value, json};

use super::{Context, counted};
use crate::output::{Output, Verdict};
use crate::workspace::shown;

/// Writes the template of each stack, and prints the paths.
///
/// A template is written when nothing is wrong with any of the stacks asked for; else every problem is told, with its code
/// (`synth explain CODE`) and its construct. The same stacks give the same bytes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stacks; all when none is named.
    #[arg(value_name = "STACK")]
    stacks: Vec<String>,
    /// Where the templates go; `target/templates` of the workspace when not given.
    #[arg(long, value_name = "DIR", conflicts_with = "stdout")]
    out: Option<PathBuf>,
    /// Print the template of the one stack instead.
    #[arg(long)]
    stdout: bool,
    /// How a template is written.
    #[arg(long, value_enum, default_value_t)]
    format: TemplateFormat,
    /// Write a cloud assembly too: `manifest.json`, for `cdk --app DIR ls` and other tools that read one.
    #[arg(long, conflicts_with = "stdout")]
    assembly: bool,
}

/// How a template is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum TemplateFormat {
    /// `<stack>.template.json`.
    #[default]
    Json,
    /// `<stack>.template.yaml`, with intrinsics in their long form.
    Yaml,
}

impl TemplateFormat {
    fn file(self, stack: &str) -> String {
        format!("{stack}.template.{}", if self == Self::Json { "json" } else { "yaml" })
    }

    fn text(self, template: &Template) -> anyhow::Result<String> {
        match self {
            Self::Json => Ok(template.to_json()),
            Self::Yaml => serde_saphyr::to_string(template.as_json()).context("the template cannot be written as YAML"),
        }
    }
}

/// Exit code: 0 when the templates are written, 1 when something is wrong with a stack, 2 when a template cannot be written.
pub fn run(args: &Args, context: &Context, out: &mut Output) -> anyhow::Result<Verdict> {
    let stacks = context.stacks(&args.stacks)?;
    if let ([] | [_, _, ..], true) = (&stacks[..], args.stdout) {
        bail!("`--stdout` prints one template: name one of the {} stacks", stacks.len());
    }
    let Some(templates) = context.synthesize(&stacks, out) else { return Ok(Verdict::Findings) };
    if args.stdout {
        for (_, template) in &templates {
            out.product(args.format.text(template)?.trim_end())?;
        }
        return Ok(Verdict::Fine);
    }
    let machine = &context.machine;
    let dir = args.out.as_ref().map_or_else(|| machine.root().join("target/templates"), |dir| machine.dir.join(dir));
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder `{}`", dir.display()))?;
    for (name, template) in &templates {
        let path = dir.join(args.format.file(name));
        let text = args.format.text(template)?;
        write(&path, &text)?;
        let resources = template.as_json()["Resources"].as_object().map_or(0, Map::len);
        out.product(shown(&path, &machine.dir))?;
        out.talk(format_args!("{name}: {}, {} bytes", counted(resources, "resource"), text.len()));
    }
    if args.assembly {
        let path = dir.join("manifest.json");
        write(&path, &format!("{:#}\n", manifest(&templates, args.format)))?;
        out.product(shown(&path, &machine.dir))?;
    }
    Ok(Verdict::Fine)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}

/// The manifest of a cloud assembly with these templates. Version 36 of its schema has all that is in it, and is read by every
/// CDK command line of the last years.
fn manifest(templates: &[(String, Template)], format: TemplateFormat) -> Value {
    let artifacts: Map<String, Value> = templates
        .iter()
        .map(|(name, template)| {
            let properties = json!({
                "templateFile": format.file(name),
                "validateOnSynth": false,
                "tags": template.tags(),
                "stackName": name,
            });
            let artifact = json!({
                "type": "aws:cloudformation:stack",
                "environment": "aws://unknown-account/unknown-region",
                "properties": properties,
                "displayName": name,
            });
            (name.clone(), artifact)
        })
        .collect();
    json!({"version": "36.0.0", "artifacts": artifacts})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Capture, Product, Talk};
    use crate::workspace::Machine;
    use constructs::cfn::sqs;
    use constructs::{App, Stack};
    use proptest::prelude::*;

    #[test]
    fn all_errors_of_all_stacks_are_told_and_nothing_is_written() {
        let broken = |name: &str| {
            let mut stack = Stack::new(name);
            let mut scope = stack.scope();
            scope.add("Queue", sqs::Queue::new().delay_seconds(10_000).with("Colour", json!("red")));
            scope.add(
                "Queue",
                sqs::Queue::new().with("RedrivePolicy", json!({"deadLetterTargetArn": {"Ref": "Nowhere"}})),
            );
            stack
        };
        let dir = tempfile::tempdir().unwrap();
        let context = Context {
            app: App::new([broken("b"), broken("a"), Stack::new("fine")]),
            registry: etl::registry::Registry::default(),
            machine: Machine { dir: dir.path().to_owned(), env: [].into() },
        };
        let (product, talk) = (Capture::default(), Capture::default());
        let mut out = Output::to(Product::new(product.clone()), Talk::new(talk.clone()));
        let args = Args { stacks: vec![], out: None, stdout: false, format: TemplateFormat::Json, assembly: false };
        assert_eq!(run(&args, &context, &mut out).unwrap(), Verdict::Findings);
        assert_eq!(product.text(), "");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let talk = talk.text();
        for told in ["a/Queue", "b/Queue", "[CFN001]", "[CFN021]", "[CFN026]", "`synth explain CODE` says more"] {
            assert!(talk.contains(told), "{told} is not told: {talk}");
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let odd = [
            "yes",
            "No",
            "on",
            "~",
            "null",
            "0755",
            "1.10",
            "1e3",
            "12:30:45",
            "2010-09-09",
            "- x",
            "a: b",
            "#",
            " x ",
            "x\n",
            "\t",
            "&a",
            "*a",
            "!Ref",
            "%",
            "@",
            "`",
            "=",
            "<<",
            "",
        ];
        prop_oneof![prop::sample::select(odd.to_vec()).prop_map(str::to_owned), ".{0,12}", "[ \\n\\t:#'\"-]{0,6}"]
    }

    proptest! {
        /// What reads YAML reads the same template.
        #[test]
        fn yaml_and_json_are_the_same_template(
            members in prop::collection::btree_map(texts(), texts(), 0..6), numbers in prop::collection::vec(any::<i32>(), 0..3),
        ) {
            let template = json!({"Resources": {"R": {"Type": "T", "Properties": members}}, "Numbers": numbers, "Empty": [{}, []]});
            let text = serde_saphyr::to_string(&template).unwrap();
            let read: Value = serde_saphyr::from_str(&text).unwrap();
            prop_assert_eq!(read, template, "{}", text);
        }
    }
}
