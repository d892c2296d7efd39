//! A diff as people read it: on a terminal, and as a comment of a pull request.

use std::fmt::{self, Write as _};

use clap::builder::styling::{AnsiColor, Style};
use serde_json::Value;

use super::permissions::shown;
use super::{Action, Change, Data, Diff, MemberChange, ResourceDiff};

/// Values longer than this (in characters) are shortened; `--format json` has them whole.
const LONGEST: usize = 160;

const ADD: Style = AnsiColor::Green.on_default();
const REMOVE: Style = AnsiColor::Red.on_default();
const CHANGE: Style = AnsiColor::Yellow.on_default();
const DANGER: Style = AnsiColor::Red.on_default().bold();

/// For a terminal; colours are taken out on the way to anything else.
pub fn text(stack: &str, diff: &Diff) -> String {
    let mut page = String::new();
    // Writing to a `String` does not fail.
    let _ = write_text(&mut page, stack, diff);
    page.truncate(page.trim_end().len());
    page
}

fn write_text(page: &mut String, stack: &str, diff: &Diff) -> fmt::Result {
    writeln!(page, "{stack}: {}", summary(diff))?;
    for resource in &diff.resources {
        let style = style(resource);
        writeln!(
            page,
            "{style}{} {} {}{style:#}{}",
            sign(resource.action),
            resource.kind,
            resource.logical_id,
            fate(resource)
        )?;
        for change in &resource.changes {
            writeln!(page, "    {}{}", one_line(&change.change), remark(change))?;
        }
    }
    for change in &diff.sections {
        let (sign, style) = match (&change.before, &change.after) {
            (None, _) => ('+', ADD),
            (_, None) => ('-', REMOVE),
            _ => ('~', CHANGE),
        };
        writeln!(page, "{style}{sign} {}{style:#}", one_line(change))?;
    }
    for (sign, style, title, permissions) in
        [('+', DANGER, "wider", &diff.widened), ('-', ADD, "narrower", &diff.narrowed)]
    {
        if !permissions.is_empty() {
            writeln!(page, "permissions, {title}:")?;
        }
        for permission in permissions {
            writeln!(page, "  {style}{sign} {permission}{style:#}")?;
        }
    }
    Ok(())
}

/// For a pull request: GitHub's Markdown, the dangerous things above the fold.
pub fn markdown(stack: &str, diff: &Diff) -> String {
    let mut page = String::new();
    let _ = write_markdown(&mut page, stack, diff);
    page.truncate(page.trim_end().len());
    page
}

fn write_markdown(page: &mut String, stack: &str, diff: &Diff) -> fmt::Result {
    writeln!(page, "### `{stack}`: {}\n", summary(diff))?;
    let alarming = |r: &&ResourceDiff| {
        r.data == Some(Data::Deleted) || matches!(r.action, Action::Replace | Action::MayReplace | Action::Refuse)
    };
    let alarms: Vec<&ResourceDiff> = diff.resources.iter().filter(alarming).collect();
    if !alarms.is_empty() {
        writeln!(page, "> [!WARNING]")?;
        for r in alarms {
            writeln!(page, "> - `{}` ({}){}", r.logical_id, r.kind, fate(r))?;
        }
        writeln!(page)?;
    }
    if !diff.resources.is_empty() {
        writeln!(page, "| | resource | what changes |\n| --- | --- | --- |")?;
        for r in &diff.resources {
            let changes: Vec<String> =
                r.changes.iter().map(|c| format!("{}{}", code(&one_line(&c.change)), cell(&remark(c)))).collect();
            let what = match r.action {
                Action::Add => "added".to_owned(),
                Action::Remove => cell(fate(r).trim_start_matches(':').trim()),
                _ => changes.join("<br>"),
            };
            writeln!(page, "| {} | `{}` {} | {what} |", sign(r.action), r.logical_id, r.kind)?;
        }
        writeln!(page)?;
    }
    if !diff.sections.is_empty() {
        writeln!(page, "<details><summary>parameters, outputs and the rest of the template</summary>\n")?;
        for change in &diff.sections {
            writeln!(page, "- {}", code(&one_line(change)))?;
        }
        writeln!(page, "\n</details>\n")?;
    }
    for (title, permissions) in [("wider", &diff.widened), ("narrower", &diff.narrowed)] {
        if permissions.is_empty() {
            continue;
        }
        writeln!(page, "**Permissions, {title}**\n")?;
        for permission in permissions {
            writeln!(page, "- {}", code(&permission.to_string()))?;
        }
        writeln!(page)?;
    }
    Ok(())
}

fn summary(diff: &Diff) -> String {
    if diff.is_empty() {
        return "no changes".to_owned();
    }
    let some: Vec<String> =
        diff.counts().iter().filter(|(_, n)| *n > 0).map(|(word, n)| format!("{n} {word}")).collect();
    if some.is_empty() { "no resource changes".to_owned() } else { some.join(", ") }
}

const fn sign(action: Action) -> char {
    match action {
        Action::Add => '+',
        Action::Remove => '-',
        Action::Annotate | Action::Update | Action::Unknown => '~',
        Action::MayReplace | Action::Replace | Action::Refuse => '!',
    }
}

fn style(resource: &ResourceDiff) -> Style {
    match resource.action {
        _ if resource.data == Some(Data::Deleted) => DANGER,
        Action::Add => ADD,
        Action::Remove => REMOVE,
        Action::Annotate | Action::Update | Action::Unknown => CHANGE,
        Action::MayReplace | Action::Replace | Action::Refuse => DANGER,
    }
}

/// What happens to the resource as a whole, where the sign alone does not say it.
fn fate(resource: &ResourceDiff) -> String {
    let action = match resource.action {
        Action::Remove => "removed",
        Action::Replace => "is replaced",
        Action::MayReplace => "may be replaced",
        Action::Refuse => "CloudFormation refuses a change of the type: give the new resource a logical id of its own",
        Action::Add | Action::Annotate | Action::Update | Action::Unknown => return String::new(),
    };
    let data = match resource.data {
        None => "",
        Some(Data::Retained) if resource.action == Action::Remove => "; it stays in the account, outside the stack",
        Some(Data::Retained) => "; the old one stays in the account, outside the stack",
        Some(Data::Snapshot) => "; a snapshot stays",
        Some(Data::Deleted) if resource.action == Action::Remove => {
            "; ITS DATA IS DELETED (no `DeletionPolicy: Retain`)"
        }
        Some(Data::Deleted) => "; THE OLD ONE'S DATA IS DELETED (no `UpdateReplacePolicy: Retain`)",
    };
    format!(": {action}{data}")
}

/// What a change does beyond an update in place, and why it is there.
fn remark(change: &MemberChange) -> String {
    let effect = match change.effect {
        Action::Replace => " (replaces)",
        Action::MayReplace => " (may replace)",
        Action::Unknown => " (not known whether it replaces)",
        _ => "",
    };
    match &change.because_of {
        Some(target) => format!(" (changes with `{target}`){effect}"),
        None => effect.to_owned(),
    }
}

fn one_line(change: &Change) -> String {
    // `Properties.` in front of nearly every line says nothing.
    let path = change.path.to_string();
    let path = path.strip_prefix("Properties.").unwrap_or(&path);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) if before == after => format!("{path}: {}", brief(before)),
        (Some(before), Some(after)) => format!("{path}: {} -> {}", brief(before), brief(after)),
        (Some(before), None) => format!("{path}: {} -> (none)", brief(before)),
        (None, Some(after)) => format!("{path}: (none) -> {}", brief(after)),
        (None, None) => path.to_owned(),
    }
}

fn brief(value: &Value) -> String {
    let text = match value {
        Value::String(_) => value.to_string(),
        other => shown(other),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let start: String = text.chars().take(LONGEST - 1).collect();
    format!("{start}… ({} characters)", text.chars().count())
}

/// Text as code in a cell of a table or an item of a list: whatever it holds, it stays in there.
fn code(text: &str) -> String {
    let text = cell(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest == 0 { format!("{fence}{text}{fence}") } else { format!("{fence} {text} {fence}") }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
