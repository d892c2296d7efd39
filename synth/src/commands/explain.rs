//! `synth explain`: the long text of an error code.

use anyhow::bail;
use serde_json::{Value, json};

use crate::output::{Format, Output, Verdict, nearest};

/// Explains an error code: what it means, why it is refused, and what to do. Lists all codes when none is given.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, as errors print it: `ETL021`, `CFN010`; in any case of letters.
    code: Option<String>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A code of a config's problem or of a stack's.
struct Explained {
    id: &'static str,
    title: &'static str,
    text: &'static str,
}

impl Explained {
    fn document(&self) -> Value {
        json!({"code": self.id, "title": self.title, "text": self.text})
    }
}

fn all() -> Vec<Explained> {
    let stacks = constructs::codes::ALL.iter().map(|c| Explained { id: c.id, title: c.title, text: c.explain });
    let configs = etl::codes::ALL.iter().map(|c| Explained { id: c.id, title: c.title, text: c.explain });
    stacks.chain(configs).collect()
}

/// Exit code: 0, or 2 when there is no such code.
pub fn run(args: &Args, out: &mut Output) -> anyhow::Result<Verdict> {
    let all = all();
    let Some(id) = &args.code else {
        match args.format {
            Format::Text => all.iter().try_for_each(|code| out.product(format_args!("{}  {}", code.id, code.title)))?,
            Format::Json => {
                out.product(format_args!("{:#}", all.iter().map(Explained::document).collect::<Value>()))?;
            }
        }
        return Ok(Verdict::Fine);
    };
    let id = id.to_ascii_uppercase();
    let Some(code) = all.iter().find(|code| code.id == id) else {
        if etl::codes::RETIRED.contains(&id.as_str()) {
            bail!("`{id}` was a code once; nothing reports it any more");
        }
        let near = nearest(&id, all.iter().map(|code| code.id));
        let meant = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        bail!("no code is called `{id}`{meant} (`synth explain` lists all)");
    };
    match args.format {
        Format::Text => out.product(format_args!("{}: {}\n\n{}", code.id, code.title, wrapped(code.text)))?,
        Format::Json => out.product(format_args!("{:#}", code.document()))?,
    }
    Ok(Verdict::Fine)
}

/// Lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut page = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            page.push('\n');
            column = 0;
        } else if column > 0 {
            page.push(' ');
            column += 1;
        }
        page.push_str(word);
        column += length;
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_longer_than_a_terminal() {
        for code in all() {
            let text = wrapped(code.text);
            assert!(text.lines().all(|line| line.chars().count() <= 100 && !line.starts_with(' ')), "{text}");
            assert_eq!(text.split_whitespace().collect::<Vec<_>>(), code.text.split_whitespace().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_code_is_explained_once() {
        let mut ids: Vec<_> = all().iter().map(|code| code.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }
}
